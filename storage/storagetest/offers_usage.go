package storagetest

import (
	"context"
	"math"
	"testing"

	"github.com/affiliatekit/affiliatekit/offers"
)

func addUsage(list ...offers.Usage) func(ctx context.Context, tx offers.Tx) error {
	return func(ctx context.Context, tx offers.Tx) error { return tx.Usage().Add(ctx, list...) }
}

func usageOf(k offers.UsageKey, clicks, spent int64) offers.Usage {
	return offers.Usage{UsageKey: k, Counts: offers.Counts{Clicks: clicks, Spent: spent}}
}

func testUsage(t *testing.T, s offers.Store) {
	offer, user, shared := offers.OfferUsage(7), offers.UserUsage(7, 3), offers.SharedUsage(2)
	get := func(keys ...offers.UsageKey) map[offers.UsageKey]offers.Counts {
		got := see(t, s, func(ctx context.Context, tx offers.Tx) (map[offers.UsageKey]offers.Counts, error) {
			return tx.Usage().Get(ctx, keys)
		})
		for k, c := range got { // zero ones may be left out
			if c == (offers.Counts{}) {
				delete(got, k)
			}
		}
		return got
	}
	equal(t, "of nothing", len(get(offer, user, shared)), 0)
	write(t, s, addUsage())
	write(t, s, addUsage(usageOf(user, 1, 10), usageOf(offer, 2, 20), usageOf(user, 1, 5), usageOf(shared, 0, 3)))
	write(t, s, addUsage(usageOf(user, -2, -4), usageOf(shared, 0, -3), usageOf(shared, 0, 8)))
	want := map[offers.UsageKey]offers.Counts{offer: {Clicks: 2, Spent: 20}, user: {Spent: 11}, shared: {Spent: 8}}
	equal(t, "counters", get(offer, user, shared, user, offers.OfferUsage(1)), want)
	equal(t, "locked", put(t, s, func(ctx context.Context, tx offers.Tx) (offers.Counts, error) {
		got, err := tx.Usage().Lock(ctx, []offers.UsageKey{shared, offers.OfferUsage(9), user, shared})
		return got[user], err
	}), want[user])
	if err := s.Write(t.Context(), func(ctx context.Context, tx offers.Tx) error {
		return all(func() error { return addUsage(usageOf(offer, 9, 9), usageOf(offers.OfferUsage(8), 1, 1))(ctx, tx) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	equal(t, "after an undone add", get(offer, offers.OfferUsage(8)), map[offers.UsageKey]offers.Counts{offer: want[offer]})
	scan := func(after offers.UsageKey, limit int) []offers.Usage {
		var out []offers.Usage
		for _, u := range see(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Usage, error) {
			return tx.Usage().Scan(ctx, after, limit)
		}) {
			if u.Counts != (offers.Counts{}) {
				out = append(out, u)
			}
		}
		return out
	}
	inOrder := []offers.Usage{usageOf(offer, 2, 20), usageOf(user, 0, 11), usageOf(shared, 0, 8)}
	equal(t, "scan", scan(offers.UsageKey{}, 10), inOrder)
	equal(t, "the first two", scan(offers.UsageKey{}, 2), inOrder[:2])
	equal(t, "after the second", scan(user, 10), inOrder[2:])
	equal(t, "after the last", scan(shared, 10), []offers.Usage(nil))
	equal(t, "none", scan(offers.UsageKey{}, 0), []offers.Usage(nil))
}

func testUsageOverflow(t *testing.T, s offers.Store) {
	key := offers.OfferUsage(7)
	write(t, s, addUsage(usageOf(key, 1, math.MaxInt64)))
	refused(t, s, overflow, addUsage(usageOf(key, 0, 1)))
	refused(t, s, overflow, addUsage(usageOf(offers.OfferUsage(8), math.MaxInt64, 0), usageOf(offers.OfferUsage(8), 1, 0)))
	refused(t, s, overflow, addUsage(usageOf(offers.OfferUsage(8), 0, math.MaxInt64), usageOf(offers.OfferUsage(8), 0, 1)))
}

// testUsageLock has writers who look, and add one when there is room for it.
func testUsageLock(t *testing.T, s offers.Store) {
	keys := []offers.UsageKey{offers.SharedUsage(1), offers.OfferUsage(7), offers.UserUsage(7, 1)}
	together(t, writers, func(i int) error {
		for range 3 {
			mine := append([]offers.UsageKey{}, keys[i%3:]...)
			mine = append(mine, keys[:i%3]...)
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx offers.Tx) error {
				used, err := tx.Usage().Lock(ctx, mine)
				if err != nil || used[keys[1]].Clicks >= 10 {
					return err
				}
				return tx.Usage().Add(ctx, usageOf(keys[1], 1, 1))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	got := see(t, s, func(ctx context.Context, tx offers.Tx) (map[offers.UsageKey]offers.Counts, error) {
		return tx.Usage().Get(ctx, keys)
	})
	equal(t, "counted", got[keys[1]], offers.Counts{Clicks: 10, Spent: 10})
}
