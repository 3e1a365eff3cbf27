package payouts

import (
	"context"
	"time"
)

// KeptInvoice is an invoice that the law wants kept although its seller was
// erased: with the name, address and VAT number that it was issued with.
type KeptInvoice struct {
	Number    string
	PaymentID int64
	IssuedAt  time.Time
	KeepUntil time.Time // the end of the last year that it must be kept in
}

// Erase takes out where a user is paid to, the user's hold and the vendor
// number, and returns the invoices that must be kept, by ascending payment id.
// Payments and their sums stay. Doing it again changes nothing. Only for the
// operator. The whole person is erased by affiliatekit.Kit.ErasePerson.
func (s *Service) Erase(ctx context.Context, userID int64) ([]KeptInvoice, error) {
	if err := s.operatorOnly(); err != nil {
		return nil, err
	}
	err := s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := s.user(ctx, tx, userID)
		if err != nil {
			return err
		}
		if err := EraseUser(ctx, tx, userID); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventErased.On(userID, s.clock.Now()).Of(0, u.ClientID))
	})
	if err != nil {
		return nil, err
	}
	var kept []KeptInvoice
	for after := int64(0); ; {
		payments, err := s.Payments(ctx, PaymentFilter{UserID: userID}, after, s.batch)
		if err != nil {
			return nil, err
		}
		for _, p := range payments {
			after = p.ID
			if p.InvoiceNumber != "" {
				kept = append(kept, KeptInvoice{p.InvoiceNumber, p.ID, p.InvoicedAt, s.keepUntil(p.InvoicedAt)})
			}
		}
		if len(payments) < s.batch {
			return kept, nil
		}
	}
}

// EraseUser is what Erase changes, as an action for a unit of any domain.
func EraseUser(ctx context.Context, tx Tx, userID int64) error {
	if err := tx.PayoutDetails().Remove(ctx, userID); err != nil {
		return err
	}
	if err := tx.PayoutHolds().Remove(ctx, userID); err != nil {
		return err
	}
	return tx.AXIDs().Remove(ctx, userID)
}

// keepUntil returns the end of the last year in which an invoice must be kept.
func (s *Service) keepUntil(issued time.Time) time.Time {
	return time.Date(issued.UTC().Year()+s.opts.KeepInvoicesYears+1, 1, 1, 0, 0, 0, 0, time.UTC)
}

// PurgeInvoices takes the parties out of the invoices of a user whose time to
// be kept is over, and returns how many; number, amount and date stay. Only
// for the operator.
func (s *Service) PurgeInvoices(ctx context.Context, userID int64) (int, error) {
	if err := s.operatorOnly(); err != nil {
		return 0, err
	}
	return walk(ctx, s, 0, func(ctx context.Context, tx Tx, after int64) (step[int64], error) {
		st := step[int64]{next: after}
		payments, err := tx.Payments().Scan(ctx, PaymentFilter{UserID: userID}, after, s.batch)
		st.last = len(payments) < s.batch
		if err != nil || len(payments) == 0 {
			return st, err
		}
		ids := make([]int64, len(payments))
		for i, p := range payments {
			ids[i], st.next = p.ID, p.ID
		}
		invoices, err := tx.Invoices().GetMany(ctx, ids)
		if err != nil {
			return st, err
		}
		var purged []Invoice
		for _, i := range invoices {
			if s.keepUntil(i.IssuedAt).After(s.clock.Now()) {
				continue
			}
			var p Parties
			if err := s.keys.open(invoicePlace(i.PaymentID), i.Parties, &p); err != nil {
				return st, err
			}
			if p.Seller == (Party{}) {
				continue
			}
			p.Seller, p.Account = Party{}, ""
			if i.Parties, err = s.keys.seal(invoicePlace(i.PaymentID), p); err != nil {
				return st, err
			}
			purged = append(purged, i)
		}
		st.changed = len(purged)
		return st, tx.Invoices().Reseal(ctx, purged...)
	})
}
