package links_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestVisibleAdvertisersByCategoryAndByClicks(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		s, err := links.NewService(b.Links, links.Options{Clock: func() time.Time { return now }})
		is.NoErr(err)
		categories := map[string]int64{}
		for _, name := range []string{"Food", "Empty", "Beauty"} {
			c, err := core.CreateCategory(t.Context(), affiliate.Category{Name: name})
			is.NoErr(err)
			categories[name] = c.ID
		}
		ids := map[string]int64{}
		for _, a := range []affiliate.Advertiser{
			{Name: "a", CategoryIDs: []int64{categories["Food"], categories["Beauty"]}}, {Name: "b", CategoryIDs: []int64{categories["Beauty"]}},
			{Name: "c"}, {Name: "hidden", Hidden: true, CategoryIDs: []int64{categories["Empty"]}}, {Name: "blocking", CategoryIDs: []int64{categories["Empty"]}},
		} {
			a.Country, a.Currency = "SE", "SEK"
			a, err := core.CreateAdvertiser(t.Context(), a)
			is.NoErr(err)
			ids[a.Name] = a.ID
		}
		anna, err := core.CreateUser(t.Context(), affiliate.User{Username: "anna"})
		is.NoErr(err)
		bo, err := core.CreateUser(t.Context(), affiliate.User{Username: "bo"})
		is.NoErr(err)
		_, err = core.Block(t.Context(), ids["blocking"], affiliate.Actor{}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: anna.ID}}})
		is.NoErr(err)
		clicks := func(ago int, advertiser string, user int64, n int) []stats.Fact {
			e := stats.Fact{Kind: stats.ClickValid, Day: links.DayOf(now).AddDate(0, 0, -ago), AdvertiserID: ids[advertiser], UserID: user, Cost: affiliate.NewMoney(10, "SEK")}
			return slices.Repeat([]stats.Fact{e}, n)
		}
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			return stats.Record(ctx, tx, slices.Concat(clicks(0, "b", anna.ID, 2), clicks(29, "b", bo.ID, 3), clicks(30, "a", anna.ID, 100), clicks(1, "blocking", bo.ID, 50), clicks(3, "c", bo.ID, 5))...)
		}))

		byCategory, err := s.VisibleByCategory(t.Context(), anna.ID)
		is.NoErr(err)
		var lists []string
		for _, c := range byCategory {
			names := c.Category.Name + ":"
			for _, a := range c.Advertisers {
				names += " " + a.Name
			}
			lists = append(lists, names)
		}
		is.Equal(lists, []string{"Food: a", "Beauty: a b"})

		ranked, err := s.VisibleByClicks(t.Context(), anna.ID)
		is.NoErr(err)
		var order []any
		for _, r := range ranked {
			order = append(order, r.Advertiser.Name, r.Clicks)
		}
		is.Equal(order, []any{"b", int64(5), "c", int64(5), "a", int64(0)}) // ties by id; clicks of 30 days ago are too old

		totals, err := s.TotalsOf(t.Context(), []int64{anna.ID, bo.ID, 999})
		is.NoErr(err)
		want := map[int64]links.CreatorTotals{anna.ID: {Clicks: 2, Cost: 20}, bo.ID: {Clicks: 58, Cost: 580}}
		is.Equal(totals, want)
		totals, err = s.TotalsOf(t.Context(), nil)
		is.NoErr(err)
		is.Equal(len(totals), 0)
		_, err = s.VisibleByCategory(t.Context(), 999)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = s.VisibleByClicks(t.Context(), 999)
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}
