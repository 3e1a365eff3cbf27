package events

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// Jitter returns a number from 0 on and below 1, by which waits differ.
	// Default: rand.Float64.
	Jitter func() float64
	// Every is how often a process looks for new events; default: a second.
	Every time.Duration
	// Lease is how long a process has a subscriber to itself. One that crashed
	// delays its subscribers by that; default: a minute.
	Lease time.Duration
	// Batch is how many events a subscriber is given under one lease, 1..1000;
	// default: 100.
	Batch int
	// MaxAttempts is how often a subscriber is given an event at most before it
	// is parked; default: 30, which takes about a day.
	MaxAttempts int
	// Keep is for how long events are kept, for After and for replays; default:
	// 30 days. Those that are still to be delivered are kept longer.
	Keep time.Duration
	// Observe is told of each attempt, after it was written down. It must be
	// quick and safe for concurrent use. Default: nobody is told.
	Observe func(Attempt)
	// Tracer begins a span for each batch that a subscriber is given, and one for
	// each event in it. Default: none.
	Tracer affiliate.Tracer
	Logger *slog.Logger // default: none
}

// The default of each option.
const (
	DefaultEvery       = time.Second
	DefaultLease       = time.Minute
	DefaultBatch       = 100
	DefaultMaxAttempts = 30
	DefaultKeep        = 30 * 24 * time.Hour
)

func (o Options) defaults() (Options, error) {
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Observe == nil {
		o.Observe = func(Attempt) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		of       *time.Duration
		standard time.Duration
	}{{&o.Every, DefaultEvery}, {&o.Lease, DefaultLease}, {&o.Keep, DefaultKeep}} {
		if *d.of == 0 {
			*d.of = d.standard
		}
		if *d.of < 0 {
			return o, errors.New("events: durations in Options must not be negative")
		}
	}
	for _, n := range []struct {
		of       *int
		standard int
	}{{&o.Batch, DefaultBatch}, {&o.MaxAttempts, DefaultMaxAttempts}} {
		if *n.of == 0 {
			*n.of = n.standard
		}
		if *n.of < 1 || *n.of > MaxLease {
			return o, errors.New("events: Options.Batch and MaxAttempts must be between 1 and 1000")
		}
	}
	return o, nil
}

// Attempt is one attempt to deliver an event.
type Attempt struct {
	Channel  Channel
	Consumer string // its name
	Kind     string // of the event
	Result   Result
	Age      time.Duration // since the event happened
}

// Func is a subscriber. It is called again for the same event when it returned
// an error, and when the process ended before that was written down. The context
// ends before the lease does.
type Func func(ctx context.Context, e affiliate.Event) error

// Service numbers events and brings them to subscribers. It is safe for
// concurrent use.
type Service struct {
	store  Store
	opts   Options
	clock  affiliate.Clock
	worker *Server

	mu   sync.Mutex
	subs map[string]subscription
	kept bool // the store knows all of subs
}

type subscription struct {
	filter Filter
	fn     Func
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("events: NewService needs a store")
	}
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	s := &Service{store: store, opts: o, clock: o.Clock, subs: map[string]subscription{}}
	s.worker, err = NewServer(store, ServerOptions{
		Channel: ChannelProcess, Names: s.names, Serve: s.serve, Clock: o.Clock, Jitter: o.Jitter, Every: o.Every, Lease: o.Lease, Batch: o.Batch,
		Parallel: 16, Observe: o.Observe, Tracer: o.Tracer, Logger: o.Logger,
	})
	return s, err
}

// Subscribe gives a function the events of the kinds, all of them without any,
// that are written from now on: in order for each object, at least once, and by
// one process at a time. The name tells the subscribers of a store apart; the
// store knows it for good, so that no event is missed while no process runs. See
// Unsubscribe. A name that this service has already is ErrConflict "taken".
//
// Subscribe before Run.
func (s *Service) Subscribe(name string, kinds []string, fn Func) error {
	c := Consumer{Channel: ChannelProcess, Name: name, Filter: Filter{Kinds: slices.Clone(kinds)}}
	if err := c.Validate(); err != nil {
		return err
	}
	if fn == nil {
		return errors.New("events: Subscribe needs a function")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.subs[name]; there {
		return affiliate.Conflict("event_consumer", "taken", "the name has a subscriber already")
	}
	s.subs[name], s.kept = subscription{c.Filter, fn}, false
	return nil
}

// Unsubscribe takes a subscriber out for good, also one of an earlier version of
// the program, with the events that wait for it.
func (s *Service) Unsubscribe(ctx context.Context, name string) error {
	s.mu.Lock()
	delete(s.subs, name)
	s.mu.Unlock()
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		c, err := named(ctx, tx, ChannelProcess, name)
		if err != nil || c.ID == 0 {
			return err
		}
		return tx.EventConsumers().Delete(ctx, c.ID)
	})
}

