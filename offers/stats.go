package offers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Stats are what an offer brought within a range of days: paid clicks alone
// count. Amounts are minor units of the offer's currency.
type Stats struct {
	Clicks      int64
	UniqueUsers int64
	Earnings    int64
	Cost        int64
	PerDay      []Day // by date; days without clicks are left out
}

// Stats answers what an offer brought from a date until another, which is not
// in it (campaign-stats). It reads roll-ups: the cost grows with days and
// creators, not with clicks.
func (s *Service) Stats(ctx context.Context, offerID int64, from, until time.Time) (Stats, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Stats, error) {
		var out Stats
		if _, err := tx.Offers().Get(ctx, offerID); err != nil {
			return out, err
		}
		f := DayFilter{OfferID: offerID, From: from, Until: until}
		var err error
		if out.PerDay, err = tx.OfferDays().ByDate(ctx, f); err != nil {
			return out, err
		}
		users, err := tx.OfferDays().ByUser(ctx, f)
		out.UniqueUsers = int64(len(users))
		for _, d := range out.PerDay {
			out.Clicks, out.Earnings, out.Cost = out.Clicks+d.Clicks, out.Earnings+d.Earning, out.Cost+d.Cost
		}
		return out, err
	})
}

// CountByActivity answers how many participants have a paid click from a date
// until another, and how many have none
// (offer-participants-count-by-click-activity).
func (s *Service) CountByActivity(ctx context.Context, offerID int64, from, until time.Time) (active, inactive int, err error) {
	err = s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := live(ctx, tx, offerID); err != nil {
			return err
		}
		for _, want := range []struct {
			active bool
			n      *int
		}{{true, &active}, {false, &inactive}} {
			f := ParticipantFilter{OfferID: offerID, Active: affiliate.Some(want.active), From: from, Until: until}
			page, err := tx.Participants().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 1})
			if err != nil {
				return err
			}
			*want.n = page.Total
		}
		return nil
	})
	return active, inactive, err
}

// ParticipantStats is a participant and what it brought in a range of days.
type ParticipantStats struct {
	ParticipantView
	Range Day // Clicks, Earning and Cost of the range
}

// GrossProfit is what the advertiser pays beyond what the creator earns, in
// minor units (estimated_gp).
func (p ParticipantStats) GrossProfit() int64 { return p.Range.Cost - p.Range.Earning }

// The columns that ParticipantStats sorts by beside those of ParticipantFilter.
const (
	SortClicks      = "clicks"
	SortGrossProfit = "estimated_gp"
)

// ParticipantsStats lists participants with what they brought from f.From until
// f.Until (offer-participants-stats). Sorted by clicks or estimated_gp, its
// cost grows with the participants of the offer.
func (s *Service) ParticipantsStats(ctx context.Context, f ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[ParticipantStats], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[ParticipantStats], error) {
		var out affiliate.Page[ParticipantStats]
		var page affiliate.Page[Participant]
		var err error
		days := DayFilter{OfferID: f.OfferID, From: f.From, Until: f.Until}
		if p.Sort.Column == SortClicks || p.Sort.Column == SortGrossProfit {
			page, err = sortedByDays(ctx, tx, f, days, p)
		} else {
			page, err = tx.Participants().List(ctx, f, p)
		}
		if err != nil {
			return out, err
		}
		items, err := participantViews(ctx, tx, page.Items)
		if err != nil {
			return out, err
		}
		for _, v := range items {
			if v.UserID != 0 {
				days.UserIDs = append(days.UserIDs, v.UserID)
			}
		}
		sums, err := sumsByUser(ctx, tx, days)
		out.Total = page.Total
		for _, v := range items {
			out.Items = append(out.Items, ParticipantStats{v, sums[v.UserID]})
		}
		return out, err
	})
}

// sumsByUser are the sums of days by user; UserIDs nil after filtering for
// users means there are none to ask for.
func sumsByUser(ctx context.Context, tx Tx, f DayFilter) (map[int64]Day, error) {
	list, err := tx.OfferDays().ByUser(ctx, f)
	out := make(map[int64]Day, len(list))
	for _, d := range list {
		out[d.UserID] = d
	}
	return out, err
}

// sortedByDays is a page of all participants in the order of a sum.
func sortedByDays(ctx context.Context, tx Tx, f ParticipantFilter, days DayFilter, p affiliate.PageRequest) (affiliate.Page[Participant], error) {
	var out affiliate.Page[Participant]
	if err := (affiliate.PageRequest{Number: p.Number, Size: p.Size}).Validate(); err != nil {
		return out, err
	}
	sums, err := sumsByUser(ctx, tx, days)
	if err != nil {
		return out, err
	}
	var all []Participant
	for n := 1; ; n++ {
		page, err := tx.Participants().List(ctx, f, affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize})
		if err != nil {
			return out, err
		}
		all = append(all, page.Items...)
		if len(all) >= page.Total || len(page.Items) == 0 {
			break
		}
	}
	key := func(v Participant) int64 {
		if p.Sort.Column == SortClicks {
			return sums[v.UserID].Clicks
		}
		return ParticipantStats{Range: sums[v.UserID]}.GrossProfit()
	}
	slices.SortStableFunc(all, func(a, b Participant) int {
		if p.Sort.Desc {
			a, b = b, a
			return cmp.Compare(key(a), key(b))
		}
		return cmp.Compare(key(a), key(b))
	})
	out.Total = len(all)
	from := min(p.Offset(), len(all))
	out.Items = all[from:min(from+p.Size, len(all))]
	return out, nil
}
