package storagetest

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func linkScenarios() []scenario[links.Store] {
	return append(ofLinks(linkTable().scenarios(), sameStore),
		scenario[links.Store]{"links/one per user, advertiser and key", testLinkKey},
		scenario[links.Store]{"links/counted by user", testLinkCounts},
		scenario[links.Store]{"links/found by what they are for", testLinkLookups},
		scenario[links.Store]{"links/what a redirect needs", testTarget},
		scenario[links.Store]{"links/list", testLinkList},
		scenario[links.Store]{"links/of writers at once one adds", testLinkRace},
	)
}

func sampleLink(w world, n int) links.Link {
	url := fmt.Sprintf("https://shop.example/%d", n)
	return links.Link{
		UserID: w.users[0].ID, AdvertiserID: w.advertisers[0].ID, Key: links.LinkKey(hash(n)),
		OriginalURL: url, TargetURL: url, Template: affiliate.DefaultTrackingTemplate,
	}
}

func linkTable() table[links.Tx, links.Link] {
	type V = links.Link
	return table[links.Tx, V]{
		name:   "links",
		sample: sampleLink,
		full: func(w world) V {
			return V{
				UserID: w.users[1].ID, AdvertiserID: w.advertisers[2].ID, Key: links.LinkKey(hash(5000)), OriginalURL: "shop.example/Å#top",
				TargetURL: "https://shop.example/%C3%85#top", Template: "https://t.example/?u=:TARGET_URL", CreatedAt: at(1), DeletedAt: at(2),
			}
		},
		add:     addLink,
		fetch:   func(ctx context.Context, tx links.Tx, v V) (V, error) { return tx.Links().Get(ctx, v.ID) },
		update:  func(ctx context.Context, tx links.Tx, v V) error { return tx.Links().Update(ctx, v) },
		getMany: func(ctx context.Context, tx links.Tx, ids []int64) ([]V, error) { return tx.Links().GetMany(ctx, ids) },
		id:      func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"original_url", 1, links.MaxURLBytes, func(v *V) *string { return &v.OriginalURL }, true},
			{"target_url", 1, links.MaxURLBytes, func(v *V) *string { return &v.TargetURL }, false},
			{"template", 1, links.MaxTemplateBytes, func(v *V) *string { return &v.Template }, false},
		},
		broken: []broken[V]{
			{"original_url", "too_long", func(v *V) { v.OriginalURL = strings.Repeat("é", links.MaxURLBytes/2+1) }},
		},
		references: []reference[V]{
			{"user_id", func(v *V, id int64) { v.UserID = id }},
			{"user_id", func(v *V, id int64) { v.UserID = 0 }},
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = 0 }},
		},
	}
}

// addLink adds a link that is not there.
func addLink(ctx context.Context, tx links.Tx, l links.Link) (links.Link, error) {
	l, added, err := tx.Links().AddOrGet(ctx, l)
	if err == nil && !added {
		err = fmt.Errorf("AddOrGet answers link %d with false, want it added", l.ID)
	}
	return l, err
}

// linkBy is a sample of the user and advertiser with those places in the world.
func linkBy(w world, user, advertiser, n int) links.Link {
	l := sampleLink(w, n)
	l.UserID, l.AdvertiserID = w.users[user].ID, w.advertisers[advertiser].ID
	return l
}

