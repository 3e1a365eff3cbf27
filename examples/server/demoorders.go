package main

import (
	"context"
	"errors"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// orderOptions are those of orders: with -demo a few currencies have a fixed rate,
// where a host asks somebody who knows.
func (c config) orderOptions(observe func(orders.Outcome, string)) orders.Options {
	o := orders.Options{Observe: observe}
	if c.demo {
		o.Rates = orders.FixedRates{{"EUR", "SEK"}: decimal.New(112, -1), {"USD", "SEK"}: decimal.New(96, -1), {"SEK", "EUR"}: decimal.New(89, -3)}
	}
	return o
}

// loadDemoOrders brings sample orders into the store: customers of acme used
// anna's voucher, and one of them sent a part back. What is there already, by
// its number or reference, stays as it is.
func loadDemoOrders(ctx context.Context, store orders.Store, ids demoIDs) error {
	s, err := orders.NewService(store, orders.Options{})
	if err != nil {
		return err
	}
	acme := ids["advertisers"]["acme"]
	_, err = s.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: acme, UserID: ids["users"]["anna"], Code: "ANNA10"})
	if err != nil && !errors.Is(err, affiliate.ErrConflict) {
		return err
	}
	for _, r := range []orders.Report{
		{Number: "DEMO-1001", Value: decimal.New(49950, -2), Voucher: "anna10"},
		{Number: "DEMO-1002", Value: decimal.New(120000, -2), Voucher: "ANNA10"},
		{Number: "DEMO-1003", Value: decimal.New(8900, -2)}, // nobody brought it
	} {
		r.AdvertiserID = acme
		if _, _, err := s.Report(ctx, r); err != nil && !errors.Is(err, affiliate.ErrConflict) { // it was corrected since
			return err
		}
	}
	sold, err := s.OrderByNumber(ctx, acme, "DEMO-1002")
	if err != nil || !sold.DeclinedAt.IsZero() {
		return err
	}
	_, _, err = s.Refund(ctx, sold.ID, orders.RefundInput{Reference: "DEMO-R1", Value: affiliate.Some(decimal.New(20000, -2))})
	if errors.Is(err, affiliate.ErrConflict) || errors.Is(err, affiliate.ErrInvalid) { // it was refunded otherwise since
		return nil
	}
	return err
}
