//go:build sizes

// Package sizes_test measures what grows with the number of clicks: the same
// work among a million of them and among a hundred million. `make bench-sizes` runs it.
package sizes_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

const (
	// sizesVariable names the sizes: 1000000,10000000. The first is what the others are compared to.
	sizesVariable = "SIZES"
	// serverVariable names a server that keeps what was filled for the next run;
	// without it there is one that goes with the process.
	serverVariable = "SIZES_DATABASE_URL"
)

// markets are those that the variables name.
func markets(b *testing.B) []market {
	b.Helper()
	is := is.New(b)
	dsn := os.Getenv(serverVariable)
	if dsn == "" {
		cluster, err := pgtest.Start(context.Background(), pgtest.Options{Durable: true, Settings: map[string]string{"shared_buffers": "1GB", "max_wal_size": "4GB"}})
		is.NoErr(err)
		b.Cleanup(func() { is.NoErr(cluster.Stop()) })
		dsn = cluster.DSN("postgres")
	}
	var all []market
	for text := range strings.SplitSeq(os.Getenv(sizesVariable), ",") {
		clicks, err := strconv.ParseInt(text, 10, 64)
		is.NoErr(err)
		all = append(all, open(b, dsn, clicks))
	}
	return all
}

func BenchmarkSizes(b *testing.B) {
	all := markets(b)
	b.Run("redirect", func(b *testing.B) { benchmarkRedirects(b, all) })
	b.Run("month", func(b *testing.B) { benchmarkMonths(b, all) })
	for _, m := range all {
		b.Run(fmt.Sprint("retention/", m.clicks), m.benchmarkRetention)
	}
}

// compare measures each market in turn, several times over so that a slow moment
// of the machine falls on all of them, and reports the medians and how often
// the first one's fits into each.
func compare(b *testing.B, all []market, unit string, turns int, measure func(m market) float64) {
	b.Helper()
	for b.Loop() {
		measured := make([][]float64, len(all))
		for turn := range turns + 1 {
			for i, m := range all {
				if v := measure(m); turn > 0 { // the first is to warm up
					measured[i] = append(measured[i], v)
				}
			}
		}
		for i, m := range all {
			b.ReportMetric(median(measured[i]), fmt.Sprint(unit, "@", m.clicks))
			b.ReportMetric(median(measured[i])/median(measured[0]), fmt.Sprint("x@", m.clicks))
		}
	}
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// benchmarkRedirects is a redirect with its click, each of a new reader and paid.
func benchmarkRedirects(b *testing.B, all []market) {
	for _, run := range []struct {
		mode    links.ClickMode
		clients int
	}{{links.Sync, 1}, {links.GroupCommit, 1}, {links.GroupCommit, 64}} {
		b.Run(fmt.Sprintf("%s/%d", run.mode, run.clients), func(b *testing.B) {
			compare(b, all, "µs/click", 9, func(m market) float64 {
				const lasting = 2 * time.Second
				done := m.follow(b, m.db, run.mode, run.clients, time.After(lasting))
				return float64(lasting.Microseconds()) / float64(len(done))
			})
		})
	}
}

// written is a click and how long its reader waited.
type written struct {
	at     time.Time
	waited time.Duration
}

// follow has clients follow links until the time has come.
func (m market) follow(b *testing.B, db *postgres.DB, mode links.ClickMode, clients int, until <-chan time.Time) []written {
	b.Helper()
	service, err := links.NewService(db.Links(), links.Options{Clicks: mode})
	is.New(b).NoErr(err)
	ctx, stop := context.WithCancel(b.Context())
	run := rand.Text()
	done := make([][]written, clients)
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				start := time.Now()
				if _, err := service.Follow(b.Context(), links.Hit{LinkID: oneOf(m.links), IP: fmt.Sprint(run, client, ".", i), UserAgent: "Firefox"}); err != nil {
					b.Error(err)
					return
				}
				done[client] = append(done[client], written{start, time.Since(start)})
			}
		})
	}
	<-until
	stop()
	running.Wait()
	return slices.Concat(done...)
}