func testLinkKey(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	kept := addAll(t, s, addLink, linkBy(w, 0, 0, 1), linkBy(w, 1, 0, 1), linkBy(w, 0, 1, 1), linkBy(w, 0, 0, 2))
	deleted := kept[1]
	deleted.DeletedAt = at(9)
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Links().Update(ctx, deleted) })

	for i, want := range []links.Link{kept[0], deleted, kept[2], kept[3]} {
		again := kept[i]
		again.ID, again.OriginalURL, again.Template, again.CreatedAt = nowhere, "another spelling", "another template", at(99)
		write(t, s, func(ctx context.Context, tx links.Tx) error {
			got, added, err := tx.Links().AddOrGet(ctx, again)
			if err != nil {
				return err
			}
			equal(t, "the link that is there", got, want)
			equal(t, "added", added, false)
			return nil
		})
	}
	for _, clash := range []links.Link{linkBy(w, 0, 0, 2), linkBy(w, 1, 0, 1), linkBy(w, 0, 1, 1)} {
		clash.ID = kept[0].ID
		refused(t, s, taken("key"), func(ctx context.Context, tx links.Tx) error {
			if err := second(addLink(ctx, tx, linkBy(w, 2, 2, 7))); err != nil {
				return err
			}
			return tx.Links().Update(ctx, clash)
		})
	}
	moved := kept[0]
	moved.Key = links.LinkKey(hash(3))
	unreadable(t, s, readOnly, func(ctx context.Context, tx links.Tx) error { return tx.Links().Update(ctx, moved) })
	equal(t, "the link", see(t, s, func(ctx context.Context, tx links.Tx) (links.Link, error) { return tx.Links().Get(ctx, kept[0].ID) }), kept[0])

	write(t, s, func(ctx context.Context, tx links.Tx) error {
		return all(
			func() error { return tx.Links().Update(ctx, moved) },
			func() error { return second(addLink(ctx, tx, linkBy(w, 0, 0, 1))) }, // the old key is free
			func() error { return second(addLink(ctx, tx, linkBy(w, 2, 2, 7))) }, // and so is what was undone
		)
	})
}

func testLinkCounts(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	made := func(l links.Link, minute int) links.Link {
		l.CreatedAt = at(minute)
		return l
	}
	gone := made(linkBy(w, 0, 0, 4), 30)
	gone.DeletedAt = at(40)
	addAll(t, s, addLink, made(linkBy(w, 0, 0, 1), 0), made(linkBy(w, 0, 0, 2), 10), made(linkBy(w, 0, 0, 3), 20), gone,
		made(linkBy(w, 1, 0, 1), 10), made(linkBy(w, 0, 1, 1), 10), made(linkBy(w, 2, 0, 1), 10))
	anna, bo := w.users[0].ID, w.users[1].ID
	for name, c := range map[string]struct {
		advertiser  int64
		users       []int64
		from, until time.Time
		want        map[int64]int64
	}{
		"all":                    {w.advertisers[0].ID, []int64{anna, bo}, time.Time{}, time.Time{}, map[int64]int64{anna: 4, bo: 1}},
		"from one and before":    {w.advertisers[0].ID, []int64{anna, bo, anna}, at(10), at(20), map[int64]int64{anna: 1, bo: 1}},
		"between microseconds":   {w.advertisers[0].ID, []int64{anna}, finer(at(10)), time.Time{}, map[int64]int64{anna: 2}},
		"and before such a time": {w.advertisers[0].ID, []int64{anna}, time.Time{}, finer(at(20)), map[int64]int64{anna: 3}},
		"of another advertiser":  {w.advertisers[1].ID, []int64{anna, bo}, time.Time{}, time.Time{}, map[int64]int64{anna: 1}},
		"of nobody":              {w.advertisers[0].ID, nil, time.Time{}, time.Time{}, map[int64]int64{}},
		"of somebody not there":  {w.advertisers[0].ID, []int64{nowhere}, time.Time{}, time.Time{}, map[int64]int64{}},
		"at somewhere not there": {nowhere, []int64{anna}, time.Time{}, time.Time{}, map[int64]int64{}},
	} {
		got := see(t, s, func(ctx context.Context, tx links.Tx) (map[int64]int64, error) {
			return tx.Links().CountByUsers(ctx, c.advertiser, c.users, c.from, c.until)
		})
		equal(t, name, fmt.Sprint(got), fmt.Sprint(c.want))
	}
}

func testLinkLookups(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	kept := addAll(t, s, addLink, linkBy(w, 0, 0, 1), linkBy(w, 1, 0, 1), linkBy(w, 0, 1, 1))
	for _, want := range kept {
		equal(t, "found", see(t, s, func(ctx context.Context, tx links.Tx) (links.Link, error) {
			return tx.Links().Find(ctx, want.UserID, want.AdvertiserID, want.Key)
		}), want)
	}
	for _, l := range []links.Link{linkBy(w, 0, 0, 2), linkBy(w, 1, 1, 1), linkBy(w, 2, 0, 1)} {
		unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error {
			return second(tx.Links().Find(ctx, l.UserID, l.AdvertiserID, l.Key))
		})
	}
	for _, id := range []int64{nowhere, 0, -1, math.MaxInt64} {
		unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error { return second(tx.Links().Get(ctx, id)) })
	}
}

