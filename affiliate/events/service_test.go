package events_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// bus is a service at an instant that the test moves.
type bus struct {
	t   *testing.T
	b   storagetest.Backend
	mu  sync.Mutex
	now time.Time
}

func eachBus(t *testing.T, test func(t *testing.T, w *bus)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		test(t, &bus{t: t, b: b, now: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)})
	})
}

func (w *bus) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *bus) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *bus) service(o events.Options) *events.Service {
	w.t.Helper()
	o.Clock, o.Jitter = w.clock, func() float64 { return 0 }
	s, err := events.NewService(w.b.Events, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// raise writes events, each in a unit of its own: "user:1 a" is about user 1.
func (w *bus) raise(list ...string) {
	w.t.Helper()
	for _, text := range list {
		object, data, _ := strings.Cut(text, " ")
		kind, id, _ := strings.Cut(object, ":")
		e := affiliate.EventKind{Name: kind + ".changed", Version: 1, Object: kind}.On(id, w.clock()).With(data)
		if err := w.b.Core.Write(context.Background(), func(ctx context.Context, tx affiliate.Tx) error { return tx.Events().Add(ctx, e) }); err != nil {
			w.t.Fatal(err)
		}
	}
}

// note collects what a subscriber hears.
type note struct {
	mu   sync.Mutex
	list []string
	fail func(text string) error
	tick chan struct{} // after each event; may be nil
}

func (n *note) hear(_ context.Context, e affiliate.Event) error {
	text := e.Object.String() + " " + strings.Trim(e.Data, `"`)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		if err := n.fail(text); err != nil {
			return err
		}
	}
	n.list = append(n.list, text)
	if n.tick != nil {
		n.tick <- struct{}{}
	}
	return nil
}

func (n *note) heard() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.list
	n.list = nil
	return list
}

func TestEverySubscriberHearsItsKindsOnce(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		s := w.service(events.Options{Batch: 2})
		var all, users note
		is.NoErr(s.Subscribe("all", nil, all.hear))
		is.NoErr(s.Subscribe("users", []string{"user.changed"}, users.hear))
		is.True(errors.Is(s.Subscribe("all", nil, all.hear), affiliate.ErrConflict))
		w.raise("user:1 before")
		is.NoErr(s.Register(t.Context()))
		w.raise("user:1 a", "order:7 b", "user:2 c", "user:1 d", "order:7 e")
		n, err := s.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(n, 10)
		is.Equal(all.heard(), []string{"user:1 before", "user:1 a", "order:7 b", "user:2 c", "user:1 d", "order:7 e"})
		is.Equal(users.heard(), []string{"user:1 before", "user:1 a", "user:2 c", "user:1 d"})
		n, err = s.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(n, 0)

		is.NoErr(s.Unsubscribe(t.Context(), "users"))
		w.raise("user:1 f")
		_, err = s.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(all.heard(), []string{"user:1 f"})
		is.Equal(users.heard(), nil)
		n, err = s.Replay(t.Context(), "all", 2, 5)
		is.NoErr(err)
		is.Equal(n, 3)
		_, err = s.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(all.heard(), []string{"user:1 a", "order:7 b", "user:2 c"})
	})
}

