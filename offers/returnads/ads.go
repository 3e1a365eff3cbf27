package returnads

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// View is a return ad as it is at an instant.
type View struct {
	Ad
	Advertiser affiliate.Advertiser
	Status     offers.Status
	Counts     Counts
	// Sales is what the affiliate link behind the ad brought. Its amounts are
	// minor units of the advertiser's currency.
	Sales stats.Figures
}

func views(ctx context.Context, tx Tx, now time.Time, ads []Ad) ([]View, error) {
	if len(ads) == 0 {
		return nil, nil
	}
	ids, advertiserIDs := make([]int64, len(ads)), make([]int64, len(ads))
	for i, a := range ads {
		ids[i], advertiserIDs[i] = a.ID, a.AdvertiserID
	}
	advertisers, err := idset.Index(ctx, tx.Advertisers().GetMany, advertiserIDs, func(a affiliate.Advertiser) int64 { return a.ID })
	if err != nil {
		return nil, err
	}
	counts, err := tx.ReturnAds().Counts(ctx, ids)
	if err != nil {
		return nil, err
	}
	sales, err := salesOf(ctx, tx, ads)
	out := make([]View, len(ads))
	for i, a := range ads {
		out[i] = View{a, advertisers[a.AdvertiserID], a.Status(now, counts[a.ID]), counts[a.ID], sales[a.LinkID]}
	}
	return out, err
}

// salesOf returns what the links behind the ads brought, by the id of the link.
func salesOf(ctx context.Context, tx Tx, ads []Ad) (map[int64]stats.Figures, error) {
	var linkIDs []int64
	for _, a := range ads {
		if a.LinkID != 0 {
			linkIDs = append(linkIDs, a.LinkID)
		}
	}
	if linkIDs = idset.Sorted(linkIDs); len(linkIDs) == 0 {
		return nil, nil
	}
	rows, err := tx.Stats().Sum(ctx, stats.Filter{LinkIDs: linkIDs}, stats.ByLink)
	out := make(map[int64]stats.Figures, len(rows))
	for _, row := range rows {
		out[row.LinkID] = row.Figures
	}
	return out, err
}

func view(ctx context.Context, tx Tx, now time.Time, a Ad) (View, error) {
	all, err := views(ctx, tx, now, []Ad{a})
	if err != nil {
		return View{}, err
	}
	return all[0], nil
}

// ownedAd returns an ad of an advertiser that the viewer acts for.
func (s *Service) ownedAd(ctx context.Context, tx Tx, id int64) (Ad, error) {
	a, err := tx.ReturnAds().Get(ctx, id)
	if err == nil && !s.viewer.ActsFor(a.AdvertiserID) {
		return Ad{}, affiliate.NotFound(resource, id)
	}
	return a, err
}

// checkAd checks that the viewer acts for the ad's advertiser, and sees the
// advertisers that it newly names: one that it does not see is an unknown one.
func (s *Service) checkAd(ctx context.Context, tx Tx, a, before Ad) error {
	var v affiliate.Validation
	v.Check(s.viewer.ActsFor(a.AdvertiserID), "advertiser_id", "unknown_reference", "must be the id of an existing store")
	named := slices.DeleteFunc(slices.Clone(a.AdvertiserIDs), func(id int64) bool { return slices.Contains(before.AdvertiserIDs, id) || s.viewer.ActsFor(id) })
	if len(named) > 0 {
		found, err := idset.Index(ctx, tx.Advertisers().GetMany, named, func(a affiliate.Advertiser) int64 { return a.ID })
		if err != nil {
			return err
		}
		for _, id := range named {
			if a, ok := found[id]; !ok || !a.Listed() {
				v.Check(false, "advertiser_ids", "unknown_reference", "must be the ids of existing stores")
				break
			}
		}
	}
	return v.Err(resource)
}

// Create adds a return ad (return-ad-create). Its ids are brought to
// ascending order.
func (s *Service) Create(ctx context.Context, a Ad) (View, error) {
	image, err := s.adopt(ctx, a.AdvertiserID, a.ImageKey)
	if err != nil {
		return View{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		if err := s.checkAd(ctx, tx, a, Ad{}); err != nil {
			return View{}, err
		}
		now := s.clock.Now()
		a := a
		a.ImageKey = image
		a.AdvertiserIDs, a.CategoryIDs = idset.Sorted(a.AdvertiserIDs), idset.Sorted(a.CategoryIDs)
		a.CreatedAt, a.UpdatedAt, a.PausedAt, a.DeletedAt = now, now, time.Time{}, time.Time{}
		a, err := tx.ReturnAds().Add(ctx, a)
		if err != nil {
			return View{}, err
		}
		if err := offers.UseImage(ctx, tx, a.AdvertiserID, "", a.ImageKey, now); err != nil {
			return View{}, err
		}
		if err := tx.Events().Add(ctx, EventCreated.On(a.ID, now).Of(a.AdvertiserID, 0)); err != nil {
			return View{}, err
		}
		return view(ctx, tx, now, a)
	})
}

