package memory

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// productItemRow is a product on a list: rows are in the order of their ids.
type productItemRow struct {
	list    uint32 // a row of the lists
	product uint32 // a word
}

type productItemTable struct {
	*engine.Table[productItemRow]
	byProduct *engine.Unique[productItemRow, productItemRow]
	byList    *engine.Groups[productItemRow, uint32]
}

func newProductItemTable(db *DB) productItemTable {
	t := engine.NewTable[productItemRow](&db.store)
	return productItemTable{t,
		engine.NewUnique(t, func(i *productItemRow) (productItemRow, bool) { return *i, true }),
		engine.NewGroups(t, func(i *productItemRow) (uint32, bool) { return i.list, true }, nil),
	}
}

type productItems struct{ u *unit }

func (r productItems) Append(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := productlists.ValidateProductIDs(productIDs); err != nil {
		return r.u.Fail(err)
	}
	lists, t := r.u.db.products.lists, r.u.db.products.items
	list, ok := lists.Key.Find(listID)
	if !ok {
		return r.u.Fail(affiliate.NotFound("product_list", listID))
	}
	lists.Touch(list).Size += len(productIDs)
	for _, id := range productIDs {
		row := productItemRow{list, r.u.db.words.Number(id)}
		var f engine.Refusal
		f.Unique(t.byProduct.Taken(&row, 0), "product_ids")
		if err := f.Err("product_list"); err != nil {
			return r.u.Fail(err)
		}
		if _, err := t.Insert(row); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r productItems) All(ctx context.Context, listID uuid.UUID) ([]string, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	list, _ := r.u.db.products.lists.Key.Find(listID) // or 0, which has no items
	return r.ids(r.u.db.products.items.byList.Of(list)), nil
}

func (r productItems) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	return r.ids(r.rows(listID, productIDs)), nil
}

func (r productItems) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	rows := r.rows(listID, productIDs)
	if len(rows) == 0 {
		return nil
	}
	lists, t := r.u.db.products.lists, r.u.db.products.items
	list, _ := lists.Key.Find(listID) // it has items
	lists.Touch(list).Size -= len(rows)
	for _, row := range slices.Backward(rows) {
		t.Delete(row)
	}
	return nil
}

// rows are those of the products that are on the list, in its order.
func (r productItems) rows(listID uuid.UUID, productIDs []string) []uint32 {
	list, _ := r.u.db.products.lists.Key.Find(listID)
	var rows []uint32
	for _, id := range productIDs {
		word, _ := r.u.db.words.Find(id) // neither 0 is in an item
		if row, ok := r.u.db.products.items.byProduct.Find(productItemRow{list, word}); ok {
			rows = append(rows, row)
		}
	}
	return engine.Sorted(rows)
}

func (r productItems) ids(rows []uint32) []string {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = r.u.db.words.Text(r.u.db.products.items.At(row).product)
	}
	return ids
}
