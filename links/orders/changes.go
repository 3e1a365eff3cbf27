package orders

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// change locks an order, asks the state machine, and keeps what fn made of it.
// fn returns false when there is nothing to keep.
func (s *Service) change(ctx context.Context, tx Tx, id int64, e Trigger, fn func(o *Order, at Status) (bool, error)) (Order, error) {
	found, err := tx.Orders().Lock(ctx, []int64{id})
	if err != nil {
		return Order{}, err
	}
	if len(found) == 0 || !s.viewer.ActsFor(found[0].AdvertiserID) {
		return Order{}, affiliate.NotFound("order", id)
	}
	o, now := found[0], s.clock.Now()
	status := o.StatusAt(now)
	if _, ok := status.On(e); !ok {
		return Order{}, illegalMove(o, status, e)
	}
	changed, err := fn(&o, status)
	if err != nil || !changed {
		return o, err
	}
	o.UpdatedAt = now
	return o, tx.Orders().Update(ctx, o)
}

// Decline says that a pending order is no sale: what is left of its money is
// taken back. Declining again changes nothing; an approved order is ErrState.
func (s *Service) Decline(ctx context.Context, id int64) (Order, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) {
		return s.change(ctx, tx, id, Decline, func(o *Order, at Status) (bool, error) {
			if at == Declined {
				return false, nil
			}
			now := s.clock.Now()
			counted := o.Counts()
			_, earning, cost, err := o.takeBack(ctx, tx, now, fmt.Sprintf("order_declined:%d", o.ID), o.Earning, o.Cost)
			if err != nil {
				return false, err
			}
			o.DeclinedAt = now
			if err := tx.Events().Add(ctx, o.event(EventOrderDeclined, now)); err != nil || !counted {
				return true, err
			}
			value, err := o.worthLeft()
			if err != nil {
				return false, err
			}
			a, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
			if err != nil {
				return false, err
			}
			return true, stats.Record(ctx, tx, o.statOf(&a, stats.OrderDeclined, negative(value), negative(earning), negative(cost)))
		})
	})
}

// worthLeft is what statistics count of the order's value after refunds.
func (o *Order) worthLeft() (affiliate.Money, error) {
	whole, err := o.worth(o.Value)
	if err != nil {
		return whole, err
	}
	back, err := o.worthRefunded()
	return minus(whole, back), err
}

// worthRefunded is what refunds took from the value that statistics count: the
// share of the refunded part by largest remainder, so that a whole refund takes
// all of it.
func (o *Order) worthRefunded() (affiliate.Money, error) {
	whole, err := o.worth(o.Value)
	if err != nil || o.Value.IsZero() {
		return affiliate.NewMoney(0, whole.Currency()), err
	}
	return proportion(whole, o.Refunded.Rat(), o.Value.Rat()), nil
}

func negative(m affiliate.Money) affiliate.Money { return affiliate.NewMoney(-m.Minor(), m.Currency()) }

// Correction says what an order is instead. What is absent stays.
type Correction struct {
	Value    affiliate.Optional[decimal.Decimal]
	Tax      affiliate.Optional[decimal.Decimal]
	Shipping affiliate.Optional[decimal.Decimal]
	Lines    affiliate.Optional[[]LineInput]
}

// Correct changes the values of an order by name: its entry is reversed and a
// new one is booked, by the same click or voucher, the same terms and the same
// exchange rate. When no budget has room for the new amount the order is kept
// without money. An order with refunds is ErrConflict "has_refunds"; a
// correction to what the order is already changes nothing.
func (s *Service) Correct(ctx context.Context, id int64, c Correction) (Order, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) {
		return s.change(ctx, tx, id, Change, func(o *Order, _ Status) (bool, error) {
			before := *o
			c.apply(o)
			if !o.bounded() { // it cannot be compared; Validate says what is wrong
				return false, o.Validate()
			}
			if before.Value.Equal(o.Value) && sameOptional(before.Tax, o.Tax) && sameOptional(before.Shipping, o.Shipping) && sameLines(before.Lines, o.Lines) {
				return false, nil
			}
			if err := unrefunded(before); err != nil {
				return false, err
			}
			if err := o.Validate(); err != nil {
				return false, err
			}
			return true, s.rebook(ctx, tx, &before, o)
		})
	})
}

// bounded reports whether computing with the order's amounts is cheap.
func (o *Order) bounded() bool {
	ok := bounded(o.Value) && bounded(o.Tax.Value) && bounded(o.Shipping.Value)
	for i := range o.Lines {
		ok = ok && bounded(o.Lines[i].Value)
	}
	return ok
}

func sameOptional(a, b affiliate.Optional[decimal.Decimal]) bool {
	return a.Set == b.Set && a.Value.Equal(b.Value)
}

func unrefunded(o Order) error {
	if o.Refunded.IsZero() {
		return nil
	}
	return &affiliate.Error{
		Kind: affiliate.ErrConflict, Code: "has_refunds", Resource: "order", ID: o.Number,
		Message: "A part of the order was refunded already. Refund what else is to be taken back.",
	}
}

