package storagetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

func clickScenarios() []scenario[links.Store] {
	return append(ofLinks(clickTable().scenarios(), sameStore),
		scenario[links.Store]{"clicks/an id is taken once", testClickID},
		scenario[links.Store]{"clicks/scan", testClickScan},
		scenario[links.Store]{"clicks/thousands, in any order", testManyClicks},
		scenario[links.Store]{"clicks/get many", testClickGetMany},
		scenario[links.Store]{"clicks/a duplicate names the click that it repeats", testClickRepeats},
		scenario[links.Store]{"clicks/last valid", testLastValid},
		scenario[links.Store]{"clicks/last valid moves on", testLastValidMoves},
		scenario[links.Store]{"clicks/list", testClickList},
		scenario[links.Store]{"clicks/a time is the click's, not its id's", testClickTimes},
	)
}

// clickID is a version 7 UUID of the time at(n), so that ids sort as n does.
func clickID(n int) uuid.UUID {
	id := uuid.UUID{8: 0x80, 15: 0xff}
	binary.BigEndian.PutUint64(id[:8], uint64(at(n).UnixMilli())<<16|0x7000)
	return id
}

// sampleClick is a click on a link.
func sampleClick(l links.Link, n int) links.Click {
	return links.Click{
		ID: clickID(n), LinkID: l.ID, UserID: l.UserID, AdvertiserID: l.AdvertiserID, At: at(n),
		Verdict: links.VerdictBot, Earning: eur(0), Cost: eur(0),
	}
}

// newWorldOfClicks is a world with a link to click on.
func newWorldOfClicks(t *testing.T, s affiliate.Store[links.Tx]) world {
	t.Helper()
	w := newWorld(t, s)
	w.link = addAll(t, s, addLink, sampleLink(w, 1))[0]
	w.offer = put(t, s, func(ctx context.Context, tx links.Tx) (offers.Offer, error) {
		return tx.Offers().Add(ctx, sampleOffer(w, 1))
	})
	return w
}

func clickTable() table[links.Tx, links.Click] {
	type V = links.Click
	return table[links.Tx, V]{
		name:   "clicks",
		world:  newWorldOfClicks,
		sample: func(w world, n int) V { return sampleClick(w.link, n) },
		full: func(w world) V {
			return V{
				ID: clickID(99), LinkID: w.link.ID, UserID: w.link.UserID, AdvertiserID: w.link.AdvertiserID, At: at(3), Source: affiliate.SourceYouTube,
				Visitor: links.VisitorKey{0, 0xff, 15: 1}, Verdict: links.VerdictValid, Reason: "none",
				OfferID: w.offer.ID,
				Earning: affiliate.NewMoney(math.MaxInt64, "JPY"), Cost: affiliate.NewMoney(1, "JPY"), Terms: `{"cpc" : 1.0}`,
			}
		},
		add: func(ctx context.Context, tx links.Tx, v V) (V, error) {
			if err := tx.Clicks().Add(ctx, v); err != nil {
				return v, err
			}
			return tx.Clicks().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx links.Tx, v V) (V, error) { return tx.Clicks().Get(ctx, v.ID) },
		unset: []string{"Repeats"}, // of a duplicate alone
		timed: true,
		texts: []text[V]{
			{"reason", 0, 64, func(v *V) *string { return &v.Reason }, false},
			{"terms", 0, 4096, func(v *V) *string { return &v.Terms }, true},
		},
		broken: []broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"at", "required", func(v *V) { v.At = time.Time{} }},
			{"source", "unknown_source", func(v *V) { v.Source = affiliate.TrafficSources }},
			{"verdict", "unknown_verdict", func(v *V) { v.Verdict = "maybe" }},
			{"earning", "unknown_currency", func(v *V) { v.Earning, v.Cost = affiliate.Money{}, affiliate.Money{} }},
			{"cost", "currency_mismatch", func(v *V) { v.Cost = affiliate.NewMoney(0, "SEK") }},
			{"cost", "negative", func(v *V) { v.Verdict, v.Cost = links.VerdictValid, eur(-1) }},
			{"earning", "not_valid", func(v *V) { v.Earning = eur(1) }},
			{"repeats", "not_duplicate", func(v *V) { v.Repeats = clickID(1) }},
		},
		references: []reference[V]{
			{"link_id", func(v *V, id int64) { v.LinkID = id }},
			{"user_id", func(v *V, id int64) { v.UserID = id }},
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"offer_id", func(v *V, id int64) { v.OfferID = id }},
		},
	}
}

