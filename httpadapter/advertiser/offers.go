package advertiser

import (
	"context"
	"encoding/json"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// offer is a campaign. Amounts are minor units of the store's currency.
type offer struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	Type          string `json:"type"`
	StoreID       int64  `json:"store_id"`
	To            day    `json:"to"`
	CPC           *int64 `json:"cpc"`
	MaxClicks     *int64 `json:"max_clicks"`
	CurrentClicks int64  `json:"current_clicks"` // paid so far
	MaxMoney      *int64 `json:"max_money"`
	CurrentMoney  int64  `json:"current_money"` // cost so far
	Active        int    `json:"active"`
	timestamps
	From                 day          `json:"from"`
	InstagramCPC         *int64       `json:"instagram_cpc"`
	InvoiceCPC           *int64       `json:"invoice_cpc"`
	InvoiceInstagramCPC  *int64       `json:"invoice_instagram_cpc"`
	RevenueCPA           *json.Number `json:"revenue_cpa"` // the creator's part of an order, as cpa
	RevenueInstagramCPA  *json.Number `json:"revenue_instagram_cpa"`
	InvoiceInstagramCPA  *json.Number `json:"invoice_instagram_cpa"`
	InvoiceCPA           *json.Number `json:"invoice_cpa"`
	Priority             int64        `json:"priority"`
	CPA                  *json.Number `json:"cpa"`
	InstagramCPA         *json.Number `json:"instagram_cpa"`
	StoreVisibility      int          `json:"store_visibility"`
	CampaignShow         int          `json:"offer_campaign_show"`
	CampaignText         *string      `json:"offer_campaign_text"`
	CampaignTitle        *string      `json:"offer_campaign_title"`
	InfluencerText       *string      `json:"offer_influencer_text"`
	OneTimePayment       int64        `json:"one_time_payment"`
	ShowForAdvertiser    int          `json:"show_for_advertiser"`
	UserRevenueGeneral   *json.Number `json:"user_revenue_general"`
	UserRevenueInstagram *json.Number `json:"user_revenue_instagram"`
	ClientRevenue        *json.Number `json:"client_revenue"` // always null: it is the client's revenue_share
}

// offerDetails are an offer with whom it is for.
type offerDetails struct {
	offer
	ImageURL    *string  `json:"img_src"`
	Clients     []named  `json:"clients"`
	StoreGroups []named  `json:"store_groups"`
	RevenueTier []named  `json:"revenue_tier"`
	UserTags    []named  `json:"user_tags"`
	Users       []int64  `json:"user_ids"`
	EmailUsers  []string `json:"email_users"`
	SocialUsers []string `json:"social_media_users"`
}

func showOffer(v offers.View) offer {
	general, instagram := costsOf(v.Offer, affiliate.SourceGeneral), costsOf(v.Offer, affiliate.SourceInstagram)
	return offer{
		ID: v.ID, Name: v.Name, Type: string(v.Type), StoreID: v.AdvertiserID, From: day(v.ValidFrom), To: lastDay(v.ValidUntil),
		CPC: laravel.Pointer(general.CPC), InstagramCPC: laravel.Pointer(instagram.CPC),
		InvoiceCPC: laravel.Pointer(orElse(general.InvoiceCPC, general.CPC)), InvoiceInstagramCPC: laravel.Pointer(orElse(instagram.InvoiceCPC, instagram.CPC)),
		CPA: laravel.ShowRate(general.CPA), InstagramCPA: laravel.ShowRate(instagram.CPA),
		RevenueCPA: laravel.ShowRate(general.CPA), RevenueInstagramCPA: laravel.ShowRate(instagram.CPA),
		InvoiceCPA: laravel.ShowRate(orElse(general.InvoiceCPA, general.CPA)), InvoiceInstagramCPA: laravel.ShowRate(orElse(instagram.InvoiceCPA, instagram.CPA)),
		UserRevenueGeneral: laravel.ShowRate(general.UserRevenue), UserRevenueInstagram: laravel.ShowRate(instagram.UserRevenue),
		MaxClicks: laravel.Pointer(v.MaxClicks), CurrentClicks: v.Used.Clicks, MaxMoney: laravel.Pointer(v.BudgetLimit), CurrentMoney: v.Used.Spent,
		Active: flag(v.PausedAt.IsZero()), timestamps: stamps(v.CreatedAt, v.UpdatedAt), Priority: priorityOf(v.Priority),
		StoreVisibility: int(v.Visibility), CampaignShow: flag(!v.Unlisted), CampaignText: laravel.TextOrNull(v.Text),
		CampaignTitle: laravel.TextOrNull(v.Title), InfluencerText: laravel.TextOrNull(v.InfluencerText),
		OneTimePayment: v.OneTimePayment, ShowForAdvertiser: flag(v.ShowForAdvertiser),
	}
}

