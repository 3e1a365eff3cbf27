package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

func statsScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"statistics/every kind of event counts in its levels", testStatsEvents},
		{"statistics/changes add up", testStatsAdd},
		{"statistics/filters", testStatsFilters},
		{"statistics/dimensions", testStatsDimensions},
		{"statistics/pages in the order of columns", testStatsPage},
		{"statistics/scanned in the order of keys", testStatsScan},
		{"statistics/of what is not there", testStatsOfNobody},
		{"statistics/readers count once a day", testStatsReaders},
		{"statistics/days are those of UTC", testStatsZones},
		{"statistics/writers at once lose nothing", testStatsRace},
	}
}

// statDay is i days after base.
func statDay(i int) time.Time { return links.DayOf(base()).AddDate(0, 0, i) }

// statEvent is a valid click of the world's n-th creator at its n-th advertiser.
func statEvent(w world, day, n int) stats.Fact {
	return stats.Fact{
		Kind: stats.ClickValid, Day: statDay(day), AdvertiserID: w.advertisers[n].ID, OfferID: int64(70 + n), UserID: w.users[n].ID,
		LinkID: int64(80 + n), Source: affiliate.TrafficSource(n), Earning: eur(10), Cost: eur(12),
	}
}

func recordStats(t *testing.T, s links.Store, events ...stats.Fact) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx links.Tx) error { return stats.Record(ctx, tx, events...) })
}

func scanStats(t *testing.T, s links.Store) []stats.Rollup {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Rollup, error) {
		return tx.Stats().Scan(ctx, stats.Key{}, 1000)
	})
}

func sumStats(t *testing.T, s links.Store, f stats.Filter, by stats.Dimensions) []stats.Row {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Row, error) { return tx.Stats().Sum(ctx, f, by) })
}

func testStatsEvents(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	e := func(kind stats.Kind, change func(e *stats.Fact)) stats.Fact {
		out := statEvent(w, 0, 0)
		out.Kind, out.Earning, out.Cost = kind, affiliate.Money{}, affiliate.Money{}
		if change != nil {
			change(&out)
		}
		return out
	}
	amounts := func(value, earning, cost int64) func(e *stats.Fact) {
		return func(e *stats.Fact) { e.Value, e.Earning, e.Cost = eur(value), eur(earning), eur(cost) }
	}
	recordStats(t, s)
	recordStats(t, s,
		e(stats.ClickValid, amounts(0, 10, 12)), e(stats.ClickValid, amounts(0, 10, 12)), e(stats.ClickReversed, amounts(0, -10, -12)),
		e(stats.ClickDuplicate, nil), e(stats.ClickBot, nil), e(stats.ClickBlocked, nil), e(stats.ClickCapped, nil),
		e(stats.OrderPaid, amounts(1000, 50, 70)), e(stats.OrderPaid, amounts(500, 25, 35)), e(stats.OrderChanged, amounts(-100, -5, -7)),
		e(stats.OrderDeclined, amounts(-500, -25, -35)),
	)
	recordStats(t, s,
		e(stats.PaymentMade, func(e *stats.Fact) { amounts(0, 300, 300)(e); e.LinkID = 0 }),
		e(stats.PaymentReversed, func(e *stats.Fact) { amounts(0, -100, -100)(e); e.LinkID = 0 }),
		e(stats.AdViewed, func(e *stats.Fact) { e.AdID = 5 }), e(stats.AdClicked, func(e *stats.Fact) { e.AdID = 5 }),
		e(stats.OrderPaid, func(e *stats.Fact) { amounts(7, 1, 2)(e); e.LinkID, e.OfferID = 0, 0 }), // by a voucher
	)
	all := stats.Figures{
		Clicks: 1, Duplicates: 1, Bots: 1, Blocked: 1, Capped: 1, Orders: 1, OrderValue: 900,
		ClickEarning: 10, ClickCost: 12, OrderEarning: 45, OrderCost: 63,
	}
	paid := all
	paid.Payments, paid.PaymentEarning, paid.PaymentCost = 1, 200, 200
	voucher := stats.Figures{Orders: 1, OrderValue: 7, OrderEarning: 1, OrderCost: 2}
	total := paid
	total.Add(&voucher)
	key := stats.Key{AdvertiserID: w.advertisers[0].ID, Day: statDay(0), OfferID: 70, UserID: w.users[0].ID, LinkID: 80, AdID: 5}
	none := key
	none.OfferID = 0
	equal(t, "roll-ups", scanStats(t, s), []stats.Rollup{
		{Key: key.At(stats.AdvertiserLevel), Figures: total},
		{Key: key.At(stats.CampaignLevel), Figures: paid},
		{Key: none.At(stats.CreatorLevel), Figures: voucher},
		{Key: key.At(stats.CreatorLevel), Figures: paid},
		{Key: key.At(stats.LinkLevel), Figures: all},
		{Key: key.At(stats.AdLevel), Figures: stats.Figures{Views: 1, Clicks: 1}},
	})
}

