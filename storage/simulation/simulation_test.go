package simulation

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

const turns = 120 // of one market

// live runs the market of a seed.
func live(seed uint64, b bug) (*sim, error) {
	s, err := newSim(seed, b)
	if err == nil {
		err = s.run(turns)
	}
	return s, err
}

// A failure names the seed: live(seed, noBug) shows it again.
func TestMarketsKeepTheirPromises(t *testing.T) {
	var next, clicks, orders, refunds, items, delivered atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed <= seeds && !t.Failed(); seed = next.Add(1) {
				s, err := live(uint64(seed), noBug)
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
					return
				}
				clicks.Add(int64(len(s.clicks)))
				orders.Add(int64(len(s.booked)))
				refunds.Add(int64(len(s.refunds)))
				items.Add(int64(len(s.items)))
				delivered.Add(int64(len(s.delivered)))
			}
		})
	}
	workers.Wait()
	t.Logf("%d clicks, %d orders, %d refunds, %d items, %d events", clicks.Load(), orders.Load(), refunds.Load(), items.Load(), delivered.Load())
	if min(clicks.Load(), orders.Load(), refunds.Load(), items.Load(), delivered.Load()) < seeds {
		t.Error("hardly anything happens: the promises were not tried")
	}
}

func TestASeedHasOneHistory(t *testing.T) {
	for seed := range uint64(5) {
		one, err1 := live(seed, noBug)
		two, err2 := live(seed, noBug)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if one.trace.String() != two.trace.String() {
			t.Errorf("seed %d has two histories:\n%s\n%s", seed, &one.trace, &two.trace)
		}
	}
}

// What the simulation is for: mistakes of a backend that it must find.
func TestMistakesOfABackendAreFound(t *testing.T) {
	for _, b := range []bug{droppedLock, lostEvent, doubledRetry} {
		t.Run(string(b), func(t *testing.T) {
			var w *wrong
			for seed := range uint64(20) {
				_, err := live(seed, b)
				if errors.As(err, &w) {
					t.Logf("seed %d: %v", seed, err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			t.Error("20 markets did not notice")
		})
	}
}