// addClicks keeps clicks in one unit, half of them in one call.
func addClicks(t *testing.T, s links.Store, clicks ...links.Click) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		half := len(clicks) / 2
		return all(
			func() error { return tx.Clicks().Add(ctx, clicks[:half]...) },
			func() error { return tx.Clicks().Add(ctx, clicks[half:]...) },
		)
	})
}

func scanClicks(t *testing.T, s links.Store, after uuid.UUID, limit int) []links.Click {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Click, error) {
		return tx.Clicks().Scan(ctx, after, limit)
	})
}

func testClickID(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	addClicks(t, s, sampleClick(l, 1), sampleClick(l, 2))
	for name, clicks := range map[string][]links.Click{
		"kept already":    {sampleClick(l, 3), sampleClick(l, 1)},
		"twice in a call": {sampleClick(l, 3), sampleClick(l, 4), sampleClick(l, 3)},
	} {
		for how, unit := range unitsOf(s) {
			err := unit(t.Context(), func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, clicks...) })
			if problem := taken("id").problem(err); problem != "" {
				t.Errorf("%s, in a %s: %s", name, how, problem)
			}
		}
	}
	unreadable(t, s, readOnly, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, sampleClick(l, 3)) })
	equal(t, "clicks", scanClicks(t, s, uuid.Nil, 10), []links.Click{sampleClick(l, 1), sampleClick(l, 2)})
	for _, id := range []uuid.UUID{clickID(3), uuid.Nil, uuid.Max} {
		unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error { return second(tx.Clicks().Get(ctx, id)) })
	}
}

func testClickScan(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	equal(t, "of none", scanClicks(t, s, uuid.Nil, 10), []links.Click(nil))
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx) })
	addClicks(t, s, sampleClick(l, 300), sampleClick(l, 1), sampleClick(l, 2), sampleClick(l, 70_000))
	want := []links.Click{sampleClick(l, 1), sampleClick(l, 2), sampleClick(l, 300), sampleClick(l, 70_000)}
	equal(t, "all", scanClicks(t, s, uuid.Nil, 10), want)
	equal(t, "the first two", scanClicks(t, s, uuid.Nil, 2), want[:2])
	equal(t, "the next two", scanClicks(t, s, clickID(2), 2), want[2:])
	equal(t, "after what is not there", scanClicks(t, s, clickID(299), 1), want[2:3])
	equal(t, "after the last", scanClicks(t, s, clickID(70_000), 10), []links.Click(nil))
	equal(t, "after the greatest", scanClicks(t, s, uuid.Max, 10), []links.Click(nil))
	equal(t, "none", scanClicks(t, s, uuid.Nil, 0), []links.Click(nil))
}

