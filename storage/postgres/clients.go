package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type clientRow struct {
	bun.BaseModel `bun:"table:affiliate_clients,alias:t"`

	ID               int64      `bun:"id,pk,autoincrement"`
	GroupID          int64      `bun:"group_id,nullzero"`
	Name             string     `bun:"name"`
	PublicID         string     `bun:"client_id"`
	SecretHash       hash       `bun:"secret_hash"`
	RevenueShare     rateColumn `bun:"revenue_share"`
	OwnPaymentSystem bool       `bun:"own_payment_system"`
	DefaultTierID    int64      `bun:"default_tier_id,nullzero"`
	CreatedAt        time.Time  `bun:"created_at,nullzero"`
}

var clientTable = table[affiliate.Client, clientRow]{
	id:   func(c affiliate.Client) int64 { return c.ID },
	name: "affiliate_clients", resource: "client",
	row: newClientRow, entity: clientRow.client,
	refers: func(r *clientRow) []reference {
		return []reference{
			ref("group_id", "affiliate_advertiser_groups", r.GroupID),
			ref("default_tier_id", "affiliate_revenue_tiers", r.DefaultTierID),
		}
	},
	sort: map[string]string{
		"name": "t.name", "client_id": "t.client_id",
		"has_own_payment_system": "t.own_payment_system", "revenue_share": "t.revenue_share",
	},
}

func newClientRow(c affiliate.Client) clientRow {
	return clientRow{
		ID: c.ID, GroupID: c.GroupID, Name: c.Name, PublicID: c.PublicID, SecretHash: c.SecretHash,
		RevenueShare: rateColumn{c.RevenueShare}, OwnPaymentSystem: c.OwnPaymentSystem,
		DefaultTierID: c.DefaultTierID, CreatedAt: c.CreatedAt,
	}
}

func (r clientRow) client() affiliate.Client {
	return affiliate.Client{
		ID: r.ID, GroupID: r.GroupID, Name: r.Name, PublicID: r.PublicID, SecretHash: r.SecretHash,
		RevenueShare: r.RevenueShare.Rate, OwnPaymentSystem: r.OwnPaymentSystem,
		DefaultTierID: r.DefaultTierID, CreatedAt: utc(r.CreatedAt),
	}
}

type clients struct {
	repo[affiliate.Client, clientRow]
}

func (r clients) ByPublicID(ctx context.Context, publicID string) (affiliate.Client, error) {
	return r.one(ctx, publicID, func(q filter) { q.exactly("t.client_id", publicID) })
}

func (r clients) List(ctx context.Context, f affiliate.ClientFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Client], error) {
	return r.list(ctx, p, func(q filter) {
		tiers := r.u.db.prefix + "affiliate_revenue_tiers"
		q.query(f.Query, "t.id", part("t.name"),
			"EXISTS (SELECT FROM "+tiers+" AS tier WHERE tier.client_id = t.id AND "+part("tier.name")+")")
		q.among("t.id", f.IDs)
		q.among("t.group_id", f.GroupIDs)
	})
}
