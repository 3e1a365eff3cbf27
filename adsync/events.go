package adsync

import (
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. What became of a record at its service is
// what its job says.
var (
	EventAccountSaved    = affiliate.EventKind{Name: "sync_account.saved", Version: 1, Object: "sync_account", When: "An account was added or renamed."}
	EventConnected       = affiliate.EventKind{Name: "ad_account.connected", Version: 1, Object: "ad_account", When: "An ad account was connected, or its name or catalog changed.", Payload: RecordPayload{}}
	EventDisconnected    = affiliate.EventKind{Name: "ad_account.disconnected", Version: 1, Object: "ad_account", When: "An ad account was disconnected.", Payload: RecordPayload{}}
	EventItemSaved       = affiliate.EventKind{Name: "inventory_item.saved", Version: 1, Object: "inventory_item", When: "An item was added or changed.", Payload: RecordPayload{}}
	EventCampaignSaved   = affiliate.EventKind{Name: "sync_campaign.saved", Version: 1, Object: "sync_campaign", When: "An ad campaign was added or changed; state says whether it was removed.", Payload: RecordPayload{}}
	EventAdSetSaved      = affiliate.EventKind{Name: "ad_set.saved", Version: 1, Object: "ad_set", When: "An ad set was added or changed; state says whether it was removed.", Payload: RecordPayload{}}
	EventAdSaved         = affiliate.EventKind{Name: "ad.saved", Version: 1, Object: "ad", When: "An ad was added or changed; state says whether it was removed.", Payload: RecordPayload{}}
	EventTemplateSaved   = affiliate.EventKind{Name: "ad_template.saved", Version: 1, Object: "ad_template", When: "An ad template was added or changed.", Payload: RecordPayload{}}
	EventTemplateRemoved = affiliate.EventKind{Name: "ad_template.removed", Version: 1, Object: "ad_template", When: "An ad template was taken out with the ads that it made.", Payload: RecordPayload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventAccountSaved, EventConnected, EventDisconnected, EventItemSaved, EventCampaignSaved, EventAdSetSaved, EventAdSaved, EventTemplateSaved, EventTemplateRemoved,
	}
}

// RecordPayload says whose record it is, and in which state.
type RecordPayload struct {
	AccountID string `json:"account_id"`
	State     State  `json:"state,omitempty"`
}

func recordEvent(kind affiliate.EventKind, id uuid.UUID, accountID string, state State, at time.Time) affiliate.Event {
	return kind.On(id, at).With(RecordPayload{accountID, state})
}

func adEvents(ads []Ad, at time.Time) []affiliate.Event {
	events := make([]affiliate.Event, len(ads))
	for n, a := range ads {
		events[n] = recordEvent(EventAdSaved, a.ID, a.AccountID, a.State, at)
	}
	return events
}
