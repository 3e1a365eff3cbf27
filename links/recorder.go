package links

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ClickMode says how durable a click is when its redirect is answered.
type ClickMode uint8

// The click modes.
const (
	// GroupCommit: committed before the answer, many clicks in one unit. What
	// gathers while one unit commits is the next. A click that comes alone waits
	// for nothing; after a batch of several, the next batch waits up to 1 ms for
	// stragglers. Where commits take no time, as in memory, nothing gathers.
	GroupCommit ClickMode = iota
	// Sync: committed before the answer, each click in a unit of its own.
	Sync
	// Async: queued before the answer and committed soon after. A full queue
	// or the end of the process loses clicks; the lost ones are counted. Follow
	// refuses to queue a click in a transaction of the host's (ErrNested).
	Async
)

// String is the mode's name: "group", "sync", "async".
func (m ClickMode) String() string { return [...]string{"group", "sync", "async"}[m] }

// maxBatch bounds the clicks of one unit.
const maxBatch = 512

// recorder keeps clicks. What became of one stands in it afterwards; a click
// that is only queued has no verdict yet.
type recorder interface {
	record(ctx context.Context, p *pendingClick) error
	run(ctx context.Context) error
	dropped() int64
}

// commitFunc keeps a batch, all or none, and notes in each click what became of it.
type commitFunc func(ctx context.Context, batch []*pendingClick) error

// targetFunc reads where a link leads.
type targetFunc func(ctx context.Context, linkID int64) (Target, error)

func newRecorder(o Options, commit commitFunc, target targetFunc) recorder {
	switch o.Clicks {
	case Sync:
		return &syncRecorder{commit: commit}
	case Async:
		return &asyncRecorder{commit: commit, target: target, parameter: o.ClickParameter, queue: make(chan *pendingClick, o.ClickQueue)}
	}
	return &groupRecorder{commit: commit}
}

// newHostedRecorder is for a transaction of the host's, which one goroutine uses.
func newHostedRecorder(o Options, commit commitFunc) recorder {
	if o.Clicks == Async {
		return hostedRecorder{}
	}
	return &syncRecorder{commit: commit}
}

// hostedRecorder refuses every click.
type hostedRecorder struct{}

var errHosted = fmt.Errorf("links: a click that is recorded asynchronously cannot be a part of a transaction: %w", affiliate.ErrNested)

func (hostedRecorder) record(context.Context, *pendingClick) error { return errHosted }
func (hostedRecorder) run(ctx context.Context) error               { <-ctx.Done(); return nil }
func (hostedRecorder) dropped() int64                              { return 0 }

type syncRecorder struct{ commit commitFunc }

func (r *syncRecorder) record(ctx context.Context, p *pendingClick) error {
	if err := r.commit(ctx, []*pendingClick{p}); err != nil {
		return err
	}
	return p.err
}

func (r *syncRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *syncRecorder) dropped() int64                { return 0 }

// groupRecorder lets one of the waiting requests, the leader, commit for all,
// and then hands the lead to the first that has come meanwhile. While commits
// are quick each request commits its own click.
type groupRecorder struct {
	commit commitFunc
	quick  atomic.Int32 // above 0: commits are quick. Counts how many slow ones in a row are still forgiven before requests gather.

	mu      sync.Mutex
	waiting []*pendingClick
	led     bool // somebody leads, or has been told to
	latest  int  // how many clicks the latest batch had
}

const (
	// A commit is quick when it is faster than waking a few goroutines. Commits in
	// memory are; commits over a socket are not.
	quickCommit = 200 * time.Microsecond
	// patience is how many commits in a row may take longer, since now and then
	// something else does: the garbage collector, a page of the list of clicks.
	patience = 3
	// A leader lets others run before it commits, until nobody has come for the
	// time of a lull, and gatherFor at most.
	lull      = 50 * time.Microsecond
	gatherFor = time.Millisecond
)

func (r *groupRecorder) record(ctx context.Context, p *pendingClick) error {
	if r.quick.Load() > 0 {
		if err := r.commitTimed(ctx, []*pendingClick{p}); err != nil {
			return err
		}
		return p.err
	}
	r.mu.Lock()
	if p.leads = !r.led; !p.leads {
		p.wake = make(chan struct{})
	}
	r.led = true
	r.waiting = append(r.waiting, p)
	r.mu.Unlock()
	if p.wake != nil {
		select {
		case <-p.wake:
		case <-ctx.Done():
			if r.leave(p) {
				return affiliate.Unavailable(ctx.Err())
			}
			<-p.wake // its batch is being committed, or it is to lead: both end soon
		}
	}
	if p.leads {
		r.lead(ctx)
	}
	return p.err
}

// leave takes a click out that nobody has taken up yet.
func (r *groupRecorder) leave(p *pendingClick) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.waiting, p); i >= 0 && !p.leads {
		r.waiting = slices.Delete(r.waiting, i, i+1)
		return true
	}
	return false
}

