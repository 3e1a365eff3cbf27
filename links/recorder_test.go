package links

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// gate is a commit function that tests hold shut, batch by batch.
type gate struct {
	begun   chan []*pendingClick // a batch has come
	outcome chan error           // what becomes of it
}

func newGate() *gate {
	return &gate{begun: make(chan []*pendingClick), outcome: make(chan error)}
}

func (g *gate) commit(_ context.Context, batch []*pendingClick) error {
	g.begun <- batch
	if err := <-g.outcome; err != nil {
		return err
	}
	keep(batch)
	return nil
}

// keep notes that the clicks are kept.
func keep(batch []*pendingClick) {
	for _, p := range batch {
		p.click.Verdict = VerdictValid
	}
}

func newPending(t *testing.T) *pendingClick {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return &pendingClick{click: Click{ID: id}}
}

// recorded is a click that was answered, with the error of the answer.
type recorded struct {
	click Click
	err   error
}

func (r *groupRecorder) start(ctx context.Context, p *pendingClick) chan recorded {
	done := make(chan recorded, 1)
	go func() {
		err := r.record(ctx, p)
		done <- recorded{p.click, err}
	}()
	return done
}

// awaitWaiting returns when n requests wait behind the leader.
func (r *groupRecorder) awaitWaiting(t *testing.T, n int) {
	t.Helper()
	for {
		if t.Context().Err() != nil {
			t.Fatal("the requests never came")
		}
		r.mu.Lock()
		waiting := len(r.waiting)
		r.mu.Unlock()
		if waiting == n {
			return
		}
	}
}

func TestGroupCommitTakesWhatGathersWhileTheLastBatchCommits(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := &groupRecorder{commit: g.commit}
	first := newPending(t)
	done := []chan recorded{r.start(t.Context(), first)}
	is.Equal(len(<-g.begun), 1) // nothing waits for company

	var want []uuid.UUID
	for range 5 {
		p := newPending(t)
		want = append(want, p.click.ID)
		done = append(done, r.start(t.Context(), p))
	}
	r.awaitWaiting(t, 5)
	g.outcome <- nil

	var got []uuid.UUID
	for _, p := range <-g.begun {
		got = append(got, p.click.ID)
	}
	byBytes := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(got, byBytes)
	slices.SortFunc(want, byBytes)
	is.Equal(got, want) // one batch of all that waited
	g.outcome <- nil
	for _, d := range done {
		res := <-d
		is.NoErr(res.err)
		is.Equal(res.click.Verdict, VerdictValid)
	}
	is.Equal(r.led, false)
}

