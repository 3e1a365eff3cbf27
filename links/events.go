package links

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. A click has none of its own: there are too
// many, and statistics count them.
var (
	EventLinkCreated   = affiliate.EventKind{Name: "link.created", Version: 1, Object: "link", When: "A creator made a link, or one that was deleted anew.", Payload: LinkPayload{}}
	EventLinkDeleted   = affiliate.EventKind{Name: "link.deleted", Version: 1, Object: "link", When: "A link ended: it redirects, and earns nothing.", Payload: LinkPayload{}}
	EventClickReversed = affiliate.EventKind{Name: "click.reversed", Version: 1, Object: "click", When: "What a click earned was taken back.", Payload: LinkPayload{}}
	EventRuleCreated   = affiliate.EventKind{Name: "url_matching_rule.created", Version: 1, Object: "url_matching_rule", When: "An advertiser has one more URL rule."}
	EventRuleUpdated   = affiliate.EventKind{Name: "url_matching_rule.updated", Version: 1, Object: "url_matching_rule", When: "A URL rule was changed."}
	EventRuleVerified  = affiliate.EventKind{Name: "url_matching_rule.verified", Version: 1, Object: "url_matching_rule", When: "The domain of a URL rule was proven, or the operator vouched for it."}
	EventRuleDeleted   = affiliate.EventKind{Name: "url_matching_rule.deleted", Version: 1, Object: "url_matching_rule", When: "A URL rule was removed."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{EventLinkCreated, EventLinkDeleted, EventClickReversed, EventRuleCreated, EventRuleUpdated, EventRuleVerified, EventRuleDeleted}
}

// LinkPayload says whose link it is, or was followed.
type LinkPayload struct {
	LinkID int64 `json:"link_id"`
	UserID int64 `json:"user_id"`
}

func (l Link) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(l.ID, at).Of(l.AdvertiserID, 0).With(LinkPayload{LinkID: l.ID, UserID: l.UserID})
}

func (r Rule) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(r.ID, at).Of(r.AdvertiserID, 0)
}
