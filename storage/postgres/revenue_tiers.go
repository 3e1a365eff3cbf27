package postgres

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type revenueTierRow struct {
	bun.BaseModel `bun:"table:affiliate_revenue_tiers,alias:t"`

	ID       int64      `bun:"id,pk,autoincrement"`
	ClientID int64      `bun:"client_id"`
	Name     string     `bun:"name"`
	Share    rateColumn `bun:"share"`
}

var revenueTierTable = table[affiliate.RevenueTier, revenueTierRow]{
	name: "affiliate_revenue_tiers", resource: "revenue_tier",
	row: func(t affiliate.RevenueTier) revenueTierRow {
		return revenueTierRow{ID: t.ID, ClientID: t.ClientID, Name: t.Name, Share: rateColumn{t.Share}}
	},
	entity: func(r revenueTierRow) affiliate.RevenueTier {
		return affiliate.RevenueTier{ID: r.ID, ClientID: r.ClientID, Name: r.Name, Share: r.Share.Rate}
	},
}

type revenueTiers struct {
	repo[affiliate.RevenueTier, revenueTierRow]
}

func (r revenueTiers) ByClients(ctx context.Context, clientIDs []int64) ([]affiliate.RevenueTier, error) {
	return r.many(ctx, func(q filter) { q.among("t.client_id", nonNil(clientIDs)) })
}
