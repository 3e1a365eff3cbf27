package orders

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// RefundLineInput takes something from one line of an order: pieces, an amount,
// or, with neither, all that is left of the line. With both, the amount counts
// and the pieces are noted.
type RefundLineInput struct {
	Line     int // its place in Order.Lines
	Quantity int64
	Value    affiliate.Optional[decimal.Decimal] // in major units
}

// RefundInput says what a customer got back: an amount, lines, or, with
// neither, all that is left of the order.
type RefundInput struct {
	// Reference is the advertiser's own, at most MaxText characters: the same
	// one again is the same refund. Empty: every call is another refund.
	Reference string
	Value     affiliate.Optional[decimal.Decimal] // in major units of the order's currency
	Lines     []RefundLineInput
	At        time.Time // zero: now
}

// Refund takes a part of an order back, also after it was paid out: the ledger
// gets a reversal in proportion, and the budgets get their part. More than what
// is left is ErrInvalid "exceeds_left". The reference again returns the refund
// that is there; with other amounts it is ErrConflict "refund_differs".
//
// An amount is spread over the lines, and the value that no line has, in
// proportion to what is left of each.
func (s *Service) Refund(ctx context.Context, id int64, in RefundInput) (Refund, Order, error) {
	var r Refund
	reference := in.Reference
	if reference == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return r, Order{}, affiliate.Unavailable(err)
		}
		reference = made.String()
	}
	o, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) {
		return s.change(ctx, tx, id, TakeBack, func(o *Order, _ Status) (bool, error) {
			before, err := tx.Refunds().ByOrders(ctx, []int64{o.ID})
			if err != nil {
				return false, err
			}
			for _, kept := range before {
				if kept.Reference == reference {
					r = kept
					return false, kept.differs(in)
				}
			}
			previous := *o // o.refund writes to copies of the lines
			if r, err = o.refund(in, s.clock.Now()); err != nil {
				return false, err
			}
			r.Reference = reference
			return true, s.bookRefund(ctx, tx, previous, o, &r, len(before)+1)
		})
	})
	if err != nil {
		return Refund{}, Order{}, err
	}
	return r, o, nil
}

// differs says where a repeated refund asks for something else.
func (r Refund) differs(in RefundInput) error {
	equal := func(d, kept decimal.Decimal) bool { return bounded(d) && d.Equal(kept) }
	same := !in.Value.Set || equal(in.Value.Value, r.Value) && r.Lines == nil
	if len(in.Lines) > 0 {
		same = same && slices.EqualFunc(in.Lines, r.Lines, func(a RefundLineInput, b RefundLine) bool {
			return a.Line == b.Line && (!a.Value.Set || equal(a.Value.Value, b.Value)) && (a.Quantity == 0 || a.Quantity == b.Quantity)
		})
	}
	if same {
		return nil
	}
	return &affiliate.Error{
		Kind: affiliate.ErrConflict, Code: "refund_differs", Resource: "refund", ID: r.Reference,
		Message: "The reference was used for a refund of " + r.Value.String() + " before. Take another one for another refund.",
	}
}

// refund computes what a refund takes from the order's value, and notes it on
// the order.
func (o *Order) refund(in RefundInput, now time.Time) (Refund, error) {
	r := Refund{OrderID: o.ID, At: in.At.UTC().Truncate(time.Microsecond), CreatedAt: now}
	if in.At.IsZero() {
		r.At = now
	}
	var v affiliate.Validation
	v.Check(!in.Value.Set || len(in.Lines) == 0, "value", "ambiguous", "must not be given together with lines")
	v.Check(!r.At.After(now.Add(maxAhead)), "at", "out_of_range", "must not be in the future")
	v.Text("reference", in.Reference, 0, MaxText)
	if err := v.Err("refund"); err != nil {
		return r, err
	}
	o.Lines = slices.Clone(o.Lines)
	if len(in.Lines) > 0 {
		return r, o.refundLines(&r, in.Lines)
	}
	amount := o.left()
	if in.Value.Set {
		if problem := amountProblem(in.Value.Value, o.Currency.Digits()+ExtraDigits); problem != nil {
			problem.Field = "value"
			return r, affiliate.Invalid("refund", *problem)
		}
		amount = Exact(in.Value.Value)
	}
	if !amount.IsPositive() || amount.GreaterThan(o.left()) {
		return r, exceedsLeft("value", o.left())
	}
	weights := make([]decimal.Decimal, 0, len(o.Lines)+1)
	for i := range o.Lines {
		weights = append(weights, o.Lines[i].Value.Sub(o.Lines[i].Refunded))
	}
	weights = append(weights, o.rest().Sub(o.restRefunded()))
	parts := spread(amount, weights, int32(o.Currency.Digits()+ExtraDigits))
	for i := range o.Lines {
		o.Lines[i].Refunded = Exact(o.Lines[i].Refunded.Add(parts[i]))
	}
	r.Value = amount
	o.Refunded = Exact(o.Refunded.Add(amount))
	return r, nil
}

