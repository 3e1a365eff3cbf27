package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// returnAdRow is an ad with its counts.
type returnAdRow struct {
	offers.ReturnAd
	counts offers.ReturnAdCounts
}

type returnAdTable struct{ *table[returnAdRow] }

func copyReturnAd(id uint32, a *returnAdRow) offers.ReturnAd {
	c := a.ReturnAd
	c.ID = int64(id)
	c.AdvertiserIDs, c.CategoryIDs, c.Styles = copied(a.AdvertiserIDs), copied(a.CategoryIDs), copied(a.Styles)
	return c
}

func keptReturnAd(a offers.ReturnAd) offers.ReturnAd {
	a = copyReturnAd(0, &returnAdRow{ReturnAd: a})
	for _, t := range []*time.Time{&a.StartsAt, &a.EndsAt, &a.CreatedAt, &a.UpdatedAt, &a.PausedAt, &a.DeletedAt} {
		*t = kept(*t)
	}
	return a
}

var returnAdColumns = columns[returnAdRow]{
	"name":               text(func(a *returnAdRow) string { return a.Name }),
	"created_at":         number(func(a *returnAdRow) int64 { return a.CreatedAt.UnixMicro() }),
	"starts_at":          number(func(a *returnAdRow) int64 { return a.StartsAt.UnixMicro() }),
	"ends_at":            number(func(a *returnAdRow) int64 { return a.EndsAt.UnixMicro() }),
	"current_views":      number(func(a *returnAdRow) int64 { return a.counts.Views }),
	"current_clicks":     number(func(a *returnAdRow) int64 { return a.counts.Clicks }),
	"click_through_rate": number(func(a *returnAdRow) int64 { return a.counts.ClickThroughRate() }),
}

type returnAds struct{ u *unit }

func (r returnAds) check(a *offers.ReturnAd) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.advertisers.knows(a.AdvertiserID), "advertiser_id")
	f.refers(core.groups.knowsOr0(a.AdvertiserGroupID), "advertiser_group_id")
	f.refers(core.advertisers.knowsAll(a.AdvertiserIDs), "advertiser_ids")
	f.refers(core.categories.knowsAll(a.CategoryIDs), "advertiser_category_ids")
	f.refers(core.users.knowsOr0(a.Author.UserID), "author")
	return f.err("return_ad")
}

func (r returnAds) Add(ctx context.Context, a offers.ReturnAd) (offers.ReturnAd, error) {
	if err := r.u.change(ctx); err != nil {
		return offers.ReturnAd{}, err
	}
	if err := a.Validate(); err != nil {
		return offers.ReturnAd{}, r.u.fail(err)
	}
	if err := r.check(&a); err != nil {
		return offers.ReturnAd{}, r.u.fail(err)
	}
	t := r.u.db.offers.ads
	id, err := t.insert(r.u, returnAdRow{ReturnAd: keptReturnAd(a)})
	if err != nil {
		return offers.ReturnAd{}, r.u.fail(err)
	}
	return copyReturnAd(id, t.at(id)), nil
}

func (r returnAds) Get(ctx context.Context, id int64) (offers.ReturnAd, error) {
	return getRow(ctx, r.u, r.u.db.offers.ads.table, "return_ad", id, copyReturnAd)
}

func (r returnAds) Update(ctx context.Context, a offers.ReturnAd) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	if err := a.Validate(); err != nil {
		return r.u.fail(err)
	}
	t := r.u.db.offers.ads
	id, ok := t.find(a.ID)
	if !ok {
		return r.u.fail(affiliate.NotFound("return_ad", a.ID))
	}
	if err := r.check(&a); err != nil {
		return r.u.fail(err)
	}
	t.replace(r.u, id, returnAdRow{keptReturnAd(a), t.at(id).counts})
	return nil
}

func (r returnAds) List(ctx context.Context, f offers.ReturnAdFilter, p affiliate.PageRequest) (affiliate.Page[offers.ReturnAd], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[offers.ReturnAd]{}, err
	}
	groups, advertisers := setOf(f.AdvertiserGroupIDs), setOf(f.AdvertiserIDs)
	s := everything[returnAdRow]()
	s.keep = func(id uint32, a *returnAdRow) bool {
		if f.OrID != 0 && f.OrID == int64(id) {
			return true
		}
		return (f.Query == "" || isID(f.Query, id) || matches(a.Name, f.Query)) &&
			(f.AdvertiserGroupIDs == nil || groups[a.AdvertiserGroupID]) && (f.AdvertiserIDs == nil || advertisers[a.AdvertiserID]) &&
			(f.CreatedBy == 0 || f.CreatedBy == a.Author.UserID) &&
			(f.Statuses == nil || slices.Contains(f.Statuses, a.Status(f.At, a.counts))) &&
			(f.ShownAt == 0 || a.ShownAt(affiliate.Advertiser{ID: f.ShownAt, CategoryIDs: f.ShownAtCategories}))
	}
	return page(r.u, r.u.db.offers.ads.table, s, p, returnAdColumns, copyReturnAd)
}

func (r returnAds) Counts(ctx context.Context, ids []int64) (map[int64]offers.ReturnAdCounts, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.ads
	out := map[int64]offers.ReturnAdCounts{}
	for _, id := range t.among(ids) {
		out[int64(id)] = t.at(id).counts
	}
	return out, nil
}

func (r returnAds) Count(ctx context.Context, id int64, n offers.ReturnAdCounts) (offers.ReturnAdCounts, error) {
	if err := r.u.change(ctx); err != nil {
		return offers.ReturnAdCounts{}, err
	}
	t := r.u.db.offers.ads
	row, ok := t.find(id)
	if !ok {
		return offers.ReturnAdCounts{}, r.u.fail(affiliate.NotFound("return_ad", id))
	}
	c := &t.touch(r.u, row).counts
	if !addTo(&c.Views, n.Views) || !addTo(&c.Clicks, n.Clicks) {
		return offers.ReturnAdCounts{}, r.u.fail(overflow("return_ad"))
	}
	return *c, nil
}
