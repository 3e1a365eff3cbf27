package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// one gives a handle a single connection, so that what it keeps can be asked for.
func one(tb testing.TB, handle *bun.DB) *bun.DB {
	tb.Cleanup(func() { is.New(tb).NoErr(handle.Close()) })
	handle.SetMaxOpenConns(1)
	return handle
}

func preparedBy(tb testing.TB, handle *bun.DB) (texts []string) {
	tb.Helper()
	is.New(tb).NoErr(handle.NewRaw(`SELECT statement FROM pg_prepared_statements ORDER BY 1`).Scan(tb.Context(), &texts))
	return texts
}

func backendOn(tb testing.TB, db bun.IDB) *postgres.DB {
	tb.Helper()
	backend, err := postgres.New(db, postgres.Options{})
	is.New(tb).NoErr(err)
	return backend
}

// hostHandle is a handle that a host opened on pgx itself, in one of its modes.
func hostHandle(tb testing.TB, dsn string, mode pgx.QueryExecMode) *bun.DB {
	tb.Helper()
	config, err := pgx.ParseConfig(dsn)
	is.New(tb).NoErr(err)
	config.DefaultQueryExecMode = mode
	return one(tb, bun.NewDB(stdlib.OpenDB(*config), pgdialect.New()))
}

func openOne(tb testing.TB, dsn string) *bun.DB {
	tb.Helper()
	handle, err := postgres.Open(dsn)
	is.New(tb).NoErr(err)
	return one(tb, handle)
}

// alone is a world on a handle of one connection.
func alone(tb testing.TB) (*bun.DB, *postgres.DB, world) {
	tb.Helper()
	handle := openOne(tb, migrated(tb))
	db := backendOn(tb, handle)
	return handle, db, newWorld(tb, db, 3, 2)
}

// recorded is alone with all prepared that a recording asks.
func recorded(tb testing.TB) (*bun.DB, *postgres.DB, world) {
	tb.Helper()
	handle, db, w := alone(tb)
	is.New(tb).NoErr(w.record(tb.Context(), db, w.clicks(0, "before")))
	return handle, db, w
}

func TestARecordingIsPreparedOnceForAConnection(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle, db, w := recorded(t)
	first := preparedBy(t, handle)
	is.True(len(first) >= 7) // links, users, advertisers, blocklist, visits; clicks, entries, days
	is.NoErr(w.record(t.Context(), db, w.clicks(1, "again")))
	is.Equal(preparedBy(t, handle), first)
}

// Where a pooler stands between, a statement that one transaction prepared may
// be unknown to the connection of the next. Whoever says so gets none.
func TestOnlyConnectionsThatMayPrepareDo(t *testing.T) {
	t.Parallel()
	dsn := migrated(t)
	for _, c := range []struct {
		name   string
		handle *bun.DB
		want   bool
	}{
		{"opened by Open", openOne(t, dsn), true},
		{"opened by Open for a pooler", openOne(t, dsn+"&default_query_exec_mode=simple_protocol"), false},
		{"opened by Open without a cache", openOne(t, dsn+"&statement_cache_capacity=0"), false},
		{"opened by the host", hostHandle(t, dsn, pgx.QueryExecModeCacheStatement), true},
		{"opened by the host for a pooler", hostHandle(t, dsn, pgx.QueryExecModeSimpleProtocol), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			tx, err := c.handle.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
			is.NoErr(err)
			defer func() { is.NoErr(tx.Rollback()) }()
			w := newWorld(t, backendOn(t, tx), 1, 1)
			for i := range 2 { // the second finds what the first learned
				is.NoErr(w.record(t.Context(), backendOn(t, tx), w.clicks(i, "may")[:1]))
			}
			var ours int
			is.NoErr(tx.NewRaw(`SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FOR NO KEY UPDATE'`).Scan(t.Context(), &ours))
			is.Equal(ours > 0, c.want)
		})
	}
}

// A newer version of the module may have added a column while this one runs.
func TestAPreparedStatementOutlivesAMigration(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle, db, w := recorded(t)
	ask := func(i int) {
		t.Helper()
		is.NoErr(w.record(t.Context(), db, w.clicks(i, "ask")))
		is.NoErr(db.Links().Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Links().Targets(ctx, []int64{w.links[0].ID})
			is.NoErr(err)
			_, err = tx.Usage().Lock(ctx, []offers.UsageKey{{UserID: w.users[0].ID}})
			is.NoErr(err)
			_, err = tx.Blocklist().AddMissing(ctx, affiliate.BlocklistEntry{AdvertiserID: w.advertisers[0].ID, UserID: w.users[i].ID, CreatedAt: noon})
			return err
		}))
	}
	ask(1)
	var tables []string
	is.NoErr(handle.NewRaw(`SELECT tablename FROM pg_tables WHERE tablename LIKE 'affiliate\_%'`).Scan(t.Context(), &tables))
	for _, table := range tables {
		_, err := handle.ExecContext(t.Context(), `ALTER TABLE ? ADD COLUMN of_the_next_version text`, bun.Ident(table))
		is.NoErr(err)
	}
	ask(2)
}

