package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type eventTable struct{ *engine.Table[affiliate.Event] }

func newEventTable(db *DB) eventTable { return eventTable{engine.NewTable[affiliate.Event](&db.store)} }

type events struct{ u *unit }

func copyEvent(id uint32, e *affiliate.Event) affiliate.Event {
	c := *e
	c.ID = int64(id)
	return c
}

func (r events) Add(ctx context.Context, list ...affiliate.Event) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, e := range list {
		if err := e.Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	for _, e := range list {
		e.At = engine.Kept(e.At)
		if _, err := r.u.db.core.events.Insert(e); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r events) Pending(ctx context.Context, limit int) ([]affiliate.Event, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.events
	return engine.Collect(t.Table, t.Scan(0, limit), copyEvent), nil
}

func (r events) Remove(ctx context.Context, ids []int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.core.events
	for _, id := range t.Among(ids) {
		t.Delete(id)
	}
	return nil
}
