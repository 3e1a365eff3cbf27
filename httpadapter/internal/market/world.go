// Package market is a small market for the tests of the adapter and of the
// dialects that speak of advertisers and creators: shops, publisher networks,
// creators, campaigns, links, and a principal of every role. Only tests import
// it.
package market

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Backend is where a world is kept.
type Backend struct {
	Core      affiliate.Store[affiliate.Tx]
	Identity  identity.Store
	Offers    offers.Store
	ReturnAds returnads.Store
	Links     links.Store
	Orders    orders.Store  // nil: without orders
	Payouts   payouts.Store // nil: without payouts
	// Mailing and Media may be nil: the world is then without these services.
	Mailing mailing.Store
	Media   media.Store
}

// World is the market, its services and a handler over them. It stands still at
// one instant until a test moves its clock.
type World struct {
	T         testing.TB
	Backend   Backend
	Core      *affiliate.Service
	People    *identity.Service
	Mailing   *mailing.Service // nil without Backend.Mailing
	Media     *media.Service   // nil without Backend.Media
	Mail      *mailing.Recorder
	Blobs     affiliate.Blobs
	Links     *links.Service
	Offers    *offers.Service
	ReturnAds *returnads.Service
	Orders    *orders.Service  // nil when the backend keeps none
	Payouts   *payouts.Service // likewise
	Stats     *stats.Service
	// Serve makes a handler over the services. Adapter calls it.
	Serve   func(host.Options) http.Handler
	Handler http.Handler      // what Send asks
	ID      map[string]int64  // "advertiser acme", "user anna", …
	Token   map[string]string // of offers: "token summer"
	Down    atomic.Bool       // units of work fail
	Log     strings.Builder
	now     atomic.Pointer[time.Time]
}

// PublicURL is where the world's links are.
const PublicURL = "https://go.example"

// Firefox is the user agent of a reader.
const Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// Token is the secret of a principal of the world.
func Token(who string) string { return "secret-token-of-" + who }

// New settles a world on a fresh backend. The caller sets Serve and Handler.
func New(t testing.TB, b Backend) *World {
	t.Helper()
	w := &World{T: t, ID: map[string]int64{}, Token: map[string]string{}, Mail: &mailing.Recorder{}, Blobs: affiliate.NewMemoryBlobs()}
	w.Backend = Backend{
		Core: switched[affiliate.Tx]{b.Core, &w.Down}, Identity: switched[identity.Tx]{b.Identity, &w.Down}, Offers: switched[offers.Tx]{b.Offers, &w.Down},
		ReturnAds: switched[returnads.Tx]{b.ReturnAds, &w.Down},
		Links:     switchedLinks{switched[links.Tx]{b.Links, &w.Down}, b.Links},
	}
	if b.Mailing != nil {
		w.Backend.Mailing = switched[mailing.Tx]{b.Mailing, &w.Down}
		w.Mailing = Must(mailing.NewService(w.Backend.Mailing, mailing.Options{Mailer: w.Mail, Clock: w.Clock}))(t)
	}
	if b.Media != nil {
		w.Backend.Media = switched[media.Tx]{b.Media, &w.Down}
		w.Media = Must(media.NewService(w.Backend.Media, media.Options{Clock: w.Clock, Blobs: w.Blobs}))(t)
	}
	if err := w.Blobs.Put(t.Context(), "tmp-image.jpg", []byte(open.BlankPNG)); err != nil { // the documents' upload
		t.Fatal(err)
	}
	if err := w.Blobs.Put(t.Context(), "ad.png", []byte(open.BlankPNG)); err != nil { // the ads' image
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 18, 11, 42, 10, 0, time.UTC)
	w.now.Store(&start)
	w.Core = Must(affiliate.NewService(w.Backend.Core, affiliate.Options{Clock: w.Clock}))(t)
	w.People = Must(identity.NewService(w.Core, w.Backend.Identity, identity.Options{Clock: w.Clock}))(t)
	w.Offers = Must(offers.NewService(w.Core, w.Backend.Offers, offers.Options{Clock: w.Clock, Blobs: w.Blobs}))(t)
	w.ReturnAds = Must(returnads.NewService(w.Backend.ReturnAds, w.Offers, returnads.Options{Clock: w.Clock}))(t)
	w.Links = Must(links.NewService(w.Backend.Links, links.Options{Clock: w.Clock, PublicURL: PublicURL, RuleRefresh: time.Nanosecond}))(t)
	w.Stats = Must(stats.NewService(statistics{w.Backend.Links}, stats.Options{Clock: w.Clock}))(t)
	if b.Orders != nil {
		w.Backend.Orders = switchedOrders{switched[orders.Tx]{b.Orders, &w.Down}, b.Orders}
		w.Orders = Must(orders.NewService(w.Backend.Orders, orders.Options{Clock: w.Clock, Random: rand.NewChaCha8([32]byte{1}), Rates: rates()}))(t)
	}
	if b.Payouts != nil {
		w.Backend.Payouts = switched[payouts.Tx]{b.Payouts, &w.Down}
		w.Payouts = Must(payouts.NewService(w.Backend.Payouts, payouts.Options{Clock: w.Clock, Renderer: plainText{}}))(t)
	}
	w.settle(t.Context())
	return w
}

