package orders

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// Tx gives the repositories of orders, and those of links, within one unit of
// work. What all repositories share stands in package affiliate.
type Tx interface {
	links.Tx
	Orders() OrderRepository
	Refunds() RefundRepository
	Vouchers() VoucherRepository
	Collectors() CollectorRepository
	RateCards() RateCardRepository
	OneTimePayments() PaymentRepository
}

// Store runs units of work.
type Store interface {
	affiliate.Store[Tx]
	// Record is a Write for the intake of orders: the unit is isolated by the
	// locks it takes instead of being serializable. What a callback reads after
	// it locked or added an order is the latest committed state. Like that of a
	// Write, the callback may run again.
	Record(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Nested reports whether the context belongs to a unit of the store, in
	// which another one would be ErrNested.
	Nested(ctx context.Context) bool
}

// OrderKey is what an advertiser knows an order by.
type OrderKey struct {
	AdvertiserID int64
	Number       string
}

// OrderFilter chooses orders. Sort columns: order_at, created_at, updated_at.
type OrderFilter struct {
	AdvertiserIDs []int64
	UserID        int64
	OfferID       int64
	Status        Status // in this status at Now
	Now           time.Time
	From          time.Time // ordered at or after; zero: no bound
	Until         time.Time // ordered before; zero: no bound
}

// OrderRepository keeps orders: one per advertiser and number.
type OrderRepository interface {
	// AddMissing adds the orders whose number the advertiser has not used yet,
	// in the order of their keys, and returns those, by ascending id; of two
	// alike in one call the first. Where another unit is adding a number, it
	// waits for the end of that unit.
	AddMissing(ctx context.Context, orders ...Order) ([]Order, error)
	Get(ctx context.Context, id int64) (Order, error)
	// Find returns the orders with one of the keys by ascending id.
	Find(ctx context.Context, keys []OrderKey) ([]Order, error)
	// Lock returns the orders by ascending id, and locks them until the unit
	// ends: of two units that lock one order, the later one goes on when the
	// first has ended, and sees what it did. Refused with ErrReadOnly in a Read.
	Lock(ctx context.Context, ids []int64) ([]Order, error)
	// Update replaces all fields but the key, which is ErrInvalid "immutable"
	// with the field "number" when it differs.
	Update(ctx context.Context, o Order) error
	List(ctx context.Context, f OrderFilter, p affiliate.PageRequest) (affiliate.Page[Order], error)
	// LockDue returns at most limit orders that are neither declined nor have an
	// ApprovedAt and whose HoldUntil is at or before now, earliest first, and
	// locks them as Lock does. It may leave out orders that another unit has
	// locked at this moment. Its cost grows with the limit.
	LockDue(ctx context.Context, now time.Time, limit int) ([]Order, error)
	// Scan returns at most limit orders with an id greater than after, by ascending id.
	Scan(ctx context.Context, after int64, limit int) ([]Order, error)
}

// RefundRepository keeps refunds: one per order and reference, else
// ErrConflict with the field "reference".
type RefundRepository interface {
	Add(ctx context.Context, r Refund) (Refund, error)
	// ByOrders returns the refunds of the orders by ascending id.
	ByOrders(ctx context.Context, orderIDs []int64) ([]Refund, error)
}

// VoucherKey is what customers know a voucher by, whatever its case.
type VoucherKey struct {
	AdvertiserID int64
	Code         string
}

// VoucherRepository keeps vouchers. A code is unique per advertiser in the form
// of FoldCode, else ErrConflict with the field "voucher_code".
type VoucherRepository interface {
	Add(ctx context.Context, v Voucher) (Voucher, error)
	Get(ctx context.Context, id int64) (Voucher, error)
	// Find returns the vouchers with one of the keys by ascending id.
	Find(ctx context.Context, keys []VoucherKey) ([]Voucher, error)
	// ByUser returns the vouchers of a user at an advertiser by ascending id.
	ByUser(ctx context.Context, advertiserID, userID int64) ([]Voucher, error)
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
}

// CollectorRepository keeps collectors: one per advertiser. OrganizationID and
// ActivationKey are unique.
type CollectorRepository interface {
	// AddOrGet adds the collector and returns it with true, or returns the one
	// that the advertiser has already with false.
	AddOrGet(ctx context.Context, c Collector) (Collector, bool, error)
	// ByAdvertisers returns the collectors of the advertisers by ascending id.
	ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]Collector, error)
	// ByOrganization is ErrNotFound when no collector has the number.
	ByOrganization(ctx context.Context, organizationID int64) (Collector, error)
	// ByActivationKey is ErrNotFound when no collector has the key.
	ByActivationKey(ctx context.Context, key string) (Collector, error)
	// LongestWindow returns the greatest WindowDays there is, 0 when there is no
	// collector.
	LongestWindow(ctx context.Context) (int, error)
	Update(ctx context.Context, c Collector) error
}

// CardAt asks for the rate card that a campaign had at a time.
type CardAt struct {
	OfferID int64
	At      time.Time
}

// RateCardRepository keeps rate cards. There is no way to change one.
type RateCardRepository interface {
	Add(ctx context.Context, c RateCard) (RateCard, error)
	// Holding returns for each ask the card with the latest Since that is not
	// after the time, of two alike the one added last; the zero RateCard when
	// there is none.
	Holding(ctx context.Context, asks []CardAt) ([]RateCard, error)
}

// PaymentFilter chooses one-time payments. Sort columns: created_at, payment_date.
type PaymentFilter struct {
	AdvertiserIDs []int64
	UserID        int64
}

// PaymentRepository keeps one-time payments.
type PaymentRepository interface {
	Add(ctx context.Context, p Payment) (Payment, error)
	List(ctx context.Context, f PaymentFilter, p affiliate.PageRequest) (affiliate.Page[Payment], error)
}
