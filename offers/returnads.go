package offers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// ReturnAdView is a return ad as it is at an instant.
type ReturnAdView struct {
	ReturnAd
	Advertiser affiliate.Advertiser
	Status     Status
	Counts     ReturnAdCounts
	// Sales is what the affiliate link behind the ad brought. Its amounts are
	// minor units of the advertiser's currency.
	Sales stats.Figures
}

func returnAdViews(ctx context.Context, tx Tx, now time.Time, ads []ReturnAd) ([]ReturnAdView, error) {
	if len(ads) == 0 {
		return nil, nil
	}
	ids, advertiserIDs := make([]int64, len(ads)), make([]int64, len(ads))
	for i, a := range ads {
		ids[i], advertiserIDs[i] = a.ID, a.AdvertiserID
	}
	advertisers, err := affiliate.Indexed(ctx, tx.Advertisers().GetMany, advertiserIDs, func(a affiliate.Advertiser) int64 { return a.ID })
	if err != nil {
		return nil, err
	}
	counts, err := tx.ReturnAds().Counts(ctx, ids)
	if err != nil {
		return nil, err
	}
	sales, err := salesOf(ctx, tx, ads)
	out := make([]ReturnAdView, len(ads))
	for i, a := range ads {
		out[i] = ReturnAdView{a, advertisers[a.AdvertiserID], a.Status(now, counts[a.ID]), counts[a.ID], sales[a.LinkID]}
	}
	return out, err
}

// salesOf returns what the links behind the ads brought, by the id of the link.
func salesOf(ctx context.Context, tx Tx, ads []ReturnAd) (map[int64]stats.Figures, error) {
	var linkIDs []int64
	for _, a := range ads {
		if a.LinkID != 0 {
			linkIDs = append(linkIDs, a.LinkID)
		}
	}
	if linkIDs = affiliate.SortedIDs(linkIDs); len(linkIDs) == 0 {
		return nil, nil
	}
	rows, err := tx.Stats().Sum(ctx, stats.Filter{LinkIDs: linkIDs}, stats.ByLink)
	out := make(map[int64]stats.Figures, len(rows))
	for _, row := range rows {
		out[row.LinkID] = row.Figures
	}
	return out, err
}

func returnAdView(ctx context.Context, tx Tx, now time.Time, a ReturnAd) (ReturnAdView, error) {
	all, err := returnAdViews(ctx, tx, now, []ReturnAd{a})
	if err != nil {
		return ReturnAdView{}, err
	}
	return all[0], nil
}

// ownedAd returns an ad of an advertiser that the viewer acts for.
func (s *Service) ownedAd(ctx context.Context, tx Tx, id int64) (ReturnAd, error) {
	a, err := tx.ReturnAds().Get(ctx, id)
	if err == nil && !s.viewer.ActsFor(a.AdvertiserID) {
		return ReturnAd{}, affiliate.NotFound("return_ad", id)
	}
	return a, err
}

// checkAd checks that the viewer acts for the ad's advertiser, and sees the
// advertisers that it newly names: one that it does not see is an unknown one.
func (s *Service) checkAd(ctx context.Context, tx Tx, a, before ReturnAd) error {
	var v affiliate.Validation
	v.Check(s.viewer.ActsFor(a.AdvertiserID), "advertiser_id", "unknown_reference", "must be the id of an existing store")
	named := slices.DeleteFunc(slices.Clone(a.AdvertiserIDs), func(id int64) bool { return slices.Contains(before.AdvertiserIDs, id) || s.viewer.ActsFor(id) })
	if len(named) > 0 {
		found, err := affiliate.Indexed(ctx, tx.Advertisers().GetMany, named, func(a affiliate.Advertiser) int64 { return a.ID })
		if err != nil {
			return err
		}
		for _, id := range named {
			if a, ok := found[id]; !ok || !shown(a) {
				v.Check(false, "advertiser_ids", "unknown_reference", "must be the ids of existing stores")
				break
			}
		}
	}
	return v.Err("return_ad")
}

