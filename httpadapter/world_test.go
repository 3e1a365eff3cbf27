package httpadapter_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// backend is where a world is kept.
type backend struct {
	offers offers.Store
	links  links.Store
}

// eachBackend runs a test in a world of its own on every backend.
func eachBackend(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, inMemory()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, onPostgres(t)))
	})
}

func inMemory() backend {
	db := memory.New()
	return backend{db.Offers(), db.Links()}
}

func onPostgres(t *testing.T) backend {
	t.Helper()
	dsn, schema := pgtest.Schema(t)
	handle, err := postgres.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
	options := postgres.Options{Schema: schema}
	if err := postgres.Migrate(t.Context(), handle, options); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.New(handle, options)
	if err != nil {
		t.Fatal(err)
	}
	return backend{db.Offers(), db.Links()}
}

// world is a small market, its services and the adapter over them. It stands
// still at one instant until a test moves its clock.
type world struct {
	t       testing.TB
	backend backend
	core    *affiliate.Service
	links   *links.Service
	offers  *offers.Service
	now     atomic.Pointer[time.Time]
	handler http.Handler
	id      map[string]int64  // "advertiser acme", "user anna", …
	token   map[string]string // of offers: "token summer"
	down    atomic.Bool       // units of work fail
	log     strings.Builder
}

// publicURL is where the world's links are.
const publicURL = "https://go.example"

// token is the secret of a principal of the world.
func token(who string) string { return "secret-token-of-" + who }

func newWorld(t testing.TB, b backend) *world {
	t.Helper()
	w := &world{t: t, id: map[string]int64{}, token: map[string]string{}}
	w.backend = backend{switched[offers.Tx]{b.offers, &w.down}, switchedLinks{switched[links.Tx]{b.links, &w.down}, b.links}}
	start := time.Date(2026, 3, 18, 11, 42, 10, 0, time.UTC)
	w.now.Store(&start)
	w.core = must(offers.NewCore(w.backend.offers, affiliate.Options{Clock: w.clock}))(t)
	w.offers = must(links.NewOffers(w.backend.links, offers.Options{Clock: w.clock}))(t)
	w.links = must(links.NewService(w.backend.links, links.Options{Clock: w.clock, PublicURL: publicURL, RuleRefresh: time.Nanosecond}))(t)
	w.settle(t.Context())
	w.handler = w.adapter(httpadapter.Options{})
	return w
}

func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) pass(d time.Duration) {
	later := w.clock().Add(d)
	w.now.Store(&later)
}

// adapter is an adapter over the world's services. Left out options are those
// of a test that is about something else.
func (w *world) adapter(o httpadapter.Options) http.Handler {
	w.t.Helper()
	if o.Authenticator == nil {
		o.Authenticator = httpadapter.TokenAuthenticator(w.core)
	}
	if o.RequestsPerMinute == 0 {
		o.RequestsPerMinute = -1
	}
	o.Clock = w.clock
	o.Logger = slog.New(slog.DiscardHandler)
	return must(httpadapter.New(w.services(), o))(w.t)
}

func (w *world) services() httpadapter.Services {
	return httpadapter.Services{Core: w.core, Links: w.links, Offers: w.offers}
}

// logger writes to the world's log.
func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(&w.log, nil)) }

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

// principals of the world, in the order of the tenancy table. Those with _2 are
// tenants of their own.
var principals = []string{
	"nobody", "admin", "advertiser", "advertiser_2", "agency", "creator", "creator_2", "client", "client_2",
	"partner", "lists", "sync", "service",
}

// settle makes the world: acme and nordic with one representative each, an
// agency for the two malls, a hidden and a closed shop; anna and carl of one
// client, bo of another, dora of none.
func (w *world) settle(ctx context.Context) {
	for _, g := range []affiliate.AdvertiserGroup{
		{Name: "Sweden", Key: "sv_SE", Currency: "SEK", ReturnAdEnabled: true},
		{Name: "Germany", Key: "de_DE", Currency: "EUR"},
	} {
		w.id["group "+g.Key] = must(w.core.CreateAdvertiserGroup(ctx, g))(w.t).ID
	}
	for _, name := range []string{"Food", "Beauty"} {
		w.id["category "+name] = must(w.core.CreateCategory(ctx, affiliate.Category{Name: name}))(w.t).ID
	}
	w.settleAdvertisers(ctx)
	w.settleUsers(ctx)
	w.settleTokens(ctx)
	w.settleLinks(ctx)
	w.settleOffers(ctx)
}

func (w *world) settleAdvertisers(ctx context.Context) {
	for _, a := range []struct {
		name, group, domain string
		hidden              bool
	}{
		{"acme", "sv_SE", "acme.example", false}, {"nordic", "de_DE", "nordic.example", false},
		{"mall_one", "sv_SE", "mall.example", false}, {"mall_two", "sv_SE", "mall.example", false},
		{"hidden", "sv_SE", "hidden.example", true}, {"closed", "sv_SE", "closed.example", false},
	} {
		created := must(w.links.CreateStore(ctx, links.NewStore{
			Advertiser: affiliate.Advertiser{
				Name: a.name, GroupID: w.id["group "+a.group], Country: "SE", Currency: "SEK", Language: "sv", Hidden: a.hidden,
				LogoURL:      "https://" + a.domain + "/logo.png",
				DefaultCosts: []affiliate.Costs{{Source: affiliate.SourceGeneral, CPC: affiliate.Some[int64](250)}, {Source: affiliate.SourceInstagram, CPC: affiliate.Some[int64](400)}},
			},
			Domains: []string{a.domain},
		}))(w.t)
		w.id["advertiser "+a.name] = created.ID
		w.id["main rule "+a.name] = must(w.links.Rules(ctx, created.ID))(w.t)[0].ID
	}
	w.id["rule acme"] = must(w.links.AddRule(ctx, w.id["advertiser acme"], links.RuleInput{Type: links.RuleBlock, URL: "acme.example/private", Keyword: "staff"}))(w.t).ID
	w.id["rule nordic"] = must(w.links.AddRule(ctx, w.id["advertiser nordic"], links.RuleInput{Type: links.RuleAllow, URL: "outlet.nordic.example"}))(w.t).ID
	must(w.core.DeactivateAdvertiser(ctx, w.id["advertiser closed"]))(w.t)
}

