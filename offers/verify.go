package offers

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// verifyPage is how many rows VerifyUsage holds at a time.
const verifyPage = 1000

// CountedIn returns the counters that a click with these terms was counted in.
// Terms that name no offer have none.
func CountedIn(terms string, userID int64) ([]UsageKey, error) {
	d, err := drawnBy(affiliate.EntryClick, terms)
	if err != nil || d.OfferID == 0 {
		return nil, err
	}
	return keysOf(d.usages(userID, Counts{})), nil
}

// VerifyUsage holds every counter against what the ledger's entries and the
// paid clicks, by counter, add up to. It reads the whole ledger in pages; memory
// grows with the counters, and with the clicks that are reversed.
func VerifyUsage(ctx context.Context, tx Tx, clicks map[UsageKey]int64) ([]affiliate.Difference, error) {
	real, err := usageOfLedger(ctx, tx)
	if err != nil {
		return nil, err
	}
	for k, n := range clicks {
		real[k] = real[k].plus(Counts{Clicks: n})
	}
	var diffs []affiliate.Difference
	var after UsageKey
	for {
		kept, err := tx.Usage().Scan(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		for _, u := range kept {
			if after = u.UsageKey; u.Counts != real[u.UsageKey] {
				diffs = append(diffs, usageDifference(u.UsageKey, u.Counts, real[u.UsageKey]))
			}
			delete(real, u.UsageKey)
		}
		if len(kept) < verifyPage {
			break
		}
	}
	for k, c := range real {
		if c != (Counts{}) {
			diffs = append(diffs, usageDifference(k, Counts{}, c))
		}
	}
	return diffs, nil
}

func usageDifference(k UsageKey, kept, real Counts) affiliate.Difference {
	what := fmt.Sprintf("usage of offer %d user %d", k.OfferID, k.UserID)
	if k.SharedBudgetID != 0 {
		what = fmt.Sprintf("usage of shared budget %d", k.SharedBudgetID)
	}
	show := func(c Counts) string { return fmt.Sprintf("clicks %d spent %d", c.Clicks, c.Spent) }
	return affiliate.Difference{What: what, Kept: show(kept), Real: show(real)}
}

// usageOfLedger adds the costs of all entries up by counter, and takes back the
// clicks whose entries are reversed wholly.
func usageOfLedger(ctx context.Context, tx Tx) (map[UsageKey]Counts, error) {
	real := make(map[UsageKey]Counts)
	taken := make(map[int64][2]int64) // by entry: earning and cost that reversals took, as negative numbers
	for after := int64(0); ; {
		entries, err := tx.Ledger().Scan(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		kinds, err := originalKinds(ctx, tx, entries)
		if err != nil {
			return nil, err
		}
		for i, e := range entries {
			after = e.ID
			d, err := drawnBy(kinds[i], e.Terms)
			if err != nil {
				return nil, err
			}
			userID, isUser := accountUser(e.Account)
			if d.OfferID == 0 || !isUser {
				continue
			}
			for _, u := range d.usages(userID, Counts{Spent: e.Cost.Minor()}) {
				real[u.UsageKey] = real[u.UsageKey].plus(u.Counts)
			}
			if e.Kind == affiliate.EntryReversal {
				t := taken[e.Reverses]
				taken[e.Reverses] = [2]int64{t[0] + e.Earning.Minor(), t[1] + e.Cost.Minor()}
			}
		}
		if len(entries) < verifyPage {
			return real, takeBack(ctx, tx, real, taken)
		}
	}
}

// originalKinds returns for each entry its kind, and for a reversal the kind of
// what it takes back, whose terms it repeats.
func originalKinds(ctx context.Context, tx Tx, entries []affiliate.Entry) ([]affiliate.EntryKind, error) {
	var reversed []int64
	for _, e := range entries {
		if e.Kind == affiliate.EntryReversal {
			reversed = append(reversed, e.Reverses)
		}
	}
	originals, err := idset.Index(ctx, tx.Ledger().GetMany, reversed, func(e affiliate.Entry) int64 { return e.ID })
	kinds := make([]affiliate.EntryKind, len(entries))
	for i, e := range entries {
		if kinds[i] = e.Kind; e.Kind == affiliate.EntryReversal {
			kinds[i] = originals[e.Reverses].Kind
		}
	}
	return kinds, err
}

func takeBack(ctx context.Context, tx Tx, real map[UsageKey]Counts, taken map[int64][2]int64) error {
	ids := make([]int64, 0, len(taken))
	for id := range taken {
		ids = append(ids, id)
	}
	originals, err := tx.Ledger().GetMany(ctx, idset.Sorted(ids))
	if err != nil {
		return err
	}
	for _, e := range originals {
		if e.Kind != affiliate.EntryClick || taken[e.ID] != [2]int64{-e.Earning.Minor(), -e.Cost.Minor()} {
			continue
		}
		d, err := drawnBy(e.Kind, e.Terms)
		if err != nil {
			return err
		}
		userID, _ := accountUser(e.Account)
		for _, u := range d.usages(userID, Counts{Clicks: -1}) {
			real[u.UsageKey] = real[u.UsageKey].plus(u.Counts)
		}
	}
	return nil
}
