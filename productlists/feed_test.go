package productlists_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

const header = "id,name,direct_url,currency,regular_price,final_price,availability\n"

// imported are the products with the ids in a memory store after an import.
func importInto(t testing.TB, s *productlists.Service, format productlists.FeedFormat, feed string) productlists.ImportReport {
	t.Helper()
	report, err := s.Import(t.Context(), strings.NewReader(feed), productlists.ImportOptions{Format: format})
	is.New(t).NoErr(err)
	is.New(t).Equal(report.Imported+report.Rejected, report.Lines) // every line is one or the other
	return report
}

// known are the products that a list of the ids shows, by id.
func known(t testing.TB, s *productlists.Service, ids ...string) map[string]productlists.Product {
	t.Helper()
	c, _, err := s.CreateList(t.Context(), "acme", productlists.ListInput{Name: "x", ProductIDs: ids})
	is.New(t).NoErr(err)
	out := map[string]productlists.Product{}
	for _, item := range c.Items {
		out[item.ProductID] = item.Product.Value
	}
	return out
}

func rejections(r productlists.ImportReport) string {
	var b strings.Builder
	for _, x := range r.Rejections {
		fmt.Fprintf(&b, "%d: %s\n", x.Line, x.Reason)
	}
	return b.String()
}

func TestEveryColumnOfACSVFeedIsRead(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	importInto(t, s, productlists.FeedCSV, "\ufeff"+`sku, ID ,barcode,name,description,commission_url,direct_url,image_url,currency,regular_price,final_price,availability,brand,category,network_id,network_name,network_logo_url,merchant_id,merchant_name,merchant_logo_url,color`+"\r\n"+
		`A-1,1,0012345,"Thermostat ""Pro"", white","Wi-Fi`+"\r\n\r\n"+`and more",https://n.example/?u=:TARGET_URL_ENCODED,https://shop.example/t,https://shop.example/t.jpg,usd,129.990,99.99,in_stock,Home,Home > Climate,5,Network,https://n.example/l.png,1234,Store,https://m.example/l.png,white`+"\r\n")
	is.Equal(known(t, s, "1")["1"], productlists.Product{
		ID: "1", Barcode: "0012345", Name: `Thermostat "Pro", white`, Description: "Wi-Fi\n\nand more",
		CommissionURL: "https://n.example/?u=:TARGET_URL_ENCODED", DirectURL: "https://shop.example/t", ImageURL: "https://shop.example/t.jpg",
		RegularPrice: affiliate.NewMoney(12999, "USD"), FinalPrice: affiliate.NewMoney(9999, "USD"), Availability: productlists.InStock,
		SKU: "A-1", Brand: "Home", Category: "Home > Climate",
		Network:  productlists.Party{ID: 5, Name: "Network", LogoURL: "https://n.example/l.png"},
		Merchant: productlists.Party{ID: 1234, Name: "Store", LogoURL: "https://m.example/l.png"},
	})
}

func TestEveryMemberOfAJSONFeedIsRead(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	report := importInto(t, s, productlists.FeedJSONLines, `
{"id": 1, "barcode": 123456, "name": "Thermostat", "direct_url": "https://shop.example/t", "currency": "JPY", "regular_price": 1200.00, "final_price": "999", "sku": 12, "network": {"id": 5, "name": "N"}, "merchant": null, "on_sale": true, "color": {"x": [1]}}

{"id": "2", "name": "Camera", "direct_url": "https://shop.example/c", "currency": "USD", "final_price": 89.9}
`)
	is.Equal(report.Lines, 2)
	got := known(t, s, "1", "2")
	is.Equal(got["1"], productlists.Product{
		ID: "1", Barcode: "123456", Name: "Thermostat", DirectURL: "https://shop.example/t", RegularPrice: affiliate.NewMoney(1200, "JPY"),
		FinalPrice: affiliate.NewMoney(999, "JPY"), Availability: productlists.InStock, SKU: "12", Network: productlists.Party{ID: 5, Name: "N"},
	})
	is.Equal(got["2"].RegularPrice, affiliate.NewMoney(8990, "USD"))
	is.Equal(got["2"].FinalPrice, affiliate.NewMoney(8990, "USD"))
}

