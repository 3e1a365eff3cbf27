package metapic

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

type returnAd struct {
	ID            int64             `json:"id"`
	Name          string            `json:"name"`
	GroupID       *int64            `json:"advertiser_group_id"` // null: none
	Link          affiliateLink     `json:"affiliate_link"`
	AuthorID      *int64            `json:"author_id"` // null: without a user account
	DisplayForAll bool              `json:"display_for_all_advertisers"`
	Status        string            `json:"status"`
	Styles        map[string]string `json:"styles" null:"true"`
	Image         laravel.Image     `json:"image"`
	StartsAt      laravel.DateTime  `json:"starts_at"`
	EndsAt        laravel.DateTime  `json:"ends_at"`
	Stats         []returnAdStats   `json:"stats"` // one item; none for those who do not act for the advertiser
}

// returnAdStats is how often an ad was shown and followed, how often it may be,
// and what came of it. Rates are fractions.
type returnAdStats struct {
	Views            int64         `json:"current_views"`
	Clicks           int64         `json:"current_clicks"`
	ViewLimit        *int64        `json:"view_limit"`
	ClickLimit       *int64        `json:"click_limit"`
	Orders           int64         `json:"order_count"`
	OrderValue       laravel.Money `json:"order_value"`
	Earnings         laravel.Money `json:"earnings"`
	ClickThroughRate json.Number   `json:"click_through_rate"`
	ConversionRate   json.Number   `json:"conversion_rate"`
}

func showReturnAdStats(v returnads.View) returnAdStats {
	amount := func(minor int64) laravel.Money {
		return laravel.Money(affiliate.NewMoney(minor, v.Advertiser.Currency))
	}
	fraction := func(millionths int64) json.Number {
		return json.Number(decimal.New(millionths, -6).String())
	}
	return returnAdStats{
		Views: v.Counts.Views, Clicks: v.Counts.Clicks, ViewLimit: laravel.Pointer(v.ViewLimit), ClickLimit: laravel.Pointer(v.ClickLimit),
		Orders: v.Sales.Orders, OrderValue: amount(v.Sales.OrderValue), Earnings: amount(v.Sales.Earnings()),
		ClickThroughRate: fraction(v.Counts.ClickThroughRate()), ConversionRate: fraction(v.Counts.ConversionRate(v.Sales.Orders)),
	}
}

// showReturnAd shows where the ad leads as an affiliate link, with the id of the
// one behind it (null: none). The short URL is the route that counts the click; shown
// at a store it says at which one (0: anywhere).
func (s *server) showReturnAd(v returnads.View, at int64) returnAd {
	short := s.publicURL() + open.ReturnAdPrefix + strconv.FormatInt(v.ID, 10) + "/click"
	if at != 0 {
		short += "?advertiser_id=" + strconv.FormatInt(at, 10)
	}
	shown := returnAd{
		ID: v.ID, Name: v.Name, GroupID: laravel.IDOrNull(v.AdvertiserGroupID), AuthorID: laravel.IDOrNull(v.Author.UserID),
		Link: affiliateLink{
			ID: laravel.IDOrNull(v.LinkID), URL: v.ReturnLink, OriginalURL: v.ReturnLink, ShortURL: &short, UserID: laravel.IDOrNull(v.Author.UserID),
			Country: v.Advertiser.Country, Provider: v.Advertiser.Provider, Advertiser: showStore(v.Advertiser),
		},
		DisplayForAll: v.DisplayForAll, Status: string(v.Status), Image: s.showImage(v.ImageKey, offers.ReturnAdSize),
		StartsAt: laravel.DateTime(v.StartsAt), EndsAt: laravel.ShowEnd(v.EndsAt, v.UntilDay),
		Stats: []returnAdStats{showReturnAdStats(v)},
	}
	if len(v.Styles) > 0 {
		shown.Styles = make(map[string]string, len(v.Styles))
		for _, style := range v.Styles {
			shown.Styles[style.Name] = style.Value
		}
	}
	return shown
}

// returnAdFields is what a return ad is made of, and what changes one: an
// update changes what is sent; null takes away what an ad can be without.
type returnAdFields struct {
	Name          wire.Optional[string]            `json:"name"`
	ReturnLink    wire.Optional[string]            `json:"return_link"`
	DisplayForAll wire.Optional[bool]              `json:"display_for_all_advertisers"`
	AdvertiserIDs wire.Optional[[]int64]           `json:"advertiser_ids" max:"1000"`
	CategoryIDs   wire.Optional[[]int64]           `json:"advertiser_category_ids" max:"1000"`
	Styles        wire.Optional[map[string]string] `json:"styles" max:"50"`
	ImageKey      wire.Optional[laravel.MediaKey]  `json:"image_key"`
	StartsAt      wire.Optional[time.Time]         `json:"starts_at"`
	EndsAt        wire.Optional[laravel.End]       `json:"ends_at"`
	ClickLimit    wire.Optional[int64]             `json:"click_limit"`
	ViewLimit     wire.Optional[int64]             `json:"view_limit"`
}

