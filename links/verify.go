package links

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// verifyPage is how many clicks Verify holds at a time.
const verifyPage = 1000

// Verify recomputes every counter and amount of clicks: the roll-ups from the
// clicks, the entry of each click from its money, what was used of each budget
// from both, and the ledger's totals from its entries. Nothing is the right answer. It reads everything, in one
// snapshot.
func (s *Service) Verify(ctx context.Context) ([]affiliate.Difference, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
		diffs, err := affiliate.VerifyLedger(ctx, tx)
		if err != nil {
			return nil, err
		}
		paid := newPaidClicks()
		real, clicks, err := verifyClicks(ctx, tx, paid)
		if err != nil {
			return nil, err
		}
		days, err := verifyDays(ctx, tx, real)
		if err != nil {
			return nil, err
		}
		budgets, err := paid.verify(ctx, tx)
		return slices.Concat(diffs, clicks, days, budgets), err
	})
}

type dayKey struct {
	date             time.Time
	advertiser, user int64
	currency         affiliate.Currency
}

func (d Day) key() dayKey { return dayKey{d.Date.UTC(), d.AdvertiserID, d.UserID, d.Currency} }

func (d Day) counts() string {
	return fmt.Sprintf("clicks %d valid %d earning %d cost %d", d.Clicks, d.Valid, d.Earning, d.Cost)
}

// verifyClicks adds all clicks up by day and holds each against its ledger entry.
func verifyClicks(ctx context.Context, tx Tx, paid *paidClicks) (map[dayKey]Day, []affiliate.Difference, error) {
	real := make(map[dayKey]Day)
	var diffs []affiliate.Difference
	booked := 0
	var after Click
	for {
		clicks, err := tx.Clicks().Scan(ctx, after.ID, verifyPage)
		if err != nil {
			return nil, nil, err
		}
		if err := paid.add(clicks); err != nil {
			return nil, nil, err
		}
		for i := range clicks {
			k := clicks[i].day().key()
			d, ok := real[k]
			if !ok {
				d = clicks[i].day()
			}
			d.count(&clicks[i])
			real[k] = d
		}
		n, wrong, err := verifyEntries(ctx, tx, clicks)
		if err != nil {
			return nil, nil, err
		}
		booked += n
		diffs = append(diffs, wrong...)
		if len(clicks) < verifyPage {
			break
		}
		last := clicks[len(clicks)-1]
		if bytes.Compare(last.ID[:], after.ID[:]) <= 0 {
			return nil, nil, fmt.Errorf("links: clicks are not scanned in order of id: %s after %s", last.ID, after.ID)
		}
		after = last
	}
	orphans, err := verifyOrphans(ctx, tx, booked)
	return real, append(diffs, orphans...), err
}

// verifyEntries holds clicks against the entries booked for them, and answers
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
// clicks have theirs: causes are unique, so more entries are entries of nothing.
func verifyOrphans(ctx context.Context, tx Tx, booked int) ([]affiliate.Difference, error) {
	page, err := tx.Ledger().List(ctx, affiliate.EntryFilter{Kind: affiliate.EntryClick}, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil || page.Total == booked {
		return nil, err
	}
	return []affiliate.Difference{{What: "entries of clicks", Kept: strconv.Itoa(page.Total), Real: strconv.Itoa(booked)}}, nil
}

// verifyDays holds the kept roll-ups against the recomputed ones.
func verifyDays(ctx context.Context, tx Tx, real map[dayKey]Day) ([]affiliate.Difference, error) {
	kept, err := tx.Days().List(ctx, DayFilter{})
	if err != nil {
		return nil, err
	}
	var diffs []affiliate.Difference
	differ := func(k dayKey, kept, want Day) {
		if kept.counts() != want.counts() {
			diffs = append(diffs, affiliate.Difference{
				What: fmt.Sprintf("day %s advertiser %d user %d %s", k.date.Format(time.DateOnly), k.advertiser, k.user, k.currency),
				Kept: kept.counts(), Real: want.counts(),
			})
		}
	}
	for _, d := range kept {
		differ(d.key(), d, real[d.key()])
		delete(real, d.key())
	}
	for k, d := range real {
		differ(k, Day{}, d)
	}
	return diffs, nil
}
