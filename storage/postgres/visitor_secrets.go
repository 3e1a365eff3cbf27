package postgres

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
)

// dateFormat is how a date is sent: a time would be brought to a date in the
// time zone of the session.
const dateFormat = time.DateOnly

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
