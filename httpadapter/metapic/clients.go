package metapic

import (
	"context"
	"encoding/json"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type group struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	Currency string `json:"currency"`
}

func showGroup(g affiliate.AdvertiserGroup) group {
	return group{ID: g.ID, Name: g.Name, Key: g.Key, Currency: string(g.Currency)}
}

type listGroups struct {
	laravel.Paging
	ReturnAdEnabled bool           `query:"return_ad_enabled"`
	SortBy          affiliate.Sort `query:"sort_by" sort:"id,name,key,currency"`
}

// listGroups lists the groups that the principal sees.
func (s *server) listGroups(ctx context.Context, _ affiliate.Principal, in listGroups) (laravel.List[group], error) {
	var f affiliate.AdvertiserGroupFilter
	if in.ReturnAdEnabled {
		f.ReturnAdEnabled = affiliate.Some(true)
	}
	req := in.Request(in.SortBy)
	page, err := s.core.AdvertiserGroups(ctx, f, req)
	return laravel.NewList(in.URL, req, page, showGroup), err
}

// client is a publisher network where something else is shown: a blocklist.
type client struct {
	ID                  int64       `json:"id"`
	Name                string      `json:"name"`
	ClientID            string      `json:"client_id"`
	HasOwnPaymentSystem bool        `json:"has_own_payment_system"`
	RevenueShare        json.Number `json:"revenue_share"`
}

func showClient(c affiliate.Client) client {
	return client{
		ID: c.ID, Name: c.Name, ClientID: c.PublicID, HasOwnPaymentSystem: c.OwnPaymentSystem,
		RevenueShare: json.Number(c.RevenueShare.String()),
	}
}

// listedClient is a client in the list of clients. The secret is shown once, at
// creation, and is null ever after.
type listedClient struct {
	client
	ClientSecret *string `json:"client_secret"`
}

func showListedClient(c affiliate.Client) listedClient { return listedClient{client: showClient(c)} }

type listClients struct {
	URL      wire.URL
	Page     int            `query:"page" default:"1" min:"1" max:"1000000000"`
	Size     int            `query:"size" default:"20" min:"1" max:"500"`
	Query    string         `query:"query" max:"128"`
	GroupIDs []int64        `query:"advertiser_group_ids" max:"1000"`
	SortBy   affiliate.Sort `query:"sort_by" sort:"id,name,client_id,has_own_payment_system,revenue_share"`
}

// listClients lists an admin all clients and a client itself.
func (s *server) listClients(ctx context.Context, _ affiliate.Principal, in listClients) (laravel.List[listedClient], error) {
	f := affiliate.ClientFilter{Query: in.Query, GroupIDs: in.GroupIDs}
	req := affiliate.PageRequest{Number: in.Page, Size: in.Size, Sort: in.SortBy}
	page, err := s.core.Clients(ctx, f, req)
	return laravel.NewList(in.URL, req, page, showListedClient), err
}
