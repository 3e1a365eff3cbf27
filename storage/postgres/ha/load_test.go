//go:build ha

package ha_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

var (
	seller  = uuid.UUID{1}
	partner = uuid.UUID{11}
)

const (
	workers = 6
	reward  = 5_00 // of each deal, minor units
	// patience bounds what is not measured, on the busiest machine.
	patience = 5 * time.Minute
)

// newCatalog is what deals are posted to.
func newCatalog(t *testing.T, kit *affiliatekit.Kit) {
	t.Helper()
	is, ctx := is.New(t), t.Context()
	c := deals.NewCatalog()
	c.Code, c.Title, c.PromoCodesAllowed = "course", "Course", true
	added, err := kit.Deals.CreateCatalog(ctx, seller, c)
	is.NoErr(err)
	share, err := affiliate.ParseRate("share", "0.05")
	is.NoErr(err)
	_, err = kit.Deals.CreateOffer(ctx, seller, deals.Offer{
		CatalogID: added.ID, Name: "Beginner", PromoCodesAllowed: true, Active: true,
		Prices: []affiliate.Money{affiliate.NewMoney(100_00, "USD")}, Terms: deals.Terms{Share: share},
	})
	is.NoErr(err)
	_, err = kit.Deals.CreateLanding(ctx, seller, deals.Landing{CatalogID: added.ID, URL: "https://school.example/"})
	is.NoErr(err)
	_, err = kit.Deals.IssuePromoCode(ctx, seller, deals.PromoCode{CatalogID: added.ID, PartnerID: partner, Code: "ANNA5", Discount: share})
	is.NoErr(err)
}

// load is workers that click, order and buy until they are stopped, each of them
// again with the same keys until it is acknowledged.
type load struct {
	t    *testing.T
	kit  *affiliatekit.Kit
	shop shop

	mu       sync.Mutex
	changed  *sync.Cond
	visitors int                // that clicked, and were acknowledged at last
	clicks   map[uuid.UUID]bool // acknowledged
	orders   map[string]bool
	deals    map[string]bool
	total    int
	last     time.Time // of the last acknowledgement
	refused  int       // writes that failed and were repeated
}

func newLoad(t *testing.T, kit *affiliatekit.Kit, s shop) *load {
	l := &load{t: t, kit: kit, shop: s, clicks: map[uuid.UUID]bool{}, orders: map[string]bool{}, deals: map[string]bool{}}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// start returns the function that ends the load and waits for its last writes.
func (l *load) start() (stop func()) {
	ended := make(chan struct{})
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
				}
				if err := l.step(l.t.Context(), worker, n); err != nil {
					l.t.Error(err)
					return
				}
			}
		})
	}
	return func() { close(ended); all.Wait() }
}

// step is a click, an order of who clicked, and a deal.
func (l *load) step(ctx context.Context, worker, n int) error {
	key := fmt.Sprintf("%d-%d", worker, n)
	hit := links.Hit{LinkID: l.shop.links[n%len(l.shop.links)], IP: "192.0.2.1", UserAgent: key}
	var click uuid.UUID
	if err := l.insist(ctx, func(ctx context.Context) error {
		r, err := l.kit.Links.Follow(ctx, hit)
		if err == nil && !r.Click.Set {
			err = errors.New("a click was not kept")
		}
		click = r.Click.Value.ID
		return err
	}, func() { l.clicks[click] = true; l.visitors++ }); err != nil {
		return err
	}
	if n%3 == 0 {
		report := orders.Report{AdvertiserID: l.shop.advertiser, Number: key, Value: decimal.NewFromInt(100), ClickIDs: []uuid.UUID{click}}
		if err := l.insist(ctx, func(ctx context.Context) error {
			_, _, err := l.kit.Orders.Report(ctx, report)
			return err
		}, func() { l.orders[key] = true }); err != nil {
			return err
		}
	}
	if n%3 == 1 {
		posting := deals.Posting{
			ExternalID: key, Status: deals.Paid, CatalogCode: "course", Offer: "Beginner", Cost: affiliate.NewMoney(100_00, "USD"), PromoCode: "ANNA5",
		}
		return l.insist(ctx, func(ctx context.Context) error {
			_, err := l.kit.Deals.Post(ctx, seller, posting)
			return err
		}, func() { l.deals[key] = true })
	}
	return nil
}

// insist repeats a write until the backend acknowledges it, and notes that.
func (l *load) insist(ctx context.Context, write func(context.Context) error, acknowledged func()) error {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	deadline := time.Now().Add(patience)
	for {
		err := write(ctx)
		l.mu.Lock()
		if err == nil {
			acknowledged()
			l.total++
			l.last = time.Now()
			l.changed.Broadcast()
			l.mu.Unlock()
			return nil
		}
		l.refused++
		l.mu.Unlock()
		if !errors.Is(err, affiliate.ErrUnavailable) || time.Now().After(deadline) {
			return err
		}
		<-pause.C
	}
}

