package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// accountPair is a pair of metadata within an account: what lists are found by.
type accountPair struct {
	account string
	productlists.Pair
}

type productListTable struct {
	engine.Keyed[productlists.List, uuid.UUID]
	byAccount *engine.Groups[productlists.List, string]
	byPair    *engine.Tags[productlists.List, accountPair]
}

func newProductListTable(db *DB) productListTable {
	type E = productlists.List
	t := engine.NewTable[E](&db.store)
	return productListTable{
		engine.Keyed[E, uuid.UUID]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "product_list",
				Own: func(l E) E {
					l.Metadata = engine.Copied(l.Metadata)
					return l
				},
				Times: func(l *E) []*time.Time { return []*time.Time{&l.CreatedAt} },
				Refuses: func(f *engine.Refusal, l *E, id uint32) {
					f.Unique(db.products.lists.Key.Taken(l, id), "id")
				},
			},
			Key: engine.NewUnique(t, func(l *E) (uuid.UUID, bool) { return l.ID, true }),
		},
		engine.NewGroups(t, func(l *E) (string, bool) { return l.AccountID, true }, nil),
		engine.NewTags(t, func(l *E) []accountPair {
			pairs := make([]accountPair, len(l.Metadata))
			for i, p := range l.Metadata {
				pairs[i] = accountPair{l.AccountID, p}
			}
			return pairs
		}),
	}
}

func (*productListTable) in(db *DB) *engine.Keyed[productlists.List, uuid.UUID] {
	return &db.products.lists.Keyed
}

type (
	productListRepo = keyed[productlists.List, uuid.UUID, *productListTable]
	productLists    struct{ productListRepo }
)

var _ productlists.ListRepository = productLists{}

// Add keeps an empty list.
func (r productLists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	l.Size = 0
	return r.productListRepo.Add(ctx, l)
}

// Delete takes the items of the list along.
func (r productLists) Delete(ctx context.Context, id uuid.UUID) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	items := &r.u.db.products.items
	row, _ := r.all().Key.Find(id) // or 0, which has no items
	for on := items.byList.Of(row); len(on) > 0; on = items.byList.Of(row) {
		items.Delete(on[len(on)-1]) // from the end, which moves no others
	}
	return r.productListRepo.Delete(ctx, id)
}

func (r productLists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	t := &r.u.db.products.lists
	return r.list(ctx, p, func(w *engine.Where[productlists.List]) {
		engine.EqualIn(w, f.AccountID, t.byAccount)
		for _, pair := range f.Metadata {
			if f.AccountID != "" {
				engine.HasIn(w, accountPair{f.AccountID, pair}, t.byPair)
			} else {
				w.That(true, func(l *productlists.List) bool { return slices.Contains(l.Metadata, pair) })
			}
		}
	})
}
