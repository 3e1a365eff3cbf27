package orders

import (
	"context"
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// entryTerms are the terms of the ledger's entry of an order: what its amounts
// were computed from.
type entryTerms struct {
	OrderID  int64              `json:"order_id"`
	Revision int64              `json:"revision,omitempty"`
	Value    string             `json:"value"` // major units
	Currency affiliate.Currency `json:"currency"`
	Rate     string             `json:"rate"`  // units of the entry's currency for one of Currency
	Terms    json.RawMessage    `json:"terms"` // of the click, or of the voucher's campaign
	offers.Drawn
}

// entry is the ledger's entry of an order that moves money.
func (o *Order) entry(d offers.Drawn) (affiliate.Entry, error) {
	frozen, err := json.Marshal(entryTerms{
		OrderID: o.ID, Revision: o.Revision, Value: o.Value.String(), Currency: o.Currency, Rate: o.Rate.String(),
		Terms: json.RawMessage(o.Terms), Drawn: d,
	})
	return affiliate.Entry{
		Kind: affiliate.EntryOrder, Account: affiliate.UserAccount(o.UserID), AdvertiserID: o.AdvertiserID,
		Earning: o.Earning, Cost: o.Cost, OccurredAt: o.At, PayableAt: o.HoldUntil, Cause: o.Cause(), Terms: string(frozen),
	}, err
}

// stat is the order of an advertiser as statistics count it: all of its value and
// money.
func (o *Order) stat(a *affiliate.Advertiser, kind stats.Kind) (stats.Fact, error) {
	value, err := o.worth(o.Value)
	return o.statOf(a, kind, value, o.Earning, o.Cost), err
}

func (o *Order) statOf(a *affiliate.Advertiser, kind stats.Kind, value, earning, cost affiliate.Money) stats.Fact {
	return stats.Fact{
		Kind: kind, Day: stats.DayOf(o.At, a), AdvertiserID: o.AdvertiserID, OfferID: o.OfferID, UserID: o.UserID, LinkID: o.LinkID,
		Source: o.Traffic, Value: value, Earning: earning, Cost: cost,
	}
}

// booked is the ledger's entry of the order's revision, and what reversals have
// left of it; absent when it moved no money.
type booked struct {
	entry         affiliate.Entry
	earning, cost affiliate.Money // left
}

func (o *Order) booked(ctx context.Context, tx Tx) (affiliate.Optional[booked], error) {
	var none affiliate.Optional[booked]
	if !o.paid() {
		return none, nil
	}
	found, err := tx.Ledger().ByCauses(ctx, []string{o.Cause()})
	if err != nil || len(found) == 0 {
		return none, err
	}
	b := booked{found[0], found[0].Earning, found[0].Cost}
	before, err := tx.Ledger().Reversals(ctx, []int64{b.entry.ID})
	if err != nil {
		return none, err
	}
	for _, e := range before {
		if b.earning, err = b.earning.Add(e.Earning); err != nil {
			return none, err
		}
		if b.cost, err = b.cost.Add(e.Cost); err != nil {
			return none, err
		}
	}
	return affiliate.Some(b), nil
}

// takeBack reverses a part of what the order moved, at most what is left, and
// gives it back to the budgets. It returns what it took, and the entry, which
// is zero when there was nothing to take.
func (o *Order) takeBack(ctx context.Context, tx Tx, now time.Time, cause string, earning, cost affiliate.Money) (affiliate.Entry, affiliate.Money, affiliate.Money, error) {
	nothing := affiliate.NewMoney(0, o.Earning.Currency())
	b, err := o.booked(ctx, tx)
	if err != nil || !b.Set {
		return affiliate.Entry{}, nothing, nothing, err
	}
	earning, cost = least(earning, b.Value.earning), least(cost, b.Value.cost)
	if earning.IsZero() && cost.IsZero() {
		return affiliate.Entry{}, nothing, nothing, nil
	}
	e, err := offers.Reverse(ctx, tx, now, affiliate.Reversal{EntryID: b.Value.entry.ID, Earning: earning, Cost: cost, Cause: cause})
	return e, earning, cost, err
}

// least is the smaller of two amounts in one currency.
func least(a, b affiliate.Money) affiliate.Money {
	if b.Minor() < a.Minor() {
		return b
	}
	return a
}

// minus is a − b, of amounts in one currency and not negative.
func minus(a, b affiliate.Money) affiliate.Money {
	return affiliate.NewMoney(a.Minor()-b.Minor(), a.Currency())
}

// left is how much of the value was not refunded.
func (o Order) left() decimal.Decimal { return o.Value.Sub(o.Refunded) }
