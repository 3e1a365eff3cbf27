package links_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// clickWorld is one campaign under load: an advertiser, creators, their links.
type clickWorld struct {
	core  *affiliate.Service
	links []int64
}

const (
	benchCreators = 100
	benchLinks    = 1000
)

func newClickWorld(b *testing.B, backend storagetest.Backend) clickWorld {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	core, err := affiliate.NewService(backend.Core, affiliate.Options{})
	must(err)
	service, err := links.NewService(backend.Links, links.Options{})
	must(err)
	_, err = service.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "acme", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12)}}},
		Domains:    []string{"acme.example"},
	})
	must(err)
	w := clickWorld{core: core}
	var users []int64
	for i := range benchCreators {
		u, err := core.CreateUser(ctx, affiliate.User{Username: fmt.Sprint("creator", i)})
		must(err)
		users = append(users, u.ID)
	}
	_, err = core.ApproveUsers(ctx, users, 0)
	must(err)
	for i := range benchLinks {
		v, _, err := service.Convert(ctx, links.Conversion{UserID: users[i%benchCreators], URL: fmt.Sprintf("https://acme.example/product/%d?color=red", i)})
		must(err)
		w.links = append(w.links, v.Link.ID)
	}
	return w
}

// load runs work on n goroutines for a time and returns how often a second it ran.
func load(b *testing.B, n int, lasting time.Duration, work func(worker, i int) error) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), lasting)
	defer cancel()
	var done atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for worker := range n {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := work(worker, i); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// inTurn measures ours and its floors one after the other, three times over,
// so that a slow moment of the machine falls on all of them.
func inTurn(measure ...func() float64) []float64 {
	const turns = 3
	rates := make([]float64, len(measure))
	for range turns {
		for i, m := range measure {
			rates[i] += m() / turns
		}
	}
	return rates
}

// BenchmarkClicksPostgres is clicks per second into a durable server (fsync
// on), each from a new visitor, by mode and number of connections. Its floors:
//
//   - x-transaction: one hand-written transaction for each click, an INSERT and
//     an UPDATE of the campaign's budget, on as many connections.
//   - x-unnest: the same rows in the same four tables (clicks, ledger entries,
//     totals and roll-ups), with the same indexes, by bare INSERT … SELECT FROM unnest,
//     one transaction after the other, each of as many clicks as the mode can
//     gather: 512, or one for each connection that waits.
func BenchmarkClicksPostgres(b *testing.B) {
	useDurableServer(b)
	dsn := backends.Database(b)
	sqldb, err := postgres.Open(dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { sqldb.Close() })
	sqldb.SetMaxOpenConns(256)
	sqldb.SetMaxIdleConns(256)
	db, err := postgres.New(sqldb, postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	backend := storagetest.Backend{Core: db.Core(), Links: db.Links()}
	w := newClickWorld(b, backend)
	floor := newClickFloor(b, dsn)
	const lasting = time.Second
	for _, mode := range []links.ClickMode{links.Sync, links.GroupCommit, links.Async} {
		for _, connections := range []int{1, 32, 256} {
			gathers := 512
			if mode != links.Async {
				gathers = min(gathers, connections)
			}
			b.Run(fmt.Sprintf("%s/%d", mode, connections), func(b *testing.B) {
				for b.Loop() {
					rates := inTurn(
						func() float64 { return w.follow(b, backend.Links, mode, connections, lasting) },
						func() float64 { return load(b, connections, lasting, floor.transaction) },
						func() float64 {
							return float64(gathers) * load(b, 1, lasting, func(_, i int) error { return floor.unnest(gathers, i) })
						},
					)
					b.ReportMetric(rates[0], "clicks/s")
					b.ReportMetric(rates[0]/rates[1], "x-transaction")
					b.ReportMetric(rates[0]/rates[2], "x-unnest")
				}
			})
		}
	}
}

// durableServer is one server for all benchmarks here, since pgtest asks for
// its address once. It goes with the process.
var durableServer = sync.OnceValues(func() (*pgtest.Cluster, error) {
	return pgtest.Start(context.Background(), pgtest.Options{Durable: true, Settings: map[string]string{"max_connections": "600"}})
})

// useDurableServer makes backends.Database one that survives a crash, as in production.
func useDurableServer(b *testing.B) {
	b.Helper()
	cluster, err := durableServer()
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv(pgtest.EnvURL, cluster.DSN("postgres"))
}

// follow returns how many clicks a second the service kept, those of Async
// mode counted when they are committed.
func (w clickWorld) follow(b *testing.B, store links.Store, mode links.ClickMode, connections int, lasting time.Duration) float64 {
	b.Helper()
	service, err := links.NewService(store, links.Options{Clicks: mode})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := service.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	run := uuid.NewString()
	start := time.Now()
	rate := load(b, connections, lasting, func(worker, i int) error {
		_, err := service.Follow(b.Context(), links.Hit{LinkID: w.links[(worker*7919+i)%len(w.links)], IP: fmt.Sprint(run, worker, ".", i), UserAgent: "Firefox"})
		return err
	})
	answered := rate * time.Since(start).Seconds()
	stop()
	running.Wait()
	if mode != links.Async {
		return rate
	}
	return (answered - float64(service.Dropped())) / time.Since(start).Seconds()
}

// clickFloor writes the rows of clicks by hand.
type clickFloor struct{ db *sql.DB }

func newClickFloor(b *testing.B, dsn string) clickFloor {
	b.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		b.Fatal(err)
	}
	db := stdlib.OpenDB(*config) // prepared statements: as fast as pgx is
	db.SetMaxOpenConns(256)
	db.SetMaxIdleConns(256)
	b.Cleanup(func() { db.Close() })
	for _, statement := range []string{
		`CREATE TABLE floor_clicks (LIKE affiliate_clicks INCLUDING ALL)`,
		`CREATE TABLE floor_entries (LIKE affiliate_entries INCLUDING ALL)`,
		`CREATE TABLE floor_totals (LIKE affiliate_totals INCLUDING ALL)`,
		`CREATE TABLE floor_days (LIKE affiliate_stats INCLUDING ALL)`,
		`CREATE TABLE floor_budgets (id bigint PRIMARY KEY, spent bigint NOT NULL)`,
		`INSERT INTO floor_budgets VALUES (1, 0)`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	return clickFloor{db}
}

const floorTerms = `{"origin":"advertiser","origin_id":1,"source":0,"currency":"SEK","cpc":10,"invoice_cpc":12,"cpa":"0","invoice_cpa":"0"}`

func (f clickFloor) transaction(worker, i int) (err error) {
	ctx := context.Background()
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `INSERT INTO floor_clicks (id, link_id, user_id, advertiser_id, at, source, visitor, verdict, reason, currency, earning, cost, terms)
		VALUES ($1, $2, $3, 1, $4, 0, $5, 'valid', '', 'SEK', 10, 12, $6)`,
		id.String(), 1+(worker*7919+i)%benchLinks, 1+i%benchCreators, time.Now(), id[:], floorTerms); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `UPDATE floor_budgets SET spent = spent + 12 WHERE id = 1`); err != nil {
		return err
	}
	return tx.Commit()
}

