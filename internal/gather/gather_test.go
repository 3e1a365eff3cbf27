package gather

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// request is what the tests ask a group for.
type request struct {
	Call

	kept bool
}

// gate is a run that tests hold shut, batch by batch.
type gate struct {
	begun   chan []*request // a batch has come
	outcome chan error      // what becomes of it
}

func newGate() *gate {
	return &gate{begun: make(chan []*request), outcome: make(chan error)}
}

func (g *gate) run(_ context.Context, batch []*request) error {
	g.begun <- batch
	if err := <-g.outcome; err != nil {
		return err
	}
	keep(batch)
	return nil
}

func keep(batch []*request) {
	for _, r := range batch {
		r.kept = true
	}
}

// most is how many requests a run of the tests has at most.
const most = 16

func newGroup(run RunFunc[*request]) *Group[*request] { return NewGroup(most, time.Minute, run) }

// result is a request that Do returned of.
type result struct {
	of  *request
	err error
}

func (g *Group[T]) start(ctx context.Context, r T) chan result {
	done := make(chan result, 1)
	go func() {
		err := g.Do(ctx, r)
		done <- result{any(r).(*request), err}
	}()
	return done
}

// awaitWaiting returns when n requests wait behind the leader.
func (g *Group[T]) awaitWaiting(t *testing.T, n int) {
	t.Helper()
	for {
		if t.Context().Err() != nil {
			t.Fatal("the requests never came")
		}
		g.mu.Lock()
		waiting := len(g.waiting)
		g.mu.Unlock()
		if waiting == n {
			return
		}
	}
}

func TestARunTakesWhatGathersDuringTheLastOne(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := newGroup(g.run)
	first := &request{}
	done := []chan result{r.start(t.Context(), first)}
	is.Equal(len(<-g.begun), 1) // nothing waits for company

	want := map[*request]bool{}
	for range 5 {
		p := &request{}
		want[p] = true
		done = append(done, r.start(t.Context(), p))
	}
	r.awaitWaiting(t, 5)
	g.outcome <- nil

	got := map[*request]bool{}
	for _, p := range <-g.begun {
		got[p] = true
	}
	is.Equal(got, want) // one batch of all that waited
	g.outcome <- nil
	for _, d := range done {
		res := <-d
		is.NoErr(res.err)
		is.Equal(res.of.kept, true)
	}
	is.Equal(r.led, false)
}

