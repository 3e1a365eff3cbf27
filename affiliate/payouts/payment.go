package payouts

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Status is how far a payment is.
type Status string

// The states of a payment.
const (
	Open     Status = "open"     // booked, without an invoice
	Invoiced Status = "invoiced" // has an invoice with a number
	Paid     Status = "paid"     // the money is there; never changes again
)

// transitions lists every state with the states that follow it.
var transitions = map[Status][]Status{
	Open:     {Invoiced},
	Invoiced: {Paid},
	Paid:     nil,
}

// Statuses returns every state, in the order in which a payment passes them.
func Statuses() []Status { return []Status{Open, Invoiced, Paid} }

// to reports whether a payment may go from one state to another.
func (s Status) to(next Status) bool {
	for _, t := range transitions[s] {
		if t == next {
			return true
		}
	}
	return false
}

// illegal is the error of a move that the table does not have.
func illegal(p Payment, to Status) error {
	return &affiliate.Error{
		Kind: affiliate.ErrState, Code: "illegal_transition", Resource: "payment", ID: strconv.FormatInt(p.ID, 10),
		Message: "a payment that is " + string(p.Status) + " cannot become " + string(to),
	}
}

// BroughtForward is the kind of the part of a payment that became payable
// before its period: below the limit then, held, or booked late.
const BroughtForward affiliate.EntryKind = "brought_forward"

// Part is what entries of one kind contribute to a payment. A refund after a
// payout is a negative part.
type Part struct {
	Kind    affiliate.EntryKind // BroughtForward, or the kind of the entries
	Amount  int64               // minor units of the payment's currency
	Entries int64               // how many entries; 0 for BroughtForward
}

// Payment is what one user gets in one currency for one period. The payout
// entry in the ledger is booked in the unit that adds it; its cause is
// [Payment.Cause].
type Payment struct {
	ID       int64
	UserID   int64
	ClientID int64 // of the user when the payment was made; 0: none
	Period   Period
	Amount   affiliate.Money // positive
	Parts    []Part          // add up to Amount; at most 16
	System   int64           // payment system that held for the user, see SystemConfig; 0: none was set
	Status   Status

	InvoiceNumber string // at most 64 characters, unique; empty while open
	InvoicedAt    time.Time
	Transfer      string // key of the transfer that it was handed to a provider in; at most 64 characters
	SentAt        time.Time
	Reference     string // the provider's own; at most 255 characters
	PaidAt        time.Time
	CreatedAt     time.Time
}

const maxParts = 16

// Cause returns the cause of the payment's entry in the ledger. It is unique,
// so that the ledger itself refuses to book a payment twice.
func (p Payment) Cause() string {
	return "payout:" + string(p.Period) + ":" + strconv.FormatInt(p.UserID, 10) + ":" + string(p.Amount.Currency())
}

// Validate checks what every backend refuses.
func (p Payment) Validate() error {
	var v affiliate.Validation
	v.Check(p.UserID > 0, "user_id", "required", "is required")
	v.Check(p.Period.valid(), invalidPeriod.Field, invalidPeriod.Code, invalidPeriod.Message)
	v.Check(p.Amount.Currency().Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
	v.Check(p.Amount.Sign() > 0, "amount", "out_of_range", "must be above 0")
	v.Check(len(p.Parts) <= maxParts, "parts", "too_many", "must be at most 16")
	_, known := transitions[p.Status]
	v.Check(known, "status", "unknown_status", "must be open, invoiced or paid")
	v.Text("invoice_number", p.InvoiceNumber, 0, 64)
	v.Check((p.InvoiceNumber == "") == (p.Status == Open), "invoice_number", "status_mismatch", "must be set for an invoiced or paid payment and only then")
	v.Text("transfer", p.Transfer, 0, 64)
	v.Text("reference", p.Reference, 0, 255)
	v.Check(p.PaidAt.IsZero() == (p.Status != Paid), "paid_at", "status_mismatch", "must be set for a paid payment and only then")
	return v.Err("payment")
}

// key is what a payment is unique by within its period.
type key struct {
	user     int64
	currency affiliate.Currency
}

func (p Payment) key() key { return key{p.UserID, p.Amount.Currency()} }
