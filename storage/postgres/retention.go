package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

type retainedRow struct {
	ClicksThrough   uuid.UUID `bun:"clicks_through"`
	ClicksFrom      time.Time `bun:"clicks_from"`
	Clicks          int64     `bun:"clicks"`
	Entries         int64     `bun:"entries"`
	VisitorsThrough uuid.UUID `bun:"visitors_through"`
	VisitorsFrom    time.Time `bun:"visitors_from"`
	EventsThrough   int64     `bun:"events_through"`
}

type retention struct{ u *unit }

func (r retention) Get(ctx context.Context) (links.Retained, error) {
	return read(ctx, r.u, "retained", func(ctx context.Context) (links.Retained, error) {
		var rows []retainedRow
		err := r.u.tx.NewRaw(`SELECT clicks_through, clicks_from, clicks, entries, visitors_through, visitors_from, events_through FROM ? WHERE id = 1`,
			r.u.name("affiliate_retention")).Scan(ctx, &rows)
		if err != nil || len(rows) == 0 {
			return links.Retained{}, err
		}
		row := rows[0]
		return links.Retained{
			ClicksThrough: row.ClicksThrough, ClicksFrom: utc(row.ClicksFrom), Clicks: row.Clicks, Entries: row.Entries,
			VisitorsThrough: row.VisitorsThrough, VisitorsFrom: utc(row.VisitorsFrom), EventsThrough: row.EventsThrough,
		}, nil
	})
}

// dateOrNone is a date as it is sent; nil is none.
func dateOrNone(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(dateFormat)
}

func (r retention) Put(ctx context.Context, v links.Retained) error {
	return exec(ctx, r.u, "retained", func(ctx context.Context) error {
		if err := v.Validate(); err != nil {
			return err
		}
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (id, clicks_through, clicks_from, clicks, entries, visitors_through, visitors_from, events_through)
			VALUES (1, ?, ?::date, ?, ?, ?, ?::date, ?)
			ON CONFLICT (id) DO UPDATE SET clicks_through = excluded.clicks_through, clicks_from = excluded.clicks_from, clicks = excluded.clicks,
				entries = excluded.entries, visitors_through = excluded.visitors_through, visitors_from = excluded.visitors_from, events_through = excluded.events_through`,
			r.u.name("affiliate_retention"), v.ClicksThrough, dateOrNone(v.ClicksFrom), v.Clicks, v.Entries, v.VisitorsThrough, dateOrNone(v.VisitorsFrom), v.EventsThrough)
		return err
	})
}

func (r retention) Add(ctx context.Context, gone ...offers.Usage) error {
	return addUsage(ctx, r.u, "affiliate_retained_usage", gone)
}

func (r retention) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	return scanUsage(ctx, r.u, "affiliate_retained_usage", after, limit)
}
