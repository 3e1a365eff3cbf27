package productlists_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// sold is when the sales of the feeds are on.
var sold = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// read imports a feed of which every line is a product, and returns what is kept
// of the ids.
func read(t testing.TB, feed string, o productlists.ImportOptions, ids ...string) map[string]productlists.Product {
	t.Helper()
	s, err := productlists.NewService(memory.New().ProductLists(), productlists.Options{Clock: func() time.Time { return sold }})
	is.New(t).NoErr(err)
	report, err := s.Import(t.Context(), strings.NewReader(feed), o)
	is.New(t).NoErr(err)
	if report.Rejected > 0 || report.Noted > 0 {
		t.Errorf("rejected %v, noted %v", report.Rejections, report.Notes)
	}
	got := known(t, s, ids...)
	is.New(t).Equal(len(got), len(ids))
	return got
}

func money(minor int64, c affiliate.Currency) affiliate.Money { return affiliate.NewMoney(minor, c) }

// Each is a small feed in the shape that the network or shop writes.
func TestFeedsOfKnownShapesAreReadAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		feed    string
		options productlists.ImportOptions
		id      string
		want    productlists.Product
	}{
		"Google Merchant, tabs": {
			feed: "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tsale_price_effective_date\tgtin\tmpn\tbrand\tgoogle_product_category\n" +
				"g1\tMugg 12\" stor\tEn mugg\thttps://shop.example/m?a=1&amp;b=2\thttps://shop.example/m.jpg\tin_stock\t149.00 SEK\t99.00 SEK\t2026-11-26T00:00+0100/2026-11-30T23:59+0100\t07310865004703\tM-12\tKaffi\tHome & Garden > Kitchen\n",
			id: "g1",
			want: productlists.Product{
				Barcode: "07310865004703", Name: `Mugg 12" stor`, Description: "En mugg", DirectURL: "https://shop.example/m?a=1&b=2", ImageURL: "https://shop.example/m.jpg",
				RegularPrice: money(14900, "SEK"), FinalPrice: money(9900, "SEK"), SKU: "M-12", Brand: "Kaffi", Category: "Home & Garden > Kitchen",
			},
		},
		"Google Merchant, RSS": {
			feed: `<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title><link>https://shop.example</link>
				<item><g:id>r1</g:id><title>Kopp &amp; fat</title><link>https://shop.example/k?a=1&amp;b=2</link><g:image_link>https://shop.example/k.jpg</g:image_link>
				<g:price>15.00 USD</g:price><g:sale_price>0</g:sale_price><g:availability>out of stock</g:availability><g:shipping><g:country>US</g:country><g:price>3 USD</g:price></g:shipping></item>
				</channel></rss>`,
			id: "r1",
			want: productlists.Product{
				Name: "Kopp & fat", DirectURL: "https://shop.example/k?a=1&b=2", ImageURL: "https://shop.example/k.jpg",
				RegularPrice: money(1500, "USD"), FinalPrice: money(1500, "USD"), Availability: productlists.OutOfStock,
			},
		},
		"Google Merchant, Atom": {
			feed: `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title><entry><g:id>a1</g:id><title>Fat</title>
				<link href="https://shop.example/f"/><g:price>EUR 9,50</g:price></entry></feed>`,
			id:   "a1",
			want: productlists.Product{Name: "Fat", DirectURL: "https://shop.example/f", RegularPrice: money(950, "EUR"), FinalPrice: money(950, "EUR")},
		},
		"Meta": {
			feed: "id,title,description,availability,condition,price,link,image_link,brand,sale_price,sale_price_effective_date,fb_product_category\n" +
				"m1,Shirt,Cotton,in stock,new,\"1,299.00 USD\",https://shop.example/s,https://shop.example/s.jpg,Acme,\"999.00 USD\",2026-01-01T00:00-08:00/2026-02-01T00:00-08:00,clothing\n",
			id: "m1",
			want: productlists.Product{
				Name: "Shirt", Description: "Cotton", DirectURL: "https://shop.example/s", ImageURL: "https://shop.example/s.jpg", Brand: "Acme", Category: "clothing",
				RegularPrice: money(129900, "USD"), FinalPrice: money(129900, "USD"), // the sale is over
			},
		},
		"Awin": {
			feed: "aw_deep_link,product_name,aw_product_id,merchant_product_id,merchant_image_url,description,merchant_category,search_price,merchant_name,merchant_id,category_name,currency,rrp_price,merchant_deep_link,in_stock,ean,brand_name\n" +
				"https://www.awin1.example/pclick.php?p=1,Jacka,w1,J-1,https://shop.example/j.jpg,Varm,Kläder,799.00,Shop,77,Clothes,SEK,999.00,https://shop.example/j,1,7350001000012,Fjord\n",
			id: "w1",
			want: productlists.Product{
				Barcode: "7350001000012", Name: "Jacka", Description: "Varm", CommissionURL: "https://www.awin1.example/pclick.php?p=1", DirectURL: "https://shop.example/j",
				ImageURL: "https://shop.example/j.jpg", RegularPrice: money(99900, "SEK"), FinalPrice: money(79900, "SEK"), SKU: "J-1", Brand: "Fjord", Category: "Kläder",
				Merchant: productlists.Party{ID: 77, Name: "Shop"},
			},
		},
		"CJ": {
			feed: "PROGRAMNAME|PROGRAMURL|LASTUPDATED|NAME|DESCRIPTION|SKU|MANUFACTURER|UPC|CURRENCY|SALEPRICE|PRICE|BUYURL|IMAGEURL|ADVERTISERCATEGORY|INSTOCK\n" +
				"Shop|https://shop.example|2026-11-01|Lampa 40\" hög|Ljus|c1|Lux|012345678905|USD|80.00|100.00|https://www.anrdoezrs.example/click-1|https://shop.example/l.jpg|Lights|yes\n",
			id: "c1",
			want: productlists.Product{
				Barcode: "012345678905", Name: `Lampa 40" hög`, Description: "Ljus", DirectURL: "https://www.anrdoezrs.example/click-1", ImageURL: "https://shop.example/l.jpg",
				RegularPrice: money(10000, "USD"), FinalPrice: money(8000, "USD"), SKU: "c1", Brand: "Lux", Category: "Lights", Merchant: productlists.Party{Name: "Shop"},
			},
		},
		"Rakuten, without a header": {
			feed: "HDR|12345|Shop|2026-11-27/01:00:00\n" +
				"k1|Boll|B-1|Sports|Balls|https://click.linksynergy.example/l?id=1|https://shop.example/b.jpg||Kort|Lång|||50.00|75.00|11/01/2026|12/01/2026|Kick||||||in-stock|4006381333931||EUR||\n" +
				"TRL|1\n",
			id: "k1",
			want: productlists.Product{
				Barcode: "4006381333931", Name: "Boll", Description: "Lång", DirectURL: "https://click.linksynergy.example/l?id=1", ImageURL: "https://shop.example/b.jpg",
				RegularPrice: money(7500, "EUR"), FinalPrice: money(5000, "EUR"), SKU: "B-1", Brand: "Kick", Category: "Sports",
			},
		},
		"Shopify": {
			feed: "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Variant Barcode,Image Src\n" +
				"tee,T-shirt,<p>Soft</p>,Acme,Shirts,Size,S,,20.00,25.00,'0001234,https://cdn.example/1.jpg\n" +
				"tee,,,,,,L,,22.00,,,https://cdn.example/2.jpg\n" +
				"tee,,,,,,,,,,,https://cdn.example/3.jpg\n",
			options: productlists.ImportOptions{Currency: "USD", BaseURL: "https://shop.example/"},
			id:      "tee/L",
			want: productlists.Product{
				Name: "T-shirt", Description: "<p>Soft</p>", DirectURL: "https://shop.example/products/tee", ImageURL: "https://cdn.example/2.jpg",
				RegularPrice: money(2200, "USD"), FinalPrice: money(2200, "USD"), Brand: "Acme", Category: "Shirts",
			},
		},
		"WooCommerce": {
			feed: "ID,Type,SKU,Name,Published,\"Short description\",Description,\"Date sale price starts\",\"Date sale price ends\",\"In stock?\",\"Sale price\",\"Regular price\",Categories,Images\n" +
				"41,simple,W-1,Hatt,1,Kort,Lång,2026-11-27,2026-11-27,1,80,100,\"Kläder > Hattar\",\"https://shop.example/1.jpg, https://shop.example/2.jpg\"\n",
			options: productlists.ImportOptions{Currency: "SEK", BaseURL: "https://shop.example"},
			id:      "41",
			want: productlists.Product{
				Name: "Hatt", Description: "Lång", DirectURL: "https://shop.example/?p=41", ImageURL: "https://shop.example/1.jpg",
				RegularPrice: money(10000, "SEK"), FinalPrice: money(8000, "SEK"), SKU: "W-1", Category: "Kläder > Hattar",
			},
		},
		"a German shop": {
			feed:    "Artikelnummer;Name;Link;Preis\n7;Tasse;https://shop.example/t;1.299,00 €\n",
			options: productlists.ImportOptions{Columns: map[string]string{"Artikelnummer": "id", "Preis": "regular_price", "Link": "direct_url"}},
			id:      "7",
			want:    productlists.Product{Name: "Tasse", DirectURL: "https://shop.example/t", RegularPrice: money(129900, "EUR"), FinalPrice: money(129900, "EUR")},
		},
		"a JSON list": {
			feed: `[{"id": "j1", "title": "Bok", "link": "https://shop.example/b", "price": "12.50 EUR", "image_link": ["https://shop.example/1.jpg", "x"], "availability": "preorder"}]`,
			id:   "j1",
			want: productlists.Product{
				Name: "Bok", DirectURL: "https://shop.example/b", ImageURL: "https://shop.example/1.jpg", RegularPrice: money(1250, "EUR"), FinalPrice: money(1250, "EUR"), Availability: productlists.Preorder,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.ID = c.id
			if c.want.Availability == "" {
				c.want.Availability = productlists.InStock
			}
			is.New(t).Equal(read(t, c.feed, c.options, c.id)[c.id], c.want)
		})
	}
}

