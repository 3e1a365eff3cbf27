package deals_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/deals"
)

// Every move there is; what stands not here is illegal.
var legal = map[deals.Status]map[deals.Trigger]deals.Status{
	deals.Created:  {deals.Pay: deals.Paid, deals.Withdraw: deals.Canceled, deals.TimePasses: deals.Canceled},
	deals.Paid:     {deals.Withdraw: deals.Canceled, deals.TimePasses: deals.Approved},
	deals.Approved: {deals.Refund: deals.Canceled},
}

func TestEveryStateAndEvent(t *testing.T) {
	for _, s := range deals.Statuses() {
		for _, e := range deals.Triggers() {
			got, ok := s.On(e)
			if want, legal := legal[s][e]; got != want || ok != legal {
				t.Errorf("%s on %s: got %q, %v, want %q, %v", e, s, got, ok, want, legal)
			}
		}
	}
}

func TestApprovedAndCanceledAreFinalButForRefunds(t *testing.T) {
	is := is.New(t)
	for _, s := range []deals.Status{deals.Approved, deals.Canceled} {
		for _, e := range deals.Triggers() {
			_, ok := s.On(e)
			is.Equal(ok, s == deals.Approved && e == deals.Refund)
		}
		is.True(deals.Deal{Status: s, CreatedAt: start, PaidAt: start, Hold: time.Hour, Cancel: time.Hour}.DueAt().IsZero())
	}
}

func TestTheClockDecides(t *testing.T) {
	hold, cancel := 30*24*time.Hour, 14*24*time.Hour
	for _, c := range []struct {
		kept  deals.Status
		after time.Duration // since it was created, or paid
		want  deals.Status
	}{
		{deals.Created, 0, deals.Created},
		{deals.Created, cancel - time.Microsecond, deals.Created},
		{deals.Created, cancel, deals.Canceled},
		{deals.Created, 100 * cancel, deals.Canceled},
		{deals.Paid, 0, deals.Paid},
		{deals.Paid, hold - time.Microsecond, deals.Paid},
		{deals.Paid, hold, deals.Approved},
		{deals.Approved, 100 * hold, deals.Approved},
		{deals.Canceled, 100 * hold, deals.Canceled},
	} {
		t.Run(fmt.Sprint(c.kept, " after ", c.after), func(t *testing.T) {
			is := is.New(t)
			d := deals.Deal{Status: c.kept, CreatedAt: start, Hold: hold, Cancel: cancel, ModifiedAt: start}
			if c.kept == deals.Paid {
				d.PaidAt = start
			}
			got := d.At(start.Add(c.after))
			is.Equal(got.Status, c.want)
			switch {
			case c.want == c.kept:
				is.Equal(got, d) // nothing has happened
			case c.want == deals.Canceled:
				is.Equal(got.CanceledAt, start.Add(cancel)) // when it was so, not when it was seen
			default:
				is.Equal(got.ApprovedAt, start.Add(hold))
			}
			is.Equal(got.At(start.Add(c.after)), got)
		})
	}
}

// A filter by status finds a deal exactly when reading it shows that status.
func TestAFilterSeesWhatAReadSees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 5).Draw(t, name)) * time.Second
		}
		d := deals.Deal{
			Status: rapid.SampledFrom(deals.Statuses()).Draw(t, "kept"), CreatedAt: start,
			PaidAt: start.Add(seconds("paid")), Hold: seconds("hold"), Cancel: seconds("cancel"),
		}
		now := start.Add(seconds("now"))
		for _, s := range deals.Statuses() {
			found := slices.ContainsFunc(deals.StatusAt(s, now), func(r deals.StatusRange) bool {
				due := d.DueAt()
				return r.Status == d.Status &&
					(r.After.IsZero() || !due.IsZero() && due.After(r.After)) && (r.Until.IsZero() || !due.IsZero() && !due.After(r.Until))
			})
			if shown := d.At(now).Status == s; found != shown {
				t.Fatalf("%+v at %v: found by %s is %v, shown is %v", d, now, s, found, shown)
			}
		}
	})
}
