package metapic

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// campaignFields is what a campaign is made of, and what changes one: an update
// changes what is sent. Null takes away what a campaign can be without; of
// other fields it is as if they had not been sent.
type campaignFields struct {
	StoreGroupID      wire.Optional[int64]        `json:"store_group_id" min:"1"`
	Type              wire.Optional[string]       `json:"type"`
	Name              wire.Optional[string]       `json:"name"`
	Title             wire.Optional[string]       `json:"campaign_title"`
	Text              wire.Optional[string]       `json:"campaign_text"`
	HasProductSeeding wire.Optional[bool]         `json:"has_product_seeding"`
	HasOnetimePayment wire.Optional[bool]         `json:"has_onetime_payment"`
	PerUserLimit      wire.Optional[bool]         `json:"per_user_limit"`
	OneTimePayment    wire.Optional[amount]       `json:"one_time_payment"`
	BudgetLimit       wire.Optional[amount]       `json:"budget_limit"`
	MaxClicks         wire.Optional[int64]        `json:"max_clicks"`
	ValidFrom         wire.Optional[time.Time]    `json:"valid_from"`
	ValidUntil        wire.Optional[time.Time]    `json:"valid_until"`
	Todo              wire.Optional[[]string]     `json:"todo" max:"100"`
	ShowForAdvertiser wire.Optional[bool]         `json:"show_for_advertiser"`
	PriorityAfter     wire.Optional[int64]        `json:"priority_after" min:"0"`
	SharedBudgetID    wire.Optional[int64]        `json:"shared_budget_id" min:"1"`
	SharedBudget      wire.Optional[newBudget]    `json:"shared_budget"`
	Targets           wire.Optional[targets]      `json:"targets"`
	Costs             wire.Optional[[]costFields] `json:"traffic_sources_costs" max:"5"`
}

// costFields are the costs for one traffic source. An absent or null rate is
// the next one's that has it: the campaign's, the advertiser's.
type costFields struct {
	Source      int64   `json:"source" required:"true" min:"0" max:"4"`
	CPC         *amount `json:"cpc"`
	CPA         *rate   `json:"cpa"`
	InvoiceCPC  *amount `json:"invoice_cpc"`
	InvoiceCPA  *rate   `json:"invoice_cpa"`
	UserRevenue *rate   `json:"user_revenue"`
}

// newBudget is a shared budget that is made with a campaign.
type newBudget struct {
	Title  string `json:"title" required:"true" max:"255"`
	Amount amount `json:"amount" required:"true"`
}

// set changes a value that is always there to what was sent.
func set[T any](to *T, sent wire.Optional[T]) {
	if sent.Set && !sent.Null {
		*to = sent.Value
	}
}

// setOrClear changes a value to what was sent, or to nothing for null.
func setOrClear[T any](to *T, sent wire.Optional[T]) {
	if sent.Set {
		*to = sent.Value // the zero value for null
	}
}

// setOptional changes a value that may be absent; null makes it so.
func setOptional[T any](to *affiliate.Optional[T], sent wire.Optional[T]) {
	if sent.Set {
		*to = optional(sent.Ptr())
	}
}

// setAmount changes an amount of money that may be absent; null makes it so.
func setAmount(to *affiliate.Optional[int64], sent wire.Optional[amount], c affiliate.Currency, field string, v *affiliate.Validation) {
	switch {
	case sent.Null:
		*to = affiliate.Optional[int64]{}
	case sent.Set:
		*to = affiliate.Some(sent.Value.in(c, field, v))
	}
}

// apply changes an offer to what was sent. Amounts in another currency than the
// offer's are noted as wrong.
func (f campaignFields) apply(o *offers.Offer, c affiliate.Currency, v *affiliate.Validation) {
	if sent := f.Type.Ptr(); sent != nil {
		o.Type = offers.Type(*sent)
	}
	set(&o.Name, f.Name)
	setOrClear(&o.Title, f.Title)
	setOrClear(&o.Text, f.Text)
	set(&o.HasProductSeeding, f.HasProductSeeding)
	set(&o.HasOneTimePayment, f.HasOnetimePayment)
	set(&o.PerUserLimit, f.PerUserLimit)
	payment := affiliate.Some(o.OneTimePayment)
	setAmount(&payment, f.OneTimePayment, c, "one_time_payment", v)
	o.OneTimePayment = payment.Value
	setAmount(&o.BudgetLimit, f.BudgetLimit, c, "budget_limit", v)
	setOptional(&o.MaxClicks, f.MaxClicks)
	setOrClear(&o.ValidFrom, f.ValidFrom)
	setOrClear(&o.ValidUntil, f.ValidUntil)
	setOrClear(&o.Todo, f.Todo)
	set(&o.ShowForAdvertiser, f.ShowForAdvertiser)
	setOrClear(&o.SharedBudgetID, f.SharedBudgetID)
	if f.Costs.Set {
		o.Costs = costsIn(f.Costs.Value, c, v)
	}
}

// budget is the shared budget to make or to change. One that is named by its id
// is taken as it is: campaigns of others may draw on it.
func (f campaignFields) budget(c affiliate.Currency, v *affiliate.Validation) (b affiliate.Optional[offers.NewSharedBudget]) {
	if sent := f.SharedBudget.Ptr(); sent != nil && f.SharedBudgetID.Ptr() == nil {
		minor := sent.Amount.in(c, "shared_budget.amount", v)
		v.Check(minor >= 0 && minor <= offers.MaxAmount, "shared_budget.amount", "out_of_range", "must be between 0 and 1000000000000000")
		b = affiliate.Some(offers.NewSharedBudget{Title: sent.Title, Amount: minor})
	}
	return b
}

// costsIn are costs in a currency.
func costsIn(sent []costFields, c affiliate.Currency, v *affiliate.Validation) []offers.Costs {
	costs := make([]offers.Costs, len(sent))
	for i, f := range sent {
		field := "traffic_sources_costs." + strconv.Itoa(i)
		costs[i].Source = affiliate.TrafficSource(f.Source)
		costs[i].CPC = optionalIn(f.CPC, c, field+".cpc", v)
		costs[i].InvoiceCPC = optionalIn(f.InvoiceCPC, c, field+".invoice_cpc", v)
		costs[i].CPA, costs[i].InvoiceCPA, costs[i].UserRevenue = optionalRate(f.CPA), optionalRate(f.InvoiceCPA), optionalRate(f.UserRevenue)
	}
	return costs
}

func optionalIn(a *amount, c affiliate.Currency, field string, v *affiliate.Validation) (o affiliate.Optional[int64]) {
	if a != nil {
		o = affiliate.Some(a.in(c, field, v))
	}
	return o
}

func optionalRate(r *rate) (o affiliate.Optional[affiliate.Rate]) {
	if r != nil {
		o = affiliate.Some(r.Rate)
	}
	return o
}