// Who was alone in the last batch gives way once; who had company waits for
// those who need a moment longer.
func TestALeaderLetsThoseWhoCanRunJoinIt(t *testing.T) {
	is := is.New(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that turns are taken
	joins := func(latest, turns int) bool {
		r := &groupRecorder{latest: latest, waiting: []*pendingClick{newPending(t)}}
		p := newPending(t)
		var late sync.WaitGroup
		late.Go(func() {
			for range turns {
				runtime.Gosched()
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.waiting = append(r.waiting, p)
		})
		r.gather()
		r.mu.Lock()
		joined := len(r.waiting) == 2
		r.mu.Unlock()
		late.Wait()
		return joined
	}
	const tries = 100 // the machine may do something else for longer than a lull, or let a turn go to another
	often := func(latest, turns int) bool {
		n := 0
		for range tries {
			if joins(latest, turns) {
				n++
			}
		}
		return n > tries/4
	}
	is.True(often(0, 0))
	is.True(often(1, 0))
	is.True(!often(1, 3))
	is.True(often(2, 3))
}

func TestGroupCommitIsBoundedAndHandsOnTheLead(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := &groupRecorder{commit: g.commit}
	all := []chan recorded{r.start(t.Context(), newPending(t))}
	<-g.begun
	for range maxBatch + 10 {
		all = append(all, r.start(t.Context(), newPending(t)))
	}
	r.awaitWaiting(t, maxBatch+10)
	g.outcome <- nil
	is.Equal(len(<-g.begun), maxBatch)
	g.outcome <- nil
	is.Equal(len(<-g.begun), 10)
	g.outcome <- nil
	seen := make(map[uuid.UUID]bool)
	for _, d := range all {
		res := <-d
		is.NoErr(res.err)
		is.True(!seen[res.click.ID]) // everyone is answered its own click
		seen[res.click.ID] = true
	}
}

func TestGroupCommitGathersNothingWhileCommitsAreQuick(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := &groupRecorder{commit: g.commit}
	r.quick.Store(patience)
	var done []chan recorded
	for range patience {
		done = append(done, r.start(t.Context(), newPending(t)))
	}
	for range patience {
		is.Equal(len(<-g.begun), 1) // none waits for another
	}
	for start := time.Now(); time.Since(start) < quickCommit; {
	}
	for range patience {
		is.True(r.quick.Load() > 0)
		g.outcome <- nil // to one of them
	}
	for _, d := range done {
		is.NoErr((<-d).err)
	}
	is.Equal(r.quick.Load(), int32(0)) // so many in a row were not
}

func TestGroupCommitGathersBehindABackendThatFailsAtOnce(t *testing.T) {
	is := is.New(t)
	gone := affiliate.Unavailable(errors.New("gone"))
	r := &groupRecorder{commit: func(context.Context, []*pendingClick) error { return gone }}
	r.quick.Store(patience)
	is.True(errors.Is((<-r.start(t.Context(), newPending(t))).err, affiliate.ErrUnavailable))
	is.Equal(r.quick.Load(), int32(0))
}

func TestGroupCommitFindsOutThatCommitsAreQuick(t *testing.T) {
	is := is.New(t)
	r := &groupRecorder{commit: func(context.Context, []*pendingClick) error { return nil }}
	for r.quick.Load() == 0 { // the machine may be busy
		is.NoErr((<-r.start(t.Context(), newPending(t))).err)
	}
}

func TestGroupCommitOutlivesTheRequestThatLeads(t *testing.T) {
	is := is.New(t)
	commitContext := make(chan context.Context, 1)
	r := &groupRecorder{commit: func(ctx context.Context, _ []*pendingClick) error {
		commitContext <- ctx
		return ctx.Err()
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	res := <-r.start(ctx, newPending(t))
	is.NoErr(res.err) // kept all the same
	_, bounded := (<-commitContext).Deadline()
	is.True(bounded) // yet not for ever
}

func TestWaiterThatGoesAwayIsNotRecorded(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := &groupRecorder{commit: g.commit}
	leader := r.start(t.Context(), newPending(t))
	<-g.begun
	ctx, cancel := context.WithCancel(t.Context())
	gone := r.start(ctx, newPending(t))
	r.awaitWaiting(t, 1)
	cancel()
	res := <-gone
	is.True(errors.Is(res.err, context.Canceled))
	is.True(errors.Is(res.err, affiliate.ErrUnavailable))
	g.outcome <- nil
	is.NoErr((<-leader).err)
	is.Equal(r.led, false) // nobody was told to lead
	next := r.start(t.Context(), newPending(t))
	is.Equal(len(<-g.begun), 1)
	g.outcome <- nil
	is.NoErr((<-next).err)
}

func TestClickThatCannotBeKeptTakesNoOtherWithIt(t *testing.T) {
	is := is.New(t)
	bad := newPending(t)
	refused := errors.New("refused")
	commit := func(_ context.Context, batch []*pendingClick) error {
		if slices.Contains(batch, bad) {
			return refused
		}
		keep(batch)
		return nil
	}
	var batch []*pendingClick
	for i := range 7 {
		p := newPending(t)
		if i == 4 {
			p = bad
		}
		batch = append(batch, p)
	}
	commitClicks(t.Context(), commit, batch)
	for i, p := range batch {
		is.Equal(p.err != nil, i == 4)
		is.Equal(p.click.Verdict == VerdictValid, i != 4)
	}
}

func TestDeadBackendIsAskedOncePerBatch(t *testing.T) {
	is := is.New(t)
	calls := 0
	commit := func(context.Context, []*pendingClick) error {
		calls++
		return affiliate.Unavailable(errors.New("gone"))
	}
	batch := []*pendingClick{newPending(t), newPending(t), newPending(t)}
	commitClicks(t.Context(), commit, batch)
	is.Equal(calls, 1)
	for _, p := range batch {
		is.True(errors.Is(p.err, affiliate.ErrUnavailable))
	}
}

func TestPanicInACommitReleasesThoseWhoWait(t *testing.T) {
	is := is.New(t)
	g := newGate()
	panics := true
	var mu sync.Mutex
	r := &groupRecorder{}
	r.commit = func(ctx context.Context, batch []*pendingClick) error {
		err := g.commit(ctx, batch)
		mu.Lock()
		defer mu.Unlock()
		if panics {
			panics = false
			panic("boom")
		}
		return err
	}
	crashed := make(chan any)
	go func() {
		defer func() { crashed <- recover() }()
		err := r.record(t.Context(), newPending(t))
		crashed <- fmt.Errorf("no panic, but %v", err)
	}()
	<-g.begun
	waits := r.start(t.Context(), newPending(t))
	r.awaitWaiting(t, 1)
	g.outcome <- nil
	is.Equal(<-crashed, "boom")
	is.Equal(len(<-g.begun), 1)
	g.outcome <- nil
	is.NoErr((<-waits).err)
}

func TestAsyncCountsWhatItLosesAndDrainsWhenItStops(t *testing.T) {
	is := is.New(t)
	var kept []uuid.UUID
	bad := newPending(t)
	r := newRecorder(Options{Clicks: Async, ClickQueue: 3}, func(_ context.Context, batch []*pendingClick) error {
		for _, p := range batch {
			if p.click.ID == bad.click.ID {
				return errors.New("refused")
			}
		}
		for _, p := range batch {
			kept = append(kept, p.click.ID)
		}
		keep(batch)
		return nil
	}, func(context.Context, int64) (Target, error) { return Target{}, nil })
	a, b := newPending(t), newPending(t)
	all := []*pendingClick{a, bad, b, newPending(t), newPending(t)}
	for _, p := range all {
		is.NoErr(r.record(t.Context(), p))
	}
	is.Equal(r.dropped(), int64(2)) // the queue holds three
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	is.NoErr(r.run(stopped))
	is.Equal(kept, []uuid.UUID{a.click.ID, b.click.ID})
	is.Equal(r.dropped(), int64(3)) // and the refused one
	for _, p := range all {
		is.Equal(p.click.Verdict, Verdict("")) // it was answered before anything was known
	}
}
