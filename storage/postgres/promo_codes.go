package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/deals"
)

type promoCodeRow struct {
	bun.BaseModel `bun:"table:affiliate_promo_codes,alias:t"`

	ID                int64      `bun:"id,pk,autoincrement"`
	CatalogID         uuid.UUID  `bun:"catalog_id"`
	BusinessPartnerID uuid.UUID  `bun:"business_partner_id"`
	PartnerID         uuid.UUID  `bun:"partner_id"`
	Code              string     `bun:"code"`
	Key               string     `bun:"key"`
	Discount          rateColumn `bun:"discount"`
	CreatedAt         time.Time  `bun:"created_at,nullzero"`
}

func newPromoCodeRow(p deals.PromoCode) promoCodeRow {
	return promoCodeRow{
		CatalogID: p.CatalogID, BusinessPartnerID: p.BusinessPartnerID, PartnerID: p.PartnerID,
		Code: p.Code, Key: p.Key(), Discount: rateColumn{p.Discount}, CreatedAt: p.CreatedAt,
	}
}

func (r promoCodeRow) promoCode() deals.PromoCode {
	return deals.PromoCode{
		CatalogID: r.CatalogID, BusinessPartnerID: r.BusinessPartnerID, PartnerID: r.PartnerID,
		Code: r.Code, Discount: r.Discount.Rate, CreatedAt: utc(r.CreatedAt),
	}
}

var promoCodeTable = table[deals.PromoCode, promoCodeRow]{
	name: "affiliate_promo_codes", resource: "promo_code", row: newPromoCodeRow, entity: promoCodeRow.promoCode,
}

type promoCodes struct {
	repo[deals.PromoCode, promoCodeRow]
}

func (r promoCodes) Get(ctx context.Context, catalogID uuid.UUID, code string) (deals.PromoCode, error) {
	return r.one(ctx, code, func(q filter) {
		q.Where("t.catalog_id = ?", catalogID)
		q.exactly("t.key", deals.FoldCode(code))
	})
}

func (r promoCodes) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) ([]deals.PromoCode, error) {
	return r.many(ctx, func(q filter) {
		q.Where("t.business_partner_id = ?", businessPartnerID)
		q.exactly("t.key", deals.FoldCode(code))
		q.OrderExpr("t.id").Limit(100)
	})
}
