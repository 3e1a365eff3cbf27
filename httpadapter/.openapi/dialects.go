package main

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/advertiser"
	"github.com/affiliatekit/affiliatekit/httpadapter/apisync"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
	"github.com/affiliatekit/affiliatekit/httpadapter/myshare"
	lists "github.com/affiliatekit/affiliatekit/httpadapter/productlists"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// dialect is one document.
type dialect struct {
	name        string // of the document, and what its operation ids begin with
	title       string
	version     string
	description string
	facts       string // the file with the examples; "" for none
	security    map[string]*huma.SecurityScheme
	refusals    []wire.Problem // those that only this dialect has
	mux         *wire.Mux
	more        []*huma.Operation // those of handlers that have no table
}

const lenient = "Bodies are JSON, form data or multipart. Integers are also read as digit strings, booleans as 0, 1 and strings, and lists and objects as JSON text; unknown fields are ignored."

// The credentials. Each dialect takes a token in the form that its clients know.
var (
	bearer     = &huma.SecurityScheme{Type: "http", Scheme: "bearer", Description: "An access token, or a JWT of the OpenID provider that the host trusts."}
	apiToken   = &huma.SecurityScheme{Type: "apiKey", In: "header", Name: "Authorization", Description: `"ApiToken " and the access token.`}
	apiKey     = &huma.SecurityScheme{Type: "apiKey", In: "header", Name: "Mtpc-Api-Key", Description: "An access token."}
	bareHeader = &huma.SecurityScheme{Type: "apiKey", In: "header", Name: "Authorization", Description: "The access token as it is."}
)

// dialects are all documents, in the order of the one for all. The services are
// empty: nothing is called, the tables only look whether they are there.
func dialects() ([]dialect, error) {
	var (
		core   = &affiliate.Service{}
		linked = &links.Service{}
		offer  = &offers.Service{}
		ads    = &returnads.Service{}
		order  = &orders.Service{}
	)
	all := []dialect{
		{
			name: "metapic", title: "Metapic v2 and v3", version: "2", facts: "metapic_v2",
			description: "Campaigns, participants, links, creators and payments. " + lenient,
			security:    map[string]*huma.SecurityScheme{"bearer": bearer, "apiKey": apiKey},
			refusals: []wire.Problem{{
				Status: http.StatusUnprocessableEntity, Code: "ambiguous_advertiser", Message: "Several advertisers have this URL.",
				Fields: []affiliate.FieldError{{Field: "url", Code: "ambiguous_advertiser", Message: "is of several advertisers"}}, Err: &links.AmbiguousError{},
			}},
		},
		{
			name: "advertiser", title: "Metapic v1 for advertisers", version: "1", facts: "metapic_advertiser",
			description: "What a store manages of itself. " + lenient,
			security:    map[string]*huma.SecurityScheme{"bearer": bearer, "apiKey": apiKey},
		},
		{
			name: "myshare", title: "MyShare for partners", version: "1", facts: "myshare",
			description: "Catalogs, offers, deals, landings and promo codes of a business partner. Paths are also served without the slash at their end.",
			security:    map[string]*huma.SecurityScheme{"bearer": bearer, "token": bareHeader},
		},
		{
			name: "productlists", title: "Product lists", version: "1", facts: "affiliate_com",
			description: "Lists of products and what the catalog knows of them.",
			security:    map[string]*huma.SecurityScheme{"bearer": bearer},
		},
		{
			name: "apisync", title: "APISync", version: "1", facts: "apisync",
			description: "Inventory, ad accounts, campaigns, ad sets and ads as JSON:API. Names are also read with hyphens.",
			security:    map[string]*huma.SecurityScheme{"apiToken": apiToken, "bearer": bearer},
			refusals:    []wire.Problem{{Status: http.StatusConflict, Code: adsync.CodeRemoved, Message: "The record was removed.", Err: affiliate.ErrState}},
		},
		{
			name: "tracking", title: "Tracking", version: "1",
			description: "What readers, shops and those who run the server call. None of it needs a principal.",
			more:        tracking(),
		},
	}
	var o httpadapter.Options
	handlers := []func() (http.Handler, error){
		func() (http.Handler, error) {
			return metapic.New(metapic.Services{
				Core: core, Identity: &identity.Service{}, Mailing: &mailing.Service{}, Media: &media.Service{}, Links: linked, Offers: offer, ReturnAds: ads, Orders: order, Payouts: &payouts.Service{},
			}, o)
		},
		func() (http.Handler, error) {
			return advertiser.New(advertiser.Services{
				Core: core, Links: linked, Offers: offer, Orders: order, Stats: &stats.Service{}, Identity: &identity.Service{}, Media: &media.Service{}, Payouts: &payouts.Service{},
			}, o)
		},
		func() (http.Handler, error) { return myshare.New(myshare.Services{Deals: &deals.Service{}}, o) },
		func() (http.Handler, error) {
			return lists.New(lists.Services{ProductLists: &productlists.Service{}}, o)
		},
		func() (http.Handler, error) { return apisync.New(apisync.Services{AdSync: &adsync.Service{}}, o) },
		func() (http.Handler, error) { return httpadapter.NewOpenRoutes(offer, ads, o) },
	}
	for i, handler := range handlers {
		h, err := handler()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
		mux, ok := h.(*wire.Mux)
		if !ok {
			return nil, fmt.Errorf("%s: %T has no route table", all[i].name, h)
		}
		all[i].mux = mux
	}
	return all, nil
}
