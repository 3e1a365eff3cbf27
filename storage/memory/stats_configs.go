package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type statsConfigTable struct {
	engine.Entities[stats.Config]
	byAdvertiser *engine.Groups[stats.Config, int64]
	defaults     *engine.Unique[stats.Config, int64] // by advertiser
}

func newStatsConfigTable(db *DB) statsConfigTable {
	type E = stats.Config
	t := engine.NewTable[E](&db.store)
	return statsConfigTable{
		engine.Entities[E]{
			Table: t, Resource: "stats_config",
			ID: func(c *E) *int64 { return &c.ID },
			Own: func(c E) E {
				c.TagIDs, c.Measures = engine.Copied(c.TagIDs), engine.Copied(c.Measures)
				return c
			},
			Times: func(c *E) []*time.Time { return []*time.Time{&c.From, &c.To, &c.CreatedAt, &c.UpdatedAt} },
			Refuses: func(f *engine.Refusal, c *E, id uint32) {
				f.Refers(db.core.advertisers.Knows(c.AdvertiserID), "advertiser_id")
				f.Unique(db.stats.configs.defaults.Taken(c, id), "default")
			},
		},
		engine.NewGroups(t, func(c *E) (int64, bool) { return c.AdvertiserID, true }, nil),
		engine.NewUnique(t, func(c *E) (int64, bool) { return c.AdvertiserID, c.Default }),
	}
}

func (*statsConfigTable) in(db *DB) *engine.Entities[stats.Config] {
	return &db.stats.configs.Entities
}

type (
	statsConfigRepo = repo[stats.Config, *statsConfigTable]
	statsConfigs    struct{ statsConfigRepo }
)

var _ stats.ConfigRepository = statsConfigs{}

func (r statsConfigs) ByAdvertiser(ctx context.Context, advertiserID int64) ([]stats.Config, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.stats.configs.byAdvertiser.Of(advertiserID) })
}
