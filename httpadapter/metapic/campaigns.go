package metapic

import (
	"context"
	"encoding/json"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// campaign is what everyone who may see a campaign sees of it.
type campaign struct {
	ID                int64           `json:"id"`
	Title             string          `json:"campaign_title"`
	Text              string          `json:"campaign_text"`
	HasProductSeeding bool            `json:"has_product_seeding"`
	HasOnetimePayment bool            `json:"has_onetime_payment"`
	Status            string          `json:"status"`
	ImageURL          string          `json:"image_url"`
	Image             laravel.Image   `json:"image"`
	StoreID           int64           `json:"store_id"`
	StoreName         string          `json:"store_name"`
	StoreLogoURL      *string         `json:"store_logo_url"`
	StoreLogo         *laravel.Image  `json:"store_logo"` // always null: a store's logo is a URL
	Currency          string          `json:"currency"`
	Token             string          `json:"token"`
	Costs             []campaignCosts `json:"traffic_sources_costs,omitzero"`
	Type              string          `json:"type"`
	*campaignSettings
	Participation *participation `json:"participation,omitempty"` // in the lists of one user
	Warnings      *warnings      `json:"warnings,omitempty"`
}

// campaignCosts are the rates of one traffic source. The rates that the
// advertiser pays are for those who act for it.
type campaignCosts struct {
	ID       int64        `json:"id"`
	Source   int          `json:"source"`
	CPC      *int64       `json:"cpc"` // minor units
	CPA      *json.Number `json:"cpa"`
	Currency string       `json:"currency"`
	*invoiceCosts
}

type invoiceCosts struct {
	InvoiceCPC  *int64       `json:"invoice_cpc"` // minor units
	InvoiceCPA  *json.Number `json:"invoice_cpa"`
	UserRevenue *json.Number `json:"user_revenue"`
}

// campaignSettings is shown only to accounts that act for the advertiser: the
// rest of what campaign-create takes, and how much of it is used. Amounts are minor
// units.
type campaignSettings struct {
	Name              string            `json:"name"`
	PerUserLimit      bool              `json:"per_user_limit"`
	OneTimePayment    int64             `json:"one_time_payment"`
	BudgetLimit       *int64            `json:"budget_limit"`
	MaxClicks         *int64            `json:"max_clicks"`
	ValidFrom         laravel.DateTime  `json:"valid_from"`
	ValidUntil        laravel.DateTime  `json:"valid_until"`
	Todo              []string          `json:"todo"`
	ShowForAdvertiser bool              `json:"show_for_advertiser"`
	SharedBudgetID    *int64            `json:"shared_budget_id"`
	StoreGroupID      *int64            `json:"store_group_id"`  // null: for creators of all groups
	Clicks            int64             `json:"clicks"`          // paid so far
	ConsumedBudget    int64             `json:"consumed_budget"` // cost so far
	CreatedAt         laravel.Timestamp `json:"created_at"`
	Targets           *targets          `json:"targets"` // null: deleted
}

func (s *server) showCampaign(v offers.View) campaign {
	a := v.Advertiser
	c := campaign{
		ID: v.ID, Title: v.Title, Text: v.Text,
		HasProductSeeding: v.HasProductSeeding, HasOnetimePayment: v.HasOneTimePayment,
		Status: string(v.Status), Image: s.showImage(v.ImageKey, offers.CampaignSize),
		StoreID: a.ID, StoreName: a.Name, StoreLogoURL: laravel.TextOrNull(a.LogoURL),
		Currency: string(v.Currency), Token: v.Token, Type: string(v.Type),
	}
	c.ImageURL = c.Image.URL
	return c
}

// details are a campaign with its costs, and, for those who act for the
// advertiser, all else of it.
func (s *server) details(p affiliate.Principal, v offers.View) campaign {
	c := s.showCampaign(v)
	acts := p.ActsFor(v.AdvertiserID)
	c.Costs = costsOf(v.Offer, acts)
	if acts {
		c.campaignSettings = showSettings(v)
	}
	return c
}

func showSettings(v offers.View) *campaignSettings {
	shown := &campaignSettings{
		Name: v.Name, PerUserLimit: v.PerUserLimit, OneTimePayment: v.OneTimePayment,
		BudgetLimit: laravel.Pointer(v.BudgetLimit), MaxClicks: laravel.Pointer(v.MaxClicks),
		ValidFrom: laravel.DateTime(v.ValidFrom), ValidUntil: laravel.ShowEnd(v.ValidUntil, v.UntilDay),
		Todo: append([]string{}, v.Todo...), ShowForAdvertiser: v.ShowForAdvertiser,
		SharedBudgetID: laravel.IDOrNull(v.SharedBudgetID), StoreGroupID: laravel.IDOrNull(v.StoreGroupID), Clicks: v.Used.Clicks, ConsumedBudget: v.Used.Spent,
		CreatedAt: laravel.Timestamp(v.CreatedAt),
	}
	if v.Targets.Set {
		all := showTargets(v.Targets.Value)
		shown.Targets = &all
	}
	return shown
}

// costsOf are the costs of a campaign; one without any shows the general source
// with rates of null: the advertiser's hold.
func costsOf(o offers.Offer, invoices bool) []campaignCosts {
	if len(o.Costs) == 0 {
		o.Costs = make([]offers.Costs, 1)
	}
	return showCosts(o, invoices)
}

// showCosts are the costs that a campaign has of its own. There is one for each
// traffic source, and the ids are made of the two.
func showCosts(o offers.Offer, invoices bool) []campaignCosts {
	shown := make([]campaignCosts, len(o.Costs))
	for i, c := range o.Costs {
		shown[i] = campaignCosts{
			ID: o.ID*affiliate.TrafficSources + int64(c.Source), Source: int(c.Source),
			CPC: laravel.Pointer(c.CPC), CPA: laravel.ShowRate(c.CPA), Currency: string(o.Currency),
		}
		if invoices {
			shown[i].invoiceCosts = &invoiceCosts{laravel.Pointer(c.InvoiceCPC), laravel.ShowRate(c.InvoiceCPA), laravel.ShowRate(c.UserRevenue)}
		}
	}
	return shown
}

// saved is the answer to a campaign that was made or changed: warnings stand
// in the campaign and beside it.
type saved struct {
	Data     campaign `json:"data"`
	Warnings warnings `json:"warnings"`
}

func (s *server) showSaved(v offers.Saved) saved {
	w := warnings{showSkipped(v.Skipped)}
	c := s.showCampaign(v.View)
	c.Warnings = &w
	return saved{c, w}
}

type createCampaign struct {
	StoreID int64 `path:"store_id"`
	campaignFields
}

func (s *server) createCampaign(ctx context.Context, p affiliate.Principal, in createCampaign) (out saved, err error) {
	n := offers.OfferInput{
		Offer: offers.Offer{AdvertiserID: in.StoreID, CreatedBy: p.Actor()},
		After: in.PriorityAfter.Value, // 0 for null: first
		Fill: func(n *offers.OfferInput, a affiliate.Advertiser) error {
			var v affiliate.Validation
			in.apply(&n.Offer, a.Currency, &v)
			n.Budget = in.budget(a.Currency, &v)
			return v.Err("offer")
		},
	}
	if in.ImageKey.Set {
		n.Offer.ImageKey = string(in.ImageKey.Value)
	}
	if t := in.Targets.Ptr(); t != nil {
		n.Targets = t.domain()
	}
	made, err := s.offers.CreateOffer(ctx, n)
	if err != nil {
		return out, err
	}
	return s.showSaved(made), nil
}

type updateCampaign struct {
	OfferID int64 `path:"id"`
	campaignFields
}

// updateCampaign changes what is sent, for PUT as for PATCH.
func (s *server) updateCampaign(ctx context.Context, _ affiliate.Principal, in updateCampaign) (out saved, err error) {
	c := offers.OfferChange{Change: func(o *offers.Offer, c *offers.OfferChange) error {
		var v affiliate.Validation
		in.apply(o, o.Currency, &v)
		c.Budget = in.budget(o.Currency, &v)
		return v.Err("offer")
	}}
	if in.ImageKey.Set {
		c.ImageKey = affiliate.Some(string(in.ImageKey.Value))
	}
	if in.PriorityAfter.Set {
		c.After = affiliate.Some(in.PriorityAfter.Value) // 0 for null: first
	}
	if in.Targets.Set {
		c.Targets = affiliate.Some(in.Targets.Value.domain()) // everyone for null
	}
	changed, err := s.offers.UpdateOffer(ctx, in.OfferID, c)
	if err != nil {
		return out, err
	}
	return s.showSaved(changed), nil
}

// offerPath is the input of routes that take a campaign and nothing else.
type offerPath struct {
	OfferID int64 `path:"offer_id"`
}

func (s *server) getCampaign(ctx context.Context, p affiliate.Principal, in offerPath) (out campaign, err error) {
	v, err := s.offers.Offer(ctx, in.OfferID)
	if err != nil {
		return out, err
	}
	return s.details(p, v), nil
}

func (s *server) getCampaignByToken(ctx context.Context, p affiliate.Principal, in struct {
	Token string `path:"offer_token"`
}) (out campaign, err error) {
	v, err := s.offers.OfferByToken(ctx, in.Token)
	if err != nil {
		return out, err
	}
	return s.details(p, v), nil
}

func (s *server) deleteCampaign(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64 `path:"id"`
}) (wire.None, error) {
	return wire.None{}, s.offers.DeleteOffer(ctx, in.OfferID)
}

func (s *server) pauseCampaign(ctx context.Context, _ affiliate.Principal, in offerPath) (campaign, error) {
	return s.changed(s.offers.PauseOffer(ctx, in.OfferID))
}

func (s *server) unpauseCampaign(ctx context.Context, _ affiliate.Principal, in offerPath) (campaign, error) {
	return s.changed(s.offers.UnpauseOffer(ctx, in.OfferID))
}

func (s *server) changed(v offers.View, err error) (campaign, error) {
	if err != nil {
		return campaign{}, err
	}
	return s.showCampaign(v), nil
}

func (s *server) uploadCampaignImage(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64     `path:"offer_id"`
	File    wire.File `json:"default" alias:"image,file" required:"true"`
}) (campaign, error) {
	content, err := laravel.Picture(in.File)
	if err != nil {
		return campaign{}, err
	}
	v, err := s.offers.SetImage(ctx, in.OfferID, content)
	return s.changed(v, laravel.UnderName("default", err))
}
