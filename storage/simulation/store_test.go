package simulation

import (
	"context"
	"errors"
	"slices"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

// bug is a mistake that a backend may make.
type bug string

const (
	noBug        bug = ""
	droppedLock  bug = "dropped lock"  // a lock returns what the counter was before somebody else changed it
	lostEvent    bug = "lost event"    // a commit leaves an event out
	doubledRetry bug = "doubled retry" // a statement whose result was lost is run again, and had been applied
)

// backend is the memory backend with a scheduler and with faults.
type backend struct {
	affiliatekit.Backend
	s *sim
}

func (b backend) Core() affiliate.Store[affiliate.Tx] {
	return units[affiliate.Tx]{b.Backend.Core(), b.s}
}
func (b backend) Offers() offers.Store { return units[offers.Tx]{b.Backend.Offers(), b.s} }
func (b backend) Links() links.Store {
	s := b.Backend.Links()
	return linksStore{units[links.Tx]{s, b.s}, s}
}
func (b backend) Orders() orders.Store {
	s := b.Backend.Orders()
	return ordersStore{units[orders.Tx]{s, b.s}, s}
}
func (b backend) Events() events.Store {
	s := b.Backend.Events()
	return eventsStore{units[events.Tx]{s, b.s}, s}
}
func (b backend) AdSync() adsync.Store {
	s := b.Backend.AdSync()
	return adsyncStore{units[adsync.Tx]{s, b.s}, s}
}

type units[T any] struct {
	store affiliate.Store[T]
	s     *sim
}

func (u units[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	return u.s.unit(func() error { return u.store.Read(ctx, fn) })
}

func (u units[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	return u.s.unit(func() error { return u.store.Write(ctx, fn) })
}

type linksStore struct {
	units[links.Tx]
	store links.Store
}

func (l linksStore) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return l.s.unit(func() error {
		return l.store.Record(ctx, func(ctx context.Context, tx links.Tx) error { return fn(ctx, linksTx{tx, l.s}) })
	})
}
func (l linksStore) Nested(ctx context.Context) bool { return l.store.Nested(ctx) }

type ordersStore struct {
	units[orders.Tx]
	store orders.Store
}

func (o ordersStore) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	return o.s.unit(func() error {
		return o.store.Record(ctx, func(ctx context.Context, tx orders.Tx) error { return fn(ctx, ordersTx{tx, o.s}) })
	})
}
func (o ordersStore) Nested(ctx context.Context) bool { return o.store.Nested(ctx) }

type eventsStore struct {
	units[events.Tx]
	store events.Store
}

func (e eventsStore) Work(ctx context.Context, fn func(context.Context, events.Tx) error) error {
	return e.s.unit(func() error { return e.store.Work(ctx, fn) })
}

type adsyncStore struct {
	units[adsync.Tx]
	store adsync.Store
}

func (a adsyncStore) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	return a.s.unit(func() error { return a.store.Work(ctx, fn) })
}
func (a adsyncStore) Nested(ctx context.Context) bool { return a.store.Nested(ctx) }

// linksTx and ordersTx have the bug, if there is one.
type linksTx struct {
	links.Tx
	s *sim
}

func (t linksTx) Usage() offers.UsageRepository { return usage{t.Tx.Usage(), t.s} }

type ordersTx struct {
	orders.Tx
	s *sim
}

func (t ordersTx) Usage() offers.UsageRepository     { return usage{t.Tx.Usage(), t.s} }
func (t ordersTx) Events() affiliate.EventRepository { return eventLog{t.Tx.Events(), t.s} }

type usage struct {
	offers.UsageRepository
	s *sim
}

func (u usage) Lock(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	now, err := u.UsageRepository.Lock(ctx, keys)
	if u.s.bug != droppedLock || err != nil {
		return now, err
	}
	for _, k := range keys {
		before := u.s.seen[k]
		u.s.seen[k] = now[k]
		now[k] = before
	}
	return now, nil
}

func (u usage) Add(ctx context.Context, usages ...offers.Usage) error {
	if u.s.bug == doubledRetry && u.s.chance(0.05) {
		if err := u.UsageRepository.Add(ctx, usages...); err != nil {
			return err
		}
	}
	return u.UsageRepository.Add(ctx, usages...)
}

type eventLog struct {
	affiliate.EventRepository
	s *sim
}

func (l eventLog) Add(ctx context.Context, all ...affiliate.Event) error {
	if l.s.bug == lostEvent {
		all = slices.DeleteFunc(slices.Clone(all), func(affiliate.Event) bool { return l.s.chance(0.1) })
	}
	return l.EventRepository.Add(ctx, all...)
}

var (
	errDown = errors.New("simulation: the database could not be reached")
	errLost = errors.New("simulation: the answer to a commit was lost")
)
