package links

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// CategoryAdvertisers are the advertisers of a category.
type CategoryAdvertisers struct {
	Category    affiliate.Category
	Advertisers []affiliate.Advertiser // by ascending id
}

// VisibleByCategory returns the advertisers that a creator sees, by category in
// ascending order of its id (user-stores-by-categories). A category without
// such an advertiser is left out, and so is an advertiser without a category.
func (s *Service) VisibleByCategory(ctx context.Context, userID int64) ([]CategoryAdvertisers, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]CategoryAdvertisers, error) {
		categories, err := tx.Categories().All(ctx)
		if err != nil {
			return nil, err
		}
		byCategory := make(map[int64][]affiliate.Advertiser)
		err = s.eachVisible(ctx, tx, userID, func(a affiliate.Advertiser) {
			for _, id := range a.CategoryIDs {
				byCategory[id] = append(byCategory[id], a)
			}
		})
		var out []CategoryAdvertisers
		for _, c := range categories {
			if in := byCategory[c.ID]; len(in) > 0 {
				out = append(out, CategoryAdvertisers{c, in})
			}
		}
		return out, err
	})
}

// RankedAdvertiser is an advertiser with its valid clicks.
type RankedAdvertiser struct {
	Advertiser affiliate.Advertiser
	Clicks     int64 // valid ones of all creators
}

// rankedDays is how many days, today included, a ranking counts.
const rankedDays = 30

// VisibleByClicks returns the advertisers that a creator sees, those with the
// most valid clicks of the last 30 days first, ties by ascending id
// (user-stores-by-toplist). The clicks are those of all creators.
func (s *Service) VisibleByClicks(ctx context.Context, userID int64) ([]RankedAdvertiser, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]RankedAdvertiser, error) {
		var ranked []RankedAdvertiser
		if err := s.eachVisible(ctx, tx, userID, func(a affiliate.Advertiser) {
			ranked = append(ranked, RankedAdvertiser{Advertiser: a})
		}); err != nil {
			return nil, err
		}
		rows, err := tx.Stats().Sum(ctx, s.lastDays(), stats.ByAdvertiser)
		if err != nil {
			return nil, err
		}
		clicks := make(map[int64]int64, len(rows))
		for _, row := range rows {
			clicks[row.AdvertiserID] = row.Clicks
		}
		for i, r := range ranked {
			ranked[i].Clicks = clicks[r.Advertiser.ID]
		}
		slices.SortStableFunc(ranked, func(a, b RankedAdvertiser) int { return cmp.Compare(b.Clicks, a.Clicks) })
		return ranked, nil
	})
}

// eachVisible calls found with the advertisers that a creator sees, by ascending
// id, a thousand in one read.
func (s *Service) eachVisible(ctx context.Context, tx Tx, userID int64, found func(affiliate.Advertiser)) error {
	if _, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID); err != nil {
		return err
	}
	f, err := visibleTo(ctx, tx, userID, affiliate.AdvertiserFilter{})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		page, err := tx.Advertisers().List(ctx, f, affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize})
		if err != nil {
			return err
		}
		for _, a := range page.Items {
			found(a)
		}
		if n*affiliate.MaxPageSize >= page.Total {
			return nil
		}
	}
}

// visibleTo narrows a filter to the advertisers that a creator sees: active, not
// hidden, and not keeping the creator away.
func visibleTo(ctx context.Context, tx Tx, userID int64, f affiliate.AdvertiserFilter) (affiliate.AdvertiserFilter, error) {
	u, err := tx.Users().Get(ctx, userID)
	if err != nil {
		return f, err
	}
	keptFrom, err := affiliate.AdvertisersBlocking(ctx, tx, u, nil)
	f.Status, f.Hidden = affiliate.AdvertiserActive, affiliate.Some(false)
	f.Excluded = slices.Clone(f.Excluded)
	for id := range keptFrom {
		f.Excluded = append(f.Excluded, id)
	}
	return f, err
}

// lastDays chooses the roll-ups of the last 30 days, today included; at some
// advertisers it is tomorrow already.
func (s *Service) lastDays() stats.Filter {
	tomorrow := DayOf(s.clock.Now()).AddDate(0, 0, 1)
	return stats.Filter{From: tomorrow.AddDate(0, 0, -rankedDays), Until: tomorrow.AddDate(0, 0, 1)}
}

// CreatorTotals is what the links of a creator brought in the last 30 days.
type CreatorTotals struct {
	Clicks int64 // valid ones
	Orders int64 // paid ones
	Cost   int64 // of both, in minor units, of all currencies together
}

// TotalsOf returns what the links of the creators brought in the last 30 days,
// by user; a creator without any is left out.
func (s *Service) TotalsOf(ctx context.Context, userIDs []int64) (map[int64]CreatorTotals, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (map[int64]CreatorTotals, error) {
		f := s.lastDays()
		f.UserIDs = append([]int64{}, idset.Sorted(userIDs)...) // nil would choose all
		rows, err := tx.Stats().Sum(ctx, f, stats.ByUser)
		totals := make(map[int64]CreatorTotals, len(rows))
		for _, row := range rows {
			totals[row.UserID] = CreatorTotals{Clicks: row.Clicks, Orders: row.Orders, Cost: row.Cost()}
		}
		return totals, err
	})
}

// LinksCreated returns how many links each of the creators has made for an
// advertiser from from and before until (zero: no bound), deleted ones too.
// ErrNotFound unless the viewer acts for the advertiser.
func (s *Service) LinksCreated(ctx context.Context, advertiserID int64, userIDs []int64, from, until time.Time) (map[int64]int64, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return nil, affiliate.NotFound("advertiser", advertiserID)
	}
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (map[int64]int64, error) {
		return tx.Links().CountByUsers(ctx, advertiserID, userIDs, from, until)
	})
}
