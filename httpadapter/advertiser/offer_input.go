package advertiser

import (
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// rates are the two pairs of rates that a campaign has here. Null takes a rate
// away: the store's holds then.
type rates struct {
	CPC          wire.Optional[int64]        `json:"cpc" min:"0" max:"1000000000"`
	InstagramCPC wire.Optional[int64]        `json:"instagram_cpc" min:"0" max:"1000000000"`
	CPA          wire.Optional[laravel.Rate] `json:"cpa"`
	InstagramCPA wire.Optional[laravel.Rate] `json:"instagram_cpa"`
}

func (r rates) apply(o *offers.Offer) {
	r.source(o, affiliate.SourceGeneral, r.CPC, r.CPA)
	r.source(o, affiliate.SourceInstagram, r.InstagramCPC, r.InstagramCPA)
}

func (rates) source(o *offers.Offer, source affiliate.TrafficSource, cpc wire.Optional[int64], cpa wire.Optional[laravel.Rate]) {
	if !cpc.Set && !cpa.Set {
		return
	}
	i := slices.IndexFunc(o.Costs, func(c offers.Costs) bool { return c.Source == source })
	if i < 0 {
		i = len(o.Costs)
		o.Costs = append(o.Costs, offers.Costs{Costs: affiliate.Costs{Source: source}})
	}
	laravel.SetOptional(&o.Costs[i].CPC, cpc)
	if cpa.Set {
		o.Costs[i].CPA = affiliate.Optional[affiliate.Rate]{}
		if !cpa.Null {
			o.Costs[i].CPA = affiliate.Some(cpa.Value.Rate)
		}
	}
}

// offerFields are what a campaign is made of, and what changes one.
type offerFields struct {
	Name wire.Optional[string] `json:"name" min:"1" max:"64"`
	rates
	From              wire.Optional[time.Time] `json:"from"`
	To                wire.Optional[time.Time] `json:"to"`
	MaxClicks         wire.Optional[int64]     `json:"max_clicks" min:"0" max:"1000000"`
	MaxMoney          wire.Optional[int64]     `json:"max_money" min:"0" max:"1000000"`
	OneTimePayment    wire.Optional[int64]     `json:"one_time_payment" min:"0" max:"1000000"`
	Active            wire.Optional[int64]     `json:"active" enum:"0,1"`
	Type              wire.Optional[string]    `json:"type" enum:"standard,user_apply,store_accept"`
	Priority          wire.Optional[int64]     `json:"priority" min:"1" max:"100"`
	StoreVisibility   wire.Optional[int64]     `json:"store_visibility" enum:"0,1,2"`
	CampaignShow      wire.Optional[int64]     `json:"offer_campaign_show" enum:"0,1"`
	CampaignTitle     wire.Optional[string]    `json:"offer_campaign_title" max:"64"`
	CampaignText      wire.Optional[string]    `json:"offer_campaign_text" max:"1056"`
	InfluencerText    wire.Optional[string]    `json:"offer_influencer_text" max:"255"`
	ShowForAdvertiser wire.Optional[int64]     `json:"show_for_advertiser" enum:"0,1"`
	Clients           wire.Optional[[]ref]     `json:"clients" max:"1000"`
	RevenueTiers      wire.Optional[[]ref]     `json:"revenue_tiers" max:"1000"`
	StoreGroups       wire.Optional[[]ref]     `json:"store_groups" max:"1000"`
	Users             wire.Optional[[]ref]     `json:"users" max:"1000"`
	UserTags          wire.Optional[[]ref]     `json:"user_tags" max:"1000"`
	EmailUsers        wire.Optional[[]string]  `json:"email_users" max:"1000"`
	SocialMediaUsers  wire.Optional[[]string]  `json:"social_media_users" max:"1000"`
}

// apply changes a campaign to what was sent, but its targets, its rank and
// whether it is paused.
func (f offerFields) apply(o *offers.Offer) {
	laravel.Set(&o.Name, f.Name)
	f.rates.apply(o)
	if f.From.Set {
		o.ValidFrom = startOfDay(f.From.Value) // since ever for null
	}
	if f.To.Set {
		o.ValidUntil, o.UntilDay = time.Time{}, !f.To.Null
		if !f.To.Null {
			o.ValidUntil = startOfDay(f.To.Value).AddDate(0, 0, 1) // the day itself counts
		}
	}
	laravel.SetOptional(&o.MaxClicks, f.MaxClicks)
	laravel.SetOptional(&o.BudgetLimit, f.MaxMoney)
	if f.OneTimePayment.Set {
		o.OneTimePayment = f.OneTimePayment.Value
		o.HasOneTimePayment = o.OneTimePayment > 0
	}
	if t := f.Type.Ptr(); t != nil {
		o.Type = offers.Type(*t)
	}
	if f.StoreVisibility.Set {
		o.Visibility = offers.Visibility(f.StoreVisibility.Value)
	}
	if show := f.CampaignShow.Ptr(); show != nil {
		o.Unlisted = *show == 0
	}
	laravel.SetOrClear(&o.Title, f.CampaignTitle)
	laravel.SetOrClear(&o.Text, f.CampaignText)
	laravel.SetOrClear(&o.InfluencerText, f.InfluencerText)
	if show := f.ShowForAdvertiser.Ptr(); show != nil {
		o.ShowForAdvertiser = *show == 1
	}
}

// checkDays notes an end before the beginning.
func (f offerFields) checkDays(o offers.Offer, v *affiliate.Validation) {
	if (f.From.Set || f.To.Set) && !o.ValidFrom.IsZero() && !o.ValidUntil.IsZero() {
		v.Check(o.ValidFrom.Before(o.ValidUntil), "to", "before_from", "must not be before from")
	}
}

func (f offerFields) hasTargets() bool {
	return f.Clients.Set || f.RevenueTiers.Set || f.StoreGroups.Set || f.Users.Set || f.UserTags.Set || f.EmailUsers.Set || f.SocialMediaUsers.Set
}

// retarget replaces the lists of targets that were sent.
func (f offerFields) retarget(t offers.Targets) offers.Targets {
	for _, list := range []struct {
		to   *[]int64
		sent wire.Optional[[]ref]
	}{
		{&t.ClientIDs, f.Clients}, {&t.RevenueTierIDs, f.RevenueTiers}, {&t.StoreGroupIDs, f.StoreGroups}, {&t.UserIDs, f.Users}, {&t.TagIDs, f.UserTags},
	} {
		if list.sent.Set {
			*list.to = idsOf(list.sent.Value)
		}
	}
	laravel.SetOrClear(&t.Emails, f.EmailUsers)
	laravel.SetOrClear(&t.Identifiers, f.SocialMediaUsers)
	return t
}
