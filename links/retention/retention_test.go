package retention_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/archive"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const day = 24 * time.Hour

// firstDay is when the history of a world begins.
var firstDay = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)

// world is a shop with half a year of clicks, and an order in its beginning.
type world struct {
	*is.I
	t      *testing.T
	b      storagetest.Backend
	now    *atomic.Int64
	links  *links.Service
	orders *orders.Service
	events *events.Service
	acme   affiliate.Advertiser
	link   links.Link
	order  orders.Order
	blobs  affiliate.Blobs
	all    []links.Click // as they were
}

func (w *world) clock() time.Time { return time.UnixMicro(w.now.Load()).UTC() }

func newWorld(t *testing.T, b storagetest.Backend) *world { return newWorldIn(t, b, "") }

// newWorldIn is a world whose shop is in a time zone.
func newWorldIn(t *testing.T, b storagetest.Backend, zone affiliate.TimeZone) *world {
	t.Helper()
	w := &world{I: is.New(t), t: t, b: b, now: &atomic.Int64{}, blobs: affiliate.NewMemoryBlobs()}
	w.now.Store(firstDay.UnixMicro())
	core, err := affiliate.NewService(b.Core, affiliate.Options{Clock: w.clock})
	w.NoErr(err)
	w.links, err = links.NewService(b.Links, links.Options{Clock: w.clock})
	w.NoErr(err)
	campaigns, err := offers.NewService(core, b.Offers, offers.Options{Clock: w.clock})
	w.NoErr(err)
	w.orders, err = orders.NewService(b.Orders, orders.Options{Clock: w.clock})
	w.NoErr(err)
	w.events, err = events.NewService(b.Events, events.Options{Clock: w.clock})
	w.NoErr(err)
	ctx := t.Context()
	w.acme, err = w.links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK", TimeZone: zone}, Domains: []string{"acme.example"},
	})
	w.NoErr(err)
	anna, err := core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: firstDay})
	w.NoErr(err)
	rate, err := affiliate.ParseRate("rate", "0.05")
	w.NoErr(err)
	_, err = campaigns.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: w.acme.ID, Type: offers.Standard, Name: "spring",
		Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12), CPA: affiliate.Some(rate), InvoiceCPA: affiliate.Some(rate)}}},
	}})
	w.NoErr(err)
	v, _, err := w.links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	w.NoErr(err)
	w.link = v.Link
	for i := range 18 { // every ten days: two readers, one of them twice, and a bot
		w.click(fmt.Sprint("192.0.2.", 1+i), "Firefox")
		first := w.click(fmt.Sprint("192.0.3.", 1+i), "Firefox")
		w.click(fmt.Sprint("192.0.3.", 1+i), "Firefox")
		w.click("192.0.4.1", "Googlebot/2.1")
		if i == 0 {
			w.order, _, err = w.orders.Report(ctx, orders.Report{
				AdvertiserID: w.acme.ID, Number: "A1", Value: decimal.RequireFromString("100"), ClickIDs: []uuid.UUID{first.ID},
				Lines: []orders.LineInput{{SKU: "x", Quantity: 1, Value: decimal.RequireFromString("100")}},
			})
			w.NoErr(err)
			w.Equal(w.order.Source, orders.ByClick)
		}
		if i == 1 {
			_, err := w.links.ReverseClick(ctx, first.ID)
			w.NoErr(err)
		}
		if zone != "" && i == 11 { // one in each hour around the day from which clicks will be kept
			for hour := range 240 {
				w.click(fmt.Sprint("192.0.5.", 1+hour), "Firefox")
				w.now.Add(time.Hour.Microseconds())
			}
			continue
		}
		w.now.Add((10 * day).Microseconds())
	}
	w.all = w.kept()
	w.True(len(w.all) == 18*4 || zone != "" && len(w.all) == 18*4+240)
	w.verify()
	return w
}

func (w *world) click(ip, agent string) links.Click {
	w.t.Helper()
	to, err := w.links.Follow(w.t.Context(), links.Hit{LinkID: w.link.ID, IP: ip, UserAgent: agent})
	w.NoErr(err)
	return to.Click.Value
}

func (w *world) kept() []links.Click {
	w.t.Helper()
	clicks, err := affiliate.Read(w.t.Context(), affiliate.Store[links.Tx](w.b.Links), func(ctx context.Context, tx links.Tx) ([]links.Click, error) {
		return tx.Clicks().Scan(ctx, uuid.Nil, 1000)
	})
	w.NoErr(err)
	return clicks
}

