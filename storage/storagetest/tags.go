package storagetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func tagScenarios() []scenario[coreStore] {
	return append(tags().scenarios(), scenario[coreStore]{"user tags/list", testTagList})
}

func tags() table[coreTx, affiliate.UserTag] {
	type V = affiliate.UserTag
	return table[coreTx, V]{
		name:   "user tags",
		sample: func(w world, n int) V { return sampleTag(n) },
		full: func(w world) V {
			return V{AdvertiserID: w.advertisers[0].ID, Name: "Favourites", Slug: "favourites", AccessLevel: affiliate.AccessStore, CreatedAt: at(1)}
		},
		add: addTag,
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			return oneOf(tx.UserTags().GetMany(ctx, []int64{v.ID}))
		},
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) { return tx.UserTags().GetMany(ctx, ids) },
		id:      func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"slug", 1, 255, func(v *V) *string { return &v.Slug }, false},
		},
		broken: []broken[V]{
			{"access_level", "unknown_access_level", func(v *V) { v.AccessLevel = 3 }},
			{"store_id", "owner_mismatch", func(v *V) { v.AccessLevel = affiliate.AccessStore }},
		},
		references: []reference[V]{
			{"store_id", func(v *V, id int64) { v.AccessLevel, v.AdvertiserID = affiliate.AccessStore, id }},
		},
		unique: []uniqueText[V]{{
			field: "slug", at: func(v *V) *string { return &v.Slug },
			elsewhere: func(v *V, w world) {
				v.AccessLevel, v.AdvertiserID = affiliate.AccessStore, w.advertisers[1].ID
			},
		}},
	}
}

func addTag(ctx context.Context, tx coreTx, v affiliate.UserTag) (affiliate.UserTag, error) {
	return tx.UserTags().Add(ctx, v)
}

func testTagList(t *testing.T, s coreStore) {
	type V = affiliate.UserTag
	type F = affiliate.UserTagFilter
	shops := addAll(t, s, addAdvertiser, sampleAdvertiser(1), sampleAdvertiser(2), sampleAdvertiser(3))
	const admin, everyone, store = affiliate.AccessAdmin, affiliate.AccessAll, affiliate.AccessStore
	items := addAll(t, s, addTag,
		V{Name: "VIP", Slug: "m", AccessLevel: store, AdvertiserID: shops[1].ID},
		V{Name: "vip_", Slug: "z", AccessLevel: everyone},
		V{Name: "100%", Slug: "a", AccessLevel: admin},
		V{Name: "ärliga", Slug: "Z", AccessLevel: store, AdvertiserID: shops[0].ID},
		V{Name: "VIP", Slug: "é", AccessLevel: store, AdvertiserID: shops[1].ID},
		V{Name: `v\p`, Slug: "o", AccessLevel: store, AdvertiserID: shops[2].ID},
	)
	ids := func(i ...int) []int64 { return idsOf(items, func(v V) int64 { return v.ID }, i...) }
	filters := []filterRow[F]{
		{F{AdvertiserID: shops[1].ID}, "m é"},
		{F{AdvertiserID: nowhere}, ""},
		{F{AdvertiserIDs: []int64{shops[0].ID, shops[2].ID, nowhere}}, "z a Z o"},
		{F{AdvertiserIDs: []int64{}}, "z a"},
		{F{AccessLevels: []affiliate.AccessLevel{admin, everyone, admin}}, "z a"},
		{F{AccessLevels: []affiliate.AccessLevel{store}}, "m Z é o"},
		{F{AccessLevels: []affiliate.AccessLevel{}}, ""},
		{F{AccessLevels: []affiliate.AccessLevel{200}}, ""},
		{F{IDs: ids(1, 3, 0)}, "m z Z"},
		{F{IDs: []int64{}}, ""},
		{F{Name: "P_"}, "z"},
		{F{Name: "%"}, "a"},
		{F{Name: "100"}, "a"},
		{F{Name: `\`}, "o"},
		{F{Name: "Ä"}, "Z"},
		{F{Name: fmt.Sprint(items[0].ID) + "#"}, ""},
		{F{Name: "vip"}, "m z é"},
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Name: q}, ""})
	}
	listing[coreTx, V, F]{
		items: items,
		label: func(v V) string { return v.Slug },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.UserTags().List(ctx, f, p)
		},
		filters: filters,
		columns: map[string]func(a, b V) int{
			"name":         byText(func(v V) string { return v.Name }),
			"slug":         byText(func(v V) string { return v.Slug }),
			"access_level": byNumber(func(v V) int64 { return int64(v.AccessLevel) }),
			"store_id":     byNumber(func(v V) int64 { return v.AdvertiserID }),
		},
	}.check(t, s)
}
