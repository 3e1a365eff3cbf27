package console_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"golang.org/x/net/html"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/examples/server/console"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// hostile is a name that would run a script if a page took it as it is.
const hostile = `Acme <script>alert(1)</script> "quoted" & 'more'`

const (
	operatorToken = "a-token-of-the-operator"
	creatorToken  = "a-token-of-a-creator"
)

// world is a console over a kit.
type world struct {
	t       *testing.T
	now     time.Time
	kit     *affiliatekit.Kit
	console *console.Console

	acme  affiliate.Advertiser
	anna  affiliate.User
	link  links.Link
	offer offers.View
}

// onEachBackend runs a test over an empty kit in memory and on PostgreSQL.
func onEachBackend(t *testing.T, test func(w *world)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, memory.New()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		handle, err := postgres.Open(backends.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := handle.Close(); err != nil {
				t.Error(err)
			}
		})
		db, err := postgres.New(handle, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(newWorld(t, db))
	})
}

func newWorld(t *testing.T, b affiliatekit.Backend) *world {
	t.Helper()
	w := &world{t: t, now: noon}
	var err error
	w.kit, err = affiliatekit.New(b, affiliatekit.Options{
		Clock: func() time.Time { return w.now },
		Links: links.Options{PublicURL: "https://go.example"},
		Webhooks: webhooks.Options{
			AllowHTTP: true, Allow: func(netip.Addr) bool { return true },
		},
	})
	w.must(err)
	w.open(console.Options{OpenOnLoopback: true})
	return w
}

// open makes the world's console anew.
func (w *world) open(o console.Options) {
	w.t.Helper()
	o.Clock, o.Logger = func() time.Time { return w.now }, slog.New(slog.NewTextHandler(w.t.Output(), nil))
	var err error
	w.console, err = console.New(w.kit, o)
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tokens lets an operator and a creator in.
func (w *world) tokens() {
	w.t.Helper()
	_, err := w.kit.Identity.AddToken(w.t.Context(), operatorToken, identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "operator", Name: "Operator"})
	w.must(err)
	anna := w.user("tokens")
	_, err = w.kit.Identity.AddToken(w.t.Context(), creatorToken, identity.AccessToken{Role: affiliate.RoleCreator, Subject: fmt.Sprint(anna.ID), UserID: anna.ID})
	w.must(err)
}

func (w *world) user(name string) affiliate.User {
	w.t.Helper()
	u, err := w.kit.Core.CreateUser(w.t.Context(), affiliate.User{Username: name, VerifiedAt: w.now})
	w.must(err)
	return u
}

// fill lets something of everything happen: names are hostile.
func (w *world) fill() {
	w.t.Helper()
	ctx := w.t.Context()
	cpa, err := affiliate.ParseRate("cpa", "0.05")
	w.must(err)
	w.acme, err = w.kit.Links.RegisterAdvertiser(ctx, links.Registration{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{
		Name: hostile, Country: "SE", Currency: "SEK",
		DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12), CPA: affiliate.Some(cpa)}},
	}})
	w.must(err)
	w.anna = w.user("anna " + hostile)
	saved, err := w.kit.Offers.CreateOffer(ctx, offers.OfferInput{
		Offer:  offers.Offer{AdvertiserID: w.acme.ID, Type: offers.Standard, Name: hostile, BudgetLimit: affiliate.Some[int64](1_234_500), MaxClicks: affiliate.Some[int64](2)},
		Budget: affiliate.Some(offers.SharedBudgetInput{Title: "Season <b>", Amount: 20_000_000}),
	})
	w.must(err)
	w.offer = saved.View
	view, _, err := w.kit.Links.Convert(ctx, links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/shoes?a=%3Cscript%3E"})
	w.must(err)
	w.link = view.Link
	w.now = noon.AddDate(0, 0, -3)
	first := w.click("192.0.2.1", false)
	w.now = noon
	w.click("192.0.2.2", false)
	w.click("192.0.2.2", false)
	w.click("192.0.2.3", false) // capped by the number of clicks
	w.click("192.0.2.4", true)
	_, _, err = w.kit.Orders.Report(ctx, orders.Report{AdvertiserID: w.acme.ID, Number: "1001", Value: decimal.RequireFromString("24690.00"), ClickIDs: []uuid.UUID{first.ID}})
	w.must(err)

	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }))
	w.t.Cleanup(receiver.Close)
	endpoint, err := w.kit.Webhooks.Create(ctx, webhooks.EndpointInput{URL: receiver.URL, Description: hostile})
	w.must(err)
	if _, err := w.kit.Webhooks.Test(ctx, endpoint.ID); err != nil && !strings.Contains(err.Error(), "418") {
		w.must(err)
	}
	_, err = w.kit.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: "bolt", Name: "Bolt"})
	w.must(err)
	bolt := w.kit.AdSync.ForAccount("bolt")
	_, err = bolt.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: hostile, CatalogID: "accounts/1/dataSources/2"})
	w.must(err)
	_, _, err = bolt.SaveItem(ctx, adsync.ItemInput{
		ReferenceID: adsync.Sent("r1"), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"),
	})
	w.must(err)
	_, err = w.kit.Events.After(ctx, 0, 1) // every event has its number now
	w.must(err)
}

