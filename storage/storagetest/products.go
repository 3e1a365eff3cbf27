package storagetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

func sampleProduct(n int) productlists.Product {
	return productlists.Product{
		ID: fmt.Sprintf("p%03d", n), Name: "product", DirectURL: "https://shop.example/", Availability: productlists.InStock,
		RegularPrice: eur(1), FinalPrice: eur(1),
	}
}

func productTable() table[listsTx, productlists.Product] {
	type V = productlists.Product
	return table[listsTx, V]{
		name:   "products",
		sample: func(_ world, n int) V { return sampleProduct(n) },
		full: func(world) V {
			return V{
				ID: "1234567890123456789", Barcode: "0012345", Name: "Thermostat", Description: "Wi-Fi", CommissionURL: "https://n.example/?u=:TARGET_URL_ENCODED",
				DirectURL: "https://shop.example/t", ImageURL: "http://shop.example/t.jpg", RegularPrice: affiliate.NewMoney(12999, "USD"),
				FinalPrice: affiliate.NewMoney(9999, "USD"), Availability: productlists.Backorder, SKU: "A-1", Brand: "Home", Category: "Home > Climate",
				Network:  productlists.Party{ID: 5, Name: "Network", LogoURL: "https://n.example/l.png"},
				Merchant: productlists.Party{ID: 1234, Name: "Store", LogoURL: "https://m.example/l.png"},
			}
		},
		add: func(ctx context.Context, tx listsTx, v V) (V, error) {
			if err := tx.Products().Put(ctx, v); err != nil {
				return V{}, err
			}
			return oneOf(tx.Products().GetMany(ctx, []string{v.ID}))
		},
		fetch: func(ctx context.Context, tx listsTx, v V) (V, error) {
			return oneOf(tx.Products().GetMany(ctx, []string{v.ID}))
		},
		texts: []text[V]{
			{"name", 1, 1000, func(v *V) *string { return &v.Name }, false},
			{"description", 0, 20_000, func(v *V) *string { return &v.Description }, false},
			{"sku", 0, 255, func(v *V) *string { return &v.SKU }, false},
			{"brand", 0, 255, func(v *V) *string { return &v.Brand }, false},
			{"category", 0, 1000, func(v *V) *string { return &v.Category }, false},
			{"network.name", 0, 255, func(v *V) *string { return &v.Network.Name }, false},
			{"merchant.name", 0, 255, func(v *V) *string { return &v.Merchant.Name }, false},
			{"id", 1, productlists.MaxProductID, func(v *V) *string { return &v.ID }, true},
			{"direct_url", 1, productlists.MaxURLBytes, func(v *V) *string { return &v.DirectURL }, true},
			{"image_url", 0, productlists.MaxURLBytes, func(v *V) *string { return &v.ImageURL }, true},
		},
		broken: []broken[V]{
			{"barcode", "invalid_barcode", func(v *V) { v.Barcode = "12x" }},
			{"barcode", "invalid_barcode", func(v *V) { v.Barcode = strings.Repeat("1", 19) }},
			{"direct_url", "not_a_url", func(v *V) { v.DirectURL = "javascript:alert(1)" }},
			{"image_url", "not_a_url", func(v *V) { v.ImageURL = "https://" }},
			{"commission_url", "not_a_url", func(v *V) { v.CommissionURL = "https://:TARGET_URL" }},
			{"currency", "unknown_currency", func(v *V) { v.RegularPrice = affiliate.NewMoney(1, "XXX") }},
			{"final_price", "currency_mismatch", func(v *V) { v.FinalPrice = affiliate.NewMoney(1, "SEK") }},
			{"regular_price", "out_of_range", func(v *V) { v.RegularPrice = eur(-1) }},
			{"final_price", "out_of_range", func(v *V) { v.FinalPrice = eur(-1) }},
			{"availability", "unknown_availability", func(v *V) { v.Availability = "in stock" }},
			{"network.id", "out_of_range", func(v *V) { v.Network.ID = -1 }},
			{"merchant.logo_url", "not_a_url", func(v *V) { v.Merchant.LogoURL = "logo.png" }},
		},
	}
}

func getProducts(ids ...string) func(ctx context.Context, tx listsTx) ([]productlists.Product, error) {
	return func(ctx context.Context, tx listsTx) ([]productlists.Product, error) {
		return tx.Products().GetMany(ctx, ids)
	}
}

func testScanProducts(t *testing.T, s listsStore) {
	scan := func(after string, limit int) []productlists.Product {
		return see(t, s, func(ctx context.Context, tx listsTx) ([]productlists.Product, error) {
			return tx.Products().Scan(ctx, after, limit)
		})
	}
	equal(t, "of none", len(scan("", 10)), 0)
	var all []productlists.Product
	for _, id := range []string{"1", "10", "2", "B", "a", "ä"} { // by their bytes
		p := sampleProduct(1)
		p.ID = id
		all = append(all, p)
	}
	write(t, s, func(ctx context.Context, tx listsTx) error {
		return tx.Products().Put(ctx, all[4], all[0], all[5], all[2], all[1], all[3])
	})
	equal(t, "from the beginning", scan("", 10), all)
	equal(t, "no more than asked", scan("", 2), all[:2])
	equal(t, "behind one", scan("10", 3), all[2:5])
	equal(t, "behind what is not there", scan("C", 10), all[4:])
	equal(t, "behind the last", len(scan("ä", 10)), 0)
	equal(t, "none", len(scan("", 0))+len(scan("", -1)), 0)
}

