package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts/invoicepdf"
)

// payoutOptions are those of the server: invoices are PDFs. The sample data has a
// key for payout details that anybody can read here; without sample data there is
// none, and details are refused.
func payoutOptions(demo bool) payouts.Options {
	o := payouts.Options{
		Renderer:    invoicepdf.New(),
		Buyer:       payouts.Party{Company: "Affiliatekit Example AB", Street: "Exempelgatan 1", PostalCode: "111 22", City: "Stockholm", Country: "SE"},
		InvoiceNote: "Self-billing: issued by the buyer in the name of the seller.",
	}
	if demo {
		o.Keys = []payouts.Key{{ID: "demo", Secret: []byte("this key protects nothing at all")}}
	}
	return o
}

// demoEarning is what a sample user earned in the closed month, in minor units.
type demoEarning struct {
	user  string
	kind  affiliate.EntryKind
	minor int64
}

var demoEarnings = []demoEarning{
	{"anna", affiliate.EntryAdjustment, 1_250_000}, {"anna", affiliate.EntryAdjustment, 250_000},
	{"bo", affiliate.EntryAdjustment, 800_000},
}

// loadDemoPayments pays the sample users for the month before the first start,
// refunds a part of what anna was paid, and returns the ids of the payments by
// user. Payments that are there stay as they are: a second start changes nothing.
func loadDemoPayments(ctx context.Context, backend affiliatekit.Backend, users map[string]int64) (map[string]int64, error) {
	service, err := payouts.NewService(backend.Payouts(), payoutOptions(true))
	if err != nil {
		return nil, err
	}
	core, err := affiliate.NewService(backend.Core(), affiliate.Options{})
	if err != nil {
		return nil, err
	}
	there, err := demoPayments(ctx, service, users)
	if err != nil || len(there) == 2 {
		return there, err
	}
	period := payouts.PeriodOf(time.Now()).Before()
	order, err := bookDemoEarnings(ctx, backend, period, users)
	if err != nil {
		return nil, err
	}
	if _, err := service.Run(ctx, payouts.RunInput{Period: period}); err != nil {
		return nil, err
	}
	if there, err = demoPayments(ctx, service, users); err != nil {
		return nil, err
	}
	if _, err := service.CreateInvoice(ctx, there["anna"]); err != nil { // bo's is for whoever tries it out
		return nil, err
	}
	_, err = core.Reverse(ctx, affiliate.Reversal{
		EntryID: order, Earning: affiliate.NewMoney(120_000, "SEK"), Cost: affiliate.NewMoney(0, "SEK"), Cause: "demo:refund",
	})
	if errors.Is(err, affiliate.ErrConflict) { // another process was first
		err = nil
	}
	return there, err
}

// demoPayments returns the first payment of each sample user that has one.
func demoPayments(ctx context.Context, service *payouts.Service, users map[string]int64) (map[string]int64, error) {
	ids := make(map[string]int64)
	for _, name := range []string{"anna", "bo"} {
		list, err := service.Payments(ctx, payouts.PaymentFilter{UserID: users[name]}, 0, 1)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 {
			ids[name] = list[0].ID
		}
	}
	return ids, nil
}

// bookDemoEarnings books the sample earnings unless they are booked, and returns
// the entry of anna's first.
func bookDemoEarnings(ctx context.Context, backend affiliatekit.Backend, period payouts.Period, users map[string]int64) (int64, error) {
	at := period.Start().AddDate(0, 0, 9)
	entries := make([]affiliate.Entry, len(demoEarnings))
	causes := make([]string, len(demoEarnings))
	for i, e := range demoEarnings {
		causes[i] = fmt.Sprintf("demo:%s:%d", e.user, i)
		entries[i] = affiliate.Entry{
			Kind: e.kind, Account: affiliate.UserAccount(users[e.user]), Earning: affiliate.NewMoney(e.minor, "SEK"), Cost: affiliate.NewMoney(0, "SEK"),
			OccurredAt: at, PayableAt: at, Cause: causes[i],
		}
	}
	for attempt := 1; ; attempt++ {
		booked, err := affiliate.Write(ctx, backend.Core(), func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Entry, error) {
			there, err := tx.Ledger().ByCauses(ctx, causes)
			if err != nil || len(there) > 0 {
				return there, err
			}
			return tx.Ledger().Append(ctx, entries...)
		})
		if errors.Is(err, affiliate.ErrConflict) && attempt < demoAttempts {
			continue
		}
		if err != nil {
			return 0, err
		}
		return booked[0].ID, nil
	}
}
