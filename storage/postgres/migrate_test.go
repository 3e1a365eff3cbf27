package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestManyProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, options string }{{"", ""}, {"a_schema_to_be_made", ""}, {"", "&default_transaction_isolation=serializable"}} {
		t.Run("schema "+c.schema+c.options, func(t *testing.T) {
			t.Parallel()
			is, schema := is.New(t), c.schema
			dsn, o := pgtest.DSN(t)+c.options, postgres.Options{Schema: schema}
			handles := make([]*bun.DB, 8)
			for i := range handles {
				handles[i] = openHandle(t, dsn)
			}
			failures := make([]error, len(handles))
			var all sync.WaitGroup
			for i, handle := range handles {
				all.Go(func() { failures[i] = postgres.Migrate(t.Context(), handle, o) })
			}
			all.Wait()
			is.NoErr(errors.Join(failures...))
			is.NoErr(postgres.Migrate(t.Context(), handles[0], o)) // and again

			files, err := fs.Glob(postgres.Migrations(), "*.sql")
			is.NoErr(err)
			is.True(len(files) > 0)
			table := "affiliate_migrations"
			if schema != "" {
				table = schema + "." + table
			}
			var names []string
			is.NoErr(handles[0].NewRaw("SELECT name FROM ? ORDER BY name", bun.Safe(table)).Scan(t.Context(), &names))
			is.Equal(names, files) // each file once
			db, err := postgres.New(handles[1], o)
			is.NoErr(err)
			addGroup(t, db, "works")
		})
	}
}

func TestAMigrationThatWasRunMustNotChange(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	_, handle := openInPath(t)
	_, err := handle.ExecContext(t.Context(), `UPDATE affiliate_migrations SET checksum = 'another' WHERE name LIKE '0001%'`)
	is.NoErr(err)
	err = postgres.Migrate(t.Context(), handle, postgres.Options{})
	is.True(err != nil && strings.Contains(err.Error(), "0001_core.sql"))
	is.True(!errors.Is(err, affiliate.ErrUnavailable)) // trying again is of no use
}

// hook calls a function before each statement.
type hook func(query string)

func (h hook) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	h(e.Query)
	return ctx
}

func (hook) AfterQuery(context.Context, *bun.QueryEvent) {}

// Whatever statement a process is stopped at, the next one goes on there. One that ran
// twice would find what it makes.
func TestAMigrationThatIsStoppedGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	handle, o := openHandle(t, dsn), postgres.Options{Schema: schema}
	halfDone := 0
	starts := 1
	for ; ; starts++ {
		ctx, cancel := context.WithCancel(t.Context())
		left := 40 + starts // so that it stops at other places each time
		err := postgres.Migrate(ctx, handle.WithQueryHook(hook(func(string) {
			if left--; left == 0 {
				cancel()
			}
		})), o)
		cancel()
		if err == nil {
			break
		}
		is.True(errors.Is(err, affiliate.ErrUnavailable))
		is.True(starts < 200)
		var files int
		is.NoErr(handle.NewRaw(`SELECT count(*) FROM ?.affiliate_migrations WHERE steps IS NOT NULL`, bun.Ident(schema)).Scan(t.Context(), &files))
		is.True(files <= 1)
		halfDone += files
	}
	is.True(starts > 10)
	is.True(halfDone > 5)
	is.NoErr(postgres.CheckSchema(t.Context(), handle, o))
	var undone int
	is.NoErr(handle.NewRaw(`SELECT count(*) FROM ?.affiliate_migrations WHERE steps IS NOT NULL`, bun.Ident(schema)).Scan(t.Context(), &undone))
	is.Equal(undone, 0)
}

