package productlists_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	lists "github.com/affiliatekit/affiliatekit/httpadapter/productlists"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// world is two accounts, the products of the document's examples, and the
// adapter over them.
type world struct {
	tb      testing.TB
	service *productlists.Service
	handler http.Handler
}

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// principals of the world: each is the token and the subject of one.
var principals = map[string]identity.AccessToken{
	"lists":          {Role: affiliate.RoleLists},
	"lists_2":        {Role: affiliate.RoleLists},
	"admin":          {Role: affiliate.RoleAdmin},
	"representative": {Role: affiliate.RoleRepresentative},
	"agency":         {Role: affiliate.RoleAgency},
	"creator":        {Role: affiliate.RoleCreator},
	"client":         {Role: affiliate.RoleClient},
	"partner":        {Role: affiliate.RolePartner},
	"sync":           {Role: affiliate.RoleSync},
	"service":        {Role: affiliate.RoleService},
}

func onEachBackend(t *testing.T, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}

func newWorld(tb testing.TB, b storagetest.Backend) *world {
	tb.Helper()
	is := is.New(tb)
	ctx := tb.Context()
	clock := func() time.Time { return noon }
	core, err := affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
	is.NoErr(err)
	people, err := identity.NewService(core, b.Identity, identity.Options{Clock: clock})
	is.NoErr(err)
	client, _, err := core.CreateClient(ctx, affiliate.Client{Name: "client", PublicID: "client"})
	is.NoErr(err)
	user, err := core.CreateUser(ctx, affiliate.User{Username: "creator"})
	is.NoErr(err)
	for name, t := range principals {
		t.Subject, t.Name = name, name
		if t.Role == affiliate.RoleClient {
			t.ClientID = client.ID
		}
		if t.Role == affiliate.RoleCreator {
			t.UserID = user.ID
		}
		_, err := people.AddToken(ctx, token(name), t)
		is.NoErr(err)
	}
	service, err := productlists.NewService(b.ProductLists, productlists.Options{Clock: clock})
	is.NoErr(err)
	is.NoErr(service.PutProducts(ctx, products()...))
	handler, err := httpadapter.New(httpadapter.Services{Core: core, ProductLists: service}, httpadapter.Options{
		Authenticator: httpadapter.TokenAuthenticator(people), RequestsPerMinute: -1, Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	is.NoErr(err)
	return &world{tb, service, handler}
}

func token(who string) string { return "secret-token-of-" + who }

// products are the ones that the document's requests name as known, and p0 to p11.
func products() []productlists.Product {
	usd := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "USD") }
	thermostat := productlists.Product{
		ID: "1234567890123456789", Barcode: "0123456", Name: "Smart Thermostat Pro", Description: "Wi-Fi enabled",
		CommissionURL: "https://www.example-affiliate.net/click-123-456789?url=:TARGET_URL_ENCODED",
		DirectURL:     "https://www.example-store.com/products/smart-thermostat-pro", ImageURL: "https://assets.example-store.com/t.jpg",
		RegularPrice: usd(12999), FinalPrice: usd(9999), Availability: productlists.InStock, SKU: "123456", Brand: "SmartHome",
		Category: "Home & Garden > Smart Home > Climate Control",
		Network:  productlists.Party{ID: 5, Name: "AffiliateNetwork", LogoURL: "https://img.affiliate.com/logos/networks/5/logo.png"},
		Merchant: productlists.Party{ID: 1234, Name: "Example Store", LogoURL: "https://img.affiliate.com/logos/merchants/1234/logo.png"},
	}
	camera := thermostat
	camera.ID, camera.FinalPrice = "2345678901234567890", camera.RegularPrice
	third := thermostat
	third.ID = "3456789012345678901"
	list := []productlists.Product{thermostat, camera, third}
	for i := range 12 {
		list = append(list, productlists.Product{
			ID: fmt.Sprintf("p%d", i), Name: "plain", DirectURL: "https://shop.example/", RegularPrice: usd(100), FinalPrice: usd(100), Availability: productlists.OutOfStock,
		})
	}
	return list
}

// send makes a request as one of the principals, or as nobody.
func (w *world) send(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.tb.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if who != "nobody" {
		r.Header.Set("Authorization", "Bearer "+token(who))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if err := contract.DocumentOf(w.tb, "productlists").Check(method, target, answer); err != nil {
		w.tb.Errorf("%s %s: %v in %s", method, target, err, answer.Body)
	}
	return answer
}

// create is the id of a new list of an account.
func (w *world) create(who, name string, metadata map[string]string, ids ...string) string {
	w.tb.Helper()
	c, _, err := w.service.CreateList(w.tb.Context(), who, productlists.ListInput{
		Name: name, Metadata: metadata, OwnerIdentifier: "ownernamehere", ProductIDs: ids,
	})
	is.New(w.tb).NoErr(err)
	return c.ID.String()
}

// shown are the product ids of a list.
func (w *world) shown(who, id string) []string {
	w.tb.Helper()
	var got struct {
		Data struct {
			Count    int `json:"products_count"`
			Products []struct{ ID string }
		}
	}
	decode(w.tb, w.send(who, "GET", "/v1/products/lists/"+id, ""), 200, &got)
	ids := []string{}
	for _, p := range got.Data.Products {
		ids = append(ids, p.ID)
	}
	is.New(w.tb).Equal(got.Data.Count, len(ids))
	return ids
}

// decode reads an answer that must have the status.
func decode(tb testing.TB, answer *httptest.ResponseRecorder, status int, into any) {
	tb.Helper()
	if answer.Code != status {
		tb.Fatalf("got %d %s, want %d", answer.Code, answer.Body, status)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		tb.Fatalf("%v in %s", err, answer.Body)
	}
}

// dialect is the dialect's own handler, over no backend worth naming.
func dialect(tb testing.TB, o lists.Options) http.Handler {
	tb.Helper()
	service, err := productlists.NewService(backends.Memory().ProductLists, productlists.Options{})
	is.New(tb).NoErr(err)
	h, err := lists.New(lists.Services{ProductLists: service}, o)
	is.New(tb).NoErr(err)
	return h
}
