package offers

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// verifyPage is how many rows VerifyUsage holds at a time.
const verifyPage = 1000

// CountedIn are the counters that a click with these terms was counted in;
// none when the terms name no offer.
func CountedIn(terms string, userID int64) []UsageKey {
	var d Drawn
	if json.Unmarshal([]byte(terms), &d) != nil || d.OfferID == 0 {
		return nil
	}
	return keysOf(d.usages(userID, Counts{}))
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
		for _, e := range entries {
			after = e.ID
			d, ok := drawnBy(e)
			userID, isUser := accountUser(e.Account)
			if !ok || !isUser {
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

func takeBack(ctx context.Context, tx Tx, real map[UsageKey]Counts, taken map[int64][2]int64) error {
	ids := make([]int64, 0, len(taken))
	for id := range taken {
		ids = append(ids, id)
	}
	originals, err := tx.Ledger().GetMany(ctx, affiliate.IDs(ids))
	for _, e := range originals {
		d, _ := drawnBy(e)
		userID, _ := accountUser(e.Account)
		if e.Kind != affiliate.EntryClick || taken[e.ID] != [2]int64{-e.Earning.Minor(), -e.Cost.Minor()} {
			continue
		}
		for _, u := range d.usages(userID, Counts{Clicks: -1}) {
			real[u.UsageKey] = real[u.UsageKey].plus(u.Counts)
		}
	}
	return err
}
