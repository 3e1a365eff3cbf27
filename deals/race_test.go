package deals_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// twoProcesses runs a test over two services on the same data: for PostgreSQL
// with connections of their own, as two processes have them.
func twoProcesses(t *testing.T, test func(t *testing.T, w *world, both [2]*deals.Service)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		b := backends.Memory()
		w := newWorld(t, b)
		test(t, w, [2]*deals.Service{w.deals, w.service(b, deals.Options{SweepBatch: 7})})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := backends.Database(t)
		w := newWorld(t, backends.Postgres(t, dsn))
		test(t, w, [2]*deals.Service{w.deals, w.service(backends.Postgres(t, dsn), deals.Options{SweepBatch: 7})})
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

func TestADealPostedByTwoProcessesAtOnceIsOne(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*deals.Service) {
		is := is.New(t)
		w.catalog("course")
		const rounds, posters = 5, 6
		for n := range rounds {
			var wg sync.WaitGroup
			begin := make(chan struct{})
			ids, errs := make([]uuid.UUID, posters), make([]error, posters)
			for i := range posters {
				wg.Go(func() {
					<-begin
					d, err := insist(func() (deals.DealDetails, error) {
						return both[i%2].Post(t.Context(), seller, posting(n, deals.Paid))
					})
					ids[i], errs[i] = d.ID, err
				})
			}
			close(begin)
			wg.Wait()
			is.NoErr(errors.Join(errs...))
			is.Equal(len(slices.Compact(ids)), 1) // one deal
		}
		is.Equal(len(w.entries()), rounds) // with one reward each
		pending, _ := w.balance(anna)
		is.Equal(pending, int64(rounds*5_00))
		is.Equal(len(w.events()), 2*rounds) // created and paid, told once
	})
}

// Of two that know a deal by different parameters one is told so.
func TestOfTwoDifferentPostingsAtOnceOneIsRefused(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*deals.Service) {
		is := is.New(t)
		w.catalog("course")
		var wg sync.WaitGroup
		var errs [2]error
		for i := range both {
			wg.Go(func() {
				p := posting(1, deals.Created)
				p.Cost = usd(int64(1000 + i))
				_, errs[i] = insist(func() (deals.DealDetails, error) { return both[i].Post(t.Context(), seller, p) })
			})
		}
		wg.Wait()
		is.True((errs[0] == nil) != (errs[1] == nil))
		lost := 0
		if errs[0] == nil {
			lost = 1
		}
		wantField(t, errs[lost], "cost", "differs")
	})
}

func TestSweepsOfTwoProcessesTellOfEachDealOnce(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*deals.Service) {
		is := is.New(t)
		w.catalog("course")
		const all = 40
		for n := range all {
			must(w.post(posting(n, []deals.Status{deals.Created, deals.Paid}[n%2])))(t)
		}
		w.events()
		w.pass(30 * day)
		var wg sync.WaitGroup
		swept, errs := make([]int, 4), make([]error, 4)
		for i := range swept {
			wg.Go(func() {
				for { // what another sweep has locked is left to it
					n, err := both[i%2].Sweep(t.Context())
					swept[i] += n
					if err != nil && !errors.Is(err, affiliate.ErrUnavailable) {
						errs[i] = err
						return
					}
					if n == 0 && err == nil {
						return
					}
				}
			})
		}
		wg.Wait()
		is.NoErr(errors.Join(errs...))
		is.Equal(swept[0]+swept[1]+swept[2]+swept[3], all)
		told := w.events()
		is.Equal(len(told), all)
		slices.Sort(told)
		is.Equal(len(slices.Compact(told)), 2) // approved and canceled
	})
}

// stopped is a store that the process dies with: after a few units no other is
// committed.
type stopped struct {
	deals.Store
	left int
}

var errKilled = errors.New("killed")

func (s *stopped) Write(ctx context.Context, fn func(context.Context, deals.Tx) error) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx deals.Tx) error {
		err := fn(ctx, tx)
		if s.left--; err == nil && s.left < 0 {
			return errKilled // everything was done, nothing was committed
		}
		return err
	})
}

func TestASweepThatIsKilledLosesNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		const all = 10
		for n := range all {
			must(w.post(posting(n, deals.Created)))(t)
		}
		w.events()
		w.pass(14 * day)
		dying := must(deals.NewService(&stopped{b.Deals, 2}, deals.Options{Clock: w.clock, SweepBatch: 3}))(t)
		n, err := dying.Sweep(t.Context())
		is.True(errors.Is(err, errKilled))
		is.Equal(n, 6) // two units of three
		is.Equal(len(w.events()), 6)
		is.Equal(must(w.deals.Sweep(t.Context()))(t), all-6)
		is.Equal(len(w.events()), all-6)
		is.Equal(must(w.deals.Sweep(t.Context()))(t), 0)
	})
}

func TestRunSweepsUntilItIsStopped(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.catalog("course")
	must(w.post(posting(1, deals.Created)))(t)
	w.pass(14 * day)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.deals.Run(ctx, time.Hour, nil) }()
	for !slices.Contains(w.events(), "deal.canceled") { // it sweeps at once
		runtime.Gosched()
	}
	stop()
	is.NoErr(<-done)
}

// Different deals of one partner draw on one balance, so that units that post
// some at once collide. With a deadline, as requests have one, none of them fails
// for that: it runs again until then.
func TestManyDealsOfOnePartnerArePostedAtOnce(t *testing.T) {
	twoProcesses(t, func(t *testing.T, w *world, both [2]*deals.Service) {
		is := is.New(t)
		w.catalog("course")
		const writers, each = 64, 6
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the machine may be busy
		defer cancel()
		var all sync.WaitGroup
		var failed atomic.Int64
		for i := range writers {
			all.Go(func() {
				for n := range each {
					p := posting(i*each+n, deals.Paid)
					if n%2 == 1 { // by the mark, and not by the code
						p.PromoCode, p.AnotherData = "", "uid=UIDANNA"
					}
					if _, err := both[i%2].Post(ctx, seller, p); err != nil && failed.Add(1) == 1 {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		is.Equal(failed.Load(), int64(0))
		pending, payable := w.balance(anna)
		is.Equal(pending+payable, int64(writers*each*5_00))
		is.Equal(len(w.entries()), writers*each)
	})
}