// named returns the consumer of a name; the zero Consumer when there is none.
func named(ctx context.Context, tx Tx, channel Channel, name string) (Consumer, error) {
	list, err := tx.EventConsumers().List(ctx, ConsumerFilter{Channel: channel, Names: []string{name}}, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil || len(list.Items) == 0 {
		return Consumer{}, err
	}
	return list.Items[0], nil
}

func (s *Service) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.subs))
	for name := range s.subs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Register lets the store know the subscribers, which get the events that are
// numbered from then on. Run and Deliver do it first.
func (s *Service) Register(ctx context.Context) error {
	s.mu.Lock()
	if s.kept {
		s.mu.Unlock()
		return nil
	}
	subs := make([]Consumer, 0, len(s.subs))
	for name, sub := range s.subs {
		subs = append(subs, Consumer{Channel: ChannelProcess, Name: name, Filter: sub.filter, CreatedAt: s.clock.Now()})
	}
	s.mu.Unlock()
	slices.SortFunc(subs, func(a, b Consumer) int { return strings.Compare(a.Name, b.Name) })
	err := s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		for _, c := range subs {
			there, err := named(ctx, tx, c.Channel, c.Name)
			if err != nil {
				return err
			}
			if there.ID != 0 && !there.Paused && slices.Equal(there.Filter.Kinds, c.Filter.Kinds) {
				continue
			}
			if _, err := tx.EventConsumers().Put(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.mu.Lock()
		s.kept = len(s.subs) == len(subs)
		s.mu.Unlock()
	}
	return err
}

// Run numbers events and gives them to the subscribers until the context ends;
// then it waits for those that are at work and returns nil. Any number of
// processes may run it.
func (s *Service) Run(ctx context.Context) error {
	for {
		err := s.Register(ctx)
		if err == nil {
			return s.worker.Run(ctx)
		}
		s.opts.Logger.ErrorContext(ctx, "subscribers of events were not registered", "error", err)
		if !sleep(ctx, s.opts.Every) {
			return nil
		}
	}
}

// Deliver does what Run does until nothing is due, and returns how many events
// were delivered: for tests, and for hosts with a scheduler of their own.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	if err := s.Register(ctx); err != nil {
		return 0, err
	}
	return s.worker.Deliver(ctx)
}

// serve gives a batch to its subscriber, in order. Behind an event that failed
// those of the same object wait.
func (s *Service) serve(ctx context.Context, c Consumer, batch []Message) Settlement {
	s.mu.Lock()
	sub := s.subs[c.Name]
	s.mu.Unlock()
	var out Settlement
	failed := map[affiliate.Object]bool{}
	for _, m := range batch {
		if failed[m.Event.Object] {
			continue
		}
		err := s.give(ctx, c, sub.fn, m)
		if err != nil && ctx.Err() != nil {
			break // it was interrupted: that is no attempt
		}
		o := s.outcome(m, err)
		failed[m.Event.Object] = o.Result == Later
		out.Outcomes = append(out.Outcomes, o)
		if err != nil {
			s.opts.Logger.WarnContext(ctx, "a subscriber failed", "subscriber", c.Name, "kind", m.Event.Kind, "object", m.Event.Object.String(),
				"attempt", m.Attempts+1, "result", string(o.Result), "error", err)
		}
	}
	return out
}

// give calls a subscriber, in a span if there is a tracer.
func (s *Service) give(ctx context.Context, c Consumer, fn Func, m Message) error {
	if s.opts.Tracer == nil {
		return call(ctx, fn, m.Event)
	}
	ctx, span := s.opts.Tracer.Start(ctx, affiliate.SpanConsumer, "event "+m.Event.Kind,
		slog.String("affiliatekit.consumer", c.Name), slog.Int("affiliatekit.attempt", m.Attempts+1))
	defer span.End()
	err := call(ctx, fn, m.Event)
	if err != nil {
		span.Fail("failed") // its text is the subscriber's own
	}
	return err
}

func (s *Service) outcome(m Message, err error) Outcome {
	o := Outcome{DeliveryID: m.ID, Result: Done}
	if err == nil {
		return o
	}
	o.Result, o.Reason, o.Detail = Later, "failed", Cut(err.Error(), MaxDetail)
	o.DueAt = s.clock.Now().Add(Backoff(m.Attempts+1, time.Second, time.Hour, s.opts.Jitter()))
	var p *parked
	switch {
	case errors.As(err, &p):
		o.Result, o.Reason = GaveUp, p.reason
	case m.Attempts+1 >= s.opts.MaxAttempts:
		o.Result, o.Reason = GaveUp, "too_many_attempts"
	}
	return o
}

// Park makes an error one that another attempt does not help against: the event
// is parked at once, with the reason, a stable word of at most MaxReason
// characters.
func Park(reason string, err error) error { return &parked{reason, err} }

