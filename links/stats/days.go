package stats

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxDays bounds the days of a series.
const MaxDays = 3660

// Series is what happened on each day of a range, and in all of it.
type Series struct {
	Total  Figures
	PerDay []Row // by date, without gaps: a day without events has zeros
}

// Days returns the series of a filter from f.From until f.Until, which is not in
// it. A bound that is zero is the first or the last day with events. ErrInvalid
// with the field "until" when there are more than MaxDays. An action for any
// unit.
func Days(ctx context.Context, tx Tx, f Filter) (Series, error) {
	var out Series
	rows, err := tx.Stats().Sum(ctx, f, ByDay)
	if err != nil {
		return out, err
	}
	from, until := date(f.From), date(f.Until)
	if len(rows) > 0 && f.From.IsZero() {
		from = rows[0].Day
	}
	if len(rows) > 0 && f.Until.IsZero() {
		until = rows[len(rows)-1].Day.AddDate(0, 0, 1)
	}
	if from.IsZero() || until.IsZero() || !from.Before(until) {
		return out, nil
	}
	n := int(until.Sub(from) / (24 * time.Hour))
	if n > MaxDays || n < 0 {
		return out, affiliate.Invalid("statistics", affiliate.FieldError{Field: "until", Code: "too_many_days", Message: "must be at most 3660 days after the first day"})
	}
	out.PerDay = make([]Row, n)
	for i := range out.PerDay {
		out.PerDay[i].Day = from.AddDate(0, 0, i)
	}
	for i := range rows {
		out.PerDay[int(rows[i].Day.Sub(from)/(24*time.Hour))] = rows[i]
		if !out.Total.Add(&rows[i].Figures) {
			return out, overflow()
		}
	}
	return out, nil
}

// date is midnight UTC of the date; zero stays zero.
func date(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(24 * time.Hour)
}

func overflow() error {
	return &affiliate.Error{Kind: affiliate.ErrInvalid, Code: "overflow", Resource: "statistics", Message: "a sum leaves the range of 64 bits"}
}
