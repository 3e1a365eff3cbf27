package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type advertiserGroupRow struct {
	bun.BaseModel `bun:"table:affiliate_advertiser_groups,alias:t"`

	ID              int64              `bun:"id,pk,autoincrement"`
	Name            string             `bun:"name"`
	Key             string             `bun:"key"`
	Currency        affiliate.Currency `bun:"currency"`
	ReturnAdEnabled bool               `bun:"return_ad_enabled"`
	PaymentLimit    int64              `bun:"payment_limit"`
	CreatedAt       time.Time          `bun:"created_at,nullzero"`
}

var advertiserGroupTable = table[affiliate.AdvertiserGroup, advertiserGroupRow]{
	name: "affiliate_advertiser_groups", resource: "advertiser_group",
	row: newAdvertiserGroupRow, entity: advertiserGroupRow.group,
	sort: map[string]string{"name": "t.name", "key": "t.key", "currency": "t.currency"},
}

func newAdvertiserGroupRow(g affiliate.AdvertiserGroup) advertiserGroupRow {
	return advertiserGroupRow{
		ID: g.ID, Name: g.Name, Key: g.Key, Currency: g.Currency,
		ReturnAdEnabled: g.ReturnAdEnabled, PaymentLimit: g.PaymentLimit, CreatedAt: stamp(g.CreatedAt),
	}
}

func (r advertiserGroupRow) group() affiliate.AdvertiserGroup {
	return affiliate.AdvertiserGroup{
		ID: r.ID, Name: r.Name, Key: r.Key, Currency: r.Currency,
		ReturnAdEnabled: r.ReturnAdEnabled, PaymentLimit: r.PaymentLimit, CreatedAt: utc(r.CreatedAt),
	}
}

type advertiserGroups struct{ u *unit }

func (r advertiserGroups) Add(ctx context.Context, g affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
	g.ID = 0
	return advertiserGroupTable.add(ctx, r.u, g)
}

func (r advertiserGroups) Get(ctx context.Context, id int64) (affiliate.AdvertiserGroup, error) {
	return advertiserGroupTable.get(ctx, r.u, id)
}

func (r advertiserGroups) GetMany(ctx context.Context, ids []int64) ([]affiliate.AdvertiserGroup, error) {
	return advertiserGroupTable.getMany(ctx, r.u, ids)
}

func (r advertiserGroups) Update(ctx context.Context, g affiliate.AdvertiserGroup) error {
	return advertiserGroupTable.update(ctx, r.u, g, g.ID)
}

func (r advertiserGroups) List(ctx context.Context, f affiliate.AdvertiserGroupFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.AdvertiserGroup], error) {
	return advertiserGroupTable.list(ctx, r.u, p, func(q filter) {
		q.among("t.id", f.IDs)
		q.flag("t.return_ad_enabled", f.ReturnAdEnabled)
	})
}

type categoryRow struct {
	bun.BaseModel `bun:"table:affiliate_categories,alias:t"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Name string `bun:"name"`
}

var categoryTable = table[affiliate.Category, categoryRow]{
	name: "affiliate_categories", resource: "category",
	row:    func(c affiliate.Category) categoryRow { return categoryRow{ID: c.ID, Name: c.Name} },
	entity: func(r categoryRow) affiliate.Category { return affiliate.Category{ID: r.ID, Name: r.Name} },
}

type categories struct{ u *unit }

func (r categories) Add(ctx context.Context, c affiliate.Category) (affiliate.Category, error) {
	c.ID = 0
	return categoryTable.add(ctx, r.u, c)
}

func (r categories) GetMany(ctx context.Context, ids []int64) ([]affiliate.Category, error) {
	return categoryTable.getMany(ctx, r.u, ids)
}

func (r categories) All(ctx context.Context) ([]affiliate.Category, error) {
	return categoryTable.many(ctx, r.u, func(filter) {})
}
