package links

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
		return &asyncRecorder{commit: commit, target: target, queue: make(chan *pendingClick, o.ClickQueue)}
	}
	return &groupRecorder{commit: commit}
}

type syncRecorder struct{ commit commitFunc }

func (r *syncRecorder) record(ctx context.Context, p *pendingClick) error {
	if err := r.commit(ctx, []*pendingClick{p}); err != nil {
		return err
	}
	return p.err
}

func (r *syncRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *syncRecorder) dropped() int64                { return 0 }

// groupRecorder lets one of the waiting requests, the leader, commit for all.
// It goes on while others wait, though not for longer than leadFor once its own
// click is kept, and hands the lead to the first that still waits. While the
// backend commits in no time each request commits its own click.
type groupRecorder struct {
	commit commitFunc
	quick  atomic.Bool // the last commit was

	mu      sync.Mutex
	waiting []*pendingClick
	led     bool // somebody leads, or has been told to

	// The leader's.
	spare   []*pendingClick // the list of the batch before, to be used again
	bounded context.Context // until when leaders may commit
	end     context.CancelFunc
	renewAt time.Time
}

const (
	// leadFor bounds what leading costs the request that does it.
	leadFor = time.Millisecond
	// A commit is quick when it takes less than a few others to be woken. One in
	// memory does, also in a queue; none that asks a database over a socket.
	quickCommit = 200 * time.Microsecond
)

func (r *groupRecorder) record(ctx context.Context, p *pendingClick) error {
	if r.quick.Load() {
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

// lead commits batch after batch, the leader's own click in the first.
func (r *groupRecorder) lead(ctx context.Context) {
	defer r.handOn() // also when a commit panics
	start := r.gather()
	ctx = r.outliving(ctx, start)
	for r.commitNext(ctx) && time.Since(start) < leadFor {
	}
}

// gather lets run whoever can, as long as that brings more clicks, for at most
// leadFor. Those who were in the last batch run now and may be about to come
// again: without this, whoever came a moment too late for it would be nearly
// alone in the next one, at nearly the same cost. It answers the time.
func (r *groupRecorder) gather() time.Time {
	start := time.Now()
	now := start
	for before := 0; now.Sub(start) < leadFor; now = time.Now() {
		r.mu.Lock()
		waiting := len(r.waiting)
		r.mu.Unlock()
		if waiting == before || waiting >= maxBatch {
			break
		}
		before = waiting
		runtime.Gosched()
	}
	return now
}

// outliving is the leader's context without its end, since the leader may go
// away and those who wait for it must not pay for that. It ends after
// flushTimeout at the earliest and twice that at the latest: leaders share one
// timer, which would cost as much as a commit in memory.
func (r *groupRecorder) outliving(ctx context.Context, now time.Time) context.Context {
	if now.After(r.renewAt) {
		if r.end != nil {
			r.end() // nobody leads but the caller
		}
		r.bounded, r.end = context.WithTimeout(context.Background(), 2*flushTimeout)
		r.renewAt = now.Add(flushTimeout)
	}
	return leading{r.bounded, ctx}
}

// leading ends with its own context, and has the values of the leader's.
type leading struct {
	context.Context
	leader context.Context
}

// Value asks the context that ends first: package context finds by it how to
// be told of the end.
func (l leading) Value(key any) any {
	if v := l.Context.Value(key); v != nil {
		return v
	}
	return l.leader.Value(key)
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
	if n == 0 {
		return false
	}
	commitClicks(ctx, r.commitTimed, batch[:n])
	return true
}

func (r *groupRecorder) commitTimed(ctx context.Context, batch []*pendingClick) error {
	start := time.Now()
	err := r.commit(ctx, batch)
	if quick := time.Since(start) < quickCommit; quick != r.quick.Load() {
		r.quick.Store(quick)
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
	commit commitFunc
	target targetFunc
	queue  chan *pendingClick
	lost   atomic.Int64
}

func (r *asyncRecorder) record(ctx context.Context, p *pendingClick) (err error) {
	if p.target, err = r.target(ctx, p.click.LinkID); err != nil {
		return err
	}
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