func (w *world) settleUsers(ctx context.Context) {
	for _, c := range []struct{ name, group string }{{"north", "sv_SE"}, {"south", "de_DE"}, {"west", "de_DE"}} {
		created, _, err := w.core.CreateClient(ctx, affiliate.Client{Name: c.name + " network", PublicID: "public-" + c.name, GroupID: w.id["group "+c.group]})
		w.id["client "+c.name] = must(created, err)(w.t).ID
	}
	for _, tag := range []struct {
		name, owner string
		level       affiliate.AccessLevel
	}{{"favourites", "", affiliate.AccessAll}, {"internal", "", affiliate.AccessAdmin}, {"vip", "acme", affiliate.AccessStore}, {"norse", "nordic", affiliate.AccessStore}} {
		w.id["tag "+tag.name] = must(w.core.CreateUserTag(ctx, affiliate.UserTag{Name: tag.name, Slug: tag.name, AccessLevel: tag.level, AdvertiserID: w.id["advertiser "+tag.owner]}))(w.t).ID
	}
	for _, u := range []struct {
		name, client string
		approved     bool
	}{{"anna", "north", true}, {"bo", "south", true}, {"carl", "north", false}, {"dora", "", true}} {
		created := must(w.core.CreateUser(ctx, affiliate.User{
			Username: u.name, DisplayName: strings.ToUpper(u.name), Email: u.name + "@creators.example", Locale: "sv-SE", ClientID: w.id["client "+u.client],
		}))(w.t)
		w.id["user "+u.name] = created.ID
		if u.approved {
			must(w.core.ApproveUsers(ctx, []int64{created.ID}, 0))(w.t)
		}
	}
	must(w.core.UpdateUser(ctx, w.id["user bo"], func(u *affiliate.User) { u.TagIDs = []int64{w.id["tag norse"]} }))(w.t)
	must(w.core.UpdateUser(ctx, w.id["user carl"], func(u *affiliate.User) { u.TagIDs = []int64{w.id["tag favourites"]} }))(w.t)
}

func (w *world) settleTokens(ctx context.Context) {
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
	} {
		must(w.core.AddToken(ctx, token(p.who), affiliate.AccessToken{
			Role: p.role, Subject: p.who, Name: "The " + p.who, UserID: w.id["user "+p.user], ClientID: w.id["client "+p.client],
		}))(w.t)
		for _, a := range p.advertisers {
			if err := w.core.AddMember(ctx, affiliate.Membership{Role: p.role, Subject: p.who, AdvertiserID: w.id["advertiser "+a]}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) settleLinks(ctx context.Context) {
	for _, l := range []struct{ name, user, url string }{
		{"anna", "anna", "https://acme.example/shoes?size=38"}, {"bo", "bo", "https://nordic.example/coats"},
	} {
		view, _, err := w.links.Convert(ctx, links.Conversion{UserID: w.id["user "+l.user], URL: l.url})
		w.id["link "+l.name] = must(view, err)(w.t).Link.ID
	}
	by := affiliate.Actor{Name: "The advertiser"}
	for _, b := range []struct {
		name, advertiser string
		in               links.BlockInput
	}{
		{"carl", "acme", links.BlockInput{Users: []links.BlockedUser{{ID: w.id["user carl"], ValidateClicks: true}}}},
		{"vip", "acme", links.BlockInput{UserTagIDs: []int64{w.id["tag vip"]}}},
		{"south", "acme", links.BlockInput{ClientIDs: []int64{w.id["client south"]}}},
		{"dora", "nordic", links.BlockInput{Users: []links.BlockedUser{{ID: w.id["user dora"]}}}},
	} {
		w.id["entry "+b.name] = must(w.links.Block(ctx, w.id["advertiser "+b.advertiser], by, b.in))(w.t)[0].Entry.ID
	}
}

// path fills in the ids of the world: "/v2/users/{user anna}".
func (w *world) path(s string) string {
	w.t.Helper()
	for {
		before, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return s
		}
		s = before + w.value(name) + after
	}
}

// value is the id or the token of something in the world.
func (w *world) value(name string) string {
	w.t.Helper()
	if token, ok := w.token[name]; ok {
		return token
	}
	id, ok := w.id[name]
	if !ok {
		w.t.Fatalf("the world has no %q", name)
	}
	return fmt.Sprint(id)
}

// body fills in ids, which stand between ‹ and › here because of JSON's braces.
func (w *world) body(s string) string {
	for name, id := range w.id {
		s = strings.ReplaceAll(s, "‹"+name+"›", fmt.Sprint(id))
	}
	return s
}

// send makes a request as one of the principals; headers are name, value pairs.
func (w *world) send(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.sendTo(w.handler, who, method, target, body, headers...)
}

func (w *world) sendTo(h http.Handler, who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, w.path(target), strings.NewReader(w.body(body)))
	if who != "nobody" {
		r.Header.Set("Authorization", token(who))
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

func (s switchedLinks) Nested(ctx context.Context) bool { return s.recorder.Nested(ctx) }
