package payouts

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// verifyPage is how many rows Verify holds at a time.
const verifyPage = 1000

// VerifyPayouts checks every payment against its payout entry and its parts, and
// every series of invoice numbers for gaps. It reads in pages. Part of Verify.
func VerifyPayouts(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	diffs, err := verifyPayments(ctx, tx)
	if err != nil {
		return nil, err
	}
	more, err := verifySeries(ctx, tx)
	return append(diffs, more...), err
}

// Verify checks the ledger and the payouts; nothing is the right result. Only
// for the operator.
func (s *Service) Verify(ctx context.Context) ([]affiliate.Difference, error) {
	if err := s.operatorOnly(); err != nil {
		return nil, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
		diffs, err := affiliate.VerifyLedger(ctx, tx)
		if err != nil {
			return nil, err
		}
		more, err := VerifyPayouts(ctx, tx)
		return append(diffs, more...), err
	})
}

func verifyPayments(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	var diffs []affiliate.Difference
	for after := int64(0); ; {
		payments, err := tx.Payments().Scan(ctx, PaymentFilter{}, after, verifyPage)
		if err != nil {
			return nil, err
		}
		causes := make([]string, len(payments))
		for i, p := range payments {
			causes[i], after = p.Cause(), p.ID
		}
		entries, err := tx.Ledger().ByCauses(ctx, causes)
		if err != nil {
			return nil, err
		}
		byCause := make(map[string]affiliate.Entry, len(entries))
		for _, e := range entries {
			byCause[e.Cause] = e
		}
		for _, p := range payments {
			diffs = append(diffs, verifyPayment(p, byCause[p.Cause()])...)
		}
		if len(payments) < verifyPage {
			return diffs, nil
		}
	}
}

func verifyPayment(p Payment, entry affiliate.Entry) []affiliate.Difference {
	var diffs []affiliate.Difference
	what := "payment " + strconv.FormatInt(p.ID, 10)
	if entry.Kind != affiliate.EntryPayout || entry.Account != affiliate.UserAccount(p.UserID) || entry.Earning.Minor() != -p.Amount.Minor() {
		diffs = append(diffs, affiliate.Difference{What: what, Kept: p.Amount.String(), Real: "payout entry " + entry.Earning.String()})
	}
	sum := int64(0)
	for _, part := range p.Parts {
		sum += part.Amount
	}
	if sum != p.Amount.Minor() {
		diffs = append(diffs, affiliate.Difference{What: what + " parts", Kept: strconv.FormatInt(sum, 10), Real: strconv.FormatInt(p.Amount.Minor(), 10)})
	}
	return diffs
}

func verifySeries(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	var diffs []affiliate.Difference
	for after := ""; ; {
		series, err := tx.Invoices().Series(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			after = s.Series
			if strings.HasPrefix(s.Series, transferSeries) {
				continue
			}
			found, err := verifyNumbers(ctx, tx, s)
			if err != nil {
				return nil, err
			}
			diffs = append(diffs, found...)
		}
		if len(series) < verifyPage {
			return diffs, nil
		}
	}
}

// verifyNumbers looks for gaps in a series, and for invoices whose payment has
// another number.
func verifyNumbers(ctx context.Context, tx Tx, s SeriesTake) ([]affiliate.Difference, error) {
	var diffs []affiliate.Difference
	serial := int64(0)
	for {
		invoices, err := tx.Invoices().Scan(ctx, s.Series, serial, verifyPage)
		if err != nil {
			return nil, err
		}
		ids := make([]int64, len(invoices))
		for i, inv := range invoices {
			if inv.Serial != serial+1 {
				diffs = append(diffs, affiliate.Difference{What: "invoice series " + s.Series, Kept: fmt.Sprintf("%d after %d", inv.Serial, serial), Real: "no gap"})
			}
			ids[i], serial = inv.PaymentID, inv.Serial
		}
		payments, err := tx.Payments().GetMany(ctx, ids)
		if err != nil {
			return nil, err
		}
		numbers := make(map[int64]string, len(payments))
		for _, p := range payments {
			numbers[p.ID] = p.InvoiceNumber
		}
		for _, inv := range invoices {
			if numbers[inv.PaymentID] != inv.Number() {
				diffs = append(diffs, affiliate.Difference{What: "invoice " + inv.Number(), Kept: numbers[inv.PaymentID], Real: inv.Number()})
			}
		}
		if len(invoices) < verifyPage {
			break
		}
	}
	if serial != s.Count {
		diffs = append(diffs, affiliate.Difference{What: "invoice series " + s.Series, Kept: strconv.FormatInt(s.Count, 10), Real: strconv.FormatInt(serial, 10)})
	}
	return diffs, nil
}
