package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type landingTable struct {
	engine.Keyed[deals.Landing, string]
	byCatalog *engine.Groups[deals.Landing, uuid.UUID]
}

func newLandingTable(db *DB) landingTable {
	type E = deals.Landing
	t := engine.NewTable[E](&db.store)
	return landingTable{
		engine.Keyed[E, string]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "landing",
				Times: func(l *E) []*time.Time { return []*time.Time{&l.CreatedAt, &l.ModifiedAt} },
				Refuses: func(f *engine.Refusal, l *E, id uint32) {
					f.Refers(db.deals.catalogs.Key.Has(l.CatalogID), "catalog_id")
					f.Unique(db.deals.landings.Key.Taken(l, id), "id")
				},
			},
			Key: engine.NewUnique(t, func(l *E) (string, bool) { return l.ID, true }),
		},
		engine.NewGroups(t, func(l *E) (uuid.UUID, bool) { return l.CatalogID, true }, nil),
	}
}

func (*landingTable) in(db *DB) *engine.Keyed[deals.Landing, string] { return &db.deals.landings.Keyed }

type (
	landingRepo = keyed[deals.Landing, string, *landingTable]
	landings    struct{ landingRepo }
)

var _ deals.LandingRepository = landings{}

func (r landings) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Landing, error) {
	return r.rows(ctx, func() []uint32 { return engine.ByKeys(r.u.db.deals.landings.byCatalog.Of, catalogIDs) })
}
