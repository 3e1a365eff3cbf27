package webhooks

import (
	"context"
	crand "crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/internal/special"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Channel has the endpoints as consumers of package events.
const Channel events.Channel = "webhook"

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where secrets come from; default: crypto/rand
	Jitter func() float64  // as in events.Options
	Every  time.Duration   // as in events.Options
	// AllowHTTP lets endpoints have http URLs.
	AllowHTTP bool
	// Allow says which addresses may be reached; default: those of the
	// public internet, as outbound.Public says.
	Allow func(netip.Addr) bool
	// Resolver finds the addresses of names; default: net.DefaultResolver.
	Resolver *net.Resolver
	// Timeout bounds one request; default: 15 seconds.
	Timeout time.Duration
	// Lease is how long a process has an endpoint to itself. A process that
	// crashed delays its endpoints by that. Default: what a batch takes when each
	// request takes its whole time, and at least a minute.
	Lease time.Duration
	// GiveUpAfter is how long an event is retried; default: three days.
	GiveUpAfter time.Duration
	// DisableAfter is how long an endpoint may fail before it is disabled;
	// default: five days.
	DisableAfter time.Duration
	// KeepLog is how long attempts are kept; default: 30 days.
	KeepLog time.Duration
	// Parallel is how many endpoints are served at once, 1..1000; default: 64.
	Parallel  int
	UserAgent string // default: "affiliatekit-webhooks"
	// Sender makes the requests. Default: none, and the service keeps endpoints but
	// cannot send; affiliatekit.New and delivery.NewService put in that of package
	// delivery.
	Sender  Sender
	Observe func(events.Attempt) // as in events.Options
	Tracer  affiliate.Tracer     // begins a span for each request; default: none
	Logger  *slog.Logger         // default: none
}

const maxWait = 8 * time.Hour

// DefaultTimeout is the default of Options.Timeout.
const DefaultTimeout = 15 * time.Second

func (o Options) defaults() (Options, error) {
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = crand.Reader
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Allow == nil {
		o.Allow = special.Public
	}
	if o.UserAgent == "" {
		o.UserAgent = "affiliatekit-webhooks"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Parallel == 0 {
		o.Parallel = 64
	}
	for _, d := range []struct {
		of       *time.Duration
		standard time.Duration
	}{{&o.Timeout, DefaultTimeout}, {&o.GiveUpAfter, 72 * time.Hour}, {&o.DisableAfter, 5 * 24 * time.Hour}, {&o.KeepLog, 30 * 24 * time.Hour}, {&o.Lease, 0}} {
		if *d.of == 0 {
			*d.of = d.standard
		}
		if *d.of < 0 {
			return o, errors.New("webhooks: durations in Options must not be negative")
		}
	}
	if o.Lease == 0 {
		o.Lease = max(time.Minute, 2*o.Timeout*batch/lanesAtOnce)
	}
	return o, nil
}

// Service keeps endpoints and sends them events. It is safe for concurrent use.
type Service struct {
	store  Store
	opts   Options
	clock  affiliate.Clock
	server *events.Server
}

// NewService returns the service over a store, and over the store of events of
// the same backend.
func NewService(store Store, bus events.Store, o Options) (*Service, error) {
	if store == nil || bus == nil {
		return nil, errors.New("webhooks: NewService needs two stores")
	}
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	s := &Service{store: store, opts: o, clock: o.Clock}
	s.server, err = events.NewServer(bus, events.ServerOptions{
		Channel: Channel, Serve: s.serve, Clock: o.Clock, Jitter: o.Jitter, Every: o.Every,
		Lease: o.Lease, Batch: batch, Parallel: o.Parallel, Observe: o.Observe, Tracer: o.Tracer, Logger: o.Logger,
	})
	return s, err
}

const (
	batch       = 20 // events of one lease
	lanesAtOnce = 4  // requests to one endpoint at a time
)

// Run sends events until the context ends; then it waits for the requests under
// way and returns nil. Any number of processes may run it.
func (s *Service) Run(ctx context.Context) error {
	if s.opts.Sender == nil {
		return errNoSender
	}
	return s.server.Run(ctx)
}

// Deliver sends what is due and returns how many events were delivered: for tests,
// and for hosts with a scheduler of their own.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	if s.opts.Sender == nil {
		return 0, errNoSender
	}
	return s.server.Deliver(ctx)
}

