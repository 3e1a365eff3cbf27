package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/links"
)

// userStores is the input of the lists of stores that a creator sees.
type userStores struct {
	UserID int64 `path:"user_id"`
}

type categoryStores struct {
	ID     int64              `json:"id"`
	Name   string             `json:"name"`
	Stores []categorizedStore `json:"stores"`
}

type categorizedStore struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	LogoURL  string `json:"logo_url"`
	Currency string `json:"currency"`
}

func (s *server) listStoresByCategory(ctx context.Context, _ affiliate.Principal, in userStores) ([]categoryStores, error) {
	all, err := s.links.VisibleByCategory(ctx, in.UserID)
	return laravel.ShowAll(all, func(c links.CategoryAdvertisers) categoryStores {
		return categoryStores{ID: c.Category.ID, Name: c.Category.Name, Stores: laravel.ShowAll(c.Advertisers, func(a affiliate.Advertiser) categorizedStore {
			return categorizedStore{ID: a.ID, Name: a.Name, LogoURL: a.LogoURL, Currency: string(a.Currency)}
		})}
	}), err
}

type toplistStore struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	LogoURL  string `json:"logo_url"`
	Currency string `json:"currency"`
	Clicks   int64  `json:"clicks"`
}

func (s *server) listStoresByToplist(ctx context.Context, _ affiliate.Principal, in userStores) ([]toplistStore, error) {
	all, err := s.links.VisibleByClicks(ctx, in.UserID)
	return laravel.ShowAll(all, func(r links.RankedAdvertiser) toplistStore {
		a := r.Advertiser
		return toplistStore{ID: a.ID, Name: a.Name, LogoURL: a.LogoURL, Currency: string(a.Currency), Clicks: r.Clicks}
	}), err
}
