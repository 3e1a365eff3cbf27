package stats_test

import (
	"context"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// Whoever owns an event records it in the unit in which it happens; a refund
// counts on the day of its order.
func Example() {
	store := memory.New().Stats()
	day := stats.DayOf(time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), nil)
	sek := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
	err := store.Write(context.Background(), func(ctx context.Context, tx stats.Tx) error {
		return stats.Record(ctx, tx,
			stats.Fact{Kind: stats.ClickValid, Day: day, AdvertiserID: 1, OfferID: 2, UserID: 3, LinkID: 4, Earning: sek(100), Cost: sek(150)},
			stats.Fact{Kind: stats.OrderPaid, Day: day, AdvertiserID: 1, OfferID: 2, UserID: 3, LinkID: 4, Value: sek(50000), Earning: sek(2500), Cost: sek(3000)},
			stats.Fact{Kind: stats.OrderChanged, Day: day, AdvertiserID: 1, OfferID: 2, UserID: 3, LinkID: 4, Value: sek(-10000), Earning: sek(-500), Cost: sek(-600)},
		)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.Read(context.Background(), func(ctx context.Context, tx stats.Tx) error {
		series, err := stats.Days(ctx, tx, stats.Filter{OfferIDs: []int64{2}, From: day, Until: day.AddDate(0, 0, 2)})
		for _, row := range series.PerDay {
			fmt.Println(row.Day.Format(time.DateOnly), row.Clicks, row.Orders, row.OrderValue, row.Earnings(), row.Cost())
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2026-03-18 1 1 40000 2100 2550
	// 2026-03-19 0 0 0 0 0
}