// EndpointInput describes an endpoint.
type EndpointInput struct {
	URL         string
	Description string
	Filter      events.Filter // which events it gets
	Secret      string        // as in Endpoint; empty: a new one, or the one that is there
}

// Create adds an endpoint. It gets the events that are numbered from then on.
// Its secret is in the result.
func (s *Service) Create(ctx context.Context, in EndpointInput) (Endpoint, error) {
	if err := s.complete(&in); err != nil {
		return Endpoint{}, err
	}
	name, err := uuid.NewRandom()
	if err != nil {
		return Endpoint{}, affiliate.Unavailable(err)
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Endpoint, error) {
		return s.add(ctx, tx, name.String(), in)
	})
}

// complete refuses a bad input, and gives one without a secret a new one.
func (s *Service) complete(in *EndpointInput) error {
	if err := s.check(in); err != nil || in.Secret != "" {
		return err
	}
	var err error
	in.Secret, err = s.secret()
	return err
}

func (s *Service) add(ctx context.Context, tx Tx, name string, in EndpointInput) (Endpoint, error) {
	now := s.clock.Now()
	c, err := tx.EventConsumers().Put(ctx, events.Consumer{Channel: Channel, Name: name, Filter: in.Filter, CreatedAt: now})
	if err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{ID: c.ID, URL: in.URL, Description: in.Description, Secret: in.Secret, Status: Active, CreatedAt: now, UpdatedAt: now}
	return e, s.save(ctx, tx, e, c.Filter, EventCreated)
}

// Ensure gives the endpoint of a name this URL, description and filter, and the
// secret unless that is empty. It adds the endpoint when there is none, and
// changes nothing when it is like that already. It is for endpoints that are
// part of a program's configuration: however many processes start at once, a
// name has one endpoint. A name has 1..MaxName characters; endpoints that Create
// adds have none.
func (s *Service) Ensure(ctx context.Context, name string, in EndpointInput) (Endpoint, error) {
	var v affiliate.Validation
	v.Text("name", name, 1, MaxName)
	v.Merge("", s.check(&in))
	if err := v.Err("webhook_endpoint"); err != nil {
		return Endpoint{}, err
	}
	full := in
	if err := s.complete(&full); err != nil {
		return Endpoint{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Endpoint, error) {
		list, err := tx.EventConsumers().List(ctx, events.ConsumerFilter{Channel: Channel, Names: []string{namePrefix + name}}, affiliate.PageRequest{Number: 1, Size: 1})
		if err != nil {
			return Endpoint{}, err
		}
		if len(list.Items) == 0 {
			// The name is unique: of two units at once one runs again, and finds it.
			return s.add(ctx, tx, namePrefix+name, full)
		}
		c := list.Items[0]
		e, err := tx.WebhookEndpoints().Get(ctx, c.ID)
		if err != nil {
			return Endpoint{}, err
		}
		wanted, filter := e, c.Filter
		wanted.URL, wanted.Description, c.Filter = in.URL, in.Description, in.Filter
		if in.Secret != "" {
			wanted.Secret = in.Secret
		}
		if wanted == e && filter.Equal(c.Filter) {
			return e, nil
		}
		wanted.UpdatedAt = s.clock.Now()
		if _, err := tx.EventConsumers().Put(ctx, c); err != nil {
			return Endpoint{}, err
		}
		return wanted, s.save(ctx, tx, wanted, c.Filter, EventUpdated)
	})
}

// Names that Ensure was given do not meet those that Create makes.
const (
	namePrefix = "named:"
	// MaxName bounds the name of Ensure, in characters.
	MaxName = events.MaxName - len(namePrefix)
)

