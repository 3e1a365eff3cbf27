package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

var (
	_ productlists.ListRepository    = productLists{}
	_ productlists.ItemRepository    = productItems{}
	_ productlists.ProductRepository = products{}
)

// ProductLists returns the store of package productlists.
func (db *DB) ProductLists() productlists.Store {
	return view[productlists.Tx]{db, func(u *unit) productlists.Tx { return productTx{coreTx{u}} }}
}

// productTx gives the repositories of product lists beside those of the core.
type productTx struct{ coreTx }

func (t productTx) ProductLists() productlists.ListRepository     { return productLists(t.coreTx) }
func (t productTx) ProductListItems() productlists.ItemRepository { return productItems(t.coreTx) }
func (t productTx) Products() productlists.ProductRepository      { return products(t.coreTx) }

type productListRow struct {
	bun.BaseModel `bun:"table:affiliate_product_lists,alias:t"`

	ID              int64     `bun:"id,pk,autoincrement"`
	PublicID        uuid.UUID `bun:"public_id"`
	AccountID       string    `bun:"account_id"`
	Name            string    `bun:"name"`
	Metadata        metadata  `bun:"metadata"`
	PoolID          *int64    `bun:"pool_id"`
	OwnerIdentifier string    `bun:"owner_identifier"`
	Size            int       `bun:"size"`
	Appended        int       `bun:"appended"`
	CreatedAt       time.Time `bun:"created_at,nullzero"`
}

var productListTable = table[productlists.List, productListRow]{
	name: "affiliate_product_lists", resource: "product_list",
	row: newProductListRow, entity: productListRow.list,
}

func newProductListRow(l productlists.List) productListRow {
	row := productListRow{
		PublicID: l.ID, AccountID: l.AccountID, Name: l.Name, Metadata: metadata{l.AccountID, l.Metadata},
		OwnerIdentifier: l.OwnerIdentifier, CreatedAt: stamp(l.CreatedAt),
	}
	if l.PoolID.Set {
		row.PoolID = &l.PoolID.Value
	}
	return row
}

func (r productListRow) list() productlists.List {
	l := productlists.List{
		ID: r.PublicID, AccountID: r.AccountID, Name: r.Name, Metadata: r.Metadata.pairs, OwnerIdentifier: r.OwnerIdentifier,
		Size: r.Size, CreatedAt: utc(r.CreatedAt),
	}
	if r.PoolID != nil {
		l.PoolID = affiliate.Some(*r.PoolID)
	}
	return l
}

// metadata keeps pairs as {account: {key: value}}, and is what they are asked
// for by.
type metadata struct {
	account string
	pairs   []productlists.Pair
}

func (m metadata) String() string {
	b, _ := json.Marshal(map[string]json.RawMessage{m.account: pairsJSON(m.pairs)}) // strings always marshal
	return string(b)
}

func pairsJSON(pairs []productlists.Pair) json.RawMessage {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		values[p.Key] = p.Value
	}
	b, _ := json.Marshal(values) // strings always marshal
	return b
}

// Value is for the driver.
func (m metadata) Value() (driver.Value, error) { return m.String(), nil }

// Scan is for the driver.
func (m *metadata) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var accounts map[string]map[string]string
	if err := json.Unmarshal([]byte(text), &accounts); err != nil {
		return fmt.Errorf("%w: metadata: %w", errCorrupt, err)
	}
	for account, values := range accounts {
		*m = metadata{account, noneAsNil(productlists.MetadataOf(values))}
	}
	return nil
}

type productLists struct{ u *unit }

func (r productLists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	return productListTable.add(ctx, r.u, l)
}

func (r productLists) Get(ctx context.Context, id uuid.UUID) (productlists.List, error) {
	return productListTable.one(ctx, r.u, id, func(q filter) { q.Where("t.public_id = ?", id) })
}

