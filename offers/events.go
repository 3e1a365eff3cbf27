package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. A campaign is an offer.
var (
	EventCampaignCreated  = affiliate.EventKind{Name: "campaign.created", Version: 1, Object: "campaign", When: "A campaign was added.", Payload: CampaignPayload{}}
	EventCampaignUpdated  = affiliate.EventKind{Name: "campaign.updated", Version: 1, Object: "campaign", When: "A campaign was changed.", Payload: CampaignPayload{}}
	EventCampaignPaused   = affiliate.EventKind{Name: "campaign.paused", Version: 1, Object: "campaign", When: "A campaign was stopped.", Payload: CampaignPayload{}}
	EventCampaignUnpaused = affiliate.EventKind{Name: "campaign.unpaused", Version: 1, Object: "campaign", When: "A campaign that was stopped goes on.", Payload: CampaignPayload{}}
	EventCampaignDeleted  = affiliate.EventKind{Name: "campaign.deleted", Version: 1, Object: "campaign", When: "A campaign ended for good.", Payload: CampaignPayload{}}
	EventTargetsAdded     = affiliate.EventKind{Name: "campaign.targets_added", Version: 1, Object: "campaign", When: "A campaign is for more creators.", Payload: CampaignPayload{}}
	EventBudgetCreated    = affiliate.EventKind{Name: "shared_budget.created", Version: 1, Object: "shared_budget", When: "A shared budget was added."}
	EventBudgetUpdated    = affiliate.EventKind{Name: "shared_budget.updated", Version: 1, Object: "shared_budget", When: "A shared budget was changed."}
	EventBudgetDeleted    = affiliate.EventKind{Name: "shared_budget.deleted", Version: 1, Object: "shared_budget", When: "A shared budget was deleted."}
	// EventInvited has an [Invitation]. Package affiliate/mailing makes an e-mail of it.
	EventInvited            = affiliate.EventKind{Name: "campaign.invited", Version: 1, Object: "participant", When: "A creator was invited to a campaign of type store_accept.", Payload: Invitation{}}
	EventParticipantAdded   = affiliate.EventKind{Name: "participant.added", Version: 1, Object: "participant", When: "A campaign has one more participant.", Payload: ParticipantPayload{}}
	EventParticipantMoved   = affiliate.EventKind{Name: "participant.moved", Version: 1, Object: "participant", When: "A participant's status changed.", Payload: ParticipantPayload{}}
	EventParticipantUpdated = affiliate.EventKind{Name: "participant.updated", Version: 1, Object: "participant", When: "A participant was changed, but for its status.", Payload: ParticipantPayload{}}
	EventParticipantRemoved = affiliate.EventKind{Name: "participant.removed", Version: 1, Object: "participant", When: "A participant was taken out: the creator is banned, was targeted twice, or is no longer targeted.", Payload: ParticipantPayload{}}
	EventCommentAdded       = affiliate.EventKind{Name: "comment.added", Version: 1, Object: "comment", When: "Somebody commented on a participant.", Payload: CommentPayload{}}
	EventCommentUpdated     = affiliate.EventKind{Name: "comment.updated", Version: 1, Object: "comment", When: "A comment was changed.", Payload: CommentPayload{}}
	EventCommentDeleted     = affiliate.EventKind{Name: "comment.deleted", Version: 1, Object: "comment", When: "A comment was deleted.", Payload: CommentPayload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventCampaignCreated, EventCampaignUpdated, EventCampaignPaused, EventCampaignUnpaused, EventCampaignDeleted, EventTargetsAdded,
		EventBudgetCreated, EventBudgetUpdated, EventBudgetDeleted, EventInvited, EventParticipantAdded, EventParticipantMoved, EventParticipantRemoved,
		EventParticipantUpdated, EventCommentAdded, EventCommentUpdated, EventCommentDeleted,
	}
}

// CampaignPayload says which campaign it is, for people.
type CampaignPayload struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// ParticipantPayload says whose part it is in which campaign. UserID is 0 while
// nobody has registered for it; From is empty unless the status changed.
type ParticipantPayload struct {
	CampaignID int64             `json:"campaign_id"`
	UserID     int64             `json:"user_id,omitempty"`
	From       ParticipantStatus `json:"from,omitempty"`
	Status     ParticipantStatus `json:"status"`
}

// CommentPayload says what a comment is on. Its text is in no event.
type CommentPayload struct {
	ParticipantID int64 `json:"participant_id"`
}

func (o Offer) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(o.ID, at).Of(o.AdvertiserID, 0).With(CampaignPayload{Name: o.Name, Type: o.Type})
}

// changed returns the kind of the event of a change of an offer.
func (o Offer) changed(before Offer) affiliate.EventKind {
	switch {
	case !o.DeletedAt.Equal(before.DeletedAt):
		return EventCampaignDeleted
	case o.PausedAt.Equal(before.PausedAt):
		return EventCampaignUpdated
	case o.PausedAt.IsZero():
		return EventCampaignUnpaused
	}
	return EventCampaignPaused
}

func (p Participant) event(kind affiliate.EventKind, o Offer, from ParticipantStatus, at time.Time) affiliate.Event {
	return kind.On(p.ID, at).Of(o.AdvertiserID, 0).With(ParticipantPayload{CampaignID: o.ID, UserID: p.UserID, From: from, Status: p.Status})
}

func (b SharedBudget) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(b.ID, at).Of(b.AdvertiserID, 0)
}

func (c Comment) event(kind affiliate.EventKind, o Offer, at time.Time) affiliate.Event {
	return kind.On(c.ID, at).Of(o.AdvertiserID, 0).With(CommentPayload{c.ParticipantID})
}

// addParticipants keeps the participants that are not there yet, with their
// events, and returns those. The offers are given by id.
func addParticipants(ctx context.Context, tx Tx, offers map[int64]Offer, parts ...Participant) ([]Participant, error) {
	added, err := tx.Participants().AddMissing(ctx, parts...)
	if err != nil || len(added) == 0 {
		return added, err
	}
	events := make([]affiliate.Event, len(added))
	for i, p := range added {
		events[i] = p.event(EventParticipantAdded, offers[p.OfferID], "", p.CreatedAt)
	}
	return added, tx.Events().Add(ctx, events...)
}

// removeParticipant takes a participant out, with its event.
func removeParticipant(ctx context.Context, tx Tx, now time.Time, o Offer, p Participant) error {
	if err := tx.Participants().Delete(ctx, p.ID); err != nil {
		return err
	}
	return tx.Events().Add(ctx, p.event(EventParticipantRemoved, o, "", now))
}
