package adsync

import (
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Usage is what a service says about how much of an allowance is used up.
type Usage struct {
	Percent float64 // 100: no more calls
	// RegainAfter is when calls are allowed again; 0: the service does not say.
	RegainAfter time.Duration
}

// The bounds of a throttle.
const (
	slowFrom     = 75.0 // percent
	stopAt       = 100.0
	maxThrottled = 10_000 // keys, so that outside ids cannot grow the heap
)

// Throttle keeps calls within the allowance that a service tells of in its
// answers: from 75 % on it spreads the calls, at 100 % it stops them. It is safe
// for concurrent use. Drivers ask it before each call.
//
//	         75 %              100 %
//	free ──────────► slowed ──────────► stopped
//	 ▲                  │                  │
//	 └──────────────────┴──── time ◄───────┘
//
// The pause while it is slowed grows from nothing at 75 % to what the allowance
// bears at 100 %: the cost of a call is learned from the answers.
type Throttle struct {
	clock  affiliate.Clock
	window time.Duration
	mu     sync.Mutex
	keys   map[string]*allowance
}

type allowance struct {
	percent float64
	calls   int     // since percent changed last
	cost    float64 // percent of one call, as learned; 0: not known
	until   time.Time
	noted   time.Time
}

// NewThrottle returns a throttle for allowances that are renewed within a
// window; 0 is an hour.
func NewThrottle(clock affiliate.Clock, window time.Duration) *Throttle {
	if window <= 0 {
		window = time.Hour
	}
	return &Throttle{clock: clock, window: window, keys: map[string]*allowance{}}
}

// Wait returns how long the next call for a key must wait; 0: it may be made.
func (t *Throttle) Wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.keys[key]
	if a == nil {
		return 0
	}
	return max(a.until.Sub(t.clock.Now()), 0)
}

// Note takes down what the answer to a call said.
func (t *Throttle) Note(key string, u Usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	a := t.allowance(key, u.Percent, now)
	a.calls++
	if rise := u.Percent - a.percent; rise > 0 {
		cost := rise / float64(a.calls)
		if a.cost > 0 {
			cost = (cost + a.cost) / 2
		}
		a.cost = cost
	}
	if u.Percent != a.percent {
		a.percent, a.calls = u.Percent, 0
	}
	switch {
	case u.Percent >= stopAt:
		t.stop(a, u.RegainAfter, now)
	case u.Percent > slowFrom:
		bears := time.Duration(a.cost / 100 * float64(t.window)) // between calls that go on for ever
		pause := time.Duration(float64(bears) * (u.Percent - slowFrom) / (stopAt - slowFrom))
		a.until = later(a.until, now.Add(min(pause, t.window/4)))
	}
}

// Stop stops the calls for a key for a while: the service refused one. That says
// nothing about what a call costs.
func (t *Throttle) Stop(key string, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	t.stop(t.allowance(key, 0, now), wait, now)
}

// allowance is that of a key, which is new at a percentage.
func (t *Throttle) allowance(key string, percent float64, now time.Time) *allowance {
	a := t.keys[key]
	if a == nil {
		t.forget(now)
		a = &allowance{percent: percent}
		t.keys[key] = a
	}
	a.noted = now
	return a
}

func (t *Throttle) stop(a *allowance, wait time.Duration, now time.Time) {
	if wait <= 0 {
		wait = t.window / 12
	}
	a.until = later(a.until, now.Add(wait))
}

// forget makes room when there are too many keys.
func (t *Throttle) forget(now time.Time) {
	if len(t.keys) < maxThrottled {
		return
	}
	for key, a := range t.keys {
		if now.Sub(a.noted) > t.window && !a.until.After(now) || len(t.keys) >= 2*maxThrottled {
			delete(t.keys, key)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
