package metapic

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// campaignFields is what a campaign is made of, and what changes one: an update
// changes what is sent. Null takes away what a campaign can be without; of
// other fields it is as if they had not been sent.
type campaignFields struct {
	StoreGroupID      wire.Optional[int64]            `json:"store_group_id" min:"1"`
	Type              wire.Optional[string]           `json:"type"`
	Name              wire.Optional[string]           `json:"name"`
	Title             wire.Optional[string]           `json:"campaign_title"`
	Text              wire.Optional[string]           `json:"campaign_text"`
	HasProductSeeding wire.Optional[bool]             `json:"has_product_seeding"`
	HasOnetimePayment wire.Optional[bool]             `json:"has_onetime_payment"`
	PerUserLimit      wire.Optional[bool]             `json:"per_user_limit"`
	OneTimePayment    wire.Optional[laravel.Amount]   `json:"one_time_payment"`
	BudgetLimit       wire.Optional[laravel.Amount]   `json:"budget_limit"`
	MaxClicks         wire.Optional[int64]            `json:"max_clicks"`
	ValidFrom         wire.Optional[time.Time]        `json:"valid_from"`
	ValidUntil        wire.Optional[laravel.End]      `json:"valid_until"`
	Todo              wire.Optional[[]string]         `json:"todo" max:"100"`
	ImageKey          wire.Optional[laravel.MediaKey] `json:"image_key"` // of an image-upload
	ShowForAdvertiser wire.Optional[bool]             `json:"show_for_advertiser"`
	PriorityAfter     wire.Optional[int64]            `json:"priority_after" min:"0"`
	SharedBudgetID    wire.Optional[int64]            `json:"shared_budget_id" min:"1"`
	SharedBudget      wire.Optional[newBudget]        `json:"shared_budget"`
	Targets           wire.Optional[targets]          `json:"targets"`
	Costs             wire.Optional[[]costFields]     `json:"traffic_sources_costs" max:"5"`
}

// costFields are the costs for one traffic source. An absent or null rate is
// the next one's that has it: the campaign's, the advertiser's.
type costFields struct {
	Source      int64           `json:"source" required:"true" min:"0" max:"4"`
	CPC         *laravel.Amount `json:"cpc"`
	CPA         *laravel.Rate   `json:"cpa"`
	InvoiceCPC  *laravel.Amount `json:"invoice_cpc"`
	InvoiceCPA  *laravel.Rate   `json:"invoice_cpa"`
	UserRevenue *laravel.Rate   `json:"user_revenue"`
}

// newBudget is a shared budget that is made with a campaign.
type newBudget struct {
	Title  string         `json:"title" required:"true" max:"255"`
	Amount laravel.Amount `json:"amount" required:"true"`
}

// apply changes an offer to what was sent. Amounts in another currency than the
// offer's are noted as wrong.
func (f campaignFields) apply(o *offers.Offer, c affiliate.Currency, v *affiliate.Validation) {
	if sent := f.Type.Ptr(); sent != nil {
		o.Type = offers.Type(*sent)
	}
	if f.ImageKey.Set {
		o.ImageKey = string(f.ImageKey.Value)
	}
	laravel.Set(&o.Name, f.Name)
	laravel.SetOrClear(&o.StoreGroupID, f.StoreGroupID)
	laravel.SetOrClear(&o.Title, f.Title)
	laravel.SetOrClear(&o.Text, f.Text)
	laravel.Set(&o.HasProductSeeding, f.HasProductSeeding)
	laravel.Set(&o.HasOneTimePayment, f.HasOnetimePayment)
	laravel.Set(&o.PerUserLimit, f.PerUserLimit)
	payment := affiliate.Some(o.OneTimePayment)
	laravel.SetAmount(&payment, f.OneTimePayment, c, "one_time_payment", v)
	o.OneTimePayment = payment.Value
	laravel.SetAmount(&o.BudgetLimit, f.BudgetLimit, c, "budget_limit", v)
	laravel.SetOptional(&o.MaxClicks, f.MaxClicks)
	laravel.SetOrClear(&o.ValidFrom, f.ValidFrom)
	f.ValidUntil.Value.Apply(f.ValidUntil.Set, &o.ValidUntil, &o.UntilDay)
	laravel.SetOrClear(&o.Todo, f.Todo)
	laravel.Set(&o.ShowForAdvertiser, f.ShowForAdvertiser)
	laravel.SetOrClear(&o.SharedBudgetID, f.SharedBudgetID)
	if f.Costs.Set {
		o.Costs = costsIn(f.Costs.Value, c, v)
	}
}

// budget is the shared budget to make or to change. One that is named by its id
// is taken as it is: campaigns of others may draw on it.
func (f campaignFields) budget(c affiliate.Currency, v *affiliate.Validation) (b affiliate.Optional[offers.SharedBudgetInput]) {
	if sent := f.SharedBudget.Ptr(); sent != nil && f.SharedBudgetID.Ptr() == nil {
		minor := sent.Amount.In(c, "shared_budget.amount", v)
		v.Check(minor >= 0 && minor <= offers.MaxAmount, "shared_budget.amount", "out_of_range", "must be between 0 and 1000000000000000")
		b = affiliate.Some(offers.SharedBudgetInput{Title: sent.Title, Amount: minor})
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

func optionalIn(a *laravel.Amount, c affiliate.Currency, field string, v *affiliate.Validation) (o affiliate.Optional[int64]) {
	if a != nil {
		o = affiliate.Some(a.In(c, field, v))
	}
	return o
}

func optionalRate(r *laravel.Rate) (o affiliate.Optional[affiliate.Rate]) {
	if r != nil {
		o = affiliate.Some(r.Rate)
	}
	return o
}
