package affiliate

import "time"

// Clock tells the time. Every service takes one; tests inject their own.
// Whatever it returns is brought to UTC and cut to microseconds by [Now], so
// that a value read back from any backend equals the one that was written.
type Clock func() time.Time

// SystemClock is the machine's clock.
func SystemClock() time.Time { return time.Now() }

// Now is the clock's time in UTC, cut to microseconds. A nil Clock is the
// system clock.
func (c Clock) Now() time.Time {
	if c == nil {
		c = SystemClock
	}
	return c().UTC().Truncate(time.Microsecond)
}