func testStatsAdd(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	change := func(day int, clicks int64) stats.Change {
		return stats.Change{Key: stats.Key{AdvertiserID: w.advertisers[0].ID, Day: statDay(day)}, Figures: stats.Figures{Clicks: clicks}, Levels: 1 << stats.AdvertiserLevel}
	}
	add := func(changes ...stats.Change) func(ctx context.Context, tx links.Tx) error {
		return func(ctx context.Context, tx links.Tx) error { return tx.Stats().Add(ctx, changes...) }
	}
	late := change(0, 3)
	late.Day = late.Day.Add(23 * time.Hour)
	write(t, s, add())
	given := []stats.Change{change(1, 5), change(0, 1), late}
	write(t, s, add(given...))
	equal(t, "the caller's changes", given, []stats.Change{change(1, 5), change(0, 1), late})
	write(t, s, add(change(1, -7)))
	want := []stats.Rollup{
		{Key: change(0, 0).At(stats.AdvertiserLevel), Figures: stats.Figures{Clicks: 4}},
		{Key: change(1, 0).At(stats.AdvertiserLevel), Figures: stats.Figures{Clicks: -2}},
	}
	equal(t, "roll-ups", scanStats(t, s), want)
	err := s.Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
		return errors.Join(tx.Stats().Add(ctx, change(0, 1), change(2, 1)), errMine)
	})
	if !errors.Is(err, errMine) {
		t.Errorf("Record: got %v, want the callback's error", err)
	}
	equal(t, "roll-ups, after some were undone", scanStats(t, s), want)
	write(t, s, add(change(0, math.MaxInt64-4)))
	refused(t, s, overflow, add(change(0, 1)))
	refused(t, s, overflow, add(change(3, math.MaxInt64), change(3, 1)))
	write(t, s, add(change(1, math.MaxInt64), change(2, -1)))
	for name, call := range map[string]func(ctx context.Context, tx links.Tx) error{
		"sum": func(ctx context.Context, tx links.Tx) error { return second(tx.Stats().Sum(ctx, stats.Filter{}, 0)) },
		"page": func(ctx context.Context, tx links.Tx) error {
			return second(tx.Stats().Page(ctx, stats.Filter{}, 0, nil, affiliate.PageRequest{}))
		},
	} {
		unreadable(t, s, overflow, func(ctx context.Context, tx links.Tx) error {
			if problem := overflow.problem(call(ctx, tx)); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
			return nil // swallowed
		})
	}
}

// statsWorld keeps what filters, dimensions and pages are tried on, and two
// creators with tags.
func statsWorld(t *testing.T, s links.Store) world {
	t.Helper()
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		for i := range 2 {
			w.users[i].TagIDs = idset.Sorted([]int64{w.tags[0].ID, w.tags[i].ID})
			if err := tx.Users().Update(ctx, w.users[i]); err != nil {
				return err
			}
		}
		return nil
	})
	ad := stats.Fact{Kind: stats.AdViewed, Day: statDay(0), AdvertiserID: w.advertisers[0].ID, AdID: 5}
	otherAd := ad
	otherAd.AdID = 6
	other := statEvent(w, 3, 0) // the first creator with another link, campaign and source
	other.OfferID, other.LinkID, other.Source = 0, 89, affiliate.SourceInstagram
	recordStats(t, s, statEvent(w, 0, 0), statEvent(w, 1, 0), statEvent(w, 1, 1), statEvent(w, 2, 2), other, ad, otherAd, otherAd)
	return w
}

