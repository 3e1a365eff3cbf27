package laravel

import (
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// End is the time until which something is valid, as it is sent. A date without
// a time stands for that whole day, in UTC: the end is the start of the next one.
type End struct {
	at  time.Time // as sent
	day bool      // it had no time
}

// UnmarshalWire takes every form of a time.
func (e *End) UnmarshalWire(v wire.Value) error {
	text := v.Text()
	t, ok := wire.ParseTime(text)
	if v.Kind() != wire.Text || !ok || len(text) > 40 {
		return errInvalidDate
	}
	e.at, e.day = t, len(text) == len(time.DateOnly)
	return nil
}

var errInvalidDate = errors.New("must be a date or a time, such as 2026-03-18 or 2026-03-18T11:42:10Z")

// Apply changes an end when one was sent; the zero End, for null, clears it.
// What is printed may come back as it is: it is then no change.
func (e End) Apply(sent bool, until *time.Time, day *bool) {
	switch {
	case !sent, *day && e.at.Equal(EndOf(*until, *day)):
	case e.day:
		*until, *day = e.at.AddDate(0, 0, 1), true
	default:
		*until, *day = e.at, false
	}
}

// EndOf returns an end as it was given: of a whole day, the start of that day.
func EndOf(until time.Time, day bool) time.Time {
	if day {
		return until.AddDate(0, 0, -1)
	}
	return until
}

// ShowEnd prints EndOf.
func ShowEnd(until time.Time, day bool) DateTime { return DateTime(EndOf(until, day)) }
