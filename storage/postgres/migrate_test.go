package postgres_test

import (
	"errors"
	"io/fs"
	"sync"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func TestManyProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{"", "a_schema_to_be_made"} {
		t.Run("schema "+schema, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			dsn, o := pgtest.DSN(t), postgres.Options{Schema: schema}
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
	is.True(err != nil)
	is.True(!errors.Is(err, affiliate.ErrUnavailable)) // trying again is of no use
}