func TestAFeedIsUnpackedAndDecodedByItsContent(t *testing.T) {
	const plain = "id;name;direct_url;currency;final_price\n1;Smörgås €;https://shop.example/1;SEK;10\n"
	packed := func(pack func(*bytes.Buffer) error) string {
		var b bytes.Buffer
		is.New(t).NoErr(pack(&b))
		return b.String()
	}
	encode := func(s string, err error) string { is.New(t).NoErr(err); return s }
	for name, feed := range map[string]string{
		"UTF-8":                         plain,
		"with a byte order mark":        "\ufeff" + plain,
		"UTF-16 with a byte order mark": encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(plain)),
		"big-endian UTF-16":             encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(plain)),
		"UTF-16 without one":            encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(plain)),
		"Windows-1252":                  encode(charmap.Windows1252.NewEncoder().String(plain)),
		"CRLF":                          strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR alone":                      strings.ReplaceAll(plain, "\n", "\r"),
		"tabs":                          strings.ReplaceAll(plain, ";", "\t"),
		"bars":                          strings.ReplaceAll(plain, ";", "|"),
		"gzip": packed(func(b *bytes.Buffer) error {
			w := gzip.NewWriter(b)
			_, err := w.Write([]byte(plain))
			return cmpErr(err, w.Close())
		}),
		"ZIP": packed(func(b *bytes.Buffer) error {
			w := zip.NewWriter(b)
			for _, name := range []string{"__MACOSX/feed.csv", ".hidden", "dir/feed.csv"} {
				file, err := w.Create(name)
				if err != nil {
					return err
				}
				if _, err := file.Write([]byte(plain)); err != nil {
					return err
				}
			}
			return w.Close()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			is.New(t).Equal(read(t, feed, productlists.ImportOptions{}, "1")["1"].Name, "Smörgås €")
		})
	}
	is := is.New(t)
	got := read(t, encode(charmap.Windows1252.NewEncoder().String(plain)), productlists.ImportOptions{Charset: productlists.Windows1252, Delimiter: ';'}, "1")
	is.Equal(got["1"].Name, "Smörgås €")
	// XML says which charset it has; what the bytes or the options say goes before.
	text := func(charset string) string {
		return `<?xml version="1.0" encoding="` + charset + `"?><rss><channel><item><id>1</id><title>Smörgås €</title><link>https://shop.example/1</link><price>1 EUR</price></item></channel></rss>`
	}
	windows := encode(charmap.Windows1252.NewEncoder().String(text("ISO-8859-1")))
	is.Equal(read(t, encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text("UTF-16"))), productlists.ImportOptions{}, "1")["1"].Name, "Smörgås €")
	is.Equal(read(t, windows, productlists.ImportOptions{}, "1")["1"].Name, "Smörgås €")
	is.Equal(read(t, windows, productlists.ImportOptions{Charset: productlists.Windows1252}, "1")["1"].Name, "Smörgås €")
	s := newService(t, memory.New().ProductLists(), 0)
	for feed, fields := range map[string]string{"\x1f\x8bx": "feed", "PK\x03\x04x": "feed", "<rss><channel><item>": "feed", "[1": "feed"} {
		_, err := s.Import(t.Context(), strings.NewReader(feed), productlists.ImportOptions{})
		is.Equal(fieldsOf(err), fields) // feed
	}
	for o, fields := range map[*productlists.ImportOptions]string{
		{Preset: "mine"}: "preset", {Charset: "latin-7"}: "charset", {Delimiter: ':'}: "delimiter", {Currency: "XXX"}: "currency",
		{BaseURL: "shop"}: "base_url", {Columns: map[string]string{"a": "colour"}}: "columns",
	} {
		_, err := s.Import(t.Context(), strings.NewReader(plain), *o)
		is.Equal(fieldsOf(err), fields) // option
	}
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func TestPricesAreReadWhereTheyAreUnambiguous(t *testing.T) {
	for text, want := range map[string]any{
		"15.00 USD": money(1500, "USD"), "USD 15": money(1500, "USD"), "usd15.5": money(1550, "USD"), "€15,00": money(1500, "EUR"), "15,00 €": money(1500, "EUR"),
		"1.299,00 EUR": money(129900, "EUR"), "1,299.00 EUR": money(129900, "EUR"), "1 299,00 SEK": money(129900, "SEK"), "1\u00a0299 SEK": money(129900, "SEK"),
		"1,299 USD": money(129900, "USD"), "1'299.50 CHF": money(129950, "CHF"), "1.299.000 USD": money(129900000, "USD"), "120.00 JPY": money(120, "JPY"),
		"£0.99": money(99, "GBP"), "99,90 zł": money(9990, "PLN"), "12.500 TND": money(12500, "TND"), "12,50 TND": money(12500, "TND"), "12,500 TND": nil,
		"15.005 USD": nil, "1.2.3,4,5 EUR": nil, "15": nil, "$15": nil, "free USD": nil, "15 USD EUR": nil, "-1 USD": nil, "USD": nil, "1,5,0": nil,
	} {
		is := is.New(t)
		s := newService(t, memory.New().ProductLists(), 0)
		report, err := s.Import(t.Context(), strings.NewReader("id\tname\tdirect_url\tprice\n1\tA\thttps://shop.example\t"+text+"\n"), productlists.ImportOptions{})
		is.NoErr(err)
		if want == nil {
			is.Equal(report.Rejected, 1) // text
			continue
		}
		is.Equal(rejections(report), "")
		is.Equal(any(known(t, s, "1")["1"].RegularPrice), want) // text
	}
	is := is.New(t)
	got := read(t, "id\tname\tdirect_url\tprice\n1\tA\thttps://shop.example\t15,50 kr\n", productlists.ImportOptions{Currency: "SEK"}, "1")
	is.Equal(got["1"].RegularPrice, money(1550, "SEK"))
}

