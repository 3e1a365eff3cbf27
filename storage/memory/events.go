package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type eventTable struct {
	engine.Entities[affiliate.Event]
}

func newEventTable(db *DB) eventTable {
	type E = affiliate.Event
	return eventTable{engine.Entities[E]{
		Table: engine.NewTable[E](&db.store), Resource: "event",
		ID:    func(e *E) *int64 { return &e.ID },
		Times: func(e *E) []*time.Time { return []*time.Time{&e.At} },
	}}
}

func (*eventTable) in(db *DB) *engine.Entities[affiliate.Event] { return &db.core.events.Entities }

type (
	eventRepo = repo[affiliate.Event, *eventTable]
	events    struct{ eventRepo }
)

var _ affiliate.EventRepository = events{}

func (r events) Add(ctx context.Context, list ...affiliate.Event) error {
	return r.all().AddAll(ctx, &r.u.Unit, list)
}

func (r events) Pending(ctx context.Context, limit int) ([]affiliate.Event, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.core.events.Scan(0, limit) })
}

func (r events) Remove(ctx context.Context, ids []int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := &r.u.db.core.events
	for _, id := range t.Among(ids) {
		t.Delete(id)
	}
	return nil
}
