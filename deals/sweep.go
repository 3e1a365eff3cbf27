package deals

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Sweep writes down what time has decided until now, and raises the events of
// it: Created deals that were not paid in time are Canceled, Paid ones whose
// hold is over are Approved, at the times when that was so. It returns how many.
//
// Nothing depends on it but the events: every other method sees deals as they
// are. It works in units of Options.SweepBatch deals, in several processes at
// once if need be, and may be stopped at any point: each deal is written down
// with its event, once. Its cost grows with the deals that are due.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	now := s.clock.Now()
	total := 0
	for {
		n, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) {
			return sweepBatch(ctx, tx, now, s.opts.SweepBatch)
		})
		total += n
		if err != nil || n < s.opts.SweepBatch {
			return total, err
		}
	}
}

func sweepBatch(ctx context.Context, tx Tx, now time.Time, limit int) (int, error) {
	due, err := tx.Deals().LockDue(ctx, now, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	events := make([]affiliate.Event, len(due))
	for i, d := range due {
		due[i] = d.At(now)
		events[i] = due[i].statusEvent()
	}
	if err := tx.Deals().Update(ctx, due...); err != nil {
		return 0, err
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