// Indexes split where they have grown, and a batch may be sent in parts.
func testManyClicks(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	const n = 2311 // a prime: 977*i below takes every remainder once
	want, given := make([]links.Click, n), make([]links.Click, n)
	for i := range n {
		at := 977 * i % n
		want[at] = sampleClick(l, at+1)
		want[at].At = base().Add(time.Duration(i/5) * time.Second) // with ties
		given[i] = want[at]
	}
	addClicks(t, s, given...)
	var got []links.Click
	for after := uuid.Nil; ; after = got[len(got)-1].ID {
		part := scanClicks(t, s, after, 500)
		if got = append(got, part...); len(part) < 500 {
			break
		}
	}
	equal(t, "scanned", got, want)
	for _, p := range []affiliate.PageRequest{
		{Number: 1, Size: 100, Sort: affiliate.Sort{Column: "at"}}, {Number: 1, Size: 100, Sort: affiliate.Sort{Column: "at", Desc: true}},
		{Number: 3, Size: 50, Sort: affiliate.Sort{Column: "at"}}, {Number: 24, Size: 100}, {Number: 2, Size: 70, Sort: affiliate.Sort{Column: "at", Desc: true}},
	} {
		sorted := slices.Clone(given)
		slices.SortStableFunc(sorted, func(a, b links.Click) int {
			if p.Sort.Column == "" {
				return bytes.Compare(a.ID[:], b.ID[:])
			}
			if c := a.At.Compare(b.At); c != 0 && p.Sort.Desc {
				return -c
			} else if c != 0 {
				return c
			}
			return bytes.Compare(a.ID[:], b.ID[:])
		})
		page := see(t, s, func(ctx context.Context, tx links.Tx) (affiliate.Page[links.Click], error) {
			return tx.Clicks().List(ctx, links.ClickFilter{}, p)
		})
		equal(t, fmt.Sprintf("total of %+v", p), page.Total, n)
		equal(t, fmt.Sprintf("page %+v", p), page.Items, sorted[min(n, p.Offset()):min(n, p.Offset()+p.Limit())])
	}
}

func testClickGetMany(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	addClicks(t, s, sampleClick(l, 3), sampleClick(l, 1), sampleClick(l, 2))
	many := func(ids ...uuid.UUID) []links.Click {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Click, error) { return tx.Clicks().GetMany(ctx, ids) })
	}
	equal(t, "some", many(clickID(3), uuid.Nil, clickID(9), clickID(1), clickID(3)), []links.Click{sampleClick(l, 1), sampleClick(l, 3)})
	equal(t, "none", many(), []links.Click(nil))
}

func testClickRepeats(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	first, again := sampleClick(l, 1), sampleClick(l, 2)
	first.Verdict, again.Verdict, again.Repeats = links.VerdictValid, links.VerdictDuplicate, first.ID
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, first, again) })
	want := []links.Click{first, again}
	for n, of := range []int{2, 1, 2} { // some of the same
		c := sampleClick(l, 4+n)
		c.Verdict, c.Repeats = links.VerdictDuplicate, clickID(of)
		want = append(want, c)
	}
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, want[2:]...) })
	equal(t, "kept", scanClicks(t, s, uuid.Nil, 10), want)
	ghost := sampleClick(l, 3)
	ghost.Verdict, ghost.Repeats = links.VerdictDuplicate, clickID(77)
	refused(t, s, unknown("repeats"), func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, ghost) })
}

