package postgres

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type categoryRow struct {
	bun.BaseModel `bun:"table:affiliate_categories,alias:t"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Name string `bun:"name"`
}

var categoryTable = table[affiliate.Category, categoryRow]{
	name: "affiliate_categories", resource: "category",
	row:    func(c affiliate.Category) categoryRow { return categoryRow{ID: c.ID, Name: c.Name} },
	entity: func(r categoryRow) affiliate.Category { return affiliate.Category{ID: r.ID, Name: r.Name} },
}

type categories struct {
	repo[affiliate.Category, categoryRow]
}

func (r categories) All(ctx context.Context) ([]affiliate.Category, error) {
	return r.many(ctx, func(filter) {})
}
