package links

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// gate is a commit function that tests hold shut, batch by batch.
type gate struct {
	begun   chan []pendingClick // a batch has come
	outcome chan error          // what becomes of it
}

func newGate() *gate {
	return &gate{begun: make(chan []pendingClick), outcome: make(chan error)}
}

func (g *gate) commit(_ context.Context, batch []pendingClick) ([]Click, error) {
	g.begun <- batch
	if err := <-g.outcome; err != nil {
		return nil, err
	}
	return validClicks(batch), nil
}

func validClicks(batch []pendingClick) []Click {
	clicks := make([]Click, len(batch))
	for i, p := range batch {
		clicks[i] = p.click
		clicks[i].Verdict = VerdictValid
	}
	return clicks
}

func newPending(t *testing.T) pendingClick {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return pendingClick{click: Click{ID: id}}
}

type recorded struct {
	click affiliate.Optional[Click]
	err   error
}

func (r *groupRecorder) start(ctx context.Context, p pendingClick) chan recorded {
	done := make(chan recorded, 1)
	go func() {
		c, err := r.record(ctx, p)
		done <- recorded{c, err}
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
		is.Equal(res.click.Value.Verdict, VerdictValid)
	}
	is.Equal(r.led, false)
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
		is.True(!seen[res.click.Value.ID]) // everyone is answered its own click
		seen[res.click.Value.ID] = true
	}
}

func TestGroupCommitOutlivesTheRequestThatLeads(t *testing.T) {
	is := is.New(t)
	commitContext := make(chan context.Context, 1)
	r := &groupRecorder{commit: func(ctx context.Context, batch []pendingClick) ([]Click, error) {
		commitContext <- ctx
		return validClicks(batch), ctx.Err()
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
	commit := func(_ context.Context, batch []pendingClick) ([]Click, error) {
		for _, p := range batch {
			if p.click.ID == bad.click.ID {
				return nil, refused
			}
		}
		return validClicks(batch), nil
	}
	var batch []*waiter
	for i := range 7 {
		p := newPending(t)
		if i == 4 {
			p = bad
		}
		batch = append(batch, &waiter{pending: p})
	}
	commitWaiters(t.Context(), commit, batch)
	for i, w := range batch {
		is.Equal(w.err != nil, i == 4)
		is.Equal(w.click.Verdict == VerdictValid, i != 4)
	}
}

func TestDeadBackendIsAskedOncePerBatch(t *testing.T) {
	is := is.New(t)
	calls := 0
	commit := func(context.Context, []pendingClick) ([]Click, error) {
		calls++
		return nil, affiliate.Unavailable(errors.New("gone"))
	}
	batch := []*waiter{{pending: newPending(t)}, {pending: newPending(t)}, {pending: newPending(t)}}
	commitWaiters(t.Context(), commit, batch)
	is.Equal(calls, 1)
	for _, w := range batch {
		is.True(errors.Is(w.err, affiliate.ErrUnavailable))
	}
}

func TestPanicInACommitReleasesThoseWhoWait(t *testing.T) {
	is := is.New(t)
	g := newGate()
	panics := true
	var mu sync.Mutex
	r := &groupRecorder{}
	r.commit = func(ctx context.Context, batch []pendingClick) ([]Click, error) {
		clicks, err := g.commit(ctx, batch)
		mu.Lock()
		defer mu.Unlock()
		if panics {
			panics = false
			panic("boom")
		}
		return clicks, err
	}
	crashed := make(chan any)
	go func() {
		defer func() { crashed <- recover() }()
		_, err := r.record(t.Context(), newPending(t))
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
	r := newRecorder(Options{Clicks: Async, ClickQueue: 3}, func(_ context.Context, batch []pendingClick) ([]Click, error) {
		for _, p := range batch {
			if p.click.ID == bad.click.ID {
				return nil, errors.New("refused")
			}
		}
		for _, p := range batch {
			kept = append(kept, p.click.ID)
		}
		return validClicks(batch), nil
	})
	a, b := newPending(t), newPending(t)
	for _, p := range []pendingClick{a, bad, b, newPending(t), newPending(t)} {
		c, err := r.record(t.Context(), p)
		is.NoErr(err)
		is.True(!c.Set) // its verdict is not known yet
	}
	is.Equal(r.dropped(), int64(2)) // the queue holds three
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	is.NoErr(r.run(stopped))
	is.Equal(kept, []uuid.UUID{a.click.ID, b.click.ID})
	is.Equal(r.dropped(), int64(3)) // and the refused one
}
