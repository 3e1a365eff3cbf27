package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// lane is what a consumer hears of one object.
type lane struct {
	consumer int64
	object   affiliate.Object
}

type eventDeliveryTable struct {
	*engine.Table[events.Delivery]
	byConsumer *engine.Groups[events.Delivery, int64]
	byDue      *engine.Groups[events.Delivery, int64] // of a consumer, those that wait
	lanes      *engine.Groups[events.Delivery, lane]
	bySequence *engine.Groups[events.Delivery, int64]
}

func laneOf(d *events.Delivery) lane { return lane{d.ConsumerID, d.Object} }

func newEventDeliveryTable(db *DB) eventDeliveryTable {
	type D = events.Delivery
	t := engine.NewTable[D](&db.store)
	return eventDeliveryTable{t,
		engine.NewGroups(t, func(d *D) (int64, bool) { return d.ConsumerID, true }, nil),
		engine.NewGroups(t, func(d *D) (int64, bool) { return d.ConsumerID, d.State == events.Waiting }, func(a, b *D) int {
			return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Sequence, b.Sequence))
		}),
		engine.NewGroups(t, func(d *D) (lane, bool) { return laneOf(d), true }, nil),
		engine.NewGroups(t, func(d *D) (int64, bool) { return d.Sequence, true }, nil),
	}
}

type eventDeliveries struct{ u *unit }

var _ events.DeliveryRepository = eventDeliveries{}

func (r eventDeliveries) Due(ctx context.Context, consumerID int64, now time.Time, limit int) ([]events.Delivery, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := &r.u.db.core.deliveries
	now = engine.Kept(now)
	var list []events.Delivery
	for _, row := range t.byDue.Of(consumerID) {
		if len(list) >= limit || t.At(row).DueAt.After(now) {
			break
		}
		list = append(list, *t.At(row))
	}
	return list, nil
}

func (r eventDeliveries) Queue(ctx context.Context, now time.Time, consumerID int64, sequences []int64) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	core := &r.u.db.core
	consumer, ok := core.consumers.Find(consumerID)
	if !ok {
		return 0, r.u.Fail(affiliate.NotFound("event_consumer", consumerID))
	}
	now = engine.Kept(now)
	n := 0
	for _, row := range core.events.numbers.InOrder(idset.Sorted(sequences)) {
		e := core.events.At(row)
		if !core.consumers.At(consumer).Filter.Wants(*e) {
			continue
		}
		d := events.Delivery{
			ID: int64(core.deliveries.Last()) + 1, ConsumerID: consumerID, Sequence: e.Sequence, Object: e.Object, State: events.Waiting, DueAt: now, QueuedAt: now,
		}
		i := slices.IndexFunc(core.deliveries.lanes.Of(laneOf(&d)), func(row uint32) bool { return core.deliveries.At(row).Sequence == e.Sequence })
		if i < 0 {
			if _, err := core.deliveries.Insert(d); err != nil {
				return 0, r.u.Fail(err)
			}
		} else {
			there := core.deliveries.lanes.Of(laneOf(&d))[i]
			if core.deliveries.At(there).State == events.Waiting {
				continue
			}
			d.ID = int64(there)
			core.deliveries.Replace(there, d)
		}
		n++
	}
	if n > 0 {
		core.consumers.wake(consumer, now)
	}
	return n, nil
}

func (r eventDeliveries) Requeue(ctx context.Context, now time.Time, ids []int64) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	core := &r.u.db.core
	now = engine.Kept(now)
	n := 0
	for _, row := range core.deliveries.Among(ids) {
		d := *core.deliveries.At(row)
		if d.State != events.Parked {
			continue
		}
		d.State, d.Attempts, d.DueAt, d.QueuedAt, d.Reason, d.Detail = events.Waiting, 0, now, now, "", ""
		core.deliveries.Replace(row, d)
		core.consumers.wake(uint32(d.ConsumerID), now)
		n++
	}
	return n, nil
}

var eventDeliveryColumns = engine.Columns[events.Delivery]{
	"due_at":   engine.Time(func(d *events.Delivery) time.Time { return d.DueAt }),
	"sequence": engine.Number(func(d *events.Delivery) int64 { return d.Sequence }),
}

func (r eventDeliveries) List(ctx context.Context, f events.DeliveryFilter, p affiliate.PageRequest) (affiliate.Page[events.Delivery], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[events.Delivery]{}, err
	}
	s := engine.Everything[events.Delivery]()
	if f.ConsumerID != 0 {
		s = engine.Only[events.Delivery](r.u.db.core.deliveries.byConsumer.Of(f.ConsumerID))
	}
	s.Keep = func(_ uint32, d *events.Delivery) bool {
		return (f.State == "" || d.State == f.State) && (f.Reason == "" || d.Reason == f.Reason)
	}
	return engine.Page(&r.u.Unit, r.u.db.core.deliveries.Table, s, p, eventDeliveryColumns, engine.AsKept)
}

func (r eventDeliveries) Backlog(ctx context.Context, channel string) ([]events.Backlog, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	core := &r.u.db.core
	var out []events.Backlog
	core.consumers.Each(0, func(row uint32) bool {
		c := core.consumers.At(row)
		if c.Channel != channel {
			return true
		}
		b := events.Backlog{Consumer: c.Name}
		for _, d := range core.deliveries.byConsumer.Of(c.ID) {
			d := core.deliveries.At(d)
			if d.State == events.Parked {
				b.Parked++
				continue
			}
			if b.Waiting++; b.Oldest.IsZero() || d.QueuedAt.Before(b.Oldest) {
				b.Oldest = d.QueuedAt
			}
		}
		if b.Waiting+b.Parked > 0 {
			out = append(out, b)
		}
		return true
	})
	slices.SortFunc(out, func(a, b events.Backlog) int { return cmp.Compare(a.Consumer, b.Consumer) })
	return out, nil
}