// Update applies change to the ad as it is now, and may run it again;
// the id, the author and the times of creation, pause and deletion are not its
// to change (return-ad-update). A deleted one is ErrNotFound.
func (s *Service) Update(ctx context.Context, id int64, change func(*Ad)) (View, error) {
	image, err := s.imageOf(ctx, id, change)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, id, func(a *Ad, _ time.Time) {
		before := *a
		change(a)
		if a.ImageKey != before.ImageKey || a.AdvertiserID != before.AdvertiserID {
			a.ImageKey = image
		}
		a.AdvertiserIDs, a.CategoryIDs = idset.Sorted(a.AdvertiserIDs), idset.Sorted(a.CategoryIDs)
		a.ID, a.Author, a.CreatedAt, a.PausedAt, a.DeletedAt = before.ID, before.Author, before.CreatedAt, before.PausedAt, before.DeletedAt
	})
}

// imageOf returns the image that a change gives to an ad, adopted. That is done
// before the unit, because it reads and copies files.
func (s *Service) imageOf(ctx context.Context, id int64, change func(*Ad)) (string, error) {
	v, err := s.Get(ctx, id)
	if err != nil {
		return "", err
	}
	a := v.Ad
	a.AdvertiserIDs, a.CategoryIDs, a.Styles = slices.Clone(a.AdvertiserIDs), slices.Clone(a.CategoryIDs), slices.Clone(a.Styles)
	change(&a)
	if a.ImageKey == v.ImageKey && a.AdvertiserID == v.AdvertiserID {
		return a.ImageKey, nil
	}
	return s.adopt(ctx, a.AdvertiserID, a.ImageKey)
}

// adopt leaves the image of an advertiser that the viewer does not act for: the
// unit refuses the ad.
func (s *Service) adopt(ctx context.Context, advertiserID int64, key string) (string, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return key, nil
	}
	return s.images.Adopt(ctx, advertiserID, key)
}

func (s *Service) change(ctx context.Context, id int64, apply func(a *Ad, now time.Time)) (View, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		now := s.clock.Now()
		a, err := s.ownedAd(ctx, tx, id)
		if err != nil {
			return View{}, err
		}
		if !a.DeletedAt.IsZero() {
			return View{}, affiliate.NotFound(resource, id)
		}
		before := a
		apply(&a, now)
		if err := s.checkAd(ctx, tx, a, before); err != nil {
			return View{}, err
		}
		a.UpdatedAt = now
		if err := tx.ReturnAds().Update(ctx, a); err != nil {
			return View{}, err
		}
		kind, image := EventUpdated, a.ImageKey
		if !a.DeletedAt.IsZero() {
			kind, image = EventDeleted, ""
		}
		if err := offers.UseImage(ctx, tx, before.AdvertiserID, before.ImageKey, image, now); err != nil {
			return View{}, err
		}
		if err := tx.Events().Add(ctx, kind.On(id, now).Of(a.AdvertiserID, 0)); err != nil {
			return View{}, err
		}
		return view(ctx, tx, now, a)
	})
}

// Delete ends an ad for good (return-ad-delete).
func (s *Service) Delete(ctx context.Context, id int64) error {
	_, err := s.change(ctx, id, func(a *Ad, now time.Time) { a.DeletedAt = now })
	return err
}

// Pause stops an ad until Unpause; again changes nothing (return-ad-pause).
func (s *Service) Pause(ctx context.Context, id int64) (View, error) {
	return s.change(ctx, id, func(a *Ad, now time.Time) {
		if a.PausedAt.IsZero() {
			a.PausedAt = now
		}
	})
}

// Unpause undoes Pause (return-ad-unpause).
func (s *Service) Unpause(ctx context.Context, id int64) (View, error) {
	return s.change(ctx, id, func(a *Ad, _ time.Time) { a.PausedAt = time.Time{} })
}

// Get returns one ad, deleted ones as well (return-ad-get).
func (s *Service) Get(ctx context.Context, id int64) (View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		a, err := s.ownedAd(ctx, tx, id)
		if err != nil {
			return View{}, err
		}
		return view(ctx, tx, s.clock.Now(), a)
	})
}

