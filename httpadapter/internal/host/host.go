// Package host is what a host decides about the HTTP adapter, in the form that
// every dialect takes it.
package host

import (
	"log/slog"
	"net/http"
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
	RequestsPerMinute int
	// RateLimiter is to be used instead of one of RequestsPerMinute: one that
	// several handlers share, or that knows several classes of principals.
	RateLimiter *wire.RateLimiter
	// Idempotency keeps the answers to Idempotency-Keys. Default: the core's
	// store; without a core the keys are ignored.
	Idempotency wire.IdempotencyStore
	// Observe is called after each request: with the operation id ("redirect"
	// for GET /c/{id}, "" when no route matched), the status (499 when the
	// client had gone), and how long it took.
	Observe func(operation string, status int, took time.Duration)
	// ClientIP tells the address of who sent the request: readers of links are
	// told apart by it, and requests without a principal are limited by it.
	// Default: the host of RemoteAddr. Behind a reverse proxy that is the
	// proxy, and all readers with one browser would be one visitor: read the
	// header there that your proxy sets, and only if the request comes from it,
	// because anybody can send one.
	ClientIP func(*http.Request) string
}

// WithDefaults fills in what the host left out. Options that have been through
// it share one rate limiter wherever they go.
func (o Options) WithDefaults(core *affiliate.Service) (Options, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.ClientIP == nil {
		o.ClientIP = wire.RemoteHost
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
		o.RateLimiter, err = wire.NewRateLimiter(o.Clock, func(affiliate.Principal) int { return perMinute })
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
		Idempotency:   o.Idempotency,
		Observe:       o.Observe,
		ClientAddress: o.ClientIP,
	}
}
