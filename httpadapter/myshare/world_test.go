package myshare_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The business partners of the tests, by the names of their tokens, and the
// partner that promotes.
var (
	sellers = map[string]uuid.UUID{
		"partner": uuid.MustParse("01900000-0000-7000-8000-000000000001"), "partner_2": uuid.MustParse("01900000-0000-7000-8000-000000000002"),
	}
	promoter = uuid.MustParse("01900000-0000-7000-8000-0000000000a1")
)

// world is the adapter over a store, at an instant that the test moves.
type world struct {
	t       testing.TB
	deals   *deals.Service
	handler http.Handler
	now     *atomic.Int64
}

var start = time.Date(2026, 3, 18, 11, 42, 10, 123456000, time.UTC)

func eachBackend(t *testing.T, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}

func newWorld(t testing.TB, b storagetest.Backend) *world {
	t.Helper()
	w := &world{t: t, now: &atomic.Int64{}}
	w.now.Store(start.UnixMicro())
	core := must(affiliate.NewService(b.Core, affiliate.Options{Clock: w.clock}))(t)
	people := must(identity.NewService(core, b.Identity, identity.Options{Clock: w.clock}))(t)
	w.deals = must(deals.NewService(b.Deals, deals.Options{Clock: w.clock}))(t)
	for name, id := range sellers {
		must(people.AddToken(t.Context(), "secret-token-of-"+name, identity.AccessToken{Role: affiliate.RolePartner, Subject: id.String(), Name: name}))(t)
	}
	must(people.AddToken(t.Context(), "secret-token-of-operator", identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "operator", Name: "Operator"}))(t)
	must(people.AddToken(t.Context(), "secret-token-of-nameless", identity.AccessToken{Role: affiliate.RolePartner, Subject: "acme", Name: "Acme"}))(t)
	if err := w.deals.RegisterBusinessPartner(t.Context(), deals.BusinessPartner{ID: sellers["partner"], Name: "CompanyName", LogoURL: "https://example.com/logo.png"}); err != nil {
		t.Fatal(err)
	}
	w.handler = must(httpadapter.New(httpadapter.Services{Core: core, Deals: w.deals}, httpadapter.Options{
		Authenticator: httpadapter.TokenAuthenticator(people), RequestsPerMinute: -1, Clock: w.clock, Logger: slog.New(slog.DiscardHandler),
	}))(t)
	return w
}

func (w *world) clock() time.Time     { return time.UnixMicro(w.now.Load()) }
func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

// must is the value, or the end of the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// send asks as one of the token owners, or as nobody.
func (w *world) send(who, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != "nobody" {
		r.Header.Set("Authorization", "secret-token-of-"+who) // bare: no scheme
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if err := contract.DocumentOf(w.t, "myshare").Check(method, path, answer); err != nil {
		w.t.Errorf("%s %s: %v in %s", method, path, err, answer.Body)
	}
	return answer
}

// ask is send as "partner" that must be answered with a status; the answer is
// decoded, its numbers as they were written.
func (w *world) ask(status int, method, path, body string) map[string]any {
	w.t.Helper()
	return w.askAs("partner", status, method, path, body)
}

func (w *world) askAs(who string, status int, method, path, body string) map[string]any {
	w.t.Helper()
	answer := w.send(who, method, path, body)
	if answer.Code != status {
		w.t.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, answer.Code, answer.Body, status)
	}
	if status == http.StatusNoContent {
		if answer.Body.Len() > 0 {
			w.t.Fatalf("%s %s: 204 with %s", method, path, answer.Body)
		}
		return nil
	}
	return object(w.t, answer.Body.String())
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// shop is a published catalog with an offer, a landing, and the promoter's code
// and mark.
type shop struct{ catalog, short, offer, landing string }

func (w *world) shop(code string) shop {
	w.t.Helper()
	c := w.ask(200, "POST", "/catalog/", `{"title":"SuperCatalog","catalog_code":"`+code+`","is_promocode_allowed":true}`)
	s := shop{catalog: c["id"].(string), short: c["catalog_id"].(string)}
	s.offer = w.ask(201, "POST", "/offer/", `{"name":"Offer name","catalog_id":"`+s.catalog+`","is_promocode_allowed":true,"is_active":true,
		"prices":[{"cost":100,"currency":"USD"}],"reward_percent":5}`)["id"].(string)
	s.landing = w.ask(201, "POST", "/landing/", `{"url":"http://example.com","catalog_id":"`+s.catalog+`"}`)["id"].(string)
	five := must(affiliate.ParseRate("", "0.05"))(w.t)
	must(w.deals.IssuePromoCode(w.t.Context(), sellers["partner"], deals.PromoCode{
		CatalogID: uuid.MustParse(s.catalog), PartnerID: promoter, Code: "Promo", Discount: five,
	}))(w.t)
	must(w.deals.RegisterUID(w.t.Context(), promoter, "BDGSYEHVX"))(w.t)
	return s
}

// posting is a deal's body; changes are fields in place of the usual ones.
func posting(id, status string, changes ...any) string {
	body := map[string]any{
		"status": status, "offer": "Offer name", "cost": 100.0, "currency": "USD", "promo_code": "Promo", "deal_id": id, "catalog_code": "super",
	}
	for i := 0; i < len(changes); i += 2 {
		body[changes[i].(string)] = changes[i+1]
	}
	return jsonOf(body)
}
