package links

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Charger prices the valid clicks of one recording, inside its unit. What it
// decides by it must lock; the clicks come in the order they happened.
type Charger interface {
	// Charge returns one charge for each click, in their order.
	Charge(ctx context.Context, tx Tx, clicks []ChargeableClick) ([]Charge, error)
}

// ChargeableClick is a click that is valid so far, with what it is about. It is
// only read, and only until Charge returns.
type ChargeableClick struct {
	Click      *Click
	User       *affiliate.User
	Advertiser *affiliate.Advertiser
}

// Charge is what a click earns and costs, in the advertiser's currency.
type Charge struct {
	Earning affiliate.Money
	Cost    affiliate.Money
	OfferID int64  // whose budgets it was drawn from, 0: none
	Terms   string // the rates, as JSON, to be frozen
	// Verdict is what becomes of the click. Empty is VerdictValid: it is paid.
	// With another verdict it is kept, unpaid, with the Reason in stable
	// snake_case.
	Verdict Verdict
	Reason  string
}

// AdvertiserPrices charges each click by its advertiser's default costs for
// the traffic source; a source without costs is free. An advertiser without an
// invoice rate pays the creator's.
type AdvertiserPrices struct{}

// Charge implements Charger.
func (AdvertiserPrices) Charge(_ context.Context, _ Tx, clicks []ChargeableClick) ([]Charge, error) {
	charges := make([]Charge, len(clicks))
	var frozen frozenTerms
	for i := range clicks {
		charges[i] = quote(clicks[i].Advertiser, clicks[i].Click.Source, &frozen)
	}
	return charges, nil
}

// quote is the price of a click by an advertiser's own rates.
func quote(a *affiliate.Advertiser, source affiliate.TrafficSource, frozen *frozenTerms) Charge {
	t := advertiserTerms(a, source)
	return Charge{
		Earning: affiliate.NewMoney(t.CPC, a.Currency),
		Cost:    affiliate.NewMoney(t.InvoiceCPC, a.Currency),
		Terms:   frozen.text(t),
	}
}

// frozenTerms writes terms out once where they hold for several clicks in a row.
type frozenTerms struct {
	last    offers.ClickTerms
	written string
}

func (f *frozenTerms) text(t offers.ClickTerms) string {
	if f.written == "" || f.last != t {
		f.last, f.written = t, t.Freeze()
	}
	return f.written
}
