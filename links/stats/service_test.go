package stats_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// world is two advertisers of different currencies and two creators, one of whom
// has a tag.
type world struct {
	t          *testing.T
	store      stats.Store
	service    *stats.Service
	acme, euro affiliate.Advertiser
	anna, bo   affiliate.User
	vip, other affiliate.UserTag // other belongs to euro
}

func newWorld(t *testing.T, b storagetest.Backend) *world {
	t.Helper()
	w := &world{t: t, store: linksStore{b.Links}}
	var err error
	if w.service, err = stats.NewService(w.store, stats.Options{Clock: func() time.Time { return noon }}); err != nil {
		t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx stats.Tx) error {
		advertiser := func(name string, c affiliate.Currency) (affiliate.Advertiser, error) {
			return tx.Advertisers().Add(ctx, affiliate.Advertiser{
				Name: name, Country: "SE", Currency: c, Status: affiliate.AdvertiserActive, Provider: affiliate.ProviderDirect, TrackingTemplate: affiliate.DefaultTrackingTemplate,
			})
		}
		for _, err := range []error{
			keep(&w.acme)(advertiser("acme", "SEK")), keep(&w.euro)(advertiser("euro", "EUR")),
			keep(&w.vip)(tx.UserTags().Add(ctx, affiliate.UserTag{Name: "VIP", Slug: "vip", AccessLevel: affiliate.AccessAll})),
			keep(&w.other)(tx.UserTags().Add(ctx, affiliate.UserTag{Name: "theirs", Slug: "theirs", AccessLevel: affiliate.AccessStore, AdvertiserID: 2})),
			keep(&w.anna)(tx.Users().Add(ctx, affiliate.User{Username: "anna", TagIDs: []int64{1}})),
			keep(&w.bo)(tx.Users().Add(ctx, affiliate.User{Username: "bo"})),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func keep[T any](to *T) func(T, error) error {
	return func(v T, err error) error { *to = v; return err }
}

// linksStore is a store of links as one of statistics.
type linksStore struct{ store links.Store }

func (s linksStore) Read(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.store.Read(ctx, func(ctx context.Context, tx links.Tx) error { return fn(ctx, tx) })
}

func (s linksStore) Write(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.store.Write(ctx, func(ctx context.Context, tx links.Tx) error { return fn(ctx, tx) })
}

func (w *world) write(fn func(ctx context.Context, tx stats.Tx) error) {
	w.t.Helper()
	if err := w.store.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(events ...stats.Fact) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx stats.Tx) error { return stats.Record(ctx, tx, events...) })
}

// event happened some days before noon.
func (w *world) event(kind stats.Kind, daysAgo int, a affiliate.Advertiser, u affiliate.User, link int64, value, earning, cost int64) stats.Fact {
	money := func(n int64) affiliate.Money { return affiliate.NewMoney(n, a.Currency) }
	return stats.Fact{
		Kind: kind, Day: stats.DayOf(noon.AddDate(0, 0, -daysAgo), &a), AdvertiserID: a.ID, UserID: u.ID, LinkID: link,
		Source: affiliate.TrafficSource(link % 2), Value: money(value), Earning: money(earning), Cost: money(cost),
	}
}

func TestAnOverviewIsOfTheLastThirtyDays(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.record(
			w.event(stats.ClickValid, 0, w.acme, w.anna, 1, 0, 10, 12), w.event(stats.ClickValid, 29, w.acme, w.bo, 2, 0, 10, 12),
			w.event(stats.ClickValid, 29, w.acme, w.bo, 4, 0, 10, 12), w.event(stats.ClickBot, 3, w.acme, w.bo, 6, 0, 0, 0),
			w.event(stats.OrderPaid, 1, w.acme, w.anna, 1, 5000, 100, 150), w.event(stats.OrderChanged, 1, w.acme, w.anna, 1, -1000, -20, -30),
			w.event(stats.ClickValid, 30, w.acme, w.anna, 8, 0, 10, 12), // too old
			w.event(stats.ClickValid, 0, w.euro, w.anna, 9, 0, 10, 12),  // of another advertiser
		)
		got, err := w.service.Overview(t.Context(), w.acme.ID, stats.Span{}, nil)
		is.NoErr(err)
		is.Equal(got.Advertiser.Currency, affiliate.Currency("SEK"))
		is.Equal(got.Total, stats.Figures{Clicks: 3, Bots: 1, ClickEarning: 30, ClickCost: 36, Orders: 1, OrderValue: 4000, OrderEarning: 80, OrderCost: 120})
		is.Equal(got.Creators, int64(2))
		is.Equal(got.Links, int64(3))
		is.Equal(len(got.PerDay), 30)
		is.Equal(got.PerDay[0].Day, stats.DayOf(noon, nil).AddDate(0, 0, -29))
		is.Equal(got.PerDay[0].Clicks, int64(2))
		is.Equal(got.PerDay[1].Figures, stats.Figures{})
		is.Equal(got.PerDay[28].OrderValue, int64(4000))

		got, err = w.service.Overview(t.Context(), w.acme.ID, stats.Span{From: noon.AddDate(0, 0, -30), To: noon.AddDate(0, 0, -29)}, []int64{w.anna.ID})
		is.NoErr(err)
		is.Equal(len(got.PerDay), 2)
		is.Equal(got.Total.Clicks, int64(1))
		is.Equal(got.Links, int64(1))
	})
}

