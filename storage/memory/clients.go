package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type clientTable struct {
	*engine.Table[affiliate.Client]
	byPublicID *engine.Unique[affiliate.Client, string]
	byGroup    *engine.Groups[affiliate.Client, int64]
}

func newClientTable(db *DB) clientTable {
	t := engine.NewTable[affiliate.Client](&db.store)
	return clientTable{t,
		engine.NewUnique(t, func(c *affiliate.Client) (string, bool) { return c.PublicID, true }),
		engine.NewGroups(t, func(c *affiliate.Client) (int64, bool) { return c.GroupID, c.GroupID != 0 }, nil),
	}
}

var clientColumns = engine.Columns[affiliate.Client]{
	"name":                   engine.Text(func(c *affiliate.Client) string { return c.Name }),
	"client_id":              engine.Text(func(c *affiliate.Client) string { return c.PublicID }),
	"has_own_payment_system": engine.Flag(func(c *affiliate.Client) bool { return c.OwnPaymentSystem }),
	"revenue_share":          func(a, b *affiliate.Client) int { return a.RevenueShare.Compare(b.RevenueShare) },
}

func copyClient(id uint32, c *affiliate.Client) affiliate.Client {
	out := *c
	out.ID = int64(id)
	return out
}

func keptClient(c affiliate.Client) affiliate.Client {
	c.CreatedAt = engine.Kept(c.CreatedAt)
	return c
}

type clients struct{ u *unit }

func (r clients) check(c affiliate.Client) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.groups.KnowsOr0(c.GroupID), "group_id")
	f.Refers(core.tiers.KnowsOr0(c.DefaultTierID), "default_tier_id")
	f.Unique(core.clients.byPublicID.Taken(&c, uint32(c.ID)), "client_id")
	return f.Err("client")
}

func (r clients) Add(ctx context.Context, c affiliate.Client) (affiliate.Client, error) {
	c.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.clients.Table, c, keptClient, r.check, copyClient)
}

func (r clients) Get(ctx context.Context, id int64) (affiliate.Client, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.core.clients.Table, "client", id, copyClient)
}

func (r clients) GetMany(ctx context.Context, ids []int64) ([]affiliate.Client, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.clients.Table, ids, copyClient)
}

func (r clients) ByPublicID(ctx context.Context, publicID string) (affiliate.Client, error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Client{}, err
	}
	t := r.u.db.core.clients
	id, ok := t.byPublicID.Find(publicID)
	if !ok {
		return affiliate.Client{}, affiliate.NotFound("client", publicID)
	}
	return copyClient(id, t.At(id)), nil
}

func (r clients) Update(ctx context.Context, c affiliate.Client) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.core.clients.Table, "client", c.ID, c, keptClient, r.check)
}

func (r clients) List(ctx context.Context, f affiliate.ClientFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Client], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.Client]{}, err
	}
	t := r.u.db.core.clients
	s := engine.Everything[affiliate.Client]()
	switch {
	case f.IDs != nil:
		s = engine.Only[affiliate.Client](t.Among(f.IDs))
	case f.GroupIDs != nil:
		s = engine.Only[affiliate.Client](engine.ByKeys(t.byGroup.Of, f.GroupIDs))
	}
	if f.Query != "" || f.GroupIDs != nil {
		inGroup := engine.SetOf(f.GroupIDs)
		s.Keep = func(id uint32, c *affiliate.Client) bool {
			return (f.GroupIDs == nil || inGroup[c.GroupID]) && (f.Query == "" || r.matches(id, c, f.Query))
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, clientColumns, copyClient)
}

func (r clients) matches(id uint32, c *affiliate.Client, query string) bool {
	if engine.IsID(query, id) || engine.Matches(c.Name, query) {
		return true
	}
	tiers := r.u.db.core.tiers
	for _, tier := range tiers.byClient.Of(int64(id)) {
		if engine.Matches(tiers.At(tier).Name, query) {
			return true
		}
	}
	return false
}

type tierName struct {
	client int64
	name   string
}

type tierTable struct {
	*engine.Table[affiliate.RevenueTier]
	byName   *engine.Unique[affiliate.RevenueTier, tierName]
	byClient *engine.Groups[affiliate.RevenueTier, int64]
}

func newTierTable(db *DB) tierTable {
	t := engine.NewTable[affiliate.RevenueTier](&db.store)
	return tierTable{t,
		engine.NewUnique(t, func(r *affiliate.RevenueTier) (tierName, bool) { return tierName{r.ClientID, r.Name}, true }),
		engine.NewGroups(t, func(r *affiliate.RevenueTier) (int64, bool) { return r.ClientID, true }, nil),
	}
}

func copyTier(id uint32, t *affiliate.RevenueTier) affiliate.RevenueTier {
	c := *t
	c.ID = int64(id)
	return c
}

func keptTier(t affiliate.RevenueTier) affiliate.RevenueTier { return t }

type revenueTiers struct{ u *unit }

func (r revenueTiers) check(t affiliate.RevenueTier) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.clients.Knows(t.ClientID), "client_id")
	f.Unique(core.tiers.byName.Taken(&t, 0), "name")
	return f.Err("revenue_tier")
}

func (r revenueTiers) Add(ctx context.Context, t affiliate.RevenueTier) (affiliate.RevenueTier, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.tiers.Table, t, keptTier, r.check, copyTier)
}

func (r revenueTiers) GetMany(ctx context.Context, ids []int64) ([]affiliate.RevenueTier, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.tiers.Table, ids, copyTier)
}

func (r revenueTiers) ByClients(ctx context.Context, clientIDs []int64) ([]affiliate.RevenueTier, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.tiers
	return engine.Collect(t.Table, engine.ByKeys(t.byClient.Of, clientIDs), copyTier), nil
}