func testTarget(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	added := addAll(t, s, addLink, sampleLink(w, 1), linkBy(w, 1, 1, 1))
	l, other := added[0], added[1] // of another user and advertiser
	beside := links.Target{Link: other, AdvertiserStatus: w.advertisers[1].Status, Provider: w.advertisers[1].Provider}
	equal(t, "targets of none", see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Target, error) { return tx.Links().Targets(ctx, nil) }), []links.Target(nil))
	expect := func(want links.Target) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx links.Tx) error {
			return all(
				func() error { return tx.Links().Update(ctx, want.Link) },
				func() error {
					a := w.advertisers[0]
					a.Status, a.Provider = want.AdvertiserStatus, want.Provider
					return tx.Advertisers().Update(ctx, a)
				},
				func() error {
					u := w.users[0]
					if want.UserSuspended {
						u.SuspendedAt = at(1)
					}
					return tx.Users().Update(ctx, u)
				},
			)
		})
		got := see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Target, error) {
			return tx.Links().Targets(ctx, []int64{other.ID, l.ID, nowhere, l.ID, 0, -1, math.MaxInt64})
		})
		equal(t, "targets", got, []links.Target{want, beside})
	}
	deleted := l
	deleted.DeletedAt = at(2)
	expect(links.Target{Link: l, AdvertiserStatus: affiliate.AdvertiserActive, Provider: "direct"})
	expect(links.Target{Link: l, AdvertiserStatus: affiliate.AdvertiserDeactivated, Provider: "net"})
	expect(links.Target{Link: deleted, AdvertiserStatus: affiliate.AdvertiserActive, Provider: "net", UserSuspended: true})
	expect(links.Target{Link: l, AdvertiserStatus: affiliate.AdvertiserActive, Provider: "direct"})
}

func testLinkList(t *testing.T, s links.Store) {
	type V = links.Link
	type F = links.LinkFilter
	w := newWorld(t, s)
	row := func(user, advertiser, n, created, deleted int) V {
		l := linkBy(w, user, advertiser, n)
		l.OriginalURL, l.CreatedAt = strconv.Itoa(n), at(created)
		if deleted > 0 {
			l.DeletedAt = at(deleted)
		}
		return l
	}
	items := addAll(t, s, addLink, row(0, 0, 1, 9, 0), row(1, 0, 2, 5, 0), row(0, 1, 3, 9, 1), row(0, 0, 4, 1, 2), row(1, 1, 5, 5, 0))
	ids := func(i ...int) []int64 { return idsOf(items, func(v V) int64 { return v.ID }, i...) }
	list := listing[links.Tx, V, F]{
		items: items,
		label: func(v V) string { return v.OriginalURL },
		list: func(ctx context.Context, tx links.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Links().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{UserID: w.users[0].ID}, "1 3 4"},
			{F{UserID: w.users[2].ID}, ""},
			{F{AdvertiserID: w.advertisers[0].ID}, "1 2 4"},
			{F{IDs: ids(4, 2, 2, 0)}, "1 3 5"},
			{F{IDs: []int64{}}, ""},
			{F{Deleted: affiliate.Some(false)}, "1 2 5"},
			{F{Deleted: affiliate.Some(true)}, "3 4"},
		},
		columns: map[string]func(a, b V) int{"created_at": byTime(func(v V) time.Time { return v.CreatedAt })},
	}
	list.check(t, s)
	list.checkMany(t, s, addLink, func(v V, n int) V {
		v.ID, v.Key, v.OriginalURL = 0, links.LinkKey(hash(100+n)), strconv.Itoa(100+n)
		return v
	})
}

func testLinkRace(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	for round := range 4 {
		var winners atomic.Int32
		ids := make([]int64, writers)
		together(t, writers, func(i int) error {
			unit := s.Write
			if i%2 == 1 {
				unit = s.Record
			}
			var added bool
			err := insist(t.Context(), unit, func(ctx context.Context, tx links.Tx) error {
				l, fresh, err := tx.Links().AddOrGet(ctx, sampleLink(w, round))
				ids[i], added = l.ID, fresh
				return err
			})
			if added {
				winners.Add(1)
			}
			return err
		})
		equal(t, "added", winners.Load(), int32(1))
		for _, id := range ids {
			equal(t, "link", id, ids[0])
		}
	}
}
