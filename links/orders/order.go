package orders

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of an order.
const (
	MaxNumber   = 255               // characters of an order number
	MaxText     = 255               // characters of a SKU, a category, a reference
	MaxClicks   = 10                // click ids of a report
	MaxLines    = 500               // lines of an order
	MaxQuantity = 1_000_000         // pieces of a line
	MaxValue    = 1_000_000_000_000 // major units
	// ExtraDigits is how many digits more than its currency an order's value
	// may have after the point.
	ExtraDigits = 4
)

// Source says by what an order was attributed.
type Source string

// The sources. An order without one earns nobody anything.
const (
	Unattributed Source = ""
	ByClick      Source = "click"
	ByVoucher    Source = "voucher"
)

// Line is one position of an order, with the rates that were frozen for it.
type Line struct {
	SKU      string          // at most MaxText characters
	Category string          // at most MaxText characters
	Quantity int64           // 1..MaxQuantity
	Value    decimal.Decimal // of all its pieces, in major units
	// CPA and InvoiceCPA are what the campaign pays for this SKU or category;
	// absent: the rates of the order's terms hold.
	CPA        affiliate.Optional[affiliate.Rate]
	InvoiceCPA affiliate.Optional[affiliate.Rate]
	// Refunded is how much of the value, and how many of the pieces, were taken back.
	Refunded         decimal.Decimal
	RefundedQuantity int64
}