func TestASpanHasAnEndAndABound(t *testing.T) {
	w := newWorld(t, backends.Memory())
	for name, span := range map[string]stats.Span{
		"before_from":   {From: noon, To: noon.AddDate(0, 0, -1)},
		"too_many_days": {From: noon.AddDate(0, 0, -stats.MaxDays)},
	} {
		_, err := w.service.Overview(t.Context(), w.acme.ID, span, nil)
		e, ok := errors.AsType[*affiliate.Error](err)
		if !ok || len(e.Fields) != 1 || e.Fields[0].Code != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := w.service.Overview(t.Context(), w.acme.ID, stats.Span{From: noon.AddDate(0, 0, 1-stats.MaxDays)}, nil); err != nil {
		t.Errorf("of the most days: %v", err)
	}
	if _, err := w.service.Overview(t.Context(), w.acme.ID, stats.Span{From: time.Time{}.AddDate(0, 0, 1), To: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, nil); !errors.Is(err, affiliate.ErrInvalid) {
		t.Errorf("of all time: %v", err)
	}
}

func TestCreatorsAreListedByWhatTheyBrought(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.record(
			w.event(stats.ClickValid, 0, w.acme, w.anna, 1, 0, 1, 1), w.event(stats.ClickValid, 0, w.acme, w.anna, 2, 0, 1, 1),
			w.event(stats.ClickValid, 0, w.acme, w.bo, 4, 0, 1, 1), w.event(stats.OrderPaid, 0, w.acme, w.bo, 4, 900, 1, 1),
		)
		list := func(query string, size int, order ...affiliate.Sort) string {
			page, err := w.service.Creators(t.Context(), w.acme.ID, stats.Span{}, query, order, affiliate.PageRequest{Number: 1, Size: size})
			is.NoErr(err)
			out := fmt.Sprint(page.Total)
			for _, row := range page.Items {
				out += fmt.Sprintf(" %s %d=%d+%d", row.User.Username, row.Clicks, row.SourceClicks[affiliate.SourceInstagram], row.SourceClicks[affiliate.SourceGeneral])
			}
			return out
		}
		is.Equal(list("", 10), "2 anna 2=1+1 bo 1=0+1")
		is.Equal(list("", 10, affiliate.Sort{Column: "order_value", Desc: true}), "2 bo 1=0+1 anna 2=1+1")
		is.Equal(list("", 1, affiliate.Sort{Column: stats.SortUsername, Desc: true}), "2 bo 1=0+1")
		is.Equal(list("NN", 10), "1 anna 2=1+1")
	})
}