// rates are what the world's currencies are worth.
func rates() orders.Rates {
	return orders.FixedRates{{"EUR", "SEK"}: decimal.NewFromInt(10), {"SEK", "EUR"}: decimal.RequireFromString("0.09")}
}

// Clock is the world's clock.
func (w *World) Clock() time.Time { return *w.now.Load() }

// Pass moves the clock.
func (w *World) Pass(d time.Duration) {
	later := w.Clock().Add(d)
	w.now.Store(&later)
}

// Adapter is a handler over the world's services. Left out options are those of
// a test that is about something else.
func (w *World) Adapter(o host.Options) http.Handler {
	w.T.Helper()
	if o.RequestsPerMinute == 0 {
		o.RequestsPerMinute = -1
	}
	o.Clock = w.Clock
	o.Logger = slog.New(slog.DiscardHandler)
	return w.Serve(o)
}

// Logger writes to the world's log.
func (w *World) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(&w.Log, nil)) }

// Must is the value, or the end of the test.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Principals of the world, in the order of the tenancy table. Those with _2 are
// tenants of their own.
var Principals = []string{
	"nobody", "admin", "advertiser", "advertiser_2", "agency", "creator", "creator_2", "client", "client_2",
	"partner", "lists", "sync", "service",
}

// settle makes the world: acme and nordic with one representative each, an
// agency for the two malls, a hidden and a closed shop; anna and carl of one
// client, bo of another, dora of none.
func (w *World) settle(ctx context.Context) {
	for _, g := range []affiliate.AdvertiserGroup{
		{Name: "Sweden", Key: "sv_SE", Currency: "SEK", ReturnAdEnabled: true},
		{Name: "Germany", Key: "de_DE", Currency: "EUR"},
	} {
		w.ID["group "+g.Key] = Must(w.Core.CreateAdvertiserGroup(ctx, g))(w.T).ID
	}
	for _, name := range []string{"Food", "Beauty"} {
		w.ID["category "+name] = Must(w.Core.CreateCategory(ctx, affiliate.Category{Name: name}))(w.T).ID
	}
	w.settleAdvertisers(ctx)
	w.settleUsers(ctx)
	w.settleTokens(ctx)
	w.settleLinks(ctx)
	w.settleOffers(ctx)
	if w.Payouts != nil {
		w.settlePayouts(ctx)
	}
	if w.Orders != nil {
		for _, name := range []string{"acme", "nordic"} {
			w.Token["activation "+name] = Must(w.Orders.Collector(ctx, w.ID["advertiser "+name]))(w.T).ActivationKey
		}
		w.Token["collector woocommerce"] = "woocommerce"
	}
}

func (w *World) settleAdvertisers(ctx context.Context) {
	for _, a := range []struct {
		name, group, domain string
		hidden              bool
	}{
		{"acme", "sv_SE", "acme.example", false}, {"nordic", "de_DE", "nordic.example", false},
		{"mall_one", "sv_SE", "mall.example", false}, {"mall_two", "sv_SE", "mall.example", false},
		{"hidden", "sv_SE", "hidden.example", true}, {"closed", "sv_SE", "closed.example", false},
	} {
		created := Must(w.Links.RegisterAdvertiser(ctx, links.Registration{
			Advertiser: affiliate.Advertiser{
				Name: a.name, GroupID: w.ID["group "+a.group], Country: "SE", Currency: "SEK", Language: "sv", Hidden: a.hidden,
				LogoURL:      "https://" + a.domain + "/logo.png",
				DefaultCosts: []affiliate.Costs{{Source: affiliate.SourceGeneral, CPC: affiliate.Some[int64](250)}, {Source: affiliate.SourceInstagram, CPC: affiliate.Some[int64](400)}},
			},
			Domains: []string{a.domain},
		}))(w.T)
		w.ID["advertiser "+a.name] = created.ID
		w.ID["main rule "+a.name] = Must(w.Links.Rules(ctx, created.ID))(w.T)[0].ID
	}
	w.ID["rule acme"] = Must(w.Links.AddRule(ctx, w.ID["advertiser acme"], links.RuleInput{Type: links.RuleBlock, URL: "acme.example/private", Keyword: "staff"}))(w.T).ID
	w.ID["rule nordic"] = Must(w.Links.AddRule(ctx, w.ID["advertiser nordic"], links.RuleInput{Type: links.RuleAllow, URL: "outlet.nordic.example"}))(w.T).ID
	Must(w.Core.DeactivateAdvertiser(ctx, w.ID["advertiser closed"]))(w.T)
}

