package orders

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// RefundLine is what a refund takes from one line of an order.
type RefundLine struct {
	Line     int             // its place in Order.Lines
	Quantity int64           // how many pieces; 0: an amount only
	Value    decimal.Decimal // in major units
}

// Refund is a part of an order that the customer got back, or all of it.
type Refund struct {
	ID        int64
	OrderID   int64
	Reference string          // the advertiser's own, unique per order: 1..MaxText characters
	Value     decimal.Decimal // in major units of the order's currency
	Lines     []RefundLine    // of which lines; none: it was given as an amount
	// Earning and Cost are what it took back, as positive amounts; zero when the
	// order earned nothing.
	Earning   affiliate.Money
	Cost      affiliate.Money
	EntryID   int64 // the ledger's reversal, 0: none was booked
	At        time.Time
	CreatedAt time.Time
}

// Validate checks what every backend refuses.
func (r Refund) Validate() error {
	var v affiliate.Validation
	v.Text("reference", r.Reference, 1, MaxText)
	if problem := amountProblem(r.Value, 4+ExtraDigits); problem != nil {
		v.Add("value", problem.Code, problem.Message)
	}
	v.Check(len(r.Lines) <= MaxLines, "lines", "too_many", "must be at most "+strconv.Itoa(MaxLines))
	for i, l := range r.Lines[:min(len(r.Lines), MaxLines)] {
		at := "lines." + strconv.Itoa(i) + "."
		v.Check(l.Line >= 0 && l.Line < MaxLines, at+"line", "out_of_range", "must be a line of the order")
		v.Check(l.Quantity >= 0 && l.Quantity <= MaxQuantity, at+"quantity", "out_of_range", "must be between 0 and "+strconv.Itoa(MaxQuantity))
		if problem := amountProblem(l.Value, 4+ExtraDigits); problem != nil {
			v.Add(at+"value", problem.Code, problem.Message)
		}
	}
	v.Check(r.Earning.Currency().Valid(), "earning", "unknown_currency", "must have an ISO 4217 currency")
	v.Check(r.Earning.Currency() == r.Cost.Currency(), "cost", "currency_mismatch", "must be in the currency of the earning")
	v.Check(r.Earning.Sign() >= 0, "earning", "negative", "must not be negative")
	v.Check(r.Cost.Sign() >= 0, "cost", "negative", "must not be negative")
	v.Check(r.EntryID >= 0, "entry_id", "out_of_range", "must not be negative")
	v.Check(!r.At.IsZero(), "at", "required", "is required")
	v.Check(!r.CreatedAt.IsZero(), "created_at", "required", "is required")
	return v.Err("refund")
}
