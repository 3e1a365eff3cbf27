package orders

import (
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Status is where an order stands.
type Status string

// The states of an order. Approved and Declined are final: what is wrong with
// an approved order is refunded.
const (
	Pending  Status = "Pending"  // its hold is not over
	Approved Status = "Approved" // its hold is over
	Declined Status = "Declined" // the advertiser said that it is no sale
)

// Statuses lists every state.
func Statuses() []Status { return []Status{Pending, Approved, Declined} }

// Trigger is what can happen to an order.
type Trigger string

// The events.
const (
	Decline    Trigger = "decline"     // the advertiser says that it is no sale
	Change     Trigger = "change"      // a correction, or another attempt to price it
	TakeBack   Trigger = "take back"   // a refund
	TimePasses Trigger = "time passes" // the hold is over
)

// Triggers lists every trigger.
func Triggers() []Trigger { return []Trigger{Decline, Change, TakeBack, TimePasses} }

// moves is the state machine: every move there is.
var moves = map[Status]map[Trigger]Status{
	Pending:  {Decline: Declined, Change: Pending, TakeBack: Pending, TimePasses: Approved},
	Approved: {Change: Approved, TakeBack: Approved},
	Declined: {Decline: Declined}, // again: nothing changes
}

// On is the state that an event leads to; false when there is no such move.
func (s Status) On(t Trigger) (Status, bool) {
	next, ok := moves[s][t]
	return next, ok
}

// illegalMove is the refusal of an event in a state.
func illegalMove(o Order, s Status, e Trigger) error {
	hint := ""
	if s == Approved && e == Decline {
		hint = " Refund it instead."
	}
	return &affiliate.Error{
		Kind: affiliate.ErrState, Code: "illegal_transition", Resource: "order", ID: o.Number,
		Message: fmt.Sprintf("The event %q is not possible for an order that is %s.%s", e, s, hint),
	}
}
