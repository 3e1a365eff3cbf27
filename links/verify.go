package links

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// verifyPage is how many clicks Verify holds at a time.
const verifyPage = 1000

// Verify recomputes every counter and amount of clicks: the roll-ups from the
// clicks, the entry of each click from its money, what was used of each budget
// from both, and the ledger's totals from its entries. Nothing is the right
// answer. It reads everything, in one snapshot.
//
// Of the days whose clicks retention has given up, the roll-ups of links stand
// for the clicks: those of the other levels must be their sums. What budgets
// counted of these clicks was noted when they went.
func (s *Service) Verify(ctx context.Context) ([]affiliate.Difference, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
		diffs, err := affiliate.VerifyLedger(ctx, tx)
		if err != nil {
			return nil, err
		}
		gone, err := tx.Retention().Get(ctx)
		if err != nil {
			return nil, err
		}
		paid, recount := paidClicks{}, stats.NewRecount(stats.ClickPart)
		if err := recount.Trust(ctx, tx, gone.ClicksFrom, gone.VisitorsFrom); err != nil {
			return nil, err
		}
		if err := paid.addGone(ctx, tx); err != nil {
			return nil, err
		}
		clicks, err := verifyClicks(ctx, tx, gone, paid, recount)
		if err != nil {
			return nil, err
		}
		rollups, err := recount.Verify(ctx, tx)
		if err != nil {
			return nil, err
		}
		payments, err := stats.VerifyPayments(ctx, tx)
		if err != nil {
			return nil, err
		}
		budgets, err := offers.VerifyUsage(ctx, tx, paid)
		return slices.Concat(diffs, clicks, rollups, payments, budgets), err
	})
}

// verifyClicks adds all clicks up that were not given up, and holds each against
// its ledger entry.
func verifyClicks(ctx context.Context, tx Tx, gone Retained, paid paidClicks, recount *stats.Recount) ([]affiliate.Difference, error) {
	var diffs []affiliate.Difference
	booked := int(gone.Entries)
	after := Click{ID: gone.ClicksThrough}
	for {
		clicks, err := tx.Clicks().Scan(ctx, after.ID, verifyPage)
		if err != nil {
			return nil, err
		}
		if err := paid.add(clicks); err != nil {
			return nil, err
		}
		if err := recountClicks(ctx, tx, recount, clicks); err != nil {
			return nil, err
		}
		n, wrong, err := verifyEntries(ctx, tx, clicks)
		if err != nil {
			return nil, err
		}
		booked += n
		diffs = append(diffs, wrong...)
		if len(clicks) < verifyPage {
			break
		}
		last := clicks[len(clicks)-1]
		if bytes.Compare(last.ID[:], after.ID[:]) <= 0 {
			return nil, fmt.Errorf("links: clicks are not scanned in order of id: %s after %s", last.ID, after.ID)
		}
		after = last
	}
	orphans, err := verifyOrphans(ctx, tx, booked)
	return append(diffs, orphans...), err
}

// recountClicks adds clicks, and that they were taken back, to the recount of
// their statistics.
func recountClicks(ctx context.Context, tx Tx, recount *stats.Recount, clicks []Click) error {
	ids, causes := make([]int64, len(clicks)), make([]string, len(clicks))
	for i := range clicks {
		ids[i], causes[i] = clicks[i].AdvertiserID, clicks[i].reversal()
	}
	advertisers, err := tx.Advertisers().GetMany(ctx, idset.Sorted(ids))
	if err != nil {
		return err
	}
	reversals, err := tx.Ledger().ByCauses(ctx, causes)
	if err != nil {
		return err
	}
	reversed := make(map[string]bool, len(reversals))
	for _, e := range reversals {
		reversed[e.Cause] = true
	}
	for i := range clicks {
		a, _ := lookUp(advertisers, clicks[i].AdvertiserID, func(a *affiliate.Advertiser) int64 { return a.ID })
		if err := recount.Add(clicks[i].event(a)); err != nil {
			return err
		}
		if !reversed[causes[i]] {
			continue
		}
		back, err := clicks[i].reversed(a)
		if err != nil {
			return err
		}
		if err := recount.Add(back); err != nil {
			return err
		}
	}
	return nil
}

// verifyEntries holds clicks against the entries booked for them, and returns
// how many there are.
func verifyEntries(ctx context.Context, tx Tx, clicks []Click) (int, []affiliate.Difference, error) {
	causes := make([]string, len(clicks))
	for i, c := range clicks {
		causes[i] = c.Cause()
	}
	entries, err := tx.Ledger().ByCauses(ctx, causes)
	if err != nil {
		return 0, nil, err
	}
	booked := make(map[string]affiliate.Entry, len(entries))
	for _, e := range entries {
		booked[e.Cause] = e
	}
	var diffs []affiliate.Difference
	for i, c := range clicks {
		e, ok := booked[causes[i]]
		switch {
		case !ok && (!c.Earning.IsZero() || !c.Cost.IsZero()):
			diffs = append(diffs, affiliate.Difference{What: causes[i], Kept: "no entry", Real: c.Earning.String()})
		case ok && (e.Earning != c.Earning || e.Cost != c.Cost || e.Account != affiliate.UserAccount(c.UserID)):
			diffs = append(diffs, affiliate.Difference{What: causes[i], Kept: e.Earning.String() + " for " + string(e.Account), Real: c.Earning.String() + " for " + string(affiliate.UserAccount(c.UserID))})
		}
	}
	return len(entries), diffs, nil
}

// verifyOrphans compares how many entries of clicks there are with how many
// clicks have or had theirs: causes are unique, so more entries are entries of nothing.
func verifyOrphans(ctx context.Context, tx Tx, booked int) ([]affiliate.Difference, error) {
	page, err := tx.Ledger().List(ctx, affiliate.EntryFilter{Kind: affiliate.EntryClick}, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil || page.Total == booked {
		return nil, err
	}
	return []affiliate.Difference{{What: "entries of clicks", Kept: strconv.Itoa(page.Total), Real: strconv.Itoa(booked)}}, nil
}
