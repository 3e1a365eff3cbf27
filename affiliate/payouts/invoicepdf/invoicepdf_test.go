package invoicepdf_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts/invoicepdf"
)

func sample() payouts.Document {
	sek := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
	return payouts.Document{
		Number: "U17-00003", Period: "2026-03", IssuedAt: time.Date(2026, 4, 2, 8, 0, 0, 0, time.UTC),
		Parties: payouts.Parties{
			Seller: payouts.Party{Name: "Åsa Łukasz", Company: "日本ブログ", Street: "Gröna gatan 1", PostalCode: "111 22", City: "Malmö", Country: "SE"},
			Buyer:  payouts.Party{Company: "Affiliate AB", VATNumber: "SE112233445501"},
		},
		Lines: []payouts.Line{{Kind: affiliate.EntryClick, Entries: 1_234, Amount: sek(123_400)}, {Kind: affiliate.EntryReversal, Entries: 1, Amount: sek(-50_000)}},
		Total: sek(73_400),
		Note:  "₽ € £ zł",
	}
}

func render(t *testing.T, d payouts.Document) []byte {
	t.Helper()
	var out bytes.Buffer
	is.New(t).NoErr(invoicepdf.New().Render(&out, d))
	return out.Bytes()
}

func TestTheSameInvoiceIsTheSameBytes(t *testing.T) {
	is := is.New(t)
	one, two := render(t, sample()), render(t, sample())
	is.True(bytes.Equal(one, two))
	other := sample()
	other.Number = "U17-00004"
	is.True(!bytes.Equal(one, render(t, other)))
}

// glyphs are the characters that a PDF of ours can be searched for.
func glyphs(t *testing.T, pdf []byte) string {
	t.Helper()
	is := is.New(t)
	var all strings.Builder
	for _, m := range regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`).FindAllSubmatch(pdf, -1) {
		data := m[1]
		if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
			if plain, err := io.ReadAll(r); err == nil {
				data = plain
			}
		}
		all.Write(data)
	}
	is.True(bytes.HasPrefix(pdf, []byte("%PDF-")))
	return all.String()
}

// utf16 is a text as the page's content writes it.
func utf16(s string) string {
	var b strings.Builder
	for _, r := range s {
		for _, c := range []byte{byte(r >> 8), byte(r)} {
			if c == '\\' || c == '(' || c == ')' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestAnInvoiceShowsEveryScript(t *testing.T) {
	is := is.New(t)
	page := glyphs(t, render(t, sample()))
	for _, want := range []string{"U17-00003", "Åsa", "日本ブログ", "₽", "1 234.00 SEK", "-500.00 SEK", "Refunds and corrections"} {
		for _, r := range want {
			if r != ' ' && !strings.Contains(page, utf16(string(r))) {
				t.Errorf("the page lacks %q of %q", r, want)
			}
		}
	}
	is.True(strings.Contains(page, utf16("日本")))
}

// Whatever people are called, the invoice is a PDF of one page or more.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"Åsa", "日本", "😀", "a\x00b", "\xff\xfe", "e\u0301", "\u202eabc", strings.Repeat("x", 500), "(\\)"} {
		f.Add(s, s)
	}
	r := invoicepdf.New()
	f.Fuzz(func(t *testing.T, name, street string) {
		d := sample()
		d.Seller.Name, d.Seller.Street, d.Note, d.Number = name, street, name, street
		var out bytes.Buffer
		if err := r.Render(&out, d); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out.Bytes(), []byte("%PDF-")) || !bytes.Contains(out.Bytes(), []byte("%%EOF")) {
			t.Error("no PDF")
		}
	})
}

func TestAmountsAreWrittenWithTheirDigits(t *testing.T) {
	is := is.New(t)
	for _, c := range []struct {
		minor    int64
		currency affiliate.Currency
		want     string
	}{
		{0, "SEK", "0.00 SEK"}, {-5, "SEK", "-0.05 SEK"}, {123_456_789, "EUR", "1 234 567.89 EUR"}, {1_000, "JPY", "1 000 JPY"}, {-999_999, "KWD", "-999.999 KWD"},
	} {
		is.Equal(invoicepdf.Amount(affiliate.NewMoney(c.minor, c.currency)), c.want)
	}
}