func testStatsFilters(t *testing.T, s links.Store) {
	type F = stats.Filter
	w := statsWorld(t, s)
	for name, c := range map[string]struct {
		f    F
		want int64 // clicks and views
	}{
		"all":                  {F{}, 5},
		"advertiser":           {F{AdvertiserIDs: []int64{w.advertisers[0].ID, nowhere}}, 3},
		"no advertiser":        {F{AdvertiserIDs: []int64{}}, 0},
		"offer":                {F{OfferIDs: []int64{70, 71}}, 3},
		"no offer":             {F{OfferIDs: []int64{}}, 0},
		"user":                 {F{UserIDs: []int64{w.users[0].ID}}, 3},
		"link":                 {F{LinkIDs: []int64{80}}, 2},
		"ad":                   {F{AdIDs: []int64{5, 6}}, 3},
		"one ad":               {F{AdIDs: []int64{6}}, 2},
		"ad and link":          {F{AdIDs: []int64{5}, LinkIDs: []int64{80}}, 0},
		"tag":                  {F{TagIDs: []int64{w.tags[0].ID, w.tags[1].ID}}, 4},
		"no tag":               {F{TagIDs: []int64{}}, 0},
		"source":               {F{Sources: []affiliate.TrafficSource{affiliate.SourceInstagram}}, 2},
		"no source":            {F{Sources: []affiliate.TrafficSource{}}, 0},
		"name":                 {F{UserQuery: "USER 901"}, 1},
		"part of names":        {F{UserQuery: "user"}, 5},
		"id of a user":         {F{UserQuery: fmt.Sprint(w.users[2].ID)}, 1},
		"a hostile name":       {F{UserQuery: "\x00"}, 0},
		"from":                 {F{From: statDay(1)}, 4},
		"from the middle":      {F{From: statDay(1).Add(time.Hour)}, 4},
		"until":                {F{Until: statDay(1)}, 1},
		"one day":              {F{From: statDay(1), Until: statDay(2)}, 2},
		"no day":               {F{From: statDay(2), Until: statDay(1)}, 0},
		"advertiser and days":  {F{AdvertiserIDs: []int64{w.advertisers[0].ID}, From: statDay(1), Until: statDay(3)}, 1},
		"offer and user":       {F{OfferIDs: []int64{70}, UserIDs: []int64{w.users[0].ID, w.users[1].ID}}, 2},
		"advertiser and user":  {F{AdvertiserIDs: []int64{w.advertisers[1].ID}, UserIDs: []int64{w.users[0].ID}}, 0},
		"link and other user":  {F{LinkIDs: []int64{80}, UserIDs: []int64{w.users[1].ID}}, 0},
		"offer and other user": {F{OfferIDs: []int64{70}, UserIDs: []int64{w.users[1].ID}}, 0},
		"user and days":        {F{UserIDs: []int64{w.users[0].ID}, From: statDay(1)}, 2},
		"link and user":        {F{LinkIDs: []int64{80, 89}, UserIDs: []int64{w.users[0].ID}}, 3},
		"link and source":      {F{LinkIDs: []int64{80, 89}, Sources: []affiliate.TrafficSource{affiliate.SourceInstagram}}, 1},
		"tag and link":         {F{TagIDs: []int64{w.tags[1].ID}, LinkIDs: []int64{80, 81}}, 1},
	} {
		var got int64
		for i, row := range sumStats(t, s, c.f, 0) {
			got += row.Clicks + row.Views
			equal(t, name+", key of the sum", row.Key, stats.Key{})
			equal(t, name+", more than one row", i, 0)
		}
		equal(t, name, got, c.want)
	}
}

