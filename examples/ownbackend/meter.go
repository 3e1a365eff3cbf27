package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// meter counts and times the units of work of the stores that it wraps. It is
// safe for concurrent use.
type meter struct {
	mu    sync.Mutex
	units map[string]usage // by "links.write"
}

// usage is what the units of one kind took together.
type usage struct {
	Units  int           // finished, one way or the other
	Failed int           // of these, with an error or a panic
	Runs   int           // of their callbacks: more than Units when the backend tried again
	Took   time.Duration // waiting and committing included
}

func newMeter() *meter { return &meter{units: make(map[string]usage)} }

// wrap meters the store of any domain; its units are counted under that name.
func wrap[T any](m *meter, domain string, store affiliate.Store[T]) affiliate.Store[T] {
	return metered[T]{store, m, domain}
}

// wrapLinks meters the store of package links, which has a third kind of unit.
func wrapLinks(m *meter, store links.Store) links.Store {
	return meteredLinks{metered[links.Tx]{store, m, "links"}, store}
}

// wrapAdSync meters the store of package adsync, which has a third kind of unit too.
func wrapAdSync(m *meter, store adsync.Store) adsync.Store {
	return meteredAdSync{metered[adsync.Tx]{store, m, "adsync"}, store}
}

// meteredBackend meters every store of another backend.
type meteredBackend struct {
	affiliatekit.Backend
	meter *meter
}

func (b meteredBackend) Core() affiliate.Store[affiliate.Tx] {
	return wrap(b.meter, "core", b.Backend.Core())
}
func (b meteredBackend) Events() events.Store {
	return meteredEvents{metered[events.Tx]{b.Backend.Events(), b.meter, "events"}, b.Backend.Events()}
}
func (b meteredBackend) Webhooks() webhooks.Store {
	return wrap(b.meter, "webhooks", b.Backend.Webhooks())
}
func (b meteredBackend) Identity() identity.Store {
	return wrap(b.meter, "identity", b.Backend.Identity())
}
func (b meteredBackend) Mailing() mailing.Store { return wrap(b.meter, "mailing", b.Backend.Mailing()) }
func (b meteredBackend) Stats() stats.Store     { return wrap(b.meter, "stats", b.Backend.Stats()) }
func (b meteredBackend) Media() media.Store     { return wrap(b.meter, "media", b.Backend.Media()) }
func (b meteredBackend) Offers() offers.Store   { return wrap(b.meter, "offers", b.Backend.Offers()) }
func (b meteredBackend) ReturnAds() returnads.Store {
	return wrap(b.meter, "returnads", b.Backend.ReturnAds())
}
func (b meteredBackend) Links() links.Store { return wrapLinks(b.meter, b.Backend.Links()) }
func (b meteredBackend) Deals() deals.Store { return wrap(b.meter, "deals", b.Backend.Deals()) }
func (b meteredBackend) Orders() orders.Store {
	return meteredOrders{metered[orders.Tx]{b.Backend.Orders(), b.meter, "orders"}, b.Backend.Orders()}
}
func (b meteredBackend) ProductLists() productlists.Store {
	return wrap(b.meter, "productlists", b.Backend.ProductLists())
}
func (b meteredBackend) AdSync() adsync.Store   { return wrapAdSync(b.meter, b.Backend.AdSync()) }
func (b meteredBackend) Payouts() payouts.Store { return wrap(b.meter, "payouts", b.Backend.Payouts()) }

// metered passes every unit on and notes what it took. What a decorator must
// not do is to swallow an error or to keep the transaction: then the promises
// of the store beneath it are its own.
type metered[T any] struct {
	store  affiliate.Store[T]
	meter  *meter
	domain string
}

func (s metered[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	return timed(ctx, s.meter, s.domain+".read", s.store.Read, fn)
}

func (s metered[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	return timed(ctx, s.meter, s.domain+".write", s.store.Write, fn)
}

// meteredLinks adds the recordings.
type meteredLinks struct {
	metered[links.Tx]
	store links.Store
}

func (s meteredLinks) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return timed(ctx, s.meter, s.domain+".record", s.store.Record, fn)
}

func (s meteredLinks) Nested(ctx context.Context) bool { return s.store.Nested(ctx) }

// meteredAdSync adds the units of workers.
type meteredAdSync struct {
	metered[adsync.Tx]
	store adsync.Store
}

func (s meteredAdSync) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	return timed(ctx, s.meter, s.domain+".work", s.store.Work, fn)
}

// meteredEvents adds the units of workers.
type meteredEvents struct {
	metered[events.Tx]
	store events.Store
}

func (s meteredEvents) Work(ctx context.Context, fn func(context.Context, events.Tx) error) error {
	return timed(ctx, s.meter, s.domain+".work", s.store.Work, fn)
}

// meteredOrders adds the recordings.
type meteredOrders struct {
	metered[orders.Tx]
	store orders.Store
}

func (s meteredOrders) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	return timed(ctx, s.meter, s.domain+".record", s.store.Record, fn)
}

func timed[T any](ctx context.Context, m *meter, kind string,
	unit func(context.Context, func(context.Context, T) error) error, fn func(context.Context, T) error) (err error) {
	start, runs, returned := time.Now(), 0, false
	defer func() { m.note(kind, runs, !returned || err != nil, time.Since(start)) }() // also when fn panics
	err = unit(ctx, func(ctx context.Context, tx T) error {
		runs++
		return fn(ctx, tx)
	})
	returned = true
	return err
}

func (m *meter) note(kind string, runs int, failed bool, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units[kind]
	u.Units++
	u.Runs += runs
	u.Took += took
	if failed {
		u.Failed++
	}
	m.units[kind] = u
}

// usage returns what the units of a kind took so far.
func (m *meter) usage(kind string) usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.units[kind]
}

// report writes one line for each kind of unit, in order of name.
func (m *meter) report(out io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for kind, u := range m.units {
		lines = append(lines, fmt.Sprintf("%-12s %3d units, %d failed, %3d runs, %s each\n",
			kind, u.Units, u.Failed, u.Runs, u.Took/time.Duration(cmp.Or(u.Units, 1))))
	}
	slices.Sort(lines)
	_, _ = io.WriteString(out, strings.Join(lines, ""))
}