// Who was alone in the last batch gives way once; who had company waits for
// those who need a moment longer.
func TestALeaderLetsThoseWhoCanRunJoinIt(t *testing.T) {
	is := is.New(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that turns are taken
	joins := func(latest, turns int) bool {
		r := &Group[*request]{most: most, latest: latest, waiting: []*request{{}}}
		p := &request{}
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

func TestARunIsBoundedAndHandsOnTheLead(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := newGroup(g.run)
	all := []chan result{r.start(t.Context(), &request{})}
	<-g.begun
	for range most + 10 {
		all = append(all, r.start(t.Context(), &request{}))
	}
	r.awaitWaiting(t, most+10)
	g.outcome <- nil
	is.Equal(len(<-g.begun), most)
	g.outcome <- nil
	is.Equal(len(<-g.begun), 10)
	g.outcome <- nil
	for _, d := range all {
		res := <-d
		is.NoErr(res.err)
		is.True(res.of.kept)
	}
}

func TestNothingGathersWhileRunsAreQuick(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := newGroup(g.run)
	r.quick.Store(patience)
	var done []chan result
	for range patience {
		done = append(done, r.start(t.Context(), &request{}))
	}
	for range patience {
		is.Equal(len(<-g.begun), 1) // none waits for another
	}
	for start := time.Now(); time.Since(start) < quickRun; {
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

func TestRequestsGatherBehindABackendThatFailsAtOnce(t *testing.T) {
	is := is.New(t)
	gone := affiliate.Unavailable(errors.New("gone"))
	r := newGroup(func(context.Context, []*request) error { return gone })
	r.quick.Store(patience)
	is.True(errors.Is((<-r.start(t.Context(), &request{})).err, affiliate.ErrUnavailable))
	is.Equal(r.quick.Load(), int32(0))
}

func TestAGroupFindsOutThatRunsAreQuick(t *testing.T) {
	is := is.New(t)
	r := newGroup(func(context.Context, []*request) error { return nil })
	for r.quick.Load() == 0 { // the machine may be busy
		is.NoErr((<-r.start(t.Context(), &request{})).err)
	}
}

func TestARunOutlivesTheRequestThatLeads(t *testing.T) {
	is := is.New(t)
	runContext := make(chan context.Context, 1)
	r := newGroup(func(ctx context.Context, _ []*request) error {
		runContext <- ctx
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	res := <-r.start(ctx, &request{})
	is.NoErr(res.err) // kept all the same
	_, bounded := (<-runContext).Deadline()
	is.True(bounded) // yet not for ever
}

func TestAWaiterThatGoesAwayIsInNoRun(t *testing.T) {
	is := is.New(t)
	g := newGate()
	r := newGroup(g.run)
	leader := r.start(t.Context(), &request{})
	<-g.begun
	ctx, cancel := context.WithCancel(t.Context())
	gone := r.start(ctx, &request{})
	r.awaitWaiting(t, 1)
	cancel()
	res := <-gone
	is.True(errors.Is(res.err, context.Canceled))
	is.True(errors.Is(res.err, affiliate.ErrUnavailable))
	g.outcome <- nil
	is.NoErr((<-leader).err)
	is.Equal(r.led, false) // nobody was told to lead
	next := r.start(t.Context(), &request{})
	is.Equal(len(<-g.begun), 1)
	g.outcome <- nil
	is.NoErr((<-next).err)
}

func TestARequestThatCannotBeDoneTakesNoOtherWithIt(t *testing.T) {
	is := is.New(t)
	bad := &request{}
	refused := errors.New("refused")
	run := func(_ context.Context, batch []*request) error {
		if slices.Contains(batch, bad) {
			return refused
		}
		keep(batch)
		return nil
	}
	var batch []*request
	for i := range 7 {
		p := &request{}
		if i == 4 {
			p = bad
		}
		batch = append(batch, p)
	}
	Run(t.Context(), run, batch)
	for i, p := range batch {
		is.Equal(p.Err != nil, i == 4)
		is.Equal(p.kept, i != 4)
	}
}

func TestDeadBackendIsAskedOncePerBatch(t *testing.T) {
	is := is.New(t)
	calls := 0
	run := func(context.Context, []*request) error {
		calls++
		return affiliate.Unavailable(errors.New("gone"))
	}
	batch := []*request{&request{}, &request{}, &request{}}
	Run(t.Context(), run, batch)
	is.Equal(calls, 1)
	for _, p := range batch {
		is.True(errors.Is(p.Err, affiliate.ErrUnavailable))
	}
}

func TestAPanicInARunReleasesThoseWhoWait(t *testing.T) {
	is := is.New(t)
	g := newGate()
	panics := true
	var mu sync.Mutex
	r := newGroup(func(ctx context.Context, batch []*request) error {
		err := g.run(ctx, batch)
		mu.Lock()
		defer mu.Unlock()
		if panics {
			panics = false
			panic("boom")
		}
		return err
	})
	crashed := make(chan any)
	go func() {
		defer func() { crashed <- recover() }()
		err := r.Do(t.Context(), &request{})
		crashed <- fmt.Errorf("no panic, but %v", err)
	}()
	<-g.begun
	waits := r.start(t.Context(), &request{})
	r.awaitWaiting(t, 1)
	g.outcome <- nil
	is.Equal(<-crashed, "boom")
	is.Equal(len(<-g.begun), 1)
	g.outcome <- nil
	is.NoErr((<-waits).err)
}