// verify recomputes everything.
func (w *world) verify() {
	w.t.Helper()
	ofLinks, err := w.links.Verify(w.t.Context())
	w.NoErr(err)
	ofOrders, err := w.orders.Verify(w.t.Context())
	w.NoErr(err)
	for _, d := range slices.Concat(ofLinks, ofOrders) {
		w.t.Errorf("%s", d)
	}
}

func (w *world) service(o retention.Options) *retention.Service {
	w.t.Helper()
	return w.serviceOver(w.b.Links, o)
}

func (w *world) serviceOver(clicks links.Store, o retention.Options) *retention.Service {
	w.t.Helper()
	o.Clock = w.clock
	s, err := retention.NewService(retention.Stores{Links: clicks, Orders: w.b.Orders, Events: w.b.Events, Webhooks: w.b.Webhooks}, o)
	w.NoErr(err)
	return s
}

// archived is what the archive has, by id; a click that it has twice fails the test.
func (w *world) archived() map[uuid.UUID]links.Click {
	w.t.Helper()
	out := make(map[uuid.UUID]links.Click)
	for c, err := range archive.Clicks(w.t.Context(), w.blobs, time.Time{}) {
		w.NoErr(err)
		if _, twice := out[c.ID]; twice {
			w.t.Errorf("the archive has %s twice", c.ID)
		}
		out[c.ID] = c
	}
	return out
}

// complete fails unless each click is kept or in the archive.
func (w *world) complete() {
	w.t.Helper()
	have := w.archived()
	for _, c := range w.kept() {
		have[c.ID] = c
	}
	w.Equal(len(have), len(w.all))
	for _, c := range w.all {
		got := have[c.ID]
		got.Visitor, c.Visitor = links.VisitorKey{}, links.VisitorKey{}
		if got.Repeats == uuid.Nil { // what it repeats may be gone
			c.Repeats = uuid.Nil
		}
		w.Equal(got, c)
	}
}

func (w *world) sums() []stats.Row {
	w.t.Helper()
	rows, err := affiliate.Read(w.t.Context(), affiliate.Store[links.Tx](w.b.Links), func(ctx context.Context, tx links.Tx) ([]stats.Row, error) {
		return tx.Stats().Sum(ctx, stats.Filter{}, stats.ByDay|stats.ByOffer|stats.ByUser)
	})
	w.NoErr(err)
	return rows
}

var policy = retention.Policy{Visitors: 30 * day, Clicks: day}

func TestOldClicksGoAndEverySumStays(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		before := w.sums()
		var told []retention.Progress
		s := w.service(retention.Options{Blobs: w.blobs, Batch: 3, Progress: func(p retention.Progress) { told = append(told, p) }})
		r, err := s.Retain(t.Context(), policy)
		w.NoErr(err)
		// The history is 180 days. The window of 30 days, a day for duplicates and 31 for late reports stay.
		from := w.clock().Add(-62 * day).Truncate(day)
		w.Equal(r.ClicksFrom, from)
		kept := w.kept()
		w.Equal(r.Clicks, int64(len(w.all)-len(kept)))
		w.Equal(r.Visitors, int64(15*4)) // of all but those of the last 30 days
		for _, c := range kept {
			w.True(!c.At.Before(from))
			w.Equal(c.Visitor == links.VisitorKey{}, c.At.Before(w.clock().Add(-30*day).Truncate(day)))
		}
		w.Equal(len(w.archived()), len(w.all)-len(kept))
		w.complete()
		w.verify()
		w.Equal(w.sums(), before)
		w.True(len(told) > 10)
		w.Equal(told[0].Step, retention.Visitors)
		w.True(slices.ContainsFunc(told, func(p retention.Progress) bool { return p.Step == retention.Clicks && p.Done == r.Clicks }))

		// The pages of the order and of the link answer, and the order can be corrected.
		x, err := w.orders.Explain(t.Context(), w.order.ID)
		w.NoErr(err)
		w.Equal(x.Order.UserID, w.link.UserID)
		w.True(len(x.Candidates) == 1 && x.Candidates[0].Chosen)
		_, err = w.orders.Correct(t.Context(), w.order.ID, orders.Correction{
			Value: affiliate.Some(decimal.RequireFromString("80")),
			Lines: affiliate.Some([]orders.LineInput{{SKU: "x", Quantity: 1, Value: decimal.RequireFromString("80")}}),
		})
		w.NoErr(err)
		_, err = w.links.ReverseClick(t.Context(), w.all[0].ID)
		w.True(errors.Is(err, affiliate.ErrNotFound))
		w.verify()

		again, err := s.Retain(t.Context(), policy)
		w.NoErr(err)
		w.Equal(again, retention.Report{ClicksFrom: from})
		w.now.Add((40 * day).Microseconds())
		later, err := s.Retain(t.Context(), policy)
		w.NoErr(err)
		w.Equal(later.Clicks, int64(4*4))
		w.complete()
		w.verify()
	})
}