func TestTagsAreOfTheCreatorsThatHaveThem(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.record(w.event(stats.ClickValid, 1, w.acme, w.anna, 1, 0, 1, 1), w.event(stats.ClickValid, 1, w.acme, w.bo, 2, 0, 1, 1))
		got, err := w.service.Tags(t.Context(), w.acme.ID, stats.Span{From: noon.AddDate(0, 0, -2)}, []int64{w.vip.ID, w.vip.ID})
		is.NoErr(err)
		is.Equal(len(got), 1)
		is.Equal(got[0].Tag.Name, "VIP")
		is.Equal(got[0].Total.Clicks, int64(1))
		is.Equal(len(got[0].PerDay), 3)
		is.Equal(got[0].PerDay[1].Clicks, int64(1))
		for _, id := range []int64{w.other.ID, 99} {
			_, err = w.service.Tags(t.Context(), w.acme.ID, stats.Span{}, []int64{id})
			is.True(errors.Is(err, affiliate.ErrInvalid))
		}
	})
}

func TestAViewerSeesItsOwn(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.record(w.event(stats.ClickValid, 0, w.acme, w.anna, 1, 0, 7, 9), w.event(stats.ClickValid, 0, w.euro, w.anna, 2, 0, 5, 6))
	as := func(p affiliate.Principal) *stats.Service { return w.service.For(affiliate.ViewerOf(p)) }
	acme := as(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{w.acme.ID}})
	anna := as(affiliate.Principal{Role: affiliate.RoleCreator, UserID: w.anna.ID})
	one := affiliate.PageRequest{Number: 1, Size: 1}
	missing := func(_ any, err error) { t.Helper(); is.True(errors.Is(err, affiliate.ErrNotFound)) }

	_, err := acme.Overview(t.Context(), w.acme.ID, stats.Span{}, nil)
	is.NoErr(err)
	for _, s := range []*stats.Service{acme, anna} {
		_, err := s.Overview(t.Context(), w.euro.ID, stats.Span{}, nil)
		missing(nil, err)
		_, err = s.Creators(t.Context(), w.euro.ID, stats.Span{}, "", nil, one)
		missing(nil, err)
		_, err = s.Tags(t.Context(), w.euro.ID, stats.Span{}, nil)
		missing(nil, err)
		_, err = s.Query(t.Context(), stats.Filter{}, 0)
		missing(nil, err)
		_, err = s.Query(t.Context(), stats.Filter{UserIDs: []int64{w.bo.ID}}, 0)
		missing(nil, err)
		_, err = s.Query(t.Context(), stats.Filter{AdvertiserIDs: []int64{w.acme.ID, w.euro.ID}}, 0)
		missing(nil, err)
	}
	_, err = w.service.Overview(t.Context(), 99, stats.Span{}, nil)
	missing(nil, err)
	rows, err := acme.Query(t.Context(), stats.Filter{AdvertiserIDs: []int64{w.acme.ID}}, stats.ByUser)
	is.NoErr(err)
	is.Equal(len(rows), 1)
	rows, err = anna.Query(t.Context(), stats.Filter{UserIDs: []int64{w.anna.ID}}, 0)
	is.NoErr(err)
	is.Equal(len(rows), 2) // her money in two currencies stays apart
	is.Equal(rows[0].Currency, affiliate.Currency("EUR"))
	is.Equal(rows[0].ClickEarning, int64(5))
	_, err = acme.Tags(t.Context(), w.acme.ID, stats.Span{}, []int64{w.vip.ID})
	is.NoErr(err)
}

