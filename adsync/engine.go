package adsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// EngineOptions set up an Engine. Without Drivers every job parks.
type EngineOptions struct {
	Drivers []Driver // at most one of each service
	// Clock is what times are taken from; default: affiliate.SystemClock.
	Clock affiliate.Clock
	// Batch is how many jobs a worker takes at once, 1..MaxLease; default: 200.
	Batch int
	// Lease is how long a worker has for a batch; default: 5 minutes. Jobs of a
	// worker that was killed are free after it.
	Lease time.Duration
	// Attempts is how often a failing job is tried before it parks; default: 10.
	Attempts int
	// MinBackoff and MaxBackoff bound the pause after a failure, which doubles
	// each time; defaults: 10 seconds and 1 hour.
	MinBackoff, MaxBackoff time.Duration
	// Idle is how long Run waits when no job is due; default: 2 seconds.
	Idle time.Duration
	// Wait waits, or returns the context's error; default: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Jitter returns a number in [0, 1); default: math/rand/v2.
	Jitter func() float64
	// Observe is told of each batch. It must be quick and safe for concurrent use.
	Observe func(Report)
	// Tracer begins a span for each batch, and one for each of its calls of a
	// driver. Default: none.
	Tracer affiliate.Tracer
	// Failed is told of the errors that Run goes on after: the store's.
	Failed func(error)
}

func (o EngineOptions) defaults() (EngineOptions, error) {
	setDefault(&o.Batch, 200)
	setDefault(&o.Lease, 5*time.Minute)
	setDefault(&o.Attempts, 10)
	setDefault(&o.MinBackoff, 10*time.Second)
	setDefault(&o.MaxBackoff, time.Hour)
	setDefault(&o.Idle, 2*time.Second)
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Observe == nil {
		o.Observe = func(Report) {}
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	switch {
	case o.Batch < 1 || o.Batch > MaxLease:
		return o, fmt.Errorf("adsync: Batch must be between 1 and %d", MaxLease)
	case o.Lease < time.Second, o.Attempts < 1, o.MinBackoff < 0, o.MaxBackoff < o.MinBackoff, o.Idle < 0:
		return o, errors.New("adsync: Lease must be at least a second, Attempts 1, and the pauses not negative and in order")
	}
	return o, nil
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// wait is EngineOptions.Wait by a timer.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Report says what became of a batch of jobs, or of several.
type Report struct {
	Leased    int // jobs taken
	Created   int // objects at the services
	Updated   int
	Removed   int
	Unchanged int // jobs that had nothing to do
	Pending   int // jobs that a service works on
	Waiting   int // jobs that wait, for an allowance or for their parent
	Retried   int // jobs that failed and are tried again
	Parked    int // jobs that need a person
	Lost      int // jobs whose lease had ended before the worker was done
}

// Done returns how many jobs came to their end.
func (r Report) Done() int { return r.Created + r.Updated + r.Removed + r.Unchanged }

func (r *Report) add(o Report) {
	r.Leased += o.Leased
	r.Created += o.Created
	r.Updated += o.Updated
	r.Removed += o.Removed
	r.Unchanged += o.Unchanged
	r.Pending += o.Pending
	r.Waiting += o.Waiting
	r.Retried += o.Retried
	r.Parked += o.Parked
	r.Lost += o.Lost
}

// Engine brings services in step with the records. It is safe for concurrent
// use, and any number of engines may work on one store, also in other processes.
type Engine struct {
	store   Store
	drivers map[AdService]Driver
	o       EngineOptions

	mu     sync.Mutex
	paused map[string]time.Time // ad accounts that their service told to wait
	total  Report
}

// NewEngine returns an engine over a store. It is the operator's: it works for
// all accounts.
func NewEngine(store Store, o EngineOptions) (*Engine, error) {
	if store == nil {
		return nil, errors.New("adsync: NewEngine needs a store")
	}
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{store: store, drivers: map[AdService]Driver{}, o: o, paused: map[string]time.Time{}}
	for _, d := range o.Drivers {
		if d == nil {
			return nil, errors.New("adsync: a driver is nil")
		}
		if e.drivers[d.Service()] != nil {
			return nil, fmt.Errorf("adsync: two drivers for %s", d.Service())
		}
		e.drivers[d.Service()] = d
	}
	return e, nil
}

// Run works until the context ends, and returns nil then. What fails is told to
// Failed and tried again. It may be killed at any point: its jobs are leased
// again when their lease ends.
func (e *Engine) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		r, err := e.step(ctx, "")
		pause := e.o.Idle
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failures++
			e.o.Failed(err)
			pause = max(e.backoff(failures), e.o.Idle)
		default:
			failures = 0
			if r.Leased > 0 {
				continue // there may be more
			}
		}
		if e.o.Wait(ctx, pause) != nil {
			return nil
		}
	}
	return nil
}

