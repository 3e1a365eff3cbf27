package returnads

import "github.com/affiliatekit/affiliatekit/affiliate"

// resource is what errors and events call a return ad.
const resource = "return_ad"

// The kinds of this package's events.
var (
	EventCreated = affiliate.EventKind{Name: "return_ad.created", Version: 1, Object: resource, When: "A return ad was added."}
	EventUpdated = affiliate.EventKind{Name: "return_ad.updated", Version: 1, Object: resource, When: "A return ad was changed, paused or unpaused."}
	EventDeleted = affiliate.EventKind{Name: "return_ad.deleted", Version: 1, Object: resource, When: "A return ad ended for good."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{EventCreated, EventUpdated, EventDeleted}
}