func testLastValid(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	l := addAll(t, s, addLink, sampleLink(w, 1), sampleLink(w, 2))
	var anna, bo, carl links.VisitorKey
	anna[0], bo[15], carl[7] = 1, 1, 1
	click := func(n, link int, v links.VisitorKey, verdict links.Verdict, when int) links.Click {
		c := sampleClick(l[link], n)
		c.Visitor, c.Verdict, c.At = v, verdict, at(when)
		return c
	}
	addClicks(t, s,
		click(1, 0, anna, links.VerdictValid, 30), // newest by time, not by id
		click(2, 0, anna, links.VerdictValid, 20),
		click(3, 0, anna, links.VerdictDuplicate, 40),
		click(4, 1, anna, links.VerdictValid, 10),
		click(5, 0, bo, links.VerdictBlocked, 50),
		click(6, 1, bo, links.VerdictCapped, 50),
		click(7, 1, bo, links.VerdictBot, 50),
		click(8, 0, carl, links.VerdictValid, 35),
	)
	dora, old := links.VisitorKey{4}, at(-60*365*24*3600) // before 1970
	before := click(9, 1, dora, links.VerdictValid, 0)
	before.At = old
	addClicks(t, s, before)
	last := func(since time.Time, visits ...links.Visit) []links.LastVisit {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, visits, since)
		})
	}
	visit := func(link int64, key, previous links.VisitorKey) links.Visit {
		return links.Visit{LinkID: link, Visitor: key, Previous: previous}
	}
	nobody := links.VisitorKey{9}
	visits := []links.Visit{
		visit(l[0].ID, anna, nobody), visit(l[1].ID, anna, anna), visit(l[1].ID, nobody, anna),
		visit(l[0].ID, bo, carl), visit(l[0].ID, carl, anna), visit(l[0].ID, anna, nobody),
		visit(l[0].ID, nobody, anna), visit(l[0].ID, anna, carl),
		visit(l[0].ID, bo, nobody), visit(l[1].ID, bo, bo), visit(nowhere, anna, anna),
	}
	var never links.LastVisit
	of := func(n, when int) links.LastVisit { return links.LastVisit{At: at(when), ClickID: clickID(n)} }
	for _, c := range []struct {
		name  string
		since time.Time
		want  []links.LastVisit // of all visits but the last three, which had none
	}{
		{"ever", time.Time{}, []links.LastVisit{of(1, 30), of(4, 10), of(4, 10), of(8, 35), of(8, 35), of(1, 30), of(1, 30), of(8, 35)}},
		{"just before the oldest", at(10).Add(-time.Microsecond), []links.LastVisit{of(1, 30), of(4, 10), of(4, 10), of(8, 35), of(8, 35), of(1, 30), of(1, 30), of(8, 35)}},
		{"since the oldest", at(10), []links.LastVisit{of(1, 30), never, never, of(8, 35), of(8, 35), of(1, 30), of(1, 30), of(8, 35)}},
		{"just before the newest", at(35).Add(-time.Microsecond), []links.LastVisit{never, never, never, of(8, 35), of(8, 35), never, never, of(8, 35)}},
		{"since the newest", at(35), []links.LastVisit{never, never, never, never, never, never, never, never}},
	} {
		equal(t, c.name, last(c.since, visits...), append(c.want, never, never, never))
	}
	equal(t, "of no visits", len(last(time.Time{})), 0)
	equal(t, "of long ago", last(time.Time{}, visit(l[1].ID, dora, nobody)), []links.LastVisit{{At: old, ClickID: clickID(9)}})
}

func testLastValidMoves(t *testing.T, s links.Store) {
	l := newWorldOfClicks(t, s).link
	valid := func(n, when int) links.Click {
		c := sampleClick(l, n)
		c.Visitor, c.Verdict, c.At = links.VisitorKey{1}, links.VerdictValid, at(when)
		return c
	}
	expect := func(what string, n, when int) {
		t.Helper()
		got := see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: l.ID, Visitor: links.VisitorKey{1}}}, time.Time{})
		})
		equal(t, what, got, []links.LastVisit{{At: at(when), ClickID: clickID(n)}})
	}
	undone := errors.New("undone")
	for n := 1; n <= 40; n++ {
		addClicks(t, s, valid(2*n, 10*n))
		expect("newer than all before", 2*n, 10*n)
		addClicks(t, s, valid(2*n+1, 10*n-15)) // kept late
		expect("after an older one", 2*n, 10*n)
		if err := s.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			return errors.Join(tx.Clicks().Add(ctx, valid(1000, 10*n+1), valid(1001, 10*n+2)), undone)
		}); !errors.Is(err, undone) {
			t.Errorf("Write: got %v, want the callback's error", err)
		}
		expect("after newer ones that were undone", 2*n, 10*n)
	}
}

