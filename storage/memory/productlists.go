package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// productTables are the tables of package productlists.
type productTables struct {
	lists    productListTable
	items    productItemTable
	products productTable
}

func newProductTables(db *DB) productTables {
	return productTables{newProductListTable(db), newProductItemTable(db), newProductTable(db)}
}

// ProductLists is the view for package productlists.
func (db *DB) ProductLists() productlists.Store {
	return view[productlists.Tx]{db, func(u *unit) productlists.Tx { return productTx{coreTx{u}} }}
}

// productTx is the transaction of package productlists.
type productTx struct{ coreTx }

var _ productlists.Tx = productTx{}

func (tx productTx) ProductLists() productlists.ListRepository     { return productLists(tx.coreTx) }
func (tx productTx) ProductListItems() productlists.ItemRepository { return productItems(tx.coreTx) }
func (tx productTx) Products() productlists.ProductRepository      { return products(tx.coreTx) }

// accountPair is a pair of metadata within an account: what lists are found by.
type accountPair struct {
	account string
	productlists.Pair
}

type productListTable struct {
	*engine.Table[productlists.List]
	byID      *engine.Unique[productlists.List, uuid.UUID]
	byAccount *engine.Groups[productlists.List, string]
	byPair    *engine.Tags[productlists.List, accountPair]
}

func newProductListTable(db *DB) productListTable {
	t := engine.NewTable[productlists.List](&db.store)
	return productListTable{t,
		engine.NewUnique(t, func(l *productlists.List) (uuid.UUID, bool) { return l.ID, true }),
		engine.NewGroups(t, func(l *productlists.List) (string, bool) { return l.AccountID, true }, nil),
		engine.NewTags(t, func(l *productlists.List) []accountPair {
			pairs := make([]accountPair, len(l.Metadata))
			for i, p := range l.Metadata {
				pairs[i] = accountPair{l.AccountID, p}
			}
			return pairs
		}),
	}
}

func copyProductList(_ uint32, l *productlists.List) productlists.List {
	c := *l
	c.Metadata = engine.Copied(l.Metadata)
	return c
}

func keptProductList(l productlists.List) productlists.List {
	l = copyProductList(0, &l)
	l.CreatedAt, l.Size = engine.Kept(l.CreatedAt), 0
	return l
}

type productLists struct{ u *unit }

func (r productLists) check(l productlists.List) error {
	var f engine.Refusal
	f.Unique(r.u.db.products.lists.byID.Taken(&l, 0), "id")
	return f.Err("product_list")
}

func (r productLists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.products.lists.Table, l, keptProductList, r.check, copyProductList)
}

func (r productLists) Get(ctx context.Context, id uuid.UUID) (productlists.List, error) {
	if err := r.u.Use(ctx); err != nil {
		return productlists.List{}, err
	}
	t := r.u.db.products.lists
	row, ok := t.byID.Find(id)
	if !ok {
		return productlists.List{}, affiliate.NotFound("product_list", id)
	}
	return copyProductList(row, t.At(row)), nil
}

func (r productLists) Delete(ctx context.Context, id uuid.UUID) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t, items := r.u.db.products.lists, r.u.db.products.items
	row, ok := t.byID.Find(id)
	if !ok {
		return r.u.Fail(affiliate.NotFound("product_list", id))
	}
	for {
		on := items.byList.Of(row)
		if len(on) == 0 {
			break
		}
		items.Delete(on[len(on)-1]) // from the end, which moves no others
	}
	t.Delete(row)
	return nil
}

func (r productLists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[productlists.List]{}, err
	}
	t := r.u.db.products.lists
	s := engine.Everything[productlists.List]()
	pairs := f.Metadata
	switch {
	case f.AccountID != "" && len(pairs) > 0:
		var ids []uint32
		fewest := 0
		for i, p := range pairs {
			if of := t.byPair.Of(accountPair{f.AccountID, p}); i == 0 || len(of) < len(ids) {
				ids, fewest = of, i
			}
		}
		s = engine.Only[productlists.List](ids)
		pairs = slices.Delete(slices.Clone(pairs), fewest, fewest+1)
	case f.AccountID != "":
		s = engine.Only[productlists.List](t.byAccount.Of(f.AccountID))
	}
	if len(pairs) > 0 {
		s.Keep = func(_ uint32, l *productlists.List) bool { return hasPairs(l, pairs) }
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, nil, copyProductList)
}

func hasPairs(l *productlists.List, pairs []productlists.Pair) bool {
	for _, p := range pairs {
		i, ok := slices.BinarySearchFunc(l.Metadata, p.Key, func(have productlists.Pair, key string) int { return cmp.Compare(have.Key, key) })
		if !ok || l.Metadata[i].Value != p.Value {
			return false
		}
	}
	return true
}

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
	list, ok := lists.byID.Find(listID)
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
	list, ok := r.u.db.products.lists.byID.Find(listID)
	if !ok {
		return nil, nil
	}
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
	list, _ := lists.byID.Find(listID) // it has items
	lists.Touch(list).Size -= len(rows)
	for _, row := range slices.Backward(rows) {
		t.Delete(row)
	}
	return nil
}

// rows are those of the products that are on the list, in its order.
func (r productItems) rows(listID uuid.UUID, productIDs []string) []uint32 {
	list, ok := r.u.db.products.lists.byID.Find(listID)
	if !ok {
		return nil
	}
	var rows []uint32
	for _, id := range productIDs {
		word, known := r.u.db.words.Find(id)
		if row, ok := r.u.db.products.items.byProduct.Find(productItemRow{list, word}); ok && known {
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