func testStatsDimensions(t *testing.T, s links.Store) {
	w := statsWorld(t, s)
	show := func(f stats.Filter, by stats.Dimensions) string {
		var out []string
		for _, row := range sumStats(t, s, f, by) {
			equal(t, "level", row.Level, stats.Level(0))
			out = append(out, fmt.Sprintf("%d:%d", map[stats.Dimensions]int64{
				0: 0, stats.ByAdvertiser: row.AdvertiserID, stats.ByOffer: row.OfferID, stats.ByUser: row.UserID, stats.ByLink: row.LinkID,
				stats.ByAd: row.AdID, stats.BySource: int64(row.Source), stats.ByTag: row.TagID,
				stats.ByDay: int64(row.Day.Sub(statDay(0)) / (24 * time.Hour)), stats.ByCurrency: int64(len(row.Currency)),
			}[by], row.Clicks+row.Views))
		}
		return strings.Join(out, " ")
	}
	f := stats.Filter{}
	of := func(id int64, n int) string { return fmt.Sprintf("%d:%d", id, n) }
	equal(t, "in all", show(f, 0), "0:5")
	equal(t, "of nothing", show(stats.Filter{AdvertiserIDs: []int64{nowhere}}, 0), "")
	equal(t, "by day", show(f, stats.ByDay), "0:1 1:2 2:1 3:1")
	equal(t, "by advertiser", show(f, stats.ByAdvertiser), of(w.advertisers[0].ID, 3)+" "+of(w.advertisers[1].ID, 1)+" "+of(w.advertisers[2].ID, 1))
	equal(t, "by offer", show(f, stats.ByOffer), "70:2 71:1 72:1")
	equal(t, "by user", show(f, stats.ByUser), of(w.users[0].ID, 3)+" "+of(w.users[1].ID, 1)+" "+of(w.users[2].ID, 1))
	equal(t, "by link", show(f, stats.ByLink), "80:2 81:1 82:1 89:1")
	equal(t, "by ad", show(f, stats.ByAd), "5:1 6:2")
	equal(t, "by source", show(f, stats.BySource), "0:2 1:2 2:1")
	equal(t, "by tag", show(f, stats.ByTag), of(w.tags[0].ID, 4)+" "+of(w.tags[1].ID, 1))
	equal(t, "by some tags", show(stats.Filter{TagIDs: []int64{w.tags[1].ID, w.tags[2].ID}}, stats.ByTag), of(w.tags[1].ID, 1))
	equal(t, "by currency", show(f, stats.ByCurrency), "3:5")
	for _, row := range sumStats(t, s, f, 0) {
		equal(t, "currency, when it is not asked for", row.Currency, affiliate.Currency(""))
	}
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		a := w.advertisers[0]
		a.Currency = "USD"
		return tx.Advertisers().Update(ctx, a)
	})
	for i, row := range sumStats(t, s, f, stats.ByCurrency) {
		equal(t, "currencies in their order", row.Currency, []affiliate.Currency{"SEK", "USD"}[i])
	}
	rows := sumStats(t, s, stats.Filter{UserIDs: []int64{w.users[0].ID}}, stats.ByDay|stats.ByLink|stats.ByCurrency)
	want := stats.Row{
		Key: stats.Key{Day: statDay(3), LinkID: 89}, Currency: "USD", Figures: stats.Figures{Clicks: 1, ClickEarning: 10, ClickCost: 12},
		SourceClicks: [affiliate.TrafficSources]int64{1: 1},
	}
	equal(t, "rows", len(rows), 3)
	equal(t, "the last row", rows[2], want)
	for _, c := range []struct {
		by   stats.Dimensions
		want int64
	}{{stats.ByUser, 3}, {stats.ByLink, 4}, {stats.ByDay | stats.ByUser, 5}, {stats.ByAd, 0}, {0, 1}} {
		equal(t, fmt.Sprint("distinct ", c.by), see(t, s, func(ctx context.Context, tx links.Tx) (int64, error) {
			return tx.Stats().Distinct(ctx, f, c.by)
		}), c.want)
	}
}

