package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// plainText renders invoices for tests that are about something else.
type plainText struct{}

func (plainText) Render(w io.Writer, d payouts.Document) error {
	_, err := fmt.Fprintln(w, d.Number, d.Total)
	return err
}

func (plainText) Extension() string { return ".txt" }

// settlePayouts pays anna and bo for February: anna has an invoice, bo's
// payment is open. dora's is open too, and of no client.
func (w *World) settlePayouts(ctx context.Context) {
	february := payouts.Period("2026-02")
	names := []string{"anna", "bo", "dora"}
	w.book(ctx, february, names)
	Must(w.Payouts.Run(ctx, payouts.RunInput{Period: february}))(w.T)
	for _, name := range names {
		payments := Must(w.Payouts.Payments(ctx, payouts.PaymentFilter{UserID: w.ID["user "+name]}, 0, 1))(w.T)
		w.ID["payment "+name] = payments[0].ID
	}
	invoiced := Must(w.Payouts.CreateInvoice(ctx, w.ID["payment anna"]))(w.T)
	w.Token["invoice anna"] = invoiced.InvoiceNumber
}

func (w *World) book(ctx context.Context, period payouts.Period, names []string) {
	Must(affiliate.Write(ctx, w.Backend.Core, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Entry, error) {
		entries := make([]affiliate.Entry, len(names))
		for i, name := range names {
			entries[i] = affiliate.Entry{
				Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(w.ID["user "+name]),
				Earning: affiliate.NewMoney(5000, "SEK"), Cost: affiliate.NewMoney(0, "SEK"),
				OccurredAt: period.Start(), PayableAt: period.Start(), Cause: "market:" + name,
			}
		}
		return tx.Ledger().Append(ctx, entries...)
	}))(w.T)
}

// dumpPayouts is the payouts' part of Dump.
func (w *World) dumpPayouts(out *strings.Builder) error {
	return w.Backend.Payouts.Read(context.WithoutCancel(w.T.Context()), func(ctx context.Context, tx payouts.Tx) error {
		d := dumper{out: out}
		dumpAll[payouts.Payment](&d, "payment")(tx.Payments().Scan(ctx, payouts.PaymentFilter{}, 0, affiliate.MaxPageSize))
		dumpAll[payouts.SeriesTake](&d, "series")(tx.Invoices().Series(ctx, "", affiliate.MaxPageSize))
		dumpAll[payouts.SealedDetails](&d, "payout details")(tx.PayoutDetails().Scan(ctx, 0, affiliate.MaxPageSize))
		dumpAll[payouts.SystemConfig](&d, "payment system")(tx.PaymentSystems().Scan(ctx, payouts.SystemFilter{}, 0, affiliate.MaxPageSize))
		dumpAll[payouts.AXID](&d, "ax id")(tx.AXIDs().GetMany(ctx, []int64{w.ID["user anna"], w.ID["user bo"], w.ID["user dora"]}))
		for _, id := range w.advertisers() {
			setup, err := tx.PaymentSetups().Get(ctx, id)
			if err == nil {
				fmt.Fprintf(out, "payment setup: %+v\n", setup)
			} else if !errors.Is(err, affiliate.ErrNotFound) {
				return err
			}
		}
		return d.err
	})
}
