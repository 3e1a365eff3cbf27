package storagetest

import (
	"context"
	"strconv"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func clientScenarios() []scenario[coreStore] {
	return append(append(clients().scenarios(), tiers().scenarios()...),
		scenario[coreStore]{"clients/found by id and public id", testClientLookups},
		scenario[coreStore]{"clients/list", testClientList},
		scenario[coreStore]{"revenue tiers/by clients", testTiersByClients},
	)
}

func clients() table[coreTx, affiliate.Client] {
	type V = affiliate.Client
	return table[coreTx, V]{
		name:   "clients",
		sample: func(w world, n int) V { return sampleClient(n) },
		full: func(w world) V {
			return V{
				GroupID: w.groups[2].ID, Name: "Network", PublicID: "network-1", SecretHash: hash(1), RevenueShare: rate("0.7"),
				OwnPaymentSystem: true, DefaultTierID: w.tiers[0].ID, CreatedAt: at(1),
			}
		},
		add:     addClient,
		fetch:   func(ctx context.Context, tx coreTx, v V) (V, error) { return tx.Clients().Get(ctx, v.ID) },
		update:  func(ctx context.Context, tx coreTx, v V) error { return tx.Clients().Update(ctx, v) },
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) { return tx.Clients().GetMany(ctx, ids) },
		id:      func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"client_id", 1, 64, func(v *V) *string { return &v.PublicID }, false},
		},
		references: []reference[V]{
			{"group_id", func(v *V, id int64) { v.GroupID = id }},
			{"default_tier_id", func(v *V, id int64) { v.DefaultTierID = id }},
		},
		unique: []uniqueText[V]{{field: "client_id", at: func(v *V) *string { return &v.PublicID }}},
	}
}

func addClient(ctx context.Context, tx coreTx, v affiliate.Client) (affiliate.Client, error) {
	return tx.Clients().Add(ctx, v)
}

func tiers() table[coreTx, affiliate.RevenueTier] {
	type V = affiliate.RevenueTier
	return table[coreTx, V]{
		name:   "revenue tiers",
		sample: func(w world, n int) V { return V{ClientID: w.clients[0].ID, Name: "tier " + strconv.Itoa(n)} },
		full:   func(w world) V { return V{ClientID: w.clients[1].ID, Name: "gold", Share: rate("0.000000001")} },
		add:    addTier,
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			return oneOf(tx.RevenueTiers().GetMany(ctx, []int64{v.ID}))
		},
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) {
			return tx.RevenueTiers().GetMany(ctx, ids)
		},
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"name", 1, 255, func(v *V) *string { return &v.Name }, false}},
		references: []reference[V]{
			{"client_id", func(v *V, id int64) { v.ClientID = id }},
			{"client_id", func(v *V, id int64) { v.ClientID = 0 }}, // not optional
		},
		unique: []uniqueText[V]{{
			field: "name", at: func(v *V) *string { return &v.Name },
			elsewhere: func(v *V, w world) { v.ClientID = w.clients[1].ID },
		}},
	}
}

func addTier(ctx context.Context, tx coreTx, v affiliate.RevenueTier) (affiliate.RevenueTier, error) {
	return tx.RevenueTiers().Add(ctx, v)
}

func testTiersByClients(t *testing.T, s coreStore) {
	w := newWorld(t, s)
	by := func(clientIDs []int64) []affiliate.RevenueTier {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.RevenueTier, error) {
			return tx.RevenueTiers().ByClients(ctx, clientIDs)
		})
	}
	equal(t, "of one", by([]int64{w.clients[0].ID}), w.tiers[:2])
	equal(t, "of all, in disorder", by([]int64{w.clients[1].ID, nowhere, w.clients[0].ID, w.clients[1].ID}), w.tiers[:])
	equal(t, "of one without", by([]int64{w.clients[2].ID}), []affiliate.RevenueTier(nil))
	equal(t, "of none", by([]int64{}), []affiliate.RevenueTier(nil))
	equal(t, "of nil", by(nil), []affiliate.RevenueTier(nil))
}

