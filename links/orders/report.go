package orders

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// maxAhead is how much a shop's clock may be ahead of ours.
const maxAhead = 10 * time.Minute

// LineInput is one position of a reported order.
type LineInput struct {
	SKU      string
	Category string
	Quantity int64 // 0: one
	Value    decimal.Decimal
}

// Report is what an advertiser says about a sale.
type Report struct {
	AdvertiserID int64
	Number       string
	Value        decimal.Decimal    // in major units, tax and shipping included
	Currency     affiliate.Currency // empty: the advertiser's
	At           time.Time          // zero: now
	Tax          affiliate.Optional[decimal.Decimal]
	Shipping     affiliate.Optional[decimal.Decimal]
	Lines        []LineInput
	Voucher      string
	ClickIDs     []uuid.UUID // what the customer followed before
}

// Outcome says what became of a report.
type Outcome string

// The outcomes.
const (
	Added     Outcome = "added"     // a new order
	Known     Outcome = "known"     // the order was reported before, with the same values
	Completed Outcome = "completed" // known, and this report says who brought it, which none did before
	Refused   Outcome = "refused"   // nothing was kept; see the error
)

// Result is what became of one report of several.
type Result struct {
	Order   Order // zero when the report was refused
	Outcome Outcome
	Err     error // why the report was refused
}

// order is the order that a report is about, valid but for what is decided
// about it later.
func (r Report) order(a affiliate.Advertiser, c Collector, now time.Time) (Order, error) {
	o := Order{
		AdvertiserID: r.AdvertiserID, Number: r.Number, At: r.At, Currency: cmp.Or(r.Currency, a.Currency),
		Value: Exact(r.Value), Tax: exactly(r.Tax), Shipping: exactly(r.Shipping), Voucher: r.Voucher,
		NetOfTax: c.NetOfTax, NetOfShipping: c.NetOfShipping, CreatedAt: now, UpdatedAt: now,
		Earning: affiliate.NewMoney(0, a.Currency), Cost: affiliate.NewMoney(0, a.Currency),
	}
	if o.At.IsZero() {
		o.At = now
	}
	o.At = o.At.UTC().Truncate(time.Microsecond)
	o.HoldUntil = o.At.Add(c.Hold())
	o.Lines = linesOf(r.Lines)
	for _, id := range r.ClickIDs {
		if id != uuid.Nil && !slices.Contains(o.ClickIDs, id) {
			o.ClickIDs = append(o.ClickIDs, id)
		}
	}
	var v affiliate.Validation
	v.Merge("", o.Validate())
	v.Check(!o.At.After(now.Add(maxAhead)), "at", "out_of_range", "must not be in the future")
	v.Check(o.At.Year() >= 2000, "at", "out_of_range", "must be in the year 2000 or later")
	return o, v.Err("order")
}

// linesOf are the lines of an order as they are reported.
func linesOf(in []LineInput) []Line {
	if len(in) == 0 {
		return nil
	}
	lines := make([]Line, len(in))
	for i, l := range in {
		lines[i] = Line{SKU: l.SKU, Category: l.Category, Quantity: cmp.Or(l.Quantity, 1), Value: Exact(l.Value)}
	}
	return lines
}

func exactly(d affiliate.Optional[decimal.Decimal]) affiliate.Optional[decimal.Decimal] {
	d.Value = Exact(d.Value)
	return d
}

// Key is what the advertiser knows the order by.
func (o Order) Key() OrderKey { return OrderKey{o.AdvertiserID, o.Number} }

// differs says where a repeated report says something else than the order that
// is kept. What only one of them tells is no difference: a pixel tells less
// than a server.
func (o Order) differs(again Order) error {
	var fields []affiliate.FieldError
	differ := func(field, kept string) {
		fields = append(fields, affiliate.FieldError{Field: field, Code: "differs", Message: "was reported as " + kept + " before; correct the order by name to change it"})
	}
	if !o.Value.Equal(again.Value) {
		differ("value", o.Value.String())
	}
	if o.Currency != again.Currency {
		differ("currency", string(o.Currency))
	}
	if o.Tax.Set && again.Tax.Set && !o.Tax.Value.Equal(again.Tax.Value) {
		differ("tax", o.Tax.Value.String())
	}
	if o.Shipping.Set && again.Shipping.Set && !o.Shipping.Value.Equal(again.Shipping.Value) {
		differ("shipping", o.Shipping.Value.String())
	}
	if len(o.Lines) > 0 && len(again.Lines) > 0 && !sameLines(o.Lines, again.Lines) {
		differ("lines", strconv.Itoa(len(o.Lines))+" other lines")
	}
	if fields == nil {
		return nil
	}
	return &affiliate.Error{
		Kind: affiliate.ErrConflict, Code: "order_differs", Resource: "order", ID: o.Number, Fields: fields,
		Message: "The order was reported with other values before.",
	}
}

func sameLines(a, b []Line) bool {
	return slices.EqualFunc(a, b, func(x, y Line) bool {
		return x.SKU == y.SKU && x.Category == y.Category && x.Quantity == y.Quantity && x.Value.Equal(y.Value)
	})
}
