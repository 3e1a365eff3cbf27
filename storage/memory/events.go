package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// Events is the view for package events. Its Work is its Write: one writer at a
// time is as isolated as can be.
func (db *DB) Events() events.Store {
	return eventsView{view[events.Tx]{db, func(u *unit) events.Tx { return eventsTx{coreTx{u}} }}}
}

type eventsView struct{ view[events.Tx] }

func (v eventsView) Work(ctx context.Context, fn func(context.Context, events.Tx) error) error {
	return v.Write(ctx, fn)
}

// eventsTx is the transaction of package events.
type eventsTx struct{ coreTx }

var _ events.Tx = eventsTx{}

func (tx eventsTx) EventLog() events.LogRepository             { return eventLog{eventRepo(tx.coreTx)} }
func (tx eventsTx) EventConsumers() events.ConsumerRepository  { return eventConsumers(tx.coreTx) }
func (tx eventsTx) EventDeliveries() events.DeliveryRepository { return eventDeliveries(tx.coreTx) }

type eventTable struct {
	engine.Entities[affiliate.Event]
	// Those without a number are before all others.
	bySequence *engine.Ordered[affiliate.Event]
	numbers    *engine.Unique[affiliate.Event, int64]
	last       *engine.Table[int64] // one row: the last number; none before the first
}

func newEventTable(db *DB) eventTable {
	type E = affiliate.Event
	t := engine.NewTable[E](&db.store)
	return eventTable{
		engine.Entities[E]{
			Table: t, Resource: "event",
			ID:    func(e *E) *int64 { return &e.ID },
			Times: func(e *E) []*time.Time { return []*time.Time{&e.At} },
		},
		engine.NewOrdered(t, func(a, b *E) int { return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.ID, b.ID)) }),
		engine.NewUnique(t, func(e *E) (int64, bool) { return e.Sequence, e.Sequence > 0 }),
		engine.NewTable[int64](&db.store),
	}
}

func (*eventTable) in(db *DB) *engine.Entities[affiliate.Event] { return &db.core.events.Entities }

type (
	eventRepo = repo[affiliate.Event, *eventTable]
	raised    struct{ eventRepo }
	eventLog  struct{ eventRepo }
)

var (
	_ affiliate.EventRepository = raised{}
	_ events.LogRepository      = eventLog{}
)

func (r raised) Add(ctx context.Context, list ...affiliate.Event) error {
	fresh := append([]affiliate.Event(nil), list...)
	for i := range fresh {
		fresh[i].Sequence = 0
	}
	return r.all().AddAll(ctx, &r.u.Unit, fresh)
}

func (r raised) Scan(ctx context.Context, after int64, limit int) ([]affiliate.Event, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.core.events.Scan(after, limit) })
}

func (r eventLog) Number(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := &r.u.db.core.events
	var fresh []uint32
	t.bySequence.Each(0, 0, func(row uint32) bool {
		if t.At(row).Sequence > 0 || len(fresh) >= limit {
			return false
		}
		fresh = append(fresh, row)
		return true
	})
	if len(fresh) == 0 {
		return 0, nil
	}
	last := int64(0)
	if t.last.Len() > 0 {
		last = *t.last.At(1)
	} else if _, err := t.last.Insert(0); err != nil {
		return 0, r.u.Fail(err)
	}
	for _, row := range fresh {
		last++
		e := *t.At(row)
		e.Sequence = last
		t.Replace(row, e)
		if err := r.queue(engine.Kept(now), e); err != nil {
			return 0, r.u.Fail(err)
		}
	}
	t.last.Replace(1, last)
	return len(fresh), nil
}

// queue makes the deliveries of an event.
func (r eventLog) queue(now time.Time, e affiliate.Event) error {
	consumers, deliveries := &r.u.db.core.consumers, &r.u.db.core.deliveries
	var wanting []uint32
	consumers.Each(0, func(row uint32) bool {
		if c := consumers.At(row); !c.Paused && c.Filter.Wants(e) {
			wanting = append(wanting, row)
		}
		return true
	})
	for _, row := range wanting {
		due := now
		for _, before := range deliveries.lanes.Of(lane{int64(row), e.Object}) {
			if d := deliveries.At(before); d.State == events.Waiting && d.DueAt.After(due) {
				due = d.DueAt
			}
		}
		d := events.Delivery{
			ID: int64(deliveries.Last()) + 1, ConsumerID: int64(row), Sequence: e.Sequence, Object: e.Object, State: events.Waiting, DueAt: due, QueuedAt: now,
		}
		if _, err := deliveries.Insert(d); err != nil {
			return err
		}
		consumers.wake(row, now)
	}
	return nil
}

func (r eventLog) After(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	t := &r.u.db.core.events
	return r.rows(ctx, func() []uint32 {
		var rows []uint32
		part, i := t.bySequence.Search(func(e *affiliate.Event) bool { return e.Sequence > max(sequence, 0) })
		t.bySequence.Each(part, i, func(row uint32) bool {
			if len(rows) >= limit {
				return false
			}
			rows = append(rows, row)
			return true
		})
		return rows
	})
}

func (r eventLog) Before(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	t := &r.u.db.core.events
	return r.rows(ctx, func() []uint32 {
		var rows []uint32
		part, i := t.bySequence.Search(func(e *affiliate.Event) bool { return e.Sequence >= max(sequence, 1) })
		t.bySequence.Back(part, i, func(row uint32) bool {
			if len(rows) >= limit || t.At(row).Sequence == 0 { // those without a number are first in this order
				return false
			}
			rows = append(rows, row)
			return true
		})
		return rows
	})
}

func (r eventLog) Numbered(ctx context.Context, sequences []int64) ([]affiliate.Event, error) {
	t := &r.u.db.core.events
	return r.rows(ctx, func() []uint32 { return t.numbers.InOrder(idset.Sorted(sequences)) })
}

func (r eventLog) Expire(ctx context.Context, before time.Time, through int64, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := &r.u.db.core.events
	before = engine.Kept(before)
	var old []uint32
	part, i := t.bySequence.Search(func(e *affiliate.Event) bool { return e.Sequence > 0 })
	t.bySequence.Each(part, i, func(row uint32) bool {
		if len(old) >= limit || t.At(row).Sequence > through {
			return false
		}
		if e := t.At(row); e.At.Before(before) && len(r.u.db.core.deliveries.bySequence.Of(e.Sequence)) == 0 {
			old = append(old, row)
		}
		return true
	})
	for _, row := range old {
		t.Delete(row)
	}
	return len(old), nil
}