func TestAFailureHoldsBackItsObjectAlone(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		var attempts []string
		s := w.service(events.Options{MaxAttempts: 3, Observe: func(a events.Attempt) { attempts = append(attempts, string(a.Result)) }})
		down := true
		n := &note{fail: func(text string) error {
			if down && text == "user:1 a" {
				return errors.New("down")
			}
			return nil
		}}
		is.NoErr(s.Subscribe("n", nil, n.hear))
		is.NoErr(s.Register(t.Context()))
		deliver := func() []string {
			_, err := s.Deliver(t.Context())
			is.NoErr(err)
			return n.heard()
		}
		w.raise("user:1 a", "user:1 b", "user:2 c")
		is.Equal(deliver(), []string{"user:2 c"})
		is.Equal(deliver(), nil) // not before its time
		w.raise("user:1 d", "user:3 e")
		is.Equal(deliver(), []string{"user:3 e"})
		w.pass(time.Second)
		is.Equal(deliver(), nil)
		down = false
		w.pass(time.Second)
		is.Equal(deliver(), []string{"user:1 a", "user:1 b", "user:1 d"})
		is.Equal(attempts, []string{"later", "done", "done", "later", "done", "done", "done"})

		down = true
		w.raise("user:1 a", "user:1 f")
		is.Equal(deliver(), nil)
		w.pass(time.Second)
		is.Equal(deliver(), nil)
		w.pass(2 * time.Second)
		is.Equal(deliver(), []string{"user:1 f"}) // the third attempt was the last
		parked, err := s.Deliveries(t.Context(), events.DeliveryFilter{State: events.Parked}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(len(parked.Items), 1)
		is.Equal(parked.Items[0].Reason+": "+parked.Items[0].Detail, "too_many_attempts: down")
		backlog, err := s.Backlog(t.Context(), events.ChannelProcess)
		is.NoErr(err)
		is.Equal(backlog, []events.Backlog{{Consumer: "n", Parked: 1}})
		down = false
		requeued, err := s.Requeue(t.Context(), []int64{parked.Items[0].ID})
		is.NoErr(err)
		is.Equal(requeued, 1)
		is.Equal(deliver(), []string{"user:1 a"})
	})
}

func TestASubscriberParksAndPanics(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		s := w.service(events.Options{})
		n := &note{fail: func(text string) error {
			switch text {
			case "user:1 a":
				return fmt.Errorf("wrapped: %w", events.Park("unknown_user", errors.New("no \x00 such user")))
			case "user:1 b":
				panic("mine")
			}
			return nil
		}}
		is.NoErr(s.Subscribe("n", nil, n.hear))
		is.NoErr(s.Register(t.Context()))
		w.raise("user:1 a", "user:2 c", "user:1 b", "user:1 d")
		_, err := s.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(n.heard(), []string{"user:2 c"})
		list, err := s.Deliveries(t.Context(), events.DeliveryFilter{}, affiliate.PageRequest{Number: 1, Size: 10, Sort: affiliate.Sort{Column: "sequence"}})
		is.NoErr(err)
		is.Equal(len(list.Items), 3)
		is.Equal(list.Items[0].Reason, "unknown_user")
		is.True(strings.Contains(list.Items[1].Detail, "panicked: mine"))
	})
}

// A process that dies leaves a lease behind, and nothing else.
func TestALeaseSurvivesACrash(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		s := w.service(events.Options{Lease: time.Minute})
		var n note
		is.NoErr(s.Subscribe("n", nil, n.hear))
		is.NoErr(s.Register(t.Context()))
		w.raise("user:1 a", "user:1 b")
		is.NoErr(w.b.Events.Work(t.Context(), func(ctx context.Context, tx events.Tx) error {
			_, err := tx.EventLog().Number(ctx, w.clock(), 10)
			return err
		}))
		die := func() {
			is.NoErr(w.b.Events.Work(t.Context(), func(ctx context.Context, tx events.Tx) error {
				leased, err := tx.EventConsumers().Lease(ctx, events.Lease{Channel: events.ChannelProcess, Token: w.clock().String(), Now: w.clock(), Until: w.clock().Add(time.Minute), Limit: 1})
				is.Equal(len(leased), 1)
				return err
			}))
		}
		deliver := func() []string {
			_, err := s.Deliver(t.Context())
			is.NoErr(err)
			return n.heard()
		}
		die()
		is.Equal(deliver(), nil)
		w.pass(time.Minute)
		is.Equal(deliver(), []string{"user:1 a", "user:1 b"})

		w.raise("user:1 c", "user:1 d")
		is.NoErr(w.b.Events.Work(t.Context(), func(ctx context.Context, tx events.Tx) error {
			_, err := tx.EventLog().Number(ctx, w.clock(), 10)
			return err
		}))
		for range 6 { // and again, over the same event
			die()
			w.pass(time.Minute)
		}
		is.Equal(deliver(), []string{"user:1 d"})
		parked, err := s.Deliveries(t.Context(), events.DeliveryFilter{State: events.Parked}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(parked.Items[0].Reason, "worker_lost")
	})
}

