package payouts

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of payouts, and those of the core, within one unit
// of work. What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Payments() PaymentRepository
	Invoices() InvoiceRepository
	PayoutDetails() DetailsRepository
	PayoutHolds() HoldRepository
	AXIDs() AXIDRepository
	PaymentSystems() SystemRepository
	PaymentSetups() SetupRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// PaymentFilter chooses payments.
type PaymentFilter struct {
	Period   Period // of this period
	Since    Period // of this period or a later one
	UserID   int64
	ClientID int64
	Status   Status
	System   affiliate.Optional[int64]
	Transfer string                   // in this transfer
	Assigned affiliate.Optional[bool] // in a transfer, or in none
	Sent     affiliate.Optional[bool] // sent, or not
}

// PaymentRepository keeps payments. A user has one per currency and period
// (field "user_id"); InvoiceNumber is unique when not empty (field
// "invoice_number"). user_id refers to a user.
type PaymentRepository interface {
	// Add gives the payments ascending ids, in their order.
	Add(ctx context.Context, payments ...Payment) ([]Payment, error)
	GetMany(ctx context.Context, ids []int64) ([]Payment, error)
	// ByUsers returns the payments of the users for a period by ascending id.
	ByUsers(ctx context.Context, period Period, userIDs []int64) ([]Payment, error)
	// ByInvoices returns the payments with one of the invoice numbers by
	// ascending id.
	ByInvoices(ctx context.Context, numbers []string) ([]Payment, error)
	// Update writes the status, the invoice number, the transfer, the reference
	// and the times of payments. The other fields never change. ErrNotFound when
	// one of them is not there. The payments are all different.
	Update(ctx context.Context, payments ...Payment) error
	// Scan returns at most limit payments with an id greater than after, by
	// ascending id.
	Scan(ctx context.Context, f PaymentFilter, after int64, limit int) ([]Payment, error)
}

// SeriesTake asks for the next Count numbers of a series.
type SeriesTake struct {
	Series string // 1..32 characters
	Count  int64  // at least 1
}

// InvoiceRepository keeps invoices and counts their numbers. An invoice is
// known by its payment (field "payment_id"); its number within a series is
// unique (field "serial"). payment_id refers to a payment.
type InvoiceRepository interface {
	// Take takes the next numbers of the series and returns the first of each,
	// in the order asked. A series begins at 1. What a unit takes is free again
	// when the unit fails, so that no number is ever missing. Units that take of
	// one series go one after the other. The series are all different.
	// ErrInvalid for a series or a count out of bounds.
	Take(ctx context.Context, takes ...SeriesTake) ([]int64, error)
	// Series returns at most limit series after the given one, by name, each
	// with the last number taken as its Count.
	Series(ctx context.Context, after string, limit int) ([]SeriesTake, error)
	Add(ctx context.Context, invoices ...Invoice) error
	// GetMany returns the invoices of payments by ascending payment id; missing
	// ones are left out.
	GetMany(ctx context.Context, paymentIDs []int64) ([]Invoice, error)
	// Scan returns at most limit invoices of a series with a number greater than
	// after, by ascending number.
	Scan(ctx context.Context, series string, after int64, limit int) ([]Invoice, error)
	// Reseal replaces what is sealed in invoices; ErrNotFound when one of them
	// is not there. The invoices are all different.
	Reseal(ctx context.Context, invoices ...Invoice) error
}

// DetailsRepository keeps where users are paid to, sealed. One per user.
// user_id refers to a user.
type DetailsRepository interface {
	// Put keeps the details in place of those that the user has.
	Put(ctx context.Context, d SealedDetails) error
	// GetMany returns the details of users by ascending user id; missing ones
	// are left out.
	GetMany(ctx context.Context, userIDs []int64) ([]SealedDetails, error)
	// Scan returns at most limit details with a user id greater than after.
	Scan(ctx context.Context, after int64, limit int) ([]SealedDetails, error)
	// Remove is no change when the user has none.
	Remove(ctx context.Context, userID int64) error
}

// HoldRepository keeps whose payouts are held. One hold per user. user_id
// refers to a user.
type HoldRepository interface {
	// Put keeps the hold in place of the one that the user has.
	Put(ctx context.Context, h Hold) error
	// GetMany returns the holds of users by ascending user id; missing ones are
	// left out.
	GetMany(ctx context.Context, userIDs []int64) ([]Hold, error)
	// Remove is no change when the user has none.
	Remove(ctx context.Context, userID int64) error
}

// AXIDRepository keeps the vendor numbers that an accounting system has for
// users. One per user; AXID is unique (field "ax_id"). user_id refers to a user.
type AXIDRepository interface {
	// Put keeps the number in place of the one that the user has.
	Put(ctx context.Context, m AXID) error
	// GetMany returns the numbers of users by ascending user id; missing ones
	// are left out.
	GetMany(ctx context.Context, userIDs []int64) ([]AXID, error)
	// ByAXIDs returns the users with one of the numbers, by ascending user id.
	ByAXIDs(ctx context.Context, axIDs []string) ([]AXID, error)
	// Remove is no change when the user has none.
	Remove(ctx context.Context, userID int64) error
}

// SystemFilter chooses payment system settings.
type SystemFilter struct {
	Date     time.Time // of this day
	ClientID int64
	UserID   int64
}

// SystemRepository keeps which payment system holds for whom from when. There
// is one setting per date, client and user. client_id and user_id refer to a
// client and a user, or are 0.
type SystemRepository interface {
	// Put keeps the setting in place of the one with its date, client and user,
	// whose id it gets, and returns it as kept.
	Put(ctx context.Context, c SystemConfig) (SystemConfig, error)
	// Scan returns at most limit settings with an id greater than after, by
	// ascending id.
	Scan(ctx context.Context, f SystemFilter, after int64, limit int) ([]SystemConfig, error)
	// Holding returns, by ascending id, the settings dated before the instant
	// for one of the users, for one of the clients as a whole, or for everybody.
	Holding(ctx context.Context, before time.Time, clientIDs, userIDs []int64) ([]SystemConfig, error)
}

// SetupRepository keeps the payment setups of advertisers. One per advertiser.
// advertiser_id refers to an advertiser.
type SetupRepository interface {
	// Put keeps the setup in place of the one that the advertiser has.
	Put(ctx context.Context, s PaymentSetup) error
	// Get is ErrNotFound when the advertiser has none.
	Get(ctx context.Context, advertiserID int64) (PaymentSetup, error)
}
