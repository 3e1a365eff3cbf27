package advertiser

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
)

// store is an advertiser. Amounts are minor units of its currency. Feeds and
// what networks tell are not kept: their fields are empty.
type store struct {
	ID               int64   `json:"id"`
	FeedID           string  `json:"feed_id"`
	Name             string  `json:"feed_name"`
	Provider         string  `json:"feed_provider"`
	Language         string  `json:"language_iso_code"`
	Currency         string  `json:"currency_iso_code"`
	Locale           string  `json:"locale"`
	CPC              int64   `json:"revenue_cpc"`
	DirectLink       string  `json:"direct_link"`
	Deeplinkable     int     `json:"deeplinkable"`
	AutoUpdate       int     `json:"autoupdate"`
	MetaInfo         *string `json:"metainfo"`
	TrackingTemplate string  `json:"url"`
	Feed             int     `json:"feed"`
	timestamps
	InstagramCPC        int64        `json:"instagram_revenue_cpc"`
	ProviderAccountID   int          `json:"store_provider_account_id"`
	LastCorrectSync     *string      `json:"last_correct_sync"`
	NumberOfProducts    int          `json:"number_of_products"`
	InvoiceCPC          int64        `json:"invoice_cpc"`
	InvoiceInstagramCPC int64        `json:"invoice_instagram_cpc"`
	ProgramID           *int64       `json:"program_id"`
	DeletedAt           *string      `json:"deleted_at"`
	CPA                 *json.Number `json:"revenue_cpa"`
	RevenueText         *string      `json:"revenue_text"`
	RevenueOfCommission *json.Number `json:"revenue_of_commision"`
	InstagramCPA        *json.Number `json:"revenue_instagram_cpa"`
	InvoiceInstagramCPA *json.Number `json:"invoice_instagram_cpa"`
	InvoiceCPA          *json.Number `json:"invoice_cpa"`
	EarningsReturnRate  int          `json:"earnings_return_rate"`
	Hidden              int          `json:"hidden"`
	TDEarning           *int64       `json:"td_earning"`
	MetapicInvoicing    int          `json:"metapic_invoicing"`
	LogoURL             string       `json:"logo_url"`
	Status              int          `json:"status"`
	URLs                []storeURL   `json:"urls"`
	Categories          []category   `json:"store_categories"`
}

// providerAccount is the constant that the document prints.
const providerAccount = 64

type storeURL struct {
	ID       int64   `json:"id"`
	StoreID  int64   `json:"store_id"`
	EndHost  string  `json:"end_host"`
	StartURL *string `json:"start_url"`
	timestamps
}

type category struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func showStore(v links.Shop) store {
	a := v.Advertiser
	general, instagram := defaultCosts(a, affiliate.SourceGeneral), defaultCosts(a, affiliate.SourceInstagram)
	return store{
		ID: a.ID, Name: a.Name, Provider: a.Provider, Language: a.Language, Currency: string(a.Currency), Locale: a.Country,
		CPC: general.CPC.Value, InstagramCPC: instagram.CPC.Value, TrackingTemplate: a.TrackingTemplate, timestamps: stamps(a.CreatedAt, a.UpdatedAt),
		ProviderAccountID: providerAccount,
		InvoiceCPC:        orElse(general.InvoiceCPC, general.CPC).Value, InvoiceInstagramCPC: orElse(instagram.InvoiceCPC, instagram.CPC).Value,
		CPA: laravel.ShowRate(general.CPA), InstagramCPA: laravel.ShowRate(instagram.CPA),
		InvoiceCPA: laravel.ShowRate(general.InvoiceCPA), InvoiceInstagramCPA: laravel.ShowRate(instagram.InvoiceCPA),
		Hidden: flag(a.Hidden), LogoURL: a.LogoURL, Status: flag(a.Status == affiliate.AdvertiserActive),
		URLs: laravel.ShowAll(v.Domains, func(r links.Rule) storeURL {
			return storeURL{ID: r.ID, StoreID: a.ID, EndHost: r.URL, timestamps: stamps(r.CreatedAt, r.UpdatedAt)}
		}),
		Categories: laravel.ShowAll(v.Categories, func(c affiliate.Category) category { return category(c) }),
	}
}