func (w *World) settleUsers(ctx context.Context) {
	for _, c := range []struct{ name, group string }{{"north", "sv_SE"}, {"south", "de_DE"}, {"west", "de_DE"}} {
		created, _, err := w.Core.CreateClient(ctx, affiliate.Client{Name: c.name + " network", PublicID: "public-" + c.name, GroupID: w.ID["group "+c.group]})
		w.ID["client "+c.name] = Must(created, err)(w.T).ID
	}
	for _, tag := range []struct {
		name, owner string
		level       affiliate.AccessLevel
	}{{"favourites", "", affiliate.AccessAll}, {"internal", "", affiliate.AccessAdmin}, {"vip", "acme", affiliate.AccessStore}, {"norse", "nordic", affiliate.AccessStore}} {
		w.ID["tag "+tag.name] = Must(w.Core.CreateUserTag(ctx, affiliate.UserTag{Name: tag.name, Slug: tag.name, AccessLevel: tag.level, AdvertiserID: w.ID["advertiser "+tag.owner]}))(w.T).ID
	}
	for _, u := range []struct {
		name, client string
		approved     bool
	}{{"anna", "north", true}, {"bo", "south", true}, {"carl", "north", false}, {"dora", "", true}} {
		created := Must(w.Core.CreateUser(ctx, affiliate.User{
			Username: u.name, DisplayName: strings.ToUpper(u.name), Email: u.name + "@creators.example", Locale: "sv-SE", ClientID: w.ID["client "+u.client],
		}))(w.T)
		w.ID["user "+u.name] = created.ID
		if u.approved {
			Must(w.Core.ApproveUsers(ctx, []int64{created.ID}, 0))(w.T)
		}
	}
	Must(w.Core.UpdateUser(ctx, w.ID["user bo"], func(u *affiliate.User) { u.TagIDs = []int64{w.ID["tag norse"]} }))(w.T)
	Must(w.Core.UpdateUser(ctx, w.ID["user carl"], func(u *affiliate.User) { u.TagIDs = []int64{w.ID["tag favourites"]} }))(w.T)
}

func (w *World) settleTokens(ctx context.Context) {
	for _, p := range []struct {
		who          string
		role         affiliate.Role
		user, client string
		advertisers  []string
	}{
		{who: "admin", role: affiliate.RoleAdmin},
		{who: "advertiser", role: affiliate.RoleRepresentative, advertisers: []string{"acme"}},
		{who: "advertiser_2", role: affiliate.RoleRepresentative, advertisers: []string{"nordic"}},
		{who: "agency", role: affiliate.RoleAgency, advertisers: []string{"mall_one", "mall_two"}},
		{who: "creator", role: affiliate.RoleCreator, user: "anna"},
		{who: "creator_2", role: affiliate.RoleCreator, user: "bo"},
		{who: "client", role: affiliate.RoleClient, client: "north"},
		{who: "client_2", role: affiliate.RoleClient, client: "south"},
		{who: "partner", role: affiliate.RolePartner},
		{who: "lists", role: affiliate.RoleLists},
		{who: "sync", role: affiliate.RoleSync},
		{who: "service", role: affiliate.RoleService},
		{who: "author", role: affiliate.RoleRepresentative, user: "anna", advertisers: []string{"acme"}},
	} {
		Must(w.People.AddToken(ctx, Token(p.who), identity.AccessToken{
			Role: p.role, Subject: p.who, Name: "The " + p.who, UserID: w.ID["user "+p.user], ClientID: w.ID["client "+p.client],
		}))(w.T)
		for _, a := range p.advertisers {
			if err := w.People.AddMember(ctx, identity.Membership{Role: p.role, Subject: p.who, AdvertiserID: w.ID["advertiser "+a]}); err != nil {
				w.T.Fatal(err)
			}
		}
	}
}

