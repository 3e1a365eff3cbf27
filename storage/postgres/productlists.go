package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
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

// ProductLists is the store of package productlists.
func (db *DB) ProductLists() productlists.Store { return productStore{db} }

type productStore struct{ db *DB }

func (s productStore) Read(ctx context.Context, fn func(context.Context, productlists.Tx) error) error {
	return s.db.run(ctx, readUnit, func(ctx context.Context, u *unit) error { return fn(ctx, productTx{coreTx{u}}) })
}

func (s productStore) Write(ctx context.Context, fn func(context.Context, productlists.Tx) error) error {
	return s.db.run(ctx, writeUnit, func(ctx context.Context, u *unit) error { return fn(ctx, productTx{coreTx{u}}) })
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

// productColumns is one array for each column, in the order of the table.
func productColumns(list []productlists.Product) []any {
	type P = productlists.Product
	return []any{
		column(list, func(p *P) string { return p.ID }),
		column(list, func(p *P) string { return p.Barcode }),
		column(list, func(p *P) string { return p.Name }),
		column(list, func(p *P) string { return p.Description }),
		column(list, func(p *P) string { return p.CommissionURL }),
		column(list, func(p *P) string { return p.DirectURL }),
		column(list, func(p *P) string { return p.ImageURL }),
		column(list, func(p *P) string { return string(p.RegularPrice.Currency()) }),
		column(list, func(p *P) int64 { return p.RegularPrice.Minor() }),
		column(list, func(p *P) int64 { return p.FinalPrice.Minor() }),
		column(list, func(p *P) string { return string(p.Availability) }),
		column(list, func(p *P) string { return p.SKU }),
		column(list, func(p *P) string { return p.Brand }),
		column(list, func(p *P) string { return p.Category }),
		column(list, func(p *P) int64 { return p.Network.ID }),
		column(list, func(p *P) string { return p.Network.Name }),
		column(list, func(p *P) string { return p.Network.LogoURL }),
		column(list, func(p *P) int64 { return p.Merchant.ID }),
		column(list, func(p *P) string { return p.Merchant.Name }),
		column(list, func(p *P) string { return p.Merchant.LogoURL }),
	}
}

// putProducts replaces only rows that differ: importing a feed again, most of
// which is as it was, writes little.
const putProducts = `INSERT INTO ? AS t
	SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
		?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[],
		?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[])
	ON CONFLICT (id) DO UPDATE SET (barcode, name, description, commission_url, direct_url, image_url, currency,
		regular_price, final_price, availability, sku, brand, category,
		network_id, network_name, network_logo_url, merchant_id, merchant_name, merchant_logo_url) =
		(excluded.barcode, excluded.name, excluded.description, excluded.commission_url, excluded.direct_url, excluded.image_url, excluded.currency,
		excluded.regular_price, excluded.final_price, excluded.availability, excluded.sku, excluded.brand, excluded.category,
		excluded.network_id, excluded.network_name, excluded.network_logo_url, excluded.merchant_id, excluded.merchant_name, excluded.merchant_logo_url)
	WHERE t IS DISTINCT FROM excluded`

func (r products) Put(ctx context.Context, list ...productlists.Product) error {
	return exec(ctx, r.u, "product", func(ctx context.Context) error {
		for i := range list {
			if err := list[i].Validate(); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			return nil
		}
		args := append([]any{r.u.name("affiliate_products")}, productColumns(lastOfEach(list))...)
		_, err := r.u.tx.ExecContext(ctx, putProducts, args...)
		return err
	})
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
