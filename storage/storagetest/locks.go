package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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
		{"record/what it read stays until it ends", testEditsWait},
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
		if problem := unknown("link_id").problem(unit(t.Context(), func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Links().Lock(ctx, []int64{kept[0].ID, nowhere})
			click := sampleClick(kept[0], 1)
			click.LinkID = nowhere
			return errors.Join(err, tx.Clicks().Add(ctx, click))
		})); problem != "" {
			t.Errorf("%s: a click of a link that Lock did not find: %s", name, problem)
		}
	}
}

// unitsOf are the two kinds of unit that change anything.
func unitsOf(s links.Store) map[string]unitOf[links.Tx] {
	return map[string]unitOf[links.Tx]{"Write": s.Write, "Record": s.Record}
}

// testLockWaits starts a second unit while the first holds the lock, and gives
// it every chance to go on too early. The second is of either kind; a serializable
// one may have to run again.
func testLockWaits(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	for name, unit := range unitsOf(s) {
		n := len(name) // another link each time
		link := addAll(t, s, addLink, sampleLink(w, n))[0]
		testLockOf(t, s, link, n, name)

		counter := []offers.UsageKey{offers.OfferUsage(int64(n))}
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Usage().Add(ctx, usageOf(counter[0], 1, 1)) })
		testLockWithoutChange(t, "the Lock of a counter in a "+name, unit, offers.UserUsage(int64(n), 1), func(ctx context.Context, tx links.Tx) error {
			return second(tx.Usage().Lock(ctx, counter))
		})
		testLockWithoutChange(t, "the Lock of a link in a "+name, unit, offers.UserUsage(int64(n), 2), func(ctx context.Context, tx links.Tx) error {
			return second(tx.Links().Lock(ctx, []int64{link.ID}))
		})
	}
}

// testLockWithoutChange has two units take the same lock. The first changes nothing but a
// counter that it has not locked, and the second sees that.
func testLockWithoutChange[T links.Tx](t *testing.T, what string, unit unitOf[T], other offers.UsageKey, lock func(context.Context, T) error) {
	inTurn(t, what, unit, func(ctx context.Context, tx T) error {
		return errors.Join(lock(ctx, tx), tx.Usage().Add(ctx, usageOf(other, 1, 1)))
	}, unit, func(ctx context.Context, tx T) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		got, err := tx.Usage().Get(ctx, []offers.UsageKey{other})
		if err == nil && got[other].Clicks != 1 {
			err = fmt.Errorf("read %+v after the lock: want what the first unit did", got)
		}
		return err
	})
}

// testLockOf has a Record change a link under its lock, and a unit of the named kind
// lock the link after it.
func testLockOf(t *testing.T, s links.Store, l links.Link, n int, name string) {
	inTurn(t, "the Lock of a "+name, s.Record, func(ctx context.Context, tx links.Tx) error {
		locked, err := tx.Links().Lock(ctx, []int64{l.ID})
		if err != nil {
			return err
		}
		locked[0].Template = "changed"
		return all(
			func() error { return tx.Links().Update(ctx, locked[0]) },
			func() error { return tx.Clicks().Add(ctx, sampleClick(locked[0], n)) },
		)
	}, unitsOf(s)[name], func(ctx context.Context, tx links.Tx) error {
		locked, err := tx.Links().Lock(ctx, []int64{l.ID})
		if err != nil {
			return err
		}
		if locked[0].Template != "changed" {
			return fmt.Errorf("locked %+v: want what the first unit did", locked[0])
		}
		clicks, err := tx.Clicks().List(ctx, links.ClickFilter{LinkID: l.ID}, affiliate.PageRequest{Number: 1, Size: 1})
		if err == nil && clicks.Total != 1 {
			err = errors.New("read after the lock: the click of the first unit is not there")
		}
		return err
	})
}

// unitOf runs a unit, as Write and Record do.
type unitOf[T affiliate.Tx] = func(context.Context, func(ctx context.Context, tx T) error) error

