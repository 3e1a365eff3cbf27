package advertiser

import (
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Options sets up the dialect. They are those of httpadapter.Options, where each is
// described: go doc github.com/affiliatekit/affiliatekit/httpadapter.Options.
type Options = host.Options

// Services are what the dialect serves. A nil one leaves its routes out.
type Services struct {
	Core   *affiliate.Service
	Links  *links.Service
	Offers *offers.Service
	Orders *orders.Service
	Stats  *stats.Service
	// Identity registers stores.
	Identity *identity.Service
	Media    *media.Service
	// Payouts keeps how users are paid. Without it those fields are empty, and
	// not read.
	Payouts *payouts.Service
}

// Paths are what the dialect's paths begin with.
func Paths() []string { return []string{"/stores/", "/advertiser/"} }

// New makes the dialect alone. It responds to every path, to unknown ones with
// its own 404, and works under a prefix: http.StripPrefix("/api", handler).
func New(s Services, o Options) (http.Handler, error) {
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	srv := &server{core: s.Core, links: s.Links, offers: s.Offers, orders: s.Orders, stats: s.Stats, people: s.Identity, media: s.Media, payouts: s.Payouts}
	return wire.NewMux(wire.Dialect{Errors: laravel.Errors{}, Forms: true, Lenient: true}, o.Wire(), srv.routes())
}

// server serves the routes. Its handlers decode nothing and decide nothing.
type server struct {
	core    *affiliate.Service
	links   *links.Service
	offers  *offers.Service
	orders  *orders.Service
	stats   *stats.Service
	people  *identity.Service
	media   *media.Service
	payouts *payouts.Service // may be nil
}

// need is which services a route works with.
type need uint8

const (
	needsCore     need = 1 << iota // Services.Core
	needsLinks                     // Services.Links
	needsOffers                    // Services.Offers
	needsOrders                    // Services.Orders
	needsStats                     // Services.Stats
	needsIdentity                  // Services.Identity
	needsMedia                     // Services.Media
)

// has are the services that are there.
func (s *server) has() (have need) {
	for _, service := range []struct {
		is   bool
		need need
	}{
		{s.core != nil, needsCore}, {s.links != nil, needsLinks}, {s.offers != nil, needsOffers}, {s.orders != nil, needsOrders},
		{s.stats != nil, needsStats}, {s.people != nil, needsIdentity}, {s.media != nil, needsMedia},
	} {
		if service.is {
			have |= service.need
		}
	}
	return have
}

// route is one line of the table.
type route struct {
	pattern string // methods and path, as the document has them
	id      string // operation id
	op      wire.Op
	needs   need
}

// routes are the lines of the table whose services are there. Every route is
// the store's that its path names; a store that registers has none yet.
func (s *server) routes() []wire.Route {
	have, store := s.has(), laravel.Advertiser("id")
	var routes []wire.Route
	for _, r := range s.table() {
		if r.needs&^have == 0 {
			scope := store
			if r.id == "store-register" {
				scope = wire.Open()
			}
			routes = append(routes, wire.Route{Pattern: r.pattern, ID: r.id, Scope: scope, Op: r.op})
		}
	}
	return routes
}