// Order is a sale that an advertiser reported. Decimals are in their shortest
// form; see Exact.
type Order struct {
	ID           int64
	AdvertiserID int64
	Number       string             // the advertiser's own, unique among its orders: 1..MaxNumber characters
	At           time.Time          // when the customer ordered
	Currency     affiliate.Currency // of the value
	Value        decimal.Decimal    // in major units, tax and shipping included
	Tax          affiliate.Optional[decimal.Decimal]
	Shipping     affiliate.Optional[decimal.Decimal]
	Lines        []Line
	Voucher      string      // the code as reported; may be empty
	ClickIDs     []uuid.UUID // as reported, at most MaxClicks

	// Source says how the order was attributed, and the next six fields to whom.
	// They are zero for an unattributed order.
	Source    Source
	ClickID   uuid.UUID // the click that pays; for ByClick
	VoucherID int64     // for ByVoucher
	LinkID    int64     // of the click
	UserID    int64     // the creator who earns
	OfferID   int64     // the campaign whose budgets pay; 0: none
	Traffic   affiliate.TrafficSource
	Terms     string // the rates, frozen: offers.ClickTerms; at most 4096 characters

	// NetOfTax and NetOfShipping are the advertiser's choice at the time of the
	// report: the commission is computed without the tax, without the shipping.
	NetOfTax      bool
	NetOfShipping bool
	// Rate is how many units of the currency of the terms one unit of Currency
	// was worth when the order was priced; 0 when no rate was known.
	Rate    decimal.Decimal
	Earning affiliate.Money // of the creator, before refunds; in the currency of the terms
	Cost    affiliate.Money // of the advertiser, before refunds; in the same currency
	Reason  string          // why it earns nothing, stable snake_case, at most 64 characters; empty when it does

	Refunded   decimal.Decimal // how much of the value was taken back
	Revision   int64           // how often it was corrected or priced again
	HoldUntil  time.Time       // from when it is approved and payable
	DeclinedAt time.Time       // zero: not
	// ApprovedAt is HoldUntil once Sweep has told of the approval, else zero.
	// StatusAt does not look at it.
	ApprovedAt time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Exact is a decimal in its shortest form: 10.50 and 10.5 are the same value
// with one representation. One that is beyond all bounds stays as it is: to
// write it out could take for ever.
func Exact(d decimal.Decimal) decimal.Decimal {
	switch {
	case d.IsZero():
		return decimal.Decimal{}
	case !bounded(d):
		return d
	}
	short, err := decimal.NewFromString(d.String())
	if err != nil { // cannot be: it is a decimal's own text
		return d
	}
	return short
}

// bounded reports whether computing with a decimal is cheap.
func bounded(d decimal.Decimal) bool {
	return d.Exponent() <= 20 && d.Exponent() >= -64 && d.NumDigits() <= 100
}

// StatusAt is the state of the order at an instant.
func (o Order) StatusAt(now time.Time) Status {
	switch {
	case !o.DeclinedAt.IsZero():
		return Declined
	case now.Before(o.HoldUntil):
		return Pending
	}
	return Approved
}

// Counts reports whether statistics count the order: somebody brought it, and
// its campaign took it.
func (o Order) Counts() bool {
	return o.Source != Unattributed && (o.Reason == "" || o.Reason == ReasonNoCommission) && o.DeclinedAt.IsZero()
}

// Cause is what the ledger knows the order's entry by: each revision books its own.
func (o Order) Cause() string {
	cause := "order:" + strconv.FormatInt(o.ID, 10)
	if o.Revision > 0 {
		cause += "." + strconv.FormatInt(o.Revision, 10)
	}
	return cause
}

// Validate checks what every backend refuses.
func (o Order) Validate() error {
	var v affiliate.Validation
	v.Text("number", o.Number, 1, MaxNumber)
	v.Check(!o.At.IsZero(), "at", "required", "is required")
	v.Check(o.Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 currency")
	validateValues(&v, o)
	v.Text("voucher", o.Voucher, 0, MaxText)
	v.Check(len(o.ClickIDs) <= MaxClicks, "click_ids", "too_many", "must be at most 10")
	v.Check(!slices.Contains(o.ClickIDs, uuid.Nil), "click_ids", "required", "must not contain an empty id")
	switch o.Source {
	case Unattributed:
		v.Check(o.UserID == 0, "user_id", "source_mismatch", "must be set for an attributed order and only then")
	case ByClick, ByVoucher:
		v.Check(o.UserID != 0, "user_id", "source_mismatch", "must be set for an attributed order and only then")
	default:
		v.Add("source", "not_in_list", "must be a known source")
	}
	v.Check((o.Source == ByClick) == (o.ClickID != uuid.Nil), "click_id", "source_mismatch", "must be set for an order by a click and only then")
	v.Check((o.Source == ByVoucher) == (o.VoucherID != 0), "voucher_id", "source_mismatch", "must be set for an order by a voucher and only then")
	v.Check(o.Traffic < affiliate.TrafficSources, "traffic", "unknown_source", "must be between 0 and 4")
	v.Text("terms", o.Terms, 0, 4096)
	v.Check(!o.Rate.IsNegative() && o.Rate.Exponent() >= -MaxRateDigits && o.Rate.LessThanOrEqual(decimal.NewFromInt(MaxRate)), "rate", "out_of_range", rateBounds)
	v.Check(o.Earning.Currency().Valid(), "earning", "unknown_currency", "must have an ISO 4217 currency")
	v.Check(o.Earning.Currency() == o.Cost.Currency(), "cost", "currency_mismatch", "must be in the currency of the earning")
	v.Check(o.Earning.Sign() >= 0, "earning", "negative", "must not be negative")
	v.Check(o.Cost.Sign() >= 0, "cost", "negative", "must not be negative")
	v.Text("reason", o.Reason, 0, 64)
	v.Check(o.Reason == "" || o.Earning.IsZero() && o.Cost.IsZero(), "earning", "not_paid", "must be zero when there is a reason")
	v.Check(o.Revision >= 0, "revision", "out_of_range", "must not be negative")
	v.Check(!o.HoldUntil.IsZero(), "hold_until", "required", "is required")
	v.Check(!o.CreatedAt.IsZero(), "created_at", "required", "is required")
	return v.Err("order")
}

// validateValues checks the amounts of an order and its lines.
func validateValues(v *affiliate.Validation, o Order) {
	digits := o.Currency.Digits() + ExtraDigits
	amount := func(field string, d decimal.Decimal) bool {
		problem := amountProblem(d, digits)
		if problem != nil {
			v.Add(field, problem.Code, problem.Message)
		}
		return problem == nil
	}
	ok := amount("value", o.Value)
	extras := decimal.Decimal{}
	for _, e := range []struct {
		field string
		of    affiliate.Optional[decimal.Decimal]
	}{{"tax", o.Tax}, {"shipping", o.Shipping}} {
		if e.of.Set {
			if ok = amount(e.field, e.of.Value) && ok; ok {
				extras = extras.Add(e.of.Value)
			}
		}
	}
	v.Check(!ok || extras.LessThanOrEqual(o.Value), "tax", "exceeds_value", "must not exceed the value of the order, together with the shipping")
	v.Check(len(o.Lines) <= MaxLines, "lines", "too_many", "must be at most "+strconv.Itoa(MaxLines))
	sum := decimal.Decimal{}
	taken := decimal.Decimal{}
	for i, l := range o.Lines[:min(len(o.Lines), MaxLines)] {
		at := "lines." + strconv.Itoa(i) + "."
		v.Text(at+"sku", l.SKU, 0, MaxText)
		v.Text(at+"category", l.Category, 0, MaxText)
		v.Check(l.Quantity >= 1 && l.Quantity <= MaxQuantity, at+"quantity", "out_of_range", "must be between 1 and "+strconv.Itoa(MaxQuantity))
		v.Check(l.RefundedQuantity >= 0 && l.RefundedQuantity <= l.Quantity, at+"refunded_quantity", "out_of_range", "must be between 0 and the quantity")
		if ok = amount(at+"value", l.Value) && ok; ok {
			sum = sum.Add(l.Value)
		}
		if amount(at+"refunded", l.Refunded) {
			v.Check(!ok || l.Refunded.LessThanOrEqual(l.Value), at+"refunded", "out_of_range", "must not exceed the value of the line")
			taken = taken.Add(l.Refunded)
		}
	}
	v.Check(!ok || sum.LessThanOrEqual(o.Value), "lines", "exceeds_value", "must not add up to more than the value of the order")
	if amount("refunded", o.Refunded) {
		v.Check(!ok || o.Refunded.LessThanOrEqual(o.Value), "refunded", "out_of_range", "must not exceed the value of the order")
		v.Check(!ok || taken.LessThanOrEqual(o.Refunded), "refunded", "out_of_range", "must not be less than what the lines refunded")
	}
}

// amountProblem is what is wrong with an amount of major units, if anything.
func amountProblem(d decimal.Decimal, digits int) *affiliate.FieldError {
	switch {
	case !bounded(d): // comparing it could be expensive
		return &affiliate.FieldError{Code: "out_of_range", Message: "must be between 0 and " + strconv.Itoa(MaxValue)}
	case d.IsNegative() || d.GreaterThan(decimal.NewFromInt(MaxValue)):
		return &affiliate.FieldError{Code: "out_of_range", Message: "must be between 0 and " + strconv.Itoa(MaxValue)}
	case Exact(d).Exponent() < -int32(digits):
		return &affiliate.FieldError{Code: "too_precise", Message: "must have at most " + strconv.Itoa(digits) + " digits after the point"}
	}
	return nil
}
