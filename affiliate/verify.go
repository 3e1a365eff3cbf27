package affiliate

import (
	"context"
	"fmt"
	"strconv"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Difference is one place where a kept number is not what the entries add up to.
type Difference struct {
	What string // "total user:17 SEK", "entry 42", "click 0190…"
	Kept string
	Real string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: kept %s, really %s", d.What, d.Kept, d.Real)
}

// verifyPage is how many rows Verify holds at a time.
const verifyPage = 1000

// VerifyLedger recomputes every total from the entries, and checks that no
// entry is reversed by more than it was. It reads the whole ledger in pages;
// memory grows with the number of accounts. Part of Verify in every domain.
func VerifyLedger(ctx context.Context, tx Tx) ([]Difference, error) {
	type key struct {
		account  Account
		currency Currency
	}
	var diffs []Difference
	real := make(map[key]*Total)
	reversals := make(map[int64][2]int64) // entry → earning and cost taken back
	for after := int64(0); ; {
		entries, err := tx.Ledger().Scan(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			k := key{e.Account, e.Earning.Currency()}
			t := real[k]
			if t == nil {
				t = &Total{Account: k.account, Currency: k.currency}
				real[k] = t
			}
			if err := t.Apply(e); err != nil {
				return nil, err
			}
			if e.Kind == EntryReversal {
				r := reversals[e.Reverses]
				reversals[e.Reverses] = [2]int64{r[0] - e.Earning.Minor(), r[1] - e.Cost.Minor()}
			}
			after = e.ID
		}
		if len(entries) < verifyPage {
			break
		}
	}
	var account Account
	var currency Currency
	for {
		totals, err := tx.Balances().Scan(ctx, account, currency, verifyPage)
		if err != nil {
			return nil, err
		}
		for _, kept := range totals {
			account, currency = kept.Account, kept.Currency
			want := Total{Account: account, Currency: currency}
			if t := real[key{account, currency}]; t != nil {
				want = *t
				delete(real, key{account, currency})
			}
			if kept != want {
				diffs = append(diffs, totalDifference(kept, want))
			}
		}
		if len(totals) < verifyPage {
			break
		}
	}
	for _, t := range real { // accounts that have entries and no total
		diffs = append(diffs, totalDifference(Total{Account: t.Account, Currency: t.Currency}, *t))
	}
	over, err := verifyReversals(ctx, tx, reversals)
	return append(diffs, over...), err
}

func totalDifference(kept, real Total) Difference {
	show := func(t Total) string {
		return fmt.Sprintf("earned %d paid %d cost %d entries %d", t.Earned, t.Paid, t.Cost, t.Entries)
	}
	return Difference{What: "total " + string(kept.Account) + " " + string(kept.Currency), Kept: show(kept), Real: show(real)}
}

func verifyReversals(ctx context.Context, tx Tx, reversals map[int64][2]int64) ([]Difference, error) {
	ids := make([]int64, 0, len(reversals))
	for id := range reversals {
		ids = append(ids, id)
	}
	ids = idset.Sorted(ids)
	var diffs []Difference
	for len(ids) > 0 {
		n := min(len(ids), verifyPage)
		originals, err := tx.Ledger().GetMany(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		for _, e := range originals {
			r := reversals[e.ID]
			if r[0] > e.Earning.Minor() || r[1] > e.Cost.Minor() {
				diffs = append(diffs, Difference{
					What: "entry " + strconv.FormatInt(e.ID, 10),
					Kept: fmt.Sprintf("reversed %d/%d", r[0], r[1]),
					Real: fmt.Sprintf("earning %d cost %d", e.Earning.Minor(), e.Cost.Minor()),
				})
			}
		}
		ids = ids[n:]
	}
	return diffs, nil
}

// Verify checks the ledger against itself; nothing is the right answer.
func (s *Service) Verify(ctx context.Context) ([]Difference, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Difference, error) {
		return VerifyLedger(ctx, tx)
	})
}
