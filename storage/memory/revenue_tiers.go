package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type tierName struct {
	client int64
	name   string
}

type tierTable struct {
	engine.Entities[affiliate.RevenueTier]
	byName   *engine.Unique[affiliate.RevenueTier, tierName]
	byClient *engine.Groups[affiliate.RevenueTier, int64]
}

func newTierTable(db *DB) tierTable {
	type E = affiliate.RevenueTier
	t := engine.NewTable[E](&db.store)
	return tierTable{
		engine.Entities[E]{
			Table: t, Resource: "revenue_tier",
			ID: func(r *E) *int64 { return &r.ID },
			Refuses: func(f *engine.Refusal, r *E, id uint32) {
				f.Refers(db.core.clients.Knows(r.ClientID), "client_id")
				f.Unique(db.core.tiers.byName.Taken(r, id), "name")
			},
		},
		engine.NewUnique(t, func(r *E) (tierName, bool) { return tierName{r.ClientID, r.Name}, true }),
		engine.NewGroups(t, func(r *E) (int64, bool) { return r.ClientID, true }, nil),
	}
}

func (*tierTable) in(db *DB) *engine.Entities[affiliate.RevenueTier] { return &db.core.tiers.Entities }

type (
	tierRepo     = repo[affiliate.RevenueTier, *tierTable]
	revenueTiers struct{ tierRepo }
)

var _ affiliate.RevenueTierRepository = revenueTiers{}

func (r revenueTiers) ByClients(ctx context.Context, clientIDs []int64) ([]affiliate.RevenueTier, error) {
	return r.rows(ctx, func() []uint32 { return engine.ByKeys(r.u.db.core.tiers.byClient.Of, clientIDs) })
}
