package invoicepdf

import (
	_ "embed" // the font
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

//go:embed font/invoice.ttf
var font []byte

// Renderer makes PDFs on A4. It is safe for concurrent use.
type Renderer struct{ known func() map[rune]bool }

var _ payouts.Renderer = Renderer{}

// New returns a renderer.
func New() Renderer {
	return Renderer{known: sync.OnceValue(func() map[rune]bool { return runesOf(font) })}
}

// Extension is ".pdf".
func (Renderer) Extension() string { return ".pdf" }

// Widths and places, in millimetres.
const (
	margin     = 20.0
	width      = 210 - 2*margin
	half       = width / 2
	lineHeight = 5.5
	numberCol  = 30.0
	amountCol  = 45.0
	textCol    = width - numberCol - amountCol
)

const family = "invoice"

// page is a document that is being written.
type page struct {
	*fpdf.Fpdf
	known map[rune]bool
}

// Render writes the PDF of an invoice.
func (r Renderer) Render(w io.Writer, d payouts.Document) error {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCreationDate(d.IssuedAt.UTC())
	pdf.SetModificationDate(d.IssuedAt.UTC())
	pdf.SetCatalogSort(true)
	pdf.SetProducer("affiliatekit", true)
	pdf.SetMargins(margin, margin, margin)
	pdf.SetAutoPageBreak(true, margin)
	pdf.AddUTF8FontFromBytes(family, "", font)
	p := page{pdf, r.known()}
	p.SetTitle(p.printable("Invoice "+d.Number), true)
	p.AddPage()
	p.head(d)
	p.parties(d.Parties)
	p.lines(d)
	p.foot(d)
	if err := p.Output(w); err != nil {
		return fmt.Errorf("invoicepdf: %w", err)
	}
	return nil
}

func (p page) size(points float64) { p.SetFont(family, "", points) }

// printable replaces what the font lacks, and what is no text.
func (p page) printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || p.known[r]:
			return r
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return '□'
	}, s)
}

func (p page) head(d payouts.Document) {
	p.size(20)
	p.CellFormat(half, 12, "Self-billing invoice", "", 0, "L", false, 0, "")
	p.size(10)
	p.rows(half+margin, [][2]string{
		{"Invoice number", d.Number},
		{"Date", d.IssuedAt.UTC().Format(time.DateOnly)},
		{"Period", string(d.Period)},
	})
	p.Ln(10)
}

// rows prints names and values below each other, from a place to the right on.
func (p page) rows(x float64, rows [][2]string) {
	for _, row := range rows {
		p.SetX(x)
		p.SetTextColor(110, 110, 110)
		p.CellFormat(32, lineHeight, row[0], "", 0, "L", false, 0, "")
		p.SetTextColor(0, 0, 0)
		p.CellFormat(half-32, lineHeight, p.printable(row[1]), "", 1, "R", false, 0, "")
	}
}

func (p page) parties(parties payouts.Parties) {
	top := p.GetY()
	p.party(margin, top, "Seller", parties.Seller)
	left := p.GetY()
	p.party(margin+half+5, top, "Buyer, who issues this invoice", parties.Buyer)
	p.SetY(max(left, p.GetY()) + 8)
}

func (p page) party(x, y float64, title string, of payouts.Party) {
	p.SetXY(x, y)
	p.SetTextColor(110, 110, 110)
	p.size(9)
	p.CellFormat(half-5, lineHeight, title, "", 2, "L", false, 0, "")
	p.SetTextColor(0, 0, 0)
	p.size(10.5)
	city := strings.TrimSpace(of.PostalCode + " " + of.City)
	for _, line := range []string{of.Company, of.Name, of.Street, city, of.Country, vat(of.VATNumber), of.Email} {
		if line != "" {
			p.SetX(x)
			p.MultiCell(half-5, lineHeight, p.printable(line), "", "L", false)
		}
	}
}

func vat(number string) string {
	if number == "" {
		return ""
	}
	return "VAT number " + number
}

func (p page) lines(d payouts.Document) {
	p.SetDrawColor(160, 160, 160)
	p.size(9)
	p.SetTextColor(110, 110, 110)
	p.line("What", "Number", "Amount", "B")
	p.SetTextColor(0, 0, 0)
	p.size(10.5)
	for _, l := range d.Lines {
		number := ""
		if l.Entries > 0 {
			number = fmt.Sprint(l.Entries)
		}
		p.line(title(l.Kind), number, Amount(l.Amount), "")
	}
	p.size(12)
	p.Ln(1)
	p.line("Total", "", Amount(d.Total), "T")
}

func (p page) line(what, number, amount, border string) {
	p.CellFormat(textCol, 8, what, border, 0, "L", false, 0, "")
	p.CellFormat(numberCol, 8, number, border, 0, "R", false, 0, "")
	p.CellFormat(amountCol, 8, amount, border, 1, "R", false, 0, "")
}

func (p page) foot(d payouts.Document) {
	p.Ln(6)
	p.size(9.5)
	if d.Account != "" {
		p.MultiCell(width, lineHeight, p.printable("To be paid to the account "+d.Account), "", "L", false)
	}
	if d.Note != "" {
		p.Ln(2)
		p.MultiCell(width, lineHeight, p.printable(d.Note), "", "L", false)
	}
}

// title is what a line of a kind is called.
func title(k affiliate.EntryKind) string {
	switch k {
	case payouts.BroughtForward:
		return "Brought forward"
	case affiliate.EntryClick:
		return "Clicks"
	case affiliate.EntryOrder:
		return "Commission on orders"
	case affiliate.EntryParticipation:
		return "Campaigns"
	case affiliate.EntryOneTime:
		return "One-time payments"
	case affiliate.EntryDeal:
		return "Deals"
	case affiliate.EntryAdjustment:
		return "Adjustments"
	case affiliate.EntryReversal:
		return "Refunds and corrections"
	}
	return string(k)
}

// Amount writes an amount with thousands apart, its sign in front and its
// currency behind: "-1 234.50 SEK".
func Amount(m affiliate.Money) string {
	text := m.Decimal().StringFixed(int32(m.Currency().Digits()))
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return sign + b.String() + " " + string(m.Currency())
}
