package orders_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// twoProcesses runs a test over two services on the same data: for PostgreSQL
// with connections of their own, as two processes have them.
func twoProcesses(t *testing.T, test func(t *testing.T, w *world, both [2]*orders.Service)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		b := backends.Memory()
		w := newWorld(t, b)
		test(t, w, [2]*orders.Service{w.orders, w.service(b, orders.Options{})})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := backends.Database(t)
		w := newWorld(t, backends.Postgres(t, dsn))
		test(t, w, [2]*orders.Service{w.orders, w.service(backends.Postgres(t, dsn), orders.Options{})})
	})
}

// insist tries again while the backend is too busy.
func insist[V any](call func() (V, error)) (v V, err error) {
	for range 100 {
		if v, err = call(); !errors.Is(err, affiliate.ErrUnavailable) {
			break
		}
	}
	return v, err
}

// together runs calls that begin at the same moment.
func together(n int, call func(i int) error) error {
	var wg sync.WaitGroup
	begin, errs := make(chan struct{}), make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = call(i)
		})
	}
	close(begin)
	wg.Wait()
	return errors.Join(errs...)
}

// The pixel, the beacon and the server tell the same sale, again and again, to
// two processes; some of those who tell it go away in the middle.
func TestAnOrderReportedAtOnceByManyIsOne(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*orders.Service) {
		is := is.New(t)
		c := w.click(w.link)
		const reporters, rounds = 8, 6
		for n := range rounds {
			var added atomic.Int64
			is.NoErr(together(reporters, func(i int) error {
				r := w.sale(strconv.Itoa(n), "100", c)
				if i%4 == 3 {
					r.ClickIDs = nil // a server that knows no click
				}
				if i == 2 { // gone before the answer
					ctx, cancel := context.WithCancel(t.Context())
					go cancel()
					_, _, _ = both[i%2].Report(ctx, r)
					return nil
				}
				outcome, err := insist(func() (orders.Outcome, error) {
					_, outcome, err := both[i%2].Report(t.Context(), r)
					return outcome, err
				})
				if outcome == orders.Added {
					added.Add(1)
				}
				return err
			}))
			is.True(added.Load() <= 1)
		}
		page, err := w.orders.Orders(t.Context(), orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 100})
		is.NoErr(err)
		is.Equal(page.Total, rounds)
		is.Equal(w.total(w.anna).Earned, int64(10+rounds*500)) // one commission each
		is.Equal(w.spent(w.campaign), int64(12+rounds*800))    // one draw on the budget each
		w.verify()
	})
}

func TestOfTwoDifferentReportsAtOnceOneIsRefused(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*orders.Service) {
		is := is.New(t)
		for n := range 6 {
			var refused atomic.Int64
			is.NoErr(together(2, func(i int) error {
				_, err := insist(func() (orders.Order, error) {
					o, _, err := both[i].Report(t.Context(), w.sale(strconv.Itoa(n), strconv.Itoa(100+i)))
					return o, err
				})
				if errors.Is(err, affiliate.ErrConflict) {
					refused.Add(1)
					return nil
				}
				return err
			}))
			is.Equal(refused.Load(), int64(1))
		}
	})
}

// Orders, clicks, refunds and declines pull at one budget at once. It is never
// passed, and at the end it has lost exactly what the ledger says.
func TestABudgetThatOrdersAndClicksShareIsExact(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*orders.Service) {
		is := is.New(t)
		a := w.shop("Tight", "tight.example", "SEK")
		tight := w.offer(a, func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](10_000) })
		l := w.convert(w.anna, "https://tight.example/")
		c := w.click(l)
		var mu sync.Mutex
		hit := func() {
			mu.Lock()
			defer mu.Unlock()
			w.click(l)
		}
		is.NoErr(together(8, func(i int) error {
			for n := range 6 {
				if i == 0 {
					hit()
					continue
				}
				o, err := insist(func() (orders.Order, error) {
					r := w.sale(strconv.Itoa(100*i+n), strconv.Itoa(50+37*n), c)
					r.AdvertiserID = a.ID
					o, _, err := both[i%2].Report(t.Context(), r)
					return o, err
				})
				if err != nil {
					return err
				}
				switch n % 3 {
				case 1:
					_, err = insist(func() (orders.Refund, error) {
						r, _, err := both[(i+1)%2].Refund(t.Context(), o.ID, orders.RefundInput{Reference: "r", Value: affiliate.Some(dec("33.33"))})
						return r, err
					})
				case 2:
					_, err = insist(func() (orders.Order, error) { return both[(i+1)%2].Decline(t.Context(), o.ID) })
				}
				if err != nil {
					return err
				}
			}
			return nil
		}))
		is.True(w.spent(tight) <= 10_000)
		w.verify()
	})
}

func TestRefundsAtOnceNeverTakeMoreThanTheOrder(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*orders.Service) {
		is := is.New(t)
		o := w.report(w.sale("1", "100", w.click(w.link)))
		var refunded atomic.Int64
		is.NoErr(together(8, func(i int) error {
			_, err := insist(func() (orders.Refund, error) {
				r, _, err := both[i%2].Refund(t.Context(), o.ID, orders.RefundInput{Reference: strconv.Itoa(i / 2), Value: affiliate.Some(dec("30"))})
				return r, err
			})
			if err == nil {
				refunded.Add(1)
			}
			if errors.Is(err, affiliate.ErrInvalid) {
				return nil // beyond what is left
			}
			return err
		}))
		is.Equal(refunded.Load(), int64(6)) // three references, each twice
		kept, err := w.orders.Order(t.Context(), o.ID)
		is.NoErr(err)
		is.Equal(kept.Refunded.String(), "90")
		is.Equal(w.total(w.anna).Earned, int64(10+50))
		w.verify()
	})
}

// Another session has added the order and not committed yet: the report waits
// for it, and finds the order known.
func TestAReportWaitsForAFasterOne(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*orders.Service) {
		is := is.New(t)
		type answer struct {
			outcome orders.Outcome
			err     error
		}
		done := make(chan answer, 1)
		start := sync.OnceFunc(func() {
			go func() {
				_, outcome, err := both[1].Report(t.Context(), w.sale("1", "100"))
				done <- answer{outcome, err}
			}()
		})
		is.NoErr(w.b.Orders.Record(t.Context(), func(ctx context.Context, tx orders.Tx) error {
			_, err := tx.Orders().AddMissing(ctx, orders.Order{
				AdvertiserID: w.acme.ID, Number: "1", At: noon, Currency: "SEK", Value: dec("100"),
				Earning: affiliate.NewMoney(0, "SEK"), Cost: affiliate.NewMoney(0, "SEK"), Reason: orders.ReasonUnattributed, HoldUntil: noon, CreatedAt: noon,
			})
			if err != nil {
				return err
			}
			start()
			for range 200 { // it gets every chance to go on too early
				select {
				case a := <-done:
					return errors.New("the report did not wait: " + string(a.outcome))
				default:
					if _, err := tx.Advertisers().Get(ctx, w.acme.ID); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		a := <-done
		is.NoErr(a.err)
		is.Equal(a.outcome, orders.Known)
	})
}