// floorBatch is n clicks in columns, and what they add up to for each creator.
type floorBatch struct {
	ids, accounts, causes []string
	linkIDs, userIDs      []int64
	times                 []time.Time
	visitors              [][]byte

	creators, clicks, earned, spent []int64
	creatorAccounts                 []string
	rollups                         floorRollups
}

// floorRollups are the daily roll-ups of the batch: of the advertiser, of each
// creator and of each link.
type floorRollups struct{ levels, users, links, clicks, earned, spent []int64 }

func (r *floorRollups) add(level, user, link, clicks int64) {
	r.levels, r.users, r.links = append(r.levels, level), append(r.users, user), append(r.links, link)
	r.clicks, r.earned, r.spent = append(r.clicks, clicks), append(r.earned, 10*clicks), append(r.spent, 12*clicks)
}

func newFloorBatch(n, i int) (*floorBatch, error) {
	var b floorBatch
	for j := range n {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		visitor, err := uuid.NewRandom()
		if err != nil {
			return nil, err
		}
		user := int64(1 + j%benchCreators)
		b.ids, b.linkIDs, b.userIDs = append(b.ids, id.String()), append(b.linkIDs, int64(1+(i*n+j)%benchLinks)), append(b.userIDs, user)
		b.times, b.visitors = append(b.times, time.Now()), append(b.visitors, visitor[:])
		b.accounts, b.causes = append(b.accounts, fmt.Sprint("user:", user)), append(b.causes, "click:"+id.String())
		if j < benchCreators {
			b.creators, b.creatorAccounts = append(b.creators, user), append(b.creatorAccounts, b.accounts[j])
			b.clicks, b.earned, b.spent = append(b.clicks, 0), append(b.earned, 0), append(b.spent, 0)
		}
		at := j % benchCreators
		b.clicks[at], b.earned[at], b.spent[at] = b.clicks[at]+1, b.earned[at]+10, b.spent[at]+12
	}
	b.rollups.add(1, 0, 0, int64(n))
	for at, user := range b.creators {
		b.rollups.add(3, user, 0, b.clicks[at])
	}
	counted := map[int64]int64{} // clicks by link
	for _, link := range b.linkIDs {
		counted[link]++
	}
	for _, link := range slices.Sorted(maps.Keys(counted)) {
		b.rollups.add(4, 1+link%benchCreators, link, counted[link])
	}
	return &b, nil
}

