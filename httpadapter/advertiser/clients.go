package advertiser

import (
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
)

// client is a publisher network.
type client struct {
	ID       int64  `json:"id"`
	ClientID string `json:"client_id"`
	Name     string `json:"name"`
	timestamps
	OwnPaymentSystem   int         `json:"own_paymentsystem"`
	Config             string      `json:"config"`
	MailConfig         *mailConfig `json:"user_mail_config"`
	Feed               string      `json:"feed"`
	Locale             string      `json:"locale"`
	RevenueModel       string      `json:"revenue_model"`
	RevenueShare       string      `json:"revenue_share"`
	GroupID            int64       `json:"store_group_id"`
	DefaultRevenueTier int64       `json:"default_revenue_tier"`
	DefaultVerified    int         `json:"default_verified_users"`
}

// mailConfig names templates of e-mails. This library has none.
type mailConfig struct {
	Accepted   string `json:"accepted"`
	Inactive   string `json:"inactive"`
	UsedTool   string `json:"used_tool"`
	Registered string `json:"registered"`
}

// listedClient is a client on a list of clients. Its secret is shown once, at
// creation, and is null ever after.
type listedClient struct {
	client
	ClientSecret *string    `json:"client_secret"`
	Group        storeGroup `json:"store_group"`
	RevenueTiers []named    `json:"revenue_tiers"`
}

// storeGroup is an advertiser group. shopello and es are constants.
type storeGroup struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Shopello     int    `json:"shopello"`
	Key          string `json:"key"`
	Locale       string `json:"locale"`
	Lang         string `json:"lang"`
	Currency     string `json:"currency"`
	ES           int    `json:"es"`
	PaymentLimit int64  `json:"payment_limit"` // minor units
}

// named is something with an id and a name, and what it hangs on.
type named struct {
	ID    int64            `json:"id"`
	Name  string           `json:"name"`
	Pivot map[string]int64 `json:"pivot,omitempty"`
}

func showClient(c affiliate.Client) client {
	return client{
		ID: c.ID, ClientID: c.PublicID, Name: c.Name, timestamps: stamps(c.CreatedAt, c.CreatedAt),
		OwnPaymentSystem: flag(c.OwnPaymentSystem), Config: "{}", RevenueModel: "blog_percentage",
		RevenueShare: c.RevenueShare.Decimal().StringFixed(2), GroupID: c.GroupID, DefaultRevenueTier: c.DefaultTierID,
	}
}

// showGroup splits a key such as sv_SE into language and country.
func showGroup(g affiliate.AdvertiserGroup) storeGroup {
	lang, country, _ := strings.Cut(g.Key, "_")
	return storeGroup{
		ID: g.ID, Name: g.Name, Key: g.Key, Locale: country, Lang: lang, Currency: string(g.Currency), PaymentLimit: g.PaymentLimit,
	}
}

type listClients struct {
	StoreID int64 `path:"id"`
	paging
	Query string `query:"query" max:"255"`
	Size  int    `query:"size" default:"50" min:"1" max:"100"`
	Group int64  `query:"group" min:"1"`
}

// listClients lists the clients of the store's group.
func (s *server) listClients(ctx context.Context, _ affiliate.Principal, in listClients) (list laravel.FlatList[listedClient], err error) {
	a, err := s.core.Advertiser(ctx, in.StoreID)
	if err != nil {
		return list, err
	}
	f := affiliate.ClientFilter{Query: in.Query, GroupIDs: []int64{a.GroupID}}
	if a.GroupID == 0 || in.Group != 0 && in.Group != a.GroupID {
		f.GroupIDs = []int64{} // a store in no group has no clients
	}
	req := in.request(in.Size)
	page, err := s.core.Clients(ctx, f, req)
	if err != nil {
		return list, err
	}
	groups, err := s.core.AdvertiserGroups(ctx, affiliate.AdvertiserGroupFilter{IDs: []int64{a.GroupID}}, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil {
		return list, err
	}
	ids := make([]int64, len(page.Items))
	for i, c := range page.Items {
		ids[i] = c.ID
	}
	tiers, err := s.core.RevenueTiers(ctx, nil, ids)
	if err != nil {
		return list, err
	}
	return laravel.NewFlatList(in.URL, req, page, func(c affiliate.Client) listedClient {
		shown := listedClient{client: showClient(c), RevenueTiers: []named{}}
		shown.MailConfig = &mailConfig{}
		if len(groups.Items) > 0 {
			shown.Group = showGroup(groups.Items[0])
		}
		shown.Locale = shown.Group.Locale
		for _, t := range tiers {
			if t.ClientID == c.ID {
				shown.RevenueTiers = append(shown.RevenueTiers, named{ID: t.ID, Name: t.Name})
			}
		}
		return shown
	}), nil
}
