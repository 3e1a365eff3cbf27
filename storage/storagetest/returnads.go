package storagetest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

func returnAdScenarios() []scenario[returnads.Store] {
	return append(adTable().scenarios(),
		scenario[returnads.Store]{"return ads/list", testAdList},
		scenario[returnads.Store]{"return ads/counts", testAdCounts},
		scenario[returnads.Store]{"return ads/their images are in use", testAdImages},
	)
}

func sampleAd(w world, n int) returnads.Ad {
	return returnads.Ad{Name: fmt.Sprintf("ad %d", n), AdvertiserID: w.advertisers[0].ID, ReturnLink: "https://a.example"}
}

func addAd(ctx context.Context, tx returnads.Tx, a returnads.Ad) (returnads.Ad, error) {
	return tx.ReturnAds().Add(ctx, a)
}

func adTable() table[returnads.Tx, returnads.Ad] {
	type V = returnads.Ad
	return table[returnads.Tx, V]{
		name:   "return ads",
		sample: sampleAd,
		full: func(w world) V {
			return V{
				Name: "Full", AdvertiserGroupID: w.groups[0].ID, AdvertiserID: w.advertisers[1].ID, LinkID: 7, ReturnLink: "https://b.example", DisplayForAll: true,
				AdvertiserIDs: []int64{w.advertisers[0].ID, w.advertisers[2].ID}, CategoryIDs: []int64{w.categories[1].ID},
				Styles: []returnads.Style{{Name: "color", Value: "#fff"}, {Name: "a", Value: ""}}, ImageKey: "k.png", StartsAt: at(1), EndsAt: at(2), UntilDay: true,
				ClickLimit: affiliate.Some[int64](0), ViewLimit: affiliate.Some[int64](offers.MaxAmount), Author: affiliate.Actor{UserID: w.users[1].ID, Name: "Åsa"},
				CreatedAt: at(3), UpdatedAt: at(4), PausedAt: at(5), DeletedAt: at(6),
			}
		},
		add:    addAd,
		fetch:  func(ctx context.Context, tx returnads.Tx, v V) (V, error) { return tx.ReturnAds().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx returnads.Tx, v V) error { return tx.ReturnAds().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"return_link", 1, 2048, func(v *V) *string { return &v.ReturnLink }, true},
			{"image_key", 0, 255, func(v *V) *string { return &v.ImageKey }, false},
			{"author", 0, 255, func(v *V) *string { return &v.Author.Name }, false},
		},
		broken: []broken[V]{
			{"advertiser_ids", "not_ascending", func(v *V) { v.AdvertiserIDs = []int64{2, 1} }},
			{"advertiser_category_ids", "not_ascending", func(v *V) { v.CategoryIDs = []int64{0} }},
			{"styles.0.name", "required", func(v *V) { v.Styles = []returnads.Style{{}} }},
			{"click_limit", "out_of_range", func(v *V) { v.ClickLimit = affiliate.Some[int64](-1) }},
			{"view_limit", "out_of_range", func(v *V) { v.ViewLimit = affiliate.Some[int64](-1) }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"advertiser_group_id", func(v *V, id int64) { v.AdvertiserGroupID = id }},
			{"advertiser_ids", func(v *V, id int64) { v.AdvertiserIDs = []int64{id} }},
			{"advertiser_category_ids", func(v *V, id int64) { v.CategoryIDs = []int64{id} }},
			{"author", func(v *V, id int64) { v.Author.UserID = id }},
		},
	}
}

