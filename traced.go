package affiliatekit

import (
	"context"

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

// Traced returns the backend with a span for each unit of work. New does so with
// Options.Tracer; it is for hosts that make services by their own functions. A nil
// tracer returns the backend as it is.
func Traced(b Backend, t affiliate.Tracer) Backend {
	if t == nil {
		return b
	}
	return traced{b, t}
}

type traced struct {
	b Backend
	t affiliate.Tracer
}

func (b traced) Core() affiliate.Store[affiliate.Tx] {
	return affiliate.Traced(b.b.Core(), b.t, "core")
}
func (b traced) Webhooks() webhooks.Store {
	return affiliate.Traced(b.b.Webhooks(), b.t, "webhooks")
}
func (b traced) Identity() identity.Store {
	return affiliate.Traced(b.b.Identity(), b.t, "identity")
}
func (b traced) Mailing() mailing.Store { return affiliate.Traced(b.b.Mailing(), b.t, "mailing") }
func (b traced) Media() media.Store     { return affiliate.Traced(b.b.Media(), b.t, "media") }
func (b traced) Offers() offers.Store   { return affiliate.Traced(b.b.Offers(), b.t, "offers") }
func (b traced) ReturnAds() returnads.Store {
	return affiliate.Traced(b.b.ReturnAds(), b.t, "returnads")
}
func (b traced) Stats() stats.Store { return affiliate.Traced(b.b.Stats(), b.t, "stats") }
func (b traced) Deals() deals.Store { return affiliate.Traced(b.b.Deals(), b.t, "deals") }
func (b traced) ProductLists() productlists.Store {
	return affiliate.Traced(b.b.ProductLists(), b.t, "productlists")
}
func (b traced) Payouts() payouts.Store { return affiliate.Traced(b.b.Payouts(), b.t, "payouts") }

func (b traced) Links() links.Store {
	s := b.b.Links()
	return tracedLinks{affiliate.Traced(s, b.t, "links"), s, b.t}
}

func (b traced) Orders() orders.Store {
	s := b.b.Orders()
	if s == nil {
		return nil
	}
	return tracedOrders{affiliate.Traced(s, b.t, "orders"), s, b.t}
}

func (b traced) Events() events.Store {
	s := b.b.Events()
	return tracedEvents{affiliate.Traced(s, b.t, "events"), s, b.t}
}

func (b traced) AdSync() adsync.Store {
	s := b.b.AdSync()
	if s == nil {
		return nil
	}
	return tracedAdSync{affiliate.Traced(s, b.t, "adsync"), s, b.t}
}

// The stores below have a third kind of unit.

type tracedLinks struct {
	affiliate.Store[links.Tx]
	store  links.Store
	tracer affiliate.Tracer
}

func (s tracedLinks) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return affiliate.TraceUnit(ctx, s.tracer, affiliate.SpanInternal, "links.record", s.store.Record, fn)
}

func (s tracedLinks) Nested(ctx context.Context) bool { return s.store.Nested(ctx) }

// Hosted is what the store beneath says: the service asks.
func (s tracedLinks) Hosted() bool {
	h, ok := s.store.(links.HostedStore)
	return ok && h.Hosted()
}

type tracedOrders struct {
	affiliate.Store[orders.Tx]
	store  orders.Store
	tracer affiliate.Tracer
}

func (s tracedOrders) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	return affiliate.TraceUnit(ctx, s.tracer, affiliate.SpanInternal, "orders.record", s.store.Record, fn)
}

func (s tracedOrders) Nested(ctx context.Context) bool { return s.store.Nested(ctx) }

type tracedEvents struct {
	affiliate.Store[events.Tx]
	store  events.Store
	tracer affiliate.Tracer
}

func (s tracedEvents) Work(ctx context.Context, fn func(context.Context, events.Tx) error) error {
	return affiliate.TraceUnit(ctx, s.tracer, affiliate.SpanPart, "events.work", s.store.Work, fn)
}

type tracedAdSync struct {
	affiliate.Store[adsync.Tx]
	store  adsync.Store
	tracer affiliate.Tracer
}

func (s tracedAdSync) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	return affiliate.TraceUnit(ctx, s.tracer, affiliate.SpanPart, "adsync.work", s.store.Work, fn)
}

func (s tracedAdSync) Nested(ctx context.Context) bool { return s.store.Nested(ctx) }
