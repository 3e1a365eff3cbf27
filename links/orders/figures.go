package orders

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// FigureKind says what happened.
type FigureKind string

// The kinds of figures. Amounts are signed: what is taken back is negative.
const (
	// OrderPaid is an order that statistics begin to count.
	OrderPaid FigureKind = "order_paid"
	// OrderChanged is a refund or a correction: the order stays one. The amounts
	// are what changes.
	OrderChanged FigureKind = "order_changed"
	// OrderDeclined is an order that statistics count no longer. The amounts are
	// what was left of it.
	OrderDeclined FigureKind = "order_declined"
	// PaymentMade is a one-time payment.
	PaymentMade FigureKind = "payment_made"
)

// Figure is what an order, a refund or a payment changes in statistics.
type Figure struct {
	Kind         FigureKind
	Day          time.Time // midnight UTC of the order's day, also for a refund
	AdvertiserID int64
	OfferID      int64 // 0: no campaign
	UserID       int64
	LinkID       int64 // 0: no link, as for an order by a voucher
	Source       affiliate.TrafficSource
	Value        affiliate.Money // of the order, rounded once half to even; the zero Money for a payment
	Earning      affiliate.Money
	Cost         affiliate.Money
}

// count tells the statistics. It is the last thing that a unit does: roll-ups
// are hot, and a unit keeps them locked until it commits.
func (s *Service) count(ctx context.Context, tx Tx, figures ...Figure) error {
	if len(figures) == 0 {
		return nil
	}
	return s.opts.Count(ctx, tx, figures...)
}
