package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// toldRejections is how many bad lines, and how many that are not taken as they are, of a feed are logged one by one.
const toldRejections = 20

// importProducts reads the product feed in a file into the product table. How it
// is written, its content says. Bad lines are logged and left out.
func importProducts(ctx context.Context, lists *productlists.Service, path string, full bool, log *slog.Logger) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	report, err := lists.Import(ctx, file, productlists.ImportOptions{
		Full: full,
		Progress: func(r productlists.ImportReport) {
			log.Info("importing products", "file", path, "imported", r.Imported, "rejected", r.Rejected)
		},
	})
	for _, r := range report.Rejections[:min(len(report.Rejections), toldRejections)] {
		log.Warn("line not imported", "file", path, "line", r.Line, "reason", r.Reason)
	}
	for _, r := range report.Notes[:min(len(report.Notes), toldRejections)] {
		log.Warn("line not imported as it is", "file", path, "line", r.Line, "reason", r.Reason)
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", path, err)
	}
	log.Info("imported products", "file", path, "lines", report.Lines, "imported", report.Imported, "rejected", report.Rejected,
		"noted", report.Noted, "vanished", report.Vanished)
	return nil
}

// loadDemoProducts adds the sample products that are not there.
func loadDemoProducts(ctx context.Context, store productlists.Store) error {
	return store.Write(ctx, func(ctx context.Context, tx productlists.Tx) error {
		all := demoProducts()
		ids := make([]string, len(all))
		for i, p := range all {
			ids[i] = p.ID
		}
		found, err := tx.Products().GetMany(ctx, ids)
		if err != nil {
			return err
		}
		there := make(map[string]bool, len(found))
		for _, p := range found {
			there[p.ID] = true
		}
		var missing []productlists.Product
		for _, p := range all {
			if !there[p.ID] {
				missing = append(missing, p)
			}
		}
		return tx.Products().Put(ctx, missing...)
	})
}

// demoProducts are the products 1001 to 1050, every third of them on sale.
func demoProducts() []productlists.Product {
	things := [...]struct{ name, brand, category string }{
		{"Thermostat", "Nordhem", "Home & Garden > Smart Home > Climate Control"},
		{"Security Camera", "Nordhem", "Home & Garden > Smart Home > Security"},
		{"Running Shoes", "Fjordlauf", "Sports > Running > Shoes"},
		{"Rain Jacket", "Fjordlauf", "Clothing > Outdoor > Jackets"},
		{"Espresso Machine", "Kaffi", "Kitchen > Coffee"},
	}
	var products []productlists.Product
	for n := 1001; n <= 1050; n++ {
		id, thing := strconv.Itoa(n), things[n%len(things)]
		p := productlists.Product{
			ID: id, Barcode: "735000" + id, Name: thing.name + " " + id, Description: thing.name + " by " + thing.brand + ", model " + id,
			CommissionURL: "https://click.network.example/click-17-" + id + "?url=:TARGET_URL_ENCODED&sub=:LIST_ID",
			DirectURL:     "https://acme.example/products/" + id, ImageURL: "https://acme.example/images/" + id + ".jpg",
			RegularPrice: affiliate.NewMoney(int64(n)*10+99, "USD"), FinalPrice: affiliate.NewMoney(int64(n)*10+99, "USD"),
			Availability: productlists.InStock, SKU: id, Brand: thing.brand, Category: thing.category,
			Network:  productlists.Party{ID: 5, Name: "Example Network", LogoURL: "https://network.example/logo.png"},
			Merchant: productlists.Party{ID: 1234, Name: "Acme", LogoURL: "https://acme.example/logo.png"},
		}
		if n%3 == 0 {
			p.FinalPrice = affiliate.NewMoney(int64(n)*8, "USD")
		}
		products = append(products, p)
	}
	return products
}
