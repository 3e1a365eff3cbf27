package links

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
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
type commitFunc = gather.RunFunc[*pendingClick]

// targetsFunc reads where links lead.
type targetsFunc = gather.RunFunc[*pendingTarget]

func newRecorder(o Options, commit commitFunc, targets targetsFunc) recorder {
	switch o.Clicks {
	case Sync:
		return &syncRecorder{commit: commit}
	case Async:
		return &asyncRecorder{
			commit: commit, targets: gather.NewGroup(maxBatch, gather.Timeout, targets),
			parameter: o.ClickParameter, queue: make(chan *pendingClick, o.ClickQueue),
		}
	}
	return groupRecorder{gather.NewGroup(maxBatch, gather.Timeout, commit)}
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
	return p.Err
}

func (r *syncRecorder) run(ctx context.Context) error { <-ctx.Done(); return nil }
func (r *syncRecorder) dropped() int64                { return 0 }

// groupRecorder commits together the clicks that come at once.
type groupRecorder struct{ clicks *gather.Group[*pendingClick] }

func (r groupRecorder) record(ctx context.Context, p *pendingClick) error { return r.clicks.Do(ctx, p) }
func (r groupRecorder) run(ctx context.Context) error                     { <-ctx.Done(); return nil }
func (r groupRecorder) dropped() int64                                    { return 0 }

// asyncRecorder queues clicks for one goroutine, the one in run. Where the links
// of requests that come at once lead is read together.
type asyncRecorder struct {
	commit    commitFunc
	targets   *gather.Group[*pendingTarget]
	parameter string // that carries the click id
	queue     chan *pendingClick
	lost      atomic.Int64
}

func (r *asyncRecorder) record(ctx context.Context, p *pendingClick) error {
	t := pendingTarget{linkID: p.click.LinkID}
	if err := r.targets.Do(ctx, &t); err != nil {
		return err
	}
	p.to = t.target.location(r.parameter, p.click.ID.String())
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gather.Timeout)
	defer cancel()
	gather.Run(ctx, r.commit, batch)
	for _, p := range batch {
		if p.Err != nil {
			r.lost.Add(1)
		}
	}
}