func (f returnAdFields) apply(a *returnads.Ad) {
	laravel.Set(&a.Name, f.Name)
	laravel.Set(&a.ReturnLink, f.ReturnLink)
	laravel.Set(&a.DisplayForAll, f.DisplayForAll)
	laravel.SetOrClear(&a.AdvertiserIDs, f.AdvertiserIDs)
	laravel.SetOrClear(&a.CategoryIDs, f.CategoryIDs)
	if f.Styles.Set {
		a.Styles = nil
		for _, name := range slices.Sorted(maps.Keys(f.Styles.Value)) {
			a.Styles = append(a.Styles, returnads.Style{Name: name, Value: f.Styles.Value[name]})
		}
	}
	if f.ImageKey.Set {
		a.ImageKey = string(f.ImageKey.Value)
	}
	laravel.SetOrClear(&a.StartsAt, f.StartsAt)
	f.EndsAt.Value.Apply(f.EndsAt.Set, &a.EndsAt, &a.UntilDay)
	laravel.SetOptional(&a.ClickLimit, f.ClickLimit)
	laravel.SetOptional(&a.ViewLimit, f.ViewLimit)
}

type listReturnAds struct {
	laravel.Paging
	Query         string          `query:"query" max:"64"`
	GroupIDs      []int64         `query:"advertiser_group_ids" max:"1000"`
	AdvertiserIDs []int64         `query:"advertiser_ids" max:"1000"`
	Statuses      []offers.Status `query:"statuses" enum:"deleted,ended,scheduled,paused,active" max:"100"`
	CreatedBy     int64           `query:"created_by" min:"1"`
	OrID          int64           `query:"or_id" min:"1"`
	SortBy        affiliate.Sort  `query:"sort_by" sort:"name,created_at,starts_at,ends_at,current_clicks,current_views,order_count,order_value,earnings,click_through_rate,conversion_rate"`
}

// listReturnAds returns all ads to an admin, a representative or an agency those
// of its advertisers.
func (s *server) listReturnAds(ctx context.Context, _ affiliate.Principal, in listReturnAds) (list laravel.List[returnAd], err error) {
	f := returnads.Filter{
		Query: in.Query, AdvertiserGroupIDs: in.GroupIDs, AdvertiserIDs: in.AdvertiserIDs, CreatedBy: in.CreatedBy, Statuses: in.Statuses, OrID: in.OrID,
	}
	req := in.Request(in.SortBy)
	page, err := s.ads.List(ctx, f, req)
	return laravel.NewList(in.URL, req, page, func(v returnads.View) returnAd { return s.showReturnAd(v, 0) }), err
}

func (s *server) createReturnAd(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `json:"advertiser_id" required:"true" min:"1"`
	GroupID      int64 `json:"advertiser_group_id" min:"1"`
	returnAdFields
}) (out returnAd, err error) {
	a := returnads.Ad{AdvertiserID: in.AdvertiserID, AdvertiserGroupID: in.GroupID, Author: p.Actor()}
	in.apply(&a)
	v, err := s.ads.Create(ctx, a)
	if err != nil {
		return out, err
	}
	return s.showReturnAd(v, 0), nil
}

// adPath names a return ad.
type adPath struct {
	ID int64 `path:"id"`
}

func (s *server) getReturnAd(ctx context.Context, _ affiliate.Principal, in adPath) (out returnAd, err error) {
	v, err := s.ads.Get(ctx, in.ID)
	if err != nil {
		return out, err
	}
	return s.showReturnAd(v, 0), nil
}

// updateReturnAd changes what is sent, for PUT as for PATCH.
func (s *server) updateReturnAd(ctx context.Context, _ affiliate.Principal, in struct {
	adPath
	returnAdFields
}) (returnAd, error) {
	return s.changedReturnAd(s.ads.Update(ctx, in.ID, in.apply))
}

func (s *server) changedReturnAd(v returnads.View, err error) (returnAd, error) {
	if err != nil {
		return returnAd{}, err
	}
	return s.showReturnAd(v, 0), nil
}

func (s *server) deleteReturnAd(ctx context.Context, _ affiliate.Principal, in adPath) (wire.None, error) {
	return wire.None{}, s.ads.Delete(ctx, in.ID)
}

// stopPath names a return ad where the document calls it otherwise.
type stopPath struct {
	ID int64 `path:"returnAd_id"`
}

func (s *server) pauseReturnAd(ctx context.Context, _ affiliate.Principal, in stopPath) (returnAd, error) {
	return s.changedReturnAd(s.ads.Pause(ctx, in.ID))
}

func (s *server) unpauseReturnAd(ctx context.Context, _ affiliate.Principal, in stopPath) (returnAd, error) {
	return s.changedReturnAd(s.ads.Unpause(ctx, in.ID))
}

// listShownReturnAds returns what a store is to show now: ads of others, whose
// figures are theirs.
func (s *server) listShownReturnAds(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"store_id"`
}) ([]returnAd, error) {
	ads, err := s.ads.ShownAt(ctx, in.StoreID)
	return laravel.ShowAll(ads, func(v returnads.View) returnAd {
		shown := s.showReturnAd(v, in.StoreID)
		if !p.ActsFor(v.AdvertiserID) {
			shown.Stats = []returnAdStats{}
		}
		return shown
	}), err
}