func exceedsLeft(field string, left decimal.Decimal) error {
	return affiliate.Invalid("refund", affiliate.FieldError{Field: field, Code: "exceeds_left", Message: "must be more than 0 and at most " + left.String() + ", which is left"})
}

// refundLines notes what a refund takes from lines.
func (o *Order) refundLines(r *Refund, lines []RefundLineInput) error {
	var v affiliate.Validation
	seen := make(map[int]bool)
	for n, in := range lines {
		at := "lines." + strconv.Itoa(n) + "."
		if in.Line < 0 || in.Line >= len(o.Lines) || seen[in.Line] {
			v.Add(at+"line", "unknown_line", "must be a line of the order, each once")
			continue
		}
		seen[in.Line] = true
		l := &o.Lines[in.Line]
		pieces := l.Quantity - l.RefundedQuantity
		if in.Quantity < 0 || in.Quantity > pieces {
			v.Add(at+"quantity", "exceeds_left", "must be between 0 and "+strconv.FormatInt(pieces, 10)+", which is left")
			continue
		}
		amount, problem := l.takes(in, int32(o.Currency.Digits()+ExtraDigits))
		if problem != nil {
			v.Add(at+"value", problem.Code, problem.Message)
			continue
		}
		quantity := in.Quantity
		if amount.Equal(l.Value.Sub(l.Refunded)) { // nothing is left of it
			quantity = cmp.Or(quantity, pieces)
		}
		l.Refunded, l.RefundedQuantity = Exact(l.Refunded.Add(amount)), l.RefundedQuantity+quantity
		o.Refunded, r.Value = Exact(o.Refunded.Add(amount)), Exact(r.Value.Add(amount))
		r.Lines = append(r.Lines, RefundLine{Line: in.Line, Quantity: quantity, Value: amount})
	}
	return v.Err("refund")
}

// takes is how much of its value an input takes from a line. Pieces are worth
// their share of the line; the last ones are worth what is left.
func (l *Line) takes(in RefundLineInput, digits int32) (decimal.Decimal, *affiliate.FieldError) {
	left := l.Value.Sub(l.Refunded)
	switch {
	case in.Value.Set:
		if problem := amountProblem(in.Value.Value, int(digits)); problem != nil {
			return left, problem
		}
		left = decimal.Min(left, in.Value.Value)
		if !left.Equal(in.Value.Value) || !left.IsPositive() {
			return left, &affiliate.FieldError{Code: "exceeds_left", Message: "must be more than 0 and at most " + l.Value.Sub(l.Refunded).String() + ", which is left of the line"}
		}
	case in.Quantity > 0 && in.Quantity < l.Quantity-l.RefundedQuantity:
		left = decimal.Min(left, l.Value.Mul(decimal.NewFromInt(in.Quantity)).DivRound(decimal.NewFromInt(l.Quantity), digits))
	}
	return Exact(left), nil
}

// bookRefund reverses the refund's share of the money and counts it on the day
// of its order. n is the refund's number within the order.
func (s *Service) bookRefund(ctx context.Context, tx Tx, previous Order, o *Order, r *Refund, n int) error {
	now := s.clock.Now()
	t, err := offers.ParseClickTerms(o.Terms)
	if err != nil {
		return err
	}
	r.Earning, r.Cost = affiliate.NewMoney(0, o.Earning.Currency()), affiliate.NewMoney(0, o.Cost.Currency())
	if o.paid() {
		earning, cost := o.reversed(t)
		earningBefore, costBefore := previous.reversed(t)
		cause := fmt.Sprintf("order_refund:%d.%d", o.ID, n)
		e, tookEarning, tookCost, err := o.takeBack(ctx, tx, now, cause, minus(earning, earningBefore), minus(cost, costBefore))
		if err != nil {
			return err
		}
		r.EntryID, r.Earning, r.Cost = e.ID, tookEarning, tookCost
	}
	kept, err := tx.Refunds().Add(ctx, *r)
	if err != nil {
		return err
	}
	*r = kept
	if err := tx.Events().Add(ctx, o.event(EventOrderRefunded, now)); err != nil || !o.Counts() {
		return err
	}
	after, err := o.worthLeft()
	if err != nil {
		return err
	}
	before, err := previous.worthLeft()
	if err != nil {
		return err
	}
	a, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
	if err != nil {
		return err
	}
	return stats.Record(ctx, tx, o.statOf(&a, stats.OrderChanged, minus(after, before), negative(r.Earning), negative(r.Cost)))
}

// Refunds returns the refunds of an order, oldest first.
func (s *Service) Refunds(ctx context.Context, orderID int64) ([]Refund, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Refund, error) {
		o, err := s.order(ctx, tx, orderID)
		if err != nil {
			return nil, err
		}
		list, err := tx.Refunds().ByOrders(ctx, []int64{orderID})
		for i := range list {
			if !s.viewer.ActsFor(o.AdvertiserID) {
				list[i].Cost = affiliate.NewMoney(0, list[i].Cost.Currency())
			}
		}
		return list, err
	})
}