func (w *World) settleLinks(ctx context.Context) {
	for _, l := range []struct{ name, user, url string }{
		{"anna", "anna", "https://acme.example/shoes?size=38"}, {"bo", "bo", "https://nordic.example/coats"},
	} {
		view, _, err := w.Links.Convert(ctx, links.Conversion{UserID: w.ID["user "+l.user], URL: l.url})
		w.ID["link "+l.name] = Must(view, err)(w.T).Link.ID
	}
	for _, b := range []struct {
		name, advertiser string
		by               affiliate.Actor
		in               affiliate.BlockInput
	}{
		{"carl", "acme", TheAdvertiser, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.ID["user carl"], ValidateClicks: true}}}},
		{"vip", "acme", TheAdvertiser, affiliate.BlockInput{UserTagIDs: []int64{w.ID["tag vip"]}}},
		{"south", "acme", w.theAuthor(), affiliate.BlockInput{ClientIDs: []int64{w.ID["client south"]}}},
		{"dora", "nordic", TheAdvertiser, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.ID["user dora"]}}}},
	} {
		w.ID["entry "+b.name] = Must(w.Core.Block(ctx, w.ID["advertiser "+b.advertiser], b.by, b.in))(w.T)[0].Entry.ID
	}
}

// Path fills in the ids of the world: "/v2/users/{user anna}".
func (w *World) Path(s string) string {
	w.T.Helper()
	for {
		before, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return s
		}
		s = before + w.Value(name) + after
	}
}

// Value is the id or the token of something in the world.
func (w *World) Value(name string) string {
	w.T.Helper()
	if token, ok := w.Token[name]; ok {
		return token
	}
	id, ok := w.ID[name]
	if !ok {
		w.T.Fatalf("the world has no %q", name)
	}
	return fmt.Sprint(id)
}

// Body fills in ids, which stand between ‹ and › here because of JSON's braces.
func (w *World) Body(s string) string {
	for name, token := range w.Token {
		s = strings.ReplaceAll(s, "‹"+name+"›", token)
	}
	for name, id := range w.ID {
		s = strings.ReplaceAll(s, "‹"+name+"›", fmt.Sprint(id))
	}
	return s
}

// Send makes a request as one of the principals; headers are name, value pairs.
func (w *World) Send(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.T.Helper()
	return w.SendTo(w.Handler, who, method, target, body, headers...)
}

// SendTo is Send to another handler.
func (w *World) SendTo(h http.Handler, who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.T.Helper()
	r := httptest.NewRequest(method, w.Path(target), strings.NewReader(w.Body(body)))
	if who != "nobody" {
		r.Header.Set("Authorization", Token(who))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

// switched is a store that can be switched off.
type switched[T any] struct {
	affiliate.Store[T]
	down *atomic.Bool
}

func (s switched[T]) off() error {
	if s.down.Load() {
		return affiliate.Unavailable(fmt.Errorf("the database at db.internal:5432 is away"))
	}
	return nil
}

func (s switched[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	if err := s.off(); err != nil {
		return err
	}
	return s.Store.Read(ctx, fn)
}

func (s switched[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	if err := s.off(); err != nil {
		return err
	}
	return s.Store.Write(ctx, fn)
}

type switchedLinks struct {
	switched[links.Tx]
	recorder links.Store
}

func (s switchedLinks) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	if err := s.off(); err != nil {
		return err
	}
	return s.recorder.Record(ctx, fn)
}

// statistics is a store of links as one of statistics.
type statistics struct{ store links.Store }

func (s statistics) Read(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.store.Read(ctx, func(ctx context.Context, tx links.Tx) error { return fn(ctx, tx) })
}

func (s statistics) Write(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.store.Write(ctx, func(ctx context.Context, tx links.Tx) error { return fn(ctx, tx) })
}

type switchedOrders struct {
	switched[orders.Tx]
	recorder orders.Store
}

func (s switchedOrders) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	if err := s.off(); err != nil {
		return err
	}
	return s.recorder.Record(ctx, fn)
}

func (s switchedOrders) Nested(ctx context.Context) bool { return s.recorder.Nested(ctx) }

func (s switchedLinks) Nested(ctx context.Context) bool { return s.recorder.Nested(ctx) }
