package retention

import (
	"context"
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// MinVisitors is the shortest that visitor keys live: until then they tell
// duplicates and readers apart.
const MinVisitors = 48 * time.Hour

// DefaultLateOrders is how late an order is reported at most, unless the policy
// says so.
const DefaultLateOrders = 31 * 24 * time.Hour

// Policy says how long things live. A zero duration keeps them for ever.
type Policy struct {
	Visitors time.Duration // visitor keys of clicks; at least MinVisitors
	// Clicks is for how long clicks live. Those that an order may still be paid
	// by live longer: see the package.
	Clicks     time.Duration
	LateOrders time.Duration // how late an order is reported at most; default: DefaultLateOrders
	// Events is for how long events live, of which no delivery is left.
	// events.Options.Keep does not matter unless events.Service.Sweep is called.
	Events   time.Duration
	Attempts time.Duration // the log of webhooks' attempts
	// Unarchived allows to remove clicks and events without an archive.
	Unarchived bool
}

func (p Policy) validate(archived bool) error {
	var v affiliate.Validation
	for _, d := range []struct {
		field string
		of    time.Duration
	}{{"visitors", p.Visitors}, {"clicks", p.Clicks}, {"late_orders", p.LateOrders}, {"events", p.Events}, {"attempts", p.Attempts}} {
		v.Check(d.of >= 0, d.field, "negative", "must not be negative")
	}
	v.Check(p.Visitors <= 0 || p.Visitors >= MinVisitors, "visitors", "too_short", "must be at least 48 h")
	v.Check(archived || p.Unarchived || p.Clicks == 0 && p.Events == 0, "unarchived", "no_archive", "must be true when Options.Blobs is not set: set one of them")
	return v.Err("retention_policy")
}

// Step says what Retain is at.
type Step string

// The steps, in their order.
const (
	Visitors Step = "visitors"
	Clicks   Step = "clicks"
	Events   Step = "events"
	Attempts Step = "attempts"
	Answers  Step = "answers"
)

// Progress is how far Retain is.
type Progress struct {
	Step Step
	Done int64     // of the step, so far
	At   time.Time // how old the last one was; zero when the step does not know
}

// Report is what Retain has done.
type Report struct {
	Visitors int64 // keys erased
	Clicks   int64 // given up and removed
	Events   int64
	Attempts int64
	Answers  int64
	// ClicksFrom is the day from which on clicks are all there; zero: all are.
	ClicksFrom time.Time
}

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	Blobs affiliate.Blobs // the archive
	// Parts removes clicks a month at once. Default: the store itself, if it can.
	Parts links.ClickParts
	// Batch is how many rows one unit takes; default: 1000. A part of the archive
	// has twenty batches.
	Batch int
	// Progress is called after each unit, if it is set. It must be quick.
	Progress func(Progress)
}

// partBatches is how many batches a part of the archive has.
const partBatches = 20

// Service applies policies. It is safe for concurrent use.
type Service struct {
	stores Stores
	opts   Options
}

// Stores are those of one backend.
type Stores struct {
	Links    links.Store
	Orders   orders.Store // tells how long an order may still be paid by a click; nil: the backend keeps no orders
	Events   events.Store
	Webhooks webhooks.Store // nil: the backend keeps none
}

// NewService returns the service.
func NewService(stores Stores, o Options) (*Service, error) {
	switch {
	case stores.Links == nil || stores.Events == nil:
		return nil, errors.New("retention: NewService needs the stores of links and events")
	case o.Batch < 0 || o.Batch > 100_000:
		return nil, errors.New("retention: Batch must be between 1 and 100000")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if parts, ok := stores.Links.(links.ClickParts); ok && o.Parts == nil {
		o.Parts = parts
	}
	if o.Batch == 0 {
		o.Batch = 1000
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return &Service{stores, o}, nil
}

// Retain applies a policy, in batches: it may be stopped at any time, also by
// kill -9, and called again. ErrInvalid when the policy is wrong. After another
// error the report has what was done until then. It is for the operator.
func (s *Service) Retain(ctx context.Context, p Policy) (Report, error) {
	var r Report
	if err := p.validate(s.opts.Blobs != nil); err != nil {
		return r, err
	}
	if p.LateOrders == 0 {
		p.LateOrders = DefaultLateOrders
	}
	for _, step := range []func(context.Context, Policy, *Report) error{s.eraseVisitors, s.retainClicks, s.retainEvents, s.expireAttempts, s.expireAnswers} {
		if err := step(ctx, p, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// dayBefore is the midnight from which on everything is younger than keep.
func (s *Service) dayBefore(keep time.Duration) time.Time {
	return s.opts.Clock.Now().Add(-keep).UTC().Truncate(24 * time.Hour)
}

// repeat runs a unit of n rows at most until one has fewer.
func (s *Service) repeat(step Step, done *int64, unit func(limit int) (int, error)) error {
	for {
		n, err := unit(s.opts.Batch)
		*done += int64(n)
		if err != nil {
			return err
		}
		if n > 0 {
			s.opts.Progress(Progress{Step: step, Done: *done})
		}
		if n < s.opts.Batch {
			return nil
		}
	}
}

func (s *Service) expireAttempts(ctx context.Context, p Policy, r *Report) error {
	if p.Attempts == 0 || s.stores.Webhooks == nil {
		return nil
	}
	before := s.opts.Clock.Now().Add(-p.Attempts)
	return s.repeat(Attempts, &r.Attempts, func(limit int) (int, error) {
		return affiliate.Write(ctx, s.stores.Webhooks, func(ctx context.Context, tx webhooks.Tx) (int, error) {
			return tx.WebhookAttempts().Expire(ctx, before, limit)
		})
	})
}

func (s *Service) expireAnswers(ctx context.Context, _ Policy, r *Report) error {
	now := s.opts.Clock.Now()
	return s.repeat(Answers, &r.Answers, func(limit int) (int, error) {
		return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx links.Tx) (int, error) {
			return tx.IdempotencyKeys().Expire(ctx, now, limit)
		})
	})
}

// units is the store of links as the one-value helpers take it.
func (s *Service) units() affiliate.Store[links.Tx] { return s.stores.Links }
