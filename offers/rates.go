package offers

import "github.com/affiliatekit/affiliatekit/affiliate"

// Origin says who set a rate.
type Origin string

// The origins of rates, in the order in which they are asked.
const (
	OriginParticipant Origin = "participant"
	OriginOffer       Origin = "offer"
	OriginAdvertiser  Origin = "advertiser"
	OriginCreatorRate Origin = "creator_rate" // of an invoice rate that nobody set: it is the creator's
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

// RatesFor are the rates of a source. Each is asked of the participant, if
// there is one, then of the offer, then of the advertiser; an invoice rate
// that none of them has is the creator's rate.
func RatesFor(source affiliate.TrafficSource, participant, offer []Costs, a *affiliate.Advertiser) Rates {
	asked := [3]Costs{costsOf(participant, source), costsOf(offer, source), {Costs: a.CostsOf(source)}}
	var r Rates
	var set bool
	r.CPC, r.Origins.CPC, _ = first(&asked, func(c *Costs) affiliate.Optional[int64] { return c.CPC })
	r.CPA, r.Origins.CPA, _ = first(&asked, func(c *Costs) affiliate.Optional[affiliate.Rate] { return c.CPA })
	r.UserRevenue.Value, r.Origins.UserRevenue, r.UserRevenue.Set = first(&asked, func(c *Costs) affiliate.Optional[affiliate.Rate] { return c.UserRevenue })
	if r.InvoiceCPC, r.Origins.InvoiceCPC, set = first(&asked, func(c *Costs) affiliate.Optional[int64] { return c.InvoiceCPC }); !set {
		r.InvoiceCPC, r.Origins.InvoiceCPC = r.CPC, OriginCreatorRate
	}
	if r.InvoiceCPA, r.Origins.InvoiceCPA, set = first(&asked, func(c *Costs) affiliate.Optional[affiliate.Rate] { return c.InvoiceCPA }); !set {
		r.InvoiceCPA, r.Origins.InvoiceCPA = r.CPA, OriginCreatorRate
	}
	return r
}

// first is the rate of the first who has it.
func first[V any](asked *[3]Costs, rate func(*Costs) affiliate.Optional[V]) (V, Origin, bool) {
	for i, origin := range [3]Origin{OriginParticipant, OriginOffer, OriginAdvertiser} {
		if v := rate(&asked[i]); v.Set {
			return v.Value, origin, true
		}
	}
	var none V
	return none, OriginNone, false
}
