package adsync_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func vehicleOf(reference, title string) adsync.ItemInput {
	in := vehicle(reference)
	in.Title = adsync.Sent(title)
	return in
}

// Callers who share a unit each get what they would get alone.
func TestCallersAtOnceHaveTheirOwnResults(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		unknown, bad := vehicle("x"), vehicle("bad")
		unknown.ID = uuid.NewString()
		bad.Link = adsync.Sent("not a link")
		got := w.operator.SaveTogether(ctx,
			adsync.Saver{By: w.acme, In: vehicleOf("a", "first")},
			adsync.Saver{By: w.bolt, In: vehicleOf("a", "of bolt")},
			adsync.Saver{By: w.acme, In: bad},
			adsync.Saver{By: w.acme, In: vehicleOf("a", "second")},
			adsync.Saver{By: w.acme, In: unknown},
			adsync.Saver{By: w.as("acme", true), In: vehicleOf("a", "with credentials for tests")},
			adsync.Saver{By: w.as("nobody", false), In: vehicleOf("a", "of nobody")},
			adsync.Saver{By: w.tester, In: vehicleOf("a", "of the test account")},
		)
		is.Equal(results(got), []string{
			"new a first", "new a of bolt", "validation_failed; link invalid_url", "a second", "not_found", "test_credentials", "account_not_registered", "new a of the test account",
		})
		is.Equal(got[0].Item.ID, got[3].Item.ID)
		is.Equal(got[0].Item.Title, "first")
		is.Equal(got[3].Item.Title, "second")
		titles := func(s *adsync.Service) (out []string) {
			for _, i := range must(s.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items {
				out = append(out, i.ReferenceID+" "+i.Title)
			}
			return out
		}
		is.Equal(titles(w.acme), []string{"a second"})
		is.Equal(titles(w.bolt), []string{"a of bolt"})
		is.Equal(titles(w.tester), []string{"a of the test account"})
		is.Equal(w.jobs("acme"), "item v1") // the catalog of 1234567890, once
		is.Equal(w.jobs("test"), "")
	})
}

// Many callers, some of one item: each item is made once, nothing is lost, and
// what is refused takes nothing with it.
func TestItemsSavedAtOnce(t *testing.T) {
	const callers, rounds = 8, 20
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		var wg sync.WaitGroup
		errs, created := make([]error, callers), make([]int, callers)
		for c := range callers {
			wg.Go(func() {
				for n := range rounds {
					own, shared, bad := vehicle(fmt.Sprintf("own-%d-%d", c, n)), vehicleOf(fmt.Sprint("shared-", n), fmt.Sprint("of ", c)), vehicle("bad")
					bad.Link = adsync.Sent("not a link")
					_, made, err := w.acme.SaveItem(ctx, own)
					if err == nil && !made {
						err = errors.New("the own item was there")
					}
					errs[c] = errors.Join(errs[c], err)
					i, made, err := w.acme.SaveItem(ctx, shared)
					if err == nil && i.Title != shared.Title.Value {
						err = fmt.Errorf("got the item %q", i.Title)
					}
					errs[c] = errors.Join(errs[c], err)
					if made {
						created[c]++
					}
					if _, _, err := w.acme.SaveItem(ctx, bad); !errors.Is(err, affiliate.ErrInvalid) {
						errs[c] = errors.Join(errs[c], fmt.Errorf("the bad item: %w", err))
					}
				}
			})
		}
		wg.Wait()
		is.NoErr(errors.Join(errs...))
		sum := 0
		for _, n := range created {
			sum += n
		}
		is.Equal(sum, rounds)
		is.Equal(len(must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{Size: 1000}))(t).Items), callers*rounds+rounds)
	})
}

// gatedStore tells of each Write that it is about to begin, and how to let it.
type gatedStore struct {
	adsync.Store
	writes chan func()
}

func (s gatedStore) Write(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	open := make(chan struct{})
	s.writes <- func() { close(open) }
	<-open
	return s.Store.Write(ctx, fn)
}

// Who goes away before a unit has taken the item up has saved nothing; who goes
// away later is told what became of it.
func TestACallerWhoGoesAwayLosesNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		gated := gatedStore{b.AdSync, make(chan func())}
		s := must(adsync.NewService(gated, adsync.Options{Clock: w.clock}))(t).ForAccount("acme")
		save := func(ctx context.Context, reference string) chan error {
			done := make(chan error, 1)
			go func() {
				_, _, err := s.SaveItem(ctx, vehicle(reference))
				done <- err
			}()
			return done
		}
		ctx, leave := context.WithCancel(t.Context())
		taken := save(ctx, "taken")
		begin := <-gated.writes
		waiting := save(ctx, "waiting") // behind the unit that has begun
		leave()
		is.True(errors.Is(<-waiting, affiliate.ErrUnavailable))
		begin()
		is.NoErr(<-taken)
		found := must(w.acme.Items(t.Context(), adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items
		is.Equal(len(found), 1)
		is.Equal(found[0].ReferenceID, "taken")
	})
}

// In a unit of its own a caller is in no other's, and waits for none.
func TestAnItemSavedInAUnitIsInThat(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is, w, undone := is.New(t), newWorld(t, b), errors.New("undone")
		gated := gatedStore{b.AdSync, make(chan func())}
		s := must(adsync.NewService(gated, adsync.Options{Clock: w.clock}))(t).ForAccount("acme")
		other := make(chan error, 1)
		go func() {
			_, _, err := s.SaveItem(t.Context(), vehicle("other"))
			other <- err
		}()
		begin := <-gated.writes // the other caller's unit has not ended before this one's has
		err := affiliate.Join(t.Context(), b.AdSync, func(ctx context.Context, _ adsync.Tx) error {
			mine := make(chan error, 1)
			go func() {
				_, _, err := s.SaveItem(ctx, vehicle("mine"))
				mine <- err
			}()
			(<-gated.writes)()
			is.NoErr(<-mine)
			return undone
		})
		is.True(errors.Is(err, undone))
		begin()
		is.NoErr(<-other)
		found := must(w.acme.Items(t.Context(), adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items
		is.Equal(len(found), 1)
		is.Equal(found[0].ReferenceID, "other")
	})
}