// A plan is kept that was made while the tables had a few rows, and nobody has
// analyzed them since: it must still find rows by their keys.
func TestPreparedStatementsFindTheirRowsByKeyInTablesThatGrew(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle, db, w := alone(t)
	for i := range 8 { // after five the server keeps the plan
		is.NoErr(w.record(t.Context(), db, w.clicks(i, "plan")[:1]))
	}
	const many = 20_000
	for _, statement := range []string{
		`INSERT INTO affiliate_users (username, username_key, display_name, email, phone, locale, social_types, social_identifiers)
		 SELECT 'creator ' || i, 'creator ' || i, '', '', '', '', '{}', '{}' FROM generate_series(1, ` + strconv.Itoa(many) + `) AS i`,
		`INSERT INTO affiliate_links (user_id, advertiser_id, key, original_url, target_url, template)
		 SELECT 1, 1, sha256(i::text::bytea), 'https://shop.example', 'https://shop.example', ':TARGET_URL' FROM generate_series(1, ` + strconv.Itoa(many) + `) AS i`,
		`INSERT INTO affiliate_clicks (id, link_id, user_id, advertiser_id, at, source, visitor, verdict, reason, currency, earning, cost, terms)
		 SELECT gen_random_uuid(), i, 1, 1, now(), 0, substring(sha256(i::text::bytea) FOR 16), 'valid', '', 'SEK', 0, 0, '' FROM generate_series(1, ` + strconv.Itoa(many) + `) AS i`,
	} {
		_, err := handle.ExecContext(t.Context(), statement)
		is.NoErr(err)
	}
	scanned := func() (rows int64) {
		is.NoErr(handle.NewRaw(`SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables, pg_stat_force_next_flush()
			WHERE relname IN ('affiliate_users', 'affiliate_links', 'affiliate_clicks')`).Scan(t.Context(), &rows))
		return rows
	}
	scanned() // flushes what was counted so far when its transaction ends
	before := scanned()
	for i := range 8 {
		is.NoErr(w.record(t.Context(), db, w.clicks(100+i, "find")[:1]))
	}
	scanned()
	if read := scanned() - before; read > 1000 {
		t.Errorf("%d rows were read", read)
	}
}

// A pooler that gives a transaction another connection than the last one had
// does not tell, and what was prepared is not there.
func TestAUnitWhoseStatementsAreForgottenRunsAgainWithoutThem(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle, db, w := recorded(t)
	_, err := handle.ExecContext(t.Context(), `DEALLOCATE ALL`)
	is.NoErr(err)
	for i := range 2 {
		is.NoErr(w.record(t.Context(), db, w.clicks(1+i, "there")))
	}
	is.Equal(len(preparedBy(t, handle)), 0)
}

// In transactions of the host nothing runs again, and each has a backend of its
// own: what one of them learned of the connection is there for the next.
func TestATransactionOfTheHostIsRefusedOnceWhenStatementsAreForgotten(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle, _, w := recorded(t)
	_, err := handle.ExecContext(t.Context(), `DEALLOCATE ALL`)
	is.NoErr(err)
	var errs []error
	for i := range 2 {
		tx, err := handle.BeginTx(t.Context(), nil)
		is.NoErr(err)
		errs = append(errs, w.record(t.Context(), backendOn(t, tx), w.clicks(1+i, "host")))
		is.NoErr(tx.Rollback())
	}
	is.True(errors.Is(errs[0], affiliate.ErrUnavailable))
	is.NoErr(errs[1])
}

func TestAHookSeesAPreparedStatementWithoutItsArguments(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 1, 1)
	log := &statements{}
	watched := backendOn(t, handle.WithQueryHook(log))
	sent := log.during(t, func() error {
		return watched.Core().Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.Users().Get(ctx, w.users[0].ID)
			return err
		})
	})
	is.True(slices.ContainsFunc(sent, func(text string) bool { return strings.Contains(text, "WHERE (t.id = ?0)") }))
}

// pgx, as hosts open it, keeps what it prepared for each text. It must not keep one
// for each link.
func TestAConnectionKeepsNoStatementForEachText(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle := hostHandle(t, migrated(t), pgx.QueryExecModeCacheStatement)
	kit, err := affiliatekit.New(backendOn(t, handle), affiliatekit.Options{Links: links.Options{Clicks: links.Sync, RuleRefresh: time.Nanosecond}})
	is.NoErr(err)
	a, err := kit.Links.RegisterAdvertiser(t.Context(), links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Texts", Country: "SE", Currency: "SEK"}, Domains: []string{"texts.example"},
	})
	is.NoErr(err)
	u, err := kit.Core.CreateUser(t.Context(), affiliate.User{Username: "tove", VerifiedAt: noon})
	is.NoErr(err)
	round := func(n int) {
		v, _, err := kit.Links.Convert(t.Context(), links.Conversion{UserID: u.ID, URL: "https://texts.example/" + strconv.Itoa(n)})
		is.NoErr(err)
		r, err := kit.Links.Follow(t.Context(), links.Hit{LinkID: v.Link.ID, IP: "192.0.2.7", UserAgent: strconv.Itoa(n)})
		is.NoErr(err)
		_, _, err = kit.Orders.Report(t.Context(), orders.Report{AdvertiserID: a.ID, Number: strconv.Itoa(n), Value: decimal.NewFromInt(int64(n + 1)), ClickIDs: []uuid.UUID{r.Click.Value.ID}})
		is.NoErr(err)
		_, err = kit.Core.UpdateUser(t.Context(), u.ID, func(u *affiliate.User) { u.DisplayName = strconv.Itoa(n) })
		is.NoErr(err)
	}
	for n := range 3 {
		round(n)
	}
	known := preparedBy(t, handle)
	for n := range 40 {
		round(3 + n)
	}
	if got := preparedBy(t, handle); len(got) != len(known) {
		t.Errorf("%d statements after 3 rounds, %d after 43; a new one is %q", len(known), len(got), slices.DeleteFunc(got, func(s string) bool { return slices.Contains(known, s) }))
	}
}
