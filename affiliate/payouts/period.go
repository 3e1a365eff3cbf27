package payouts

import (
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Period is a calendar month in UTC that is paid for, written "2026-03".
type Period string

const periodLayout = "2006-01"

// ParsePeriod reads "YYYY-MM", years 2000 to 9998. Anything else is ErrInvalid
// on the field "payment_period", code "invalid_period".
func ParsePeriod(s string) (Period, error) {
	p := Period(s)
	if !p.valid() {
		return "", affiliate.Invalid("payment", invalidPeriod)
	}
	return p, nil
}

var invalidPeriod = affiliate.FieldError{Field: "payment_period", Code: "invalid_period", Message: "must be a month as YYYY-MM, such as 2026-03"}

// PeriodOf returns the period that an instant lies in.
func PeriodOf(t time.Time) Period { return Period(t.UTC().Format(periodLayout)) }

func (p Period) valid() bool {
	start, err := time.Parse(periodLayout, string(p))
	return err == nil && len(p) == len(periodLayout) && start.Year() >= 2000 && start.Year() <= 9998
}

// Start returns the first instant of the period. A period that is no month
// starts at the zero time.
func (p Period) Start() time.Time {
	start, err := time.Parse(periodLayout, string(p))
	if err != nil {
		return time.Time{}
	}
	return start
}

// End returns the first instant after the period.
func (p Period) End() time.Time { return p.Start().AddDate(0, 1, 0) }

// Before returns the period before this one.
func (p Period) Before() Period { return PeriodOf(p.Start().AddDate(0, -1, 0)) }

// compact returns the period without its dash: "202603".
func (p Period) compact() string { return strings.ReplaceAll(string(p), "-", "") }
