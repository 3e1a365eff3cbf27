package move_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/move"
)

var errDown = errors.New("the database is down")

// faulty is a store whose n-th Write fails: before it begins, after its commit, of
// which nobody is told, or because the caller's context ends in it.
type faulty struct {
	move.Store
	at     int
	fault  string
	cancel context.CancelFunc
	writes int
}

func (s *faulty) Write(ctx context.Context, fn func(ctx context.Context, tx move.Tx) error) error {
	s.writes++
	if s.writes != s.at {
		return s.Store.Write(ctx, fn)
	}
	switch s.fault {
	case "lost":
		return errors.Join(s.Store.Write(ctx, fn), affiliate.Unavailable(errDown))
	case "cancelled":
		return s.Store.Write(ctx, func(ctx context.Context, tx move.Tx) error {
			err := fn(ctx, tx)
			s.cancel()
			return err
		})
	}
	return affiliate.Unavailable(errDown)
}

// owed fails when the target owes a creator something that was earned before the move.
func owed(t *testing.T, m *market, there *place) {
	t.Helper()
	for _, u := range m.users {
		for _, at := range []time.Time{m.now, m.now.AddDate(0, 0, -20), m.now.AddDate(0, 0, 30)} {
			there.now = at
			balances, err := there.Core.Balances(t.Context(), affiliate.UserAccount(u.ID))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range balances {
				if at.After(m.now.AddDate(0, 0, -1)) && (!b.Payable.IsZero() || !b.Pending.IsZero()) {
					t.Errorf("%s has %s and %s pending at %s: it is paid where it was booked", u.Username, b.Payable, b.Pending, at)
				}
			}
		}
		there.now = m.now
	}
}

// An import is stopped at each of its units, in three ways, and called again.
func TestAnImportThatWasStoppedGoesOn(t *testing.T) {
	m := newMarket(t, inMemory(t))
	file, exported := m.export(t, move.ExportOptions{People: true})
	for _, fault := range []string{"down", "lost", "cancelled"} {
		stopped := 0
		for at := 1; ; at++ {
			is := is.New(t)
			there := inMemory(t)
			there.now = m.now
			ctx, cancel := context.WithCancel(t.Context())
			store := &faulty{Store: there.db.Moves(), at: at, fault: fault, cancel: cancel}
			o := move.ImportOptions{AddMissing: true, Clock: there.clock, Batch: 7}
			_, err := move.Import(ctx, store, bytes.NewReader(file), o)
			if store.writes < at { // there are no more units
				is.NoErr(err)
				break
			}
			stopped++
			if !errors.Is(err, affiliate.ErrUnavailable) {
				t.Fatalf("%s at unit %d: got %v", fault, at, err)
			}
			shop, err := there.Core.AdvertisersByID(t.Context(), []int64{m.shop.ID})
			is.NoErr(err)
			if len(shop) > 0 && shop[0].Status != affiliate.AdvertiserDeactivated {
				t.Fatalf("%s at unit %d: the advertiser takes part", fault, at)
			}
			o.Batch = []int{7, 3, 1000}[at%3]
			again, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
			if err != nil {
				t.Fatalf("%s at unit %d, again: %v", fault, at, err)
			}
			is.Equal(again, exported)
			verified(t, fmt.Sprintf("%s at unit %d", fault, at), there)
			owed(t, m, there)
			before, err := there.Core.Totals(t.Context(), "", "", 100)
			is.NoErr(err)
			third, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
			is.NoErr(err)
			is.Equal(third, exported)
			after, err := there.Core.Totals(t.Context(), "", "", 100)
			is.NoErr(err)
			is.Equal(after, before) // of all that is done nothing is done again
		}
		if stopped < 20 {
			t.Errorf("%s: stopped at %d units: fewer than there are", fault, stopped)
		}
	}
}

// Two imports of one export at once: one of them is told, and nothing is doubled.
func TestTwoImportsOfOneExport(t *testing.T) {
	is := is.New(t)
	m := newMarket(t, inMemory(t))
	file, exported := m.export(t, move.ExportOptions{People: true})
	there := inMemory(t)
	there.now = m.now
	o := move.ImportOptions{AddMissing: true, Clock: there.clock, Batch: 7}
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := move.Import(context.WithoutCancel(t.Context()), there.db.Moves(), bytes.NewReader(file), o)
			failed <- err
		}()
	}
	for range 2 {
		if err := <-failed; err != nil && !errors.Is(err, affiliate.ErrConflict) {
			t.Error(err)
		}
	}
	got, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
	is.NoErr(err)
	is.Equal(got, exported)
	verified(t, "after both", there)
	owed(t, m, there)
}
