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
	name: "affiliate_clients", resource: "client",
	row: newClientRow, entity: clientRow.client,
	sort: map[string]string{
		"name": "t.name", "client_id": "t.client_id",
		"has_own_payment_system": "t.own_payment_system", "revenue_share": "t.revenue_share",
	},
}

func newClientRow(c affiliate.Client) clientRow {
	return clientRow{
		ID: c.ID, GroupID: c.GroupID, Name: c.Name, PublicID: c.PublicID, SecretHash: c.SecretHash,
		RevenueShare: rateColumn{c.RevenueShare}, OwnPaymentSystem: c.OwnPaymentSystem,
		DefaultTierID: c.DefaultTierID, CreatedAt: stamp(c.CreatedAt),
	}
}

func (r clientRow) client() affiliate.Client {
	return affiliate.Client{
		ID: r.ID, GroupID: r.GroupID, Name: r.Name, PublicID: r.PublicID, SecretHash: r.SecretHash,
		RevenueShare: r.RevenueShare.Rate, OwnPaymentSystem: r.OwnPaymentSystem,
		DefaultTierID: r.DefaultTierID, CreatedAt: utc(r.CreatedAt),
	}
}

type clients struct{ u *unit }

func (r clients) Add(ctx context.Context, c affiliate.Client) (affiliate.Client, error) {
	c.ID = 0
	return clientTable.add(ctx, r.u, c)
}

func (r clients) Get(ctx context.Context, id int64) (affiliate.Client, error) {
	return clientTable.get(ctx, r.u, id)
}

func (r clients) GetMany(ctx context.Context, ids []int64) ([]affiliate.Client, error) {
	return clientTable.getMany(ctx, r.u, ids)
}

func (r clients) ByPublicID(ctx context.Context, publicID string) (affiliate.Client, error) {
	return clientTable.one(ctx, r.u, publicID, func(q filter) { q.exactly("t.client_id", publicID) })
}

func (r clients) Update(ctx context.Context, c affiliate.Client) error {
	return clientTable.update(ctx, r.u, c, c.ID)
}

func (r clients) List(ctx context.Context, f affiliate.ClientFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Client], error) {
	return clientTable.list(ctx, r.u, p, func(q filter) {
		tiers := r.u.db.prefix + "affiliate_revenue_tiers"
		q.query(f.Query, "t.id", part("t.name"),
			"EXISTS (SELECT FROM "+tiers+" AS tier WHERE tier.client_id = t.id AND "+part("tier.name")+")")
		q.among("t.id", f.IDs)
		q.among("t.group_id", f.GroupIDs)
	})
}

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

type revenueTiers struct{ u *unit }

func (r revenueTiers) Add(ctx context.Context, t affiliate.RevenueTier) (affiliate.RevenueTier, error) {
	t.ID = 0
	return revenueTierTable.add(ctx, r.u, t)
}

func (r revenueTiers) GetMany(ctx context.Context, ids []int64) ([]affiliate.RevenueTier, error) {
	return revenueTierTable.getMany(ctx, r.u, ids)
}

func (r revenueTiers) ByClients(ctx context.Context, clientIDs []int64) ([]affiliate.RevenueTier, error) {
	return revenueTierTable.many(ctx, r.u, func(q filter) { q.among("t.client_id", nonNil(clientIDs)) })
}
