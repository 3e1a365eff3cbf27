package postgres_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// open gives a backend in a fresh schema, with these options at the end of its DSN.
func open(tb testing.TB, options ...string) *postgres.DB {
	tb.Helper()
	dsn, schema := pgtest.Schema(tb)
	return connect(tb, dsn+strings.Join(options, ""), schema)
}

// connect opens a handle of its own on a schema, as a process would.
func connect(tb testing.TB, dsn, schema string) *postgres.DB {
	tb.Helper()
	is := is.New(tb)
	handle := openHandle(tb, dsn)
	is.NoErr(postgres.Migrate(tb.Context(), handle, postgres.Options{Schema: schema}))
	db, err := postgres.New(handle, postgres.Options{Schema: schema})
	is.NoErr(err)
	return db
}

// openInPath gives a backend on the search path of a fresh database, and the
// handle below it.
func openInPath(tb testing.TB) (*postgres.DB, *bun.DB) {
	tb.Helper()
	return openMigrated(tb, pgtest.DSN(tb))
}

func openMigrated(tb testing.TB, dsn string) (*postgres.DB, *bun.DB) {
	tb.Helper()
	is := is.New(tb)
	handle := openHandle(tb, dsn)
	is.NoErr(postgres.Migrate(tb.Context(), handle, postgres.Options{}))
	db, err := postgres.New(handle, postgres.Options{})
	is.NoErr(err)
	return db, handle
}

func openHandle(tb testing.TB, dsn string) *bun.DB {
	tb.Helper()
	is := is.New(tb)
	handle, err := postgres.Open(dsn)
	is.NoErr(err)
	tb.Cleanup(func() { is.NoErr(handle.Close()) })
	return handle
}
