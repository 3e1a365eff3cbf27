package storagetest

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

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
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// Backend is what is tested: the stores of one fresh and empty backend, which
// all see the same data. Run wants every domain; a backend that keeps fewer
// leaves the others nil and runs RunCore, RunLinks, … for what it has.
type Backend struct {
	Core         affiliate.Store[affiliate.Tx]
	Events       events.Store
	Webhooks     webhooks.Store
	Identity     identity.Store
	Mailing      mailing.Store
	Media        media.Store
	Offers       offers.Store
	ReturnAds    returnads.Store
	Links        links.Store
	Orders       orders.Store
	ProductLists productlists.Store
	Deals        deals.Store
	Payouts      payouts.Store
	AdSync       adsync.Store
	Moves        move.Store

	// Failing returns a context with which the n-th request to the database fails.
	// BEGIN is the first; COMMIT and ROLLBACK do not count. failed tells whether
	// there were so many. Failing is nil for a backend that asks no database.
	Failing func(ctx context.Context, n int) (failing context.Context, failed func() bool)
}

// Stores is what has a store for every domain: an affiliatekit.Backend.
type Stores interface {
	Core() affiliate.Store[affiliate.Tx]
	Events() events.Store
	Webhooks() webhooks.Store
	Identity() identity.Store
	Mailing() mailing.Store
	Media() media.Store
	Offers() offers.Store
	ReturnAds() returnads.Store
	Links() links.Store
	Orders() orders.Store
	ProductLists() productlists.Store
	Deals() deals.Store
	Payouts() payouts.Store
	AdSync() adsync.Store
	Moves() move.Store
}

// BackendOf returns the stores of a backend of every domain, for Run.
func BackendOf(s Stores) Backend {
	return Backend{
		Core: s.Core(), Events: s.Events(), Webhooks: s.Webhooks(), Identity: s.Identity(), Mailing: s.Mailing(), Media: s.Media(),
		Offers: s.Offers(), ReturnAds: s.ReturnAds(), Links: s.Links(), Orders: s.Orders(), ProductLists: s.ProductLists(), Deals: s.Deals(), Payouts: s.Payouts(), AdSync: s.AdSync(), Moves: s.Moves(),
	}
}

// Run runs every case. open gives a fresh backend and closes it with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	if missing := open(t).missing(); len(missing) > 0 {
		t.Fatalf("Run wants a store for every domain, and the backend has none for %s: call RunCore, RunLinks, … for those that it has", strings.Join(missing, ", "))
	}
	t.Run("core", func(t *testing.T) { RunCore(t, open) })
	t.Run("events", func(t *testing.T) { RunEvents(t, open) })
	t.Run("webhooks", func(t *testing.T) { RunWebhooks(t, open) })
	t.Run("identity", func(t *testing.T) { RunIdentity(t, open) })
	t.Run("mailing", func(t *testing.T) { RunMailing(t, open) })
	t.Run("media", func(t *testing.T) { RunMedia(t, open) })
	t.Run("offers", func(t *testing.T) { RunOffers(t, open) })
	t.Run("return ads", func(t *testing.T) { RunReturnAds(t, open) })
	t.Run("links", func(t *testing.T) { RunLinks(t, open) })
	t.Run("orders", func(t *testing.T) { RunOrders(t, open) })
	t.Run("productlists", func(t *testing.T) { RunProductLists(t, open) })
	t.Run("deals", func(t *testing.T) { RunDeals(t, open) })
	t.Run("payouts", func(t *testing.T) { RunPayouts(t, open) })
	t.Run("adsync", func(t *testing.T) { RunAdSync(t, open) })
	t.Run("moves", func(t *testing.T) { RunMoves(t, open) })
	runAll(t, open, betweenStores())
}

// missing are the names of the stores that are not there.
func (b Backend) missing() []string {
	var names []string
	for field, store := range reflect.ValueOf(b).Fields() {
		if store.Kind() == reflect.Interface && store.IsNil() {
			names = append(names, field.Name)
		}
	}
	return names
}

// RunCore runs the cases of package affiliate on Backend.Core.
func RunCore(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) affiliate.Store[affiliate.Tx] { return open(t).Core }, coreScenarios())
}

// RunOffers runs the cases of package offers on Backend.Offers.
func RunOffers(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) offers.Store { return open(t).Offers }, offersScenarios())
}

// RunReturnAds runs the cases of package offers/returnads on Backend.ReturnAds.
func RunReturnAds(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) returnads.Store { return open(t).ReturnAds }, returnAdScenarios())
}

// RunLinks runs the cases of package links on Backend.Links.
func RunLinks(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) links.Store { return open(t).Links }, linksScenarios())
}

// scenario is one promise, or a few that are cheap to see together, shown on a
// fresh store.
type scenario[S any] struct {
	name string
	run  func(t *testing.T, s S)
}

func runAll[S any](t *testing.T, open func(t *testing.T) S, all []scenario[S]) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if any(s) == nil {
				t.Fatal("the backend has no store for this domain: call RunCore, RunLinks, … for those that it has")
			}
			c.run(t, s)
		})
	}
}

func coreScenarios() []scenario[affiliate.Store[affiliate.Tx]] {
	return slices.Concat(
		writeScenarios[affiliate.Tx](),
		serializableScenarios[affiliate.Tx](),
		advertiserScenarios(),
		groupScenarios(),
		categoryScenarios(),
		clientScenarios(),
		userScenarios(),
		tagScenarios(),
		blocklistScenarios(),
		ledgerScenarios(),
		balanceScenarios(),
		eventScenarios(),
		idempotencyScenarios(),
	)
}

func linksScenarios() []scenario[links.Store] {
	return slices.Concat(
		ofLinks(writeScenarios[links.Tx](), sameStore),
		ofLinks(unitScenarios[links.Tx]("record"), func(s links.Store) affiliate.Store[links.Tx] { return recorder{s} }),
		ruleScenarios(),
		linkScenarios(),
		lockScenarios(),
		clickScenarios(),
		statsScenarios(),
		statsConfigScenarios(),
		secretScenarios(),
		retentionScenarios(),
	)
}

// recorder makes every Write a Record.
type recorder struct{ links.Store }

func (r recorder) Write(ctx context.Context, fn func(ctx context.Context, tx links.Tx) error) error {
	return r.Record(ctx, fn)
}

// ofLinks makes scenarios of a store of links out of those of any store.
func ofLinks(all []scenario[affiliate.Store[links.Tx]], as func(links.Store) affiliate.Store[links.Tx]) []scenario[links.Store] {
	var out []scenario[links.Store]
	for _, c := range all {
		out = append(out, scenario[links.Store]{c.name, func(t *testing.T, s links.Store) { c.run(t, as(s)) }})
	}
	return out
}

// sameStore is the plain view of a store of links, for ofLinks.
func sameStore(s links.Store) affiliate.Store[links.Tx] { return s }