// CreateReturnAd adds a return ad (return-ad-create). Its ids are brought to
// ascending order.
func (s *Service) CreateReturnAd(ctx context.Context, a ReturnAd) (ReturnAdView, error) {
	image, err := s.adopt(ctx, a.ImageKey)
	if err != nil {
		return ReturnAdView{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ReturnAdView, error) {
		if err := s.checkAd(ctx, tx, a, ReturnAd{}); err != nil {
			return ReturnAdView{}, err
		}
		now := s.clock.Now()
		a := a
		a.ImageKey = image
		a.AdvertiserIDs, a.CategoryIDs = affiliate.SortedIDs(a.AdvertiserIDs), affiliate.SortedIDs(a.CategoryIDs)
		a.CreatedAt, a.UpdatedAt, a.PausedAt, a.DeletedAt = now, now, time.Time{}, time.Time{}
		a, err := tx.ReturnAds().Add(ctx, a)
		if err != nil {
			return ReturnAdView{}, err
		}
		if err := tx.Events().Add(ctx, EventReturnAdCreated.On(a.ID, now).Of(a.AdvertiserID, 0)); err != nil {
			return ReturnAdView{}, err
		}
		return returnAdView(ctx, tx, now, a)
	})
}

// UpdateReturnAd applies change to the ad as it is now, and may run it again;
// the id, the author and the times of creation, pause and deletion are not its
// to change (return-ad-update). A deleted one is ErrNotFound.
func (s *Service) UpdateReturnAd(ctx context.Context, id int64, change func(*ReturnAd)) (ReturnAdView, error) {
	image, err := s.imageOf(ctx, id, change)
	if err != nil {
		return ReturnAdView{}, err
	}
	return s.changeReturnAd(ctx, id, func(a *ReturnAd, _ time.Time) {
		before := *a
		change(a)
		if a.ImageKey != before.ImageKey {
			a.ImageKey = image
		}
		a.AdvertiserIDs, a.CategoryIDs = affiliate.SortedIDs(a.AdvertiserIDs), affiliate.SortedIDs(a.CategoryIDs)
		a.ID, a.Author, a.CreatedAt, a.PausedAt, a.DeletedAt = before.ID, before.Author, before.CreatedAt, before.PausedAt, before.DeletedAt
	})
}

// imageOf returns the image that a change gives to an ad, adopted. That is done
// before the unit, because it reads and copies files.
func (s *Service) imageOf(ctx context.Context, id int64, change func(*ReturnAd)) (string, error) {
	v, err := s.ReturnAd(ctx, id)
	if err != nil {
		return "", err
	}
	a := v.ReturnAd
	a.AdvertiserIDs, a.CategoryIDs, a.Styles = slices.Clone(a.AdvertiserIDs), slices.Clone(a.CategoryIDs), slices.Clone(a.Styles)
	change(&a)
	if a.ImageKey == v.ImageKey {
		return a.ImageKey, nil
	}
	return s.adopt(ctx, a.ImageKey)
}

func (s *Service) changeReturnAd(ctx context.Context, id int64, change func(a *ReturnAd, now time.Time)) (ReturnAdView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ReturnAdView, error) {
		now := s.clock.Now()
		a, err := s.ownedAd(ctx, tx, id)
		if err != nil {
			return ReturnAdView{}, err
		}
		if !a.DeletedAt.IsZero() {
			return ReturnAdView{}, affiliate.NotFound("return_ad", id)
		}
		before := a
		change(&a, now)
		if err := s.checkAd(ctx, tx, a, before); err != nil {
			return ReturnAdView{}, err
		}
		a.UpdatedAt = now
		if err := tx.ReturnAds().Update(ctx, a); err != nil {
			return ReturnAdView{}, err
		}
		kind := EventReturnAdUpdated
		if !a.DeletedAt.IsZero() {
			kind = EventReturnAdDeleted
		}
		if err := tx.Events().Add(ctx, kind.On(id, now).Of(a.AdvertiserID, 0)); err != nil {
			return ReturnAdView{}, err
		}
		return returnAdView(ctx, tx, now, a)
	})
}

