package httpadapter

import (
	"net/http"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/advertiser"
	"github.com/affiliatekit/affiliatekit/httpadapter/apisync"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
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

// Services are what the adapter serves. A nil one leaves its routes out.
type Services struct {
	Core         *affiliate.Service    // Metapic v2: users, clients, advertisers, …; and the idempotency keys
	Identity     *identity.Service     // Metapic v2: sign-ups, invites, webhooks, the entrypoint; v1: stores that register
	Mailing      *mailing.Service      // Metapic v2: the e-mail quota
	Media        *media.Service        // both Metapic APIs: media of creators
	Links        *links.Service        // Metapic v2: rules, blocklists, links; and the redirect
	Offers       *offers.Service       // Metapic v2: campaigns, participants, budgets; and their pictures
	ReturnAds    *returnads.Service    // Metapic v2: return ads; and their open routes
	Orders       *orders.Service       // both Metapic APIs: orders, vouchers, order collectors; and the pixel and script by which shops report orders
	Stats        *stats.Service        // Metapic v1: statistics
	Payouts      *payouts.Service      // Metapic v2: payments, invoices, payment setups; v1: how users are paid
	ProductLists *productlists.Service // product lists
	Deals        *deals.Service        // MyShare
	AdSync       *adsync.Service       // APISync
	// DealCurrencies are those that MyShare takes; default: the documented two.
	DealCurrencies []affiliate.Currency
}

// Options sets up the adapter or one of its dialects. The zero Options work,
// and refuse everyone: see the fields.
//
//	type Options struct {
//		// Authenticator tells who makes a request; nil refuses everyone.
//		// httpadapter.TokenAuthenticator is the one over access tokens.
//		Authenticator Authenticator
//		// Clock is for rate limits and idempotency keys; default: the system clock.
//		Clock affiliate.Clock
//		// Logger gets what clients are not told: unknown errors and panics, each
//		// with the request id. Default: slog.Default().
//		Logger *slog.Logger
//		// RequestsPerMinute is how many requests a principal has a minute, and a
//		// client address on what needs no principal. 0: 300. Negative: any number.
//		// A principal that is for tests has a third.
//		RequestsPerMinute int
//		// RateLimiter is to be used instead of one of RequestsPerMinute: one that
//		// several handlers share, or that knows several classes of principals.
//		RateLimiter *RateLimiter
//		// BytesPerRequest is how many bytes of a body make a request count once more
//		// against the rate limit, since long requests cost the backend more: a body of
//		// 100 KiB counts as seven requests. No request counts as more than a tenth of a
//		// minute's, and one whose length is not told beforehand counts as that. 0: 16
//		// KiB. Negative: each request counts once.
//		BytesPerRequest int
//		// Idempotency keeps the answers to Idempotency-Keys. Default: the core's
//		// store; without a core the keys are ignored.
//		Idempotency IdempotencyStore
//		// Observe is called after each request: with the operation id ("redirect"
//		// for GET /c/{id}, "" when no route matched), the status (499 when the
//		// client had gone), and how long it took.
//		Observe func(operation string, status int, took time.Duration)
//		// Tracer begins a span for each request, named by its method and route. The
//		// units of work of the request are inside of it when affiliatekit.Options has
//		// the same one. See package affiliate/tracing. Default: none.
//		Tracer affiliate.Tracer
//		// TrustedProxies are the reverse proxies in front of this server. A request
//		// that comes from one of them is of the last address in X-Forwarded-For (or
//		// in Forwarded) that is not a trusted proxy's. From anybody else these
//		// headers are ignored, and so they are when both are there and disagree: let
//		// the proxy remove the one that it does not set. Without proxies here, all
//		// readers behind one with the same browser are one visitor.
//		TrustedProxies []netip.Prefix
//		// ClientIP is to be used instead of TrustedProxies. It returns the address
//		// of who sent the request: readers of links are told apart by it, and
//		// requests without a principal are limited by it.
//		ClientIP func(*http.Request) string
//		// Bots reports whether a user agent is a program's, whose clicks are not
//		// paid. Its result is remembered. Default: bots.IsBot.
//		Bots func(userAgent string) bool
//		// CORS says which web pages may read answers, and what browsers are told
//		// that ask before they send (preflights). Default: every page, as the
//		// documents have it. &httpadapter.CORS{} turns it off.
//		CORS *CORS
//		// BasePath is what clients put in front of the paths of the APIs, such as
//		// "/affiliates"; it has no slash at its end. The handler takes it off where it
//		// is still there, so that it is mounted without http.StripPrefix; the links in
//		// responses and the servers in the documents begin with it, once, also where a
//		// reverse proxy took it off. A host that serves redirects too puts it into
//		// links.Options.PublicURL as well. Default: what http.StripPrefix took off.
//		BasePath string
//		// WithoutDocs leaves out /openapi.json and /docs, which httpadapter.New
//		// otherwise serves to everybody.
//		WithoutDocs bool
//		// RequestTimeout is how long a request may take, its answer included; then
//		// what waits for the backend fails and the answer is 503. The backend gets
//		// it as the context's deadline. 0: 30 seconds. Negative: no limit.
//		RequestTimeout time.Duration
//		// NotificationsURL is the notification service that Metapic v2's
//		// notifications-proxy forwards to: an http or https URL. Nothing else can be
//		// reached through it. Default: none, the route responds with 503.
//		NotificationsURL string
//		// NotificationsTransport makes those requests. Default: http.DefaultTransport.
//		NotificationsTransport http.RoundTripper
//	}
type Options = host.Options

// Authenticator finds out who makes a request. No credentials, or bad ones, are
// an error of kind [affiliate.ErrUnauthenticated]; what cannot be found out now
// is [affiliate.ErrUnavailable].
//
//	type Authenticator interface {
//		Authenticate(*http.Request) (affiliate.Principal, error)
//	}
type Authenticator = wire.Authenticator

// RateLimiter counts requests per principal; see [NewRateLimiter].
type RateLimiter = wire.RateLimiter

// IdempotencyStore keeps the first answer to each Idempotency-Key. The one over
// the core's store is the default.
//
//	type IdempotencyStore interface {
//		// Begin claims the record's owner and key and returns nil; or returns the
//		// record that is there and changes nothing. A record whose Expires is not
//		// after now counts as not there. Of many that begin at once, one claims.
//		//
//		// A store that keeps answers beside the work, and not with it, must not let a
//		// claim without an answer expire before the answer would: whether the work was
//		// done is not known then, and it must not be done twice.
//		Begin(ctx context.Context, claim IdempotencyRecord, now time.Time) (*IdempotencyRecord, error)
//		// Finish runs work and puts the answer that it returns, and the new expiry,
//		// into the claimed record; with nil instead of an answer the record stays.
//		// The store of the core does both in one transaction with what work changes,
//		// and may therefore run work again. An error of work is returned, and then
//		// nothing is changed. Finish is ErrClaimLost when the token no longer holds
//		// the claim.
//		Finish(ctx context.Context, claim IdempotencyRecord, work func(ctx context.Context) (*KeptAnswer, error)) error
//		// Abandon removes the claim, so that the request may be sent again. It is
//		// no error when the token no longer holds it, and leaves an answer alone.
//		Abandon(ctx context.Context, claim IdempotencyRecord) error
//	}
type IdempotencyStore = wire.IdempotencyStore

// IdempotencyRecord is what an [IdempotencyStore] keeps.
//
//	type IdempotencyRecord struct {
//		Owner       string   // the principal's Key, or "address:" and a client address
//		Key         string   // 1 to 255 printable ASCII characters
//		Token       string   // a UUID
//		Fingerprint [32]byte // SHA-256 of method, path, query and body
//		Expires     time.Time
//		Answer      *KeptAnswer // nil while the first request runs
//	}
type IdempotencyRecord = wire.IdempotencyRecord

// KeptAnswer is the answer in an [IdempotencyRecord].
//
//	type KeptAnswer struct {
//		Status      int
//		ContentType string
//		Body        []byte // at most affiliate.MaxKeptAnswer bytes
//	}
type KeptAnswer = wire.KeptAnswer

// ErrClaimLost is what an IdempotencyStore's Finish returns when another request
// took the claim over.
var ErrClaimLost = wire.ErrClaimLost

// CORS says which web pages may read answers; see Options.CORS.
//
//	type CORS struct {
//		// Origins are the allowed ones, such as https://app.example; "*" allows
//		// every one. None: pages of other origins are not let in at all.
//		Origins []string
//	}
type CORS = wire.CORS

// NewRateLimiter makes a limiter for Options.RateLimiter: one that several
// handlers share, or that gives some principals more than others. limit tells
// the requests a minute, 0 or less for any number; the zero Principal stands for
// a client address that sent no credentials.
func NewRateLimiter(clock affiliate.Clock, limit func(affiliate.Principal) int) (*RateLimiter, error) {
	return wire.NewRateLimiter(clock, limit)
}

// New makes a handler of all dialects, the redirect, and the documents about
// them (see [NewDocs]). It answers every path,
// unknown ones with 404, and works under a prefix, which the host takes off or
// names in Options.BasePath:
//
//	http.Handle("/affiliates/", http.StripPrefix("/affiliates", handler))
func New(s Services, o Options) (http.Handler, error) {
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	a := adapter{base: wire.BasePath(o.BasePath)}
	mounted := operations{}
	if a.others, err = metapic.New(metapic.Services{Core: s.Core, Identity: s.Identity, Mailing: s.Mailing, Media: s.Media, Links: s.Links, Offers: s.Offers, ReturnAds: s.ReturnAds, Orders: s.Orders, Payouts: s.Payouts}, o); err != nil {
		return nil, err
	}
	mounted.add("metapic", a.others)
	v1, err := advertiser.New(advertiser.Services{Core: s.Core, Links: s.Links, Offers: s.Offers, Orders: s.Orders, Stats: s.Stats, Identity: s.Identity, Media: s.Media, Payouts: s.Payouts}, o)
	if err != nil {
		return nil, err
	}
	mounted.add("advertiser", v1)
	for _, prefix := range advertiser.Paths() {
		a.mount(prefix, v1)
	}
	if s.Links != nil {
		redirect, err := NewRedirect(s.Links, o)
		if err != nil {
			return nil, err
		}
		mounted.named("tracking", open.RedirectID)
		a.mount(open.RedirectPrefix, redirect)
	}
	if s.Offers != nil {
		routes, err := NewOpenRoutes(s.Offers, s.ReturnAds, o)
		if err != nil {
			return nil, err
		}
		mounted.add("tracking", routes)
		a.mount(open.MediaPrefix, routes)
		if s.ReturnAds != nil {
			a.mount(open.ReturnAdPrefix, routes)
		}
	}
	if s.Orders != nil {
		routes, err := NewReport(s.Orders, o)
		if err != nil {
			return nil, err
		}
		mounted.named("tracking", "report-get", "report-post", "report-script")
		a.mountAt(open.ReportPath, routes)
		a.mountAt(open.ScriptPath, routes)
	}
	if s.ProductLists != nil {
		dialect, err := lists.New(lists.Services{Core: s.Core, ProductLists: s.ProductLists}, o)
		if err != nil {
			return nil, err
		}
		mounted.add("productlists", dialect)
		a.mount(lists.Paths, dialect)
	}
	if s.Deals != nil {
		dialect, err := myshare.New(myshare.Services{Core: s.Core, Deals: s.Deals, Currencies: s.DealCurrencies}, o)
		if err != nil {
			return nil, err
		}
		mounted.add("myshare", dialect)
		for _, prefix := range myshare.Paths() {
			a.mount(prefix, dialect)
		}
	}
	if s.AdSync != nil {
		dialect, err := apisync.New(apisync.Services{Core: s.Core, AdSync: s.AdSync}, o)
		if err != nil {
			return nil, err
		}
		mounted.add("apisync", dialect)
		for _, prefix := range apisync.Paths() {
			a.mount(prefix, dialect)
		}
	}
	if !o.WithoutDocs {
		mounted.named("tracking", "health", "readiness", "metrics") // the host's
		routes, err := newDocs(o, mounted.has)
		if err != nil {
			return nil, err
		}
		a.mount(open.OpenAPIPrefix, routes)
		a.mount(open.DocsPath+"/", routes)
		a.mountAt(open.OpenAPIPath, routes)
		a.mountAt(open.DocsPath, routes)
	}
	return &a, nil
}

// operations are the ids of what is mounted, as the documents have them.
type operations map[string]bool

func (o operations) has(id string) bool { return o[id] }

func (o operations) named(dialect string, ids ...string) {
	for _, id := range ids {
		o[dialect+"-"+id] = true
	}
}

// add adds the routes of a dialect; one with several methods is an operation
// for each of them.
func (o operations) add(dialect string, h http.Handler) {
	mux, ok := h.(*wire.Mux)
	if !ok {
		return
	}
	for _, r := range mux.Routes() {
		o.named(dialect, r.ID)
		for _, method := range r.Methods() {
			o.named(dialect, r.ID+"-"+strings.ToLower(method))
		}
	}
}

// adapter sends a request to what serves the beginning of its path: readers of
// links one way, clients of the APIs the others.
type adapter struct {
	base     wire.BasePath
	prefixes []string
	handlers []http.Handler // in step with prefixes
	exact    map[string]http.Handler
	others   http.Handler // all other paths
}

func (a *adapter) mount(prefix string, h http.Handler) {
	a.prefixes, a.handlers = append(a.prefixes, prefix), append(a.handlers, h)
}

// mountAt serves one path, and none below it.
func (a *adapter) mountAt(path string, h http.Handler) {
	if a.exact == nil {
		a.exact = make(map[string]http.Handler)
	}
	a.exact[path] = h
}

// owns reports whether a path is one of ours as it stands.
func (a *adapter) owns(path string) bool {
	for _, prefix := range a.prefixes {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	rest, ok := a.others.(*wire.Mux)
	return a.exact[path] != nil || ok && rest.Owns(path)
}

// ServeHTTP looks for the redirect first: it is most of the traffic.
func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.base != "" {
		r = a.base.Strip(r, a.owns)
	}
	for i, prefix := range a.prefixes {
		if strings.HasPrefix(r.URL.Path, prefix) {
			a.handlers[i].ServeHTTP(w, r)
			return
		}
	}
	if h, ok := a.exact[r.URL.Path]; ok {
		h.ServeHTTP(w, r)
		return
	}
	a.others.ServeHTTP(w, r)
}
