package payouts_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// A month from end to end: two currencies, a threshold reached and not, a
// refund after the payout, invoices, paid by a file with a bad row.
func TestAMonthIsPaidFromEndToEnd(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		order := w.earn(w.anna, affiliate.EntryOrder, sek(20_000), "2026-03-10")
		w.earn(w.anna, affiliate.EntryClick, sek(300), "2026-03-31")
		w.earn(w.anna, affiliate.EntryClick, sek(999), "2026-04-01") // of April
		w.earn(w.anna, affiliate.EntryOneTime, eur(1_500), "2026-03-01")
		w.earn(w.bo, affiliate.EntryClick, sek(9_999), "2026-03-05")    // one öre short
		w.earn(w.bo, affiliate.EntryClick, eur(1_000), "2026-02-05")    // before the period, and just enough
		w.earn(w.cleo, affiliate.EntryClick, eur(999), "2026-03-31")    // one cent short
		w.earn(w.cleo, affiliate.EntryClick, sek(10_000), "2026-03-15") // the limit of the Swedish group holds

		w.Equal(w.run(march, true), payouts.RunResult{Balances: 6, Payments: 4, Invoices: 4, BelowLimit: 2})
		w.verified()
		list := w.payments(payouts.PaymentFilter{UserID: w.anna.ID})
		w.Equal(len(list), 2)
		inEUR, inSEK := list[0], list[1]
		w.Equal(inEUR.Amount, eur(1_500))
		w.Equal(inSEK.Amount, sek(20_300))
		w.Equal(inSEK.Parts, []payouts.Part{{Kind: affiliate.EntryClick, Amount: 300, Entries: 1}, {Kind: affiliate.EntryOrder, Amount: 20_000, Entries: 1}})
		w.Equal(w.only(payouts.PaymentFilter{UserID: w.bo.ID}).Parts, []payouts.Part{{Kind: payouts.BroughtForward, Amount: 1_000}})
		w.Equal(balance(w, w.anna), "SEK paid 20300 payable 999")

		again := w.run(march, true)
		w.Equal(again.Payments, 0)
		w.Equal(len(w.payments(payouts.PaymentFilter{})), 4)

		// Paid, by a file with a bad row, and a line break within a quoted one.
		up, err := w.payouts.MarkPaid(t.Context(), []byte("invoice_number,paid_at,remark\n"+inSEK.InvoiceNumber+",2026-04-01,\"a\nb\"\nU0-00001,2026-04-01,\n"+inEUR.InvoiceNumber+",2026-04-02T07:59:59Z,\n"))
		w.NoErr(err)
		w.Equal(up, payouts.Upload{Applied: 2, Skipped: []payouts.Skipped{{Row: 4, Reason: "unknown_invoice"}}})
		paid, err := w.payouts.Payment(t.Context(), inSEK.ID)
		w.NoErr(err)
		w.Equal(paid.Status, payouts.Paid)
		w.Equal(paid.PaidAt.Format("2006-01-02"), "2026-04-01")

		// A refund after the payout is a negative part of the next payment.
		w.at("2026-04-03T12:00:00Z")
		_, err = w.core.Reverse(t.Context(), affiliate.Reversal{EntryID: order.ID, Earning: sek(5_000), Cost: sek(0), Cause: "refund:1"})
		w.NoErr(err)
		w.earn(w.anna, affiliate.EntryOrder, sek(16_000), "2026-04-20")
		w.earn(w.bo, affiliate.EntryClick, sek(1), "2026-04-30")
		w.at("2026-05-01T00:00:00Z")
		w.Equal(w.run("2026-04", true).Payments, 2)
		next := w.only(payouts.PaymentFilter{UserID: w.anna.ID, Period: "2026-04"})
		w.Equal(next.Amount, sek(11_999))
		w.Equal(next.Parts, []payouts.Part{
			{Kind: affiliate.EntryClick, Amount: 999, Entries: 1}, {Kind: affiliate.EntryOrder, Amount: 16_000, Entries: 1},
			{Kind: affiliate.EntryReversal, Amount: -5_000, Entries: 1},
		})
		w.Equal(next.InvoiceNumber, series(w.anna)+"-00003") // after the two of March
		w.Equal(w.only(payouts.PaymentFilter{UserID: w.bo.ID, Period: "2026-04"}).Parts, []payouts.Part{
			{Kind: payouts.BroughtForward, Amount: 9_999}, {Kind: affiliate.EntryClick, Amount: 1, Entries: 1},
		})
		w.verified()
	})
}

