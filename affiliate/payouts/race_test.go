package payouts_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// oneSeries numbers the invoices of all users together, so that every unit
// wants the same counter.
func oneSeries(o *payouts.Options) {
	o.Series = func(affiliate.User) string { return "ALL" }
	o.Batch = 3
}

// crowd gives n users something to be paid.
func (w *world) crowd(n int) {
	w.t.Helper()
	for i := range n {
		u := w.user(fmt.Sprintf("user%d", i), w.network.ID)
		w.earn(u, affiliate.EntryClick, sek(int64(20_000+i)), "2026-03-10")
	}
}

// paidOnce fails the test unless n users have one payment each, and the numbers
// of one series are 1 to n.
func (w *world) paidOnce(n int) {
	w.t.Helper()
	list := w.payments(payouts.PaymentFilter{Period: march})
	w.Equal(len(list), n)
	users, numbers := make(map[int64]bool), make(map[string]bool)
	for _, p := range list {
		users[p.UserID], numbers[p.InvoiceNumber] = true, true
	}
	w.Equal(len(users), n)
	for i := range n {
		if number := fmt.Sprintf("ALL-%05d", i+1); !numbers[number] {
			w.t.Errorf("the invoice number %s is missing", number)
		}
	}
	w.verified()
}

// insist runs until the backend lets it through.
func insist(ctx context.Context, s *payouts.Service) error {
	for {
		_, err := s.Run(ctx, payouts.RunInput{Period: march, Invoice: true})
		if !errors.Is(err, affiliate.ErrUnavailable) {
			return err
		}
	}
}

func TestRunsAtOncePayEachUserOnce(t *testing.T) {
	const users, runs = 20, 4
	test := func(t *testing.T, b storagetest.Backend, other func() storagetest.Backend) {
		w := newWorld(t, b, oneSeries)
		w.crowd(users)
		errs := make([]error, runs)
		var wg sync.WaitGroup
		for i := range runs {
			s := w.service(oneSeries)
			if i%2 == 1 {
				second := *w
				second.b = other()
				s = second.service(oneSeries)
			}
			wg.Go(func() { errs[i] = insist(t.Context(), s) })
		}
		wg.Wait()
		w.NoErr(errors.Join(errs...))
		w.paidOnce(users)
	}
	t.Run("memory", func(t *testing.T) {
		b := backends.Memory()
		test(t, b, func() storagetest.Backend { return b })
	})
	t.Run("postgres", func(t *testing.T) { // two handles, as two processes have them
		dsn := backends.Database(t)
		test(t, backends.Postgres(t, dsn), func() storagetest.Backend { return backends.Postgres(t, dsn) })
	})
}

// stopped is a store whose nth unit fails at its end, after all that it did.
type stopped struct {
	payouts.Store
	left int
}

var errStopped = errors.New("stopped")

func (s *stopped) Write(ctx context.Context, fn func(context.Context, payouts.Tx) error) error {
	s.left--
	if s.left > 0 {
		return s.Store.Write(ctx, fn)
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx payouts.Tx) error {
		return errors.Join(fn(ctx, tx), errStopped)
	})
}

func TestARunThatStopsAnywhereIsFinishedByTheNext(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, oneSeries)
		w.crowd(10)
		for n := 1; n <= 4; n++ {
			dying := *w
			dying.b.Payouts = &stopped{b.Payouts, n}
			_, err := dying.service(oneSeries).Run(t.Context(), payouts.RunInput{Period: march, Invoice: true})
			if n < 4 && !errors.Is(err, errStopped) {
				t.Fatalf("run %d: got %v, want it stopped", n, err)
			}
			w.verified()
		}
		w.NoErr(insist(t.Context(), w.payouts))
		w.paidOnce(10)
	})
}

// The environment of a process that only runs the payouts of a database.
const victimDSN = "PAYOUTS_TEST_VICTIM_DSN"

// TestVictim is another process of the tests below. By itself it does nothing.
func TestVictim(t *testing.T) {
	dsn := os.Getenv(victimDSN)
	if dsn == "" {
		return
	}
	w := &world{t: t, b: backends.Postgres(t, dsn)}
	s, err := payouts.NewService(w.b.Payouts, payouts.Options{Series: func(affiliate.User) string { return "ALL" }, Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("unit")
	_, err = s.Run(t.Context(), payouts.RunInput{Period: march, Invoice: true, Progress: func(payouts.RunResult) { fmt.Println("unit") }})
	if err != nil && !errors.Is(err, affiliate.ErrUnavailable) {
		t.Fatal(err)
	}
}

func newVictim(t *testing.T, dsn string) *exec.Cmd {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$", "-test.v")
	victim.Env = append(os.Environ(), victimDSN+"="+dsn)
	return victim
}

func TestProcessesAtOncePayEachUserOnce(t *testing.T) {
	const users = 60
	dsn := backends.Database(t)
	w := newWorld(t, backends.Postgres(t, dsn), oneSeries)
	w.crowd(users)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if out, err := newVictim(t, dsn).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	w.NoErr(insist(t.Context(), w.payouts)) // a process may have been refused by the other
	w.paidOnce(users)
}

// Processes are killed, without a chance to clean up, after a random number of
// units: wherever the next one is then.
func TestARunThatIsKilledIsFinishedByTheNext(t *testing.T) {
	const users, kills = 120, 50
	dsn := backends.Database(t)
	w := newWorld(t, backends.Postgres(t, dsn), oneSeries)
	w.crowd(users)
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		victim := newVictim(t, dsn)
		out, err := victim.StdoutPipe()
		w.NoErr(err)
		w.NoErr(victim.Start())
		lines := bufio.NewScanner(out)
		for left := 1 + random.IntN(3); left > 0 && lines.Scan(); {
			if lines.Text() == "unit" {
				left--
			}
		}
		w.NoErr(victim.Process.Kill())
		_ = victim.Wait() // killed, as it should be
	}
	w.verified()
	w.NoErr(insist(t.Context(), w.payouts))
	w.paidOnce(users)
}