func TestAnOptionalFieldThatCannotBeUsedCostsItselfAlone(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	var noted []productlists.Rejection
	report, err := s.Import(t.Context(), strings.NewReader("id,name,direct_url,price,barcode,image_url,availability,merchant_id,sale_price,sale_price_effective_date\n"+
		"1,One,https://shop.example:443/1,1 EUR,N/A,picture,perhaps,none,0.5 EUR,soon\n"+
		"2,Two,https://shop.example:99999/2,1 EUR,,,,,,\n"+
		"1,Again,https://shop.example/1,1 EUR,,,,,,\n"), productlists.ImportOptions{Noted: func(r productlists.Rejection) { noted = append(noted, r) }})
	is.NoErr(err)
	is.Equal(report.Imported, 2)
	is.Equal(rejections(report), "3: direct_url must be an http or https address of at most 2048 bytes\n")
	is.Equal(report.Noted, 2)
	is.Equal(noted, report.Notes)
	is.Equal(report.Notes[0].Line, 2)
	for _, field := range []string{"barcode", "image_url", "availability", "merchant.id", "sale_dates"} {
		is.True(strings.Contains(report.Notes[0].Reason, field+" ")) // field
	}
	is.Equal(report.Notes[1], productlists.Rejection{Line: 4, Reason: "id came before: the last one counts"})
	got := known(t, s, "1")["1"]
	is.Equal(got.Name, "Again")
}

