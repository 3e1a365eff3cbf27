package orders

import (
	"context"
	"encoding/json"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// PaymentInput pays a creator once.
type PaymentInput struct {
	AdvertiserID int64
	UserID       int64
	Comment      string
	Amount       int64     // minor units of the advertiser's currency
	Date         time.Time // the day from which it is payable; zero: today
}

// paymentTerms are the terms of the ledger's entry of a one-time payment.
type paymentTerms struct {
	PaymentID int64 `json:"payment_id"`
	Payment   int64 `json:"payment"` // minor units
}

// Pay pays a creator once (user-one-time-payment-add): the ledger gets an entry
// of the kind one_time, which is payable from the date on, and costs the
// advertiser the same amount. No budget is drawn on.
func (s *Service) Pay(ctx context.Context, in PaymentInput) (Payment, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Payment, error) {
		if err := s.reachable(ctx, tx, in.AdvertiserID, in.UserID); err != nil {
			return Payment{}, err
		}
		a, err := tx.Advertisers().Get(ctx, in.AdvertiserID)
		if err != nil {
			return Payment{}, err
		}
		now := s.clock.Now()
		p := Payment{
			AdvertiserID: a.ID, UserID: in.UserID, Comment: in.Comment, Amount: affiliate.NewMoney(in.Amount, a.Currency),
			Date: in.Date.UTC().Truncate(24 * time.Hour), CreatedAt: now,
		}
		if in.Date.IsZero() {
			p.Date = now.Truncate(24 * time.Hour)
		}
		if err := p.Validate(); err != nil {
			return Payment{}, err
		}
		if p, err = tx.OneTimePayments().Add(ctx, p); err != nil {
			return Payment{}, err
		}
		return p, s.bookPayment(ctx, tx, a, p)
	})
}

// bookPayment books a payment that moves money, and counts it.
func (s *Service) bookPayment(ctx context.Context, tx Tx, a affiliate.Advertiser, p Payment) error {
	told := EventOneTimePaid.On(p.ID, p.CreatedAt).Of(p.AdvertiserID, 0).With(OneTimePayload{p.UserID, p.Amount.Minor(), p.Amount.Currency()})
	if err := tx.Events().Add(ctx, told); err != nil || p.Amount.IsZero() {
		return err
	}
	frozen, err := json.Marshal(paymentTerms{PaymentID: p.ID, Payment: p.Amount.Minor()})
	if err != nil {
		return err
	}
	payable := p.Date
	if payable.Before(p.CreatedAt) {
		payable = p.CreatedAt
	}
	_, err = tx.Ledger().Append(ctx, affiliate.Entry{
		Kind: affiliate.EntryOneTime, Account: affiliate.UserAccount(p.UserID), AdvertiserID: p.AdvertiserID,
		Earning: p.Amount, Cost: p.Amount, OccurredAt: p.CreatedAt, PayableAt: payable, Cause: p.Cause(), Terms: string(frozen),
	})
	if err != nil {
		return err
	}
	return stats.Record(ctx, tx, stats.Fact{
		Kind: stats.PaymentMade, Day: stats.DayOf(p.CreatedAt, &a), AdvertiserID: p.AdvertiserID, UserID: p.UserID,
		Earning: p.Amount, Cost: p.Amount,
	})
}

// Payments lists one-time payments.
func (s *Service) Payments(ctx context.Context, f PaymentFilter, p affiliate.PageRequest) (affiliate.Page[Payment], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[Payment], error) {
		s.narrow(&f.AdvertiserIDs, &f.UserID)
		return tx.OneTimePayments().List(ctx, f, p)
	})
}
