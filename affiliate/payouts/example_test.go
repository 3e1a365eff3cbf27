package payouts_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts/payoutstest"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A month is paid in two steps, each of which may be repeated: a run makes the
// payments and their invoices, and a provider gets what is invoiced.
func Example() {
	ctx := context.Background()
	db := memory.New()
	clock := func() time.Time { return time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC) }
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{Clock: clock})
	service, err2 := payouts.NewService(db.Payouts(), payouts.Options{
		Clock: clock, Keys: []payouts.Key{{ID: "2026", Secret: []byte("32 random bytes from a key store")}},
	})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	anna, err := core.CreateUser(ctx, affiliate.User{Username: "anna"})
	if err != nil {
		fmt.Println(err)
		return
	}
	err1 = db.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
		march := clock().AddDate(0, 0, -10)
		_, err := tx.Ledger().Append(ctx, affiliate.Entry{
			Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(anna.ID), Earning: affiliate.NewMoney(125_00, "SEK"), Cost: affiliate.NewMoney(0, "SEK"),
			OccurredAt: march, PayableAt: march, Cause: "a bonus",
		})
		return err
	})
	err2 = service.SetDetails(ctx, payouts.PayoutDetails{UserID: anna.ID, Name: "Anna Åkesson", Country: "SE", IBAN: "SE45 5000 0000 0583 9825 7466"})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	var bank payoutstest.Recorder // a host has one that moves money
	for range 2 {
		run, err1 := service.Run(ctx, payouts.RunInput{Period: "2026-03", Invoice: true})
		sent, err2 := service.Send(ctx, &bank, payouts.SendInput{Period: "2026-03"})
		fmt.Println(run.Payments, run.Invoices, sent.Paid, errors.Join(err1, err2))
	}
	for _, p := range bank.Paid() {
		fmt.Println(p.InvoiceNumber, p.Amount, p.To.IBAN)
	}
	// Output:
	// 1 1 1 <nil>
	// 0 0 0 <nil>
	// U1-00001 125.00 SEK SE4550000000058398257466
}