type parked struct {
	reason string
	err    error
}

func (p *parked) Error() string { return p.reason + ": " + p.err.Error() }
func (p *parked) Unwrap() error { return p.err }

// After returns at most limit events with a sequence greater than the given one,
// in that order: what a host reads that has a bus of its own. An event has its
// place once and for all, and none turns up later at a place before one that was
// returned, however late its unit commits. Limit is 1..1000.
func (s *Service) After(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	var v affiliate.Validation
	v.Check(limit >= 1 && limit <= 1000, "limit", "out_of_range", "must be between 1 and 1000")
	if err := v.Err("event"); err != nil {
		return nil, err
	}
	if err := s.worker.numberAll(ctx); err != nil {
		return nil, err
	}
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]affiliate.Event, error) {
		return tx.EventLog().After(ctx, sequence, limit)
	})
}

// Before returns at most limit events with a sequence less than the given one,
// the newest first; 0 begins with the newest of all. It is for people who look
// at what happened last, and changes nothing: an event that has no sequence yet
// is not returned until Deliver, Run or After has given it one. Limit is 1..1000.
func (s *Service) Before(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	var v affiliate.Validation
	v.Check(limit >= 1 && limit <= 1000, "limit", "out_of_range", "must be between 1 and 1000")
	v.Check(sequence >= 0, "sequence", "out_of_range", "must not be negative")
	if err := v.Err("event"); err != nil {
		return nil, err
	}
	if sequence == 0 {
		sequence = math.MaxInt64
	}
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]affiliate.Event, error) {
		return tx.EventLog().Before(ctx, sequence, limit)
	})
}

func (s *Service) units() affiliate.Store[Tx] { return s.store }

// Consumers lists subscribers, webhook endpoints included.
func (s *Service) Consumers(ctx context.Context, f ConsumerFilter, p affiliate.PageRequest) (affiliate.Page[Consumer], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[Consumer], error) {
		return tx.EventConsumers().List(ctx, f, p)
	})
}

// Deliveries lists the deliveries that wait or are parked.
func (s *Service) Deliveries(ctx context.Context, f DeliveryFilter, p affiliate.PageRequest) (affiliate.Page[Delivery], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[Delivery], error) {
		return tx.EventDeliveries().List(ctx, f, p)
	})
}

// Requeue lets parked deliveries be tried again, at once, and returns how many
// were parked. They come behind what was delivered meanwhile.
func (s *Service) Requeue(ctx context.Context, ids []int64) (int, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (int, error) {
		return tx.EventDeliveries().Requeue(ctx, s.clock.Now(), ids)
	})
}

// Backlog returns what waits for the subscribers of a channel, by name.
func (s *Service) Backlog(ctx context.Context, channel Channel) ([]Backlog, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Backlog, error) {
		return tx.EventDeliveries().Backlog(ctx, channel)
	})
}

// Replay gives a subscriber the events again whose sequence is from the first one
// on and before the second, those that its kinds choose. It returns how many.
func (s *Service) Replay(ctx context.Context, name string, from, until int64) (int, error) {
	c, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Consumer, error) { return named(ctx, tx, ChannelProcess, name) })
	if err == nil && c.ID == 0 {
		err = affiliate.NotFound("event_consumer", name)
	}
	if err != nil {
		return 0, err
	}
	return Replay(ctx, s.store, s.clock, c.ID, from, until)
}

// Replay queues a range of events for any consumer, in units of a thousand.
func Replay[T Tx](ctx context.Context, store affiliate.Store[T], clock affiliate.Clock, consumerID, from, until int64) (int, error) {
	total := 0
	for from < until {
		type step struct {
			n    int
			next int64
		}
		st, err := affiliate.Write(ctx, store, func(ctx context.Context, tx T) (step, error) {
			list, err := tx.EventLog().After(ctx, from-1, 1000)
			if err != nil {
				return step{}, err
			}
			var sequences []int64
			next := until
			for _, e := range list {
				if e.Sequence < until {
					sequences, next = append(sequences, e.Sequence), e.Sequence+1
				}
			}
			if len(sequences) < 1000 {
				next = until
			}
			n, err := tx.EventDeliveries().Queue(ctx, clock.Now(), consumerID, sequences)
			return step{n, next}, err
		})
		if err != nil {
			return total, err
		}
		total, from = total+st.n, st.next
	}
	return total, nil
}

// Sweep removes the events that are older than Options.Keep and delivered, in
// units of a thousand, and returns how many.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	for total := 0; ; {
		n, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (int, error) {
			return tx.EventLog().Expire(ctx, s.clock.Now().Add(-s.opts.Keep), math.MaxInt64, 1000)
		})
		total += n
		if err != nil || n < 1000 {
			return total, err
		}
	}
}
