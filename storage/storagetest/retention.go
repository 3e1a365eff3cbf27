package storagetest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

func retentionScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"retention/what was done is kept", testRetained},
		{"retention/counts add up", testRetainedCounts},
		{"retention/visitors are erased", testEraseVisitors},
		{"retention/clicks are removed, the oldest first", testRemoveClicks},
		{"retention/hundreds of clicks are removed", testRemoveManyClicks},
	}
}

func retained(t *testing.T, s links.Store) links.Retained {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx links.Tx) (links.Retained, error) { return tx.Retention().Get(ctx) })
}

func testRetained(t *testing.T, s links.Store) {
	equal(t, "before the first", retained(t, s), links.Retained{})
	day := links.DayOf(base())
	full := links.Retained{
		ClicksThrough: clickID(7), ClicksFrom: day, Clicks: math.MaxInt64, Entries: 3,
		VisitorsThrough: clickID(9), VisitorsFrom: day.AddDate(0, 0, 1), EventsThrough: 5,
	}
	for _, hours := range []int{3, -3} { // west of Greenwich it is the day before
		abroad, zone := full, time.FixedZone("", hours*3600)
		abroad.ClicksFrom, abroad.VisitorsFrom = full.ClicksFrom.In(zone), full.VisitorsFrom.In(zone)
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Retention().Put(ctx, abroad) })
		equal(t, "kept in UTC", retained(t, s), full)
	}
	for _, v := range []links.Retained{full, {Clicks: 1}, full, {}} {
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Retention().Put(ctx, v) })
		equal(t, "kept", retained(t, s), v)
	}
	for _, c := range []struct {
		want   failure
		change func(*links.Retained)
	}{
		{invalid("clicks", "negative"), func(r *links.Retained) { r.Clicks = -1 }},
		{invalid("entries", "negative"), func(r *links.Retained) { r.Entries = -1 }},
		{invalid("events_through", "negative"), func(r *links.Retained) { r.EventsThrough = -1 }},
		{invalid("clicks_from", "not_midnight"), func(r *links.Retained) { r.ClicksFrom = day.Add(time.Second) }},
		{invalid("visitors_from", "not_midnight"), func(r *links.Retained) { r.VisitorsFrom = day.Add(time.Second) }},
	} {
		v := full
		c.change(&v)
		refused(t, s, c.want, func(ctx context.Context, tx links.Tx) error { return tx.Retention().Put(ctx, v) })
	}
	equal(t, "after refusals", retained(t, s), links.Retained{})
}

func testRetainedCounts(t *testing.T, s links.Store) {
	usage := func(shared, offer, user, clicks int64) offers.Usage {
		return offers.Usage{UsageKey: offers.UsageKey{SharedBudgetID: shared, OfferID: offer, UserID: user}, Counts: offers.Counts{Clicks: clicks}}
	}
	scan := func(after offers.UsageKey, limit int) []offers.Usage {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]offers.Usage, error) {
			return tx.Retention().Scan(ctx, after, limit)
		})
	}
	equal(t, "of none", scan(offers.UsageKey{}, 10), []offers.Usage(nil))
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Retention().Add(ctx) })
	for range 2 {
		write(t, s, func(ctx context.Context, tx links.Tx) error {
			return tx.Retention().Add(ctx, usage(0, 2, 1, 5), usage(0, 1, 0, 1), usage(3, 0, 0, 7), usage(0, 2, 1, 1))
		})
	}
	want := []offers.Usage{usage(0, 1, 0, 2), usage(0, 2, 1, 12), usage(3, 0, 0, 14)}
	equal(t, "all", scan(offers.UsageKey{}, 10), want)
	equal(t, "the first", scan(offers.UsageKey{}, 1), want[:1])
	equal(t, "behind it", scan(want[0].UsageKey, 10), want[1:])
	equal(t, "none", scan(offers.UsageKey{}, 0), []offers.Usage(nil))
	refused(t, s, overflow, func(ctx context.Context, tx links.Tx) error {
		return tx.Retention().Add(ctx, usage(0, 1, 0, math.MaxInt64))
	})
	equal(t, "after a refusal", scan(offers.UsageKey{}, 10), want)
}

func testEraseVisitors(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	click := func(n int) links.Click {
		c := sampleClick(l, n)
		c.Visitor, c.Verdict = links.VisitorKey{byte(n)}, links.VerdictValid
		return c
	}
	again := click(4) // the newest of the fourth visitor, whose older one is erased
	again.ID, again.At = clickID(5), at(5)
	addClicks(t, s, click(1), click(2), click(3), click(4), again)
	unknown := click(6)
	unknown.Visitor = links.VisitorKey{}
	addClicks(t, s, unknown)
	erase := func(after, through int) int {
		return put(t, s, func(ctx context.Context, tx links.Tx) (int, error) {
			return tx.Clicks().EraseVisitors(ctx, clickID(after), clickID(through))
		})
	}
	visits := func(n int) links.LastVisit {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: l.ID, Visitor: links.VisitorKey{byte(n)}, Previous: links.VisitorKey{99}}}, time.Time{})
		})[0]
	}
	found := func(n int) bool { return visits(n).ClickID != uuid.Nil }
	undone[links.Tx](t, s, func(ctx context.Context, tx links.Tx) error {
		return second(tx.Clicks().EraseVisitors(ctx, uuid.Nil, clickID(9)))
	})
	equal(t, "after what was undone", []bool{found(1), found(2), found(3), found(4)}, []bool{true, true, true, true})
	undone[links.Tx](t, s, func(ctx context.Context, tx links.Tx) error {
		return second(tx.Clicks().EraseVisitors(ctx, clickID(3), clickID(4)))
	})
	newest := again
	newest.ID, newest.At = clickID(7), at(7)
	addClicks(t, s, newest)
	equal(t, "the newest, after an older one was not erased", visits(4), links.LastVisit{At: at(7), ClickID: clickID(7)})
	equal(t, "of none", erase(7, 9), 0)
	equal(t, "of two", erase(1, 3), 2)
	equal(t, "again", erase(1, 3), 0)
	equal(t, "who is found", []bool{found(1), found(2), found(3), found(4)}, []bool{true, false, false, true})
	equal(t, "of an older one", erase(3, 4), 1)
	equal(t, "who is found then", []bool{found(1), found(2), found(3), found(4)}, []bool{true, false, false, true})
	want := []links.Click{click(1), click(2), click(3), click(4), again, unknown, newest}
	for i := 1; i < 4; i++ {
		want[i].Visitor = links.VisitorKey{}
	}
	equal(t, "kept", scanClicks(t, s, uuid.Nil, 10), want)
	nobody := see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
		return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: l.ID}}, time.Time{})
	})
	equal(t, "of the key that erased and unknown ones have", nobody, []links.LastVisit{{}})
}

