package affiliate

// The kinds of the core's events.
var (
	EventAdvertiserCreated     = EventKind{Name: "advertiser.created", Version: 1, Object: "advertiser", When: "An advertiser was added."}
	EventAdvertiserUpdated     = EventKind{Name: "advertiser.updated", Version: 1, Object: "advertiser", When: "An advertiser was changed."}
	EventAdvertiserDeactivated = EventKind{Name: "advertiser.deactivated", Version: 1, Object: "advertiser", When: "An advertiser's part ended."}
	EventGroupCreated          = EventKind{Name: "advertiser_group.created", Version: 1, Object: "advertiser_group", When: "An advertiser group was added."}
	EventCategoryCreated       = EventKind{Name: "category.created", Version: 1, Object: "category", When: "A category was added."}
	EventClientCreated         = EventKind{Name: "client.created", Version: 1, Object: "client", When: "A client was added."}
	EventRevenueTierCreated    = EventKind{Name: "revenue_tier.created", Version: 1, Object: "revenue_tier", When: "A revenue tier was added to a client."}
	EventUserCreated           = EventKind{Name: "user.created", Version: 1, Object: "user", When: "A user was added."}
	EventUserUpdated           = EventKind{Name: "user.updated", Version: 1, Object: "user", When: "A user was changed, but for its status."}
	EventUserApproved          = EventKind{Name: "user.approved", Version: 1, Object: "user", When: "A user's status became accepted."}
	EventUserBanned            = EventKind{Name: "user.banned", Version: 1, Object: "user", When: "A user's status became suspended."}
	EventUserUndecided         = EventKind{Name: "user.undecided", Version: 1, Object: "user", When: "A user's status was taken back to undecided."}
	EventUserErased            = EventKind{Name: "user.erased", Version: 1, Object: "user", When: "Whatever says who a user is was taken out."}
	EventUserTagCreated        = EventKind{Name: "user_tag.created", Version: 1, Object: "user_tag", When: "A user tag was added."}
	EventBlocked               = EventKind{Name: "blocklist_entry.created", Version: 1, Object: "blocklist_entry", When: "An advertiser blocked a user, a user tag or a client.", Payload: BlockedPayload{}}
	EventUnblocked             = EventKind{Name: "blocklist_entry.deleted", Version: 1, Object: "blocklist_entry", When: "An entry was taken off an advertiser's blocklist.", Payload: BlockedPayload{}}
	EventEntryReversed         = EventKind{Name: "entry.reversed", Version: 1, Object: "entry", When: "A ledger entry was reversed by hand, in whole or in part.", Payload: ReversedPayload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []EventKind {
	return []EventKind{
		EventAdvertiserCreated, EventAdvertiserUpdated, EventAdvertiserDeactivated, EventGroupCreated, EventCategoryCreated, EventClientCreated,
		EventRevenueTierCreated, EventUserCreated, EventUserUpdated, EventUserApproved, EventUserBanned, EventUserUndecided, EventUserErased, EventUserTagCreated,
		EventBlocked, EventUnblocked, EventEntryReversed,
	}
}

// BlockedPayload says whom a blocklist entry names: one of the three.
type BlockedPayload struct {
	UserID    int64 `json:"user_id,omitempty"`
	UserTagID int64 `json:"user_tag_id,omitempty"`
	ClientID  int64 `json:"client_id,omitempty"`
}

// ReversedPayload is a reversal: amounts in minor units, not positive.
type ReversedPayload struct {
	ReversalID int64    `json:"reversal_id"`
	Account    Account  `json:"account"`
	Earning    int64    `json:"earning"`
	Cost       int64    `json:"cost"`
	Currency   Currency `json:"currency"`
}

// ReversedEvent returns the event of a reversal.
func ReversedEvent(e Entry) Event {
	return EventEntryReversed.On(e.Reverses, e.OccurredAt).Of(e.AdvertiserID, 0).With(ReversedPayload{
		ReversalID: e.ID, Account: e.Account, Earning: e.Earning.Minor(), Cost: e.Cost.Minor(), Currency: e.Earning.Currency(),
	})
}

// statusEvents are the events that a user's new status raises.
var statusEvents = map[UserStatus]EventKind{UserAccepted: EventUserApproved, UserSuspended: EventUserBanned, UserUndecided: EventUserUndecided}

// userEvent returns the event of a change of a user.
func userEvent(before, after User) Event {
	kind := EventUserUpdated
	if before.Status() != after.Status() {
		kind = statusEvents[after.Status()]
	}
	return kind.On(after.ID, after.UpdatedAt).Of(0, after.ClientID)
}
