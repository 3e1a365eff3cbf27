package orders

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of a one-time payment (user-one-time-payment-add).
const (
	MinComment   = 2    // characters
	MaxComment   = 1024 // characters
	MaxOneTime   = 10_000_000
	oneTimeRange = "must be between 0 and 10000000 minor units"
)

// Payment is a one-time payment of an advertiser to a creator.
type Payment struct {
	ID           int64
	AdvertiserID int64
	UserID       int64
	Comment      string          // MinComment..MaxComment characters
	Amount       affiliate.Money // in the advertiser's currency: 0..MaxOneTime minor units
	Date         time.Time       // midnight UTC of the day from which it is payable
	CreatedAt    time.Time
}

// Cause is what the ledger knows the payment by.
func (p Payment) Cause() string { return "one_time:" + strconv.FormatInt(p.ID, 10) }

// Validate checks what every backend refuses.
func (p Payment) Validate() error {
	var v affiliate.Validation
	v.Text("comment", p.Comment, MinComment, MaxComment)
	v.Check(p.Amount.Currency().Valid(), "currency", "unknown_currency", "must be an ISO 4217 currency")
	v.Check(p.Amount.Minor() >= 0 && p.Amount.Minor() <= MaxOneTime, "user_earnings", "out_of_range", oneTimeRange)
	v.Check(!p.Date.IsZero(), "payment_date", "required", "is required")
	return v.Err("payment")
}
