package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/links/stats"
)

type statsConfigRow struct {
	bun.BaseModel `bun:"table:affiliate_stats_configs,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	AdvertiserID int64     `bun:"advertiser_id"`
	Name         string    `bun:"name"`
	TagIDs       []int64   `bun:"tag_ids,array"`
	Measures     []int64   `bun:"measures,array"`
	From         time.Time `bun:"first_day,nullzero"`
	To           time.Time `bun:"last_day,nullzero"`
	Default      bool      `bun:"is_default"`
	CreatedAt    time.Time `bun:"created_at,nullzero"`
	UpdatedAt    time.Time `bun:"updated_at,nullzero"`
}

var statsConfigTable = table[stats.Config, statsConfigRow]{
	id:   func(c stats.Config) int64 { return c.ID },
	name: "affiliate_stats_configs", resource: "stats_config",
	row: func(c stats.Config) statsConfigRow {
		return statsConfigRow{
			ID: c.ID, AdvertiserID: c.AdvertiserID, Name: c.Name, TagIDs: append([]int64{}, c.TagIDs...),
			Measures: values(c.Measures, func(m *stats.Measure) int64 { return int64(*m) }),
			From:     c.From, To: c.To, Default: c.Default, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		}
	},
	entity: func(r statsConfigRow) stats.Config {
		return stats.Config{
			ID: r.ID, AdvertiserID: r.AdvertiserID, Name: r.Name, TagIDs: r.TagIDs,
			Measures: noneAsNil(values(r.Measures, func(n *int64) stats.Measure { return stats.Measure(*n) })),
			From:     utc(r.From), To: utc(r.To), Default: r.Default, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		}
	},
}

type statsConfigs struct {
	repo[stats.Config, statsConfigRow]
}

func (r statsConfigs) ByAdvertiser(ctx context.Context, advertiserID int64) ([]stats.Config, error) {
	return r.many(ctx, func(q filter) { q.among("t.advertiser_id", []int64{advertiserID}) })
}
