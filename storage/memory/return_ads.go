package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// returnAdRow is an ad with its counts.
type returnAdRow struct {
	returnads.Ad
	counts returnads.Counts
}

type returnAdTable struct{ *engine.Table[returnAdRow] }

func copyReturnAd(_ uint32, a *returnAdRow) returnads.Ad {
	c := a.Ad
	c.AdvertiserIDs, c.CategoryIDs, c.Styles = engine.Copied(a.AdvertiserIDs), engine.Copied(a.CategoryIDs), engine.Copied(a.Styles)
	return c
}

func keptReturnAd(a returnads.Ad) returnads.Ad {
	a = copyReturnAd(0, &returnAdRow{Ad: a})
	for _, t := range []*time.Time{&a.StartsAt, &a.EndsAt, &a.CreatedAt, &a.UpdatedAt, &a.PausedAt, &a.DeletedAt} {
		*t = engine.Kept(*t)
	}
	return a
}

var returnAdColumns = engine.Columns[returnAdRow]{
	"name":               engine.Text(func(a *returnAdRow) string { return a.Name }),
	"created_at":         engine.Number(func(a *returnAdRow) int64 { return a.CreatedAt.UnixMicro() }),
	"starts_at":          engine.Number(func(a *returnAdRow) int64 { return a.StartsAt.UnixMicro() }),
	"ends_at":            engine.Number(func(a *returnAdRow) int64 { return a.EndsAt.UnixMicro() }),
	"current_views":      engine.Number(func(a *returnAdRow) int64 { return a.counts.Views }),
	"current_clicks":     engine.Number(func(a *returnAdRow) int64 { return a.counts.Clicks }),
	"click_through_rate": engine.Number(func(a *returnAdRow) int64 { return a.counts.ClickThroughRate() }),
}

type returnAds struct{ u *unit }

func (r returnAds) check(a *returnads.Ad) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.advertisers.Knows(a.AdvertiserID), "advertiser_id")
	f.Refers(core.groups.KnowsOr0(a.AdvertiserGroupID), "advertiser_group_id")
	f.Refers(core.advertisers.KnowsAll(a.AdvertiserIDs), "advertiser_ids")
	f.Refers(core.categories.KnowsAll(a.CategoryIDs), "advertiser_category_ids")
	f.Refers(core.users.KnowsOr0(a.Author.UserID), "author")
	return f.Err("return_ad")
}

func (r returnAds) Add(ctx context.Context, a returnads.Ad) (returnads.Ad, error) {
	if err := r.u.Change(ctx); err != nil {
		return returnads.Ad{}, err
	}
	if err := a.Validate(); err != nil {
		return returnads.Ad{}, r.u.Fail(err)
	}
	if err := r.check(&a); err != nil {
		return returnads.Ad{}, r.u.Fail(err)
	}
	t := r.u.db.offers.ads
	a.ID = int64(t.Last()) + 1
	id, err := t.Insert(returnAdRow{Ad: keptReturnAd(a)})
	if err != nil {
		return returnads.Ad{}, r.u.Fail(err)
	}
	return copyReturnAd(id, t.At(id)), nil
}

func (r returnAds) Get(ctx context.Context, id int64) (returnads.Ad, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.ads.Table, "return_ad", id, copyReturnAd)
}

func (r returnAds) Update(ctx context.Context, a returnads.Ad) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := a.Validate(); err != nil {
		return r.u.Fail(err)
	}
	t := r.u.db.offers.ads
	id, ok := t.Find(a.ID)
	if !ok {
		return r.u.Fail(affiliate.NotFound("return_ad", a.ID))
	}
	if err := r.check(&a); err != nil {
		return r.u.Fail(err)
	}
	t.Replace(id, returnAdRow{keptReturnAd(a), t.At(id).counts})
	return nil
}

func (r returnAds) List(ctx context.Context, f returnads.Filter, p affiliate.PageRequest) (affiliate.Page[returnads.Ad], error) {
	type E = returnAdRow
	return engine.List(ctx, &r.u.Unit, r.u.db.offers.ads.Table, p, returnAdColumns, copyReturnAd, func(w *engine.Where[E]) {
		w.OrID(f.OrID)
		w.Query(f.Query, func(a *E) int64 { return a.ID }, func(a *E) string { return a.Name })
		engine.Among(w, engine.Positive(f.AdvertiserGroupIDs), func(a *E) int64 { return a.AdvertiserGroupID })
		engine.Among(w, f.AdvertiserIDs, func(a *E) int64 { return a.AdvertiserID })
		engine.Equal(w, f.CreatedBy, func(a *E) int64 { return a.Author.UserID })
		engine.Among(w, f.Statuses, func(a *E) offers.Status { return a.Status(f.At, a.counts) })
		w.That(f.ShownAt != 0, func(a *E) bool {
			return a.ShownAt(affiliate.Advertiser{ID: f.ShownAt, CategoryIDs: f.ShownAtCategories})
		})
	})
}

func (r returnAds) Counts(ctx context.Context, ids []int64) (map[int64]returnads.Counts, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.ads
	out := map[int64]returnads.Counts{}
	for _, id := range t.Among(ids) {
		out[int64(id)] = t.At(id).counts
	}
	return out, nil
}

func (r returnAds) Count(ctx context.Context, id int64, n returnads.Counts) (returnads.Counts, error) {
	if err := r.u.Change(ctx); err != nil {
		return returnads.Counts{}, err
	}
	t := r.u.db.offers.ads
	row, ok := t.Find(id)
	if !ok {
		return returnads.Counts{}, r.u.Fail(affiliate.NotFound("return_ad", id))
	}
	c := &t.Touch(row).counts
	if !addTo(&c.Views, n.Views) || !addTo(&c.Clicks, n.Clicks) {
		return returnads.Counts{}, r.u.Fail(engine.Overflow("return_ad"))
	}
	return *c, nil
}