func (f clickFloor) unnest(n, i int) error {
	b, err := newFloorBatch(n, i)
	if err != nil {
		return err
	}
	ctx := context.Background()
	conn, err := f.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	statements := []struct {
		text string
		args []any
	}{
		{`INSERT INTO floor_clicks (id, link_id, user_id, advertiser_id, at, source, visitor, verdict, reason, currency, earning, cost, terms)
			SELECT id, link_id, user_id, 1, at, 0, visitor, 'valid', '', 'SEK', 10, 12, $6
			FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bytea[]) AS t (id, link_id, user_id, at, visitor)`,
			[]any{b.ids, b.linkIDs, b.userIDs, b.times, b.visitors, floorTerms}},
		{`INSERT INTO floor_entries (kind, account, advertiser_id, currency, earning, cost, occurred_at, payable_at, cause, terms)
			SELECT 'click', account, 1, 'SEK', 10, 12, at, at, cause, $4
			FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS t (account, at, cause)`,
			[]any{b.accounts, b.times, b.causes, floorTerms}},
		{`INSERT INTO floor_totals AS t (account, currency, earned, paid, cost, entries)
			SELECT account, 'SEK', earned, 0, spent, n FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS b (account, earned, spent, n)
			ON CONFLICT (account, currency) DO UPDATE SET earned = t.earned + excluded.earned, cost = t.cost + excluded.cost, entries = t.entries + excluded.entries`,
			[]any{b.creatorAccounts, b.earned, b.spent, b.clicks}},
		{`INSERT INTO floor_days AS t (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source, views, clicks, duplicates, bots, blocked, capped, readers,
				orders, order_value, click_earning, click_cost, order_earning, order_cost, payments, payment_earning, payment_cost)
			SELECT level, 1, current_date, 0, user_id, link_id, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, earned, spent, 0, 0, 0, 0, 0
			FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS b (level, user_id, link_id, n, earned, spent)
			ON CONFLICT (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source) DO UPDATE SET clicks = t.clicks + excluded.clicks,
				click_earning = t.click_earning + excluded.click_earning, click_cost = t.click_cost + excluded.click_cost`,
			[]any{b.rollups.levels, b.rollups.users, b.rollups.links, b.rollups.clicks, b.rollups.earned, b.rollups.spent}},
	}
	return conn.Raw(func(driver any) error {
		return pgx.BeginFunc(ctx, driver.(*stdlib.Conn).Conn(), func(tx pgx.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(ctx, s.text, s.args...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkConvert is a conversion of a new URL among 100,000 advertisers'
// rules, in memory. Its floor is the unit of work that it must run: insert the
// link and note the relation.
func BenchmarkConvert(b *testing.B) {
	backend := backends.Memory()
	w := newClickWorld(b, backend)
	ctx := b.Context()
	service, err := links.NewService(backend.Links, links.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 { // 100 rules each
		a, err := w.core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: fmt.Sprint("shop", i), Country: "SE", Currency: "SEK"})
		if err != nil {
			b.Fatal(err)
		}
		err = backend.Links.Write(ctx, func(ctx context.Context, tx links.Tx) error {
			for j := range 100 {
				if _, err := tx.Rules().Add(ctx, links.Rule{AdvertiserID: a.ID, Type: links.RuleAllow, URL: fmt.Sprintf("shop%d-%d.example", i, j)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	convert := func(i int) error {
		_, _, err := service.Convert(ctx, links.Conversion{UserID: 1, URL: fmt.Sprintf("https://acme.example/new/%d", i)})
		return err
	}
	insert := func(i int) error {
		url := fmt.Sprintf("https://acme.example/floor/%d", i)
		return backend.Links.Write(ctx, func(ctx context.Context, tx links.Tx) error {
			var key links.LinkKey
			copy(key[:], url[len(url)-min(len(url), 32):])
			if _, _, err := tx.Links().AddOrGet(ctx, links.Link{UserID: 1, AdvertiserID: 1, Key: key, OriginalURL: url, TargetURL: url, Template: ":TARGET_URL"}); err != nil {
				return err
			}
			return tx.Users().Relate(ctx, 1, 1, true)
		})
	}
	if err := convert(-1); err != nil { // compiles the rules
		b.Fatal(err)
	}
	n := 0
	var ours, floor time.Duration
	for b.Loop() {
		const chunk = 100
		ours += timed(b, chunk, func(i int) error { return convert(n + i) })
		floor += timed(b, chunk, func(i int) error { return insert(n + i) })
		n += chunk
	}
	b.ReportMetric(float64(ours.Nanoseconds())/float64(n), "ns/convert")
	b.ReportMetric(float64(ours)/float64(floor), "x-insert")
}

func timed(b *testing.B, n int, work func(i int) error) time.Duration {
	b.Helper()
	start := time.Now()
	for i := range n {
		if err := work(i); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
