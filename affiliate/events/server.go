package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Message is an event on its way to a consumer.
type Message struct {
	Delivery
	Event affiliate.Event
}

// ServerOptions sets up a Server. Channel and Serve are required, and the rest
// as Options has it after its defaults.
type ServerOptions struct {
	Channel Channel
	Names   func() []string // whom this process can serve; nil: everybody in the channel
	// Serve delivers a batch to a consumer, those due first first, ties in order
	// of sequence, and says what came of it. Consumer and token are filled in.
	// What it leaves out stays as it is. The context ends before the lease does.
	Serve    func(ctx context.Context, c Consumer, batch []Message) Settlement
	Clock    affiliate.Clock
	Jitter   func() float64
	Every    time.Duration
	Lease    time.Duration
	Batch    int
	Parallel int // how many consumers are served at once
	Observe  func(Attempt)
	Tracer   affiliate.Tracer // nil: none
	Logger   *slog.Logger
}

// maxTakeovers is how often in a row a lease may end without a settlement
// before the event in front is parked: it may be what ends the process.
const maxTakeovers = 5

// Server serves the consumers of one channel: it numbers events, leases
// consumers that are due, hands them their events, and settles. Service and
// package webhooks are made of it.
type Server struct {
	store Store
	o     ServerOptions
	wake  chan struct{} // a consumer has more
}

// NewServer returns a server.
func NewServer(store Store, o ServerOptions) (*Server, error) {
	if store == nil || o.Serve == nil || o.Channel == "" {
		return nil, errors.New("events: NewServer needs a store, a channel and Serve")
	}
	defaults, err := Options{Clock: o.Clock, Jitter: o.Jitter, Every: o.Every, Lease: o.Lease, Batch: o.Batch, Observe: o.Observe, Logger: o.Logger}.defaults()
	if err != nil {
		return nil, err
	}
	o.Clock, o.Jitter, o.Every, o.Lease, o.Batch, o.Observe, o.Logger = defaults.Clock, defaults.Jitter, defaults.Every, defaults.Lease, defaults.Batch, defaults.Observe, defaults.Logger
	if o.Parallel < 1 || o.Parallel > MaxLease {
		return nil, errors.New("events: ServerOptions.Parallel must be between 1 and 1000")
	}
	return &Server{store: store, o: o, wake: make(chan struct{}, 1)}, nil
}

