package offers

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ParticipantStatus is where a participant stands.
type ParticipantStatus string

// The states of a participant.
const (
	Suggestion   ParticipantStatus = "suggestion"
	Open         ParticipantStatus = "open" // invited, or free to apply
	Applied      ParticipantStatus = "applied"
	SecondPrio   ParticipantStatus = "second_prio"
	Accepted     ParticipantStatus = "accepted"
	ProductSent  ParticipantStatus = "product_sent"
	HaveReceived ParticipantStatus = "have_received"
	HavePosted   ParticipantStatus = "have_posted"
	Done         ParticipantStatus = "done" // final
	Denied       ParticipantStatus = "denied"
	StoreDenied  ParticipantStatus = "store_denied"
)

// ParticipantStatuses lists every state, in the order above.
func ParticipantStatuses() []ParticipantStatus {
	return []ParticipantStatus{Suggestion, Open, Applied, SecondPrio, Accepted, ProductSent, HaveReceived, HavePosted, Done, Denied, StoreDenied}
}

// moves is the table of all moves between states. A state may always stay what it is.
func moves(from ParticipantStatus) []ParticipantStatus {
	switch from {
	case Suggestion:
		return []ParticipantStatus{Open, Applied, StoreDenied}
	case Open:
		return []ParticipantStatus{Applied, Accepted, Denied, StoreDenied}
	case Applied:
		return []ParticipantStatus{Accepted, SecondPrio, StoreDenied, Denied}
	case SecondPrio:
		return []ParticipantStatus{Accepted, StoreDenied, Denied}
	case Accepted:
		return []ParticipantStatus{ProductSent, HavePosted, Done, Denied, StoreDenied}
	case ProductSent:
		return []ParticipantStatus{HaveReceived, StoreDenied}
	case HaveReceived:
		return []ParticipantStatus{HavePosted, StoreDenied}
	case HavePosted:
		return []ParticipantStatus{Done, StoreDenied}
	case Denied:
		return []ParticipantStatus{Applied}
	case StoreDenied:
		return []ParticipantStatus{Accepted}
	}
	return nil
}

// CanMove reports whether a participant may go from one state to another.
// product_sent and have_received are only for offers with product seeding.
func CanMove(from, to ParticipantStatus, productSeeding bool) bool {
	if from == to {
		return true
	}
	if (to == ProductSent || to == HaveReceived) && !productSeeding {
		return false
	}
	return slices.Contains(moves(from), to)
}

// Move is nil when the move is allowed, else an ErrState "illegal_transition"
// that names both states.
func Move(from, to ParticipantStatus, productSeeding bool) error {
	if CanMove(from, to, productSeeding) {
		return nil
	}
	return illegal(from, to)
}

func illegal(from, to ParticipantStatus) error {
	return &affiliate.Error{Kind: affiliate.ErrState, Code: "illegal_transition", Resource: "participant",
		Message: fmt.Sprintf("a participant cannot go from %s to %s", from, to)}
}

// Earns reports whether clicks of a participant in the state are paid.
func (s ParticipantStatus) Earns() bool {
	switch s {
	case Accepted, ProductSent, HaveReceived, HavePosted, Done:
		return true
	}
	return false
}

// TodoItem is a task of a participant, and whether it is done.
type TodoItem struct {
	Key  string // 1..255 characters
	Done bool
}

// Participant is a creator's part in an offer, or the promise of one: a
// pre-registration has no user yet but an e-mail or an identifier, and becomes
// the participation of the user who later registers with that e-mail or
// identifier.
type Participant struct {
	ID         int64
	OfferID    int64
	UserID     int64  // 0: pre-registered
	Email      string // of a pre-registration, in normal form
	Identifier string // of a pre-registration, in normal form
	Status     ParticipantStatus
	Todo       []TodoItem
	// PaymentAmount is earned once, on done, instead of the offer's one-time
	// payment; minor units of the offer's currency, 0..MaxAmount.
	PaymentAmount affiliate.Optional[int64]
	ClickLimit    affiliate.Optional[int64] // paid clicks of this creator, 0..MaxAmount
	Costs         []Costs                   // overrule those of the offer
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Validate checks what every backend refuses.
func (p Participant) Validate() error {
	var v affiliate.Validation
	v.Check(slices.Contains(ParticipantStatuses(), p.Status), "status", "unknown_status", "must be a known status")
	named := 0
	for _, is := range []bool{p.UserID != 0, p.Email != "", p.Identifier != ""} {
		if is {
			named++
		}
	}
	v.Check(named == 1, "user_id", "not_one", "must be a user, an e-mail or an identifier")
	v.Text("email", p.Email, 0, 254)
	v.Check(p.Email == affiliate.NormalizeEmail(p.Email), "email", "not_normalized", "must be lower case without surrounding space")
	v.Text("identifier", p.Identifier, 0, 255)
	v.Check(p.Identifier == affiliate.NormalizeHandle(p.Identifier), "identifier", "not_normalized", "must be a bare handle in lower case")
	v.Check(len(p.Todo) <= MaxTodo, "todo", "too_many", "must be at most 100 items")
	for i, t := range p.Todo {
		v.Text("todo."+strconv.Itoa(i)+".key", t.Key, 1, 255)
	}
	v.Check(!p.PaymentAmount.Set || validAmount(p.PaymentAmount.Value), "payment_amount", "out_of_range", amountBounds)
	v.Check(!p.ClickLimit.Set || validAmount(p.ClickLimit.Value), "click_limit", "out_of_range", amountBounds)
	v.Merge("traffic_sources_costs", validateCosts(p.Costs))
	return v.Err("participant")
}

// Cause is what the payment of the participation is booked under.
func (p Participant) Cause() string { return "participation:" + strconv.FormatInt(p.ID, 10) }
