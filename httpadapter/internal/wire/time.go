package wire

import "time"

// ParseTime reads the dates and times that the documents show, with a zone or
// without one (then it is UTC), and cuts to microseconds. Years are 1 to 9999.
// A field of type time.Time is read by it.
func ParseTime(s string) (time.Time, bool) {
	for _, layout := range [...]string{
		"2006-01-02",
		"2006-01-02 15:04:05",
		"2006-01-02T15:04:05",
		"2006-01-02T15:04",
		time.RFC3339,
		"2006-01-02 15:04:05Z07:00",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC().Truncate(time.Microsecond)
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}