// Run serves until the context ends; then it waits for what is under way and
// returns nil.
func (w *Server) Run(ctx context.Context) error {
	slots := make(chan struct{}, w.o.Parallel)
	var busy sync.WaitGroup
	defer busy.Wait()
	for ctx.Err() == nil {
		n, err := w.step(ctx, slots, &busy, nil)
		if err != nil && ctx.Err() == nil {
			w.o.Logger.ErrorContext(ctx, "events were not delivered", "channel", w.o.Channel, "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		timer := time.NewTimer(w.o.Every/2 + time.Duration(w.o.Jitter()*float64(w.o.Every)))
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Deliver serves until nothing is due, and returns how many events were
// delivered.
func (w *Server) Deliver(ctx context.Context) (int, error) {
	slots := make(chan struct{}, w.o.Parallel)
	total := 0
	for {
		var busy sync.WaitGroup
		done := make(chan int, MaxLease)
		n, err := w.step(ctx, slots, &busy, done)
		busy.Wait()
		close(done)
		for d := range done {
			total += d
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// step numbers a batch of events and begins to serve consumers that are due. It
// returns how much there was to do.
func (w *Server) step(ctx context.Context, slots chan struct{}, busy *sync.WaitGroup, done chan<- int) (int, error) {
	numbered, err := w.number(ctx)
	if err != nil {
		return 0, err
	}
	select { // wait for one place, then take what is free
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0, nil
	}
	free := 1
	for free < w.o.Parallel {
		select {
		case slots <- struct{}{}:
			free++
			continue
		default:
		}
		break
	}
	leased, err := w.lease(ctx, free)
	for range free - len(leased) {
		<-slots
	}
	for _, c := range leased {
		busy.Go(func() {
			defer func() { <-slots }()
			n := w.serve(ctx, c)
			if done != nil {
				done <- n
			}
			select {
			case w.wake <- struct{}{}:
			default:
			}
		})
	}
	return numbered + len(leased), err
}

// numberBatch is how many events one unit numbers.
const numberBatch = 500

func (w *Server) number(ctx context.Context) (int, error) {
	var n int
	err := w.store.Work(ctx, func(ctx context.Context, tx Tx) (err error) {
		n, err = tx.EventLog().Number(ctx, w.o.Clock.Now(), numberBatch)
		return err
	})
	return n, err
}

func (w *Server) numberAll(ctx context.Context) error {
	for {
		if n, err := w.number(ctx); err != nil || n < numberBatch {
			return err
		}
	}
}

func (w *Server) lease(ctx context.Context, limit int) ([]Consumer, error) {
	token, err := uuid.NewRandom()
	if err != nil {
		return nil, affiliate.Unavailable(err)
	}
	now := w.o.Clock.Now()
	l := Lease{Channel: w.o.Channel, Token: token.String(), Now: now, Until: now.Add(w.o.Lease), Limit: limit}
	if w.o.Names != nil {
		l.Names = w.o.Names()
	}
	var leased []Consumer
	err = w.store.Work(ctx, func(ctx context.Context, tx Tx) (err error) {
		leased, err = tx.EventConsumers().Lease(ctx, l)
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// serve delivers what is due to a leased consumer and returns how many events
// were delivered.
func (w *Server) serve(ctx context.Context, c Consumer) int {
	// The lease is longer, so that what is delivered can be written down.
	within, cancel := context.WithTimeout(ctx, w.o.Lease*3/4)
	defer cancel()
	batch, err := w.batch(within, c)
	if err != nil {
		if ctx.Err() == nil {
			w.o.Logger.ErrorContext(ctx, "events of a subscriber were not read", "channel", c.Channel, "consumer", c.Name, "error", err)
		}
		return 0
	}
	if w.o.Tracer != nil && len(batch) > 0 {
		var span affiliate.Span
		within, span = w.o.Tracer.Start(within, affiliate.SpanInternal, "events.deliver", slog.String("affiliatekit.channel", string(c.Channel)),
			slog.String("affiliatekit.consumer", c.Name), slog.Int("affiliatekit.events", len(batch)))
		defer span.End()
	}
	var s Settlement
	switch {
	case len(batch) > 0 && c.Takeovers >= maxTakeovers:
		s.Outcomes = []Outcome{{DeliveryID: batch[0].ID, Result: GaveUp, Reason: "worker_lost", Detail: "whoever delivered it never came back"}}
	case len(batch) > 0:
		s = w.o.Serve(within, c, batch)
	}
	s.ConsumerID, s.Token = c.ID, c.Token
	held, err := w.settle(within, s)
	if err != nil || !held {
		w.o.Logger.WarnContext(ctx, "deliveries were not settled and will be repeated", "channel", c.Channel, "consumer", c.Name, "error", err)
		return 0
	}
	return w.observe(c, batch, s)
}

// batch returns what is due. After a takeover it is one event: should that be
// what ends processes, it is known.
func (w *Server) batch(ctx context.Context, c Consumer) ([]Message, error) {
	limit := w.o.Batch
	if c.Takeovers > 0 {
		limit = 1
	}
	var out []Message
	err := w.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		due, err := tx.EventDeliveries().Due(ctx, c.ID, w.o.Clock.Now(), limit)
		if err != nil || len(due) == 0 {
			return err
		}
		sequences := make([]int64, len(due))
		for i, d := range due {
			sequences[i] = d.Sequence
		}
		list, err := tx.EventLog().Numbered(ctx, sequences)
		if err != nil {
			return err
		}
		events := make(map[int64]affiliate.Event, len(list))
		for _, e := range list {
			events[e.Sequence] = e
		}
		out = make([]Message, 0, len(due))
		for _, d := range due {
			out = append(out, Message{d, events[d.Sequence]})
		}
		return nil
	})
	return out, err
}

// settle writes down what came of a batch, also when the context has ended: what
// was delivered was delivered.
func (w *Server) settle(ctx context.Context, s Settlement) (held bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(w.o.Lease/4, time.Second))
	defer cancel()
	err = w.store.Work(ctx, func(ctx context.Context, tx Tx) (err error) {
		held, err = tx.EventConsumers().Settle(ctx, s)
		return err
	})
	return held, err
}

func (w *Server) observe(c Consumer, batch []Message, s Settlement) (done int) {
	events := make(map[int64]affiliate.Event, len(batch))
	for _, m := range batch {
		events[m.ID] = m.Event
	}
	now := w.o.Clock.Now()
	for _, o := range s.Outcomes {
		if o.Result == Done {
			done++
		}
		e := events[o.DeliveryID]
		w.o.Observe(Attempt{Channel: c.Channel, Consumer: c.Name, Kind: e.Kind, Result: o.Result, Age: now.Sub(e.At)})
	}
	return done
}

// call runs a subscriber; a panic is an error.
func call(ctx context.Context, fn Func, e affiliate.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("events: the subscriber panicked: %v", p)
		}
	}()
	return fn(ctx, e)
}

// Backoff returns how long to wait after the given number of failed attempts, 1
// and up: first doubled for each further one, at most limit, and of that between
// a half and the whole, as jitter has it, from 0 on and below 1.
func Backoff(attempts int, first, limit time.Duration, jitter float64) time.Duration {
	wait := limit
	if doubled := float64(first) * math.Pow(2, float64(max(attempts, 1)-1)); doubled < float64(limit) {
		wait = time.Duration(doubled)
	}
	return wait/2 + time.Duration(float64(wait/2)*jitter)
}

// Cut returns a text that can be kept in at most n characters: valid UTF-8,
// without NUL.
func Cut(s string, n int) string {
	out := make([]rune, 0, min(len(s), n))
	for _, r := range s {
		if len(out) == n {
			break
		}
		if r == 0 {
			r = utf8.RuneError
		}
		out = append(out, r)
	}
	return string(out)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
