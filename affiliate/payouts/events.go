package payouts

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. The object of payout details, of a hold and
// of a vendor number is the user.
var (
	EventPaymentCreated  = affiliate.EventKind{Name: "payment.created", Version: 1, Object: "payment", When: "A payment was booked.", Payload: PaymentPayload{}}
	EventPaymentInvoiced = affiliate.EventKind{Name: "payment.invoiced", Version: 1, Object: "payment", When: "A payment got its invoice.", Payload: PaymentPayload{}}
	EventPaymentSent     = affiliate.EventKind{Name: "payment.sent", Version: 1, Object: "payment", When: "A payment was handed over to a provider.", Payload: PaymentPayload{}}
	EventPaymentRefused  = affiliate.EventKind{Name: "payment.refused", Version: 1, Object: "payment", When: "A provider refused a payment, which is to be sent again.", Payload: PaymentPayload{}}
	EventPaymentPaid     = affiliate.EventKind{Name: "payment.paid", Version: 1, Object: "payment", When: "The money of a payment is there.", Payload: PaymentPayload{}}
	EventHeld            = affiliate.EventKind{Name: "payouts.held", Version: 1, Object: "user", When: "A user's payouts were held."}
	EventReleased        = affiliate.EventKind{Name: "payouts.released", Version: 1, Object: "user", When: "A hold of a user's payouts was ended by hand."}
	EventDetailsSet      = affiliate.EventKind{Name: "payout_details.updated", Version: 1, Object: "user", When: "Where a user is paid to was set. The details are in no event."}
	EventDetailsRemoved  = affiliate.EventKind{Name: "payout_details.removed", Version: 1, Object: "user", When: "Where a user is paid to was forgotten."}
	EventAXIDSet         = affiliate.EventKind{Name: "ax_id.updated", Version: 1, Object: "user", When: "A user's vendor number was set."}
	EventErased          = affiliate.EventKind{Name: "payouts.erased", Version: 1, Object: "user", When: "What this package keeps of a user was erased, but for what the law wants kept."}
	EventSetupSet        = affiliate.EventKind{Name: "payment_setup.updated", Version: 1, Object: "advertiser", When: "An advertiser's payment setup was set."}
	EventSystemSet       = affiliate.EventKind{Name: "payment_system.updated", Version: 1, Object: "payment_system", When: "Who is paid by which payment system from a date on was set."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventPaymentCreated, EventPaymentInvoiced, EventPaymentSent, EventPaymentRefused, EventPaymentPaid, EventHeld, EventReleased,
		EventDetailsSet, EventDetailsRemoved, EventAXIDSet, EventErased, EventSetupSet, EventSystemSet,
	}
}

// PaymentPayload is a payment; its amount is in minor units.
type PaymentPayload struct {
	UserID        int64              `json:"user_id"`
	Period        Period             `json:"period"`
	Amount        int64              `json:"amount"`
	Currency      affiliate.Currency `json:"currency"`
	InvoiceNumber string             `json:"invoice_number,omitempty"`
}

func paymentEvents(kind affiliate.EventKind, payments []Payment, at time.Time) []affiliate.Event {
	events := make([]affiliate.Event, len(payments))
	for i, p := range payments {
		events[i] = kind.On(p.ID, at).Of(0, p.ClientID).With(PaymentPayload{
			UserID: p.UserID, Period: p.Period, Amount: p.Amount.Minor(), Currency: p.Amount.Currency(), InvoiceNumber: p.InvoiceNumber,
		})
	}
	return events
}