// check refuses a bad input.
func (s *Service) check(in *EndpointInput) error {
	var v affiliate.Validation
	s.checkURL(&v, in.URL)
	v.Merge("", Endpoint{URL: in.URL, Description: in.Description, Secret: "x", Status: Active}.Validate())
	v.Merge("", events.Consumer{Channel: Channel, Name: "x", Filter: in.Filter}.Validate())
	if in.Secret != "" {
		_, err := keyOf(in.Secret)
		v.Merge("", err)
	}
	return v.Err("webhook_endpoint")
}

// save keeps an endpoint with its event.
func (s *Service) save(ctx context.Context, tx Tx, e Endpoint, f events.Filter, kind affiliate.EventKind) error {
	if err := tx.WebhookEndpoints().Put(ctx, e); err != nil {
		return err
	}
	event := kind.On(e.ID, e.UpdatedAt).Of(f.AdvertiserID, f.ClientID)
	if kind.Name == EventDisabled.Name {
		event = event.With(DisabledPayload{e.Reason})
	}
	return tx.Events().Add(ctx, event)
}

func (s *Service) secret() (string, error) {
	var key [32]byte
	if _, err := io.ReadFull(s.opts.Random, key[:]); err != nil {
		return "", affiliate.Unavailable(err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:]), nil
}

// change changes an endpoint and its consumer in one unit.
func (s *Service) change(ctx context.Context, id int64, kind affiliate.EventKind, change func(e *Endpoint, c *events.Consumer, now time.Time) error) (Endpoint, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Endpoint, error) {
		e, err := tx.WebhookEndpoints().Get(ctx, id)
		if err != nil {
			return Endpoint{}, err
		}
		list, err := tx.EventConsumers().GetMany(ctx, []int64{id})
		if err != nil {
			return Endpoint{}, err
		}
		c, before := list[0], e
		now := s.clock.Now()
		if err := change(&e, &c, now); err != nil {
			return Endpoint{}, err
		}
		if before.Status == e.Status && (kind.Name == EventDisabled.Name || kind.Name == EventEnabled.Name) {
			return before, nil
		}
		e.UpdatedAt = now
		if _, err := tx.EventConsumers().Put(ctx, c); err != nil {
			return Endpoint{}, err
		}
		return e, s.save(ctx, tx, e, c.Filter, kind)
	})
}

// Update changes where events are sent, and which.
func (s *Service) Update(ctx context.Context, id int64, in EndpointInput) (Endpoint, error) {
	if err := s.check(&in); err != nil {
		return Endpoint{}, err
	}
	return s.change(ctx, id, EventUpdated, func(e *Endpoint, c *events.Consumer, _ time.Time) error {
		e.URL, e.Description, c.Filter = in.URL, in.Description, in.Filter
		if in.Secret != "" {
			e.Secret = in.Secret
		}
		return nil
	})
}

// RotateSecret gives an endpoint a new secret, which is in the result. The one
// before signs too for a while, so that the receiver can change over.
func (s *Service) RotateSecret(ctx context.Context, id int64, overlap time.Duration) (Endpoint, error) {
	secret, err := s.secret()
	if err != nil {
		return Endpoint{}, err
	}
	return s.change(ctx, id, EventUpdated, func(e *Endpoint, _ *events.Consumer, now time.Time) error {
		e.Previous, e.PreviousUntil, e.Secret = e.Secret, now.Add(max(overlap, 0)), secret
		return nil
	})
}

// Disable stops an endpoint by hand. Events of the time until Enable are not
// queued for it: Replay sends them.
func (s *Service) Disable(ctx context.Context, id int64) (Endpoint, error) {
	return s.change(ctx, id, EventDisabled, disable("by_hand"))
}

func disable(reason string) func(e *Endpoint, c *events.Consumer, now time.Time) error {
	return func(e *Endpoint, c *events.Consumer, now time.Time) error {
		e.Status, e.DisabledAt, e.Reason, c.Paused = Disabled, now, reason, true
		return nil
	}
}