// testRemoveManyClicks removes more clicks than a part of a table in memory has, and
// asks for their visitors and for what repeats one of them.
func testRemoveManyClicks(t *testing.T, s links.Store) {
	const many = 600
	l := newWorldOfClicks(t, s).link
	visitor := func(n int) links.VisitorKey { return links.VisitorKey{1, byte(n >> 8), byte(n)} }
	valid := func(n int) links.Click {
		c := sampleClick(l, n)
		c.Verdict, c.Visitor = links.VerdictValid, visitor(n)
		return c
	}
	var given []links.Click
	for n := 1; n <= many; n++ {
		given = append(given, valid(n))
	}
	again := sampleClick(l, many+1)
	again.Verdict, again.Repeats = links.VerdictDuplicate, clickID(1)
	addClicks(t, s, append(given, again)...)
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		return all(
			func() error { return second(tx.Clicks().EraseVisitors(ctx, uuid.Nil, clickID(many/2))) },
			func() error { return second(tx.Clicks().Remove(ctx, clickID(many), many)) },
		)
	})
	last := func(n int) links.LastVisit {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: l.ID, Visitor: visitor(n), Previous: visitor(0)}}, time.Time{})
		})[0]
	}
	for n := 1; n <= many; n += 50 {
		equal(t, "last visit", last(n), links.LastVisit{})
	}
	left := scanClicks(t, s, uuid.Nil, 10)
	equal(t, "left", len(left), 1)
	if left[0].Repeats != uuid.Nil && left[0].Repeats != clickID(1) {
		t.Errorf("a duplicate of a click that is gone repeats %s", left[0].Repeats)
	}
	undone[links.Tx](t, s, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, valid(many+2)) })
	equal(t, "last visit that was undone", last(many+2), links.LastVisit{})
	addClicks(t, s, valid(many+2))
	equal(t, "last visit after all were removed", last(many+2), links.LastVisit{At: at(many + 2), ClickID: clickID(many + 2)})
}

func testRemoveClicks(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	first, again := sampleClick(l, 2), sampleClick(l, 4)
	first.Verdict, first.Visitor = links.VerdictValid, links.VisitorKey{1}
	again.Verdict, again.Repeats = links.VerdictDuplicate, first.ID
	addClicks(t, s, sampleClick(l, 3), first, sampleClick(l, 1))
	addClicks(t, s, again)
	remove := func(through, limit int) int {
		return put(t, s, func(ctx context.Context, tx links.Tx) (int, error) {
			return tx.Clicks().Remove(ctx, clickID(through), limit)
		})
	}
	ids := func() (out []uuid.UUID) {
		for _, c := range scanClicks(t, s, uuid.Nil, 10) {
			out = append(out, c.ID)
		}
		return out
	}
	last := func() links.LastVisit {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: l.ID, Visitor: links.VisitorKey{1}, Previous: links.VisitorKey{2}}}, time.Time{})
		})[0]
	}
	undone[links.Tx](t, s, func(ctx context.Context, tx links.Tx) error { return second(tx.Clicks().Remove(ctx, clickID(9), 9)) })
	equal(t, "after what was undone", ids(), []uuid.UUID{clickID(1), clickID(2), clickID(3), clickID(4)})
	equal(t, "last visit", last().ClickID, first.ID)
	equal(t, "none", remove(9, 0), 0)
	equal(t, "before the first", remove(0, 9), 0)
	equal(t, "the oldest", remove(3, 1), 1)
	equal(t, "left", ids(), []uuid.UUID{clickID(2), clickID(3), clickID(4)})
	equal(t, "up to the third", remove(3, 9), 2)
	equal(t, "left", ids(), []uuid.UUID{clickID(4)})
	equal(t, "last visit", last(), links.LastVisit{})
	left := scanClicks(t, s, uuid.Nil, 10)[0]
	if left.Repeats != uuid.Nil && left.Repeats != first.ID {
		t.Errorf("a duplicate of a click that is gone repeats %s", left.Repeats)
	}
	unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error { return second(tx.Clicks().Get(ctx, first.ID)) })
	addClicks(t, s, first) // an id is free again
	equal(t, "again", ids(), []uuid.UUID{clickID(2), clickID(4)})
}

var errUndone = errors.New("undone")

// undone runs a Write that changes something and then fails.
func undone[T any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) error) {
	t.Helper()
	err := s.Write(t.Context(), func(ctx context.Context, tx T) error {
		return all(func() error { return fn(ctx, tx) }, func() error { return errUndone })
	})
	if !errors.Is(err, errUndone) {
		t.Errorf("Write: got %v, want %v", err, errUndone)
	}
}
