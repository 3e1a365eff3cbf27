package storagetest

import (
	"context"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func categoryScenarios() []scenario[coreStore] {
	return append(categories().scenarios(), scenario[coreStore]{"categories/all", testCategoryAll})
}

func categories() table[coreTx, affiliate.Category] {
	type V = affiliate.Category
	return table[coreTx, V]{
		name:   "categories",
		sample: func(w world, n int) V { return sampleCategory(n) },
		full:   func(w world) V { return V{Name: "Food"} },
		add:    func(ctx context.Context, tx coreTx, v V) (V, error) { return tx.Categories().Add(ctx, v) },
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			return oneOf(tx.Categories().GetMany(ctx, []int64{v.ID}))
		},
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) {
			return tx.Categories().GetMany(ctx, ids)
		},
		id:     func(v *V) *int64 { return &v.ID },
		texts:  []text[V]{{"name", 1, 255, func(v *V) *string { return &v.Name }, false}},
		unique: []uniqueText[V]{{field: "name", at: func(v *V) *string { return &v.Name }}},
	}
}

func testCategoryAll(t *testing.T, s coreStore) {
	everyone := func(ctx context.Context, tx coreTx) ([]affiliate.Category, error) { return tx.Categories().All(ctx) }
	equal(t, "all of none", see(t, s, everyone), []affiliate.Category(nil))
	kept := addAll(t, s, categories().add, affiliate.Category{Name: "b"}, affiliate.Category{Name: "a"}, affiliate.Category{Name: "c"})
	equal(t, "all", see(t, s, everyone), kept)
}
