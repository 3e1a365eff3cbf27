package metapic

import (
	"context"
	"errors"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

// store is the short form of an advertiser.
type store struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func showStore(a affiliate.Advertiser) store { return store{ID: a.ID, Name: a.Name} }

type listStores struct {
	laravel.Paging
	Query   string         `query:"query" max:"255"`
	GroupID int64          `query:"store_group_id" min:"1"`
	SortBy  affiliate.Sort `query:"sort_by" sort:"id,name"`
}

// listStores lists the advertisers that the principal sees.
func (s *server) listStores(ctx context.Context, _ affiliate.Principal, in listStores) (laravel.List[store], error) {
	req := in.Request(in.SortBy)
	page, err := s.core.Advertisers(ctx, affiliate.AdvertiserFilter{Query: in.Query, GroupID: in.GroupID}, req)
	return laravel.NewList(in.URL, req, page, showStore), err
}

// createStore has few bounds of its own: the domain names all that is wrong at
// once.
type createStore struct {
	Name       string    `json:"name"`
	Domains    []domains `json:"domains" max:"100"`
	Categories []int64   `json:"categories" max:"100"`
	LogoURL    string    `json:"logo_url"`
	Country    string    `json:"country"`
	Currency   string    `json:"currency"`
	Language   string    `json:"language"`
	Billing    struct {
		CompanyName string `json:"company_name"`
		Street      string `json:"street"`
		PostalCode  string `json:"postal_code"`
		City        string `json:"city"`
		VATNumber   string `json:"vat_number"`
	} `json:"billing"`
}

// domains is one item of a list of domains: a domain, or, as the document's
// example has it, a list of them.
type domains []string

// UnmarshalWire takes a text or a list of texts.
func (d *domains) UnmarshalWire(v wire.Value) error {
	items := []wire.Value{v}
	if v.Kind() == wire.Array || v.Kind() == wire.Object {
		items = v.Items()
	}
	for _, item := range items {
		if item.Kind() != wire.Text {
			return errors.New("must be a domain or a list of domains")
		}
		*d = append(*d, strings.Clone(item.Text()))
	}
	return nil
}

// createStore registers an advertiser. Whoever does so for an advertiser, and
// is not the operator, may act for it from then on.
func (s *server) createStore(ctx context.Context, p affiliate.Principal, in createStore) (store, error) {
	registration := in.registration()
	if !p.IsAdmin() {
		registration.Owner = identity.Join(p.Role, p.Subject)
	}
	a, err := s.links.RegisterAdvertiser(ctx, registration)
	return showStore(a), err
}

// registration is the input as the domain takes it.
func (in createStore) registration() links.Registration {
	currency := affiliate.Currency(strings.TrimSpace(in.Currency))
	if known, err := affiliate.ParseCurrency(string(currency)); err == nil {
		currency = known
	}
	registration := links.Registration{Advertiser: affiliate.Advertiser{
		Name: in.Name, LogoURL: in.LogoURL, Language: in.Language, CategoryIDs: in.Categories,
		Country: strings.ToUpper(strings.TrimSpace(in.Country)), Currency: currency,
		Billing: affiliate.Billing(in.Billing),
	}}
	for _, d := range in.Domains {
		registration.Domains = append(registration.Domains, d...)
	}
	return registration
}

func (s *server) deactivateAdvertiser(ctx context.Context, _ affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
}) (store, error) {
	a, err := s.core.DeactivateAdvertiser(ctx, in.AdvertiserID)
	return showStore(a), err
}

type category struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func showCategory(c affiliate.Category) category { return category(c) }

func (s *server) listCategories(ctx context.Context, _ affiliate.Principal, _ struct{}) ([]category, error) {
	all, err := s.core.Categories(ctx)
	return laravel.ShowAll(all, showCategory), err
}

// status is what the health route says.
type status struct {
	Status string `json:"status"`
}

// health says that the process answers; it asks nothing behind it.
func (s *server) health(context.Context, affiliate.Principal, struct{}) (status, error) {
	return status{Status: "up"}, nil
}