func TestBadLinesAreToldAndGoodOnesKept(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	var told []productlists.Rejection
	feed := header +
		"1,One,https://shop.example/1,EUR,1.50,,\n" +
		"2,Two,https://shop.example/2,EUR,1.505,,\n" +
		"\n" +
		"3,Three,shop.example,XXX,-1,,never\n" +
		"4,Four,https://shop.example/4,EUR,1,2\n" +
		"5,Five 5\" screen,https://shop.example/5,EUR,1,,\n" +
		"6,\"Six\"x,https://shop.example/6,EUR,1,,\n" +
		"7,Seven,https://shop.example/7,EUR,,,\n" +
		"8,\"Eight\nlines\",https://shop.example/8,EUR,1,,\n" +
		"9,\xff,https://shop.example/9,EUR,1,,\n" +
		"10,\"never closed,https://shop.example/10,EUR,1,,\n" +
		"11,Eleven,https://shop.example/11,EUR,1,,\n"
	report, err := s.Import(t.Context(), strings.NewReader(feed), productlists.ImportOptions{
		Charset:  productlists.UTF8,
		Rejected: func(r productlists.Rejection) { told = append(told, r) },
	})
	is.NoErr(err)
	is.Equal(rejections(report), `3: regular_price must have at most 2 digits after the point
5: currency must be an active ISO 4217 code with a minor unit, such as EUR; direct_url must be an http or https address of at most 2048 bytes
6: has 6 columns, the header has 7
7: a quote stands inside a field: fields with quotes are quoted, with each quote doubled
8: a quote stands inside a field: fields with quotes are quoted, with each quote doubled
9: regular_price is required
12: name must be valid UTF-8
13: a quote is not closed within 1 MiB
`)
	is.Equal(told, report.Rejections)
	is.Equal(report.Lines, 11)
	is.Equal(report.Imported, 3)
	is.Equal(len(known(t, s, ids(0, 20)...)), 3) // 1, 8 and 11, behind the quote that is never closed
}

func TestBadJSONLinesAreTold(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	good := `{"id": "1", "name": "One", "direct_url": "https://shop.example/1", "currency": "EUR", "final_price": 1}`
	report := importInto(t, s, productlists.FeedJSONLines, strings.Join([]string{
		"{", "[]", "null", `"x"`, "7", good + good, "{}", strings.Replace(good, "One", "\xff", 1), strings.Replace(good, `"One"`, `{"en": "One"}`, 1),
		strings.Replace(good, `"One"`, `true`, 1), strings.Replace(good, `"One"`, `"\u0000"`, 1), strings.Replace(good, ": 1}", ": 1e400}", 1),
		strings.Replace(good, "}", `, "network": [5]}`, 1), strings.Replace(good, "}", `, "network": {"id": 1.5}}`, 1),
		strings.Repeat("x", productlists.MaxFeedLine+1), good,
	}, "\n"))
	is.Equal(rejections(report), `1: is not valid JSON
2: is not a JSON object
3: is not a JSON object
4: is not a JSON object
5: is not a JSON object
6: is not valid JSON
7: regular_price is required; id is required; name is required; direct_url is required
8: is not valid UTF-8
9: a value must be a string or a number
10: a value must be a string or a number
11: name must not contain NUL
12: final_price must be a decimal number such as 12.34
13: network has the wrong type
15: the line is longer than 1 MiB
`)
	is.Equal(report.Imported, 2)
	is.Equal(report.Notes[0], productlists.Rejection{Line: 14, Reason: "network.id must be a whole number"})
}