func (r productLists) Delete(ctx context.Context, id uuid.UUID) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE public_id = ?`, r.u.name("affiliate_product_lists"), id)
		return foundOne(res, err, "product_list", id)
	})
}

func (r productLists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return productListTable.list(ctx, r.u, p, func(q filter) {
		q.text("t.account_id", f.AccountID)
		if len(f.Metadata) == 0 {
			return
		}
		switch {
		case !satisfiable(f.Metadata):
			q.none(true)
		case f.AccountID == "":
			q.Where("t.metadata -> t.account_id @> ?::jsonb", string(pairsJSON(f.Metadata)))
		case storable(f.AccountID):
			q.Where("t.metadata @> ?::jsonb", metadata{f.AccountID, f.Metadata}.String())
		}
	})
}

// satisfiable reports whether a list may have all of the pairs: no text that
// cannot be kept, and no key with two values.
func satisfiable(pairs []productlists.Pair) bool {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		if other, twice := values[p.Key]; twice && other != p.Value || !storable(p.Key) || !storable(p.Value) {
			return false
		}
		values[p.Key] = p.Value
	}
	return true
}

type productItems struct{ u *unit }

func (r productItems) Append(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		if err := productlists.ValidateProductIDs(productIDs); err != nil {
			return err
		}
		var list struct {
			ID       int64 `bun:"id"`
			Appended int   `bun:"appended"`
		}
		n := len(productIDs)
		err := r.u.tx.NewRaw(`UPDATE ? SET size = size + ?, appended = appended + ? WHERE public_id = ? RETURNING id, appended`,
			r.u.name("affiliate_product_lists"), n, n, listID).Scan(ctx, &list)
		if errors.Is(err, sql.ErrNoRows) {
			return affiliate.NotFound("product_list", listID)
		}
		if err != nil || n == 0 {
			return err
		}
		_, err = r.u.tx.ExecContext(ctx, `INSERT INTO ? (list_id, position, product_id)
			SELECT ?, ? + n, product_id FROM unnest(?::text[]) WITH ORDINALITY AS new (product_id, n)`,
			r.u.name("affiliate_product_list_items"), list.ID, list.Appended-n, pgdialect.Array(productIDs))
		return err
	})
}

func (r productItems) All(ctx context.Context, listID uuid.UUID) ([]string, error) {
	return r.ids(ctx, listID, func(*bun.SelectQuery) {})
}

func (r productItems) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	return r.ids(ctx, listID, func(q *bun.SelectQuery) { filter{q}.amongTexts("t.product_id", productIDs) })
}

func (r productItems) ids(ctx context.Context, listID uuid.UUID, where func(*bun.SelectQuery)) ([]string, error) {
	return read(ctx, r.u, "product_list", func(ctx context.Context) ([]string, error) {
		var ids []string
		q := r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_product_list_items")).ColumnExpr("t.product_id").
			Where("t.list_id = (SELECT id FROM ? WHERE public_id = ?)", r.u.name("affiliate_product_lists"), listID)
		where(q)
		if err := q.OrderExpr("t.position").Scan(ctx, &ids); err != nil {
			return nil, err
		}
		return noneAsNil(ids), nil
	})
}

func (r productItems) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `WITH gone AS (
				DELETE FROM ? WHERE list_id = (SELECT id FROM ? WHERE public_id = ?) AND product_id = ANY(?::text[]) RETURNING 1
			) UPDATE ? SET size = size - (SELECT count(*) FROM gone) WHERE public_id = ? AND EXISTS (SELECT FROM gone)`,
			r.u.name("affiliate_product_list_items"), r.u.name("affiliate_product_lists"), listID, pgdialect.Array(storableOf(productIDs)),
			r.u.name("affiliate_product_lists"), listID)
		return err
	})
}

type productRow struct {
	bun.BaseModel `bun:"table:affiliate_products,alias:t"`

	ID              string                    `bun:"id,pk"`
	Barcode         string                    `bun:"barcode"`
	Name            string                    `bun:"name"`
	Description     string                    `bun:"description"`
	CommissionURL   string                    `bun:"commission_url"`
	DirectURL       string                    `bun:"direct_url"`
	ImageURL        string                    `bun:"image_url"`
	Currency        affiliate.Currency        `bun:"currency"`
	RegularPrice    int64                     `bun:"regular_price"`
	FinalPrice      int64                     `bun:"final_price"`
	Availability    productlists.Availability `bun:"availability"`
	SKU             string                    `bun:"sku"`
	Brand           string                    `bun:"brand"`
	Category        string                    `bun:"category"`
	NetworkID       int64                     `bun:"network_id"`
	NetworkName     string                    `bun:"network_name"`
	NetworkLogoURL  string                    `bun:"network_logo_url"`
	MerchantID      int64                     `bun:"merchant_id"`
	MerchantName    string                    `bun:"merchant_name"`
	MerchantLogoURL string                    `bun:"merchant_logo_url"`
}

var productTable = table[productlists.Product, productRow]{
	name: "affiliate_products", resource: "product", entity: productRow.product,
}

func (r productRow) product() productlists.Product {
	return productlists.Product{
		ID: r.ID, Barcode: r.Barcode, Name: r.Name, Description: r.Description,
		CommissionURL: r.CommissionURL, DirectURL: r.DirectURL, ImageURL: r.ImageURL,
		RegularPrice: affiliate.NewMoney(r.RegularPrice, r.Currency), FinalPrice: affiliate.NewMoney(r.FinalPrice, r.Currency),
		Availability: r.Availability, SKU: r.SKU, Brand: r.Brand, Category: r.Category,
		Network:  productlists.Party{ID: r.NetworkID, Name: r.NetworkName, LogoURL: r.NetworkLogoURL},
		Merchant: productlists.Party{ID: r.MerchantID, Name: r.MerchantName, LogoURL: r.MerchantLogoURL},
	}
}

type products struct{ u *unit }

// productColumns are the columns of the table, each with the field that is in it.
var productColumns = []struct {
	name  string
	text  func(*productlists.Product) string
	count func(*productlists.Product) int64 // instead of text
}{
	{"id", func(p *productlists.Product) string { return p.ID }, nil},
	{"barcode", func(p *productlists.Product) string { return p.Barcode }, nil},
	{"name", func(p *productlists.Product) string { return p.Name }, nil},
	{"description", func(p *productlists.Product) string { return p.Description }, nil},
	{"commission_url", func(p *productlists.Product) string { return p.CommissionURL }, nil},
	{"direct_url", func(p *productlists.Product) string { return p.DirectURL }, nil},
	{"image_url", func(p *productlists.Product) string { return p.ImageURL }, nil},
	{"currency", func(p *productlists.Product) string { return string(p.RegularPrice.Currency()) }, nil},
	{"regular_price", nil, func(p *productlists.Product) int64 { return p.RegularPrice.Minor() }},
	{"final_price", nil, func(p *productlists.Product) int64 { return p.FinalPrice.Minor() }},
	{"availability", func(p *productlists.Product) string { return string(p.Availability) }, nil},
	{"sku", func(p *productlists.Product) string { return p.SKU }, nil},
	{"brand", func(p *productlists.Product) string { return p.Brand }, nil},
	{"category", func(p *productlists.Product) string { return p.Category }, nil},
	{"network_id", nil, func(p *productlists.Product) int64 { return p.Network.ID }},
	{"network_name", func(p *productlists.Product) string { return p.Network.Name }, nil},
	{"network_logo_url", func(p *productlists.Product) string { return p.Network.LogoURL }, nil},
	{"merchant_id", nil, func(p *productlists.Product) int64 { return p.Merchant.ID }},
	{"merchant_name", func(p *productlists.Product) string { return p.Merchant.Name }, nil},
	{"merchant_logo_url", func(p *productlists.Product) string { return p.Merchant.LogoURL }, nil},
}

// putProducts is the statement that puts the rows of source, in the order of
// the columns. It replaces only rows that differ: importing a feed again, most
// of which is as it was, writes little.
func putProducts(table, source string) string {
	var names, excluded []string
	for _, c := range productColumns {
		names = append(names, c.name)
		excluded = append(excluded, "excluded."+c.name)
	}
	all := strings.Join(names, ", ")
	return `INSERT INTO ` + table + ` AS t (` + all + `) SELECT ` + all + ` FROM ` + source + `
		ON CONFLICT (id) DO UPDATE SET (` + all + `) = (` + strings.Join(excluded, ", ") + `)
		WHERE t IS DISTINCT FROM excluded`
}

// manyProducts is from how many on COPY is worth its four statements.
const manyProducts = 500

func (r products) Put(ctx context.Context, list ...productlists.Product) error {
	return exec(ctx, r.u, "product", func(ctx context.Context) error {
		for i := range list {
			if err := list[i].Validate(); err != nil {
				return err
			}
		}
		list := lastOfEach(list)
		if len(list) >= manyProducts {
			if done, err := r.copy(ctx, list); done || err != nil {
				return err
			}
		}
		if len(list) == 0 {
			return nil
		}
		return r.unnest(ctx, list)
	})
}

// copy puts many products; it reports false when there is no COPY.
func (r products) copy(ctx context.Context, list []productlists.Product) (bool, error) {
	const table, staging = "affiliate_products", "affiliate_products_feed"
	names := make([]string, len(productColumns))
	for i, c := range productColumns {
		names[i] = c.name
	}
	row := make([]any, len(productColumns))
	rows := pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		for n, c := range productColumns {
			if c.text != nil {
				row[n] = c.text(&list[i])
			} else {
				row[n] = c.count(&list[i])
			}
		}
		return row, nil
	})
	return r.u.copyUpsert(ctx, table, staging, names, rows, putProducts(r.u.db.prefix+table, "pg_temp."+staging))
}

// unnest puts products by one array for each column.
func (r products) unnest(ctx context.Context, list []productlists.Product) error {
	names, types, arrays := make([]string, len(productColumns)), make([]string, len(productColumns)), make([]any, len(productColumns))
	for i, c := range productColumns {
		if names[i] = c.name; c.text != nil {
			types[i], arrays[i] = "?::text[]", column(list, c.text)
		} else {
			types[i], arrays[i] = "?::bigint[]", column(list, c.count)
		}
	}
	source := "unnest(" + strings.Join(types, ", ") + ") AS new (" + strings.Join(names, ", ") + ")"
	_, err := r.u.tx.ExecContext(ctx, putProducts(r.u.db.prefix+"affiliate_products", source), arrays...)
	return err
}

// lastOfEach leaves of products with one id the last: a statement replaces no
// row twice. The list is returned as it is when there are none such.
func lastOfEach(list []productlists.Product) []productlists.Product {
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	if len(at) == len(list) {
		return list
	}
	var out []productlists.Product
	for i := range list {
		if at[list[i].ID] == i {
			out = append(out, list[i])
		}
	}
	return out
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	return productTable.many(ctx, r.u, func(q filter) { q.amongTexts("t.id", ids) })
}

func (r products) Delete(ctx context.Context, ids []string) (int, error) {
	return change(ctx, r.u, "product", func(ctx context.Context) (int, error) {
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ANY(?::text[])`,
			r.u.name("affiliate_products"), pgdialect.Array(storableOf(ids)))
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}
