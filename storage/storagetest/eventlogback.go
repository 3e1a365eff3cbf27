package storagetest

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

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