// lastDay is the last day of an exclusive end.
func lastDay(until time.Time) day {
	if until.IsZero() {
		return day{}
	}
	return day(until.Add(-time.Microsecond))
}

// unknownPriority is what a campaign shows that was ranked in another way.
const unknownPriority = 50

func priorityOf(rank int64) int64 {
	if p := offers.PriorityV1(rank); offers.V1Priority(p) == rank {
		return p
	}
	return unknownPriority
}

func costsOf(o offers.Offer, source affiliate.TrafficSource) offers.Costs {
	for _, c := range o.Costs {
		if c.Source == source {
			return c
		}
	}
	return offers.Costs{}
}

func orElse[T any](o, other affiliate.Optional[T]) affiliate.Optional[T] {
	if o.Set {
		return o
	}
	return other
}

type listOffers struct {
	StoreID int64 `path:"id"`
	paging
	Name string `query:"name" max:"128"`
}

func (s *server) listOffers(ctx context.Context, _ affiliate.Principal, in listOffers) (laravel.FlatList[offer], error) {
	req := in.request(pageSize)
	page, err := s.offers.Offers(ctx, offers.OfferFilter{
		Query: in.Name, AdvertiserIDs: []int64{in.StoreID},
		Statuses: []offers.Status{offers.Active, offers.Paused, offers.Scheduled, offers.Ended},
	}, req)
	return laravel.NewFlatList(in.URL, req, page, showOffer), err
}

// owned is a campaign of the store that is not deleted; others are not there.
func (s *server) owned(ctx context.Context, storeID, offerID int64) (offers.View, error) {
	v, err := s.offers.Offer(ctx, offerID)
	if err == nil && (v.AdvertiserID != storeID || v.Status == offers.Deleted) {
		err = affiliate.NotFound("offer", offerID)
	}
	return v, err
}

// details are a campaign with whom it is for.
func (s *server) details(ctx context.Context, p affiliate.Principal, v offers.View) (offerDetails, error) {
	t, _, err := s.offers.For(affiliate.ViewerOf(p)).Targets(ctx, v.ID)
	if err != nil {
		return offerDetails{}, err
	}
	return s.detailsFor(ctx, v, t)
}

func (s *server) detailsFor(ctx context.Context, v offers.View, t offers.Targets) (out offerDetails, err error) {
	out = offerDetails{
		offer: showOffer(v), Users: laravel.OrEmpty(t.UserIDs), EmailUsers: append([]string{}, t.Emails...), SocialUsers: append([]string{}, t.Identifiers...),
	}
	if v.ImageKey != "" {
		url := laravel.ShowImage(s.publicURL(), v.ImageKey).URL
		out.ImageURL = &url
	}
	pivot := func(column string, id int64) map[string]int64 { return map[string]int64{"offer_id": v.ID, column: id} }
	all := func(ids []int64) affiliate.PageRequest {
		return affiliate.PageRequest{Number: 1, Size: max(1, min(len(ids), affiliate.MaxPageSize))}
	}
	clients, err := s.core.Clients(ctx, affiliate.ClientFilter{IDs: laravel.OrEmpty(t.ClientIDs)}, all(t.ClientIDs))
	if err != nil {
		return out, err
	}
	out.Clients = laravel.ShowAll(clients.Items, func(c affiliate.Client) named { return named{c.ID, c.Name, pivot("client_id", c.ID)} })
	groups, err := s.core.AdvertiserGroups(ctx, affiliate.AdvertiserGroupFilter{IDs: laravel.OrEmpty(t.StoreGroupIDs)}, all(t.StoreGroupIDs))
	if err != nil {
		return out, err
	}
	out.StoreGroups = laravel.ShowAll(groups.Items, func(g affiliate.AdvertiserGroup) named { return named{g.ID, g.Name, pivot("store_group_id", g.ID)} })
	tags, err := s.core.UserTags(ctx, affiliate.UserTagFilter{IDs: laravel.OrEmpty(t.TagIDs)}, all(t.TagIDs))
	if err != nil {
		return out, err
	}
	out.UserTags = laravel.ShowAll(tags.Items, func(t affiliate.UserTag) named { return named{t.ID, t.Name, pivot("user_tag_id", t.ID)} })
	tiers, err := s.core.RevenueTiers(ctx, t.RevenueTierIDs, nil)
	out.RevenueTier = laravel.ShowAll(tiers, func(t affiliate.RevenueTier) named { return named{t.ID, t.Name, pivot("revenue_tier_id", t.ID)} })
	return out, err
}

