package deals_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// model is what a deal must be, computed the slow and obvious way.
type model struct {
	status deals.Status
	cost   int64
	since  time.Time // of the status
}

func (m *model) at(now time.Time, hold, cancel time.Duration) {
	switch {
	case m.status == deals.Created && !now.Before(m.since.Add(cancel)):
		m.status = deals.Canceled
	case m.status == deals.Paid && !now.Before(m.since.Add(hold)):
		m.status = deals.Approved
	}
}

// Whatever happens to deals, in whatever order and however often, what the
// ledger has for each is its frozen terms or nothing, the balances are the sum
// of the entries, and nothing is payable before its hold ends.
func TestMoneyFollowsTheStates(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		w := newWorld(outer, backends.Memory())
		share := rapid.Int64Range(1, 95).Draw(t, "share")
		hold := time.Duration(rapid.IntRange(0, 10).Draw(t, "hold")) * time.Hour
		cancel := time.Duration(rapid.IntRange(1, 10).Draw(t, "cancel")) * time.Hour
		c := w.catalog("course")
		ctx := context.Background()
		_, err := w.deals.UpdateOffer(ctx, seller, c.Offers[0].ID, func(o *deals.Offer) { o.Terms = deals.Terms{Share: percent(share)} })
		_, errCatalog := w.deals.ChangeCatalog(ctx, seller, c.ID, func(c *deals.Catalog) { c.Hold, c.Cancel = hold, cancel })
		if err := errors.Join(err, errCatalog); err != nil {
			t.Fatal(err)
		}
		models := map[int]*model{}
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for range steps {
			step(t, w, models, hold, cancel)
			check(t, w, models, share)
		}
		w.pass(1000 * time.Hour)
		for _, m := range models {
			m.at(w.clock(), hold, cancel)
		}
		check(t, w, models, share)
		if differences, err := w.core.Verify(ctx); err != nil || len(differences) > 0 {
			t.Fatalf("verify: %v, %v", differences, err)
		}
	})
}

// step does one thing to one deal and to its model, which must agree on
// whether it is possible.
func step(t *rapid.T, w *world, models map[int]*model, hold, cancel time.Duration) {
	n := rapid.IntRange(0, 3).Draw(t, "deal")
	m := models[n]
	now := w.clock().UTC()
	if m != nil {
		m.at(now, hold, cancel)
	}
	id := "deal-" + strconv.Itoa(n)
	switch action := rapid.SampledFrom([]string{"create", "pay", "patch pay", "cancel", "cost", "comment", "sweep", "wait"}).Draw(t, "action"); action {
	case "create", "pay":
		p, to := posting(n, deals.Created), deals.Created
		if action == "pay" {
			p.Status, to = deals.Paid, deals.Paid
		}
		p.Cost = usd(int64(rapid.IntRange(0, 3).Draw(t, "cost") * 333))
		_, err := w.deals.Post(context.Background(), seller, p)
		switch {
		case m == nil:
			expect(t, err, true, action)
			m = &model{status: deals.Created, cost: p.Cost.Minor(), since: now}
			models[n] = m
			m.move(to, now)
			m.at(now, hold, cancel)
		case p.Cost.Minor() != m.cost:
			expect(t, err, false, action+" with another cost")
		default:
			expect(t, err, m.move(to, now), action)
		}
	case "patch pay", "cancel":
		to := deals.Paid
		if action == "cancel" {
			to = deals.Canceled
		}
		_, err := w.deals.ChangeDeal(context.Background(), seller, id, deals.Changes{Status: affiliate.Some(to)})
		expect(t, err, m != nil && m.move(to, now), action)
	case "cost":
		cost := int64(rapid.IntRange(0, 100_000).Draw(t, "new cost"))
		_, err := w.deals.ChangeDeal(context.Background(), seller, id, deals.Changes{Cost: affiliate.Some(decimal.New(cost, -2))})
		ok := m != nil && (m.status == deals.Created || m.cost == cost)
		expect(t, err, ok, action)
		if ok {
			m.cost = cost
		}
	case "comment":
		_, err := w.deals.ChangeDeal(context.Background(), seller, id, deals.Changes{Comment: affiliate.Some(now.String())})
		expect(t, err, m != nil, action)
	case "sweep":
		_, err := w.deals.Sweep(context.Background())
		expect(t, err, true, action)
	case "wait":
		w.pass(time.Duration(rapid.IntRange(0, 6).Draw(t, "hours")) * time.Hour)
	}
	for _, m := range models {
		m.at(w.clock().UTC(), hold, cancel)
	}
}

// move is whether the business partner may ask for the status, and does it.
func (m *model) move(to deals.Status, now time.Time) bool {
	switch {
	case to == m.status:
		return true
	case m.status == deals.Created && to == deals.Paid:
	case (m.status == deals.Created || m.status == deals.Paid) && to == deals.Canceled:
	default:
		return false
	}
	m.status, m.since = to, now
	return true
}

func expect(t *rapid.T, err error, ok bool, what string) {
	if (err == nil) != ok {
		t.Fatalf("%s: got %v, want it to be possible: %v", what, err, ok)
	}
}

// check compares deals, entries and balances with the models.
func check(t *rapid.T, w *world, models map[int]*model, share int64) {
	now := w.clock()
	sums := map[string]int64{} // by cause
	var pending, payable int64
	for _, e := range w.entries() {
		if e.Kind == affiliate.EntryReversal {
			sums[e.Cause[len("deal_canceled:"):]] += e.Earning.Minor()
		} else {
			sums[e.Cause[len("deal:"):]] += e.Earning.Minor()
		}
		if e.PayableAt.After(now) {
			pending += e.Earning.Minor()
		} else {
			payable += e.Earning.Minor()
		}
	}
	var early int64 // what must not be payable yet
	for n, m := range models {
		d, err := w.deals.Deal(context.Background(), seller, "deal-"+strconv.Itoa(n))
		if err != nil || d.Status != m.status || d.Cost.Minor() != m.cost {
			t.Fatalf("deal %d: got %s of %s, %v, want %s of %d", n, d.Status, d.Cost, err, m.status, m.cost)
		}
		reward := usd(m.cost).MulRate(percent(share)).Minor()
		want := int64(0)
		if m.status == deals.Paid || m.status == deals.Approved {
			want = reward
		}
		if sums[d.ID.String()] != want || d.Reward.Minor() != reward {
			t.Fatalf("deal %d, %s: the ledger has %d, the deal %s, want %d of %d", n, m.status, sums[d.ID.String()], d.Reward, want, reward)
		}
		if m.status == deals.Paid {
			early += want
		}
	}
	gotPending, gotPayable := w.balance(anna)
	if gotPending != pending || gotPayable != payable || pending != early {
		t.Fatalf("balance %d and %d, entries %d and %d, held back %d", gotPending, gotPayable, pending, payable, early)
	}
}

func TestDealsOfOneBusinessPartnerAreNobodyElses(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.catalog("course")
	d := must(w.post(posting(1, deals.Paid)))(t)
	for _, id := range []string{"deal-1", d.ID.String()} {
		_, err := w.deals.Deal(t.Context(), otherSeller, id)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = w.deals.ChangeDeal(t.Context(), otherSeller, id, deals.Changes{Status: affiliate.Some(deals.Canceled)})
		is.True(errors.Is(err, affiliate.ErrNotFound))
	}
	is.Equal(w.deal("deal-1").Deal, d.Deal)
}