// A refund that is larger than what was earned since leaves nothing to pay, and
// waits for the next months.
func TestADebtIsCarriedOver(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		order := w.earn(w.anna, affiliate.EntryOrder, sek(20_000), "2026-03-10")
		w.Equal(w.run(march, false).Payments, 1)
		_, err := w.core.Reverse(t.Context(), affiliate.Reversal{EntryID: order.ID, Earning: sek(20_000), Cost: sek(0), Cause: "refund:1"})
		w.NoErr(err)
		w.earn(w.anna, affiliate.EntryOrder, sek(12_000), "2026-04-10")
		w.at("2026-05-02T00:00:00Z")
		w.Equal(w.run("2026-04", false), payouts.RunResult{}) // 8,000 are owed
		w.earn(w.anna, affiliate.EntryOrder, sek(18_000), "2026-05-10")
		w.at("2026-06-02T00:00:00Z")
		w.Equal(w.run("2026-05", false).Payments, 1)
		w.Equal(w.only(payouts.PaymentFilter{Period: "2026-05"}).Parts, []payouts.Part{
			{Kind: payouts.BroughtForward, Amount: -8_000}, {Kind: affiliate.EntryOrder, Amount: 18_000, Entries: 1},
		})
		w.verified()
	})
}

func TestAHoldKeepsMoneyBackUntilItEnds(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.earn(w.anna, affiliate.EntryClick, sek(20_000), "2026-03-10")
		w.earn(w.bo, affiliate.EntryClick, sek(20_000), "2026-03-10")
		w.NoErr(w.payouts.Hold(t.Context(), payouts.Hold{UserID: w.anna.ID, Reason: "fraud?"}))
		w.NoErr(w.payouts.Hold(t.Context(), payouts.Hold{UserID: w.bo.ID, Until: w.clock()})) // over
		w.Equal(w.run(march, false), payouts.RunResult{Balances: 2, Payments: 1, Held: 1})
		h, err := w.payouts.HoldOf(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(h.Value.Reason, "fraud?")
		for range 2 {
			w.NoErr(w.payouts.Release(t.Context(), w.anna.ID))
		}
		w.Equal(w.run(march, false).Payments, 1)
		w.verified()
	})
}

func TestARunRefusesWhatIsNotOver(t *testing.T) {
	w := newWorld(t, backends.Memory())
	_, err := w.payouts.Run(t.Context(), payouts.RunInput{Period: "2026-04"})
	w.True(failed(err, affiliate.ErrState, "period_not_over"))
	for _, p := range []payouts.Period{"", "2026", "2026-4", "2026-13", "1999-12", "9999-01", "2026-03-01", "x\x00"} {
		_, err := w.payouts.Run(t.Context(), payouts.RunInput{Period: p})
		w.True(failed(err, affiliate.ErrInvalid, "invalid_period"))
	}
	_, err = w.payouts.For(viewer(affiliate.RoleClient, w.network.ID)).Run(t.Context(), payouts.RunInput{Period: march})
	w.True(failed(err, affiliate.ErrForbidden, "forbidden"))
}

// Without a group in its currency any positive balance is paid; accounts of no
// user, and of partners, never are.
func TestARunPaysUsersAlone(t *testing.T) {
	w := newWorld(t, backends.Memory())
	w.earn(w.anna, affiliate.EntryClick, affiliate.NewMoney(1, "KWD"), "2026-03-10")
	w.earn(affiliate.User{ID: 1 << 40}, affiliate.EntryClick, sek(50_000), "2026-03-10")
	w.Equal(w.run(march, true), payouts.RunResult{Balances: 2, Payments: 1, Invoices: 1, Unknown: 1})
	w.verified()
}

// balance is what a user has in kronor.
func balance(w *world, u affiliate.User) string {
	w.t.Helper()
	list, err := w.core.Balances(w.t.Context(), affiliate.UserAccount(u.ID))
	w.NoErr(err)
	for _, b := range list {
		if b.Currency == "SEK" {
			return fmt.Sprintf("SEK paid %d payable %d", b.Paid.Minor(), b.Payable.Minor())
		}
	}
	return ""
}

func series(u affiliate.User) string { return "U" + strconv.FormatInt(u.ID, 10) }