// lead commits what waits, the leader's own click with it.
func (r *groupRecorder) lead(ctx context.Context) {
	defer r.handOn() // also when the commit panics
	r.gather()
	r.mu.Lock()
	n := min(len(r.waiting), maxBatch)
	r.latest = n
	batch := r.waiting[:n:n]
	r.waiting = slices.Clone(r.waiting[n:])
	r.mu.Unlock()
	defer tell(batch)
	// The leader may go away; those who wait for it must not pay for that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	commitClicks(ctx, r.commitTimed, batch)
}

// gather lets run whoever can, as long as that brings more clicks. Those who
// were in the last batch have just been woken and may be about to come again:
// without this, whoever came a moment too late for it would be nearly alone in
// the next one, at nearly the same cost. A request that was alone in the last
// commit does not wait.
func (r *groupRecorder) gather() {
	start := time.Now()
	for came, before, now := start, 0, start; now.Sub(start) < gatherFor; now = time.Now() {
		r.mu.Lock()
		waiting, latest := len(r.waiting), r.latest
		r.mu.Unlock()
		switch {
		case waiting >= maxBatch:
			return
		case waiting > before:
			came, before = now, waiting
		case latest < 2 || now.Sub(came) >= lull:
			return
		}
		runtime.Gosched()
	}
}

// commitTimed notes whether commits are quick. A failed commit never counts as
// quick, however fast it failed: batching keeps many requests from each asking a
// dead backend.
func (r *groupRecorder) commitTimed(ctx context.Context, batch []*pendingClick) error {
	start := time.Now()
	err := r.commit(ctx, batch)
	switch left := r.quick.Load(); {
	case err != nil:
		r.quick.Store(0)
	case time.Since(start) < quickCommit:
		if left != patience {
			r.quick.Store(patience)
		}
	case left > 0:
		r.quick.Add(-1)
	}
	return err
}

// tell wakes those whose click is kept or refused, and in a panic those of
// whom nobody knows.
func tell(batch []*pendingClick) {
	for _, p := range batch {
		if !p.settled {
			p.err = errAborted
		}
		if !p.leads {
			close(p.wake)
		}
	}
}

// handOn makes the first of those who wait the leader, if there is one.
func (r *groupRecorder) handOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.led = len(r.waiting) > 0; r.led {
		next := r.waiting[0]
		next.leads = true
		close(next.wake)
	}
}

var errAborted = errors.New("links: the recording was aborted")

// commitClicks commits a batch. When it is refused for good, each half is
// tried alone, so that a click which cannot be kept takes no other with it.
func commitClicks(ctx context.Context, commit commitFunc, batch []*pendingClick) {
	if len(batch) == 0 {
		return
	}
	err := commit(ctx, batch)
	if err != nil && len(batch) > 1 && !errors.Is(err, affiliate.ErrUnavailable) {
		half := len(batch) / 2
		commitClicks(ctx, commit, batch[:half])
		commitClicks(ctx, commit, batch[half:])
		return
	}
	for _, p := range batch {
		p.settled = true
		if err != nil {
			p.err = err
		}
	}
}

func (r *groupRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *groupRecorder) dropped() int64                { return 0 }

// asyncRecorder queues clicks for one goroutine, the one in run.
type asyncRecorder struct {
	commit    commitFunc
	target    targetFunc
	parameter string // that carries the click id
	queue     chan *pendingClick
	lost      atomic.Int64
}

func (r *asyncRecorder) record(ctx context.Context, p *pendingClick) error {
	t, err := r.target(ctx, p.click.LinkID)
	if err != nil {
		return err
	}
	p.to = t.location(r.parameter, p.click.ID.String())
	queued := *p // p is the request's
	select {
	case r.queue <- &queued:
	default:
		r.lost.Add(1)
	}
	return nil
}

func (r *asyncRecorder) dropped() int64 { return r.lost.Load() }

func (r *asyncRecorder) run(ctx context.Context) error {
	for {
		select {
		case p := <-r.queue:
			r.flush(ctx, p)
		case <-ctx.Done():
			return r.drain(ctx)
		}
	}
}

// drain commits what still waits when the service stops.
func (r *asyncRecorder) drain(ctx context.Context) error {
	for {
		select {
		case p := <-r.queue:
			r.flush(ctx, p)
		default:
			return nil
		}
	}
}

// flush commits one click and what has gathered behind it.
func (r *asyncRecorder) flush(ctx context.Context, first *pendingClick) {
	batch := append(make([]*pendingClick, 0, maxBatch), first)
	for len(batch) < maxBatch {
		select {
		case p := <-r.queue:
			batch = append(batch, p)
			continue
		default:
		}
		break
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	commitClicks(ctx, r.commit, batch)
	for _, p := range batch {
		if p.err != nil {
			r.lost.Add(1)
		}
	}
}
