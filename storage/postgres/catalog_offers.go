package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/deals"
)

type catalogOfferRow struct {
	bun.BaseModel `bun:"table:affiliate_catalog_offers,alias:t"`

	ID                int64        `bun:"id,pk,autoincrement"`
	PublicID          uuid.UUID    `bun:"public_id"`
	CatalogID         uuid.UUID    `bun:"catalog_id"`
	Name              string       `bun:"name"`
	Description       string       `bun:"description"`
	PromoCodesAllowed bool         `bun:"promo_codes_allowed"`
	Active            bool         `bun:"active"`
	Prices            pricesColumn `bun:"prices"`
	Fixed             exactColumn  `bun:"fixed"`
	Share             rateColumn   `bun:"share"`
	CreatedAt         time.Time    `bun:"created_at,nullzero"`
	ModifiedAt        time.Time    `bun:"modified_at,nullzero"`
}

var catalogOfferTable = table[deals.Offer, catalogOfferRow]{
	name: "affiliate_catalog_offers", resource: "offer", row: newCatalogOfferRow, entity: catalogOfferRow.offer,
}

func newCatalogOfferRow(o deals.Offer) catalogOfferRow {
	return catalogOfferRow{
		PublicID: o.ID, CatalogID: o.CatalogID, Name: o.Name, Description: o.Description,
		PromoCodesAllowed: o.PromoCodesAllowed, Active: o.Active, Prices: pricesColumn{slices.Clone(o.Prices)},
		Fixed: exactColumn{o.Terms.Fixed}, Share: rateColumn{o.Terms.Share},
		CreatedAt: o.CreatedAt, ModifiedAt: o.ModifiedAt,
	}
}

func (r catalogOfferRow) offer() deals.Offer {
	return deals.Offer{
		ID: r.PublicID, CatalogID: r.CatalogID, Name: r.Name, Description: r.Description,
		PromoCodesAllowed: r.PromoCodesAllowed, Active: r.Active, Prices: r.Prices.prices,
		Terms:     deals.Terms{Fixed: r.Fixed.Decimal, Share: r.Share.Rate},
		CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

type catalogOffers struct {
	repo[deals.Offer, catalogOfferRow]
}

func (r catalogOffers) Get(ctx context.Context, id uuid.UUID) (deals.Offer, error) {
	return catalogOfferTable.getBy(ctx, r.u, id)
}

func (r catalogOffers) ByName(ctx context.Context, catalogID uuid.UUID, name string) (deals.Offer, error) {
	return r.one(ctx, name, func(q filter) {
		q.Where("t.catalog_id = ?", catalogID)
		q.exactly("t.name", name)
	})
}

func (r catalogOffers) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Offer, error) {
	return r.many(ctx, func(q filter) { q.amongIDs("t.catalog_id", catalogIDs) })
}

func (r catalogOffers) Update(ctx context.Context, o deals.Offer) error {
	return catalogOfferTable.updateBy(ctx, r.u, o, o.ID)
}