// A day of the shop begins before the day in UTC from which on clicks are kept, or
// within it.
func TestEverySumStaysInEveryTimeZone(t *testing.T) {
	for _, zone := range []affiliate.TimeZone{"Pacific/Kiritimati", "Asia/Tokyo", "Europe/Stockholm", "America/Los_Angeles", "Pacific/Pago_Pago"} {
		t.Run(string(zone), func(t *testing.T) {
			w := newWorldIn(t, backends.Memory(), zone)
			before := w.sums()
			r, err := w.service(retention.Options{Blobs: w.blobs}).Retain(t.Context(), policy)
			w.NoErr(err)
			w.True(r.Clicks > 12*4+100 && len(w.kept()) > 6*4+50)
			w.verify()
			w.Equal(w.sums(), before)
			change := stats.Change{Key: stats.Key{AdvertiserID: w.acme.ID, Day: zone.Date(w.clock().Add(-60 * day))}, Levels: 1 << stats.AdvertiserLevel}
			change.Clicks = 1
			w.NoErr(w.b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error { return tx.Stats().Add(ctx, change) }))
			diffs, err := w.links.Verify(t.Context())
			w.NoErr(err)
			w.Equal(len(diffs), 1) // what is wrong in the days that are whole is told
		})
	}
}

func TestVerifyStillTellsWhatIsWrongInOldDays(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		_, err := w.service(retention.Options{Blobs: w.blobs}).Retain(t.Context(), policy)
		w.NoErr(err)
		w.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			change := stats.Change{Key: stats.Key{AdvertiserID: w.acme.ID, Day: links.DayOf(firstDay)}, Levels: 1 << stats.AdvertiserLevel}
			change.Clicks = 1
			return tx.Stats().Add(ctx, change)
		}))
		diffs, err := w.links.Verify(t.Context())
		w.NoErr(err)
		w.Equal(len(diffs), 1)
		w.True(strings.HasPrefix(diffs[0].What, "statistics of 2026-01-20"))
		w.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			return tx.Retention().Add(ctx, offers.Usage{UsageKey: offers.OfferUsage(w.order.OfferID), Counts: offers.Counts{Clicks: 1}})
		}))
		diffs, err = w.links.Verify(t.Context())
		w.NoErr(err)
		w.Equal(len(diffs), 2)
	})
}

// faulty is a store whose nth write fails, before or after its commit, and
// every one after it: the process has died.
type faulty struct {
	links.Store
	left   int
	commit bool
}

var errKilled = errors.New("killed")

func (f *faulty) Write(ctx context.Context, fn func(ctx context.Context, tx links.Tx) error) error {
	f.left--
	if f.left < 0 || f.left == 0 && !f.commit {
		return errKilled
	}
	err := f.Store.Write(ctx, fn)
	if f.left == 0 {
		return errKilled
	}
	return err
}

func TestNothingIsLostOrDoubledByACrashAtAnyWrite(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		for n := 0; ; n++ {
			store := &faulty{b.Links, 1 + n/2%9, n%2 == 0}
			_, err := w.serviceOver(store, retention.Options{Blobs: w.blobs, Batch: 1 + n%2}).Retain(t.Context(), policy)
			w.complete()
			w.verify()
			if err == nil {
				break
			}
			w.True(errors.Is(err, errKilled))
			w.True(n < 500)
		}
		w.Equal(len(w.archived())+len(w.kept()), len(w.all))
	})
}