func testStatsPage(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	// By creator: clicks, orders, value, earning, cost.
	event := func(n int, kind stats.Kind, source affiliate.TrafficSource, value, earning, cost int64) stats.Fact {
		e := statEvent(w, n, n)
		e.AdvertiserID, e.Kind, e.Source, e.Value, e.Earning, e.Cost = w.advertisers[0].ID, kind, source, eur(value), eur(earning), eur(cost)
		return e
	}
	recordStats(t, s,
		event(0, stats.ClickValid, 1, 0, 5, 50), event(0, stats.ClickValid, 1, 0, 5, 0), event(0, stats.ClickBot, 0, 0, 0, 0),
		event(1, stats.ClickValid, 0, 0, 7, 8), event(1, stats.OrderPaid, 0, 900, 1, 1),
		event(2, stats.OrderPaid, 0, 100, 2, 3), event(2, stats.ClickValid, 2, 0, 1, 1), event(2, stats.ClickValid, 2, 0, 1, 1), event(2, stats.ClickValid, 2, 0, 1, 1),
	)
	label := map[int64]string{w.users[0].ID: "a", w.users[1].ID: "b", w.users[2].ID: "c"}
	page := func(order []affiliate.Sort, number, size int) (string, int) {
		got := see(t, s, func(ctx context.Context, tx links.Tx) (affiliate.Page[stats.Row], error) {
			return tx.Stats().Page(ctx, stats.Filter{AdvertiserIDs: []int64{w.advertisers[0].ID}}, stats.ByUser, order, affiliate.PageRequest{Number: number, Size: size})
		})
		var out []string
		for _, row := range got.Items {
			out = append(out, label[row.UserID])
		}
		return strings.Join(out, ""), got.Total
	}
	for column, want := range map[string]string{
		"clicks": "bac", "bots": "bca", "orders": "abc", "order_value": "acb", "earnings": "cba", "cost": "cba", "gross_profit": "bca",
		"earnings_per_click": "cab", "instagram_clicks": "bca", "other_clicks": "abc", "username": "abc", "views": "abc", "click_through_rate": "abc",
		"duplicates": "abc", "blocked": "abc", "capped": "abc", "readers": "abc", "click_earning": "cba", "click_cost": "cba", "order_earning": "abc",
		"order_cost": "abc", "payments": "abc", "payment_earning": "abc", "payment_cost": "abc", "id": "abc",
	} {
		got, total := page([]affiliate.Sort{{Column: column}}, 1, 10)
		equal(t, "by "+column, got, want)
		equal(t, "total by "+column, total, 3)
	}
	known := stats.SortColumns(stats.ByUser)
	slices.Sort(known)
	equal(t, "columns", len(known), 24)
	two, _ := page([]affiliate.Sort{{Column: "bots"}, {Column: "clicks", Desc: true}}, 1, 10)
	equal(t, "by two columns", two, "cba")
	tied, _ := page([]affiliate.Sort{{Column: "views", Desc: true}, {Column: "clicks"}}, 1, 10)
	equal(t, "by a column that ties, downwards, and another", tied, "bac")
	down, _ := page([]affiliate.Sort{{Column: "username", Desc: true}}, 1, 2)
	equal(t, "downwards, the first page", down, "cb")
	last, total := page([]affiliate.Sort{{Column: "username", Desc: true}}, 2, 2)
	equal(t, "downwards, the last page", last, "a")
	equal(t, "its total", total, 3)
	behind, total := page(nil, 9, 2)
	equal(t, "behind the last page", behind, "")
	equal(t, "and its total", total, 3)
	none := see(t, s, func(ctx context.Context, tx links.Tx) (affiliate.Page[stats.Row], error) {
		return tx.Stats().Page(ctx, stats.Filter{}, stats.ByUser, nil, affiliate.PageRequest{Number: 9, Size: 2, Sort: affiliate.Sort{Column: "not looked at"}})
	})
	equal(t, "lists behind the last page that are empty and not nil", emptyLists("", reflect.ValueOf(none)), []string(nil))
	bad := func(order []affiliate.Sort, p affiliate.PageRequest) func(ctx context.Context, tx links.Tx) error {
		return func(ctx context.Context, tx links.Tx) error {
			if _, err := tx.Stats().Page(ctx, stats.Filter{}, stats.ByOffer, order, p); err == nil {
				t.Errorf("page %+v by %v: no error", p, order)
			}
			return nil // swallowed
		}
	}
	first := affiliate.PageRequest{Number: 1, Size: 10}
	unreadable(t, s, invalid("sort_by", "unknown_column"), bad([]affiliate.Sort{{Column: "clicks"}, {Column: "nothing"}}, first))
	unreadable(t, s, invalid("sort_by", "unknown_column"), bad([]affiliate.Sort{{Column: "username"}}, first))
	unreadable(t, s, invalid("size", "out_of_range"), bad(nil, affiliate.PageRequest{Number: 1, Size: 1001}))
}