func TestAHeaderThatLacksAColumnIsRefused(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	for feed, fields := range map[string]string{
		"":                             "header.id header.name header.direct_url header.regular_price",
		"id,name,direct_url":           "header.regular_price",
		header[:len(header)-1] + ",id": "header.id",
		"id,\"name":                    "header",
	} {
		report, err := s.Import(t.Context(), strings.NewReader(feed), productlists.ImportOptions{})
		is.Equal(fieldsOf(err), fields)
		is.Equal(report.Lines, 0)
	}
	_, err := s.Import(t.Context(), strings.NewReader(header), productlists.ImportOptions{Format: "yaml"})
	is.Equal(fieldsOf(err), "format")
}

func TestImportingAgainReplaces(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	first := header + "1,One,https://shop.example/1,EUR,1,,\n2,Two,https://shop.example/2,EUR,1,,\n"
	is.Equal(importInto(t, s, "", first), importInto(t, s, "", first))
	before := known(t, s, "1", "2")
	importInto(t, s, "", header+"2,Second,https://shop.example/2,EUR,5,4,\n2,Latest,https://shop.example/2,EUR,5,4,\n")
	after := known(t, s, "1", "2")
	is.Equal(after["1"], before["1"])
	is.Equal(after["2"].Name, "Latest") // of two lines with one id the later
	is.True(after["2"].OnSale())
}

// lines is a feed of n products that is made while it is read.
type lines struct {
	n, i    int
	pending []byte
	line    func(i int) string
	header  string // header if empty
}

