package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type eventRow struct {
	bun.BaseModel `bun:"table:affiliate_events,alias:t"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Type    string    `bun:"type"`
	Subject string    `bun:"subject"`
	Data    string    `bun:"data"`
	At      time.Time `bun:"at,nullzero"`
}

var eventTable = table[affiliate.Event, eventRow]{
	name: "affiliate_events", resource: "event",
	entity: func(r eventRow) affiliate.Event {
		return affiliate.Event{ID: r.ID, Type: r.Type, Subject: r.Subject, Data: r.Data, At: utc(r.At)}
	},
}

type events struct {
	repo[affiliate.Event, eventRow]
}

func (r events) Add(ctx context.Context, events ...affiliate.Event) error {
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
			field("type", "text", events, func(e *event) string { return e.Type }),
			field("subject", "text", events, func(e *event) string { return e.Subject }),
			field("data", "text", events, func(e *event) string { return e.Data }),
			timeField("at", events, func(e *event) time.Time { return e.At }),
		}}.exec(ctx, r.u)
	})
}

func (r events) Pending(ctx context.Context, limit int) ([]affiliate.Event, error) {
	return r.many(ctx, func(q filter) {
		q.none(limit <= 0)
		q.Limit(int64(limit))
	})
}

func (r events) Remove(ctx context.Context, ids []int64) error {
	return exec(ctx, r.u, "event", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ANY(?::bigint[])`,
			r.u.name("affiliate_events"), pgdialect.Array(nonNil(ids)))
		return err
	})
}
