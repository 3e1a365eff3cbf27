package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type catalogRow struct {
	bun.BaseModel `bun:"table:affiliate_catalogs,alias:t"`

	ID                int64            `bun:"id,pk,autoincrement"`
	PublicID          uuid.UUID        `bun:"public_id"`
	BusinessPartnerID uuid.UUID        `bun:"business_partner_id"`
	Code              string           `bun:"code"`
	ShortCode         string           `bun:"short_code"`
	Title             string           `bun:"title"`
	Description       string           `bun:"description"`
	Icon              string           `bun:"icon"`
	PreviewImage      string           `bun:"preview_image"`
	Category          string           `bun:"category"`
	Reward            rateColumn       `bun:"reward"`
	RewardType        deals.RewardType `bun:"reward_type"`
	Hold              int64            `bun:"hold_seconds"`
	Cancel            int64            `bun:"cancel_seconds"`
	PromoCodesAllowed bool             `bun:"promo_codes_allowed"`
	Published         bool             `bun:"published"`
	Moderation        deals.Moderation `bun:"moderation"`
	MinDiscount       rateColumn       `bun:"min_discount"`
	MaxDiscount       rateColumn       `bun:"max_discount"`
	Countries         []string         `bun:"countries,array"`
	Languages         []string         `bun:"languages,array"`
	Devices           deals.Device     `bun:"devices"`
	CookieDays        int              `bun:"cookie_days"`
	CreatedAt         time.Time        `bun:"created_at,nullzero"`
	ModifiedAt        time.Time        `bun:"modified_at,nullzero"`
}

var catalogTable = table[deals.Catalog, catalogRow]{
	name: "affiliate_catalogs", resource: "catalog", row: newCatalogRow, entity: catalogRow.catalog,
}

func newCatalogRow(c deals.Catalog) catalogRow {
	return catalogRow{
		PublicID: c.ID, BusinessPartnerID: c.BusinessPartnerID, Code: c.Code, ShortCode: c.ShortCode, Title: c.Title,
		Description: c.Description, Icon: c.Icon, PreviewImage: c.PreviewImage, Category: c.Category,
		Reward: rateColumn{c.Reward}, RewardType: c.RewardType, Hold: seconds(c.Hold), Cancel: seconds(c.Cancel),
		PromoCodesAllowed: c.PromoCodesAllowed, Published: c.Published, Moderation: c.Moderation,
		MinDiscount: rateColumn{c.MinDiscount}, MaxDiscount: rateColumn{c.MaxDiscount},
		Countries: append([]string{}, c.Countries...), Languages: append([]string{}, c.Languages...),
		Devices: c.Devices, CookieDays: c.CookieDays, CreatedAt: c.CreatedAt, ModifiedAt: c.ModifiedAt,
	}
}

func (r catalogRow) catalog() deals.Catalog {
	return deals.Catalog{
		ID: r.PublicID, BusinessPartnerID: r.BusinessPartnerID, Code: r.Code, ShortCode: r.ShortCode, Title: r.Title,
		Description: r.Description, Icon: r.Icon, PreviewImage: r.PreviewImage, Category: r.Category,
		Reward: r.Reward.Rate, RewardType: r.RewardType, Hold: duration(r.Hold), Cancel: duration(r.Cancel),
		PromoCodesAllowed: r.PromoCodesAllowed, Published: r.Published, Moderation: r.Moderation,
		MinDiscount: r.MinDiscount.Rate, MaxDiscount: r.MaxDiscount.Rate,
		Countries: noneAsNil(r.Countries), Languages: noneAsNil(r.Languages),
		Devices: r.Devices, CookieDays: r.CookieDays, CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

type catalogs struct {
	repo[deals.Catalog, catalogRow]
}

func (r catalogs) Get(ctx context.Context, id uuid.UUID) (deals.Catalog, error) {
	return catalogTable.getBy(ctx, r.u, id)
}

func (r catalogs) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.Catalog, error) {
	return r.one(ctx, code, func(q filter) {
		q.Where("t.business_partner_id = ?", businessPartnerID)
		q.exactly("t.code", code)
	})
}

func (r catalogs) ByShortCode(ctx context.Context, shortCode string) (deals.Catalog, error) {
	return r.one(ctx, shortCode, func(q filter) { q.exactly("t.short_code", shortCode) })
}

func (r catalogs) Update(ctx context.Context, c deals.Catalog) error {
	return catalogTable.updateBy(ctx, r.u, c, c.ID)
}

func (r catalogs) List(ctx context.Context, f deals.CatalogFilter, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
	return r.list(ctx, p, func(q filter) {
		q.equalID("t.business_partner_id", f.BusinessPartnerID)
		q.flag("t.published", f.Published)
		if f.Available.Set {
			q.Where(`(t.published
				AND EXISTS (SELECT FROM ? AS o WHERE o.catalog_id = t.public_id AND o.active)
				AND EXISTS (SELECT FROM ? AS l WHERE l.catalog_id = t.public_id)) = ?`,
				r.u.name("affiliate_catalog_offers"), r.u.name("affiliate_landings"), f.Available.Value)
		}
	})
}