func testPut(t *testing.T, s listsStore) {
	a, b := sampleProduct(1), sampleProduct(2)
	write(t, s, func(ctx context.Context, tx listsTx) error {
		return all(func() error { return tx.Products().Put(ctx) }, func() error { return tx.Products().Put(ctx, a, b) })
	})
	other := productTable().full(world{})
	other.ID = a.ID
	first := a
	first.Name = "overruled"
	if err := s.Write(t.Context(), func(ctx context.Context, tx listsTx) error {
		return all(func() error { return tx.Products().Put(ctx, first) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	equal(t, "after an undone put", see(t, s, getProducts(a.ID, b.ID)), []productlists.Product{a, b})
	write(t, s, func(ctx context.Context, tx listsTx) error {
		return tx.Products().Put(ctx, first, sampleProduct(3), other)
	})
	equal(t, "replaced", see(t, s, getProducts(a.ID, b.ID)), []productlists.Product{other, b})
	write(t, s, func(ctx context.Context, tx listsTx) error { return tx.Products().Put(ctx, a) })
	equal(t, "replaced back", see(t, s, getProducts(a.ID)), []productlists.Product{a})
	bad := sampleProduct(4)
	bad.Name = ""
	refused(t, s, invalid("name", "required"), func(ctx context.Context, tx listsTx) error {
		return tx.Products().Put(ctx, other, sampleProduct(5), bad)
	})
	equal(t, "after a refused put", see(t, s, getProducts(a.ID, "p005")), []productlists.Product{a})
}

// testPutMany is testPut for as many as a backend may have another way for,
// with text that such a way may stumble over; twice in one unit.
func testPutMany(t *testing.T, s listsStore) {
	const n = 3_000
	texts := hostile()
	given := make([]productlists.Product, n)
	for i := range given {
		given[i] = sampleProduct(i)
		given[i].ID = fmt.Sprintf("p%04d", i)
		given[i].Name, given[i].Description, given[i].Brand = texts[i%len(texts)], "\\N", "\\."
		given[i].Network.ID = 1 << 62
	}
	changed := make([]productlists.Product, n)
	for i := range changed {
		changed[i] = given[i]
		changed[i].SKU, changed[i].FinalPrice = strconv.Itoa(i), eur(0)
	}
	all3000 := func() []productlists.Product {
		var ids []string
		for _, p := range given {
			ids = append(ids, p.ID)
		}
		return see(t, s, getProducts(ids...))
	}
	write(t, s, func(ctx context.Context, tx listsTx) error { return tx.Products().Put(ctx, given...) })
	equal(t, "kept", all3000(), given)
	if err := s.Write(t.Context(), func(ctx context.Context, tx listsTx) error {
		return all(func() error { return tx.Products().Put(ctx, changed...) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	equal(t, "after an undone put", all3000(), given)
	twice := append(changed[:n:n], given[7])
	write(t, s, func(ctx context.Context, tx listsTx) error {
		return all(func() error { return tx.Products().Put(ctx, given...) }, func() error { return tx.Products().Put(ctx, twice...) })
	})
	changed[7] = given[7]
	equal(t, "replaced", all3000(), changed)
	bad := append(given[:n:n], productlists.Product{})
	refused(t, s, invalid("name", "required"), func(ctx context.Context, tx listsTx) error { return tx.Products().Put(ctx, bad...) })
	equal(t, "after a refused put", all3000(), changed)
}

func testProductLookups(t *testing.T, s listsStore) {
	a, b, c := sampleProduct(1), sampleProduct(2), sampleProduct(3)
	a.ID, b.ID, c.ID = "Zebra", "apple", "ärta"
	write(t, s, func(ctx context.Context, tx listsTx) error { return tx.Products().Put(ctx, c, b, a) })
	equal(t, "by id", see(t, s, getProducts("ärta", "apple", "nothing", "Zebra", "apple")), []productlists.Product{a, b, c})
	equal(t, "of none", see(t, s, getProducts()), []productlists.Product(nil))
	equal(t, "of what is not kept", see(t, s, getProducts(unkeepable()...)), []productlists.Product(nil))
	large := make([]string, 70_000)
	for i := range large {
		large[i] = "none" + strconv.Itoa(i)
	}
	large[69_999] = a.ID
	equal(t, "of 70,000", see(t, s, getProducts(large...)), []productlists.Product{a})

	addAll(t, s, addList, sampleList(1))
	write(t, s, appendTo(1, a.ID, b.ID))
	gone := func(ids ...string) int {
		return put(t, s, func(ctx context.Context, tx listsTx) (int, error) { return tx.Products().Delete(ctx, ids) })
	}
	equal(t, "deleted", gone("apple", "nothing", "apple", "\x00"), 1)
	equal(t, "deleted again", gone("apple"), 0)
	equal(t, "deleted none", gone(), 0)
	equal(t, "deleted what is not kept", gone("Zebra\x00"), 0)
	equal(t, "left", see(t, s, getProducts("Zebra", "apple", "ärta")), []productlists.Product{a, c})
	equal(t, "a list keeps the ids", see(t, s, allItems(1)), []string{a.ID, b.ID})
}

func testPutRace(t *testing.T, s listsStore) {
	together(t, writers, func(i int) error {
		batch := make([]productlists.Product, 20)
		for n := range batch {
			batch[n] = sampleProduct(n)
			batch[n].Name = strconv.Itoa(i)
		}
		return insist(t.Context(), s.Write, func(ctx context.Context, tx listsTx) error { return tx.Products().Put(ctx, batch...) })
	})
	var ids []string
	for n := range 20 {
		ids = append(ids, sampleProduct(n).ID)
	}
	got := see(t, s, getProducts(ids...))
	equal(t, "products", len(got), len(ids))
	for _, p := range got {
		equal(t, "whose "+p.ID+" is", p.Name, got[0].Name)
	}
}
