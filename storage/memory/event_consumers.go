package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// consumerKey names a consumer from outside.
type consumerKey struct{ channel, name string }

type eventConsumerTable struct {
	*engine.Table[events.Consumer]
	byName *engine.Unique[events.Consumer, consumerKey]
	byDue  *engine.Groups[events.Consumer, string] // of a channel, those due first first
}

func keyOfConsumer(c *events.Consumer) consumerKey { return consumerKey{c.Channel, c.Name} }

func newEventConsumerTable(db *DB) eventConsumerTable {
	t := engine.NewTable[events.Consumer](&db.store)
	return eventConsumerTable{t,
		engine.NewUnique(t, func(c *events.Consumer) (consumerKey, bool) { return keyOfConsumer(c), true }),
		engine.NewGroups(t, func(c *events.Consumer) (string, bool) { return c.Channel, !c.DueAt.IsZero() }, func(a, b *events.Consumer) int {
			return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
		}),
	}
}

func copyConsumer(_ uint32, c *events.Consumer) events.Consumer {
	out := *c
	out.Filter.Kinds = engine.Copied(c.Filter.Kinds)
	return out
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// wake makes a consumer due that is neither leased nor paused.
func (t *eventConsumerTable) wake(row uint32, now time.Time) {
	c := *t.At(row)
	due := later(now, c.HeldUntil)
	if c.Token == "" && !c.Paused && (c.DueAt.IsZero() || c.DueAt.After(due)) {
		c.DueAt = due
		t.Replace(row, c)
	}
}

type eventConsumers struct{ u *unit }

// reschedule computes anew when a consumer is due that is not leased.
func (r eventConsumers) reschedule(row uint32) {
	t := &r.u.db.core.consumers
	c := *t.At(row)
	if c.Token != "" {
		return
	}
	c.DueAt = time.Time{}
	if waiting := r.u.db.core.deliveries.byDue.Of(c.ID); len(waiting) > 0 && !c.Paused {
		c.DueAt = later(r.u.db.core.deliveries.At(waiting[0]).DueAt, c.HeldUntil)
	}
	t.Replace(row, c)
}

func (r eventConsumers) Put(ctx context.Context, c events.Consumer) (events.Consumer, error) {
	if err := r.u.Change(ctx); err != nil {
		return events.Consumer{}, err
	}
	if err := c.Validate(); err != nil {
		return events.Consumer{}, r.u.Fail(err)
	}
	t := &r.u.db.core.consumers
	row, there := t.byName.Find(keyOfConsumer(&c))
	kept := events.Consumer{ID: int64(t.Last()) + 1, Channel: c.Channel, Name: c.Name, CreatedAt: engine.Kept(c.CreatedAt)}
	if there {
		kept = *t.At(row)
	}
	kept.Filter, kept.Paused = c.Filter, c.Paused
	kept.Filter.Kinds = engine.Copied(c.Filter.Kinds)
	if there {
		t.Replace(row, kept)
	} else {
		var err error
		if row, err = t.Insert(kept); err != nil {
			return events.Consumer{}, r.u.Fail(err)
		}
	}
	r.reschedule(row)
	return copyConsumer(row, t.At(row)), nil
}

func (r eventConsumers) Delete(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t, deliveries := &r.u.db.core.consumers, &r.u.db.core.deliveries
	row, ok := t.Find(id)
	if !ok {
		return nil
	}
	for _, d := range slices.Clone(deliveries.byConsumer.Of(id)) {
		deliveries.Delete(d)
	}
	r.u.db.webhooks.forget(id)
	t.Delete(row)
	return nil
}

func (r eventConsumers) GetMany(ctx context.Context, ids []int64) ([]events.Consumer, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.consumers.Table, ids, copyConsumer)
}

var eventConsumerColumns = engine.Columns[events.Consumer]{
	"name": engine.Text(func(c *events.Consumer) string { return c.Name }),
}

func (r eventConsumers) List(ctx context.Context, f events.ConsumerFilter, p affiliate.PageRequest) (affiliate.Page[events.Consumer], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[events.Consumer]{}, err
	}
	s := engine.Everything[events.Consumer]()
	s.Keep = func(_ uint32, c *events.Consumer) bool {
		return (f.Channel == "" || c.Channel == f.Channel) && (f.Names == nil || slices.Contains(f.Names, c.Name))
	}
	return engine.Page(&r.u.Unit, r.u.db.core.consumers.Table, s, p, eventConsumerColumns, copyConsumer)
}

func (r eventConsumers) Lease(ctx context.Context, l events.Lease) ([]events.Consumer, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	if err := l.Validate(); err != nil {
		return nil, r.u.Fail(err)
	}
	t := &r.u.db.core.consumers
	now := engine.Kept(l.Now)
	var rows []uint32
	for _, row := range t.byDue.Of(l.Channel) {
		c := t.At(row)
		if len(rows) == l.Limit || c.DueAt.After(now) {
			break
		}
		if l.Names == nil || slices.Contains(l.Names, c.Name) {
			rows = append(rows, row)
		}
	}
	var leased []events.Consumer
	for _, row := range rows {
		c := *t.At(row)
		if c.Token != "" {
			c.Takeovers++
		}
		c.Token, c.DueAt = l.Token, engine.Kept(l.Until)
		t.Replace(row, c)
		leased = append(leased, copyConsumer(row, &c))
	}
	return leased, nil
}

func (r eventConsumers) Settle(ctx context.Context, s events.Settlement) (bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return false, err
	}
	if err := s.Validate(); err != nil {
		return false, r.u.Fail(err)
	}
	t := &r.u.db.core.consumers
	row, ok := t.Find(s.ConsumerID)
	if !ok || t.At(row).Token != s.Token {
		return false, nil
	}
	var waiting []uint32
	for _, o := range s.Outcomes {
		if delivery, ok := r.settle(s.ConsumerID, o); ok {
			waiting = append(waiting, delivery)
		}
	}
	for _, delivery := range waiting { // once all are written down: one of them may be behind another
		r.holdBack(delivery)
	}
	c := *t.At(row)
	c.Token, c.Takeovers, c.HeldUntil = "", 0, engine.Kept(s.HeldUntil)
	t.Replace(row, c)
	r.reschedule(row)
	return true, nil
}

// settle writes one outcome down, and reports whether the delivery is tried again.
func (r eventConsumers) settle(consumerID int64, o events.Outcome) (uint32, bool) {
	t := &r.u.db.core.deliveries
	row, ok := t.Find(o.DeliveryID)
	if !ok || t.At(row).ConsumerID != consumerID {
		return 0, false
	}
	if o.Result == events.Done {
		t.Delete(row)
		return 0, false
	}
	d := *t.At(row)
	d.Attempts++
	d.State, d.DueAt, d.Reason, d.Detail = events.Waiting, engine.Kept(o.DueAt), o.Reason, o.Detail
	if o.Result == events.GaveUp {
		d.State, d.DueAt = events.Parked, time.Time{}
	}
	t.Replace(row, d)
	return row, o.Result == events.Later
}

// holdBack makes what is behind a delivery due no earlier than that.
func (r eventConsumers) holdBack(row uint32) {
	t := &r.u.db.core.deliveries
	d := *t.At(row)
	for _, behind := range t.lanes.Of(laneOf(&d)) {
		if f := *t.At(behind); f.Sequence > d.Sequence && f.State == events.Waiting && f.DueAt.Before(d.DueAt) {
			f.DueAt = d.DueAt
			t.Replace(behind, f)
		}
	}
}