func TestTwoAtOnceGiveUpEachClickOnce(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		done := make(chan retention.Report, 2)
		for batch := range 2 {
			s := w.service(retention.Options{Blobs: w.blobs, Batch: 1 + batch})
			go func() {
				var r retention.Report
				var err error
				for range 20 { // who loses too many races may call again
					var more retention.Report
					more, err = s.Retain(context.Background(), policy)
					r.Clicks += more.Clicks
					if err == nil {
						break
					}
				}
				if err != nil {
					t.Error(err)
				}
				done <- r
			}()
		}
		total := (<-done).Clicks + (<-done).Clicks
		w.Equal(total, int64(len(w.all)-len(w.kept())))
		w.complete()
		w.verify()
	})
}

func TestEventsAreArchivedAndOnlyThoseDeliveredGo(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		raise := func(id int) {
			w.NoErr(b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				return tx.Events().Add(ctx, affiliate.Event{Kind: "test.happened", Version: 1, Object: affiliate.Object{Type: "test", ID: fmt.Sprint(id)}, At: w.clock()})
			}))
		}
		_, err := w.events.Deliver(t.Context()) // numbers them
		w.NoErr(err)
		old, err := w.events.After(t.Context(), 0, 1000)
		w.NoErr(err)
		w.now.Add((10 * day).Microseconds())
		raise(1)
		_, err = w.events.Deliver(t.Context())
		w.NoErr(err)
		s := w.service(retention.Options{Blobs: w.blobs, Batch: 2})
		r, err := s.Retain(t.Context(), retention.Policy{Events: 5 * day})
		w.NoErr(err)
		w.Equal(r.Events, int64(len(old)))
		left, err := w.events.After(t.Context(), 0, 1000)
		w.NoErr(err)
		w.Equal(len(left), 1)
		archived := make(map[int64]affiliate.Event)
		for e, err := range archive.Events(t.Context(), w.blobs) {
			w.NoErr(err)
			archived[e.Sequence] = e
		}
		w.Equal(len(archived), len(old))
		for _, e := range old {
			got := archived[e.Sequence]
			w.Equal(got.Object, e.Object)
			w.Equal(got.At, e.At)
		}
	})
}

func TestAnswersAndAttemptsGoByTheirTime(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		for i := range 5 {
			w.NoErr(b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				k := affiliate.IdempotencyKey{Principal: "p", Key: fmt.Sprint(i), Token: "t", ExpiresAt: w.clock().Add(time.Duration(i-3) * time.Hour)}
				_, _, err := tx.IdempotencyKeys().Reserve(ctx, k, firstDay, 10)
				return err
			}))
		}
		r, err := w.service(retention.Options{Batch: 2}).Retain(t.Context(), retention.Policy{Attempts: day})
		w.NoErr(err)
		w.Equal(r.Answers, int64(4))
		w.Equal(r.Attempts, int64(0))
		w.Equal(len(w.kept()), len(w.all)) // the zero durations keep for ever
	})
}

func TestAWrongPolicyChangesNothing(t *testing.T) {
	w := newWorld(t, backends.Memory())
	for name, c := range map[string]struct {
		p     retention.Policy
		blobs affiliate.Blobs
		field string
	}{
		"negative":   {retention.Policy{Clicks: -1, Unarchived: true}, nil, "clicks"},
		"too short":  {retention.Policy{Visitors: 47 * time.Hour}, nil, "visitors"},
		"no archive": {retention.Policy{Clicks: day}, nil, "unarchived"},
		"late":       {retention.Policy{LateOrders: -1}, w.blobs, "late_orders"},
	} {
		_, err := w.service(retention.Options{Blobs: c.blobs}).Retain(t.Context(), c.p)
		e, ok := errors.AsType[*affiliate.Error](err)
		if !ok || len(e.Fields) == 0 || e.Fields[0].Field != c.field {
			t.Errorf("%s: got %v, want an error about %s", name, err, c.field)
		}
	}
	w.Equal(w.kept(), w.all)
	_, err := retention.NewService(retention.Stores{}, retention.Options{})
	w.True(err != nil)
	r, err := w.service(retention.Options{}).Retain(t.Context(), retention.Policy{Clicks: day, Unarchived: true})
	w.NoErr(err)
	w.True(r.Clicks > 0)
	w.Equal(len(slices.Collect(maps.Keys(w.archived()))), 0)
	w.verify()
}
