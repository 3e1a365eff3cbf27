package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type productTable struct {
	*engine.Table[productlists.Product]
	byID *engine.Unique[productlists.Product, string]
}

func newProductTable(db *DB) productTable {
	t := engine.NewTable[productlists.Product](&db.store)
	return productTable{t, engine.NewUnique(t, func(p *productlists.Product) (string, bool) { return p.ID, true })}
}

type products struct{ u *unit }

func (r products) Put(ctx context.Context, list ...productlists.Product) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	t := r.u.db.products.products
	for i := range list {
		id, there := t.byID.Find(list[i].ID)
		switch {
		case there && *t.At(id) == list[i]:
		case there:
			t.Replace(id, r.kept(list[i]))
		default:
			if _, err := t.Insert(r.kept(list[i])); err != nil {
				return r.u.Fail(err)
			}
		}
	}
	return nil
}

// kept is the product with the texts that come again and again kept once.
func (r products) kept(p productlists.Product) productlists.Product {
	for _, s := range []*string{
		&p.Brand, &p.Category, &p.CommissionURL, &p.Network.Name, &p.Network.LogoURL, &p.Merchant.Name, &p.Merchant.LogoURL,
	} {
		*s = r.u.db.words.Text(r.u.db.words.Number(*s))
	}
	return p
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.products.products
	list := engine.Collect(t.Table, r.rows(ids), func(_ uint32, p *productlists.Product) productlists.Product { return *p })
	slices.SortFunc(list, func(a, b productlists.Product) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Scan looks at all products: there is no order of ids, which only full imports
// ask for.
func (r products) Scan(ctx context.Context, after string, limit int) ([]productlists.Product, error) {
	if err := r.u.Use(ctx); err != nil || limit <= 0 {
		return nil, err
	}
	var rows []uint32
	t := r.u.db.products.products
	keep := func() {
		slices.SortFunc(rows, func(a, b uint32) int { return cmp.Compare(t.At(a).ID, t.At(b).ID) })
		rows = rows[:min(len(rows), limit)]
	}
	t.Each(0, func(row uint32) bool {
		if t.At(row).ID > after {
			if rows = append(rows, row); len(rows) >= 2*limit {
				keep()
			}
		}
		return true
	})
	keep()
	var list []productlists.Product
	for _, row := range rows {
		list = append(list, *t.At(row))
	}
	return list, nil
}

func (r products) Delete(ctx context.Context, ids []string) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	rows := r.rows(ids)
	for _, row := range rows {
		r.u.db.products.products.Delete(row)
	}
	return len(rows), nil
}

// rows are those of the products that are there, each once.
func (r products) rows(ids []string) []uint32 {
	var rows []uint32
	for _, id := range ids {
		if row, ok := r.u.db.products.products.byID.Find(id); ok {
			rows = append(rows, row)
		}
	}
	return engine.Sorted(rows)
}
