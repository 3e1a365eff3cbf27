package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type events struct{ u *unit }

func copyEvent(id uint32, e *affiliate.Event) affiliate.Event {
	c := *e
	c.ID = int64(id)
	return c
}

func (r events) Add(ctx context.Context, list ...affiliate.Event) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	for _, e := range list {
		if err := e.Validate(); err != nil {
			return r.u.fail(err)
		}
	}
	for _, e := range list {
		e.At = kept(e.At)
		if _, err := r.u.db.core.events.insert(r.u, e); err != nil {
			return r.u.fail(err)
		}
	}
	return nil
}

func (r events) Pending(ctx context.Context, limit int) ([]affiliate.Event, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := &r.u.db.core.events
	return answer(t, t.scan(0, limit), copyEvent), nil
}

func (r events) Remove(ctx context.Context, ids []int64) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	t := &r.u.db.core.events
	for _, id := range t.among(ids) {
		t.delete(r.u, id)
	}
	return nil
}