func TestAnotherProcessGoesOnWhenOneIsKilled(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	dsn, schema := pgtest.Schema(t)
	o := postgres.Options{Schema: schema}
	first, second := openHandle(t, dsn+"&application_name=first-"+schema), openHandle(t, dsn+"&application_name=second-"+schema)
	watcher := openHandle(t, dsn)
	reached, killed := make(chan struct{}), make(chan struct{})
	ended, ran := make(chan error, 1), make(chan error, 1)
	const middle = "CREATE TABLE affiliate_orders "
	go func() {
		ended <- postgres.Migrate(ctx, first.WithQueryHook(hook(func(query string) {
			if strings.HasPrefix(query, middle) {
				close(reached)
				<-killed
			}
		})), o)
	}()
	select {
	case <-reached:
	case err := <-ended:
		t.Fatalf("it never came to %q: %v", middle, err)
	}
	times := 0
	go func() {
		ran <- postgres.Migrate(ctx, second.WithQueryHook(hook(func(query string) {
			if strings.HasPrefix(query, middle) {
				times++
			}
		})), o)
	}()
	for waits := 0; waits == 0; { // the second for the first
		is.NoErr(watcher.NewRaw(`SELECT count(*) FROM pg_stat_activity WHERE application_name = ? AND wait_event_type = 'Lock'`, "second-"+schema).Scan(ctx, &waits))
		select {
		case err := <-ran:
			t.Fatalf("the second did not wait: %v", err)
		default:
		}
	}
	_, err := watcher.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ?`, "first-"+schema)
	is.NoErr(err)
	close(killed)
	is.True(<-ended != nil)
	is.NoErr(<-ran)
	is.Equal(times, 1)
	is.NoErr(postgres.CheckSchema(ctx, watcher, o))
}

// A database of before notes had steps, and before two files were written anew.
func TestADatabaseOfBeforeTheStepsIsKept(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	_, handle := openInPath(t)
	for _, statement := range []string{
		`ALTER TABLE affiliate_migrations DROP COLUMN steps`,
		`UPDATE affiliate_migrations SET checksum = 'a353f676bac6f05b52ea5c9c61745de011de10395ebdc9c757a7fe2735e48205' WHERE name = '0002_links.sql'`,
		`DELETE FROM affiliate_migrations WHERE name = '0028_rule_numbers.sql'`,
		`DROP TABLE affiliate_url_rule_sequence`,
		`ALTER TABLE affiliate_url_rule_changes DROP COLUMN number`,
		`ALTER TABLE affiliate_url_rule_changes ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()`,
		`CREATE INDEX affiliate_url_rule_changes_xid_idx ON affiliate_url_rule_changes (xid)`,
		`INSERT INTO affiliate_url_rule_changes (advertiser_id) VALUES (7)`,
	} {
		_, err := handle.ExecContext(ctx, statement)
		is.NoErr(err)
	}
	for range 2 {
		is.NoErr(postgres.Migrate(ctx, handle, postgres.Options{}))
	}
	is.NoErr(postgres.CheckSchema(ctx, handle, postgres.Options{}))
	var numbered int
	is.NoErr(handle.NewRaw(`SELECT count(*) FROM affiliate_url_rule_changes WHERE number IS NULL AND advertiser_id = 7`).Scan(ctx, &numbered))
	is.Equal(numbered, 1)
}

// databaseWith makes a database with the options of CREATE DATABASE.
func databaseWith(t *testing.T, options string) (dsn, name string) {
	t.Helper()
	is := is.New(t)
	server := openHandle(t, pgtest.Server(t))
	name = "test_" + strings.ToLower(rand.Text())
	_, err := server.ExecContext(t.Context(), `CREATE DATABASE ? `+options, bun.Ident(name))
	is.NoErr(err)
	t.Cleanup(func() {
		_, err := server.ExecContext(context.WithoutCancel(t.Context()), `DROP DATABASE ? WITH (FORCE)`, bun.Ident(name))
		is.NoErr(err)
	})
	u, err := url.Parse(pgtest.Server(t))
	is.NoErr(err)
	u.Path = "/" + name
	return u.String(), name
}

// Where text sorts by bytes anyway nothing is said about it, and all promises hold.
func TestADatabaseThatSortsByBytesNeedsNoCollation(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	dsn, name := databaseWith(t, `TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'`)
	handle, err := postgres.Open(dsn)
	is.NoErr(err)
	is.NoErr(postgres.Migrate(ctx, handle, postgres.Options{Schema: schemaOfCopies}))
	is.NoErr(postgres.CheckSchema(ctx, handle, postgres.Options{Schema: schemaOfCopies}))
	var other int
	is.NoErr(handle.NewRaw(`SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_collation AS l ON l.oid = a.attcollation
		WHERE c.relname LIKE 'affiliate%' AND l.collname <> 'default'`).Scan(ctx, &other))
	is.Equal(other, 0)
	is.NoErr(handle.Close())
	storagetest.RunCore(t, func(t *testing.T) storagetest.Backend {
		dsn, _ := databaseWith(t, `TEMPLATE `+name)
		return backendOf(connected(t, dsn))
	})
}

func TestTablesThatSortByALanguageAreNotThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	_, handle := openInPath(t)
	is.NoErr(postgres.CheckSchema(ctx, handle, postgres.Options{}))
	_, err := handle.ExecContext(ctx, `ALTER TABLE affiliate_users ALTER COLUMN username TYPE text COLLATE "default"`)
	is.NoErr(err)
	for _, check := range []func(context.Context, *bun.DB, postgres.Options) error{postgres.CheckSchema, postgres.Migrate} {
		err := check(ctx, handle, postgres.Options{})
		is.True(errors.Is(err, postgres.ErrSchema) && strings.Contains(err.Error(), "affiliate_users.username"))
	}
}
