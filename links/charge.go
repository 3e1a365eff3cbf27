package links

import (
	"context"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Charger prices the valid clicks of one recording, inside its unit. What it
// decides by it must lock; the clicks come in the order they happened.
type Charger interface {
	// Charge answers one charge for each click, in their order.
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
	// Capped: no budget has room for the click. It is kept, unpaid, with the
	// Reason, stable snake_case.
	Capped bool
	Reason string
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

// Terms are the rates that hold for a click and for the orders that follow it.
type Terms struct {
	Origin     string // who set the cpc, one word: "participant", "offer", "advertiser", "none"
	OriginID   int64  // which one
	Source     affiliate.TrafficSource
	Currency   affiliate.Currency
	CPC        int64          // minor units
	InvoiceCPC int64          // minor units
	CPA        affiliate.Rate // of the order's value
	InvoiceCPA affiliate.Rate
	// UserRevenue is the creator's part of cpc and cpa; absent: all of it.
	UserRevenue affiliate.Optional[affiliate.Rate]
	offers.Drawn
}

// quote is the price of a click by an advertiser's own rates.
func quote(a *affiliate.Advertiser, source affiliate.TrafficSource, frozen *frozenTerms) Charge {
	c := a.CostsOf(source)
	t := Terms{
		Origin: string(offers.OriginAdvertiser), OriginID: a.ID, Source: source, Currency: a.Currency,
		CPC: c.CPC.Or(0), InvoiceCPC: c.InvoiceCPC.Or(c.CPC.Or(0)),
		CPA: c.CPA.Value, InvoiceCPA: c.InvoiceCPA.Or(c.CPA.Value),
	}
	return Charge{
		Earning: affiliate.NewMoney(t.CPC, a.Currency),
		Cost:    affiliate.NewMoney(t.InvoiceCPC, a.Currency),
		Terms:   frozen.text(t),
	}
}

// String is the terms as they are frozen: a JSON object. It is written by hand
// because every click has one; the test reads it back with encoding/json.
func (t Terms) String() string {
	b := make([]byte, 0, 160)
	b = append(b, `{"origin":`...)
	b = strconv.AppendQuote(b, t.Origin)
	b = append(b, `,"origin_id":`...)
	b = strconv.AppendInt(b, t.OriginID, 10)
	b = append(b, `,"source":`...)
	b = strconv.AppendInt(b, int64(t.Source), 10)
	b = append(b, `,"currency":`...)
	b = strconv.AppendQuote(b, string(t.Currency))
	b = append(b, `,"cpc":`...)
	b = strconv.AppendInt(b, t.CPC, 10)
	b = append(b, `,"invoice_cpc":`...)
	b = strconv.AppendInt(b, t.InvoiceCPC, 10)
	b = append(b, `,"cpa":`...)
	b = t.CPA.AppendWire(b)
	b = append(b, `,"invoice_cpa":`...)
	b = t.InvoiceCPA.AppendWire(b)
	if t.UserRevenue.Set {
		b = append(b, `,"user_revenue":`...)
		b = t.UserRevenue.Value.AppendWire(b)
	}
	if t.OfferID != 0 {
		b = append(b, `,"offer_id":`...)
		b = strconv.AppendInt(b, t.OfferID, 10)
	}
	if t.SharedBudgetID != 0 {
		b = append(b, `,"shared_budget_id":`...)
		b = strconv.AppendInt(b, t.SharedBudgetID, 10)
	}
	return string(append(b, '}'))
}

// frozenTerms writes terms out once where they hold for several clicks in a row.
type frozenTerms struct {
	last    Terms
	written string
}

func (f *frozenTerms) text(t Terms) string {
	if f.written == "" || f.last != t {
		f.last, f.written = t, t.String()
	}
	return f.written
}
