package retention

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/archive"
)

// retainEvents archives old events and removes those that are delivered.
func (s *Service) retainEvents(ctx context.Context, p Policy, r *Report) error {
	if p.Events == 0 {
		return nil
	}
	before := s.opts.Clock.Now().Add(-p.Events)
	through := int64(0)
	for more := true; more; {
		var part archive.Part
		done, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx links.Tx) (int64, error) {
			done, err := tx.Retention().Get(ctx)
			return done.EventsThrough, err
		})
		if err != nil {
			return err
		}
		through, more = done, true
		for batches := 0; more && batches < partBatches; batches++ {
			list, err := affiliate.Read(ctx, affiliate.Store[events.Tx](s.stores.Events), func(ctx context.Context, tx events.Tx) ([]affiliate.Event, error) {
				return tx.EventLog().After(ctx, through, s.opts.Batch)
			})
			if err != nil {
				return err
			}
			more = len(list) == s.opts.Batch
			for _, e := range list {
				if !e.At.Before(before) {
					more = false
					break
				}
				if err := part.AddEvent(e); err != nil {
					return err
				}
				through = e.Sequence
			}
		}
		if part.Lines() == 0 {
			break
		}
		if s.opts.Blobs != nil {
			if err := part.Put(ctx, s.opts.Blobs); err != nil {
				return err
			}
		}
		if err := s.stores.Links.Write(ctx, func(ctx context.Context, tx links.Tx) error {
			now, err := tx.Retention().Get(ctx)
			if err != nil || now.EventsThrough >= through {
				return err
			}
			now.EventsThrough = through
			return tx.Retention().Put(ctx, now)
		}); err != nil {
			return err
		}
	}
	return s.repeat(Events, &r.Events, func(limit int) (int, error) {
		return affiliate.Write(ctx, affiliate.Store[events.Tx](s.stores.Events), func(ctx context.Context, tx events.Tx) (int, error) {
			return tx.EventLog().Expire(ctx, before, through, limit)
		})
	})
}
