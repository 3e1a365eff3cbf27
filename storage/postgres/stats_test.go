package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// The migration counts what was there before as the code counts what comes.
func TestMigrationCountsLikeTheCode(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	db, handle := openInPath(t)
	w := newWorld(t, db, 5, 2)
	seedOffers(ctx, t, handle, 10, offers.Target{Kind: offers.TargetEveryone})
	clicks := w.clicks(0, "a")
	sek := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
	is.NoErr(w.record(ctx, db, clicks))
	is.NoErr(db.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
		var more []links.Click
		var events []stats.Fact
		for i, c := range w.clicks(1, "b")[:20] {
			c.Verdict, c.OfferID = links.Verdicts()[i%5], int64(i%3)
			if c.Verdict != links.VerdictValid {
				c.Earning, c.Cost, c.Reason = sek(0), sek(0), "why"
			}
			c.Visitor = links.VisitorKey{byte(i % 4), 1}
			more = append(more, c)
			events = append(events, stats.Fact{
				Kind: stats.ClickValid + stats.Kind(i%5), Day: stats.DayOf(c.At, nil), AdvertiserID: c.AdvertiserID, OfferID: c.OfferID, UserID: c.UserID,
				LinkID: c.LinkID, Source: c.Source, Reader: stats.Reader(c.Visitor), Earning: c.Earning, Cost: c.Cost,
			})
		}
		if err := tx.Clicks().Add(ctx, more...); err != nil {
			return err
		}
		paid := affiliate.Entry{
			Kind: affiliate.EntryParticipation, Account: affiliate.UserAccount(w.users[0].ID), AdvertiserID: w.advertisers[0].ID, Earning: sek(500), Cost: sek(600),
			OccurredAt: noon.AddDate(0, 0, -3), PayableAt: noon, Cause: "participation:1", Terms: `{"offer_id":2}`,
		}
		kept, err := tx.Ledger().Append(ctx, paid)
		if err != nil {
			return err
		}
		if err := stats.RecordPayment(ctx, tx, kept[0], kept[0]); err != nil {
			return err
		}
		back, err := affiliate.Reverse(ctx, tx, noon, affiliate.Reversal{EntryID: kept[0].ID, Earning: sek(100), Cost: sek(200), Cause: "reversal:1"})
		if err != nil {
			return err
		}
		if err := stats.RecordPayment(ctx, tx, kept[0], back); err != nil {
			return err
		}
		return stats.Record(ctx, tx, events...)
	}))
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	is.NoErr(err)
	_, err = kit.Links.ReverseClick(ctx, clicks[3].ID)
	is.NoErr(err)
	scan := func() []stats.Rollup {
		var out []stats.Rollup
		is.NoErr(db.Stats().Read(ctx, func(ctx context.Context, tx stats.Tx) (err error) {
			out, err = tx.Stats().Scan(ctx, stats.Key{}, 10000)
			return err
		}))
		return out
	}
	counted := scan()
	is.True(len(counted) > 10)
	for _, statement := range []string{
		`DROP TABLE affiliate_stats, affiliate_stats_readers`,
		`CREATE TABLE affiliate_click_days (date date)`,
		`CREATE TABLE affiliate_offer_days (date date)`,
		`DELETE FROM affiliate_migrations WHERE name = '0006_stats.sql'`,
	} {
		_, err := handle.ExecContext(ctx, statement)
		is.NoErr(err)
	}
	is.NoErr(postgres.Migrate(ctx, handle, postgres.Options{}))
	migrated := scan()
	is.Equal(len(migrated), len(counted))
	for i := range counted {
		if counted[i] != migrated[i] {
			t.Errorf("%s: the code counted %s, the migration %s", counted[i].Key, counted[i].Figures.String(), migrated[i].Figures.String())
		}
	}
}

