package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

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

type products struct {
	repo[productlists.Product, productRow]
}

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
// row twice.
func lastOfEach(list []productlists.Product) []productlists.Product {
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	out := make([]productlists.Product, 0, len(at))
	for i := range list {
		if at[list[i].ID] == i {
			out = append(out, list[i])
		}
	}
	return out
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	return r.many(ctx, func(q filter) { q.amongTexts("t.id", ids) })
}

func (r products) Scan(ctx context.Context, after string, limit int) ([]productlists.Product, error) {
	return productTable.many(ctx, r.u, func(q filter) {
		q.none(limit <= 0)
		q.holding("t.id > ?", after)
		q.Limit(int64(limit))
	})
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
