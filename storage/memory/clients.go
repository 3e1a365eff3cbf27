package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type clientTable struct {
	engine.Entities[affiliate.Client]
	byPublicID *engine.Unique[affiliate.Client, string]
	byGroup    *engine.Groups[affiliate.Client, int64]
}

func newClientTable(db *DB) clientTable {
	type E = affiliate.Client
	t := engine.NewTable[E](&db.store)
	return clientTable{
		engine.Entities[E]{
			Table: t, Resource: "client",
			ID:    func(c *E) *int64 { return &c.ID },
			Times: func(c *E) []*time.Time { return []*time.Time{&c.CreatedAt} },
			Refuses: func(f *engine.Refusal, c *E, id uint32) {
				f.Refers(db.core.groups.KnowsOr0(c.GroupID), "group_id")
				f.Refers(db.core.tiers.KnowsOr0(c.DefaultTierID), "default_tier_id")
				f.Unique(db.core.clients.byPublicID.Taken(c, id), "client_id")
			},
			Sort: engine.Columns[E]{
				"name":                   engine.Text(func(c *E) string { return c.Name }),
				"client_id":              engine.Text(func(c *E) string { return c.PublicID }),
				"has_own_payment_system": engine.Flag(func(c *E) bool { return c.OwnPaymentSystem }),
				"revenue_share":          func(a, b *E) int { return a.RevenueShare.Compare(b.RevenueShare) },
			},
		},
		engine.NewUnique(t, func(c *E) (string, bool) { return c.PublicID, true }),
		engine.NewGroups(t, func(c *E) (int64, bool) { return c.GroupID, c.GroupID != 0 }, nil),
	}
}

func (*clientTable) in(db *DB) *engine.Entities[affiliate.Client] { return &db.core.clients.Entities }

type (
	clientRepo = repo[affiliate.Client, *clientTable]
	clients    struct{ clientRepo }
)

var _ affiliate.ClientRepository = clients{}

func (r clients) ByPublicID(ctx context.Context, publicID string) (affiliate.Client, error) {
	return findBy(ctx, r.u, r.all(), r.u.db.core.clients.byPublicID, publicID, publicID)
}

func (r clients) List(ctx context.Context, f affiliate.ClientFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Client], error) {
	type E = affiliate.Client
	return r.list(ctx, p, func(w *engine.Where[E]) {
		w.Query(f.Query, func(c *E) int64 { return c.ID }, func(c *E) string { return c.Name }, r.tierNames)
		w.Among(f.IDs)
		engine.AmongIn(w, f.GroupIDs, r.u.db.core.clients.byGroup)
	})
}

func (r clients) tierNames(c *affiliate.Client) string {
	tiers := &r.u.db.core.tiers
	var names []string
	for _, id := range tiers.byClient.Of(c.ID) {
		names = append(names, tiers.At(id).Name)
	}
	return engine.Texts(names...)
}
