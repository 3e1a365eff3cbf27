package httpadapter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// anybody lets everybody in, as whom the path is for.
func anybody(r *http.Request) (affiliate.Principal, error) {
	switch first, _, _ := strings.Cut(r.URL.Path[1:], "/"); first {
	case "ad-accounts":
		return affiliate.Principal{Role: affiliate.RoleSync, Subject: "acme"}, nil
	case "v1":
		return affiliate.Principal{Role: affiliate.RoleLists, Subject: "acme"}, nil
	case "catalog":
		return affiliate.Principal{Role: affiliate.RolePartner, Subject: "01900000-0000-7000-8000-000000000001"}, nil
	case "advertiser":
		return affiliate.Principal{Role: affiliate.RoleRepresentative, Subject: "acme", AdvertiserIDs: []int64{1}}, nil
	}
	return affiliate.Principal{Role: affiliate.RoleAdmin}, nil
}

type authenticatorFunc func(*http.Request) (affiliate.Principal, error)

func (f authenticatorFunc) Authenticate(r *http.Request) (affiliate.Principal, error) { return f(r) }

// based is every dialect over memory, with one link.
func based(t *testing.T, base string) http.Handler {
	t.Helper()
	is, ctx, db := is.New(t), t.Context(), memory.New()
	var s httpadapter.Services
	var err error
	s.Core, err = affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	s.Links, err = links.NewService(db.Links(), links.Options{PublicURL: "https://go.example" + base})
	is.NoErr(err)
	s.Offers, err = offers.NewService(s.Core, db.Offers(), offers.Options{})
	is.NoErr(err)
	s.Orders, err = orders.NewService(db.Orders(), orders.Options{})
	is.NoErr(err)
	s.ProductLists, err = productlists.NewService(db.ProductLists(), productlists.Options{})
	is.NoErr(err)
	s.Deals, err = deals.NewService(db.Deals(), deals.Options{})
	is.NoErr(err)
	s.AdSync, err = adsync.NewService(db.AdSync(), adsync.Options{})
	is.NoErr(err)
	_, err = s.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: "acme", Name: "Acme"})
	is.NoErr(err)
	for i := range 3 {
		_, err = s.Links.RegisterAdvertiser(ctx, links.Registration{
			Domains: []string{fmt.Sprintf("shop%d.example", i)}, Advertiser: affiliate.Advertiser{Name: fmt.Sprint("Shop ", i), Country: "SE", Currency: "SEK"},
		})
		is.NoErr(err)
		_, _, err = s.Core.CreateClient(ctx, affiliate.Client{Name: fmt.Sprint("Client ", i)})
		is.NoErr(err)
	}
	anna, err := s.Core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: affiliate.SystemClock()})
	is.NoErr(err)
	link, _, err := s.Links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://shop0.example/shoes"})
	is.NoErr(err)
	is.Equal(s.Links.ShortURL(link.Link.ID), "https://go.example"+base+"/c/1")
	h, err := httpadapter.New(s, httpadapter.Options{Authenticator: authenticatorFunc(anybody), BasePath: base})
	is.NoErr(err)
	return h
}

// How a request comes to the handler: as the client sent it, with the prefix
// taken off by the host, or by a proxy before it.
var mounts = map[string]func(base, path string) *http.Request{
	"not stripped": func(base, path string) *http.Request { return httptest.NewRequest(http.MethodGet, base+path, nil) },
	"http.StripPrefix": func(base, path string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RequestURI = base + path
		return r
	},
	"proxy": func(_, path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) },
}

func TestEveryDialectIsServedUnderABasePath(t *testing.T) {
	const base = "/partners/api"
	h := based(t, base)
	for how, request := range mounts {
		t.Run(how, func(t *testing.T) {
			for path, want := range map[string]int{
				"/v2/health": 200, "/v2/clients?size=1": 200, "/advertiser/stores/1": 200, "/catalog/": 200, "/v1/products/lists": 200, "/ad-accounts": 200,
				"/c/1": 302, "/report.js": 200, "/report": 422, "/openapi.json": 200, "/docs": 200, "/docs/page.css": 200, "/nowhere": 404,
			} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, request(base, path))
				if w.Code != want {
					t.Errorf("%s: got %d, want %d: %.200s", path, w.Code, want, w.Body)
				}
			}
		})
	}
}

func TestLinksInAnswersHaveTheBasePathOnce(t *testing.T) {
	const base = "/partners/api"
	h := based(t, base)
	for how, request := range mounts {
		t.Run(how, func(t *testing.T) {
			is := is.New(t)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(base, "/v2/clients?size=1&page=2"))
			var page struct {
				Links struct{ First, Last, Prev, Next string }
				Meta  struct{ Path string }
			}
			is.NoErr(json.Unmarshal(w.Body.Bytes(), &page))
			is.Equal(page.Links.Next, base+"/v2/clients?size=1&page=3")
			is.Equal(page.Links.Prev, base+"/v2/clients?size=1&page=1")
			is.Equal(page.Meta.Path, base+"/v2/clients")

			w = httptest.NewRecorder()
			h.ServeHTTP(w, request(base, "/ad-accounts"))
			var document struct{ Links struct{ Self string } }
			is.NoErr(json.Unmarshal(w.Body.Bytes(), &document))
			is.Equal(document.Links.Self, base+"/ad-accounts")

			w = httptest.NewRecorder()
			h.ServeHTTP(w, request(base, "/openapi.json"))
			is.Equal(readDocument(t, w.Body).Servers[0].URL, base)
		})
	}
}

// A base path that is the beginning of a dialect's own paths is not asked for
// twice.
func TestABasePathIsNotDoubled(t *testing.T) {
	is := is.New(t)
	h := based(t, "/v2")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/clients?size=1", nil))
	is.Equal(w.Code, 200)
	is.True(strings.Contains(w.Body.String(), `"/v2/clients?size=1\u0026page=2"`) || strings.Contains(w.Body.String(), `"/v2/clients?size=1&page=2"`))
	is.True(!strings.Contains(w.Body.String(), "/v2/v2"))
}

func TestABasePathIsClean(t *testing.T) {
	for _, base := range []string{"affiliates", "/affiliates/", "/", "/a//b", "/a/../b", "/a b", "/ä", "/a?b", "https://go.example/a"} {
		if _, err := httpadapter.New(httpadapter.Services{}, httpadapter.Options{BasePath: base}); err == nil || !strings.Contains(err.Error(), "BasePath") {
			t.Errorf("%q: got %v, want an error that names BasePath", base, err)
		}
	}
}
