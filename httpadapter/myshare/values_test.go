package myshare

import (
	"testing"
	"time"

	"github.com/matryer/is"
)

func TestDurations(t *testing.T) {
	is := is.New(t)
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"30 00:00:00": 30 * day, "00:00:01": time.Second, "1 02:03:04": day + 2*time.Hour + 3*time.Minute + 4*time.Second,
		"720:00:00": 30 * day, "0 00:00:00": 0, "1:00:00": time.Hour, "007 00:00:00": 7 * day, "0 48:00:00": 2 * day,
	} {
		got, err := parseDuration(text)
		is.NoErr(err) // text
		is.Equal(got, want)
	}
	for _, text := range []string{
		"", " ", "30", "30 00:00", "00:60:00", "00:00:60", "-1 00:00:00", "1 -1:00:00", "1  00:00:00", " 00:00:00", "00:00:00 ", "1 00:00:0", "1 00:0:00",
		"1d 00:00:00", "1 00:00:00.5", "1,00:00:00", "P30D", "30 days", "9999999 00:00:00", "١ 00:00:00", "00:00:00:00", "200000 00:00:00",
	} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	for d, want := range map[time.Duration]string{30 * day: "30 00:00:00", 0: "0 00:00:00", day - time.Second: "0 23:59:59", 400*day + time.Second: "400 00:00:01"} {
		is.Equal(duration(d).String(), want)
	}
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"30 00:00:00", "00:00:01", "720:00:00", "-1 00:00:00", "9 9:9:9", "999999 999999:59:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDuration(s)
		if err != nil {
			return
		}
		if d < 0 || d%time.Second != 0 {
			t.Fatalf("%q is %v", s, d)
		}
		if back, err := parseDuration(duration(d).String()); err != nil || back != d {
			t.Fatalf("%q is %v, printed %q, read back %v, %v", s, d, duration(d), back, err)
		}
	})
}
