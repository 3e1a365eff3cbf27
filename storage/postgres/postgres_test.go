package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestPostgresKeepsEveryPromiseOfAStore(t *testing.T) {
	copies := migratedTemplate(t)
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		db, err := postgres.New(openFailing(t, copies.DSN(t)), postgres.Options{Schema: schemaOfCopies})
		is.New(t).NoErr(err)
		b := backendOf(db)
		b.Failing = failingAt
		return b
	})
}

const schemaOfCopies = "affiliate"

// migratedTemplate is a database to copy in which Migrate ran.
func migratedTemplate(t *testing.T) *pgtest.Template {
	t.Helper()
	return pgtest.NewTemplate(t, func(ctx context.Context, dsn string) error {
		handle, err := postgres.Open(dsn)
		if err != nil {
			return err
		}
		return errors.Join(postgres.Migrate(ctx, handle, postgres.Options{Schema: schemaOfCopies}), handle.Close())
	})
}

// connected opens a copy.
func connected(t *testing.T, dsn string) *postgres.DB {
	t.Helper()
	db, err := postgres.New(openHandle(t, dsn), postgres.Options{Schema: schemaOfCopies})
	is.New(t).NoErr(err)
	return db
}

// Most of what is prepared is for clicks.
func TestPostgresKeepsThePromisesOfClicksWithoutPreparing(t *testing.T) {
	t.Parallel()
	copies := migratedTemplate(t)
	storagetest.RunLinks(t, func(t *testing.T) storagetest.Backend {
		return backendOf(connected(t, copies.DSN(t)+"&default_query_exec_mode=simple_protocol"))
	})
}

func backendOf(db *postgres.DB) storagetest.Backend {
	return storagetest.BackendOf(db)
}
