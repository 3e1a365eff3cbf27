package orders

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// sweepBatch is how many orders one unit of Sweep approves.
const sweepBatch = 200

// Sweep writes down which orders time has approved, and raises their events. It
// returns how many.
//
// Nothing depends on it but the events: every other method sees orders as they
// are. Several processes may do it at once, and it may be stopped at any point.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	now := s.clock.Now()
	for total := 0; ; {
		var n int
		err := s.store.Record(ctx, func(ctx context.Context, tx Tx) (err error) {
			n, err = s.approve(ctx, tx, now)
			return err
		})
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}

// approve approves a batch of orders within a unit.
func (s *Service) approve(ctx context.Context, tx Tx, now time.Time) (int, error) {
	due, err := tx.Orders().LockDue(ctx, now, sweepBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	events := make([]affiliate.Event, len(due))
	for i, o := range due {
		o.ApprovedAt = o.HoldUntil
		if err := tx.Orders().Update(ctx, o); err != nil {
			return 0, err
		}
		events[i] = o.event(EventOrderApproved, o.HoldUntil)
	}
	return len(due), tx.Events().Add(ctx, events...)
}

// Run sweeps at once and then every so often, until the context ends; then it
// returns nil. An interval must be positive. A sweep's error is passed to failed,
// if not nil; the next sweep retries.
func (s *Service) Run(ctx context.Context, every time.Duration, failed func(error)) error {
	ticker := time.NewTicker(max(every, time.Millisecond))
	defer ticker.Stop()
	for {
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil && failed != nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
