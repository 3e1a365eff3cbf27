package metapic

import (
	"context"

	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Options sets up the dialect. They are those of httpadapter.Options, where each is
// described: go doc github.com/affiliatekit/affiliatekit/httpadapter.Options.
type Options = host.Options

// Services are what the dialect serves. A nil one leaves its routes out.
type Services struct {
	Core      *affiliate.Service
	Identity  *identity.Service
	Mailing   *mailing.Service
	Media     *media.Service
	Links     *links.Service
	Offers    *offers.Service
	ReturnAds *returnads.Service
	Orders    *orders.Service
	Payouts   *payouts.Service
}

// New makes the dialect alone. It answers every path, unknown ones with its own
// 404, and works under a prefix: http.StripPrefix("/api", handler).
func New(s Services, o Options) (http.Handler, error) {
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	proxy, err := newNotifications(o.NotificationsURL, o.NotificationsTransport, o.Logger)
	if err != nil {
		return nil, err
	}
	srv := &server{core: s.Core, people: s.Identity, mail: s.Mailing, media: s.Media, links: s.Links, offers: s.Offers, ads: s.ReturnAds, orders: s.Orders, payouts: s.Payouts, proxy: proxy}
	return wire.NewMux(wire.Dialect{Errors: errorForm{}, Forms: true, Lenient: true}, o.Wire(), srv.routes())
}

// server has the handlers of the routes. They decode nothing and decide nothing:
// the services do, which are bound to the principal of the request (see call),
// and the handlers make the shapes of requests and responses.
type server struct {
	core    *affiliate.Service
	people  *identity.Service
	mail    *mailing.Service
	media   *media.Service
	links   *links.Service
	offers  *offers.Service
	ads     *returnads.Service
	orders  *orders.Service
	payouts *payouts.Service
	proxy   *notifications
}

// call makes an operation of a handler, which gets a server whose services are
// bound to the principal of the request.
func call[In, Out any](s *server, h func(*server, context.Context, affiliate.Principal, In) (Out, error)) wire.Op {
	return wire.Call(func(ctx context.Context, p affiliate.Principal, in In) (Out, error) { return h(s.bound(p), ctx, p, in) })
}

func (s *server) bound(p affiliate.Principal) *server {
	v, bound := affiliate.ViewerOf(p), *s
	if s.core != nil {
		bound.core = s.core.For(v)
	}
	if s.links != nil {
		bound.links = s.links.For(v)
	}
	if s.offers != nil {
		bound.offers = s.offers.For(v)
	}
	if s.ads != nil {
		bound.ads = s.ads.For(v)
	}
	return &bound
}

// need is which services a route works with.
type need uint16

const (
	needsCore      need = 1 << iota // Services.Core
	needsPeople                     // Services.Identity
	needsMail                       // Services.Mailing
	needsMedia                      // Services.Media
	needsLinks                      // Services.Links
	needsOffers                     // Services.Offers
	needsReturnAds                  // Services.ReturnAds
	needsOrders                     // Services.Orders
	needsPayouts                    // Services.Payouts
	needsNone      need = 0
)

// has returns which services are there.
func (s *server) has() (have need) {
	for n, there := range map[need]bool{
		needsCore: s.core != nil, needsPeople: s.people != nil, needsMail: s.mail != nil, needsMedia: s.media != nil,
		needsLinks: s.links != nil, needsOffers: s.offers != nil, needsReturnAds: s.ads != nil, needsOrders: s.orders != nil, needsPayouts: s.payouts != nil,
	} {
		if there {
			have |= n
		}
	}
	return have
}

// features names what is there, for the entrypoint.
func (s *server) features() []string {
	names := []string{}
	have := s.has()
	for _, f := range []struct {
		name  string
		needs need
	}{{"campaigns", needsOffers}, {"links", needsLinks}, {"orders", needsOrders}, {"payments", needsPayouts}, {"media", needsMedia}, {"email", needsMail}} {
		if have&f.needs != 0 {
			names = append(names, f.name)
		}
	}
	if s.proxy.base != nil {
		names = append(names, "notifications")
	}
	return names
}

// route is one line of the table.
type route struct {
	pattern string // methods and path, as the document has them
	id      string // operation id
	scope   wire.Scope
	op      wire.Op
	needs   need
}

// routes are the lines of the table whose services are there.
func (s *server) routes() []wire.Route {
	have := s.has()
	var routes []wire.Route
	for _, r := range s.table() {
		if r.needs&^have == 0 {
			op := r.op.Header("Cache-Control", "no-cache, private")
			routes = append(routes, wire.Route{Pattern: r.pattern, ID: r.id, Scope: r.scope, Op: op})
		}
	}
	return routes
}
