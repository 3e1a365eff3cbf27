package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// Events returns the store of package events.
func (db *DB) Events() events.Store {
	return eventsView{view[events.Tx]{db, func(u *unit) events.Tx { return eventsTx{coreTx{u}} }}}
}

type eventsView struct{ view[events.Tx] }

// Work runs fn isolated by the locks that it takes.
func (v eventsView) Work(ctx context.Context, fn func(context.Context, events.Tx) error) error {
	return v.run(ctx, recordUnit, fn)
}

// eventsTx gives the repositories of events beside those of the core.
type eventsTx struct{ coreTx }

func (t eventsTx) EventLog() events.LogRepository             { return eventLog{in(t.coreTx, &eventTable)} }
func (t eventsTx) EventConsumers() events.ConsumerRepository  { return eventConsumers(t.coreTx) }
func (t eventsTx) EventDeliveries() events.DeliveryRepository { return eventDeliveries(t.coreTx) }

type eventRow struct {
	bun.BaseModel `bun:"table:affiliate_events,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Sequence     int64     `bun:"sequence,nullzero"`
	Kind         string    `bun:"kind"`
	Version      int       `bun:"version"`
	AdvertiserID int64     `bun:"advertiser_id,nullzero"`
	ClientID     int64     `bun:"client_id,nullzero"`
	ObjectType   string    `bun:"object_type"`
	ObjectID     string    `bun:"object_id"`
	Data         string    `bun:"data"`
	At           time.Time `bun:"at,nullzero"`
}

var eventTable = table[affiliate.Event, eventRow]{
	name: "affiliate_events", resource: "event",
	entity: func(r eventRow) affiliate.Event {
		return affiliate.Event{
			ID: r.ID, Sequence: r.Sequence, Kind: r.Kind, Version: r.Version, AdvertiserID: r.AdvertiserID, ClientID: r.ClientID,
			Object: affiliate.Object{Type: r.ObjectType, ID: r.ObjectID}, Data: r.Data, At: utc(r.At),
		}
	},
}

// raised takes the events of units.
type raised struct {
	repo[affiliate.Event, eventRow]
}

func (r raised) Add(ctx context.Context, events ...affiliate.Event) error {
	return exec(ctx, r.u, "event", func(ctx context.Context) error {
		for _, e := range events {
			if err := e.Validate(); err != nil {
				return err
			}
		}
		if len(events) == 0 {
			return nil
		}
		type event = affiliate.Event
		return batch{table: "affiliate_events", inOrder: true, columns: []batchColumn{
			field("object_id", "text", events, func(e *event) string { return e.Object.ID }),
			field("object_type", "text", events, func(e *event) string { return e.Object.Type }),
			field("kind", "text", events, func(e *event) string { return e.Kind }),
			field("version", "integer", events, func(e *event) int64 { return int64(e.Version) }),
			idField("advertiser_id", events, func(e *event) int64 { return e.AdvertiserID }),
			idField("client_id", events, func(e *event) int64 { return e.ClientID }),
			field("data", "text", events, func(e *event) string { return e.Data }),
			timeField("at", events, func(e *event) time.Time { return e.At }),
		}}.exec(ctx, r.u)
	})
}

func (r raised) Scan(ctx context.Context, after int64, limit int) ([]affiliate.Event, error) {
	return r.after(ctx, after, limit)
}

// eventLog is written by hand: every event passes through it twice, by the batch.
type eventLog struct {
	repo[affiliate.Event, eventRow]
}

// wants is whether a consumer c wants an event e.
const wants = `(c.kinds = '{}' OR e.kind = ANY(c.kinds))
	AND (c.advertiser_id IS NULL OR c.advertiser_id = e.advertiser_id) AND (c.client_id IS NULL OR c.client_id = e.client_id)`

func (r eventLog) Number(ctx context.Context, now time.Time, limit int) (int, error) {
	return change(ctx, r.u, "event", func(ctx context.Context) (int, error) {
		var fresh []int64
		err := r.u.prepared(`SELECT id FROM {schema}affiliate_events WHERE sequence IS NULL ORDER BY id LIMIT 1`).Scan(ctx, &fresh)
		if err != nil || len(fresh) == 0 || limit <= 0 {
			return 0, err
		}
		// First the lock, so that the next statement sees what its last holder did.
		var last int64
		if err := r.u.prepared(`SELECT last FROM {schema}affiliate_event_sequence WHERE id = 1 FOR UPDATE`).Scan(ctx, &last); err != nil {
			return 0, err
		}
		res, err := r.u.prepared(`WITH fresh AS MATERIALIZED (
				SELECT id, row_number() OVER (ORDER BY id) AS n
				FROM (SELECT id FROM {schema}affiliate_events WHERE sequence IS NULL ORDER BY id LIMIT ?1::bigint) AS f
			) UPDATE {schema}affiliate_events AS t SET sequence = ?0::bigint + fresh.n FROM fresh WHERE t.id = fresh.id`,
			last, int64(limit)).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		if _, err := r.u.prepared(`UPDATE {schema}affiliate_event_sequence SET last = ?0::bigint WHERE id = 1`, last+n).Exec(ctx); err != nil {
			return 0, err
		}
		return int(n), r.queue(ctx, now, last, last+n)
	})
}

// queue makes deliveries of the events after a number and up to another one. It
// locks their consumers first, so that a settlement that computes when one is
// due next comes before or after it.
func (r eventLog) queue(ctx context.Context, now time.Time, after, upTo int64) error {
	var ids []int64
	err := r.u.prepared(`SELECT c.id FROM {schema}affiliate_event_consumers AS c
		WHERE NOT c.paused AND EXISTS (SELECT FROM {schema}affiliate_events AS e WHERE e.sequence > ?0::bigint AND e.sequence <= ?1::bigint AND `+wants+`)
		ORDER BY c.id FOR UPDATE OF c`, after, upTo).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	if _, err := r.u.prepared(`INSERT INTO {schema}affiliate_event_deliveries
			(consumer_id, sequence, object_type, object_id, state, attempts, due_at, reason, detail, queued_at)
		SELECT c.id, e.sequence, e.object_type, e.object_id, 'waiting', 0, greatest(?0::timestamptz, (
				SELECT max(p.due_at) FROM {schema}affiliate_event_deliveries AS p
				WHERE p.consumer_id = c.id AND p.object_type = e.object_type AND p.object_id = e.object_id AND p.state = 'waiting')),
			'', '', ?0::timestamptz
		FROM {schema}affiliate_events AS e JOIN {schema}affiliate_event_consumers AS c ON c.id = ANY(?3::bigint[]) AND `+wants+`
		WHERE e.sequence > ?1::bigint AND e.sequence <= ?2::bigint`, now, after, upTo, ids).Exec(ctx); err != nil {
		return err
	}
	return wake(ctx, r.u, now, ids)
}

// wake makes consumers due, those that are neither leased nor paused. Being due
// too early costs one lease that finds nothing.
func wake(ctx context.Context, u *unit, now time.Time, ids []int64) error {
	_, err := u.prepared(`UPDATE {schema}affiliate_event_consumers AS t SET due_at = greatest(?0::timestamptz, t.held_until)
		WHERE t.id = ANY(?1::bigint[]) AND t.token = '' AND NOT t.paused AND (t.due_at IS NULL OR t.due_at > greatest(?0::timestamptz, t.held_until))`,
		now, ids).Exec(ctx)
	return err
}

func (r eventLog) After(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	return read(ctx, r.u, "event", func(ctx context.Context) ([]affiliate.Event, error) {
		var rows []eventRow
		if limit <= 0 {
			return nil, nil
		}
		q := eventTable.selectFrom(r.u, &rows)
		err := q.Where("t.sequence > ?", sequence).OrderExpr("t.sequence").Limit(int64(limit)).Scan(ctx)
		return eventTable.entities(rows), err
	})
}

func (r eventLog) Before(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error) {
	return read(ctx, r.u, "event", func(ctx context.Context) ([]affiliate.Event, error) {
		var rows []eventRow
		if limit <= 0 {
			return nil, nil
		}
		q := eventTable.selectFrom(r.u, &rows)
		err := q.Where("t.sequence < ?", sequence).OrderExpr("t.sequence DESC").Limit(int64(limit)).Scan(ctx)
		return eventTable.entities(rows), err
	})
}

func (r eventLog) Numbered(ctx context.Context, sequences []int64) ([]affiliate.Event, error) {
	return read(ctx, r.u, "event", func(ctx context.Context) ([]affiliate.Event, error) {
		var rows []eventRow
		text := func() string {
			return eventTable.selectFrom(r.u, &rows).Where("t.sequence = ANY(?0::bigint[])").OrderExpr("t.sequence").String()
		}
		err := r.u.preparedFrom("events by sequence", text, sequences).Scan(ctx, &rows)
		return eventTable.entities(rows), err
	})
}

func (r eventLog) Expire(ctx context.Context, before time.Time, through int64, limit int) (int, error) {
	return change(ctx, r.u, "event", func(ctx context.Context) (int, error) {
		res, err := r.u.prepared(`DELETE FROM {schema}affiliate_events AS t WHERE t.id = ANY(ARRAY(
				SELECT e.id FROM {schema}affiliate_events AS e
				WHERE e.sequence IS NOT NULL AND e.sequence <= ?2::bigint AND coalesce(e.at, `+zeroTime+`) < ?0::timestamptz
					AND NOT EXISTS (SELECT FROM {schema}affiliate_event_deliveries AS d WHERE d.sequence = e.sequence)
				ORDER BY e.sequence LIMIT ?1::bigint))`, before, int64(max(limit, 0)), through).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}
