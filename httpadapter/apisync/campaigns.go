package apisync

import (
	"context"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

const (
	campaigns = "campaigns"
	adSets    = "ad-sets"
	ads       = "ads"
)

type campaignBody struct {
	Data struct {
		identity
		Attributes struct {
			Service       wire.Optional[string]        `json:"service"`
			State         wire.Optional[string]        `json:"state"`
			Title         wire.Optional[string]        `json:"title"`
			Description   wire.Optional[string]        `json:"description"`
			ReferenceID   wire.Optional[string]        `json:"reference_id" alias:"reference-id"`
			Configuration wire.Optional[configuration] `json:"service_configurations" alias:"service-configurations"`
		} `json:"attributes"`
		Relationships struct {
			AdAccount relationship `json:"ad_account" alias:"ad-account"`
		} `json:"relationships"`
	} `json:"data" required:"true"`
}

func state(s string) adsync.State { return adsync.State(s) }

func (b campaignBody) input() adsync.CampaignInput {
	a := b.Data.Attributes
	return adsync.CampaignInput{
		ID: b.Data.ID, ReferenceID: field(a.ReferenceID), Service: fieldAs(a.Service, service), State: fieldAs(a.State, state),
		Title: field(a.Title), Description: field(a.Description), Configuration: fieldAs(a.Configuration, configuration.value),
		AdAccount: b.Data.Relationships.AdAccount.Data.ID,
	}
}

type campaignOutput struct {
	Service       adsync.AdService    `json:"service"`
	State         adsync.State        `json:"state"`
	Description   *string             `json:"description"`
	ReferenceID   *string             `json:"reference_id"`
	Title         *string             `json:"title"`
	Configuration configurationOutput `json:"service_configurations"`
	CreatedVia    adsync.Origin       `json:"created_via"`
	CreatedAt     *string             `json:"created_at"`
}

func showCampaign(c adsync.Campaign) resource[campaignOutput] {
	return resource[campaignOutput]{
		ID: c.ID.String(), Type: campaigns,
		Attributes: campaignOutput{
			Service: c.Service, State: c.State, Description: orNull(c.Description), ReferenceID: orNull(c.ReferenceID), Title: orNull(c.Title),
			Configuration: showConfiguration(c.Configuration), CreatedVia: c.CreatedVia, CreatedAt: moment(c.CreatedAt),
		},
		Relationships: map[string]reference{"ad_account": referTo(adAccounts, c.AdAccountID)},
	}
}

func (s *server) saveCampaign(ctx context.Context, p affiliate.Principal, in campaignBody) (wire.Reply[document[campaignOutput]], error) {
	if err := in.Data.fits(campaigns, adSets, ads); err != nil {
		return wire.Reply[document[campaignOutput]]{}, err
	}
	c, created, err := s.of(p).SaveCampaign(ctx, in.input())
	return saved(showCampaign(c), created), err
}

type campaignUpdate struct {
	one
	campaignBody
}

func (s *server) updateCampaign(ctx context.Context, p affiliate.Principal, in campaignUpdate) (document[campaignOutput], error) {
	if err := in.Data.fits(campaigns, adSets, ads); err != nil {
		return document[campaignOutput]{}, err
	}
	c, err := s.of(p).UpdateCampaign(ctx, in.Key, in.input())
	return document[campaignOutput]{showCampaign(c)}, err
}

func (s *server) getCampaign(ctx context.Context, p affiliate.Principal, in one) (document[campaignOutput], error) {
	c, err := s.of(p).Campaign(ctx, in.Key)
	return document[campaignOutput]{showCampaign(c)}, err
}

func (s *server) listCampaigns(ctx context.Context, p affiliate.Principal, in query) (list[campaignOutput], error) {
	return s.campaigns(ctx, p, in, "")
}

type campaignsOf struct {
	query
	AdAccount string `path:"ad-account-id"`
}

func (s *server) listCampaignsOf(ctx context.Context, p affiliate.Principal, in campaignsOf) (list[campaignOutput], error) {
	return s.campaigns(ctx, p, in.query, in.AdAccount)
}

func (s *server) campaigns(ctx context.Context, p affiliate.Principal, in query, adAccount string) (list[campaignOutput], error) {
	var v affiliate.Validation
	f := adsync.CampaignFilter{AdAccountID: adAccount}
	in.filters(&v, func(name, value string) bool { return common(name, value, &f.Service, &f.State, &f.ReferenceID) })
	page := in.page(&v)
	if err := v.Err("campaign"); err != nil {
		return list[campaignOutput]{}, err
	}
	found, err := s.of(p).Campaigns(ctx, f, page)
	return show(in, found, showCampaign), err
}

// common takes the filters that campaigns, ad sets and ads have in common.
func common(name, value string, svc *adsync.AdService, st *adsync.State, referenceID *string) bool {
	switch name {
	case "service":
		*svc = service(value)
	case "state":
		*st = adsync.State(value)
	case "reference_id":
		*referenceID = value
	default:
		return false
	}
	return true
}

type adSetBody struct {
	Data struct {
		identity
		Attributes struct {
			State         wire.Optional[string]        `json:"state"`
			Title         wire.Optional[string]        `json:"title"`
			ReferenceID   wire.Optional[string]        `json:"reference_id" alias:"reference-id"`
			Bids          wire.Optional[bids]          `json:"bids"`
			Configuration wire.Optional[configuration] `json:"service_configurations" alias:"service-configurations"`
		} `json:"attributes"`
		Relationships struct {
			Campaign relationship `json:"campaign"`
		} `json:"relationships"`
	} `json:"data" required:"true"`
}

type bids struct {
	CPC         *bid `json:"cpc"`
	Impressions *bid `json:"impressions"`
}

type bid struct {
	Amount int64 `json:"amount" required:"true"`
}

func (b bids) value() adsync.Bids {
	var out adsync.Bids
	if b.CPC != nil {
		out.CPC = affiliate.Some(b.CPC.Amount)
	}
	if b.Impressions != nil {
		out.Impressions = affiliate.Some(b.Impressions.Amount)
	}
	return out
}

func showBids(b adsync.Bids) bids {
	var out bids
	if b.CPC.Set {
		out.CPC = &bid{b.CPC.Value}
	}
	if b.Impressions.Set {
		out.Impressions = &bid{b.Impressions.Value}
	}
	return out
}

func (b adSetBody) input() adsync.AdSetInput {
	a := b.Data.Attributes
	return adsync.AdSetInput{
		ID: b.Data.ID, ReferenceID: field(a.ReferenceID), State: fieldAs(a.State, state), Title: field(a.Title),
		Bids: fieldAs(a.Bids, bids.value), Configuration: fieldAs(a.Configuration, configuration.value),
		Campaign: b.Data.Relationships.Campaign.Data.ID,
	}
}

type adSetOutput struct {
	State         adsync.State        `json:"state"`
	Bids          bids                `json:"bids"`
	ReferenceID   *string             `json:"reference_id"`
	Service       adsync.AdService    `json:"service"`
	Title         *string             `json:"title"`
	Configuration configurationOutput `json:"service_configurations"`
	CreatedVia    adsync.Origin       `json:"created_via"`
	CreatedAt     *string             `json:"created_at"`
}

func showAdSet(a adsync.AdSet) resource[adSetOutput] {
	return resource[adSetOutput]{
		ID: a.ID.String(), Type: adSets,
		Attributes: adSetOutput{
			State: a.State, Bids: showBids(a.Bids), ReferenceID: orNull(a.ReferenceID), Service: a.Service, Title: orNull(a.Title),
			Configuration: showConfiguration(a.Configuration), CreatedVia: a.CreatedVia, CreatedAt: moment(a.CreatedAt),
		},
		Relationships: map[string]reference{"campaign": referTo(campaigns, a.CampaignID.String())},
	}
}

func (s *server) saveAdSet(ctx context.Context, p affiliate.Principal, in adSetBody) (wire.Reply[document[adSetOutput]], error) {
	if err := in.Data.fits(adSets); err != nil {
		return wire.Reply[document[adSetOutput]]{}, err
	}
	a, created, err := s.of(p).SaveAdSet(ctx, in.input())
	return saved(showAdSet(a), created), err
}

type adSetUpdate struct {
	one
	adSetBody
}

func (s *server) updateAdSet(ctx context.Context, p affiliate.Principal, in adSetUpdate) (document[adSetOutput], error) {
	if err := in.Data.fits(adSets); err != nil {
		return document[adSetOutput]{}, err
	}
	a, err := s.of(p).UpdateAdSet(ctx, in.Key, in.input())
	return document[adSetOutput]{showAdSet(a)}, err
}

func (s *server) getAdSet(ctx context.Context, p affiliate.Principal, in one) (document[adSetOutput], error) {
	a, err := s.of(p).AdSet(ctx, in.Key)
	return document[adSetOutput]{showAdSet(a)}, err
}

func (s *server) listAdSets(ctx context.Context, p affiliate.Principal, in query) (list[adSetOutput], error) {
	return s.adSets(in, func(f adsync.AdSetFilter, page adsync.PageRequest) (adsync.Page[adsync.AdSet], error) {
		return s.of(p).AdSets(ctx, f, page)
	})
}

type adSetsOf struct {
	query
	Campaign string `path:"campaign-id"`
}

func (s *server) listAdSetsOf(ctx context.Context, p affiliate.Principal, in adSetsOf) (list[adSetOutput], error) {
	return s.adSets(in.query, func(f adsync.AdSetFilter, page adsync.PageRequest) (adsync.Page[adsync.AdSet], error) {
		return s.of(p).AdSetsOf(ctx, in.Campaign, f, page)
	})
}

func (s *server) adSets(in query, find func(adsync.AdSetFilter, adsync.PageRequest) (adsync.Page[adsync.AdSet], error)) (list[adSetOutput], error) {
	var v affiliate.Validation
	var f adsync.AdSetFilter
	in.filters(&v, func(name, value string) bool { return common(name, value, &f.Service, &f.State, &f.ReferenceID) })
	page := in.page(&v)
	if err := v.Err("ad_set"); err != nil {
		return list[adSetOutput]{}, err
	}
	found, err := find(f, page)
	return show(in, found, showAdSet), err
}
