package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

func lockScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"lock/answers like GetMany", testLockAnswers},
		{"lock/the later unit waits and sees what the first did", testLockWaits},
		{"lock/writers at once lose no update", testLockRace},
		{"lock/counters that are not there yet", testLockMissing},
	}
}

func testLockAnswers(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	kept := addAll(t, s, addLink, sampleLink(w, 1), sampleLink(w, 2), sampleLink(w, 3))
	for name, unit := range unitsOf(s) {
		err := unit(t.Context(), func(ctx context.Context, tx links.Tx) error {
			got, err := tx.Links().Lock(ctx, []int64{kept[2].ID, nowhere, kept[0].ID, kept[2].ID, 0})
			if err != nil {
				return err
			}
			equal(t, name+": locked", got, []links.Link{kept[0], kept[2]})
			if err != nil {
				return err
			}
			none, err := tx.Links().Lock(ctx, nil)
			if err != nil {
				return err
			}
			equal(t, name+": locked none", none, []links.Link(nil))
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unitsOf are the two kinds of unit that change anything.
func unitsOf(s links.Store) map[string]func(context.Context, func(ctx context.Context, tx links.Tx) error) error {
	return map[string]func(context.Context, func(ctx context.Context, tx links.Tx) error) error{"Write": s.Write, "Record": s.Record}
}

// testLockWaits starts a second unit while the first holds the lock, and gives
// it every chance to go on too early. The second is of either kind; a serializable
// one may have to run again.
func testLockWaits(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	for name := range unitsOf(s) {
		n := len(name) // another link each time
		testLockOf(t, s, addAll(t, s, addLink, sampleLink(w, n))[0], n, name)
	}
}

func testLockOf(t *testing.T, s links.Store, l links.Link, n int, name string) {
	unit := unitsOf(s)[name]
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	second := make(chan error, 1)
	start := sync.OnceFunc(func() {
		asking := make(chan struct{})
		go func() {
			close(asking)
			second <- unit(t.Context(), func(ctx context.Context, tx links.Tx) error {
				locked, err := tx.Links().Lock(ctx, []int64{l.ID})
				if err != nil {
					return err
				}
				note("second locked")
				if locked[0].Template != "changed" {
					return fmt.Errorf("locked %+v: want what the first unit did", locked[0])
				}
				clicks, err := tx.Clicks().List(ctx, links.ClickFilter{LinkID: l.ID}, affiliate.PageRequest{Number: 1, Size: 1})
				if err == nil && clicks.Total != 1 {
					err = errors.New("read after the lock: the click of the first unit is not there")
				}
				return err
			})
		}()
		<-asking
	})
	err := s.Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
		locked, err := tx.Links().Lock(ctx, []int64{l.ID})
		if err != nil {
			return err
		}
		start()
		locked[0].Template = "changed"
		err = all(
			func() error { return tx.Links().Update(ctx, locked[0]) },
			func() error { return tx.Clicks().Add(ctx, sampleClick(locked[0], n)) },
			func() error {
				return lookUntil(second, func() error {
					_, err := tx.Advertisers().Get(ctx, l.AdvertiserID)
					return err
				})
			},
		)
		note("first ends")
		return err
	})
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
	if err := <-second; err != nil {
		t.Fatalf("%s of the second: %v", name, err)
	}
	if last := slices.Index(order, "second locked"); last < slices.Index(order, "first ends") {
		t.Errorf("got %q, want the %s of the second unit to wait for the first", order, name)
	}
}

// testLockRace counts on in a field of two links, locked in different orders.
func testLockRace(t *testing.T, s links.Store) {
	const rounds = 5
	w := newWorld(t, s)
	zero := func(n int) links.Link {
		l := sampleLink(w, n)
		l.Template = "0"
		return l
	}
	kept := addAll(t, s, addLink, zero(1), zero(2))
	ids := []int64{kept[0].ID, kept[1].ID}
	together(t, writers, func(i int) error {
		mine := slices.Clone(ids)
		if i%2 == 1 {
			slices.Reverse(mine)
		}
		for range rounds {
			err := insist(t.Context(), s.Record, func(ctx context.Context, tx links.Tx) error {
				locked, err := tx.Links().Lock(ctx, mine)
				if err != nil {
					return err
				}
				for _, l := range locked {
					n, err := strconv.Atoi(l.Template)
					if err != nil {
						return err
					}
					l.Template = strconv.Itoa(n + 1)
					if err := tx.Links().Update(ctx, l); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, l := range see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Link, error) { return tx.Links().GetMany(ctx, ids) }) {
		equal(t, "counted", l.Template, strconv.Itoa(writers*rounds))
	}
}

// testLockMissing has writers lock counters that none of them has made yet, in
// different orders, and count to a limit.
func testLockMissing(t *testing.T, s links.Store) {
	const limit = 3
	for name, unit := range unitsOf(s) {
		for round := range int64(5) {
			offer := 10*round + int64(len(name))
			keys := []offers.UsageKey{offers.OfferUsage(offer), offers.UserUsage(offer, 1)}
			together(t, writers, func(i int) error {
				mine := slices.Clone(keys)
				if i%2 == 1 {
					slices.Reverse(mine)
				}
				return insist(t.Context(), unit, func(ctx context.Context, tx links.Tx) error {
					used, err := tx.Usage().Lock(ctx, mine)
					if err != nil || used[keys[0]].Clicks >= limit {
						return err
					}
					return tx.Usage().Add(ctx, usageOf(keys[0], 1, 1), usageOf(keys[1], 1, 1))
				})
			})
			got := see(t, s, func(ctx context.Context, tx links.Tx) (map[offers.UsageKey]offers.Counts, error) {
				return tx.Usage().Get(ctx, keys)
			})
			want := offers.Counts{Clicks: limit, Spent: limit}
			equal(t, name+": counted", got, map[offers.UsageKey]offers.Counts{keys[0]: want, keys[1]: want})
		}
	}
}
