package storagetest

import (
	"context"
	"math"
	"strconv"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func groupScenarios() []scenario[coreStore] {
	return append(groups().scenarios(),
		scenario[coreStore]{"advertiser groups/get", testGroupGet},
		scenario[coreStore]{"advertiser groups/list", testGroupList},
	)
}

func groups() table[coreTx, affiliate.AdvertiserGroup] {
	type V = affiliate.AdvertiserGroup
	return table[coreTx, V]{
		name:   "advertiser groups",
		sample: func(w world, n int) V { return sampleGroup(n) },
		full: func(w world) V {
			return V{Name: "Sverige", Key: "sv_SE", Currency: "SEK", ReturnAdEnabled: true, PaymentLimit: math.MaxInt64, CreatedAt: at(1)}
		},
		add:    addGroup,
		fetch:  func(ctx context.Context, tx coreTx, v V) (V, error) { return tx.AdvertiserGroups().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx coreTx, v V) error { return tx.AdvertiserGroups().Update(ctx, v) },
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) {
			return tx.AdvertiserGroups().GetMany(ctx, ids)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"key", 1, 64, func(v *V) *string { return &v.Key }, false},
		},
		broken: []broken[V]{
			{"currency", "unknown_currency", func(v *V) { v.Currency = "eur" }},
			{"payment_limit", "negative", func(v *V) { v.PaymentLimit = -1 }},
		},
		unique: []uniqueText[V]{{field: "key", at: func(v *V) *string { return &v.Key }}},
	}
}

func addGroup(ctx context.Context, tx coreTx, v affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
	return tx.AdvertiserGroups().Add(ctx, v)
}

func testGroupGet(t *testing.T, s coreStore) {
	for _, id := range []int64{nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.AdvertiserGroups().Get(ctx, id)) })
	}
}

func testGroupList(t *testing.T, s coreStore) {
	type V = affiliate.AdvertiserGroup
	type F = affiliate.AdvertiserGroupFilter
	items := addAll(t, s, addGroup,
		V{Name: "same", Key: "b", Currency: "SEK", ReturnAdEnabled: true},
		V{Name: "Same", Key: "ä", Currency: "EUR"},
		V{Name: "same", Key: "B", Currency: "SEK"},
		V{Name: "_", Key: "a", Currency: "EUR", ReturnAdEnabled: true},
		V{Name: "é", Key: "e\u0301", Currency: "JPY"},
	)
	ids := func(i ...int) []int64 { return idsOf(items, func(v V) int64 { return v.ID }, i...) }
	groups := listing[coreTx, V, F]{
		items: items,
		label: func(v V) string { return v.Key },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.AdvertiserGroups().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{IDs: ids(4, 0)}, "b e\u0301"},
			{F{IDs: []int64{}}, ""},
			{F{ReturnAdEnabled: affiliate.Some(false)}, "ä B e\u0301"},
			{F{ReturnAdEnabled: affiliate.Some(true)}, "b a"},
		},
		columns: map[string]func(a, b V) int{
			"name":     byText(func(v V) string { return v.Name }),
			"key":      byText(func(v V) string { return v.Key }),
			"currency": byText(func(v V) string { return string(v.Currency) }),
		},
	}
	groups.check(t, s)
	groups.checkMany(t, s, addGroup, func(v V, n int) V {
		v.ID, v.Key = 0, v.Key+strconv.Itoa(n)
		return v
	})
}

// idsOf are the ids of some items, and one that nothing has.
func idsOf[V any](items []V, id func(V) int64, which ...int) []int64 {
	out := []int64{nowhere}
	for _, i := range which {
		out = append(out, id(items[i]))
	}
	return out
}