// seedStats makes the roll-ups of a month: 100 advertisers with ten campaigns
// each, 10,000 creators, 100,000 links. Dense, every link has a click or more on
// every day, ten million in all, and a million orders; otherwise each has one
// click in the month, and 10,000 orders are among them.
func seedStats(ctx context.Context, tb testing.TB, handle *bun.DB, dense bool) {
	tb.Helper()
	days, clicks, orders := "generate_series(0, 29)", "2 + (hashint8(l * 31 + d) & 3)", "(l + d) % 3 = 0"
	if !dense {
		days, clicks, orders = "generate_series((l % 30)::int, (l % 30)::int)", "1", "l % 10 = 0"
	}
	columns := `level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source, views, clicks, duplicates, bots, blocked, capped, readers,
		orders, order_value, click_earning, click_cost, order_earning, order_cost, payments, payment_earning, payment_cost`
	rest := `0, sum(clicks), 0, 0, 0, 0, 0, sum(orders), sum(order_value), sum(click_earning), sum(click_cost), sum(order_earning), sum(order_cost), 0, 0, 0
		FROM affiliate_stats WHERE level = `
	for _, statement := range []string{
		`INSERT INTO affiliate_stats (` + columns + `)
			SELECT 4, 1 + l % 100, DATE '2026-03-01' + d, 1 + (l % 100) * 10 + (l / 100) % 10, 1 + l % 10000, l, 0, (l / 7) % 2,
				0, c, 0, 0, 0, 0, 0, o, 10000 * o, 10 * c, 12 * c, 500 * o, 800 * o, 0, 0, 0
			FROM generate_series(1, 100000) AS l, ` + days + ` AS d, LATERAL (SELECT ` + clicks + ` AS c) AS x,
				LATERAL (SELECT CASE WHEN ` + orders + ` THEN 1 ELSE 0 END AS o) AS y`,
		`INSERT INTO affiliate_stats (` + columns + `) SELECT 3, advertiser_id, date, offer_id, user_id, 0, 0, source, ` + rest + `4 GROUP BY 2, 3, 4, 5, 8`,
		`INSERT INTO affiliate_stats (` + columns + `) SELECT 2, advertiser_id, date, offer_id, 0, 0, 0, source, ` + rest + `3 GROUP BY 2, 3, 4, 8`,
		`INSERT INTO affiliate_stats (` + columns + `) SELECT 1, advertiser_id, date, 0, 0, 0, 0, source, ` + rest + `2 GROUP BY 2, 3, 8`,
		`VACUUM ANALYZE affiliate_stats`,
	} {
		if _, err := handle.ExecContext(ctx, statement); err != nil {
			tb.Fatalf("%s…: %v", strings.TrimSpace(statement[:40]), err)
		}
	}
}

// BenchmarkStatistics is a month of an advertiser, a campaign, a creator and a
// link, day by day, among the roll-ups of ten million clicks and a million orders; x-100k is what it
// takes in comparison with those of a hundred thousand. Lists grow with what they
// show, which the two data sets differ in: see the rows they report.
func BenchmarkStatistics(b *testing.B) {
	many, manyHandle := openInPath(b)
	few, fewHandle := openInPath(b)
	seedStats(b.Context(), b, manyHandle, true)
	seedStats(b.Context(), b, fewHandle, false)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	until := from.AddDate(0, 1, 0)
	for _, q := range []struct {
		name string
		f    stats.Filter
	}{
		{"advertiser", stats.Filter{AdvertiserIDs: []int64{7}}},
		{"campaign", stats.Filter{OfferIDs: []int64{345}}},
		{"creator", stats.Filter{UserIDs: []int64{4567}}},
		{"participant", stats.Filter{OfferIDs: []int64{75}, UserIDs: []int64{7}}},
		{"link", stats.Filter{LinkIDs: []int64{45678}}},
	} {
		q.f.From, q.f.Until = from, until
		b.Run(q.name, func(b *testing.B) {
			read := func(db *postgres.DB) func() error {
				return func() error {
					return db.Stats().Read(b.Context(), func(ctx context.Context, tx stats.Tx) error {
						_, err := stats.Days(ctx, tx, q.f)
						return err
					})
				}
			}
			for b.Loop() {
				atMany, _ := percentiles(b, 100, read(many))
				atFew, _ := percentiles(b, 100, read(few))
				b.ReportMetric(float64(atMany.Microseconds()), "µs/month")
				b.ReportMetric(float64(atMany)/float64(atFew), "x-100k")
			}
		})
	}
	for _, by := range []stats.Dimensions{stats.ByUser, stats.ByLink} {
		b.Run(fmt.Sprint("list/", by), func(b *testing.B) {
			var shown int
			for b.Loop() {
				p50, _ := percentiles(b, 10, func() error {
					return many.Stats().Read(b.Context(), func(ctx context.Context, tx stats.Tx) error {
						page, err := tx.Stats().Page(ctx, stats.Filter{AdvertiserIDs: []int64{7}, From: from, Until: until}, by,
							[]affiliate.Sort{{Column: "clicks", Desc: true}}, affiliate.PageRequest{Number: 1, Size: 15})
						shown = page.Total
						return err
					})
				})
				b.ReportMetric(float64(p50.Microseconds()), "µs/page")
			}
			b.ReportMetric(float64(shown), "items")
		})
	}
}