func testAdList(t *testing.T, s returnads.Store) {
	type V = returnads.Ad
	type F = returnads.Filter
	w := newWorld(t, s)
	make := func(name string, i int, change func(a *V)) V {
		a := V{Name: name, AdvertiserID: w.advertisers[i].ID, ReturnLink: "https://a.example"}
		change(&a)
		return a
	}
	items := addAll(t, s, addAd,
		make("b", 0, func(a *V) { a.AdvertiserGroupID, a.DisplayForAll, a.CreatedAt = w.groups[0].ID, true, at(3) }),
		make("Anna_", 1, func(a *V) {
			a.Author.UserID, a.AdvertiserIDs, a.StartsAt, a.ViewLimit = w.users[0].ID, []int64{w.advertisers[0].ID}, at(1), affiliate.Some[int64](3)
		}),
		make("anna", 1, func(a *V) {
			a.CategoryIDs, a.EndsAt, a.ClickLimit = []int64{w.categories[0].ID}, at(9), affiliate.Some[int64](2)
		}),
		make("d", 2, func(a *V) { a.PausedAt, a.CreatedAt, a.DisplayForAll = at(1), at(1), true }),
		make("c", 2, func(a *V) { a.StartsAt, a.EndsAt, a.ViewLimit = at(50), at(60), affiliate.Some[int64](5) }),
	)
	label := map[int64]string{}
	for i, a := range items {
		label[a.ID] = string(rune('a' + i))
	}
	counts := func(a V) returnads.Counts {
		return map[string]returnads.Counts{"a": {Views: 9, Clicks: 1}, "b": {Views: 3, Clicks: 4}, "c": {Views: 8, Clicks: 2}}[label[a.ID]]
	}
	write(t, s, func(ctx context.Context, tx returnads.Tx) error {
		for _, a := range items {
			if _, err := tx.ReturnAds().Count(ctx, a.ID, counts(a)); err != nil {
				return err
			}
		}
		return nil
	})
	filters := []filterRow[F]{
		{F{Query: "ANNA"}, "b c"},
		{F{Query: "a_"}, "b"},
		{F{Query: fmt.Sprint(items[3].ID)}, "d"},
		{F{AdvertiserGroupIDs: []int64{w.groups[0].ID}}, "a"},
		{F{AdvertiserGroupIDs: []int64{}}, ""},
		{F{AdvertiserGroupIDs: []int64{0, -1}}, ""}, // no group's, and not those of no group
		{F{AdvertiserIDs: []int64{0, -1}}, ""},
		{F{AdvertiserIDs: []int64{w.advertisers[1].ID, nowhere}}, "b c"},
		{F{AdvertiserIDs: []int64{}}, ""},
		{F{CreatedBy: w.users[0].ID}, "b"},
		{F{Statuses: []offers.Status{offers.Active}}, "a"},
		{F{Statuses: []offers.Status{offers.Ended, offers.Paused}}, "b c d"},
		{F{Statuses: []offers.Status{offers.Active}, At: at(50)}, "a e"},
		{F{Statuses: []offers.Status{offers.Active}, At: at(55)}, "a e"},
		{F{Statuses: []offers.Status{offers.Active}, At: at(60)}, "a"},
		{F{Statuses: []offers.Status{}}, ""},
		{F{ShownAt: w.advertisers[0].ID}, "b d"},
		{F{ShownAt: w.advertisers[0].ID, ShownAtCategories: []int64{w.categories[0].ID}}, "b c d"},
		{F{ShownAt: w.advertisers[1].ID, ShownAtCategories: []int64{w.categories[0].ID}}, "a d"},
		{F{ShownAtCategories: []int64{w.categories[0].ID}}, "a b c d e"},
		{F{OrID: items[4].ID, CreatedBy: w.users[0].ID}, "b e"},
		{F{OrID: items[4].ID}, "a b c d e"},
	}
	listing[returnads.Tx, V, F]{
		items: items,
		label: func(a V) string { return label[a.ID] },
		list: func(ctx context.Context, tx returnads.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			if f.At.IsZero() {
				f.At = at(5)
			}
			return tx.ReturnAds().List(ctx, f, p)
		},
		filters: filters,
		modify:  []string{"At", "OrID", "ShownAtCategories"},
		or:      "OrID",
		columns: map[string]func(a, b V) int{
			"name":               byText(func(a V) string { return a.Name }),
			"created_at":         byTime(func(a V) time.Time { return a.CreatedAt }),
			"starts_at":          byTime(func(a V) time.Time { return a.StartsAt }),
			"ends_at":            byTime(func(a V) time.Time { return a.EndsAt }),
			"current_views":      byNumber(func(a V) int64 { return counts(a).Views }),
			"current_clicks":     byNumber(func(a V) int64 { return counts(a).Clicks }),
			"click_through_rate": byNumber(func(a V) int64 { return counts(a).ClickThroughRate() }),
		},
	}.check(t, s)
}

func testAdCounts(t *testing.T, s returnads.Store) {
	w := newWorld(t, s)
	ads := addAll(t, s, addAd, sampleAd(w, 1), sampleAd(w, 2))
	count := func(id int64, views, clicks int64) func(ctx context.Context, tx returnads.Tx) (returnads.Counts, error) {
		return func(ctx context.Context, tx returnads.Tx) (returnads.Counts, error) {
			return tx.ReturnAds().Count(ctx, id, returnads.Counts{Views: views, Clicks: clicks})
		}
	}
	equal(t, "counted", put(t, s, count(ads[0].ID, 2, 1)), returnads.Counts{Views: 2, Clicks: 1})
	equal(t, "counted again", put(t, s, count(ads[0].ID, 1, 0)), returnads.Counts{Views: 3, Clicks: 1})
	changed := ads[0]
	changed.Name = "changed"
	for _, change := range []func(ctx context.Context, tx returnads.Tx) error{
		func(ctx context.Context, tx returnads.Tx) error { return second(addAd(ctx, tx, sampleAd(w, 3))) },
		func(ctx context.Context, tx returnads.Tx) error { return tx.ReturnAds().Update(ctx, changed) },
		func(ctx context.Context, tx returnads.Tx) error { return second(count(ads[0].ID, 1, 1)(ctx, tx)) },
	} {
		notInRead(t, s, change)
	}
	equal(t, "after changes in Reads", see(t, s, func(ctx context.Context, tx returnads.Tx) ([]returnads.Ad, error) {
		page, err := tx.ReturnAds().List(ctx, returnads.Filter{}, affiliate.PageRequest{Number: 1, Size: 9})
		return page.Items, err
	}), ads)
	write(t, s, func(ctx context.Context, tx returnads.Tx) error { return tx.ReturnAds().Update(ctx, changed) })
	together(t, writers, func(int) error {
		return insist(t.Context(), s.Write, func(ctx context.Context, tx returnads.Tx) error { return second(count(ads[0].ID, 1, 1)(ctx, tx)) })
	})
	got := see(t, s, func(ctx context.Context, tx returnads.Tx) (map[int64]returnads.Counts, error) {
		return tx.ReturnAds().Counts(ctx, []int64{ads[0].ID, ads[1].ID, nowhere})
	})
	equal(t, "counts", got[ads[0].ID], returnads.Counts{Views: 3 + writers, Clicks: 1 + writers})
	equal(t, "counts of the other", got[ads[1].ID], returnads.Counts{})
	refused(t, s, missing, func(ctx context.Context, tx returnads.Tx) error {
		err := second(count(nowhere, 1, 1)(ctx, tx))
		if problem := missing.problem(second(tx.ReturnAds().Counts(ctx, nil))); problem != "" {
			t.Errorf("the next call: %s", problem)
		}
		return err
	})
	for _, much := range []returnads.Counts{{Views: math.MaxInt64}, {Clicks: math.MaxInt64}} {
		refused(t, s, overflow, func(ctx context.Context, tx returnads.Tx) error {
			return second(count(ads[0].ID, much.Views, much.Clicks)(ctx, tx))
		})
	}
}
