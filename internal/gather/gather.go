// Package gather lets one of the requests that come at once do the work of all
// of them: clicks that are committed in one unit, links that are read in one. It
// is for the services of this module, and for those of a host that are alike.
//
// While the work is slow, whoever comes waits for the run that is under way, and
// all that have gathered by then are the next run. While it is quick, as in
// memory, nothing gathers: each request does its own.
package gather

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Call is the part of a request that a Group knows. A request embeds it.
type Call struct {
	// Err is what Do returns to the request. A run sets it for a request that
	// fails alone.
	Err error

	wake    chan struct{} // closed when it is settled, or is to lead
	settled bool          // it is known what became of it
	leads   bool          // its request leads, or has been told to
}

func (c *Call) call() *Call { return c }

// Caller is a pointer to a struct that embeds Call.
type Caller interface{ call() *Call }

// RunFunc works a batch off, all or none.
type RunFunc[T Caller] func(ctx context.Context, batch []T) error

// Group lets one of the waiting requests, the leader, run for all, and then
// hands the lead to the first that has come meanwhile. It is safe for concurrent
// use.
type Group[T Caller] struct {
	work    RunFunc[T]
	most    int           // how many requests one run has at most
	timeout time.Duration // of one run

	quick atomic.Int32 // above 0: runs are quick. Counts how many slow ones in a row are still forgiven before requests gather.

	mu      sync.Mutex
	waiting []T
	led     bool // somebody leads, or has been told to
	latest  int  // how many requests the latest run had
}

// Timeout is what the services of this module give a run that many requests wait
// for.
const Timeout = 30 * time.Second

// NewGroup returns a group whose runs have at most the given number of requests
// and end after the timeout. A run does not end with the request that happens to
// lead it.
func NewGroup[T Caller](most int, timeout time.Duration, run RunFunc[T]) *Group[T] {
	return &Group[T]{work: run, most: most, timeout: timeout}
}

const (
	// A run is quick when it is faster than waking a few goroutines. Units in
	// memory are; those over a socket are not.
	quickRun = 200 * time.Microsecond
	// patience is how many runs in a row may take longer, since now and then
	// something else does: the garbage collector, a page of the list of clicks.
	patience = 3
	// A leader lets others run before it begins, until nobody has come for the
	// time of a lull, and gatherFor at most.
	lull      = 50 * time.Microsecond
	gatherFor = time.Millisecond
)

// Do returns when a run has worked the request off, with its error. A context
// that ends before a run has taken the request up is ErrUnavailable, and the
// request is then in none.
func (g *Group[T]) Do(ctx context.Context, request T) error {
	c := request.call()
	if g.quick.Load() > 0 {
		if err := g.timed(ctx, []T{request}); err != nil {
			return err
		}
		return c.Err
	}
	g.mu.Lock()
	if c.leads = !g.led; !c.leads {
		c.wake = make(chan struct{})
	}
	g.led = true
	g.waiting = append(g.waiting, request)
	g.mu.Unlock()
	if c.wake != nil {
		select {
		case <-c.wake:
		case <-ctx.Done():
			if g.leave(c) {
				return affiliate.Unavailable(ctx.Err())
			}
			<-c.wake // its run is under way, or it is to lead: both end soon
		}
	}
	if c.leads {
		g.lead(ctx)
	}
	return c.Err
}

// leave takes a request out that nobody has taken up yet.
func (g *Group[T]) leave(c *Call) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.IndexFunc(g.waiting, func(w T) bool { return w.call() == c }); i >= 0 && !c.leads {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return true
	}
	return false
}

// lead runs what waits, the leader's own request with it.
func (g *Group[T]) lead(ctx context.Context) {
	defer g.handOn() // also when the run panics
	g.gather()
	g.mu.Lock()
	n := min(len(g.waiting), g.most)
	g.latest = n
	batch := g.waiting[:n:n]
	g.waiting = slices.Clone(g.waiting[n:])
	g.mu.Unlock()
	defer tell(batch)
	// The leader may go away; those who wait for it must not pay for that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.timeout)
	defer cancel()
	Run(ctx, g.timed, batch)
}

// gather lets run whoever can, as long as that brings more requests. Those who
// were in the last run have just been woken and may be about to come again:
// without this, whoever came a moment too late for it would be nearly alone in
// the next one, at nearly the same cost. A request that was alone in the last
// run does not wait.
func (g *Group[T]) gather() {
	start := time.Now()
	for came, before, now := start, 0, start; now.Sub(start) < gatherFor; now = time.Now() {
		g.mu.Lock()
		waiting, latest := len(g.waiting), g.latest
		g.mu.Unlock()
		switch {
		case waiting >= g.most:
			return
		case waiting > before:
			came, before = now, waiting
		case latest < 2 || now.Sub(came) >= lull:
			return
		}
		runtime.Gosched()
	}
}

// timed notes whether runs are quick. A failed run never counts as quick,
// however fast it failed: gathering keeps many requests from each asking a dead
// backend.
func (g *Group[T]) timed(ctx context.Context, batch []T) error {
	start := time.Now()
	err := g.work(ctx, batch)
	switch left := g.quick.Load(); {
	case err != nil:
		g.quick.Store(0)
	case time.Since(start) < quickRun:
		if left != patience {
			g.quick.Store(patience)
		}
	case left > 0:
		g.quick.Add(-1)
	}
	return err
}

// tell wakes those whose request is settled, and in a panic those of whom
// nobody knows.
func tell[T Caller](batch []T) {
	for _, request := range batch {
		c := request.call()
		if !c.settled {
			c.Err = errAborted
		}
		if !c.leads {
			close(c.wake)
		}
	}
}

// handOn makes the first of those who wait the leader, if there is one.
func (g *Group[T]) handOn() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.led = len(g.waiting) > 0; g.led {
		next := g.waiting[0].call()
		next.leads = true
		close(next.wake)
	}
}

var errAborted = errors.New("the run was aborted")

// Run works a batch off and notes in each call what became of it. When the batch
// is refused for good, each half is tried alone, so that a request which cannot
// be done takes no other with it.
func Run[T Caller](ctx context.Context, run RunFunc[T], batch []T) {
	if len(batch) == 0 {
		return
	}
	err := run(ctx, batch)
	if err != nil && len(batch) > 1 && !errors.Is(err, affiliate.ErrUnavailable) {
		half := len(batch) / 2
		Run(ctx, run, batch[:half])
		Run(ctx, run, batch[half:])
		return
	}
	for _, request := range batch {
		c := request.call()
		c.settled = true
		if err != nil {
			c.Err = err
		}
	}
}