// A full feed says what there is; a partial one says nothing about the rest.
func TestAFullFeedMakesWhatItNoLongerHasUnavailable(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b.ProductLists, 0)
		feed := func(merchant string, ids ...string) string {
			text := "id,name,direct_url,price,merchant_name\n"
			for _, id := range ids {
				price := "1 EUR"
				if strings.HasPrefix(id, "bad") {
					price = "nothing"
				}
				text += fmt.Sprintf("%s,N,https://shop.example/%s,%s,%s\n", id, id, price, merchant)
			}
			return text
		}
		load := func(full bool, text string) productlists.ImportReport {
			t.Helper()
			report, err := s.Import(t.Context(), strings.NewReader(text), productlists.ImportOptions{Full: full})
			is.NoErr(err)
			return report
		}
		available := func() (ids string) {
			for _, id := range []string{"1", "2", "3", "9", "bad"} {
				if p, ok := known(t, s, id)[id]; ok && p.Availability != productlists.Unavailable {
					ids += id + " "
				}
			}
			return strings.TrimSpace(ids)
		}
		load(false, feed("a", "1", "2", "3")+strings.TrimPrefix(feed("a", "bad"), "id,name,direct_url,price,merchant_name\n"))
		load(false, strings.ReplaceAll(feed("a", "x"), "nothing", "1 EUR"))
		load(false, feed("b", "9"))
		is.Equal(available(), "1 2 3 9")
		is.Equal(load(false, feed("a", "1")).Vanished, 0)
		is.Equal(available(), "1 2 3 9")
		is.Equal(load(true, feed("a", "1", "3")).Vanished, 2) // 2 and x
		is.Equal(available(), "1 3 9")                        // another merchant's stay
		is.Equal(load(true, feed("a", "1", "3")).Vanished, 0)
		is.Equal(load(true, feed("a", "1", "2")).Vanished, 1)
		is.Equal(available(), "1 2 9")              // and back
		is.Equal(load(true, feed("a")).Vanished, 0) // a feed of nothing says nothing
		// A row that cannot be used still says that its product is there.
		broken := strings.Replace(feed("a", "1", "2"), "https://shop.example/2", "nowhere", 1)
		is.Equal(load(true, broken).Vanished, 0)
		is.Equal(available(), "1 2 9")
		// One that does not say which product it is may be any.
		is.Equal(load(true, feed("a", "1")+"2,too,few\n").Vanished, 0)
		is.Equal(available(), "1 2 9")
		// A merchant that cannot be used is not nobody.
		load(false, "id,name,direct_url,price\n3,N,https://shop.example/3,1 EUR\n")
		is.Equal(load(true, "id,name,direct_url,price,merchant_name,merchant_logo_url\n1,N,https://shop.example/1,1 EUR,a,N/A\n").Vanished, 0)
		is.Equal(available(), "1 2 3 9")
	})
}
