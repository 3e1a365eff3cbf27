package offers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// Stats are what an offer brought within a range of days: valid clicks and paid
// orders. Amounts are minor units of the offer's currency.
type Stats struct {
	Currency affiliate.Currency // of the offer
	stats.Figures
	PerDay []stats.Row // every day of the range, by date
}

// Stats returns what an offer brought from a date until another, which is not in
// it (campaign-stats). It reads roll-ups: the cost grows with the days, not with
// clicks.
func (s *Service) Stats(ctx context.Context, offerID int64, from, until time.Time) (Stats, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Stats, error) {
		var out Stats
		o, err := s.owned(ctx, tx, offerID)
		if err != nil {
			return out, err
		}
		days, err := stats.Days(ctx, tx, stats.Filter{OfferIDs: []int64{offerID}, From: from, Until: until})
		out.Currency, out.PerDay, out.Figures = o.Currency, days.PerDay, days.Total
		return out, err
	})
}

// CountByActivity returns how many participants have a paid click from a date
// until another, and how many have none
// (offer-participants-count-by-click-activity).
func (s *Service) CountByActivity(ctx context.Context, offerID int64, from, until time.Time) (active, inactive int, err error) {
	err = s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := s.live(ctx, tx, offerID); err != nil {
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
	Range stats.Figures
}

// GrossProfit is what the advertiser pays beyond what the creator earns, in
// minor units (estimated_gp).
func (p ParticipantStats) GrossProfit() int64 { return p.Range.Cost() - p.Range.Earnings() }

// Ratio returns the value of the orders divided by what they and the clicks cost,
// to four decimals; ok is false when they cost nothing
// (estimated_earning_to_cost_ratio).
func (p ParticipantStats) Ratio() (ratio decimal.Decimal, ok bool) {
	cost := p.Range.Cost()
	if cost == 0 {
		return decimal.Decimal{}, false
	}
	return decimal.NewFromInt(p.Range.OrderValue).DivRound(decimal.NewFromInt(cost), 4), true
}

// The columns that ParticipantStats sorts by beside those of ParticipantFilter.
const (
	SortClicks      = "clicks"
	SortGrossProfit = "estimated_gp"
	SortRatio       = "estimated_earning_to_cost_ratio"
)

// ParticipantsStats lists participants with what they brought from f.From until
// f.Until (offer-participants-stats). Sorted by one of the three columns above,
// its cost grows with the participants of the offer.
func (s *Service) ParticipantsStats(ctx context.Context, f ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[ParticipantStats], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[ParticipantStats], error) {
		var out affiliate.Page[ParticipantStats]
		if err := s.ownsList(ctx, tx, f); err != nil {
			return out, err
		}
		var page affiliate.Page[Participant]
		var err error
		days := stats.Filter{OfferIDs: []int64{f.OfferID}, From: f.From, Until: f.Until}
		switch p.Sort.Column {
		case SortClicks, SortGrossProfit, SortRatio:
			page, err = sortedByDays(ctx, tx, f, days, p)
		default:
			page, err = tx.Participants().List(ctx, f, p)
		}
		if err != nil {
			return out, err
		}
		items, err := s.participantViews(ctx, tx, page.Items)
		if err != nil {
			return out, err
		}
		days.UserIDs = []int64{}
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

// sumsByUser are the figures of each user.
func sumsByUser(ctx context.Context, tx Tx, f stats.Filter) (map[int64]stats.Figures, error) {
	list, err := tx.Stats().Sum(ctx, f, stats.ByUser)
	out := make(map[int64]stats.Figures, len(list))
	for _, row := range list {
		out[row.UserID] = row.Figures
	}
	return out, err
}

// sortedByDays is a page of all participants in the order of a sum.
func sortedByDays(ctx context.Context, tx Tx, f ParticipantFilter, days stats.Filter, p affiliate.PageRequest) (affiliate.Page[Participant], error) {
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
	compare := func(a, b Participant) int {
		x, y := ParticipantStats{Range: sums[a.UserID]}, ParticipantStats{Range: sums[b.UserID]}
		switch p.Sort.Column {
		case SortClicks:
			return cmp.Compare(x.Range.Clicks, y.Range.Clicks)
		case SortRatio:
			rx, hasX := x.Ratio()
			ry, hasY := y.Ratio()
			switch {
			case hasX && hasY:
				return rx.Cmp(ry)
			case hasX:
				return 1 // those without a ratio come first
			case hasY:
				return -1
			}
			return 0
		}
		return cmp.Compare(x.GrossProfit(), y.GrossProfit())
	}
	slices.SortStableFunc(all, func(a, b Participant) int {
		if p.Sort.Desc {
			return compare(b, a)
		}
		return compare(a, b)
	})
	out.Total = len(all)
	from := min(p.Offset(), len(all))
	out.Items = all[from:min(from+p.Limit(), len(all))]
	return out, nil
}
