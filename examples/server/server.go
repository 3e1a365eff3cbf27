package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/examples/server/console"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/metrics"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/verification"
	"github.com/affiliatekit/affiliatekit/offers"
)

// How long each phase of a request, and of the stop, may take.
const (
	headerTimeout  = 5 * time.Second
	bodyTimeout    = 30 * time.Second
	answerTimeout  = 30 * time.Second // beside what a request may take
	idleTimeout    = 2 * time.Minute
	drainTimeout   = 20 * time.Second
	maxHeaderBytes = 64 << 10
)

// listening is the line that is printed when the server listens.
type listening struct {
	Listening string                      `json:"listening"`
	Tokens    map[string]string           `json:"tokens"` // by name; empty without -demo
	IDs       map[string]map[string]int64 `json:"ids"`    // by kind and name; empty without -demo
}

// run serves until the context ends, then stops gracefully.
func run(ctx context.Context, c config, stdout io.Writer, log *slog.Logger) (err error) {
	backend, err := openBackend(ctx, c.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.close()) }()

	line := listening{Tokens: map[string]string{}, IDs: map[string]map[string]int64{}}
	if c.demo {
		if line.IDs, err = loadDemo(ctx, backend.Links()); err != nil {
			return fmt.Errorf("load the sample data: %w", err)
		}
		if err := loadDemoProducts(ctx, backend.ProductLists()); err != nil {
			return fmt.Errorf("load the sample products: %w", err)
		}
		if err := loadDemoDeals(ctx, backend.Deals()); err != nil {
			return fmt.Errorf("load the sample catalog: %w", err)
		}
		if err := loadDemoSync(ctx, backend.AdSync()); err != nil {
			return fmt.Errorf("load the sample ad accounts: %w", err)
		}
		if err := loadDemoOrders(ctx, backend.Orders(), line.IDs); err != nil {
			return fmt.Errorf("load the sample orders: %w", err)
		}
		if line.IDs["payments"], err = loadDemoPayments(ctx, backend, line.IDs["users"]); err != nil {
			return fmt.Errorf("load the sample payments: %w", err)
		}
		backend.Backend = demoBackend{backend.Backend}
		line.Tokens = demoTokens()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.addr.String())
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // serve closes it first; this is for what fails before
	line.Listening = listener.Addr().String()
	if c.publicURL == "" {
		c.publicURL = publicURLFor(listener.Addr().(*net.TCPAddr))
	}
	app, err := newApp(ctx, c, backend, log)
	if err != nil {
		return err
	}
	for _, feed := range []struct {
		path string
		full bool
	}{{c.products, false}, {c.productsFull, true}} {
		if feed.path == "" {
			continue
		}
		if err := importProducts(ctx, app.kit.ProductLists, feed.path, feed.full, log); err != nil {
			return err
		}
	}
	return app.serve(ctx, listener, func() error {
		if _, err := io.WriteString(c.notices, greeting(c, line, publicURLFor(listener.Addr().(*net.TCPAddr)))); err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(line)
	})
}

// app is the services and what is mounted over them.
type app struct {
	kit            *affiliatekit.Kit
	health         *health
	timeout, drain time.Duration
	log            *slog.Logger
	http.Handler
}

func newApp(ctx context.Context, c config, b affiliatekit.Backend, log *slog.Logger) (*app, error) {
	counts := metrics.New()
	images, err := c.blobs()
	if err != nil {
		return nil, err
	}
	engine, err := c.engineOptions(counts.Sync, func(err error) { log.Warn("ads were not synced", "error", err) })
	if err != nil {
		return nil, err
	}
	kit, err := affiliatekit.New(b, affiliatekit.Options{
		Mailing: mailing.Options{Mailer: logMailer{log}},
		Offers:  offers.Options{Blobs: images},
		Links:   links.Options{PublicURL: c.publicURL, Clicks: c.clicks, Observe: counts.Click, DomainVerifiers: verification.Standard()},
		Orders:  c.orderOptions(counts.Order),
		Events:  events.Options{Observe: counts.Event, Logger: log},
		Payouts: payoutOptions(c.demo),

		Webhooks:     c.webhook.options(counts.Event, log),
		AdSyncEngine: engine,
	})
	if err != nil {
		return nil, err
	}
	authenticator, err := c.authenticator(ctx, kit.Identity, log)
	if err != nil {
		return nil, err
	}
	if c.adminToken != "" {
		if err := letAdminIn(ctx, kit.Identity, c.adminToken); err != nil {
			return nil, err
		}
	}
	if err := c.webhook.ensure(ctx, kit.Webhooks); err != nil {
		return nil, fmt.Errorf("-webhook-url: %w", err)
	}
	api, err := httpadapter.New(httpadapter.Services{
		Core: kit.Core, Identity: kit.Identity, Mailing: kit.Mailing, Media: kit.Media, Links: kit.Links, Offers: kit.Offers, ReturnAds: kit.ReturnAds, Orders: kit.Orders, Stats: kit.Stats, ProductLists: kit.ProductLists, Deals: kit.Deals, Payouts: kit.Payouts, AdSync: kit.AdSync,
	}, httpadapter.Options{
		Authenticator:     authenticator,
		NotificationsURL:  c.notifications,
		RequestsPerMinute: perMinute(c.rate),
		RequestTimeout:    c.timeout,
		TrustedProxies:    c.proxies,
		Observe:           counts.Request,
		Logger:            log,
	})
	if err != nil {
		return nil, err
	}
	counts.Watch(metrics.Services{Core: kit.Core, Links: kit.Links, Events: kit.Events})
	pages, err := console.New(kit, console.Options{OpenOnLoopback: c.demo, Timeout: c.timeout, Logger: log})
	if err != nil {
		return nil, err
	}
	a := &app{kit: kit, health: newHealth(kit.Core), timeout: c.timeout, drain: c.drain, log: log}
	a.Handler = route(a.health, counts.Handler(log), pages, api)
	return a, nil
}

