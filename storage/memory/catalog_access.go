package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type accessKey struct{ catalog, partner uuid.UUID }

type accessTable struct {
	engine.Keyed[deals.Access, accessKey]
	byCatalog *engine.Groups[deals.Access, uuid.UUID]
	byPartner *engine.Groups[deals.Access, uuid.UUID]
}

func newAccessTable(db *DB) accessTable {
	type E = deals.Access
	t := engine.NewTable[E](&db.store)
	return accessTable{
		engine.Keyed[E, accessKey]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "access",
				Times: func(a *E) []*time.Time { return []*time.Time{&a.RequestedAt, &a.DecidedAt} },
				Refuses: func(f *engine.Refusal, a *E, _ uint32) {
					f.Refers(db.deals.catalogs.Key.Has(a.CatalogID), "catalog_id")
				},
			},
			Key: engine.NewUnique(t, func(a *E) (accessKey, bool) { return accessKey{a.CatalogID, a.PartnerID}, true }),
		},
		engine.NewGroups(t, func(a *E) (uuid.UUID, bool) { return a.CatalogID, true }, nil),
		engine.NewGroups(t, func(a *E) (uuid.UUID, bool) { return a.PartnerID, true }, nil),
	}
}

func (*accessTable) in(db *DB) *engine.Keyed[deals.Access, accessKey] { return &db.deals.access.Keyed }

type (
	accessRepo = keyed[deals.Access, accessKey, *accessTable]
	accesses   struct{ accessRepo }
)

var _ deals.AccessRepository = accesses{}

func (r accesses) Get(ctx context.Context, catalogID, partnerID uuid.UUID) (deals.Access, error) {
	return r.accessRepo.Get(ctx, accessKey{catalogID, partnerID})
}

func (r accesses) List(ctx context.Context, f deals.AccessFilter, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
	return r.list(ctx, p, func(w *engine.Where[deals.Access]) {
		engine.EqualIn(w, f.CatalogID, r.u.db.deals.access.byCatalog)
		engine.EqualIn(w, f.PartnerID, r.u.db.deals.access.byPartner)
		engine.Equal(w, f.Status, func(a *deals.Access) deals.AccessStatus { return a.Status })
	})
}