// The columns that List sorts by beside those of Filter.
const (
	SortOrderCount     = "order_count"
	SortOrderValue     = "order_value"
	SortEarnings       = "earnings"
	SortConversionRate = "conversion_rate"
)

// List lists return ads at this instant (return-ads-list): the filter's At
// is set here. Sorted by one of the columns above, its cost grows with the ads
// that the filter leaves.
func (s *Service) List(ctx context.Context, f Filter, p affiliate.PageRequest) (affiliate.Page[View], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[View], error) {
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
					return affiliate.Page[View]{}, err
				}
			}
		}
		return list(ctx, tx, f, p)
	})
}

func list(ctx context.Context, tx Tx, f Filter, p affiliate.PageRequest) (affiliate.Page[View], error) {
	if key := salesColumns[p.Sort.Column]; key != nil {
		return listBy(ctx, tx, f, p, key)
	}
	page, err := tx.ReturnAds().List(ctx, f, p)
	if err != nil {
		return affiliate.Page[View]{}, err
	}
	items, err := views(ctx, tx, f.At, page.Items)
	return affiliate.Page[View]{Items: items, Total: page.Total}, err
}

// salesColumns are what ads sort by beyond what is kept with them.
var salesColumns = map[string]func(View) int64{
	SortOrderCount:     func(v View) int64 { return v.Sales.Orders },
	SortOrderValue:     func(v View) int64 { return v.Sales.OrderValue },
	SortEarnings:       func(v View) int64 { return v.Sales.Earnings() },
	SortConversionRate: func(v View) int64 { return v.Counts.ConversionRate(v.Sales.Orders) },
}

// listBy is a page of all ads that the filter leaves, in the order of a key.
func listBy(ctx context.Context, tx Tx, f Filter, p affiliate.PageRequest, key func(View) int64) (out affiliate.Page[View], err error) {
	if err := (affiliate.PageRequest{Number: p.Number, Size: p.Size}).Validate(); err != nil {
		return out, err
	}
	var all []View
	for n := 1; ; n++ {
		page, err := tx.ReturnAds().List(ctx, f, affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize})
		if err != nil {
			return out, err
		}
		views, err := views(ctx, tx, f.At, page.Items)
		if err != nil {
			return out, err
		}
		all = append(all, views...)
		if len(all) >= page.Total || len(page.Items) == 0 {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b View) int {
		if p.Sort.Desc {
			a, b = b, a
		}
		return cmp.Compare(key(a), key(b))
	})
	from := min(p.Offset(), len(all))
	return affiliate.Page[View]{Items: all[from:min(from+p.Size, len(all))], Total: len(all)}, nil
}

// ShownAt returns the ads that run now and are shown at the advertiser,
// by ascending id, at most affiliate.MaxPageSize (advertiser-return-ads-list).
func (s *Service) ShownAt(ctx context.Context, advertiserID int64) ([]View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]View, error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return nil, err
		}
		f := Filter{ShownAt: a.ID, ShownAtCategories: a.CategoryIDs, Statuses: []offers.Status{offers.Active}, At: s.clock.Now()}
		page, err := list(ctx, tx, f, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
		return page.Items, err
	})
}

// CountView counts that the ad was shown at an advertiser (0: nobody
// told at which), unless it is not active, or not for that advertiser's
// customers: then it returns false and counts nothing. No limit is ever passed.
func (s *Service) CountView(ctx context.Context, id, atAdvertiserID int64) (bool, error) {
	return s.count(ctx, id, atAdvertiserID, stats.AdViewed, Counts{Views: 1})
}

// CountClick counts that the ad was followed, as CountView does.
func (s *Service) CountClick(ctx context.Context, id, atAdvertiserID int64) (bool, error) {
	return s.count(ctx, id, atAdvertiserID, stats.AdClicked, Counts{Clicks: 1})
}

func (s *Service) count(ctx context.Context, id, atAdvertiserID int64, kind stats.Kind, add Counts) (bool, error) {
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
		used, err := tx.ReturnAds().Count(ctx, id, Counts{}) // locks it
		if err != nil {
			return false, err
		}
		now := s.clock.Now()
		if a.Status(now, used) != offers.Active || !shown {
			return false, nil
		}
		if _, err = tx.ReturnAds().Count(ctx, id, add); err != nil {
			return false, err
		}
		owner, err := tx.Advertisers().Get(ctx, a.AdvertiserID)
		if err != nil {
			return false, err
		}
		return true, stats.Record(ctx, tx, stats.Fact{Kind: kind, Day: stats.DayOf(now, &owner), AdvertiserID: a.AdvertiserID, AdID: id})
	})
}
