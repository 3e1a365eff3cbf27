package orders_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// heldStore counts the units of intake, and holds the first one until it is released.
type heldStore struct {
	orders.Store
	came, units atomic.Int64
	release     chan struct{}
}

func (s *heldStore) Nested(ctx context.Context) bool {
	s.came.Add(1)
	return s.Store.Nested(ctx)
}

func (s *heldStore) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	if s.units.Add(1) == 1 {
		<-s.release
	}
	return s.Store.Record(ctx, fn)
}

// holdFirst is a service whose first unit, the one of an order of its own, is held
// until the store releases it; reported then has what Report returned.
func holdFirst(w *world, b storagetest.Backend) (s *orders.Service, held *heldStore, reported <-chan error) {
	w.t.Helper()
	held = &heldStore{Store: b.Orders, release: make(chan struct{})}
	b.Orders = held
	s = w.service(b, orders.Options{})
	done := make(chan error, 1)
	go func() {
		_, _, err := s.Report(w.t.Context(), w.sale("first", "100"))
		done <- err
	}()
	for held.units.Load() == 0 {
		runtime.Gosched()
	}
	return s, held, done
}

// What comes while a commit is under way shares the next one, and still each
// caller has its own answer: a stranger to the advertiser, one that tells a known
// order, and one that tells it with another value.
func TestOrdersReportedAtOnceShareUnits(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		rival := w.shop("Rival", "rival.example", "SEK")
		click := w.click(w.link)
		held := &heldStore{Store: b.Orders, release: make(chan struct{})}
		b.Orders = held
		s := w.service(b, orders.Options{})
		stranger := s.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{rival.ID}}))

		const orderly = 40
		reports := []func() (orders.Order, orders.Outcome, error){
			func() (orders.Order, orders.Outcome, error) {
				return stranger.Report(t.Context(), w.sale("theirs", "100", click))
			},
			func() (orders.Order, orders.Outcome, error) {
				return s.Report(t.Context(), w.sale("bad \x00 number", "100", click))
			},
		}
		for i := range orderly {
			for range 2 { // each twice
				reports = append(reports, func() (orders.Order, orders.Outcome, error) {
					return s.Report(t.Context(), w.sale("order "+strconv.Itoa(i), "100", click))
				})
			}
		}
		outcomes, errs := make([]orders.Outcome, len(reports)), make([]error, len(reports))
		var wg sync.WaitGroup
		for i, report := range reports {
			wg.Go(func() { _, outcomes[i], errs[i] = report() })
		}
		for held.came.Load() < int64(len(reports)) {
			runtime.Gosched()
		}
		close(held.release)
		wg.Wait()

		is.True(errors.Is(errs[0], affiliate.ErrNotFound))
		is.True(errors.Is(errs[1], affiliate.ErrInvalid))
		count := map[orders.Outcome]int{}
		for i := 2; i < len(reports); i++ {
			is.NoErr(errs[i])
			count[outcomes[i]]++
		}
		is.Equal(count, map[orders.Outcome]int{orders.Added: orderly, orders.Known: orderly})
		if units := held.units.Load(); units > int64(len(reports))/4 {
			t.Errorf("%d reports that came at once took %d units", len(reports), units)
		}
		_, outcome, err := s.Report(t.Context(), w.sale("order 1", "99", click))
		is.True(errors.Is(err, affiliate.ErrConflict))
		is.Equal(outcome, orders.Refused)
		w.verify()
	})
}

// A report whose context carries a unit is of that unit, whoever else reports at
// the time: in a joint one it is kept or undone with the rest, in any other it is
// refused.
func TestAnOrderIsKeptWithTheUnitOfItsContext(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		s, held, first := holdFirst(w, b)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		undo := errors.New("undo")
		err := affiliate.Join(ctx, b.Core, func(ctx context.Context, _ affiliate.Tx) error {
			_, outcome, err := s.Report(ctx, w.sale("undone", "100"))
			is.NoErr(err)
			is.Equal(outcome, orders.Added)
			return undo
		})
		is.True(errors.Is(err, undo))
		err = b.Core.Write(ctx, func(ctx context.Context, _ affiliate.Tx) error {
			_, _, err := s.Report(ctx, w.sale("nested", "100"))
			return err
		})
		is.True(errors.Is(err, affiliate.ErrNested))

		close(held.release)
		is.NoErr(<-first)
		_, outcome, err := s.Report(t.Context(), w.sale("undone", "100"))
		is.NoErr(err)
		is.Equal(outcome, orders.Added)
	})
}

// Whoever goes away before its report was taken up has reported nothing.
func TestAReportThatIsGivenUpWhileItWaitsIsInNoUnit(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		s, held, first := holdFirst(w, b)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, outcome, err := s.Report(ctx, w.sale("given up", "100"))
		is.True(errors.Is(err, affiliate.ErrUnavailable) && errors.Is(err, context.Canceled))
		is.Equal(outcome, orders.Refused)
		close(held.release)
		is.NoErr(<-first)
		is.Equal(held.units.Load(), int64(1))
	})
}

// slowRates knows a rate only once it is released.
type slowRates struct {
	asked, release chan struct{}
}

func (r slowRates) Rate(context.Context, affiliate.Currency, affiliate.Currency, time.Time) (decimal.Decimal, error) {
	close(r.asked)
	<-r.release
	return dec("11.25"), nil
}

// Rates may come from a slow remote service. Who reports in the advertiser's own
// currency does not wait for one that shares its unit.
func TestNobodyWaitsForTheRateOfAnotherOrder(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		click := w.click(w.link)
		held := &heldStore{Store: b.Orders, release: make(chan struct{})}
		b.Orders = held
		slow := slowRates{make(chan struct{}), make(chan struct{})}
		s := w.service(b, orders.Options{Rates: slow})
		report := func(number string, c affiliate.Currency) chan orders.Order {
			done := make(chan orders.Order, 1)
			go func() {
				r := w.sale(number, "10", click)
				r.Currency = c
				o, _, err := s.Report(t.Context(), r)
				is.NoErr(err)
				done <- o
			}()
			return done
		}
		first := report("first", "SEK")
		for held.units.Load() == 0 {
			runtime.Gosched()
		}
		foreign, own := report("foreign", "EUR"), report("own", "SEK")
		for held.came.Load() < 3 {
			runtime.Gosched()
		}
		close(held.release)
		<-slow.asked
		for name, done := range map[string]chan orders.Order{"first": first, "own": own} {
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s waits for the rate of another order", name)
			}
		}
		close(slow.release)
		is.Equal((<-foreign).Earning.Minor(), int64(562)) // 10 EUR at 11.25, 5 %
		w.verify()
	})
}
