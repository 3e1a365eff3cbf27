package affiliatekit

import (
	"errors"
	"fmt"
	"io"
	_ "time/tzdata" // the time zones of advertisers are known on every machine

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks/delivery"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// Backend keeps the data of every domain. *memory.DB and *postgres.DB are
// backends; so is what passes storagetest.Run. All stores see the same data,
// and the transactions of each give the repositories of all domains that have
// a part in its changes (a change of a user is also one of its participations).
//
// Some stores may be nil: the backend keeps nothing of their domain, such as
// postgres.Options.Without says, and the Kit has no service of it.
type Backend interface {
	Core() affiliate.Store[affiliate.Tx]
	Events() events.Store
	Webhooks() webhooks.Store // may be nil
	Identity() identity.Store
	Mailing() mailing.Store // may be nil
	Media() media.Store     // may be nil
	Offers() offers.Store
	ReturnAds() returnads.Store
	Links() links.Store
	Orders() orders.Store // may be nil
	Stats() stats.Store
	Deals() deals.Store               // may be nil
	ProductLists() productlists.Store // may be nil
	AdSync() adsync.Store             // may be nil
	Payouts() payouts.Store           // may be nil
}

// Options sets up a Kit. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // of every service that has none of its own; default: affiliate.SystemClock
	Random io.Reader       // likewise; default: crypto/rand
	// ClickParameter is that of Links and Orders: the query parameter that carries
	// the click id to a shop and back. Default: links.ClickIDParameter.
	ClickParameter string
	// Tracer begins a span for each unit of work of every service, and is that of
	// the services that trace more, unless they have their own. See package
	// affiliate/tracing. Default: none.
	Tracer affiliate.Tracer

	// What only one service needs.
	Core         affiliate.Options
	Events       events.Options
	Webhooks     webhooks.Options
	Identity     identity.Options // without a Postman invites are sent by Mailing, if there is one
	Mailing      mailing.Options  // without a Mailer there is no service
	Media        media.Options
	Offers       offers.Options
	ReturnAds    returnads.Options
	Links        links.Options
	Orders       orders.Options
	Stats        stats.Options
	Deals        deals.Options
	ProductLists productlists.Options
	AdSync       adsync.Options
	AdSyncEngine adsync.EngineOptions // without Drivers there is no engine
	Payouts      payouts.Options
	Retention    retention.Options
}

// Kit has every service, over one backend. All are safe for concurrent use. Those
// whose store may be nil are nil where it is.
type Kit struct {
	Core         *affiliate.Service
	Events       *events.Service
	Webhooks     *webhooks.Service
	Identity     *identity.Service
	Mailing      *mailing.Service // nil without Options.Mailing.Mailer
	Media        *media.Service
	Offers       *offers.Service
	ReturnAds    *returnads.Service
	Links        *links.Service
	Orders       *orders.Service
	Stats        *stats.Service
	Deals        *deals.Service
	ProductLists *productlists.Service
	AdSync       *adsync.Service // for the operator: see its For method
	AdSyncEngine *adsync.Engine  // nil without Options.AdSyncEngine.Drivers
	Payouts      *payouts.Service
	Retention    *retention.Service // takes out what is too old

	identity identity.Store // both of ErasePerson
	payouts  payouts.Store
	tracer   affiliate.Tracer
}

