package links

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Charger prices the valid clicks of one recording, inside its unit. What it
// decides by it must lock; the clicks come in the order they happened.
type Charger interface {
	// Charge answers one charge for each click, in their order.
	Charge(ctx context.Context, tx Tx, clicks []ChargeableClick) ([]Charge, error)
}

// ChargeableClick is a click that is valid so far, with what it is about.
type ChargeableClick struct {
	Click      Click
	User       affiliate.User
	Advertiser affiliate.Advertiser
}

// Charge is what a click earns and costs, in the advertiser's currency.
type Charge struct {
	Earning affiliate.Money
	Cost    affiliate.Money
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
	type key struct {
		advertiser int64
		source     affiliate.TrafficSource
	}
	quoted := make(map[key]Charge)
	charges := make([]Charge, len(clicks))
	for i, c := range clicks {
		k := key{c.Advertiser.ID, c.Click.Source}
		charge, ok := quoted[k]
		if !ok {
			var err error
			if charge, err = quote(c.Advertiser, c.Click.Source); err != nil {
				return nil, err
			}
			quoted[k] = charge
		}
		charges[i] = charge
	}
	return charges, nil
}

// Terms are the rates that hold for a click and for the orders that follow it.
type Terms struct {
	Origin     string                  `json:"origin"`    // who set them: "advertiser"
	OriginID   int64                   `json:"origin_id"` // which one
	Source     affiliate.TrafficSource `json:"source"`
	Currency   affiliate.Currency      `json:"currency"`
	CPC        int64                   `json:"cpc"`         // minor units
	InvoiceCPC int64                   `json:"invoice_cpc"` // minor units
	CPA        string                  `json:"cpa"`         // fraction of the order's value
	InvoiceCPA string                  `json:"invoice_cpa"`
}

// quote is the price of a click by an advertiser's own rates.
func quote(a affiliate.Advertiser, source affiliate.TrafficSource) (Charge, error) {
	c := a.CostsOf(source)
	t := Terms{
		Origin: "advertiser", OriginID: a.ID, Source: source, Currency: a.Currency,
		CPC: c.CPC.Or(0), InvoiceCPC: c.InvoiceCPC.Or(c.CPC.Or(0)),
		CPA: c.CPA.Value.String(), InvoiceCPA: c.InvoiceCPA.Or(c.CPA.Value).String(),
	}
	frozen, err := json.Marshal(t)
	if err != nil {
		return Charge{}, fmt.Errorf("links: terms of advertiser %d: %w", a.ID, err)
	}
	return Charge{
		Earning: affiliate.NewMoney(t.CPC, a.Currency),
		Cost:    affiliate.NewMoney(t.InvoiceCPC, a.Currency),
		Terms:   string(frozen),
	}, nil
}
