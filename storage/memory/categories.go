package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type categoryTable struct {
	engine.Entities[affiliate.Category]
	byName *engine.Unique[affiliate.Category, string]
}

func newCategoryTable(db *DB) categoryTable {
	type E = affiliate.Category
	t := engine.NewTable[E](&db.store)
	return categoryTable{
		engine.Entities[E]{
			Table: t, Resource: "category",
			ID: func(c *E) *int64 { return &c.ID },
			Refuses: func(f *engine.Refusal, c *E, id uint32) {
				f.Unique(db.core.categories.byName.Taken(c, id), "name")
			},
		},
		engine.NewUnique(t, func(c *E) (string, bool) { return c.Name, true }),
	}
}

func (*categoryTable) in(db *DB) *engine.Entities[affiliate.Category] {
	return &db.core.categories.Entities
}

type (
	categoryRepo = repo[affiliate.Category, *categoryTable]
	categories   struct{ categoryRepo }
)

var _ affiliate.CategoryRepository = categories{}

func (r categories) All(ctx context.Context) ([]affiliate.Category, error) {
	t := &r.u.db.core.categories
	return r.rows(ctx, func() []uint32 { return t.Scan(0, t.Len()) })
}