// RunOnce works off all jobs that are due, and returns what became of them. Jobs
// that are to be tried later stay queued.
func (e *Engine) RunOnce(ctx context.Context) (Report, error) { return e.drain(ctx, "") }

func (e *Engine) drain(ctx context.Context, adAccountID string) (Report, error) {
	var sum Report
	for {
		r, err := e.step(ctx, adAccountID)
		sum.add(r)
		if err != nil || r.Leased == 0 {
			return sum, err
		}
	}
}

// Totals returns the sum of what became of all batches of this engine.
func (e *Engine) Totals() Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

// step works on one batch.
func (e *Engine) step(ctx context.Context, adAccountID string) (Report, error) {
	b, err := e.lease(ctx, adAccountID)
	if err != nil || len(b.tasks) == 0 {
		return Report{}, err
	}
	var span affiliate.Span
	if e.o.Tracer != nil {
		ctx, span = e.o.Tracer.Start(ctx, affiliate.SpanInternal, "adsync.batch", slog.Int("affiliatekit.jobs", len(b.tasks)))
		defer span.End()
	}
	e.send(ctx, b)
	r, err := e.settle(ctx, b)
	if span != nil {
		affiliate.FailSpan(span, err)
	}
	r.Leased = len(b.tasks)
	e.mu.Lock()
	e.total.add(r)
	e.mu.Unlock()
	e.o.Observe(r)
	return r, err
}

// pauseAdAccount leaves the jobs of an ad account alone for a while.
func (e *Engine) pauseAdAccount(id string, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if until.After(e.paused[id]) {
		e.paused[id] = until
	}
}

// pausedAdAccounts returns the ad accounts that are left alone now.
func (e *Engine) pausedAdAccounts(now time.Time) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id, until := range e.paused {
		if until.After(now) {
			ids = append(ids, id)
		} else {
			delete(e.paused, id)
		}
	}
	return ids
}

// backoff returns the pause after a number of failures, at least half of it
// random, so that many workers do not come back at once.
func (e *Engine) backoff(failures int) time.Duration {
	d := e.o.MaxBackoff
	if n := failures - 1; n < 30 {
		d = min(e.o.MinBackoff<<n, d)
	}
	return d/2 + time.Duration(float64(d/2)*e.o.Jitter())
}

// Progress is how far the sync of an account or an ad account is.
type Progress struct {
	Queued int // jobs that wait for their time or their parent
	Leased int // jobs that a worker has
	Parked int // jobs that need a person
}

// Progress returns how many jobs there are; of all accounts or ad accounts
// where an id is empty.
func (e *Engine) Progress(ctx context.Context, accountID, adAccountID string) (Progress, error) {
	return affiliate.Read(ctx, e.store, func(ctx context.Context, tx Tx) (Progress, error) {
		var p Progress
		for state, n := range map[JobState]*int{JobQueued: &p.Queued, JobLeased: &p.Leased, JobParked: &p.Parked} {
			page, err := tx.SyncJobs().List(ctx, JobFilter{AccountID: accountID, AdAccountID: adAccountID, State: state}, affiliate.PageRequest{Number: 1, Size: 1})
			if err != nil {
				return p, err
			}
			*n = int(page.Total)
		}
		return p, nil
	})
}

// newToken names a lease.
func newToken() (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", affiliate.Unavailable(err)
	}
	return id.String(), nil
}
