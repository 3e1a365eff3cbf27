package orders

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxLineRates bounds the rates of one card.
const MaxLineRates = 1000

// LineRate is what a campaign pays for order lines with a SKU or a category.
type LineRate struct {
	SKU        string // this or the category: 1..MaxText characters
	Category   string
	CPA        affiliate.Rate
	InvoiceCPA affiliate.Optional[affiliate.Rate] // absent: CPA
}

// RateCard is a version of a campaign's line rates. A card is never changed: a
// new one holds for clicks and voucher orders from its Since on, so that an
// order is paid by the card of its click.
type RateCard struct {
	ID      int64
	OfferID int64
	Since   time.Time
	Rates   []LineRate
}

// Validate checks what every backend refuses.
func (c RateCard) Validate() error {
	var v affiliate.Validation
	v.Check(!c.Since.IsZero(), "since", "required", "is required")
	v.Check(len(c.Rates) <= MaxLineRates, "rates", "too_many", "must be at most 1000")
	seen := make(map[[2]string]bool, len(c.Rates))
	for i, r := range c.Rates[:min(len(c.Rates), MaxLineRates)] {
		at := "rates." + strconv.Itoa(i) + "."
		v.Text(at+"sku", r.SKU, 0, MaxText)
		v.Text(at+"category", r.Category, 0, MaxText)
		v.Check((r.SKU == "") != (r.Category == ""), at+"sku", "ambiguous", "must be given, or a category, and not both")
		key := [2]string{r.SKU, r.Category}
		v.Check(!seen[key], at+"sku", "duplicate", "must appear once")
		seen[key] = true
	}
	return v.Err("rate_card")
}

// apply gives a line the rates that the card has for it: those of its SKU
// before those of its category.
func (c RateCard) apply(l *Line) {
	l.CPA, l.InvoiceCPA = affiliate.Optional[affiliate.Rate]{}, affiliate.Optional[affiliate.Rate]{}
	var found *LineRate
	for i := range c.Rates {
		r := &c.Rates[i]
		if r.SKU != "" && r.SKU == l.SKU {
			found = r
			break
		}
		if r.Category != "" && r.Category == l.Category && found == nil {
			found = r
		}
	}
	if found != nil {
		l.CPA, l.InvoiceCPA = affiliate.Some(found.CPA), affiliate.Some(found.InvoiceCPA.Or(found.CPA))
	}
}