// publicURL is what the addresses in answers begin with; without links they are
// paths.
func (s *server) publicURL() string {
	if s.links == nil {
		return ""
	}
	return s.links.PublicURL()
}

type createOffer struct {
	StoreID int64 `path:"id"`
	offerFields
}

func (s *server) createOffer(ctx context.Context, p affiliate.Principal, in createOffer) (offerDetails, error) {
	var v affiliate.Validation
	require(&v, "name", in.Name)
	require(&v, "active", in.Active)
	require(&v, "priority", in.Priority)
	o := offers.Offer{AdvertiserID: in.StoreID, Type: offers.Standard, CreatedBy: p.Actor()}
	in.apply(&o)
	in.checkDays(o, &v)
	if err := v.Err("offer"); err != nil {
		return offerDetails{}, err
	}
	made, err := s.offers.For(affiliate.ViewerOf(p)).CreateOffer(ctx, offers.OfferInput{
		Offer: o, Targets: in.retarget(offers.Targets{}), Priority: affiliate.Some(offers.V1Priority(in.Priority.Value)), Paused: in.Active.Value == 0,
	})
	if err != nil {
		return offerDetails{}, err
	}
	return s.details(ctx, p, made.View)
}

func (s *server) getOffer(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	OfferID int64 `path:"offer"`
}) (offerDetails, error) {
	v, err := s.owned(ctx, in.StoreID, in.OfferID)
	if err != nil {
		return offerDetails{}, err
	}
	return s.details(ctx, p, v)
}

type updateOffer struct {
	StoreID int64 `path:"id"`
	OfferID int64 `path:"offer"`
	offerFields
}

func (s *server) updateOffer(ctx context.Context, p affiliate.Principal, in updateOffer) (offerDetails, error) {
	if _, err := s.owned(ctx, in.StoreID, in.OfferID); err != nil {
		return offerDetails{}, err
	}
	c := offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
		var v affiliate.Validation
		in.apply(o)
		in.checkDays(*o, &v)
		return v.Err("offer")
	}}
	if priority := in.Priority.Ptr(); priority != nil {
		c.Priority = affiliate.Some(offers.V1Priority(*priority))
	}
	if active := in.Active.Ptr(); active != nil {
		c.Paused = affiliate.Some(*active == 0)
	}
	if in.hasTargets() {
		c.Retarget = in.retarget
	}
	changed, err := s.offers.For(affiliate.ViewerOf(p)).UpdateOffer(ctx, in.OfferID, c)
	if err != nil {
		return offerDetails{}, err
	}
	return s.details(ctx, p, changed.View)
}

// deleteOffer returns the campaign as it was.
func (s *server) deleteOffer(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	OfferID int64 `path:"offer"`
}) (offerDetails, error) {
	v, err := s.owned(ctx, in.StoreID, in.OfferID)
	if err != nil {
		return offerDetails{}, err
	}
	shown, err := s.details(ctx, p, v)
	if err != nil {
		return offerDetails{}, err
	}
	return shown, s.offers.DeleteOffer(ctx, in.OfferID)
}

func (s *server) uploadOfferImage(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64     `path:"id"`
	OfferID int64     `path:"offerId"`
	Image   wire.File `json:"img_src" required:"true"`
}) (offerDetails, error) {
	if _, err := s.owned(ctx, in.StoreID, in.OfferID); err != nil {
		return offerDetails{}, err
	}
	content, err := laravel.Picture(in.Image)
	if err != nil {
		return offerDetails{}, err
	}
	v, err := s.offers.SetImage(ctx, in.OfferID, content)
	if err != nil {
		return offerDetails{}, laravel.UnderName("img_src", err)
	}
	return s.details(ctx, p, v)
}

// setUserOffer gives one creator rates of its own.
func (s *server) setUserOffer(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	UserID  int64 `path:"userId"`
	rates
}) (offerDetails, error) {
	if _, err := s.core.AdvertiserUser(ctx, in.StoreID, in.UserID); err != nil {
		return offerDetails{}, err
	}
	saved, err := s.offers.SetUserOffer(ctx, in.StoreID, in.UserID, p.Actor(), in.rates.apply)
	if err != nil {
		return offerDetails{}, err
	}
	return s.details(ctx, p, saved.View)
}