func testClientLookups(t *testing.T, s coreStore) {
	for _, id := range []int64{nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.Clients().Get(ctx, id)) })
	}
	c := put(t, s, func(ctx context.Context, tx coreTx) (affiliate.Client, error) {
		return tx.Clients().Add(ctx, affiliate.Client{Name: "a", PublicID: "Straße"})
	})
	equal(t, "by public id", see(t, s, func(ctx context.Context, tx coreTx) (affiliate.Client, error) {
		return tx.Clients().ByPublicID(ctx, "Straße")
	}), c)
	for _, id := range append(unkeepable(), "", "straße", "Strasse", "Stra", "%") {
		unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.Clients().ByPublicID(ctx, id)) })
	}
	c.PublicID = "moved"
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Clients().Update(ctx, c) })
	unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.Clients().ByPublicID(ctx, "Straße")) })
}

func testClientList(t *testing.T, s coreStore) {
	type V = affiliate.Client
	type F = affiliate.ClientFilter
	w := newWorldOfGroups(t, s)
	items := addAll(t, s, addClient,
		V{Name: "Nord", PublicID: "n", GroupID: w[0].ID, OwnPaymentSystem: true, RevenueShare: rate("0.1")},
		V{Name: "Acme", PublicID: "z", GroupID: w[1].ID, RevenueShare: rate("1")},
		V{Name: "Nord", PublicID: "A", OwnPaymentSystem: true, RevenueShare: rate("0.09")},
		V{Name: "b%", PublicID: "é", GroupID: w[0].ID},
		V{Name: "mid", PublicID: "m", GroupID: w[1].ID},
	)
	addAll(t, s, addTier,
		affiliate.RevenueTier{ClientID: items[1].ID, Name: "Gold"},
		affiliate.RevenueTier{ClientID: items[1].ID, Name: "old gold"},
		affiliate.RevenueTier{ClientID: items[4].ID, Name: "Marigold_"},
	)
	ids := func(i ...int) []int64 { return idsOf(items, func(v V) int64 { return v.ID }, i...) }
	filters := []filterRow[F]{
		{F{IDs: ids(3, 0)}, "n é"},
		{F{IDs: []int64{}}, ""},
		{F{GroupIDs: []int64{w[0].ID, nowhere}}, "n é"},
		{F{GroupIDs: []int64{w[1].ID, w[0].ID}}, "n z é m"},
		{F{GroupIDs: []int64{}}, ""},
		{F{GroupIDs: []int64{0}}, ""},
		{F{Query: strconv.FormatInt(items[2].ID, 10)}, "A"},
		{F{Query: "ord"}, "n A"},
		{F{Query: "GOLD"}, "z m"}, // each once, however many of its tiers match
		{F{Query: "d_"}, "m"},
		{F{Query: "%"}, "é"},
		{F{Query: "z"}, ""}, // the public id is not searched
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Query: q}, ""})
	}
	listing[coreTx, V, F]{
		items: items,
		label: func(v V) string { return v.PublicID },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Clients().List(ctx, f, p)
		},
		filters: filters,
		columns: map[string]func(a, b V) int{
			"name":      byText(func(v V) string { return v.Name }),
			"client_id": byText(func(v V) string { return v.PublicID }),
			"has_own_payment_system": byNumber(func(v V) int64 {
				if v.OwnPaymentSystem {
					return 1
				}
				return 0
			}),
			"revenue_share": func(a, b V) int { return a.RevenueShare.Compare(b.RevenueShare) },
		},
	}.check(t, s)
}

// newWorldOfGroups keeps two groups and nothing else, for lists that must not
// show the rest of a world.
func newWorldOfGroups(t *testing.T, s coreStore) []affiliate.AdvertiserGroup {
	t.Helper()
	return addAll(t, s, addGroup, sampleGroup(1), sampleGroup(2))
}
