package links

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ClickMode says how sure a click is kept when its redirect is answered.
type ClickMode uint8

// The click modes.
const (
	// GroupCommit: committed before the answer, many clicks in one unit. What
	// gathers while one unit commits is the next; nothing waits for a timer.
	GroupCommit ClickMode = iota
	// Sync: committed before the answer, each click in a unit of its own.
	Sync
	// Async: queued before the answer and committed soon after. A full queue
	// or the end of the process loses clicks; the lost ones are counted.
	Async
)

// String is the mode's name: "group", "sync", "async".
func (m ClickMode) String() string { return [...]string{"group", "sync", "async"}[m] }

// maxBatch bounds the clicks of one unit.
const maxBatch = 512

// recorder keeps clicks, and answers what became of one: its click has no
// verdict yet when it is only queued.
type recorder interface {
	record(ctx context.Context, p pendingClick) (recorded, error)
	run(ctx context.Context) error
	dropped() int64
}

// commitFunc keeps a batch, all or none, and answers what became of each click.
type commitFunc func(ctx context.Context, batch []pendingClick) ([]recorded, error)

// targetFunc reads where a link leads.
type targetFunc func(ctx context.Context, linkID int64) (Target, error)

func newRecorder(o Options, commit commitFunc, target targetFunc) recorder {
	switch o.Clicks {
	case Sync:
		return &syncRecorder{commit: commit}
	case Async:
		return &asyncRecorder{commit: commit, target: target, queue: make(chan pendingClick, o.ClickQueue)}
	}
	return &groupRecorder{commit: commit}
}

type syncRecorder struct{ commit commitFunc }

func (r *syncRecorder) record(ctx context.Context, p pendingClick) (recorded, error) {
	out, err := r.commit(ctx, []pendingClick{p})
	if err != nil {
		return recorded{}, err
	}
	return out[0], out[0].err
}

func (r *syncRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *syncRecorder) dropped() int64                { return 0 }

// groupRecorder lets one of the waiting requests, the leader, commit for all.
// It goes on while others wait, though not for longer than leadFor once its own
// click is kept, and hands the lead to the first that still waits.
type groupRecorder struct {
	commit commitFunc

	mu      sync.Mutex
	waiting []*waiter
	spare   []*waiter // the list of the batch before, to be used again; the leader's
	led     bool      // somebody leads, or has been told to
}

// leadFor bounds what leading costs the request that does it. A backend that
// commits in microseconds would lose more by waking another leader for each
// batch; one that takes milliseconds changes leaders every time.
const leadFor = time.Millisecond

type waiter struct {
	pending pendingClick
	out     recorded
	done    bool // out says what became of it
	lead    bool // it leads, or has been told to
	wake    chan struct{}
}

func (r *groupRecorder) record(ctx context.Context, p pendingClick) (recorded, error) {
	w := &waiter{pending: p}
	r.mu.Lock()
	if w.lead = !r.led; !w.lead {
		w.wake = make(chan struct{})
	}
	r.led = true
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()
	if w.wake != nil {
		select {
		case <-w.wake:
		case <-ctx.Done():
			if r.leave(w) {
				return recorded{}, affiliate.Unavailable(ctx.Err())
			}
			<-w.wake // its batch is being committed, or it is to lead: both end soon
		}
	}
	if w.lead {
		r.lead(ctx)
	}
	return w.out, w.out.err
}

// leave takes a waiter out that nobody has taken up yet.
func (r *groupRecorder) leave(w *waiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.waiting, w); i >= 0 && !w.lead {
		r.waiting = slices.Delete(r.waiting, i, i+1)
		return true
	}
	return false
}

// lead commits batch after batch, the leader's own click in the first.
func (r *groupRecorder) lead(ctx context.Context) {
	// The leader may go away; those who wait for it must not pay for that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	defer r.handOn() // also when a commit panics
	for start := time.Now(); r.commitNext(ctx) && time.Since(start) < leadFor; {
	}
}

// commitNext commits what waits and tells everyone in it; false when nobody did.
func (r *groupRecorder) commitNext(ctx context.Context) bool {
	r.mu.Lock()
	batch := r.waiting
	n := min(len(batch), maxBatch)
	r.waiting = append(r.spare[:0], batch[n:]...)
	r.mu.Unlock()
	defer func() {
		tell(batch[:n])
		clear(batch)
		r.spare = batch[:0]
	}()
	commitWaiters(ctx, r.commit, batch[:n])
	return n > 0
}

// tell wakes those whose click is kept or refused, and in a panic those of
// whom nobody knows.
func tell(batch []*waiter) {
	for _, w := range batch {
		if !w.done {
			w.out.err = errAborted
		}
		if !w.lead {
			close(w.wake)
		}
	}
}

// handOn makes the first of those who wait the leader, if there is one.
func (r *groupRecorder) handOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.led = len(r.waiting) > 0; r.led {
		next := r.waiting[0]
		next.lead = true
		close(next.wake)
	}
}

var errAborted = errors.New("links: the recording was aborted")

// commitWaiters commits a batch. When it is refused for good, each half is
// tried alone, so that a click which cannot be kept takes no other with it.
func commitWaiters(ctx context.Context, commit commitFunc, batch []*waiter) {
	if len(batch) == 0 {
		return
	}
	pending := make([]pendingClick, len(batch))
	for i, w := range batch {
		pending[i] = w.pending
	}
	out, err := commit(ctx, pending)
	switch {
	case err == nil:
		for i, w := range batch {
			w.out, w.done = out[i], true
		}
	case len(batch) > 1 && !errors.Is(err, affiliate.ErrUnavailable):
		half := len(batch) / 2
		commitWaiters(ctx, commit, batch[:half])
		commitWaiters(ctx, commit, batch[half:])
	default:
		for _, w := range batch {
			w.out, w.done = recorded{err: err}, true
		}
	}
}

func (r *groupRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *groupRecorder) dropped() int64                { return 0 }

// asyncRecorder queues clicks for one goroutine, the one in run.
type asyncRecorder struct {
	commit commitFunc
	target targetFunc
	queue  chan pendingClick
	lost   atomic.Int64
}

func (r *asyncRecorder) record(ctx context.Context, p pendingClick) (recorded, error) {
	target, err := r.target(ctx, p.click.LinkID)
	if err != nil {
		return recorded{}, err
	}
	select {
	case r.queue <- p:
	default:
		r.lost.Add(1)
	}
	return recorded{target: target}, nil
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
func (r *asyncRecorder) flush(ctx context.Context, first pendingClick) {
	batch := append(make([]*waiter, 0, maxBatch), &waiter{pending: first})
	for len(batch) < maxBatch {
		select {
		case p := <-r.queue:
			batch = append(batch, &waiter{pending: p})
			continue
		default:
		}
		break
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	commitWaiters(ctx, r.commit, batch)
	for _, w := range batch {
		if w.out.err != nil {
			r.lost.Add(1)
		}
	}
}