// until waits until a condition holds, which is asked with the lock.
func (l *load) until(what string, holds func() bool) {
	l.t.Helper()
	late := false
	defer time.AfterFunc(patience, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		late = true
		l.changed.Broadcast()
	}).Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !holds() {
		if late || l.t.Failed() {
			l.t.Fatalf("waited for %s; %d writes were acknowledged and %d refused", what, l.total, l.refused)
		}
		l.changed.Wait()
	}
}

// check holds what the database has against what was acknowledged.
func (l *load) check(kit *affiliatekit.Kit) {
	l.t.Helper()
	is, ctx := is.New(l.t), l.t.Context()

	kept, spent, paid := map[uuid.UUID]int{}, map[int64]int64{}, map[int64]int64{}
	valid := 0
	for _, c := range all(l.t, func(p affiliate.PageRequest) (affiliate.Page[links.Click], error) {
		return kit.Links.Clicks(ctx, links.ClickFilter{}, p)
	}) {
		kept[c.ID]++
		if c.Verdict == links.VerdictValid {
			valid++
			paid[c.OfferID]++
			spent[c.OfferID] += c.Cost.Minor()
		}
	}
	lost := 0
	for id := range l.clicks {
		if kept[id] != 1 {
			lost++
		}
	}
	if lost > 0 {
		l.t.Errorf("%d of %d acknowledged clicks are lost or doubled", lost, len(l.clicks))
	}
	// A click that was repeated because nobody acknowledged it is paid once.
	if valid != l.visitors {
		l.t.Errorf("%d visitors clicked, and %d clicks are paid", l.visitors, valid)
	}

	numbers := map[string]int{}
	for _, o := range all(l.t, func(p affiliate.PageRequest) (affiliate.Page[orders.OrderView], error) {
		return kit.Orders.Orders(ctx, orders.OrderFilter{}, p)
	}) {
		numbers[o.Number]++
		spent[o.OfferID] += o.Cost.Minor()
	}
	l.same("orders", l.orders, numbers)

	external := map[string]int{}
	for _, d := range all(l.t, func(p affiliate.PageRequest) (affiliate.Page[deals.Deal], error) {
		return kit.Deals.Deals(ctx, deals.DealFilter{BusinessPartnerID: seller}, p)
	}) {
		external[d.ExternalID]++
	}
	l.same("deals", l.deals, external)
	balances, err := kit.Core.Balances(ctx, affiliate.PartnerAccount(partner.String()))
	is.NoErr(err)
	var earned int64
	for _, b := range balances {
		earned += b.Pending.Minor() + b.Payable.Minor()
	}
	if want := int64(len(l.deals) * reward); earned != want {
		l.t.Errorf("the partner has %d of %d", earned, want)
	}

	// Budgets are what their clicks and orders cost, and no click more than fits.
	first, err := kit.Offers.Offer(ctx, l.shop.first)
	is.NoErr(err)
	is.Equal(first.Used.Clicks, int64(min(fit, valid)))
	is.Equal(first.Used.Clicks, paid[l.shop.first])
	is.Equal(first.Used.Spent, spent[l.shop.first])
	second, err := kit.Offers.Offer(ctx, l.shop.second)
	is.NoErr(err)
	is.Equal(second.Used.Clicks, paid[l.shop.second])
	is.Equal(second.Used.Spent, spent[l.shop.second])
	budget, err := kit.Offers.SharedBudget(ctx, l.shop.advertiser, l.shop.budget)
	is.NoErr(err)
	is.Equal(budget.Consumed, spent[l.shop.second])

	for what, verify := range map[string]func(context.Context) ([]affiliate.Difference, error){"links": kit.Links.Verify, "orders": kit.Orders.Verify} {
		differences, err := verify(ctx)
		is.NoErr(err)
		if len(differences) > 0 {
			l.t.Errorf("Verify of %s: %v", what, differences)
		}
	}
}

// same reports what was acknowledged and is not kept once.
func (l *load) same(what string, acknowledged map[string]bool, kept map[string]int) {
	l.t.Helper()
	lost, doubled := 0, 0
	for key := range acknowledged {
		switch n := kept[key]; {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	if lost+doubled > 0 || len(kept) != len(acknowledged) {
		l.t.Errorf("of %d acknowledged %s %d are lost and %d doubled; there are %d", len(acknowledged), what, lost, doubled, len(kept))
	}
}

// all reads every page of a list.
func all[E any](t *testing.T, list func(affiliate.PageRequest) (affiliate.Page[E], error)) (items []E) {
	t.Helper()
	for number := 1; ; number++ {
		page, err := list(affiliate.PageRequest{Number: number, Size: affiliate.MaxPageSize})
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
		if len(page.Items) < affiliate.MaxPageSize {
			return items
		}
	}
}
