package deals

import (
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Status is where a deal stands.
type Status string

// The states of a deal. Canceled is final, and Approved but for a refund.
const (
	Created  Status = "Created"  // the customer is about to pay
	Paid     Status = "Paid"     // the customer has paid; the reward waits for the hold
	Approved Status = "Approved" // the hold is over
	Canceled Status = "Canceled"
)

// Statuses lists every state.
func Statuses() []Status { return []Status{Created, Paid, Approved, Canceled} }

// Trigger is what can happen to a deal.
type Trigger string

// The events.
const (
	Pay        Trigger = "pay"         // the business partner says that it was paid
	Withdraw   Trigger = "withdraw"    // the business partner cancels it
	Refund     Trigger = "refund"      // the business partner says that the customer got the money back
	TimePasses Trigger = "time passes" // the state has lasted as long as it may
)

// Triggers lists every trigger.
func Triggers() []Trigger { return []Trigger{Pay, Withdraw, Refund, TimePasses} }

// moves is the state machine: every move there is.
var moves = map[Status]map[Trigger]Status{
	Created:  {Pay: Paid, Withdraw: Canceled, TimePasses: Canceled},
	Paid:     {Withdraw: Canceled, TimePasses: Approved},
	Approved: {Refund: Canceled},
}

// On is the state that an event leads to; false when there is no such move.
func (s Status) On(t Trigger) (Status, bool) {
	next, ok := moves[s][t]
	return next, ok
}

// eventTo is the event by which a business partner asks for a state.
func triggerTo(s Status) (Trigger, bool) {
	switch s {
	case Paid:
		return Pay, true
	case Canceled:
		return Withdraw, true
	}
	return "", false
}

// illegalMove is the refusal of a move, naming both states.
func illegalMove(d Deal, to Status) error {
	return &affiliate.Error{
		Kind: affiliate.ErrState, Code: "illegal_transition", Resource: "deal", ID: d.ExternalID,
		Message: fmt.Sprintf("A deal that is %s cannot become %s.", d.Status, to),
	}
}

// StatusRange are the deals kept in a status, with a due time after After and
// not after Until; a zero time is no bound.
type StatusRange struct {
	Status Status
	After  time.Time
	Until  time.Time
}

// StatusAt says how deals that are in a status at an instant are kept: in it
// and not yet due, or due to have come to it.
func StatusAt(s Status, now time.Time) []StatusRange {
	var ranges []StatusRange
	for _, kept := range Statuses() {
		next, timed := kept.On(TimePasses)
		switch {
		case kept == s && timed:
			ranges = append(ranges, StatusRange{Status: kept, After: now})
		case kept == s:
			ranges = append(ranges, StatusRange{Status: kept})
		case timed && next == s:
			ranges = append(ranges, StatusRange{Status: kept, Until: now})
		}
	}
	if ranges == nil {
		return []StatusRange{} // an unknown status: no deal
	}
	return ranges
}
