package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// dateFormat is how a date is sent: a time would be brought to a date in the
// time zone of the session.
const dateFormat = time.DateOnly

type dayRow struct {
	bun.BaseModel `bun:"table:affiliate_click_days,alias:t"`

	Date         time.Time          `bun:"date"`
	AdvertiserID int64              `bun:"advertiser_id"`
	UserID       int64              `bun:"user_id"`
	Currency     affiliate.Currency `bun:"currency"`
	Clicks       int64              `bun:"clicks"`
	Valid        int64              `bun:"valid"`
	Earning      int64              `bun:"earning"`
	Cost         int64              `bun:"cost"`
}

type days struct{ u *unit }

func (r days) Add(ctx context.Context, days ...links.Day) error {
	return exec(ctx, r.u, "day", func(ctx context.Context) error {
		sums, err := sumDays(days)
		if err != nil || len(sums) == 0 {
			return err
		}
		type day = links.Day
		return batch{
			table: "affiliate_click_days",
			rest: `ON CONFLICT (advertiser_id, date, user_id, currency) DO UPDATE SET
				clicks = t.clicks + excluded.clicks, valid = t.valid + excluded.valid,
				earning = t.earning + excluded.earning, cost = t.cost + excluded.cost`,
			columns: []batchColumn{
				field("user_id", "bigint", sums, func(d *day) int64 { return d.UserID }),
				field("advertiser_id", "bigint", sums, func(d *day) int64 { return d.AdvertiserID }),
				field("date", "date", sums, func(d *day) string { return d.Date.Format(dateFormat) }),
				field("currency", "text", sums, func(d *day) string { return string(d.Currency) }),
				field("clicks", "bigint", sums, func(d *day) int64 { return d.Clicks }),
				field("valid", "bigint", sums, func(d *day) int64 { return d.Valid }),
				field("earning", "bigint", sums, func(d *day) int64 { return d.Earning }),
				field("cost", "bigint", sums, func(d *day) int64 { return d.Cost }),
			},
		}.exec(ctx, r.u)
	})
}

// sumDays adds up the days of one key, in the order in which every unit locks
// the roll-ups.
func sumDays(days []links.Day) ([]links.Day, error) {
	type key struct {
		date             time.Time
		advertiser, user int64
		currency         affiliate.Currency
	}
	byKey := make(map[key]links.Day)
	for _, d := range days {
		if !d.Currency.Valid() {
			return nil, affiliate.Invalid("day", affiliate.FieldError{Field: "currency", Code: "unknown_currency", Message: "must be an ISO 4217 code"})
		}
		k := key{links.DayOf(d.Date), d.AdvertiserID, d.UserID, d.Currency}
		sum, ok := byKey[k]
		if !ok {
			sum = links.Day{Date: k.date, AdvertiserID: k.advertiser, UserID: k.user, Currency: k.currency}
		}
		if !addTo(&sum.Clicks, d.Clicks) || !addTo(&sum.Valid, d.Valid) || !addTo(&sum.Earning, d.Earning) || !addTo(&sum.Cost, d.Cost) {
			return nil, overflow("day")
		}
		byKey[k] = sum
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b links.Day) int {
		return cmp.Or(cmp.Compare(a.AdvertiserID, b.AdvertiserID), a.Date.Compare(b.Date),
			cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Currency, b.Currency))
	}), nil
}

func (r days) List(ctx context.Context, f links.DayFilter) ([]links.Day, error) {
	return read(ctx, r.u, "day", func(ctx context.Context) ([]links.Day, error) {
		var rows []dayRow
		q := filter{r.u.tx.NewSelect().Model(&rows).ModelTableExpr(r.u.from("affiliate_click_days"))}
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.equal("t.user_id", f.UserID)
		if !f.From.IsZero() {
			q.Where("t.date >= ?::date", links.DayOf(f.From).Format(dateFormat))
		}
		if !f.Until.IsZero() {
			q.Where("t.date < ?::date", links.DayOf(f.Until).Format(dateFormat))
		}
		if err := q.OrderExpr("t.date, t.advertiser_id, t.user_id, t.currency").Scan(ctx); err != nil {
			return nil, err
		}
		var out []links.Day
		for _, row := range rows {
			out = append(out, links.Day{
				Date: utc(row.Date), AdvertiserID: row.AdvertiserID, UserID: row.UserID, Currency: row.Currency,
				Clicks: row.Clicks, Valid: row.Valid, Earning: row.Earning, Cost: row.Cost,
			})
		}
		return out, nil
	})
}

type visitorSecrets struct{ u *unit }

func (r visitorSecrets) AddOrGet(ctx context.Context, s links.VisitorSecret) (links.VisitorSecret, error) {
	return change(ctx, r.u, "visitor_secret", func(ctx context.Context) (links.VisitorSecret, error) {
		date, table := links.DayOf(s.Date), r.u.name("affiliate_visitor_secrets")
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (date, secret) VALUES (?::date, ?) ON CONFLICT DO NOTHING`,
			table, date.Format(dateFormat), s.Secret[:])
		if err != nil {
			return links.VisitorSecret{}, err
		}
		var row struct {
			Secret hash `bun:"secret"`
		}
		err = r.u.tx.NewRaw(`SELECT secret FROM ? WHERE date = ?::date`, table, date.Format(dateFormat)).Scan(ctx, &row)
		return links.VisitorSecret{Date: date, Secret: row.Secret}, err
	})
}

func (r visitorSecrets) RemoveBefore(ctx context.Context, date time.Time) error {
	return exec(ctx, r.u, "visitor_secret", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE date < ?::date`,
			r.u.name("affiliate_visitor_secrets"), links.DayOf(date).Format(dateFormat))
		return err
	})
}
