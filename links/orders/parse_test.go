package orders_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const someClick = "0190a5c4-7d1e-7abc-8def-0123456789ab"

func TestABeaconIsReadFromQueryAndForm(t *testing.T) {
	is := is.New(t)
	b, err := orders.ParseBeacon("organization=7&event=3&orderNumber=A%201&orderValue=12.50&currency=sek&voucher=+anna+&tduid="+someClick, "currency=EUR&mtpc_cid=foreign,"+someClick)
	is.NoErr(err)
	is.Equal(b.OrganizationID, int64(7))
	is.Equal(b.EventID, int64(3))
	is.Equal(b.Number, "A 1")
	is.Equal(b.Value.String(), "12.5")
	is.Equal(b.Currency, affiliate.Currency("SEK")) // the query goes first
	is.Equal(b.Voucher, "anna")
	is.Equal(b.ClickIDs, []uuid.UUID{uuid.MustParse(someClick)})
	b, err = orders.ParseBeacon("", "organization=7&event=3&ordervalue=ORD-7&ordervalue=99")
	is.NoErr(err)
	is.Equal(b.Number, "ORD-7") // twice, and no number: the first one is it
	is.Equal(b.Value.String(), "99")
}

func TestABeaconCarriesClickIDsUnderTheNameOfTheHost(t *testing.T) {
	is := is.New(t)
	const query, other = "organization=7&event=3&ordernumber=1&ordervalue=1&CID=" + someClick, "0190a5c4-7d1e-7abc-8def-0123456789ac"
	s, err := orders.NewService(backends.Memory().Orders, orders.Options{ClickParameter: "Cid"})
	is.NoErr(err)
	b, err := s.ParseBeacon(query+"&mtpc_cid="+other, "")
	is.NoErr(err)
	is.Equal(b.ClickIDs, []uuid.UUID{uuid.MustParse(someClick), uuid.MustParse(other)}) // what was sent before the change still counts
	b, err = orders.ParseBeacon(query, "")
	is.NoErr(err)
	is.Equal(len(b.ClickIDs), 0)
	_, err = orders.NewService(backends.Memory().Orders, orders.Options{ClickParameter: "voucher"})
	is.True(err != nil)
}

func TestAUselessBeaconSaysWhatIsWrong(t *testing.T) {
	for query, want := range map[string]string{
		"": "organization required",
		"organization=x&event=1&ordernumber=1&ordervalue=1":                          "organization invalid_integer",
		"organization=1&event=-1&ordernumber=1&ordervalue=1":                         "event invalid_integer",
		"organization=1&event=1&ordernumber=1":                                       "ordervalue required",
		"organization=1&event=1&ordernumber=1&ordervalue=1e9":                        "ordervalue invalid_decimal",
		"organization=1&event=1&ordernumber=1&ordervalue=1,50":                       "ordervalue invalid_decimal",
		"organization=1&event=1&ordernumber=1&ordervalue=1&ordervalue=2":             "ordervalue duplicate",
		"organization=1&event=1&ordernumber=1&ordervalue=" + strings.Repeat("9", 41): "ordervalue too_long",
		"organization=%zz": "query invalid",
		"organization=1&event=1&signature=ab&ordernumber=1&ordervalue=1": "signature not_last",
	} {
		_, err := orders.ParseBeacon(query, "")
		if got := code(err); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestASignedReportProvesTheAdvertiser(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	ctx := t.Context()
	c, err := w.orders.RotateKeys(ctx, w.acme.ID)
	is.NoErr(err)
	send := func(query, body string) error {
		b, err := orders.ParseBeacon(query, body)
		if err == nil {
			_, _, err = w.orders.Collect(ctx, b)
		}
		return err
	}
	query := fmt.Sprintf("organization=%d&event=1&ordernumber=1&ordervalue=5", c.OrganizationID)
	is.NoErr(send(query+"&signature="+orders.Sign(c.HMACKey, query), ""))
	is.NoErr(send("a=b", query+"&signature="+orders.Sign(c.HMACKey, "a=b&"+query)))
	is.Equal(code(send(query+"0&signature="+orders.Sign(c.HMACKey, query), "")), "signature bad_signature")
	is.Equal(code(send(query+"&signature=zz", "")), "signature bad_signature")
	is.NoErr(send(query, "")) // signing is a choice
	_, err = w.orders.UpdateCollector(ctx, w.acme.ID, orders.CollectorChange{SignedOnly: affiliate.Some(true)})
	is.NoErr(err)
	is.Equal(code(send(query, "")), "signature required")
	is.Equal(code(send(strings.Replace(query, "event=1", "event=2", 1), "")), "event unknown_event")
	is.Equal(code(send("organization=99999&event=1&ordernumber=1&ordervalue=5", "")), "organization unknown_organization")
}

func TestABatchIsAnsweredLineByLine(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		c := w.click(w.link)
		run := func(f orders.Format, text string) []string {
			var got []string
			is.NoErr(w.orders.ReportLines(t.Context(), w.acme.ID, strings.NewReader(text), f, func(r orders.LineResult) error {
				what := string(r.Outcome)
				if r.Err != nil {
					what = code(r.Err)
				}
				got = append(got, fmt.Sprintf("%d %s %s", r.Line, r.Number, what))
				return nil
			}))
			return got
		}
		is.Equal(run(orders.JSONLines, strings.Join([]string{
			"\ufeff" + `{"order_number":"1","order_value":100,"click_id":"` + c.ID.String() + `","lines":[{"sku":"a","quantity":2,"value":"99.5"}],"new":true}`,
			``,
			`{"order_number":"2","order_value":"5.00","order_at":"2026-03-18T10:00:00Z"}`,
			`{"order_number":"1","order_value":100}`,
			`{"order_number":"1","order_value":101}`,
			`{"order_number":"3","order_value":true}`,
			`{"order_number":"4","order_value":1}{}`,
			`{"order_number":"5","order_at":"yesterday"}`,
			"{\"order_number\":\"6\xff\",\"order_value\":1}",
			`{"order_number":"` + strings.Repeat("7", orders.MaxLineBytes) + `"}`,
			`{"order_number":"8","order_value":8}`,
		}, "\r\n")), []string{
			"1 1 added", "3 2 added", "4 1 known", "5 1 order_differs", "6  line invalid", "7  line invalid",
			"8 5 order_value required", "9  line invalid", "10  line too_long", "11 8 added",
		})
		is.Equal(run(orders.CSV, "order_number,order_value,currency,click_id\n9,\"1\",SEK,\n10\n11,2,SEK,x,y\n12,3,\"SE\"K\n13,4,XXX\n1,100.0,SEK,\n"), []string{
			"2 9 added", "3 10 order_value required", "4  line invalid", "5  line invalid", "6 13 currency unknown_currency", "7 1 known",
		})
		is.Equal(w.total(w.anna).Earned, int64(10+500))
		err := w.orders.ReportLines(t.Context(), w.acme.ID, strings.NewReader("number\n1"), orders.CSV, func(orders.LineResult) error { return nil })
		is.Equal(code(err), "order_number required")
		w.verify()
	})
}

