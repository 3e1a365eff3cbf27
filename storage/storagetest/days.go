package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// otherDates are times on a day in UTC whose zones have another date: late on the day
// before, early on the day after.
func otherDates(day time.Time) []time.Time {
	return []time.Time{
		day.Add(4*time.Hour + 30*time.Minute).In(time.FixedZone("west", -5*3600)),
		day.Add(19 * time.Hour).In(time.FixedZone("east", 5*3600+1800)),
	}
}

// testStatsZones gives each call that takes a day a time of it in other zones.
func testStatsZones(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	clicks := func(f stats.Filter) (n int64) {
		for _, row := range sumStats(t, s, f, 0) {
			n += row.Clicks
		}
		return n
	}
	reader := stats.Reader{7}
	for i, when := range otherDates(statDay(1)) {
		a := w.advertisers[i].ID
		key := stats.Key{Level: stats.AdvertiserLevel, AdvertiserID: a, Day: when}
		write(t, s, func(ctx context.Context, tx links.Tx) error {
			var changes []stats.Change
			for _, day := range []time.Time{statDay(0), when, statDay(2)} {
				changes = append(changes, stats.Change{Key: stats.Key{AdvertiserID: a, Day: day}, Figures: stats.Figures{Clicks: 1}, Levels: 1 << stats.AdvertiserLevel})
			}
			return tx.Stats().Add(ctx, changes...)
		})
		of := []int64{a}
		equal(t, fmt.Sprint("from ", when), clicks(stats.Filter{AdvertiserIDs: of, From: when}), int64(2))
		equal(t, fmt.Sprint("until ", when), clicks(stats.Filter{AdvertiserIDs: of, Until: when}), int64(1))
		behind := see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Rollup, error) { return tx.Stats().Scan(ctx, key, 1) })
		equal(t, fmt.Sprint("behind ", when), behind[0].Day, statDay(2))

		visit := func(day time.Time) stats.Visit {
			return stats.Visit{AdvertiserID: a, OfferID: int64(70 + i), Day: day, Reader: reader}
		}
		meet := func(day time.Time) []stats.Visit {
			return put(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Visit, error) {
				return tx.Stats().Meet(ctx, visit(day))
			})
		}
		equal(t, fmt.Sprint("met at ", when), meet(when), []stats.Visit{visit(statDay(1))})
		equal(t, "met on its day", len(meet(statDay(1))), 0)
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Stats().Forget(ctx, when) })
		equal(t, fmt.Sprint("forgotten before ", when), len(meet(statDay(1))), 0)
	}
	equal(t, "roll-ups of the day", clicks(stats.Filter{From: statDay(1), Until: statDay(2)}), int64(2))
	for _, row := range scanStats(t, s) {
		equal(t, "day", row.Day, links.DayOf(row.Day))
	}
}

// testSecretZones asks for the secret of a day by times of it in other zones.
func testSecretZones(t *testing.T, s links.Store) {
	days := []links.VisitorSecret{{Date: statDay(0), Secret: hash(0)}, {Date: statDay(1), Secret: hash(1)}, {Date: statDay(2), Secret: hash(2)}}
	for _, day := range days {
		addSecret(t, s, day)
	}
	for _, when := range otherDates(statDay(1)) {
		equal(t, fmt.Sprint("secret at ", when), addSecret(t, s, links.VisitorSecret{Date: when, Secret: hash(9)}), days[1])
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.VisitorSecrets().RemoveBefore(ctx, when) })
		equal(t, fmt.Sprint("secret after those before ", when), addSecret(t, s, links.VisitorSecret{Date: statDay(1), Secret: hash(9)}), days[1])
		before := links.VisitorSecret{Date: statDay(0), Secret: hash(8)}
		equal(t, fmt.Sprint("the day before ", when), addSecret(t, s, before), before)
		write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.VisitorSecrets().RemoveBefore(ctx, statDay(1)) })
	}
}

// testPartZones asks who was active since and until times in other zones.
func testPartZones(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	p := w.participant
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return stats.Record(ctx, tx, stats.Fact{Kind: stats.ClickValid, Day: statDay(1), AdvertiserID: w.offer.AdvertiserID, OfferID: p.OfferID, UserID: p.UserID})
	})
	active := func(from, until time.Time) int {
		f := offers.ParticipantFilter{Active: affiliate.Some(true), From: from, Until: until}
		return see(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.Page[offers.Participant], error) {
			return tx.Participants().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 10})
		}).Total
	}
	for _, when := range otherDates(statDay(1)) {
		equal(t, fmt.Sprint("active since ", when), active(when, time.Time{}), 1)
		equal(t, fmt.Sprint("active until ", when), active(time.Time{}, when), 0)
	}
	for _, when := range otherDates(statDay(2)) {
		equal(t, fmt.Sprint("active since ", when), active(when, time.Time{}), 0)
		equal(t, fmt.Sprint("active until ", when), active(time.Time{}, when), 1)
	}
}
