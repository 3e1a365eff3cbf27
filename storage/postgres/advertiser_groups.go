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
	id:   func(g affiliate.AdvertiserGroup) int64 { return g.ID },
	name: "affiliate_advertiser_groups", resource: "advertiser_group",
	row: newAdvertiserGroupRow, entity: advertiserGroupRow.group,
	sort: map[string]string{"name": "t.name", "key": "t.key", "currency": "t.currency"},
}

func newAdvertiserGroupRow(g affiliate.AdvertiserGroup) advertiserGroupRow {
	return advertiserGroupRow{
		ID: g.ID, Name: g.Name, Key: g.Key, Currency: g.Currency,
		ReturnAdEnabled: g.ReturnAdEnabled, PaymentLimit: g.PaymentLimit, CreatedAt: g.CreatedAt,
	}
}

func (r advertiserGroupRow) group() affiliate.AdvertiserGroup {
	return affiliate.AdvertiserGroup{
		ID: r.ID, Name: r.Name, Key: r.Key, Currency: r.Currency,
		ReturnAdEnabled: r.ReturnAdEnabled, PaymentLimit: r.PaymentLimit, CreatedAt: utc(r.CreatedAt),
	}
}

type advertiserGroups struct {
	repo[affiliate.AdvertiserGroup, advertiserGroupRow]
}

func (r advertiserGroups) List(ctx context.Context, f affiliate.AdvertiserGroupFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.AdvertiserGroup], error) {
	return r.list(ctx, p, func(q filter) {
		q.among("t.id", f.IDs)
		q.flag("t.return_ad_enabled", f.ReturnAdEnabled)
	})
}