// DeleteReturnAd ends an ad for good (return-ad-delete).
func (s *Service) DeleteReturnAd(ctx context.Context, id int64) error {
	_, err := s.changeReturnAd(ctx, id, func(a *ReturnAd, now time.Time) { a.DeletedAt = now })
	return err
}

// PauseReturnAd stops an ad until UnpauseReturnAd; again changes nothing (return-ad-pause).
func (s *Service) PauseReturnAd(ctx context.Context, id int64) (ReturnAdView, error) {
	return s.changeReturnAd(ctx, id, func(a *ReturnAd, now time.Time) {
		if a.PausedAt.IsZero() {
			a.PausedAt = now
		}
	})
}

// UnpauseReturnAd undoes PauseReturnAd (return-ad-unpause).
func (s *Service) UnpauseReturnAd(ctx context.Context, id int64) (ReturnAdView, error) {
	return s.changeReturnAd(ctx, id, func(a *ReturnAd, _ time.Time) { a.PausedAt = time.Time{} })
}

// ReturnAd returns one ad, deleted ones as well (return-ad-get).
func (s *Service) ReturnAd(ctx context.Context, id int64) (ReturnAdView, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (ReturnAdView, error) {
		a, err := s.ownedAd(ctx, tx, id)
		if err != nil {
			return ReturnAdView{}, err
		}
		return returnAdView(ctx, tx, s.clock.Now(), a)
	})
}

// The columns that ReturnAds sorts by beside those of ReturnAdFilter.
const (
	SortOrderCount     = "order_count"
	SortOrderValue     = "order_value"
	SortEarnings       = "earnings"
	SortConversionRate = "conversion_rate"
)

// ReturnAds lists return ads at this instant (return-ads-list): the filter's At
// is set here. Sorted by one of the columns above, its cost grows with the ads
// that the filter leaves.
func (s *Service) ReturnAds(ctx context.Context, f ReturnAdFilter, p affiliate.PageRequest) (affiliate.Page[ReturnAdView], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[ReturnAdView], error) {
		f := f
		f.At = s.clock.Now()
		if !s.viewer.IsOperator() {
			f.AdvertiserIDs = slices.DeleteFunc(slices.Clone(s.viewer.Principal().AdvertiserIDs), func(id int64) bool {
				return f.AdvertiserIDs != nil && !slices.Contains(f.AdvertiserIDs, id)
			})
			if f.AdvertiserIDs == nil {
				f.AdvertiserIDs = []int64{}
			}
			if f.OrID != 0 { // it goes around the other fields, and must not go around this
				if _, err := s.ownedAd(ctx, tx, f.OrID); affiliate.IsNotFound(err) {
					f.OrID = 0
				} else if err != nil {
					return affiliate.Page[ReturnAdView]{}, err
				}
			}
		}
		return listReturnAds(ctx, tx, f, p)
	})
}

func listReturnAds(ctx context.Context, tx Tx, f ReturnAdFilter, p affiliate.PageRequest) (affiliate.Page[ReturnAdView], error) {
	if key := salesColumns[p.Sort.Column]; key != nil {
		return returnAdsBy(ctx, tx, f, p, key)
	}
	page, err := tx.ReturnAds().List(ctx, f, p)
	if err != nil {
		return affiliate.Page[ReturnAdView]{}, err
	}
	items, err := returnAdViews(ctx, tx, f.At, page.Items)
	return affiliate.Page[ReturnAdView]{Items: items, Total: page.Total}, err
}