// benchmarkMonths is a month of statistics, and the pages that have one, of any
// of the months before this.
func benchmarkMonths(b *testing.B, all []market) {
	page := affiliate.PageRequest{Number: 1, Size: 15}
	byClicks := []affiliate.Sort{{Column: "clicks", Desc: true}}
	for _, q := range []struct {
		name  string
		times int
		read  func(ctx context.Context, m market, from, until time.Time) error
	}{
		{"advertiser", 200, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Stats.Query(ctx, stats.Filter{AdvertiserIDs: []int64{oneOf(m.advertisers)}, From: from, Until: until}, stats.ByDay)
			return err
		}},
		{"creator", 200, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Stats.Query(ctx, stats.Filter{UserIDs: []int64{oneOf(m.creators)}, From: from, Until: until}, stats.ByDay)
			return err
		}},
		{"link", 200, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Stats.Query(ctx, stats.Filter{LinkIDs: []int64{oneOf(m.links)}, From: from, Until: until}, stats.ByDay)
			return err
		}},
		{"overview", 100, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Stats.Overview(ctx, oneOf(m.advertisers), stats.Span{From: from, To: until.AddDate(0, 0, -1)}, nil)
			return err
		}},
		{"page_of_creators", 100, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Stats.Creators(ctx, oneOf(m.advertisers), stats.Span{From: from, To: until.AddDate(0, 0, -1)}, "", byClicks, page)
			return err
		}},
		{"page_of_links", 100, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Links.LinkStats(ctx, oneOf(m.advertisers), stats.Span{From: from, To: until.AddDate(0, 0, -1)}, nil, byClicks, page)
			return err
		}},
		{"page_of_clicks", 1, func(ctx context.Context, m market, from, until time.Time) error {
			_, err := m.kit.Links.Clicks(ctx, links.ClickFilter{AdvertiserID: oneOf(m.advertisers), From: from, Until: until}, page)
			return err
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			compare(b, all, "µs", 5, func(m market) float64 {
				spent := make([]float64, q.times)
				for i := range spent {
					now := time.Now().UTC()
					until := time.Date(now.Year(), now.Month()-time.Month(mathrand.IntN(months-4)), 1, 0, 0, 0, 0, time.UTC)
					start := time.Now()
					is.New(b).NoErr(q.read(b.Context(), m, until.AddDate(0, -1, 0), until))
					spent[i] = float64(time.Since(start).Nanoseconds()) / 1000
				}
				return median(spent)
			})
		})
	}
}

func oneOf(ids []int64) int64 { return ids[mathrand.IntN(len(ids))] }

// dropping notes when months are dropped.
type dropping struct {
	links.ClickParts
	began, ended time.Time
}

func (d *dropping) DropClicks(ctx context.Context, through uuid.UUID, now time.Time) error {
	d.began = time.Now()
	err := d.ClickParts.DropClicks(ctx, through, now)
	d.ended = time.Now()
	return err
}

// benchmarkRetention takes out the oldest month, with writers beside it: four
// that wait for the disk, and one that waits for locks alone. It reports the longest that
// one waited while the month was read and archived, while it was dropped, and
// for a minute at most without any retention.
func (m market) benchmarkRetention(b *testing.B) {
	is := is.New(b)
	ctx := b.Context()
	undurable, err := postgres.New(openHandle(b, m.dsn+"&synchronous_commit=off"), postgres.Options{Schema: m.schema})
	is.NoErr(err)
	blobs, err := affiliate.NewDirBlobs(b.TempDir())
	is.NoErr(err)
	drop := dropping{ClickParts: m.db.Links().(links.ClickParts)}
	kit, err := affiliatekit.New(m.db, affiliatekit.Options{Retention: retention.Options{Blobs: blobs, Parts: &drop}})
	is.NoErr(err)
	// beside runs writers beside work and returns what they wrote.
	beside := func(work func()) (durable, fast []written) {
		var running sync.WaitGroup
		stop := make(chan time.Time)
		running.Go(func() { durable = m.follow(b, m.db, links.GroupCommit, 4, stop) })
		running.Go(func() { fast = m.follow(b, undurable, links.Sync, 1, stop) })
		work()
		close(stop)
		running.Wait()
		return durable, fast
	}
	for b.Loop() {
		var oldest uuid.UUID
		is.NoErr(m.handle.NewRaw(`SELECT id FROM ?.affiliate_clicks ORDER BY id LIMIT 1`, bun.Ident(m.schema)).Scan(ctx, &oldest))
		month := monthOf(oldest)
		var report retention.Report
		start := time.Now()
		durable, fast := beside(func() {
			var err error
			report, err = kit.Retention.Retain(ctx, retention.Policy{Visitors: 30 * 24 * time.Hour, Clicks: time.Since(month.AddDate(0, 1, 0))})
			is.NoErr(err)
		})
		took := time.Since(start)
		bareDurable, bareFast := beside(func() { <-time.After(min(took, time.Minute)) })
		var left bool
		is.NoErr(m.handle.NewRaw(`SELECT to_regclass(?) IS NOT NULL`, m.schema+"."+tableOf(month)).Scan(ctx, &left))
		is.True(!left) // the month is gone
		b.ReportMetric(float64(report.Clicks), "clicks")
		b.ReportMetric(float64(report.Visitors), "keys")
		b.ReportMetric(took.Seconds(), "s")
		b.ReportMetric(float64(drop.ended.Sub(drop.began).Milliseconds()), "ms-drop")
		for _, w := range []struct {
			who        string
			with, bare []written
		}{{"durable", durable, bareDurable}, {"fast", fast, bareFast}} {
			b.ReportMetric(longest(w.with, start, drop.began), w.who+"-ms-archive")
			b.ReportMetric(longest(w.with, drop.began, drop.ended), w.who+"-ms-drop")
			b.ReportMetric(longest(w.bare, time.Time{}, time.Now()), w.who+"-ms-bare")
		}
	}
}

// monthOf is the month of an id.
func monthOf(id uuid.UUID) time.Time {
	sec, nsec := id.Time().UnixTime()
	t := time.Unix(sec, nsec).UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// longest is for how many ms one waited at most, of those that waited at any
// time between.
func longest(all []written, from, until time.Time) float64 {
	var most time.Duration
	for _, w := range all {
		if w.at.Before(until) && w.at.Add(w.waited).After(from) {
			most = max(most, w.waited)
		}
	}
	return float64(most.Microseconds()) / 1000
}