// Two processes deliver while others write: each subscriber hears everything, in
// order for each object, and once, because nobody dies.
func TestTwoDeliverersKeepTheOrder(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		const objects, each = 6, 20
		var notes [2]note // one for each name
		tick := make(chan struct{}, 4*objects*each)
		notes[0].tick, notes[1].tick = tick, tick
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var running sync.WaitGroup
		for range 2 {
			s := w.service(events.Options{Every: time.Millisecond, Batch: 3})
			for i := range notes {
				is.NoErr(s.Subscribe(fmt.Sprint("n", i), nil, notes[i].hear))
			}
			is.NoErr(s.Register(ctx))
			running.Go(func() { is.NoErr(s.Run(ctx)) })
		}
		var writing sync.WaitGroup
		for o := range objects {
			writing.Go(func() {
				for n := range each {
					w.raise(fmt.Sprintf("user:%d %03d", o, n))
				}
			})
		}
		writing.Wait()
		late := time.After(2 * time.Minute)
		for n := range 2 * objects * each {
			select {
			case <-tick:
			case <-late:
				t.Fatalf("heard %d of %d events", n, 2*objects*each)
			}
		}
		got := [2][]string{}
		stop()
		running.Wait()
		for i := range got {
			got[i] = append(got[i], notes[i].heard()...)
			is.Equal(len(got[i]), objects*each)
			for o := range objects {
				prefix := fmt.Sprintf("user:%d ", o)
				own := slices.DeleteFunc(slices.Clone(got[i]), func(s string) bool { return !strings.HasPrefix(s, prefix) })
				is.True(slices.IsSorted(own))
			}
		}
	})
}

func TestAfterReadsOn(t *testing.T) {
	eachBus(t, func(t *testing.T, w *bus) {
		is := is.New(t)
		s := w.service(events.Options{Keep: time.Hour})
		w.raise("user:1 a", "user:1 b", "user:2 c")
		list, err := s.After(t.Context(), 1, 1)
		is.NoErr(err)
		is.Equal(len(list), 1)
		is.Equal(list[0].Data, `"b"`)
		is.Equal(list[0].Sequence, int64(2))
		_, err = s.After(t.Context(), 0, 1001)
		is.True(errors.Is(err, affiliate.ErrInvalid))
		w.pass(2 * time.Hour)
		w.raise("user:2 d")
		n, err := s.Sweep(t.Context())
		is.NoErr(err)
		is.Equal(n, 3)
		list, err = s.After(t.Context(), 0, 10)
		is.NoErr(err)
		is.Equal(len(list), 1)
		is.Equal(list[0].Sequence, int64(4))
	})
}

func TestOptionsAreChecked(t *testing.T) {
	is := is.New(t)
	_, err := events.NewService(nil, events.Options{})
	is.True(err != nil)
	for _, bad := range []events.Options{{Batch: -1}, {Batch: 1001}, {MaxAttempts: -1}, {Every: -1}, {Lease: -1}, {Keep: -1}} {
		backends.Each(t, func(t *testing.T, b storagetest.Backend) {
			_, err := events.NewService(b.Events, bad)
			if err == nil {
				t.Errorf("%+v was taken", bad)
			}
		})
	}
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	is := is.New(t)
	for attempts, want := range []time.Duration{time.Second / 2, time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		is.Equal(events.Backoff(attempts, time.Second, 16*time.Second, 0), want)
	}
	is.Equal(events.Backoff(5000, time.Second, 16*time.Second, 0), 8*time.Second)
	is.True(events.Backoff(1, time.Second, time.Hour, 0.999) < time.Second)
}