// apply changes the values of an order. Its money is computed later; until then
// it is what it was.
func (c Correction) apply(o *Order) {
	if c.Value.Set {
		o.Value = Exact(c.Value.Value)
	}
	if c.Tax.Set {
		o.Tax = exactly(c.Tax)
	}
	if c.Shipping.Set {
		o.Shipping = exactly(c.Shipping)
	}
	if c.Lines.Set {
		o.Lines = linesOf(c.Lines.Value)
	}
}

// rebook takes back what the order moved before, and books what it comes to
// now under its next revision.
func (s *Service) rebook(ctx context.Context, tx Tx, before, o *Order) error {
	now := s.clock.Now()
	o.Revision++
	if _, _, _, err := before.takeBack(ctx, tx, now, fmt.Sprintf("order_corrected:%d.%d", o.ID, o.Revision), before.Earning, before.Cost); err != nil {
		return err
	}
	var change []stats.Fact
	if err := s.reprice(ctx, tx, o); err != nil {
		return err
	}
	if err := tx.Events().Add(ctx, o.event(EventOrderCorrected, now)); err != nil {
		return err
	}
	a, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
	if err != nil {
		return err
	}
	was, err := before.stat(&a, stats.OrderDeclined)
	if err != nil {
		return err
	}
	is, err := o.stat(&a, stats.OrderPaid)
	if err != nil {
		return err
	}
	switch {
	case before.Counts() && o.Counts():
		change = append(change, o.statOf(&a, stats.OrderChanged, minus(is.Value, was.Value), minus(is.Earning, was.Earning), minus(is.Cost, was.Cost)))
	case before.Counts():
		change = append(change, o.statOf(&a, stats.OrderDeclined, negative(was.Value), negative(was.Earning), negative(was.Cost)))
	case o.Counts():
		change = append(change, is)
	}
	return stats.Record(ctx, tx, change...)
}

// reprice prices an attributed order by its terms and its rate, draws the cost
// and books the entry. Other orders it leaves alone.
func (s *Service) reprice(ctx context.Context, tx Tx, o *Order) error {
	if o.Source == Unattributed || o.Terms == "" {
		return nil
	}
	t, err := offers.ParseClickTerms(o.Terms)
	if err != nil {
		return err
	}
	if o.takesCard(t) {
		ask := CardAt{OfferID: o.OfferID, At: o.At}
		if o.Source == ByClick {
			found, err := tx.Clicks().GetMany(ctx, []uuid.UUID{o.ClickID})
			if err != nil {
				return err
			}
			clicks := make(map[uuid.UUID]links.Click, 1)
			for _, c := range found {
				clicks[c.ID] = c
			}
			ask = o.cardAt(clicks)
		}
		cards, err := tx.RateCards().Holding(ctx, []CardAt{ask})
		if err != nil {
			return err
		}
		o.applyCard(cards[0])
	}
	if err := o.setPrice(t); err != nil || !o.paid() {
		return err
	}
	var drawn offers.Drawn
	if o.OfferID != 0 {
		decisions, err := offers.ChargeOrders(ctx, tx, []offers.OrderCharge{o.charge()})
		if err != nil {
			return err
		}
		if drawn = decisions[0].Drawn; decisions[0].Reason != "" {
			o.unpaid(string(decisions[0].Reason))
			return nil
		}
	}
	e, err := o.entry(drawn)
	if err != nil {
		return err
	}
	_, err = tx.Ledger().Append(ctx, e)
	return err
}

// Reprice tries again to pay an order that was kept without money because no
// exchange rate was known, or because no budget had room. It asks for the rate
// of the order's time. An order that is paid, or that nobody brought, stays as
// it is; one with refunds is ErrConflict "has_refunds".
func (s *Service) Reprice(ctx context.Context, id int64) (Order, error) {
	o, err := s.Order(ctx, id)
	if err != nil {
		return o, err
	}
	if !s.viewer.ActsFor(o.AdvertiserID) {
		return Order{}, affiliate.NotFound("order", id)
	}
	var rate decimal.Decimal
	if o.Reason == ReasonNoRate {
		t, err := offers.ParseClickTerms(o.Terms)
		if err != nil {
			return o, err
		}
		if rate, err = s.rateOf(ctx, rateKey{o.Currency, t.Currency, o.At}); err != nil {
			return o, err
		}
	}
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) {
		return s.change(ctx, tx, id, Change, func(o *Order, _ Status) (bool, error) {
			again := []string{ReasonNoRate, ReasonBudgetLimit, ReasonSharedBudget}
			if !slices.Contains(again, o.Reason) {
				return false, nil
			}
			if err := unrefunded(*o); err != nil {
				return false, err
			}
			if o.Reason == ReasonNoRate {
				o.Rate = rate
			}
			if err := s.reprice(ctx, tx, o); err != nil {
				return false, err
			}
			if err := tx.Events().Add(ctx, o.event(EventOrderRepriced, s.clock.Now())); err != nil || !o.Counts() {
				return true, err
			}
			a, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
			if err != nil {
				return false, err
			}
			is, err := o.stat(&a, stats.OrderPaid)
			if err != nil {
				return false, err
			}
			return true, stats.Record(ctx, tx, is)
		})
	})
}
