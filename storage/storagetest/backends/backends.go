// Package backends opens every backend of this module, so that the tests of a
// service run over each: what holds on one holds on all.
package backends

import (
	"errors"
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// Each runs a test once for each backend, in parallel, on a fresh store.
func Each(t *testing.T, test func(t *testing.T, b storagetest.Backend)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, Memory())
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t, Database(t)))
	})
}

// Memory is a fresh memory backend.
func Memory() storagetest.Backend {
	return storagetest.BackendOf(memory.New())
}

// Database is the DSN of a fresh PostgreSQL database with all tables, dropped
// when the test ends.
func Database(tb testing.TB) string {
	tb.Helper()
	dsn := pgtest.DSN(tb)
	db, err := postgres.Open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(postgres.Migrate(tb.Context(), db, postgres.Options{}), db.Close()); err != nil {
		tb.Fatal(err)
	}
	return dsn
}

// HideEvents takes the tables of clicks, orders and entries out of a database, so
// that only the roll-ups of them are left to be read.
func HideEvents(tb testing.TB, dsn string) {
	tb.Helper()
	db, err := postgres.Open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	for _, table := range []string{"affiliate_clicks", "affiliate_orders", "affiliate_entries"} {
		_, failed := db.ExecContext(tb.Context(), "ALTER TABLE "+table+" RENAME TO "+table+"_hidden")
		err = errors.Join(err, failed)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		tb.Fatal(err)
	}
}

// Postgres opens a database, as one process would; a test that opens it twice
// has two. It is closed when the test ends.
func Postgres(tb testing.TB, dsn string) storagetest.Backend {
	tb.Helper()
	sqldb, err := postgres.Open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sqldb.Close(); err != nil {
			tb.Error(err)
		}
	})
	db, err := postgres.New(sqldb, postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return storagetest.BackendOf(db)
}