// testStatsOfNobody counts for creators and an advertiser that a store does not have.
func testStatsOfNobody(t *testing.T, s links.Store) {
	fact := func(user int64) stats.Fact {
		return stats.Fact{Kind: stats.ClickValid, Day: statDay(0), AdvertiserID: 7, UserID: user}
	}
	recordStats(t, s, fact(8), fact(9))
	rows := sumStats(t, s, stats.Filter{}, stats.ByUser|stats.ByCurrency)
	equal(t, "rows", len(rows), 2)
	equal(t, "currency of no advertiser", rows[0].Currency, affiliate.Currency(""))
	equal(t, "of tags", len(sumStats(t, s, stats.Filter{}, stats.ByTag)), 0)
	equal(t, "of a name", len(sumStats(t, s, stats.Filter{UserQuery: "anna"}, 0)), 0)
	equal(t, "of an id", len(sumStats(t, s, stats.Filter{UserQuery: "8"}, 0)), 1)
	page := see(t, s, func(ctx context.Context, tx links.Tx) (affiliate.Page[stats.Row], error) {
		return tx.Stats().Page(ctx, stats.Filter{}, stats.ByUser, []affiliate.Sort{{Column: stats.SortUsername, Desc: true}}, affiliate.PageRequest{})
	})
	equal(t, "by names that there are not", []int64{page.Items[0].UserID, page.Items[1].UserID}, []int64{8, 9})
}

func testStatsScan(t *testing.T, s links.Store) {
	w := statsWorld(t, s)
	// Roll-ups that differ in one part of the key alone, of two parts the greater with
	// the lesser, and the greater first.
	one := statEvent(w, 1, 0)
	for _, change := range []func(e *stats.Fact){
		func(e *stats.Fact) { e.UserID, e.LinkID = w.users[2].ID, 70 },
		func(e *stats.Fact) { e.UserID, e.LinkID = w.users[1].ID, 71 },
		func(e *stats.Fact) { e.LinkID, e.Source = 79, 0 },
		func(e *stats.Fact) { e.LinkID, e.Source = 78, 1 },
		func(e *stats.Fact) { e.Source = 3 },
		func(e *stats.Fact) { e.Source = 2 },
	} {
		e := one
		change(&e)
		recordStats(t, s, e)
	}
	all := scanStats(t, s)
	if !slices.IsSortedFunc(all, func(a, b stats.Rollup) int { return a.Compare(b.Key) }) {
		t.Errorf("roll-ups are not in the order of their keys: %v", all)
	}
	equal(t, "levels", all[len(all)-1].Level, stats.AdLevel)
	var some []stats.Rollup
	for after, n := (stats.Key{}), 3; n == 3; {
		part := see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Rollup, error) { return tx.Stats().Scan(ctx, after, 3) })
		if n = len(part); n > 3 {
			t.Fatalf("%d roll-ups, of at most 3", n)
		}
		if n > 0 {
			after = part[n-1].Key
		}
		some = append(some, part...)
	}
	equal(t, "in parts", some, all)
	for _, none := range []stats.Key{all[len(all)-1].Key, {Level: stats.AdLevel + 1}} {
		equal(t, "behind the last", see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Rollup, error) {
			return tx.Stats().Scan(ctx, none, 10)
		}), []stats.Rollup(nil))
	}
	equal(t, "no limit", see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Rollup, error) {
		return tx.Stats().Scan(ctx, stats.Key{AdvertiserID: w.advertisers[0].ID}, 0)
	}), []stats.Rollup(nil))
}

