package productlists_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

func TestSaleIsDerivedFromThePrices(t *testing.T) {
	for _, tt := range []struct {
		regular, final int64
		onSale         bool
		discount       int
	}{
		{12999, 9999, true, 23},
		{8999, 8999, false, 0},
		{100, 120, false, 0}, // dearer is no sale
		{1000, 999, true, 0}, // less than one percent
		{1000, 1, true, 99},  // 99.9 is not 100
		{1000, 0, true, 100},
		{0, 0, false, 0},
		{9223372036854775807, 1, true, 99},
	} {
		p := product("1")
		p.RegularPrice, p.FinalPrice = affiliate.NewMoney(tt.regular, "USD"), affiliate.NewMoney(tt.final, "USD")
		if p.OnSale() != tt.onSale || p.SaleDiscount() != tt.discount {
			t.Errorf("%d → %d: on sale %v, discount %d, want %v, %d", tt.regular, tt.final, p.OnSale(), p.SaleDiscount(), tt.onSale, tt.discount)
		}
	}
}

// A discount promises no more than the price gives, and less than a percent less.
func TestADiscountNeverPromisesTooMuch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		regular := rapid.Int64Range(1, 1<<50).Draw(rt, "regular")
		final := rapid.Int64Range(0, regular).Draw(rt, "final")
		p := product("1")
		p.RegularPrice, p.FinalPrice = affiliate.NewMoney(regular, "USD"), affiliate.NewMoney(final, "USD")
		d := int64(p.SaleDiscount())
		if saved := regular - final; d < 0 || d > 100 || d*regular > saved*100 || (d+1)*regular <= saved*100 {
			rt.Fatalf("%d%% of %d against %d saved", d, regular, saved)
		}
	})
}

func TestAvailabilityIsReadAsFeedsWriteIt(t *testing.T) {
	for text, want := range map[string]productlists.Availability{
		"In Stock": productlists.InStock, "in_stock": productlists.InStock, "INSTOCK": productlists.InStock,
		"https://schema.org/InStock": productlists.InStock, "http://schema.org/OutOfStock": productlists.OutOfStock,
		"out-of-stock": productlists.OutOfStock, "sold out": productlists.OutOfStock, "pre-order": productlists.Preorder,
		"backorder": productlists.Backorder, "Unavailable": productlists.Unavailable, "discontinued": productlists.Unavailable,
		"": "", "maybe": "", "1": "",
	} {
		got, ok := productlists.ParseAvailability(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestCommissionTemplates(t *testing.T) {
	at := productlists.Place{AccountID: "a&b", ListID: uuid.MustParse("0195cde4-325d-7376-ab52-48b8f1256dd0")}
	p := product("7")
	p.DirectURL = "https://shop.example/p?a=1&b=:LIST_ID"
	for template, want := range map[string]string{
		":TARGET_URL": "https://shop.example/p?a=1&b=:LIST_ID",
		"https://n.example/c?u=:TARGET_URL_ENCODED":     "https://n.example/c?u=https%3A%2F%2Fshop.example%2Fp%3Fa%3D1%26b%3D%3ALIST_ID",
		"https://n.example/c?:TARGET_URL":               "https://n.example/c?https://shop.example/p?a=1&b=:LIST_ID",
		"https://n.example/:PRODUCT_ID/:LIST_ID":        "https://n.example/7/0195cde4-325d-7376-ab52-48b8f1256dd0",
		"https://n.example/?sub=:ACCOUNT_ID&x=:unknown": "https://n.example/?sub=a%26b&x=:unknown",
		"https://n.example/finished":                    "https://n.example/finished",
	} {
		if err := productlists.ValidateTemplate(template); err != nil {
			t.Errorf("%q: %v", template, err)
		}
		if got := productlists.FillTemplate(template, p, at); got != want {
			t.Errorf("%q: got %q, want %q", template, got, want)
		}
	}
	for _, bad := range []string{
		"https://n.example/?sub=:ACCOUNT&x", "https://n.example/?sub={account}",
		"", "n.example/:TARGET_URL", ":TARGET_URL_ENCODED", ":TARGET_URL?x", "ftp://n.example/", "https://", "https:///x",
		"https://:ACCOUNT_ID/", "https://n.example:PRODUCT_ID/", "https://n.example:LIST_ID", "javascript:alert(1)//:TARGET_URL",
		"https://n.example/ x", "https://n.example/\"", "https://n.example/\x00", "https://n.example/\xff", "https://n.example\\@evil.example/",
		"https://n.example/" + strings.Repeat("x", productlists.MaxURLBytes),
	} {
		if err := productlists.ValidateTemplate(bad); fieldsOf(err) != "commission_url" {
			t.Errorf("%q: got %v, want it refused", bad, err)
		}
	}
}

// Nothing that a product, list or account is called moves a link to another host.
func TestALinkStaysOnTheHostOfItsTemplate(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		":TARGET_URL", ":TARGET_URL_ENCODED", ":PRODUCT_ID", ":LIST_ID", ":ACCOUNT_ID", "https://", "n.example", "/", "?", "#", "@", ":", "x", "=", "&", "\\", ".", " ",
	})
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab/@:.?#\\&= %é\n")), 1, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		template := strings.Join(rapid.SliceOfN(piece, 1, 7).Draw(rt, "template"), "")
		if rapid.Bool().Draw(rt, "rooted") {
			template = "https://n.example/" + template
		}
		if productlists.ValidateTemplate(template) != nil || template == productlists.DefaultTemplate {
			return
		}
		p := product(text.Draw(rt, "product"))
		filled := productlists.FillTemplate(template, p, productlists.Place{AccountID: text.Draw(rt, "account")})
		host := func(s string) string {
			s, _ = strings.CutPrefix(s, "https://")
			return s[:strings.IndexAny(s+"/", "/?#")]
		}
		if host(filled) != host(template) {
			rt.Fatalf("%q filled in is %q", template, filled)
		}
		if u, err := url.Parse(filled); err == nil && u.Scheme != "https" {
			rt.Fatalf("%q filled in is %q", template, filled)
		}
	})
}

func TestValidateNamesEveryField(t *testing.T) {
	is := is.New(t)
	is.NoErr(product("1").Validate())
	bad := productlists.Product{Barcode: "x", Network: productlists.Party{ID: -1}}
	is.Equal(fieldsOf(bad.Validate()), "id name barcode direct_url currency availability network.id")
}