// Random events give the roll-ups that a naive count of the same events gives,
// for every set of dimensions.
func TestRollupsAreWhatTheirEventsAddUpTo(t *testing.T) {
	kinds := []stats.Kind{
		stats.ClickValid, stats.ClickDuplicate, stats.ClickBot, stats.ClickBlocked, stats.ClickCapped, stats.ClickReversed,
		stats.OrderPaid, stats.OrderChanged, stats.OrderDeclined, stats.PaymentMade, stats.PaymentReversed, stats.AdViewed, stats.AdClicked,
	}
	event := rapid.Custom(func(t *rapid.T) stats.Fact {
		id := func(name string, from int64) int64 { return rapid.Int64Range(from, 3).Draw(t, name) }
		money := func(name string) affiliate.Money {
			return affiliate.NewMoney(rapid.Int64Range(-99, 99).Draw(t, name), "SEK")
		}
		advertiser, offer := id("advertiser", 1), rapid.Int64Range(0, 6).Draw(t, "offer")
		if offer != 0 { // an offer is one advertiser's
			advertiser = (offer + 1) / 2
		}
		return stats.Fact{
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Day: stats.DayOf(noon.AddDate(0, 0, int(id("day", 0))), nil),
			AdvertiserID: advertiser, OfferID: offer, UserID: id("user", 1), LinkID: id("link", 0), AdID: id("ad", 1),
			Source: affiliate.TrafficSource(id("source", 0)), Reader: stats.Reader{byte(id("reader", 0))},
			Value: money("value"), Earning: money("earning"), Cost: money("cost"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		store := memory.New().Stats()
		events := rapid.SliceOfN(event, 1, 40).Draw(t, "events")
		for rest := events; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "unit")
			err := store.Write(context.Background(), func(ctx context.Context, tx stats.Tx) error { return stats.Record(ctx, tx, rest[:n]...) })
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		err := store.Read(context.Background(), func(ctx context.Context, tx stats.Tx) error {
			for _, part := range []stats.Part{stats.ClickPart, stats.OrderPart, stats.PaymentPart, stats.AdPart} {
				recount := stats.NewRecount(part)
				for i := range events {
					if partOf(events[i].Kind) == part {
						if err := recount.Add(events[i]); err != nil {
							return err
						}
					}
				}
				if diffs, err := recount.Verify(ctx, tx); err != nil || len(diffs) > 0 {
					return fmt.Errorf("part %d: %v, %w", part, diffs, err)
				}
			}
			by := stats.Dimensions(rapid.IntRange(0, int(stats.ByAd<<1)-1).Draw(t, "dimensions"))
			rows, err := tx.Stats().Sum(ctx, stats.Filter{}, by)
			if err != nil {
				return err
			}
			var got, want int64
			for _, row := range rows {
				got += row.OrderValue
			}
			for _, e := range events {
				if counts(&e, stats.LevelOf(stats.Filter{}, by)) {
					want += e.Value.Minor()
				}
			}
			if got != want {
				return fmt.Errorf("by %b: order value %d, want %d", by, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func partOf(k stats.Kind) stats.Part {
	switch k {
	case stats.OrderPaid, stats.OrderChanged, stats.OrderDeclined:
		return stats.OrderPart
	case stats.PaymentMade, stats.PaymentReversed:
		return stats.PaymentPart
	case stats.AdViewed, stats.AdClicked:
		return stats.AdPart
	}
	return stats.ClickPart
}

// counts says naively whether the order of an event is in the rows of a level.
func counts(e *stats.Fact, l stats.Level) bool {
	if partOf(e.Kind) != stats.OrderPart {
		return false
	}
	switch l {
	case stats.CampaignLevel:
		return e.OfferID != 0
	case stats.CreatorLevel:
		return e.UserID != 0
	case stats.LinkLevel:
		return e.LinkID != 0
	}
	return l == stats.AdvertiserLevel
}

func TestAWrongRollupIsFound(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	click := w.event(stats.ClickValid, 0, w.acme, w.anna, 1, 0, 7, 9)
	w.record(click, w.event(stats.OrderPaid, 0, w.acme, w.anna, 1, 100, 7, 9))
	verify := func(events ...stats.Fact) (out []affiliate.Difference) {
		is.NoErr(w.store.Read(t.Context(), func(ctx context.Context, tx stats.Tx) (err error) {
			recount := stats.NewRecount(stats.ClickPart)
			is.NoErr(recount.Add(events...))
			out, err = recount.Verify(ctx, tx)
			return err
		}))
		return out
	}
	is.Equal(len(verify(click)), 0) // the order is not its part
	is.Equal(len(verify()), 3)
	found := verify(click, click)
	is.Equal(len(found), 3)
	is.Equal(found[0].String(), fmt.Sprintf("statistics of 2026-03-18 advertiser %d source 1: kept clicks 1 click_earning 7 click_cost 9, really clicks 2 click_earning 14 click_cost 18", w.acme.ID))
	w.record(w.event(stats.ClickBot, 1, w.acme, w.anna, 0, 0, 0, 0))
	is.Equal(len(verify(click)), 2)
}