// order returns the order of acme with a number.
func (w *world) order(number string) orders.Order {
	w.t.Helper()
	o, err := w.kit.Orders.OrderByNumber(w.t.Context(), w.acme.ID, number)
	w.must(err)
	return o
}

func (w *world) click(ip string, bot bool) links.Click {
	w.t.Helper()
	r, err := w.kit.Links.Follow(w.t.Context(), links.Hit{LinkID: w.link.ID, IP: ip, UserAgent: "Firefox", Bot: bot})
	w.must(err)
	return r.Click.Value
}

// request sends one from this machine to it.
func (w *world) request(method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1:8080"+path, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	for _, c := range change {
		c(r)
	}
	answer := httptest.NewRecorder()
	w.console.ServeHTTP(answer, r)
	return answer
}

// document is a page as a reader has it.
type document struct {
	text   string   // all of it, labels included, with single spaces
	labels []string // of drawings
	tags   map[string]int
	links  []string
}

// page gets a page, which must be there, and reads it.
func (w *world) page(path string) document {
	w.t.Helper()
	answer := w.request(http.MethodGet, path)
	if answer.Code != http.StatusOK {
		w.t.Fatalf("%s: got %d %s", path, answer.Code, answer.Body)
	}
	root, err := html.Parse(answer.Body)
	w.must(err)
	d := document{tags: map[string]int{}}
	var words []string
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			words = append(words, strings.Fields(n.Data)...)
		case html.ElementNode:
			d.tags[n.Data]++
			for _, a := range n.Attr {
				switch {
				case a.Key == "aria-label" && n.Data == "svg":
					d.labels = append(d.labels, a.Val)
				case a.Key == "href" && n.Data == "a":
					d.links = append(d.links, a.Val)
				case strings.HasPrefix(a.Key, "on"), a.Key == "style":
					w.t.Errorf("%s: <%s> has %s=%q, which the policy forbids", path, n.Data, a.Key, a.Val)
				}
			}
		}
	}
	d.text = strings.Join(words, " ")
	return d
}

// has fails the test unless the page has all the texts.
func (w *world) has(d document, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(d.text, strings.Join(strings.Fields(text), " ")) {
			w.t.Errorf("no %q in:\n%s", text, d.text)
		}
	}
}

// labelled fails the test unless a drawing has the label.
func (w *world) labelled(d document, label string) {
	w.t.Helper()
	for _, l := range d.labels {
		if l == label {
			return
		}
	}
	w.t.Errorf("no drawing is labelled\n%q, but\n%q", label, d.labels)
}

// newMemoryWorld is for what is the same on every backend.
func newMemoryWorld(t *testing.T) *world { return newWorld(t, memory.New()) }
