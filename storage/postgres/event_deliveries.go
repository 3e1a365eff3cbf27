package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

var (
	_ events.LogRepository      = eventLog{}
	_ events.ConsumerRepository = eventConsumers{}
	_ events.DeliveryRepository = eventDeliveries{}
)

// Deliveries are written by hand: they are queued and settled by the batch.

type eventDeliveryRow struct {
	bun.BaseModel `bun:"table:affiliate_event_deliveries,alias:t"`

	ID         int64        `bun:"id,pk,autoincrement"`
	ConsumerID int64        `bun:"consumer_id"`
	Sequence   int64        `bun:"sequence"`
	ObjectType string       `bun:"object_type"`
	ObjectID   string       `bun:"object_id"`
	State      events.State `bun:"state"`
	Attempts   int          `bun:"attempts"`
	DueAt      time.Time    `bun:"due_at,nullzero"`
	Reason     string       `bun:"reason"`
	Detail     string       `bun:"detail"`
	QueuedAt   time.Time    `bun:"queued_at,nullzero"`
}

var eventDeliveryTable = table[events.Delivery, eventDeliveryRow]{
	name: "affiliate_event_deliveries", resource: "event_delivery", entity: eventDeliveryRow.delivery,
	sort: map[string]string{"due_at": "t.due_at", "sequence": "t.sequence"},
}

func (r eventDeliveryRow) delivery() events.Delivery {
	return events.Delivery{
		ID: r.ID, ConsumerID: r.ConsumerID, Sequence: r.Sequence, Object: affiliate.Object{Type: r.ObjectType, ID: r.ObjectID},
		State: r.State, Attempts: r.Attempts, DueAt: utc(r.DueAt), Reason: r.Reason, Detail: r.Detail, QueuedAt: utc(r.QueuedAt),
	}
}

type eventDeliveries struct{ u *unit }

func (r eventDeliveries) Due(ctx context.Context, consumerID int64, now time.Time, limit int) ([]events.Delivery, error) {
	return read(ctx, r.u, "event_delivery", func(ctx context.Context) ([]events.Delivery, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []eventDeliveryRow
		err := r.u.prepared(`SELECT t.* FROM {schema}affiliate_event_deliveries AS t
			WHERE t.consumer_id = ?0::bigint AND t.state = 'waiting' AND t.due_at <= ?1::timestamptz ORDER BY t.due_at, t.sequence LIMIT ?2::bigint`,
			consumerID, now, int64(limit)).Scan(ctx, &rows)
		return eventDeliveryTable.entities(rows), err
	})
}

func (r eventDeliveries) Queue(ctx context.Context, now time.Time, consumerID int64, sequences []int64) (int, error) {
	return change(ctx, r.u, "event_delivery", func(ctx context.Context) (int, error) {
		var found []int64
		if err := r.u.prepared(`SELECT id FROM {schema}affiliate_event_consumers WHERE id = ?0::bigint FOR UPDATE`, consumerID).Scan(ctx, &found); err != nil {
			return 0, err
		}
		if len(found) == 0 {
			return 0, affiliate.NotFound("event_consumer", consumerID)
		}
		res, err := r.u.prepared(`INSERT INTO {schema}affiliate_event_deliveries AS t
				(consumer_id, sequence, object_type, object_id, state, attempts, due_at, reason, detail, queued_at)
			SELECT c.id, e.sequence, e.object_type, e.object_id, 'waiting', 0, ?0::timestamptz, '', '', ?0::timestamptz
			FROM {schema}affiliate_events AS e JOIN {schema}affiliate_event_consumers AS c ON c.id = ?1::bigint AND `+wants+`
			WHERE e.sequence = ANY(?2::bigint[]) ORDER BY e.sequence
			ON CONFLICT (consumer_id, object_type, object_id, sequence) DO UPDATE
				SET state = 'waiting', attempts = 0, due_at = excluded.due_at, reason = '', detail = '', queued_at = excluded.queued_at
				WHERE t.state = 'parked'`, now, consumerID, sequences).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return 0, err
		}
		return int(n), wake(ctx, r.u, now, found)
	})
}

func (r eventDeliveries) Requeue(ctx context.Context, now time.Time, ids []int64) (int, error) {
	return change(ctx, r.u, "event_delivery", func(ctx context.Context) (int, error) {
		var consumers []int64
		if err := r.u.prepared(`SELECT c.id FROM {schema}affiliate_event_consumers AS c
			WHERE c.id IN (SELECT d.consumer_id FROM {schema}affiliate_event_deliveries AS d WHERE d.id = ANY(?0::bigint[]) AND d.state = 'parked')
			ORDER BY c.id FOR UPDATE OF c`, ids).Scan(ctx, &consumers); err != nil {
			return 0, err
		}
		res, err := r.u.prepared(`UPDATE {schema}affiliate_event_deliveries SET state = 'waiting', attempts = 0, due_at = ?0::timestamptz, reason = '', detail = '', queued_at = ?0::timestamptz
			WHERE id = ANY(?1::bigint[]) AND state = 'parked'`, now, ids).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		return int(n), wake(ctx, r.u, now, consumers)
	})
}

func (r eventDeliveries) List(ctx context.Context, f events.DeliveryFilter, p affiliate.PageRequest) (affiliate.Page[events.Delivery], error) {
	return eventDeliveryTable.list(ctx, r.u, p, func(q filter) {
		q.equal("t.consumer_id", f.ConsumerID)
		q.text("t.state", string(f.State))
		q.text("t.reason", f.Reason)
	})
}

func (r eventDeliveries) Backlog(ctx context.Context, channel string) ([]events.Backlog, error) {
	return read(ctx, r.u, "event_delivery", func(ctx context.Context) ([]events.Backlog, error) {
		var rows []struct {
			Name            string
			Waiting, Parked int
			Oldest          time.Time
		}
		if !storable(channel) {
			return nil, nil
		}
		err := r.u.tx.NewRaw(`SELECT c.name, count(*) FILTER (WHERE d.state = 'waiting') AS waiting, count(*) FILTER (WHERE d.state = 'parked') AS parked,
				coalesce(min(d.queued_at) FILTER (WHERE d.state = 'waiting'), `+zeroTime+`) AS oldest
			FROM ? AS c JOIN ? AS d ON d.consumer_id = c.id WHERE c.channel = ? GROUP BY c.name ORDER BY c.name`,
			r.u.name("affiliate_event_consumers"), r.u.name("affiliate_event_deliveries"), channel).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		var out []events.Backlog
		for _, row := range rows {
			out = append(out, events.Backlog{Consumer: row.Name, Waiting: row.Waiting, Parked: row.Parked, Oldest: utc(row.Oldest)})
		}
		return out, nil
	})
}