// testClickTimes has clicks whose ids were made long before them or after them, as
// of a host that adds old clicks, or whose clock or NewID is its own.
func testClickTimes(t *testing.T, s links.Store) {
	w := newWorldOfClicks(t, s)
	idFrom := func(when time.Time, n byte) uuid.UUID {
		id := uuid.UUID{15: n}
		binary.BigEndian.PutUint64(id[:8], uint64(when.UnixMilli())<<16)
		return id
	}
	last := uuid.Max
	last[15]--
	distances := []time.Duration{time.Hour, time.Hour + time.Millisecond, 25 * time.Hour, 40 * 24 * time.Hour, 400 * 24 * time.Hour}
	var ids []uuid.UUID
	for n, d := range distances {
		ids = append(ids, idFrom(at(0).Add(d), byte(2*n)), idFrom(at(0).Add(-d), byte(2*n+1)))
	}
	// One at a time, so that each is the widest until then.
	for n, id := range append(ids, uuid.UUID{15: 1}, last) {
		c := sampleClick(w.link, 0)
		c.ID, c.Verdict, c.Visitor = id, links.VerdictValid, links.VisitorKey{byte(n + 1)}
		addClicks(t, s, c)
		for _, f := range []links.ClickFilter{
			{From: at(0), Until: at(0).Add(time.Microsecond)}, {From: at(0)}, {Until: at(0).Add(time.Microsecond)},
		} {
			page := see(t, s, func(ctx context.Context, tx links.Tx) (affiliate.Page[links.Click], error) {
				return tx.Clicks().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 50})
			})
			equal(t, fmt.Sprintf("clicks of %+v with %s", f, id), page.Total, n+1)
			equal(t, "on the page", len(page.Items), n+1)
		}
		visits := see(t, s, func(ctx context.Context, tx links.Tx) ([]links.LastVisit, error) {
			return tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: w.link.ID, Visitor: c.Visitor}}, at(0).Add(-time.Microsecond))
		})
		equal(t, "the last visit", visits, []links.LastVisit{{At: at(0), ClickID: id}})
	}
}

func testClickList(t *testing.T, s links.Store) {
	type V = links.Click
	type F = links.ClickFilter
	w := newWorld(t, s)
	l := addAll(t, s, addLink, linkBy(w, 0, 0, 1), linkBy(w, 0, 1, 2), linkBy(w, 1, 0, 3))
	row := func(n, link int, verdict links.Verdict, when int) V {
		c := sampleClick(l[link], n)
		c.Verdict, c.At, c.Reason = verdict, at(when), strconv.Itoa(n)
		return c
	}
	items := []V{
		row(1, 0, links.VerdictValid, 7), row(2, 1, links.VerdictBot, 5), row(3, 2, links.VerdictValid, 5),
		row(4, 0, links.VerdictCapped, 9), row(5, 2, links.VerdictBot, 5), row(6, 1, links.VerdictValid, 8),
	}
	addClicks(t, s, items[3], items[0], items[5], items[1], items[4], items[2])
	listing[links.Tx, V, F]{
		items: items,
		label: func(v V) string { return v.Reason },
		list: func(ctx context.Context, tx links.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Clicks().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{LinkID: l[0].ID}, "1 4"},
			{F{LinkID: nowhere}, ""},
			{F{UserID: w.users[0].ID}, "1 2 4 6"},
			{F{UserID: w.users[2].ID}, ""},
			{F{AdvertiserID: w.advertisers[0].ID}, "1 3 4 5"},
			{F{AdvertiserID: nowhere}, ""},
			{F{Verdict: links.VerdictValid}, "1 3 6"},
			{F{Verdict: "maybe"}, ""},
			{F{From: at(7).Add(time.Microsecond)}, "4 6"},
			{F{From: at(7)}, "1 4 6"},
			{F{From: at(7).In(time.FixedZone("", 7200))}, "1 4 6"},
			{F{Until: at(8)}, "1 2 3 5"},
			{F{Until: at(8).Add(time.Microsecond)}, "1 2 3 5 6"},
			{F{From: at(7), Until: at(9)}, "1 6"},
			{F{From: at(9), Until: at(7)}, ""},
		},
		columns: map[string]func(a, b V) int{"at": byTime(func(v V) time.Time { return v.At })},
	}.check(t, s)
}