func defaultCosts(a affiliate.Advertiser, source affiliate.TrafficSource) affiliate.Costs {
	for _, c := range a.DefaultCosts {
		if c.Source == source {
			return c
		}
	}
	return affiliate.Costs{}
}

func (s *server) getStore(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
}) (out store, err error) {
	v, err := s.links.Shop(ctx, in.StoreID)
	if err != nil {
		return out, err
	}
	return showStore(v), nil
}

type updateStore struct {
	StoreID      int64                       `path:"id"`
	CPC          wire.Optional[int64]        `json:"revenue_cpc" min:"0" max:"100000"`
	InstagramCPC wire.Optional[int64]        `json:"instagram_revenue_cpc" min:"0" max:"100000"`
	CPA          wire.Optional[laravel.Rate] `json:"revenue_cpa"`
	InstagramCPA wire.Optional[laravel.Rate] `json:"revenue_instagram_cpa"`
	Hidden       *int64                      `json:"hidden" enum:"0,1"`
	Domains      []string                    `json:"domains" max:"100"`
	Categories   []int64                     `json:"categories" max:"100"`
}

func (in updateStore) apply(a *affiliate.Advertiser) {
	in.costs(a, affiliate.SourceGeneral, in.CPC, in.CPA)
	in.costs(a, affiliate.SourceInstagram, in.InstagramCPC, in.InstagramCPA)
	if in.Hidden != nil {
		a.Hidden = *in.Hidden == 1
	}
	if len(in.Categories) > 0 {
		a.CategoryIDs = idset.Sorted(in.Categories)
	}
}

func (updateStore) costs(a *affiliate.Advertiser, source affiliate.TrafficSource, cpc wire.Optional[int64], cpa wire.Optional[laravel.Rate]) {
	if !cpc.Set && !cpa.Set {
		return
	}
	i := slices.IndexFunc(a.DefaultCosts, func(c affiliate.Costs) bool { return c.Source == source })
	if i < 0 {
		i = len(a.DefaultCosts)
		a.DefaultCosts = append(a.DefaultCosts, affiliate.Costs{Source: source})
	}
	laravel.SetOptional(&a.DefaultCosts[i].CPC, cpc)
	if cpa.Set {
		a.DefaultCosts[i].CPA = affiliate.Optional[affiliate.Rate]{}
		if !cpa.Null {
			a.DefaultCosts[i].CPA = affiliate.Some(cpa.Value.Rate)
		}
	}
}

func (s *server) updateStore(ctx context.Context, p affiliate.Principal, in updateStore) (out store, err error) {
	v, err := s.links.For(affiliate.ViewerOf(p)).UpdateShop(ctx, in.StoreID, links.ShopChange{Change: in.apply, Domains: in.Domains})
	if err != nil {
		return out, err
	}
	return showStore(v), nil
}

// uploadLogo keeps the picture and makes its address the store's logo.
func (s *server) uploadLogo(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64     `path:"id"`
	Logo    wire.File `json:"logo" required:"true"`
}) (out store, err error) {
	if _, err := s.links.Shop(ctx, in.StoreID); err != nil {
		return out, err
	}
	content, err := laravel.Picture(in.Logo)
	if err != nil {
		return out, err
	}
	key, err := s.offers.SaveImage(ctx, in.StoreID, "logo", content)
	if err != nil {
		return out, err
	}
	url := laravel.ShowImage(s.publicURL(), key).URL
	v, err := s.links.UpdateShop(ctx, in.StoreID, links.ShopChange{Change: func(a *affiliate.Advertiser) { a.LogoURL = url }})
	if err != nil {
		return out, err
	}
	return showStore(v), nil
}
