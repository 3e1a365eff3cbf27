package orders_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// ordersStore is the store of package stats within that of orders.
type ordersStore struct{ of orders.Store }

func (s ordersStore) Read(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.of.Read(ctx, func(ctx context.Context, tx orders.Tx) error { return fn(ctx, tx) })
}

func (s ordersStore) Write(ctx context.Context, fn func(context.Context, stats.Tx) error) error {
	return s.of.Write(ctx, func(ctx context.Context, tx orders.Tx) error { return fn(ctx, tx) })
}

// Noon in UTC is one in the morning of the next day in Auckland.
func TestDaysAreThoseOfTheAdvertiser(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is, ctx := is.New(t), t.Context()
		w := newWorld(t, b)
		zone := func(z affiliate.TimeZone) error {
			_, err := w.core.UpdateAdvertiser(ctx, w.acme.ID, func(a *affiliate.Advertiser) { a.TimeZone = z })
			return err
		}
		is.NoErr(zone("Pacific/Auckland"))
		utc := w.shop("Utc", "utc.example", "SEK")
		w.offer(utc, func(*offers.Offer) {})
		other := w.convert(w.anna, "https://utc.example/")

		w.pass(-90 * time.Minute) // 10:30: half past eleven in the evening
		w.click(w.link)
		w.click(other)
		w.pass(time.Hour) // 11:30: half an hour after midnight
		c := w.click(w.link)
		w.click(other)
		w.pass(2 * time.Hour)
		sold := w.report(w.sale("1", "100", c))
		early := w.sale("2", "50", c)
		early.At = noon.Add(-20 * time.Minute)
		w.report(early)
		_, err := w.orders.Pay(ctx, orders.PaymentInput{AdvertiserID: w.acme.ID, UserID: w.anna.ID, Amount: 700, Comment: "bonus"})
		is.NoErr(err)
		w.pass(48 * time.Hour)
		_, _, err = w.orders.Refund(ctx, sold.ID, orders.RefundInput{Value: affiliate.Some(dec("25"))}) // counts on the day of the order
		is.NoErr(err)
		w.pass(6 * time.Hour) // 19:30, the 20th; in Auckland the 21st
		at, err := stats.NewService(ordersStore{b.Orders}, stats.Options{Clock: w.clock})
		is.NoErr(err)
		days := func(advertiserID int64) (out []string) {
			o, err := at.Overview(ctx, advertiserID, stats.Span{}, nil)
			is.NoErr(err)
			for _, day := range o.PerDay {
				if day.Figures != (stats.Figures{}) {
					out = append(out, fmt.Sprint(day.Day.Format(time.DateOnly), " ", day.Figures.String()))
				}
			}
			is.Equal(len(o.PerDay), 30)
			return append(out, o.PerDay[29].Day.Format(time.DateOnly))
		}
		is.Equal(days(w.acme.ID), []string{
			"2026-03-18 clicks 1 click_earning 10 click_cost 12",
			"2026-03-19 clicks 1 orders 2 order_value 12500 click_earning 10 click_cost 12 order_earning 625 order_cost 1000 payments 1 payment_earning 700 payment_cost 700",
			"2026-03-21",
		})
		is.Equal(days(utc.ID), []string{"2026-03-18 clicks 2 click_earning 20 click_cost 24", "2026-03-20"})
		byLink, err := w.links.LinkStats(ctx, w.acme.ID, stats.Span{From: noon.AddDate(0, 0, 1)}, nil, nil, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(byLink.Items[0].Clicks, int64(1))
		w.verify()

		is.Equal(code(zone("Europe/Stockholm")), "time_zone_in_use")
		is.NoErr(zone("Pacific/Auckland"))
		// A reader alone fixes it too: nothing was booked, but a click was counted.
		fresh := w.shop("Fresh", "fresh.example", "SEK")
		w.hit(w.convert(w.bo, "https://fresh.example/"), "192.0.9.1")
		_, err = w.core.UpdateAdvertiser(ctx, fresh.ID, func(a *affiliate.Advertiser) { a.TimeZone = "Asia/Tokyo" })
		is.Equal(code(err), "time_zone_in_use")
	})
}

// Declines, corrections and repricing find the day of their order in every zone.
func TestChangesOfOrdersCountOnTheirDayInEveryZone(t *testing.T) {
	for _, z := range []affiliate.TimeZone{"", "Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Pago_Pago"} {
		t.Run(string(z), func(t *testing.T) {
			is, ctx := is.New(t), t.Context()
			w := newWorld(t, backends.Memory())
			_, err := w.core.UpdateAdvertiser(ctx, w.acme.ID, func(a *affiliate.Advertiser) { a.TimeZone = z })
			is.NoErr(err)
			var last links.Click
			for hour := range 30 {
				last = w.click(w.link)
				o := w.report(w.sale(fmt.Sprint(hour), "100", last))
				w.pass(time.Hour)
				switch hour % 3 {
				case 0:
					_, err = w.orders.Decline(ctx, o.ID)
				case 1:
					_, err = w.orders.Correct(ctx, o.ID, orders.Correction{Value: affiliate.Some(dec("33.33"))})
				default:
					_, _, err = w.orders.Refund(ctx, o.ID, orders.RefundInput{Value: affiliate.Some(dec("10"))})
				}
				is.NoErr(err)
			}
			_, err = w.links.ReverseClick(ctx, last.ID)
			is.NoErr(err)
			w.verify()
			s, err := stats.NewService(ordersStore{w.b.Orders}, stats.Options{Clock: w.clock})
			is.NoErr(err)
			rows, err := s.Query(ctx, stats.Filter{AdvertiserIDs: []int64{w.acme.ID}}, stats.ByDay)
			is.NoErr(err)
			var sums [2]int64
			for _, r := range rows {
				sums[0], sums[1] = sums[0]+r.Clicks, sums[1]+r.Orders
			}
			is.Equal(sums, [2]int64{29, 20})
			is.True(slices.IsSortedFunc(rows, func(a, b stats.Row) int { return a.Day.Compare(b.Day) }))
		})
	}
}
