package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// ownCode is a text that is unique within its owner: a code of a business
// partner, a name in a catalog.
type ownCode struct {
	owner uuid.UUID
	code  string
}

type catalogTable struct {
	engine.Keyed[deals.Catalog, uuid.UUID]
	byCode      *engine.Unique[deals.Catalog, ownCode]
	byShortCode *engine.Unique[deals.Catalog, string]
	bySeller    *engine.Groups[deals.Catalog, uuid.UUID]
}

func newCatalogTable(db *DB) catalogTable {
	type E = deals.Catalog
	t := engine.NewTable[E](&db.store)
	return catalogTable{
		engine.Keyed[E, uuid.UUID]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "catalog",
				Own: func(c E) E {
					c.Countries, c.Languages = engine.Copied(c.Countries), engine.Copied(c.Languages)
					return c
				},
				Times: func(c *E) []*time.Time { return []*time.Time{&c.CreatedAt, &c.ModifiedAt} },
				Refuses: func(f *engine.Refusal, c *E, id uint32) {
					t := &db.deals.catalogs
					f.Unique(t.Key.Taken(c, id), "id")
					f.Unique(t.byCode.Taken(c, id), "catalog_code")
					f.Unique(t.byShortCode.Taken(c, id), "catalog_id")
				},
			},
			Key: engine.NewUnique(t, func(c *E) (uuid.UUID, bool) { return c.ID, true }),
		},
		engine.NewUnique(t, func(c *E) (ownCode, bool) { return ownCode{c.BusinessPartnerID, c.Code}, true }),
		engine.NewUnique(t, func(c *E) (string, bool) { return c.ShortCode, true }),
		engine.NewGroups(t, func(c *E) (uuid.UUID, bool) { return c.BusinessPartnerID, true }, nil),
	}
}

func (*catalogTable) in(db *DB) *engine.Keyed[deals.Catalog, uuid.UUID] {
	return &db.deals.catalogs.Keyed
}

type (
	catalogRepo = keyed[deals.Catalog, uuid.UUID, *catalogTable]
	catalogs    struct{ catalogRepo }
)

var _ deals.CatalogRepository = catalogs{}

func (r catalogs) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.Catalog, error) {
	return findBy(ctx, r.u, &r.all().Entities, r.u.db.deals.catalogs.byCode, ownCode{businessPartnerID, code}, code)
}

func (r catalogs) ByShortCode(ctx context.Context, shortCode string) (deals.Catalog, error) {
	return findBy(ctx, r.u, &r.all().Entities, r.u.db.deals.catalogs.byShortCode, shortCode, shortCode)
}

func (r catalogs) List(ctx context.Context, f deals.CatalogFilter, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
	return r.list(ctx, p, func(w *engine.Where[deals.Catalog]) {
		engine.EqualIn(w, f.BusinessPartnerID, r.u.db.deals.catalogs.bySeller)
		w.Flag(f.Published, func(c *deals.Catalog) bool { return c.Published })
		w.Flag(f.Available, r.available)
	})
}

// available reports whether partners see the catalog.
func (r catalogs) available(c *deals.Catalog) bool {
	offers := &r.u.db.deals.offers
	return c.Published && len(r.u.db.deals.landings.byCatalog.Of(c.ID)) > 0 &&
		slices.ContainsFunc(offers.byCatalog.Of(c.ID), func(id uint32) bool { return offers.At(id).Active })
}