// salesColumns are what ads sort by beyond what is kept with them.
var salesColumns = map[string]func(ReturnAdView) int64{
	SortOrderCount:     func(v ReturnAdView) int64 { return v.Sales.Orders },
	SortOrderValue:     func(v ReturnAdView) int64 { return v.Sales.OrderValue },
	SortEarnings:       func(v ReturnAdView) int64 { return v.Sales.Earnings() },
	SortConversionRate: func(v ReturnAdView) int64 { return v.Counts.ConversionRate(v.Sales.Orders) },
}

// returnAdsBy is a page of all ads that the filter leaves, in the order of a key.
func returnAdsBy(ctx context.Context, tx Tx, f ReturnAdFilter, p affiliate.PageRequest, key func(ReturnAdView) int64) (out affiliate.Page[ReturnAdView], err error) {
	if err := (affiliate.PageRequest{Number: p.Number, Size: p.Size}).Validate(); err != nil {
		return out, err
	}
	var all []ReturnAdView
	for n := 1; ; n++ {
		page, err := tx.ReturnAds().List(ctx, f, affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize})
		if err != nil {
			return out, err
		}
		views, err := returnAdViews(ctx, tx, f.At, page.Items)
		if err != nil {
			return out, err
		}
		all = append(all, views...)
		if len(all) >= page.Total || len(page.Items) == 0 {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b ReturnAdView) int {
		if p.Sort.Desc {
			a, b = b, a
		}
		return cmp.Compare(key(a), key(b))
	})
	from := min(p.Offset(), len(all))
	return affiliate.Page[ReturnAdView]{Items: all[from:min(from+p.Size, len(all))], Total: len(all)}, nil
}

// ReturnAdsFor returns the ads that run now and are shown at the advertiser,
// by ascending id, at most affiliate.MaxPageSize (advertiser-return-ads-list).
func (s *Service) ReturnAdsFor(ctx context.Context, advertiserID int64) ([]ReturnAdView, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]ReturnAdView, error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return nil, err
		}
		f := ReturnAdFilter{ShownAt: a.ID, ShownAtCategories: a.CategoryIDs, Statuses: []Status{Active}, At: s.clock.Now()}
		page, err := listReturnAds(ctx, tx, f, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
		return page.Items, err
	})
}

// CountReturnAdView counts that the ad was shown at an advertiser (0: nobody
// told at which), unless it is not active, or not for that advertiser's
// customers: then it returns false and counts nothing. No limit is ever passed.
func (s *Service) CountReturnAdView(ctx context.Context, id, atAdvertiserID int64) (bool, error) {
	return s.countReturnAd(ctx, id, atAdvertiserID, stats.AdViewed, ReturnAdCounts{Views: 1})
}

// CountReturnAdClick counts that the ad was followed, as CountReturnAdView does.
func (s *Service) CountReturnAdClick(ctx context.Context, id, atAdvertiserID int64) (bool, error) {
	return s.countReturnAd(ctx, id, atAdvertiserID, stats.AdClicked, ReturnAdCounts{Clicks: 1})
}

func (s *Service) countReturnAd(ctx context.Context, id, atAdvertiserID int64, kind stats.Kind, add ReturnAdCounts) (bool, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (bool, error) {
		a, err := tx.ReturnAds().Get(ctx, id)
		if err != nil {
			return false, err
		}
		shown := true
		if atAdvertiserID != 0 {
			at, err := tx.Advertisers().Get(ctx, atAdvertiserID)
			if err != nil {
				return false, err
			}
			shown = a.ShownAt(at)
		}
		used, err := tx.ReturnAds().Count(ctx, id, ReturnAdCounts{}) // locks it
		if err != nil {
			return false, err
		}
		now := s.clock.Now()
		if a.Status(now, used) != Active || !shown {
			return false, nil
		}
		if _, err = tx.ReturnAds().Count(ctx, id, add); err != nil {
			return false, err
		}
		return true, stats.Record(ctx, tx, stats.Event{Kind: kind, Day: stats.DayOf(now, nil), AdvertiserID: a.AdvertiserID, AdID: id})
	})
}
