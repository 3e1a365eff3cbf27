package offers

import "github.com/affiliatekit/affiliatekit/affiliate"

// Origin says who set a rate.
type Origin string

// The origins of rates. The first three are the levels, in their order.
const (
	OriginParticipant Origin = "participant"
	OriginOffer       Origin = "offer"
	OriginAdvertiser  Origin = "advertiser"
	OriginCreatorRate Origin = "creator_rate" // of an invoice rate that was left out: it is the creator's rate
	OriginNone        Origin = "none"         // nobody: 0, or 1 for the creator's share
)

// Rates are what holds for a click or an order of one source, each with who
// set it.
type Rates struct {
	CPC        int64 // minor units
	InvoiceCPC int64 // minor units
	CPA        affiliate.Rate
	InvoiceCPA affiliate.Rate
	// UserRevenue is the creator's part of CPC and CPA; absent: all of it.
	UserRevenue affiliate.Optional[affiliate.Rate]
	Origins     RateOrigins
}

// RateOrigins say who set each rate.
type RateOrigins struct{ CPC, InvoiceCPC, CPA, InvoiceCPA, UserRevenue Origin }

// Earning is what a click earns: cpc × user_revenue, rounded half-even to
// minor units.
func (r Rates) Earning() int64 {
	if !r.UserRevenue.Set {
		return r.CPC
	}
	return affiliate.NewMoney(r.CPC, "").MulRate(r.UserRevenue.Value).Minor()
}

// ratesFor returns the rates of a source. Each of the creator's is that of the
// participant's override, else of the offer, else of the advertiser.
//
// An invoice rate comes from the level that set the creator's rate. Where that
// level names none it is the creator's rate itself, so that an advertiser never
// pays less than the creator earns only because a rate was left out. Where no
// level sets the creator's rate, the first invoice rate holds.
func ratesFor(source affiliate.TrafficSource, participant, offer []Costs, a *affiliate.Advertiser) Rates {
	levels := [3]Costs{costsOf(participant, source), costsOf(offer, source), {Costs: a.CostsOf(source)}}
	var r Rates
	r.CPC, r.Origins.CPC, r.InvoiceCPC, r.Origins.InvoiceCPC = paired(&levels,
		func(c *Costs) (creator, invoice affiliate.Optional[int64]) { return c.CPC, c.InvoiceCPC })
	r.CPA, r.Origins.CPA, r.InvoiceCPA, r.Origins.InvoiceCPA = paired(&levels,
		func(c *Costs) (creator, invoice affiliate.Optional[affiliate.Rate]) { return c.CPA, c.InvoiceCPA })
	share, at := first(&levels, func(c *Costs) affiliate.Optional[affiliate.Rate] { return c.UserRevenue })
	r.UserRevenue, r.Origins.UserRevenue = share, origins[at]
	return r
}

// origins are who sets the rates of each level, and of none.
var origins = [4]Origin{OriginParticipant, OriginOffer, OriginAdvertiser, OriginNone}

// paired returns the creator's rate and the invoice rate that goes with it.
func paired[V any](levels *[3]Costs, rates func(*Costs) (creator, invoice affiliate.Optional[V])) (rate V, by Origin, invoice V, invoiceBy Origin) {
	own, at := first(levels, func(c *Costs) affiliate.Optional[V] { own, _ := rates(c); return own })
	billed, billedAt := first(levels, func(c *Costs) affiliate.Optional[V] { _, billed := rates(c); return billed })
	if own.Set {
		_, billed = rates(&levels[at])
		billedAt = at
	}
	if !billed.Set {
		return own.Value, origins[at], own.Value, OriginCreatorRate
	}
	return own.Value, origins[at], billed.Value, origins[billedAt]
}

// first returns the rate of the first level that has it, and which level that is.
func first[V any](levels *[3]Costs, rate func(*Costs) affiliate.Optional[V]) (affiliate.Optional[V], int) {
	for i := range levels {
		if v := rate(&levels[i]); v.Set {
			return v, i
		}
	}
	return affiliate.Optional[V]{}, len(levels)
}