// New makes all services over a backend. A host that needs only some of them
// may call their own NewService functions instead.
//
// The backend stays the caller's to close. Events.Run, Webhooks.Run, Links.Run,
// Orders.Run, Deals.Run and AdSyncEngine.Run do what is to be done in the
// background; a host starts those that it needs. What the services do about
// events, which are e-mails and what the OpenID provider or a CRM is told, is
// subscribed to Events under the names "identity" and "mailing".
func New(backend Backend, o Options) (*Kit, error) {
	if backend == nil {
		return nil, errors.New("affiliatekit: New needs a backend")
	}
	o = o.shared()
	if parts, ok := backend.Links().(links.ClickParts); ok && o.Retention.Parts == nil {
		o.Retention.Parts = parts
	}
	backend = Traced(backend, o.Tracer)
	k := Kit{identity: backend.Identity(), payouts: backend.Payouts(), tracer: o.Tracer}
	var b builder
	k.Core = build(&b, "core", backend.Core(), func(s affiliate.Store[affiliate.Tx]) (*affiliate.Service, error) {
		return affiliate.NewService(s, o.Core)
	})
	k.Events = build(&b, "events", backend.Events(), func(s events.Store) (*events.Service, error) { return events.NewService(s, o.Events) })
	k.Webhooks = optional(&b, "webhooks", backend.Webhooks(), func(s webhooks.Store) (*webhooks.Service, error) {
		return delivery.NewService(s, backend.Events(), o.Webhooks)
	})
	if o.Mailing.Mailer != nil {
		k.Mailing = build(&b, "mailing", backend.Mailing(), func(s mailing.Store) (*mailing.Service, error) { return mailing.NewService(s, o.Mailing) })
		if o.Identity.Postman == nil {
			o.Identity.Postman = postman{&k}
		}
	}
	k.Identity = build(&b, "identity", backend.Identity(), func(s identity.Store) (*identity.Service, error) {
		return identity.NewService(k.Core, s, o.Identity)
	})
	k.Media = optional(&b, "media", backend.Media(), func(s media.Store) (*media.Service, error) { return media.NewService(s, o.Media) })
	k.Offers = build(&b, "offers", backend.Offers(), func(s offers.Store) (*offers.Service, error) { return offers.NewService(k.Core, s, o.Offers) })
	k.ReturnAds = build(&b, "returnads", backend.ReturnAds(), func(s returnads.Store) (*returnads.Service, error) {
		return returnads.NewService(s, k.Offers, o.ReturnAds)
	})
	k.Links = build(&b, "links", backend.Links(), func(s links.Store) (*links.Service, error) { return links.NewService(s, o.Links) })
	k.Orders = optional(&b, "orders", backend.Orders(), func(s orders.Store) (*orders.Service, error) { return orders.NewService(s, o.Orders) })
	k.Stats = build(&b, "stats", backend.Stats(), func(s stats.Store) (*stats.Service, error) { return stats.NewService(s, o.Stats) })
	k.Deals = optional(&b, "deals", backend.Deals(), func(s deals.Store) (*deals.Service, error) { return deals.NewService(s, o.Deals) })
	k.ProductLists = optional(&b, "productlists", backend.ProductLists(), func(s productlists.Store) (*productlists.Service, error) {
		return productlists.NewService(s, o.ProductLists)
	})
	k.AdSync = optional(&b, "adsync", backend.AdSync(), func(s adsync.Store) (*adsync.Service, error) { return adsync.NewService(s, o.AdSync) })
	if len(o.AdSyncEngine.Drivers) > 0 {
		k.AdSyncEngine = build(&b, "adsync", backend.AdSync(), func(s adsync.Store) (*adsync.Engine, error) { return adsync.NewEngine(s, o.AdSyncEngine) })
	}
	k.Payouts = optional(&b, "payouts", backend.Payouts(), func(s payouts.Store) (*payouts.Service, error) { return payouts.NewService(s, o.Payouts) })
	k.Retention = build(&b, "retention", backend.Links(), func(s links.Store) (*retention.Service, error) {
		return retention.NewService(retention.Stores{Links: s, Orders: backend.Orders(), Events: backend.Events(), Webhooks: backend.Webhooks()}, o.Retention)
	})
	if b.err != nil {
		return nil, b.err
	}
	return &k, k.subscribe()
}

// shared hands the options of all services on to those without their own.
func (o Options) shared() Options {
	for _, clock := range []*affiliate.Clock{&o.Core.Clock, &o.Events.Clock, &o.Webhooks.Clock, &o.Identity.Clock, &o.Mailing.Clock, &o.Media.Clock, &o.Offers.Clock, &o.ReturnAds.Clock, &o.Links.Clock, &o.Orders.Clock, &o.Stats.Clock, &o.Deals.Clock, &o.ProductLists.Clock, &o.AdSync.Clock, &o.AdSyncEngine.Clock, &o.Payouts.Clock, &o.Retention.Clock} {
		if *clock == nil {
			*clock = o.Clock
		}
	}
	for _, name := range []*string{&o.Links.ClickParameter, &o.Orders.ClickParameter} {
		if *name == "" {
			*name = o.ClickParameter
		}
	}
	for _, tracer := range []*affiliate.Tracer{&o.Events.Tracer, &o.Webhooks.Tracer, &o.Links.Tracer, &o.AdSyncEngine.Tracer} {
		if *tracer == nil {
			*tracer = o.Tracer
		}
	}
	for _, random := range []*io.Reader{&o.Core.Random, &o.Webhooks.Random, &o.Identity.Random, &o.Offers.Random, &o.Links.Random, &o.Orders.Random, &o.Deals.Random, &o.AdSync.Random, &o.Payouts.Random} {
		if *random == nil {
			*random = o.Random
		}
	}
	return o
}

// builder stops at the first service that cannot be made.
type builder struct{ err error }

// build makes the service of a store that must be there.
func build[T, S any](b *builder, name string, store T, make func(T) (*S, error)) *S {
	if b.err != nil {
		return nil
	}
	if any(store) == nil {
		b.err = fmt.Errorf("affiliatekit: %s: the backend has no store for it", name)
		return nil
	}
	s, err := make(store)
	if err != nil {
		b.err = fmt.Errorf("affiliatekit: %s: %w", name, err)
	}
	return s
}

// optional makes the service of a store that may be nil, and so is the service then.
func optional[T, S any](b *builder, name string, store T, make func(T) (*S, error)) *S {
	if any(store) == nil {
		return nil
	}
	return build(b, name, store, make)
}
