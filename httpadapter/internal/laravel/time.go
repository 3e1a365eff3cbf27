package laravel

import (
	"encoding/json"
	"time"
)

// DateTime prints as "2026-03-18 11:42:10", in UTC; the zero time as null.
type DateTime time.Time

// MarshalJSON prints the time.
func (t DateTime) MarshalJSON() ([]byte, error) {
	return marshalTime(time.Time(t), "2006-01-02 15:04:05")
}

// Timestamp prints as "2026-03-18T11:42:11.000000Z", in UTC; the zero time as
// null.
type Timestamp time.Time

// MarshalJSON prints the time.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return marshalTime(time.Time(t), "2006-01-02T15:04:05.000000Z")
}

func marshalTime(t time.Time, layout string) ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC().Format(layout))
}

var (
	_ json.Marshaler = DateTime(time.Time{})
	_ json.Marshaler = Timestamp(time.Time{})
)
