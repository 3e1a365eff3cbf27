package stats

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxDays bounds the days of a series.
const MaxDays = 3660

// Span is a range of days, both ends inclusive. A missing From is 29 days before
// To, a missing To is today: the zero Span is the last 30 days.
type Span struct{ From, To time.Time }

// defaultDays are how many days a span without dates has.
const defaultDays = 30

// Bounds returns the span as a Filter has it, where until is not in it. What
// today is says DayOf. ErrInvalid with the field "to" when the span ends before it
// begins, or has more than MaxDays.
func (s Span) Bounds(today time.Time) (from, until time.Time, err error) {
	last := date(s.To)
	if last.IsZero() {
		last = date(today)
	}
	from, until = date(s.From), last.AddDate(0, 0, 1)
	if from.IsZero() {
		from = until.AddDate(0, 0, -defaultDays)
	}
	var v affiliate.Validation
	v.Check(from.Before(until), "to", "before_from", "must not be before from")
	v.Check(!from.AddDate(0, 0, MaxDays).Before(until), "to", "too_many_days", "must be at most 3660 days after from")
	return from, until, v.Err("statistics")
}

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
	return fill(rows, from, until)
}

// fill makes a series of rows that are ordered by day, one a day at most.
func fill(rows []Row, from, until time.Time) (Series, error) {
	var out Series
	n := int(until.Sub(from) / (24 * time.Hour))
	if n > MaxDays {
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

// LastDays returns what each creator brought to an advertiser in the last 30
// days, by the id of the creator.
func (s *Service) LastDays(ctx context.Context, advertiserID int64) (map[int64]Row, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (map[int64]Row, error) {
		f, _, err := s.within(ctx, tx, advertiserID, Span{})
		if err != nil {
			return nil, err
		}
		rows, err := tx.Stats().Sum(ctx, f, ByUser)
		out := make(map[int64]Row, len(rows))
		for _, row := range rows {
			out[row.UserID] = row
		}
		return out, err
	})
}

// within chooses the roll-ups of an advertiser that the viewer acts for, and of
// the days of a span, where a missing end is today at the advertiser.
func (s *Service) within(ctx context.Context, tx Tx, advertiserID int64, span Span) (Filter, affiliate.Advertiser, error) {
	a, err := s.advertiser(ctx, tx, advertiserID)
	if err != nil {
		return Filter{}, a, err
	}
	f := Filter{AdvertiserIDs: []int64{advertiserID}}
	f.From, f.Until, err = span.Bounds(DayOf(s.clock.Now(), &a))
	return f, a, err
}

// Counted reports whether there is a roll-up of the advertiser.
func Counted(ctx context.Context, tx Tx, advertiserID int64) (bool, error) {
	for _, by := range []Dimensions{ByAdvertiser, ByAdvertiser | ByAd} {
		rows, err := tx.Stats().Page(ctx, Filter{AdvertiserIDs: []int64{advertiserID}}, by, nil, affiliate.PageRequest{Number: 1, Size: 1})
		if err != nil || rows.Total > 0 {
			return rows.Total > 0, err
		}
	}
	return false, nil
}