func (l *lines) Read(p []byte) (int, error) {
	for len(l.pending) == 0 {
		if l.i > l.n {
			return 0, io.EOF
		}
		text := cmp.Or(l.header, header)
		if l.i > 0 {
			text = l.line(l.i)
		}
		l.pending = []byte(text)
		l.i++
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

func plainLine(i int) string {
	return fmt.Sprintf("%d,Product %d,https://shop.example/%d,EUR,%d.99,,\n", i, i, i, i)
}

// forgetful is a store that keeps nothing, so that only the import holds memory.
type forgetful struct {
	productlists.Store
	kept    int
	largest int // bytes of text in a batch
	fail    error
}

type forgetfulTx struct {
	productlists.Tx
	store *forgetful
}

func (s *forgetful) Write(ctx context.Context, fn func(context.Context, productlists.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return affiliate.Unavailable(err)
	}
	return fn(ctx, forgetfulTx{store: s})
}

func (tx forgetfulTx) Products() productlists.ProductRepository {
	return forgetfulProducts{store: tx.store}
}

func (tx forgetfulTx) Events() affiliate.EventRepository { return forgetfulEvents{} }

type forgetfulEvents struct{ affiliate.EventRepository }

func (forgetfulEvents) Add(context.Context, ...affiliate.Event) error { return nil }

type forgetfulProducts struct {
	productlists.ProductRepository
	store *forgetful
}

func (r forgetfulProducts) Put(_ context.Context, products ...productlists.Product) error {
	r.store.kept += len(products)
	size := 0
	for _, p := range products {
		size += len(p.Description)
	}
	r.store.largest = max(r.store.largest, size)
	return r.store.fail
}

func TestAFeedOfAnyLengthNeedsBoundedMemory(t *testing.T) {
	is := is.New(t)
	s, err := productlists.NewService(&forgetful{}, productlists.Options{})
	is.NoErr(err)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most, batches, last := heap(), int64(0), 0, 0
	const n = 300_000
	report, err := s.Import(t.Context(), &lines{n: n, line: plainLine}, productlists.ImportOptions{
		Progress: func(r productlists.ImportReport) {
			if batches++; batches%25 == 0 {
				most = max(most, heap()-before)
			}
			is.True(r.Imported > last) // it only grows
			last = r.Imported
		},
	})
	is.NoErr(err)
	is.Equal(report.Imported, n)
	is.Equal(last, n) // the last batch was told as well
	if most > 16<<20 {
		t.Errorf("%d bytes in use while importing, want a few batches", most)
	}
	t.Logf("%d KiB in use while importing", most>>10)
}

// Lines that are as long as may be must not fill memory by the batch.
func TestAFeedOfLongLinesNeedsBoundedMemory(t *testing.T) {
	is := is.New(t)
	store := &forgetful{}
	s, err := productlists.NewService(store, productlists.Options{})
	is.NoErr(err)
	long := strings.Repeat("x", 20_000)
	row := strings.TrimSuffix(plainLine(1), "\n")
	report, err := s.Import(t.Context(), &lines{n: 2_000, line: func(int) string {
		return row + "," + long + "\n"
	}, header: strings.TrimSuffix(header, "\n") + ",description\n"}, productlists.ImportOptions{})
	is.NoErr(err)
	is.Equal(report.Imported, 2_000)
	if store.largest > 5<<20 {
		t.Errorf("a batch of %d bytes, want at most 4 MiB and a line", store.largest)
	}
}

// A quote that is closed, but not within the bound, costs its line alone.
func TestARecordBeyondTheBoundIsRejected(t *testing.T) {
	is := is.New(t)
	s := newService(t, memory.New().ProductLists(), 0)
	half := strings.Repeat("x", productlists.MaxFeedLine/2)
	feed := header + "1,\"One\n" + half + "\n" + half + "\n\",https://shop.example/1,EUR,1,,\n" + plainLine(2)
	report := importInto(t, s, productlists.FeedCSV, feed)
	is.Equal(report.Rejections[0], productlists.Rejection{Line: 2, Reason: "a quote is not closed within 1 MiB"})
	is.Equal(len(report.Rejections), 4) // and what stands between the quotes is no product
	is.Equal(report.Imported, 1)
}

func TestAFailingStoreEndsAnImport(t *testing.T) {
	is := is.New(t)
	s, err := productlists.NewService(&forgetful{fail: errors.New("full")}, productlists.Options{})
	is.NoErr(err)
	feed := &lines{n: 1_000_000, line: plainLine}
	report, err := s.Import(t.Context(), feed, productlists.ImportOptions{})
	is.True(err != nil && err.Error() == "full")
	is.Equal(report.Imported, 0)
	is.True(feed.i < 100_000) // it was not read to its end
}

func TestAPanicOfACallbackLeavesNoGoroutine(t *testing.T) {
	is := is.New(t)
	store := &forgetful{}
	s, err := productlists.NewService(store, productlists.Options{})
	is.NoErr(err)
	func() {
		defer func() { is.Equal(recover(), "mine") }()
		_, _ = s.Import(t.Context(), &lines{n: 100_000, line: plainLine}, productlists.ImportOptions{
			Progress: func(productlists.ImportReport) { panic("mine") },
		})
	}()
	is.True(store.kept > 0)
	for start := time.Now(); ; runtime.Gosched() { // one that is told to end may take a moment
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(stacks, []byte("affiliatekit/productlists.")) {
			return
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("a goroutine is left:\n%s", stacks)
		}
	}
}

func TestACancelledImportSaysWhatWasKept(t *testing.T) {
	is := is.New(t)
	store := &forgetful{}
	s, err := productlists.NewService(store, productlists.Options{})
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	report, err := s.Import(ctx, &lines{n: 1_000_000, line: plainLine}, productlists.ImportOptions{
		Progress: func(productlists.ImportReport) { cancel() },
	})
	is.True(errors.Is(err, context.Canceled))
	is.True(errors.Is(err, affiliate.ErrUnavailable))
	is.Equal(report.Imported, store.kept)
	is.True(report.Imported > 0)

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	bad := &lines{n: 1_000_000, line: func(int) string { return "bad\n" }}
	_, err = s.Import(ctx, bad, productlists.ImportOptions{})
	is.True(errors.Is(err, context.Canceled))
	is.True(bad.i < 100_000)
}

func TestABrokenReaderKeepsWhatCameBefore(t *testing.T) {
	is := is.New(t)
	broken := errors.New("the line went dead")
	for _, format := range []productlists.FeedFormat{productlists.FeedCSV, productlists.FeedJSONLines} {
		s := newService(t, memory.New().ProductLists(), 0)
		good := header + plainLine(1)
		if format == productlists.FeedJSONLines {
			good = `{"id":"1","name":"One","direct_url":"https://shop.example/1","currency":"EUR","final_price":1}` + "\n"
		}
		report, err := s.Import(t.Context(), io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken)), productlists.ImportOptions{Format: format})
		is.True(errors.Is(err, broken))
		is.Equal(report.Imported, 1)
	}
}