// inTurn runs a unit that stays open until a second one had every chance to do its
// part. The second must wait.
func inTurn[T affiliate.Tx](t *testing.T, what string, first unitOf[T], do func(context.Context, T) error, second unitOf[T], then func(context.Context, T) error) {
	t.Helper()
	var ended, early atomic.Bool
	done := make(chan error, 1)
	start := sync.OnceFunc(func() {
		asking := make(chan struct{})
		go func() {
			close(asking)
			done <- second(t.Context(), func(ctx context.Context, tx T) error {
				err := then(ctx, tx)
				if err == nil && !ended.Load() {
					early.Store(true)
				}
				return err
			})
		}()
		<-asking
	})
	err := first(t.Context(), func(ctx context.Context, tx T) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		start()
		err := lookUntil(done, func() error {
			_, err := tx.Categories().All(ctx)
			return err
		})
		ended.Store(true)
		return err
	})
	if err != nil {
		t.Fatalf("%s: the unit before it: %v", what, err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if early.Load() {
		t.Errorf("%s did not wait for the unit before it", what)
	}
}

// testEditsWait changes what decides about clicks while a unit that read it is open,
// and reads it while a unit that changes it is.
func testEditsWait(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	everyone := []offers.Target{{Kind: offers.TargetEveryone}}
	offer := put(t, s, func(ctx context.Context, tx links.Tx) (offers.Offer, error) {
		o, err := tx.Offers().Add(ctx, sampleOffer(w, 1))
		if err != nil {
			return o, err
		}
		return o, tx.Targets().Set(ctx, o.ID, everyone)
	})
	advertiser, user := w.advertisers[0], w.users[0]
	readOffer := func(ctx context.Context, tx links.Tx) (any, error) {
		return tx.Targets().Serving(ctx, at(0), at(0), []offers.Lookup{{AdvertiserID: advertiser.ID, UserID: user.ID, Targets: everyone}})
	}
	lockOffer := func(ctx context.Context, tx links.Tx, n int) error {
		locked, err := tx.Offers().Lock(ctx, []int64{offer.ID})
		if err != nil {
			return err
		}
		locked[0].MaxClicks = affiliate.Some(int64(n))
		return tx.Offers().Update(ctx, locked[0])
	}
	for what, c := range map[string]struct {
		read func(ctx context.Context, tx links.Tx) (any, error)
		edit func(ctx context.Context, tx links.Tx, n int) error
	}{
		"a change of an advertiser": {
			func(ctx context.Context, tx links.Tx) (any, error) {
				return tx.Advertisers().GetMany(ctx, []int64{advertiser.ID})
			},
			func(ctx context.Context, tx links.Tx, n int) error {
				a := advertiser
				a.Name = fmt.Sprint("advertiser ", n)
				return tx.Advertisers().Update(ctx, a)
			},
		},
		"a change of a user": {
			func(ctx context.Context, tx links.Tx) (any, error) { return tx.Users().GetMany(ctx, []int64{user.ID}) },
			func(ctx context.Context, tx links.Tx, n int) error {
				u := user
				u.DisplayName = fmt.Sprint("user ", n)
				return tx.Users().Update(ctx, u)
			},
		},
		"an entry of a blocklist": {
			func(ctx context.Context, tx links.Tx) (any, error) {
				if _, err := tx.Advertisers().GetMany(ctx, []int64{advertiser.ID}); err != nil {
					return nil, err
				}
				return tx.Blocklist().Naming(ctx, []int64{advertiser.ID}, []int64{w.users[0].ID, w.users[1].ID, w.users[2].ID}, nil, nil)
			},
			func(ctx context.Context, tx links.Tx, n int) error {
				return second(tx.Blocklist().AddMissing(ctx, affiliate.BlocklistEntry{AdvertiserID: advertiser.ID, UserID: w.users[n].ID}))
			},
		},
		"the Lock of an offer that serves": {readOffer, lockOffer},
		"the Lock of an offer that is shared": {
			func(ctx context.Context, tx links.Tx) (any, error) { return tx.Offers().Share(ctx, []int64{offer.ID}) }, lockOffer,
		},
	} {
		put(t, s, c.read) // as a unit that is not a Record, which need not keep it as it is
		inTurn(t, what,
			s.Record, func(ctx context.Context, tx links.Tx) error { return second(c.read(ctx, tx)) },
			s.Write, func(ctx context.Context, tx links.Tx) error { return c.edit(ctx, tx, 1) })
		var got any
		inTurn(t, "a reader after "+what,
			s.Write, func(ctx context.Context, tx links.Tx) error { return c.edit(ctx, tx, 2) },
			s.Record, func(ctx context.Context, tx links.Tx) (err error) {
				got, err = c.read(ctx, tx)
				return err
			})
		equal(t, "read after "+what, got, put(t, s, c.read))
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