// perMinute is -rate as the adapter takes it, where 0 is the default and only a
// negative number means no limit.
func perMinute(rate int) int {
	if rate == 0 {
		return -1
	}
	return rate
}

// route sends the server's own three paths and the console's to their handlers,
// and all others, as they are, to the dialects: a ServeMux would redirect unclean
// ones.
func route(h *health, metrics, pages, api http.Handler) http.Handler {
	own := map[string]http.Handler{
		"/healthz": http.HandlerFunc(h.alive),
		"/readyz":  http.HandlerFunc(h.ready),
		"/metrics": metrics,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := own[r.URL.Path]
		switch {
		case r.URL.Path == "/", r.URL.Path == console.Prefix, strings.HasPrefix(r.URL.Path, console.Prefix+"/"):
			pages.ServeHTTP(w, r)
		case !ok:
			api.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, "method not allowed")
		default:
			handler.ServeHTTP(w, r)
		}
	})
}

// serve accepts connections until the context ends. Then it drains: no new
// connections, an answer to every request under way, every click kept.
func (a *app) serve(ctx context.Context, listener net.Listener, started func() error) error {
	server := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      a.timeout + answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	// Before the first request, so that subscribers hear of what that one changes.
	if err := a.kit.Events.Register(ctx); err != nil {
		return err
	}
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecording()
	recorded := make(chan error, 1)
	go func() { recorded <- a.kit.Links.Run(recording) }()
	swept := make(chan error, 1)
	go func() {
		swept <- a.kit.Deals.Run(recording, sweepEvery, func(err error) { a.log.Warn("deals were not swept", "error", err) })
	}()
	synced := make(chan error, 1)
	go func() { synced <- a.sync(recording) }()
	approved := make(chan error, 1)
	go func() {
		approved <- a.kit.Orders.Run(recording, sweepEvery, func(err error) { a.log.Warn("orders were not swept", "error", err) })
	}()
	delivered := make(chan error, 1)
	go func() { delivered <- a.kit.Events.Run(recording) }()
	sent := make(chan error, 1)
	go func() { sent <- a.kit.Webhooks.Run(recording) }()
	tidied := make(chan struct{})
	go func() {
		a.tidy(recording)
		close(tidied)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	err := started()
	if err == nil {
		select {
		case <-ctx.Done():
			a.log.Info("stopping", "within", a.drain)
		case err = <-served: // the listener broke
		}
	}
	a.health.stopping()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.drain)
	defer cancel()
	if late := server.Shutdown(drain); late != nil {
		// Whoever has not sent its request or read its answer by now never will.
		a.log.Warn("connections cut", "error", late)
		err = errors.Join(err, server.Close())
	}
	// Only now no request can bring another click.
	stopRecording()
	<-tidied
	return errors.Join(err, <-recorded, <-swept, <-synced, <-approved, <-delivered, <-sent)
}

// letAdminIn makes the operator's first token. A token that is known already,
// maybe because another process has just added it, must be the operator's.
func letAdminIn(ctx context.Context, people *identity.Service, token string) error {
	_, err := people.AddToken(ctx, token, identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "operator", Name: "Operator"})
	if !errors.Is(err, affiliate.ErrConflict) {
		return err
	}
	p, err := people.Authenticate(ctx, token)
	if err == nil && !p.IsAdmin() {
		err = errors.New(adminTokenVariable + " is the token of somebody who is not the operator")
	}
	return err
}
