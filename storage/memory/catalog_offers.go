package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type catalogOfferTable struct {
	engine.Keyed[deals.Offer, uuid.UUID]
	byName    *engine.Unique[deals.Offer, ownCode]
	byCatalog *engine.Groups[deals.Offer, uuid.UUID]
}

func newCatalogOfferTable(db *DB) catalogOfferTable {
	type E = deals.Offer
	t := engine.NewTable[E](&db.store)
	return catalogOfferTable{
		engine.Keyed[E, uuid.UUID]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "offer",
				Own: func(o E) E {
					o.Prices = engine.Copied(o.Prices)
					return o
				},
				Times: func(o *E) []*time.Time { return []*time.Time{&o.CreatedAt, &o.ModifiedAt} },
				Refuses: func(f *engine.Refusal, o *E, id uint32) {
					f.Refers(db.deals.catalogs.Key.Has(o.CatalogID), "catalog_id")
					f.Unique(db.deals.offers.Key.Taken(o, id), "id")
					f.Unique(db.deals.offers.byName.Taken(o, id), "name")
				},
			},
			Key: engine.NewUnique(t, func(o *E) (uuid.UUID, bool) { return o.ID, true }),
		},
		engine.NewUnique(t, func(o *E) (ownCode, bool) { return ownCode{o.CatalogID, o.Name}, true }),
		engine.NewGroups(t, func(o *E) (uuid.UUID, bool) { return o.CatalogID, true }, nil),
	}
}

func (*catalogOfferTable) in(db *DB) *engine.Keyed[deals.Offer, uuid.UUID] {
	return &db.deals.offers.Keyed
}

type (
	catalogOfferRepo = keyed[deals.Offer, uuid.UUID, *catalogOfferTable]
	catalogOffers    struct{ catalogOfferRepo }
)

var _ deals.OfferRepository = catalogOffers{}

func (r catalogOffers) ByName(ctx context.Context, catalogID uuid.UUID, name string) (deals.Offer, error) {
	return findBy(ctx, r.u, &r.all().Entities, r.u.db.deals.offers.byName, ownCode{catalogID, name}, name)
}

func (r catalogOffers) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Offer, error) {
	return r.rows(ctx, func() []uint32 { return engine.ByKeys(r.u.db.deals.offers.byCatalog.Of, catalogIDs) })
}
