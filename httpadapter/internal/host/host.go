// Package host is what a host decides about the HTTP adapter, in the form that
// every dialect takes it.
package host

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Options sets up the adapter or one dialect of it. The zero Options refuse
// everyone, but on the routes that are open.
type Options struct {
	// Authenticator tells who makes a request; nil refuses everyone.
	// httpadapter.TokenAuthenticator is the one over access tokens.
	Authenticator wire.Authenticator
	// Clock is for rate limits and idempotency keys; default: the system clock.
	Clock affiliate.Clock
	// Logger gets what clients are not told: unknown errors and panics, each
	// with the request id. Default: slog.Default().
	Logger *slog.Logger
	// RequestsPerMinute is how many requests a principal has a minute, and a
	// client address on what needs no principal. 0: 300. Negative: any number.
	// A principal that is for tests has a third.
	RequestsPerMinute int
	// RateLimiter is to be used instead of one of RequestsPerMinute: one that
	// several handlers share, or that knows several classes of principals.
	RateLimiter *wire.RateLimiter
	// BytesPerRequest is how many bytes of a body make a request count once more
	// against the rate limit, since long requests cost the backend more: a body of
	// 100 KiB counts as seven requests. No request counts as more than a tenth of a
	// minute's, and one whose length is not told beforehand counts as that. 0: 16
	// KiB. Negative: each request counts once.
	BytesPerRequest int
	// Idempotency keeps the answers to Idempotency-Keys. Default: the core's
	// store; without a core the keys are ignored.
	Idempotency wire.IdempotencyStore
	// Observe is called after each request: with the operation id ("redirect"
	// for GET /c/{id}, "" when no route matched), the status (499 when the
	// client had gone), and how long it took.
	Observe func(operation string, status int, took time.Duration)
	// Tracer begins a span for each request, named by its method and route. The
	// units of work of the request are inside of it when affiliatekit.Options has
	// the same one. See package affiliate/tracing. Default: none.
	Tracer affiliate.Tracer
	// TrustedProxies are the reverse proxies in front of this server. A request
	// that comes from one of them is of the last address in X-Forwarded-For (or
	// in Forwarded) that is not a trusted proxy's. From anybody else these
	// headers are ignored, and so they are when both are there and disagree: let
	// the proxy remove the one that it does not set. Without proxies here, all
	// readers behind one with the same browser are one visitor.
	TrustedProxies []netip.Prefix
	// ClientIP is to be used instead of TrustedProxies. It returns the address
	// of who sent the request: readers of links are told apart by it, and
	// requests without a principal are limited by it.
	ClientIP func(*http.Request) string
	// Bots reports whether a user agent is a program's, whose clicks are not
	// paid. Its result is remembered. Default: bots.IsBot.
	Bots func(userAgent string) bool
	// CORS says which web pages may read answers, and what browsers are told
	// that ask before they send (preflights). Default: every page, as the
	// documents have it. &httpadapter.CORS{} turns it off.
	CORS *wire.CORS
	// BasePath is what clients put in front of the paths of the APIs, such as
	// "/affiliates"; it has no slash at its end. The handler takes it off where it
	// is still there, so that it is mounted without http.StripPrefix; the links in
	// responses and the servers in the documents begin with it, once, also where a
	// reverse proxy took it off. A host that serves redirects too puts it into
	// links.Options.PublicURL as well. Default: what http.StripPrefix took off.
	BasePath string
	// WithoutDocs leaves out /openapi.json and /docs, which httpadapter.New
	// otherwise serves to everybody.
	WithoutDocs bool
	// RequestTimeout is how long a request may take, its answer included; then
	// what waits for the backend fails and the answer is 503. The backend gets
	// it as the context's deadline. 0: 30 seconds. Negative: no limit.
	RequestTimeout time.Duration
	// NotificationsURL is the notification service that Metapic v2's
	// notifications-proxy forwards to: an http or https URL. Nothing else can be
	// reached through it. Default: none, the route responds with 503.
	NotificationsURL string
	// NotificationsTransport makes those requests. Default: http.DefaultTransport.
	NotificationsTransport http.RoundTripper

	refusals *wire.Refusals
}

// DefaultRequestTimeout is the RequestTimeout of a host that names none.
const DefaultRequestTimeout = 30 * time.Second

// DefaultBytesPerRequest is the BytesPerRequest of a host that names none.
const DefaultBytesPerRequest = 16 << 10

// RefusalsOf returns where handlers beside the dialects note requests that they
// answer 503. The options must have been through WithDefaults.
func RefusalsOf(o Options) *wire.Refusals { return o.refusals }

// WithDefaults fills in what the host left out. Options that have been through
// it share one rate limiter, and one log of refused requests, wherever they go.
func (o Options) WithDefaults(core *affiliate.Service) (Options, error) {
	if err := wire.BasePath(o.BasePath).Check(); err != nil {
		return o, fmt.Errorf("httpadapter: Options.%w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.BytesPerRequest == 0 {
		o.BytesPerRequest = DefaultBytesPerRequest
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = DefaultRequestTimeout
	}
	if o.refusals == nil {
		o.refusals = wire.NewRefusals(o.Logger)
	}
	if o.ClientIP == nil {
		o.ClientIP = clientAddress(o.TrustedProxies)
	}
	if o.CORS == nil {
		o.CORS = wire.AnyOrigin()
	}
	if o.Idempotency == nil && core != nil {
		o.Idempotency = idempotencyKeys{core}
	}
	if o.RateLimiter == nil {
		perMinute := o.RequestsPerMinute
		if perMinute == 0 {
			perMinute = wire.DefaultRate
		}
		var err error
		o.RateLimiter, err = wire.NewRateLimiter(o.Clock, func(p affiliate.Principal) int {
			if p.Test && perMinute > 0 {
				return max(1, perMinute/3)
			}
			return perMinute
		})
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// Wire is the options as the machinery takes them.
func (o Options) Wire() wire.Options {
	return wire.Options{
		Authenticator: o.Authenticator,
		Clock:         o.Clock,
		Logger:        o.Logger,
		RateLimiter:   o.RateLimiter,

		BytesPerRequest: o.BytesPerRequest,
		Idempotency:     o.Idempotency,
		Observe:         o.Observe,
		Tracer:          o.Tracer,
		ClientAddress:   o.ClientIP,
		CORS:            o.CORS,
		Timeout:         o.RequestTimeout,
		Refusals:        o.refusals,
		BasePath:        wire.BasePath(o.BasePath),
	}
}