func testStatsReaders(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	visit := func(day, reader, n int) stats.Fact {
		e := statEvent(w, day, n)
		e.Reader = stats.Reader{0: byte(reader), 15: 0xff}
		return e
	}
	blocked := visit(0, 9, 0)
	blocked.Kind = stats.ClickBlocked
	recordStats(t, s, visit(0, 1, 0), visit(0, 1, 0), visit(0, 2, 0), visit(1, 1, 0), visit(0, 1, 1), blocked)
	other := visit(0, 1, 0)
	other.LinkID, other.Source = 99, affiliate.SourceTikTok // the same reader, by another link and source
	recordStats(t, s, other, visit(0, 3, 0))
	var got []string
	for _, row := range sumStats(t, s, stats.Filter{}, stats.ByDay|stats.ByOffer) {
		got = append(got, fmt.Sprintf("%d/%d: %d of %d", row.Day.Day()-statDay(0).Day(), row.OfferID, row.Readers, row.Clicks))
	}
	equal(t, "readers", got, []string{"0/70: 3 of 5", "0/71: 1 of 1", "1/70: 1 of 1"})

	meet := func(visits ...stats.Visit) []stats.Visit {
		return put(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Visit, error) { return tx.Stats().Meet(ctx, visits...) })
	}
	v := func(offer int64, day, reader int) stats.Visit {
		return stats.Visit{AdvertiserID: w.advertisers[0].ID, OfferID: offer, Day: statDay(day), Reader: stats.Reader{0: byte(reader), 15: 0xff}}
	}
	equal(t, "nobody", meet(), []stats.Visit(nil))
	backwards := []stats.Visit{v(99, 0, 2), v(99, 0, 1)}
	meet(backwards...)
	equal(t, "the caller's list", backwards, []stats.Visit{v(99, 0, 2), v(99, 0, 1)})
	equal(t, "new ones, in order", meet(v(95, 0, 1), v(90, 1, 1), v(90, 0, 2), v(70, 0, 1), v(90, 0, 1), v(90, 0, 2)),
		[]stats.Visit{v(90, 0, 1), v(90, 0, 2), v(90, 1, 1), v(95, 0, 1)})
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Stats().Forget(ctx, statDay(1)) })
	equal(t, "after the day is forgotten", meet(v(90, 0, 1), v(90, 1, 1)), []stats.Visit{v(90, 0, 1)})
}

func testStatsRace(t *testing.T, s links.Store) {
	const rounds = 5
	w := newWorld(t, s)
	together(t, writers, func(i int) error {
		unit := s.Record
		if i%2 == 1 {
			unit = s.Write
		}
		for round := range rounds {
			// In different orders, as units that know nothing of each other add them,
			// and with one reader that all of them meet.
			a, b := statEvent(w, i%2, 0), statEvent(w, (i+1)%2, 0)
			a.Reader, b.Reader = stats.Reader{1}, stats.Reader{byte(i), byte(round), 2}
			err := insist(t.Context(), unit, func(ctx context.Context, tx links.Tx) error { return stats.Record(ctx, tx, a, b) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	const each = writers * rounds
	for _, row := range sumStats(t, s, stats.Filter{}, stats.ByDay|stats.ByOffer) {
		equal(t, "clicks", row.Clicks, int64(each))
		equal(t, "readers", row.Readers, int64(1+writers/2*rounds))
	}
}
