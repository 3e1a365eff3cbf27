package orders_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestACorrectionIsAReversalAndANewEntry(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		o := w.report(w.sale("1", "100", w.click(w.link)))
		corrected, err := w.orders.Correct(t.Context(), o.ID, orders.Correction{Value: affiliate.Some(dec("150"))})
		is.NoErr(err)
		is.Equal(corrected.Earning.Minor(), int64(750))
		is.Equal(corrected.Revision, int64(1))
		x, err := w.orders.Explain(t.Context(), o.ID)
		is.NoErr(err)
		is.Equal(len(x.Entries), 3) // the first, its reversal, the new one
		again, err := w.orders.Correct(t.Context(), o.ID, orders.Correction{Value: affiliate.Some(dec("150.0"))})
		is.NoErr(err)
		is.Equal(again.Revision, int64(1)) // it is so already
		_, outcome, err := w.orders.Report(t.Context(), w.sale("1", "150"))
		is.NoErr(err)
		is.Equal(outcome, orders.Known) // the corrected value is what is known now
		_, _, err = w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(dec("1"))})
		is.NoErr(err)
		_, err = w.orders.Correct(t.Context(), o.ID, orders.Correction{Value: affiliate.Some(dec("10"))})
		is.Equal(code(err), "has_refunds")
		is.Equal(w.spent(w.campaign), int64(12+1200-8))
		w.verify()
	})
}

func TestADeclinedOrderGivesEverythingBack(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		o := w.report(w.sale("1", "100", w.click(w.link)))
		_, _, err := w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(dec("40"))})
		is.NoErr(err)
		for range 2 { // again: nothing changes
			o, err = w.orders.Decline(t.Context(), o.ID)
			is.NoErr(err)
			is.Equal(o.StatusAt(w.clock()), orders.Declined)
		}
		is.Equal(w.total(w.anna).Earned, int64(10))
		is.Equal(w.spent(w.campaign), int64(12))
		_, _, err = w.orders.Refund(t.Context(), o.ID, orders.RefundInput{})
		is.Equal(code(err), "illegal_transition")
		approved := w.report(w.sale("2", "100", w.click(w.link)))
		w.pass(30 * 24 * time.Hour)
		_, err = w.orders.Decline(t.Context(), approved.ID)
		is.Equal(code(err), "illegal_transition") // its hold is over: refund it
		_, _, err = w.orders.Refund(t.Context(), approved.ID, orders.RefundInput{})
		is.NoErr(err)
		w.verify()
	})
}

// A refund after the payout is a negative entry on the next one.
func TestARefundAfterThePayoutIsOwed(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	o := w.report(w.sale("1", "100", w.click(w.link)))
	w.pass(30 * 24 * time.Hour)
	account := affiliate.UserAccount(w.anna.ID)
	w.must(w.b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Ledger().Append(ctx, affiliate.Entry{
			Kind: affiliate.EntryPayout, Account: account, Earning: affiliate.NewMoney(-510, "SEK"), Cost: affiliate.NewMoney(0, "SEK"),
			OccurredAt: w.clock(), PayableAt: w.clock(), Cause: "payout:1",
		})
		return err
	}))
	_, _, err := w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(dec("50"))})
	is.NoErr(err)
	balances, err := w.core.Balances(t.Context(), account)
	is.NoErr(err)
	is.Equal(balances[0].Payable.Minor(), int64(-250))
	w.verify()
}

func TestARefundIsKnownByItsReference(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	o := w.report(w.sale("1", "100", w.click(w.link)))
	in := orders.RefundInput{Reference: "R-1", Value: affiliate.Some(dec("30"))}
	first, _, err := w.orders.Refund(t.Context(), o.ID, in)
	is.NoErr(err)
	again, _, err := w.orders.Refund(t.Context(), o.ID, in)
	is.NoErr(err)
	is.Equal(again.ID, first.ID)
	in.Value = affiliate.Some(dec("31"))
	_, _, err = w.orders.Refund(t.Context(), o.ID, in)
	is.Equal(code(err), "refund_differs")
	huge := decimal.New(1, 1<<30)
	_, _, err = w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(huge)})
	is.Equal(code(err), "value out_of_range")
	_, err = w.orders.Correct(t.Context(), o.ID, orders.Correction{Value: affiliate.Some(huge)})
	is.Equal(code(err), "value out_of_range")
	for _, beyond := range []string{"70.01", "0", "-1"} {
		_, _, err = w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(dec(beyond))})
		is.True(errors.Is(err, affiliate.ErrInvalid))
	}
	kept, err := w.orders.Refunds(t.Context(), o.ID)
	is.NoErr(err)
	is.Equal(len(kept), 1)
	w.verify()
}