// What encoding/csv writes is read back, whatever the fields are and however
// the reader hands it out.
func TestCSVIsReadBack(t *testing.T) {
	field := rapid.StringOfN(rapid.RuneFrom([]rune("ab,\"\n;ä '\t")), 1, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		is := is.New(rt)
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(rt, "crlf")
		is.NoErr(w.Write(strings.Split(strings.TrimSpace(header)+",brand", ",")))
		want := map[string]string{}
		var order []string
		for i := range rapid.IntRange(0, 6).Draw(rt, "rows") {
			id := fmt.Sprint(i)
			name := field.Draw(rt, "name")
			is.NoErr(w.Write([]string{id, "N" + name + "N", "https://shop.example/", "EUR", "1", "", "", field.Draw(rt, "brand")}))
			want[id] = "N" + name + "N"
			order = append(order, id)
		}
		w.Flush()
		s := newService(t, memory.New().ProductLists(), 0)
		report, err := s.Import(t.Context(), iotest.OneByteReader(&b), productlists.ImportOptions{})
		is.NoErr(err)
		is.Equal(report.Rejections, nil)
		got := map[string]string{}
		for id, p := range known(t, s, order...) {
			got[id] = p.Name
		}
		is.Equal(got, want)
	})
}

// FuzzFeed feeds anything: each line is imported or rejected, lines are
// numbered upwards, and what is imported is valid.
func FuzzFeed(f *testing.F) {
	f.Add(header+plainLine(1), false)
	f.Add(header+"1,\"a\n\"\"b\",https://x.example,EUR,1,,\n\"", false)
	f.Add(header+"x\",\"\nx\",\"\n", false)
	f.Add(`{"id":1,"name":"x","direct_url":"https://x.example","currency":"EUR","final_price":"1.5"}`, true)
	f.Add("{\"id\":\"\\ud800\"}\n[[[[\n", true)
	f.Fuzz(func(t *testing.T, feed string, jsonLines bool) {
		s, err := productlists.NewService(memory.New().ProductLists(), productlists.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := productlists.ImportOptions{Format: productlists.FeedCSV}
		if jsonLines {
			o.Format = productlists.FeedJSONLines
		}
		last, rejected := 0, 0
		o.Rejected = func(r productlists.Rejection) {
			if rejected++; r.Line <= last || r.Reason == "" {
				t.Errorf("line %d after %d: %q", r.Line, last, r.Reason)
			}
			last = r.Line
		}
		report, err := s.Import(t.Context(), strings.NewReader(feed), o)
		if errors.Is(err, affiliate.ErrInvalid) && report.Lines == 0 {
			return // the header
		}
		if err != nil {
			t.Fatal(err)
		}
		if report.Imported+report.Rejected != report.Lines || report.Rejected != rejected || report.Lines > strings.Count(feed, "\n")+strings.Count(feed, "\r")+1 {
			t.Errorf("%+v of %q", report, feed)
		}
		if jsonLines && report.Imported > 0 && !strings.Contains(feed, "\x00") && !validLine(feed) {
			t.Errorf("imported %d of %q, which has no valid line", report.Imported, feed)
		}
	})
}

func validLine(feed string) bool {
	for line := range strings.FieldsFuncSeq(feed, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if json.Valid([]byte(strings.TrimPrefix(line, "\ufeff"))) {
			return true
		}
	}
	return false
}
