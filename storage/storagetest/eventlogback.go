package storagetest

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// testThousandsExpire takes the oldest out of some hundreds, and then of some thousands.
func testThousandsExpire(t *testing.T, s eventsStore) {
	added, gone := 0, 0
	for _, step := range []struct{ add, expire int }{{300, 256}, {4200, 4096}} {
		many := make([]affiliate.Event, step.add)
		for i := range many {
			many[i] = sampleEvent(added + i + 1)
		}
		raise(t, s, many...)
		number(t, s, 1, step.add)
		added, gone = added+step.add, gone+step.expire
		equal(t, "expired", put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
			return tx.EventLog().Expire(ctx, at(1), math.MaxInt64, step.expire)
		}), step.expire)
		left := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
			return tx.EventLog().After(ctx, 0, added)
		})
		equal(t, "left", len(left), added-gone)
		for i, e := range left {
			equal(t, "object", e.Object.ID, strconv.Itoa(gone+i+1))
		}
		all := make([]int64, added)
		for i := range all {
			all[i] = int64(i + 1)
		}
		equal(t, "by number", see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
			return tx.EventLog().Numbered(ctx, all)
		}), left)
	}
}

// testLogBackwards reads more events than fit into one part of an index.
func testLogBackwards(t *testing.T, s eventsStore) {
	before := func(sequence int64, limit int) []affiliate.Event {
		return see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
			return tx.EventLog().Before(ctx, sequence, limit)
		})
	}
	equal(t, "of none", before(math.MaxInt64, 10), []affiliate.Event(nil))
	const all = 1100
	many := make([]affiliate.Event, all)
	for i := range many {
		many[i] = sampleEvent(i + 1)
	}
	raise(t, s, many...)
	equal(t, "without a number", before(math.MaxInt64, 10), []affiliate.Event(nil))
	equal(t, "numbered", number(t, s, 1, all-2), all-2)
	forward := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().After(ctx, 0, all)
	})
	slices.Reverse(forward)
	equal(t, "all that have one", before(math.MaxInt64, all), forward)
	equal(t, "the newest", before(math.MaxInt64, 2), forward[:2])
	equal(t, "before one of them", before(3, 10), forward[len(forward)-2:])
	equal(t, "before the first", before(1, 10), []affiliate.Event(nil))
	equal(t, "before zero", before(0, 10), []affiliate.Event(nil))
	equal(t, "before a negative one", before(math.MinInt64, 10), []affiliate.Event(nil))
	equal(t, "no more than the limit", before(math.MaxInt64, 0), []affiliate.Event(nil))
}
