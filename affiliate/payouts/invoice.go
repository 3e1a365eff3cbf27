package payouts

import (
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Invoice is the self-billing invoice of a payment: the number, and who sells
// to whom, frozen and sealed. The amounts are the payment's.
type Invoice struct {
	PaymentID int64
	Series    string // 1..32 characters
	Serial    int64  // within the series, from 1, without gaps
	IssuedAt  time.Time
	Parties   Sealed // a Parties value as JSON
}

// Number returns the invoice number: the series and the serial. No series has a
// dash, so different invoices never share a number.
func (i Invoice) Number() string { return fmt.Sprintf("%s-%05d", i.Series, i.Serial) }

// Validate checks what every backend refuses.
func (i Invoice) Validate() error {
	var v affiliate.Validation
	v.Check(i.PaymentID > 0, "payment_id", "required", "is required")
	v.Text("series", i.Series, 1, maxSeries)
	v.Check(i.Serial > 0, "serial", "out_of_range", "must be at least 1")
	v.Merge("", i.Parties.validate())
	return v.Err("invoice")
}

const maxSeries = 32

// Validate checks what every backend refuses.
func (t SeriesTake) Validate() error {
	var v affiliate.Validation
	v.Text("series", t.Series, 1, maxSeries)
	v.Check(t.Count >= 1 && t.Count <= maxTake, "count", "out_of_range", "must be between 1 and 1000000")
	return v.Err("series")
}

const maxTake = 1_000_000

// Party is one side of an invoice.
type Party struct {
	Name       string `json:"name,omitempty"`
	Company    string `json:"company,omitempty"`
	VATNumber  string `json:"vat_number,omitempty"`
	Street     string `json:"street,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	City       string `json:"city,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Email      string `json:"email,omitempty"`
}

// Parties are who an invoice is between.
type Parties struct {
	Seller  Party  `json:"seller"`            // the creator
	Buyer   Party  `json:"buyer"`             // who pays, and writes the invoice
	Account string `json:"account,omitempty"` // where the money goes, masked
}

// Document is an invoice as it is shown: everything that a renderer prints.
type Document struct {
	Number   string
	Period   Period
	IssuedAt time.Time
	Parties
	Lines []Line
	Total affiliate.Money
	Note  string // Options.InvoiceNote
}

// Line is one line of an invoice. A refund after a payout has a negative amount.
type Line struct {
	Kind    affiliate.EntryKind // BroughtForward, or the kind of the entries
	Entries int64               // how many; 0 for BroughtForward
	Amount  affiliate.Money
}

// lines returns the parts of a payment as lines.
func lines(p Payment) []Line {
	out := make([]Line, len(p.Parts))
	for i, part := range p.Parts {
		out[i] = Line{Kind: part.Kind, Entries: part.Entries, Amount: affiliate.NewMoney(part.Amount, p.Amount.Currency())}
	}
	return out
}
