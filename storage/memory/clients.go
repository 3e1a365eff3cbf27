package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type clientTable struct {
	*table[affiliate.Client]
	byPublicID *unique[affiliate.Client, string]
	byGroup    *groups[affiliate.Client, int64]
}

func newClientTable() clientTable {
	t := &table[affiliate.Client]{}
	return clientTable{t,
		newUnique(t, func(c *affiliate.Client) (string, bool) { return c.PublicID, true }),
		newGroups(t, func(c *affiliate.Client) (int64, bool) { return c.GroupID, c.GroupID != 0 }, nil),
	}
}

var clientColumns = columns[affiliate.Client]{
	"name":                   text(func(c *affiliate.Client) string { return c.Name }),
	"client_id":              text(func(c *affiliate.Client) string { return c.PublicID }),
	"has_own_payment_system": flag(func(c *affiliate.Client) bool { return c.OwnPaymentSystem }),
	"revenue_share":          func(a, b *affiliate.Client) int { return a.RevenueShare.Compare(b.RevenueShare) },
}

func copyClient(id uint32, c *affiliate.Client) affiliate.Client {
	out := *c
	out.ID = int64(id)
	return out
}

func keptClient(c affiliate.Client) affiliate.Client {
	c.CreatedAt = kept(c.CreatedAt)
	return c
}

type clients struct{ u *unit }

func (r clients) check(c affiliate.Client) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.groups.knowsOr0(c.GroupID), "group_id")
	f.refers(core.tiers.knowsOr0(c.DefaultTierID), "default_tier_id")
	f.frees(core.clients.byPublicID.taken(&c, uint32(c.ID)), "client_id")
	return f.err("client")
}

func (r clients) Add(ctx context.Context, c affiliate.Client) (affiliate.Client, error) {
	c.ID = 0
	return add(ctx, r.u, r.u.db.core.clients.table, c, keptClient, r.check, copyClient)
}

func (r clients) Get(ctx context.Context, id int64) (affiliate.Client, error) {
	return getRow(ctx, r.u, r.u.db.core.clients.table, "client", id, copyClient)
}

func (r clients) GetMany(ctx context.Context, ids []int64) ([]affiliate.Client, error) {
	return getRows(ctx, r.u, r.u.db.core.clients.table, ids, copyClient)
}

func (r clients) ByPublicID(ctx context.Context, publicID string) (affiliate.Client, error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Client{}, err
	}
	t := r.u.db.core.clients
	id, ok := t.byPublicID.find(publicID)
	if !ok {
		return affiliate.Client{}, affiliate.NotFound("client", publicID)
	}
	return copyClient(id, t.at(id)), nil
}

func (r clients) Update(ctx context.Context, c affiliate.Client) error {
	return update(ctx, r.u, r.u.db.core.clients.table, "client", c.ID, c, keptClient, r.check)
}

func (r clients) List(ctx context.Context, f affiliate.ClientFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Client], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[affiliate.Client]{}, err
	}
	t := r.u.db.core.clients
	s := everything[affiliate.Client]()
	switch {
	case f.IDs != nil:
		s = only[affiliate.Client](t.among(f.IDs))
	case f.GroupIDs != nil:
		s = only[affiliate.Client](byKeys(t.byGroup.of, f.GroupIDs))
	}
	if f.Query != "" || f.GroupIDs != nil {
		inGroup := setOf(f.GroupIDs)
		s.keep = func(id uint32, c *affiliate.Client) bool {
			return (f.GroupIDs == nil || inGroup[c.GroupID]) && (f.Query == "" || r.matches(id, c, f.Query))
		}
	}
	return page(r.u, t.table, s, p, clientColumns, copyClient)
}

func (r clients) matches(id uint32, c *affiliate.Client, query string) bool {
	if isID(query, id) || matches(c.Name, query) {
		return true
	}
	tiers := r.u.db.core.tiers
	for _, tier := range tiers.byClient.of(int64(id)) {
		if matches(tiers.at(tier).Name, query) {
			return true
		}
	}
	return false
}

// setOf has the positive ones of ids, so that 0, which is none, is never in it.
func setOf(ids []int64) map[int64]bool {
	set := make(map[int64]bool, len(ids))
	for _, id := range ids {
		if id > 0 {
			set[id] = true
		}
	}
	return set
}

type tierName struct {
	client int64
	name   string
}

type tierTable struct {
	*table[affiliate.RevenueTier]
	byName   *unique[affiliate.RevenueTier, tierName]
	byClient *groups[affiliate.RevenueTier, int64]
}

func newTierTable() tierTable {
	t := &table[affiliate.RevenueTier]{}
	return tierTable{t,
		newUnique(t, func(r *affiliate.RevenueTier) (tierName, bool) { return tierName{r.ClientID, r.Name}, true }),
		newGroups(t, func(r *affiliate.RevenueTier) (int64, bool) { return r.ClientID, true }, nil),
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
	var f refusal
	core := &r.u.db.core
	f.refers(core.clients.knows(t.ClientID), "client_id")
	f.frees(core.tiers.byName.taken(&t, 0), "name")
	return f.err("revenue_tier")
}

func (r revenueTiers) Add(ctx context.Context, t affiliate.RevenueTier) (affiliate.RevenueTier, error) {
	return add(ctx, r.u, r.u.db.core.tiers.table, t, keptTier, r.check, copyTier)
}

func (r revenueTiers) GetMany(ctx context.Context, ids []int64) ([]affiliate.RevenueTier, error) {
	return getRows(ctx, r.u, r.u.db.core.tiers.table, ids, copyTier)
}

func (r revenueTiers) ByClients(ctx context.Context, clientIDs []int64) ([]affiliate.RevenueTier, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.tiers
	return answer(t.table, byKeys(t.byClient.of, clientIDs), copyTier), nil
}
