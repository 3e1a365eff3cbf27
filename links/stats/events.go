package stats

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. What is counted raises none.
var (
	EventConfigCreated = affiliate.EventKind{Name: "stats_config.created", Version: 1, Object: "stats_config", When: "An advertiser kept a configuration of statistics."}
	EventConfigUpdated = affiliate.EventKind{Name: "stats_config.updated", Version: 1, Object: "stats_config", When: "A configuration of statistics was changed, or another one became the default."}
	EventConfigDeleted = affiliate.EventKind{Name: "stats_config.deleted", Version: 1, Object: "stats_config", When: "A configuration of statistics was deleted."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{EventConfigCreated, EventConfigUpdated, EventConfigDeleted}
}

func (c Config) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(c.ID, at).Of(c.AdvertiserID, 0)
}