func FuzzParseBeacon(f *testing.F) {
	for _, s := range []string{
		"", "organization=1&event=1&ordernumber=1&ordervalue=1&currency=EUR&voucher=abc&mtpc_cid=" + someClick, "ordervalue=a&ordervalue=1",
		"organization=9223372036854775807&event=0", "a=%00&b=%ff&ordernumber=%", "signature=", "x&signature=00", "tax=1&shipping=-", ";=;",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		b, err := orders.ParseBeacon(query, body)
		if len(b.ClickIDs) > orders.MaxClicks {
			t.Fatalf("%d click ids", len(b.ClickIDs))
		}
		if err == nil && (b.OrganizationID < 1 || b.EventID < 1 || b.Value.Exponent() < -40 || b.Value.Exponent() > 40) {
			t.Fatalf("%q, %q: %+v", query, body, b)
		}
	})
}

func FuzzReportLines(f *testing.F) {
	for _, s := range []string{
		"", "\n\n", "order_number,order_value\n1,2\n", `{"order_number":"1","order_value":2,"lines":[{}]}`, "\ufeff{}", "\"", "a,b\n\"",
		`{"order_value":1e9999,"order_number":"1"}`, "{\"lines\":[{\"value\":\"-0.1\",\"quantity\":-9223372036854775808}]}",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	w := newWorld(f, backends.Memory())
	f.Fuzz(func(t *testing.T, text string, asCSV bool) {
		format := orders.JSONLines
		if asCSV {
			format = orders.CSV
		}
		last := 0
		_ = w.orders.ReportLines(t.Context(), w.acme.ID, strings.NewReader(text), format, func(r orders.LineResult) error {
			if r.Line <= last || (r.Err == nil) == (r.Outcome == orders.Refused) {
				t.Fatalf("%q: %+v after line %d", text, r, last)
			}
			last = r.Line
			return nil
		})
	})
}

func FuzzFoldCode(f *testing.F) {
	for _, s := range []string{"", " a ", "ÄNNA", "A\u0308nna", "STRASSE", "straße", "İ", "\xff", "ǆ", "ﬁ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := orders.FoldCode(s)
		if orders.FoldCode(once) != once {
			t.Fatalf("%q: folded %q, folded again %q", s, once, orders.FoldCode(once))
		}
		if !utf8.ValidString(s) {
			return
		}
		if upper := orders.FoldCode(strings.ToUpper(s)); strings.ToLower(s) == s && strings.ToLower(strings.ToUpper(s)) == s && upper != once {
			t.Fatalf("%q: %q, in capitals %q", s, once, upper)
		}
	})
}
