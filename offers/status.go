package offers

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Status is what an offer or a return ad is at an instant.
type Status string

// The statuses, in the order in which they overrule each other.
const (
	Deleted   Status = "deleted"
	Paused    Status = "paused"
	Ended     Status = "ended"     // over, or a limit is used up
	Scheduled Status = "scheduled" // not yet begun
	Active    Status = "active"
)

// Statuses lists every status, in the order above.
func Statuses() []Status { return []Status{Deleted, Paused, Ended, Scheduled, Active} }

// Shared is what counts of a shared budget: its amount, and what its offers
// have cost of it, both in minor units.
type Shared struct {
	Amount int64
	Spent  int64
}

// Status is what the offer is at an instant, when all its clicks and costs so
// far are used, and its shared budget, if it has one, stands at shared. The
// same condition decides in every filter by status.
func (o Offer) Status(now time.Time, used Counts, shared affiliate.Optional[Shared]) Status {
	switch {
	case !o.DeletedAt.IsZero():
		return Deleted
	case !o.PausedAt.IsZero():
		return Paused
	case !o.ValidUntil.IsZero() && !now.Before(o.ValidUntil), o.usedUp(used), shared.Set && shared.Value.Spent >= shared.Value.Amount:
		return Ended
	case now.Before(o.ValidFrom):
		return Scheduled
	}
	return Active
}

// usedUp reports whether the limits over all creators leave nothing.
func (o Offer) usedUp(used Counts) bool {
	return !o.PerUserLimit && (o.MaxClicks.Set && used.Clicks >= o.MaxClicks.Value ||
		o.BudgetLimit.Set && used.Spent >= o.BudgetLimit.Value)
}