// Enable lets an endpoint get events again, and those that still wait for it.
func (s *Service) Enable(ctx context.Context, id int64) (Endpoint, error) {
	return s.change(ctx, id, EventEnabled, func(e *Endpoint, c *events.Consumer, _ time.Time) error {
		e.Status, e.DisabledAt, e.Reason, e.FailingSince, c.Paused = Active, time.Time{}, "", time.Time{}, false
		return nil
	})
}

// Delete takes an endpoint out, with what waits for it and its log.
func (s *Service) Delete(ctx context.Context, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.WebhookEndpoints().Get(ctx, id); err != nil {
			return err
		}
		if err := tx.EventConsumers().Delete(ctx, id); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventDeleted.On(id, s.clock.Now()))
	})
}

// Endpoint returns one endpoint.
func (s *Service) Endpoint(ctx context.Context, id int64) (Endpoint, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Endpoint, error) { return tx.WebhookEndpoints().Get(ctx, id) })
}

// View is an endpoint with what its consumer says.
type View struct {
	Endpoint
	Consumer events.Consumer
}

// Endpoints lists the endpoints by the order in which they were added.
func (s *Service) Endpoints(ctx context.Context, p affiliate.PageRequest) (affiliate.Page[View], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[View], error) {
		var out affiliate.Page[View]
		list, err := tx.EventConsumers().List(ctx, events.ConsumerFilter{Channel: Channel}, p)
		if err != nil {
			return out, err
		}
		ids := make([]int64, len(list.Items))
		for i, c := range list.Items {
			ids[i] = c.ID
		}
		found, err := idset.Index(ctx, tx.WebhookEndpoints().GetMany, ids, func(e Endpoint) int64 { return e.ID })
		for _, c := range list.Items {
			out.Items = append(out.Items, View{found[c.ID], c})
		}
		out.Total = list.Total
		return out, err
	})
}

// Attempts lists the log of deliveries.
func (s *Service) Attempts(ctx context.Context, f AttemptFilter, p affiliate.PageRequest) (affiliate.Page[Attempt], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Attempt], error) {
		return tx.WebhookAttempts().List(ctx, f, p)
	})
}

// Replay sends an endpoint the events again whose sequence is from the first one
// on and before the second, those that its filter wants. It returns how many are
// queued. One event is the range from its sequence to the next.
func (s *Service) Replay(ctx context.Context, id, from, until int64) (int, error) {
	return events.Replay(ctx, s.store, s.clock, id, from, until)
}

// Test sends an endpoint a message of the type "webhook.test" and returns what
// came of it, which is logged too.
func (s *Service) Test(ctx context.Context, id int64) (Attempt, error) {
	if s.opts.Sender == nil {
		return Attempt{}, errNoSender
	}
	e, err := s.Endpoint(ctx, id)
	if err != nil {
		return Attempt{}, err
	}
	name, err := uuid.NewRandom()
	if err != nil {
		return Attempt{}, affiliate.Unavailable(err)
	}
	now := s.clock.Now()
	body, err := bodyOf(affiliate.Event{Kind: testKind, Version: 1, Object: affiliate.Object{Type: "webhook_endpoint", ID: "test"}, At: now})
	if err != nil {
		return Attempt{}, err
	}
	a := s.attempt(e, events.Message{Event: affiliate.Event{Kind: testKind}}, s.send(ctx, e, "test_"+name.String(), body))
	if a.Result != events.Done {
		a.Result = events.GaveUp
	}
	return a, s.store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.WebhookAttempts().Add(ctx, a) })
}

const testKind = "webhook.test"

// Sweep forgets attempts that are older than Options.KeepLog and returns how many.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	for total := 0; ; {
		n, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) {
			return tx.WebhookAttempts().Expire(ctx, s.clock.Now().Add(-s.opts.KeepLog), 1000)
		})
		total += n
		if err != nil || n < 1000 {
			return total, err
		}
	}
}
