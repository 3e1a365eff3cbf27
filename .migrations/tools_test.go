// Package migrations_test runs the migrations with the tools that hosts use.
package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"testing"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/matryer/is"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// A host runs all files with its tool, checks the schema at its start, and works.
// Later it changes over to Migrate.
func TestAHostMigratesWithItsTool(t *testing.T) {
	for tool, run := range map[postgres.MigrationTool]func(*testing.T, *sql.DB){
		postgres.Goose:         withGoose,
		postgres.GolangMigrate: withGolangMigrate,
	} {
		t.Run(string(tool), func(t *testing.T) {
			t.Parallel()
			is, ctx := is.New(t), t.Context()
			dsn, schema := pgtest.Schema(t)
			host := open(t, inSchema(t, dsn, schema))
			handle := bun.NewDB(host, pgdialect.New())
			_, err := host.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS "`+schema+`"`)
			is.NoErr(err)
			o := postgres.Options{Schema: schema}
			is.True(errors.Is(postgres.CheckSchema(ctx, handle, o), postgres.ErrSchema)) // before

			for range 2 { // the second run finds nothing to do
				run(t, host)
			}
			is.NoErr(postgres.CheckSchema(ctx, handle, o))
			db, err := postgres.New(handle, o)
			is.NoErr(err)
			core, err := affiliate.NewService(db.Core(), affiliate.Options{})
			is.NoErr(err)
			_, err = core.CreateCategory(context.Background(), affiliate.Category{Name: "Shoes"})
			is.NoErr(err)

			is.True(postgres.Migrate(ctx, handle, o) != nil) // it says that Baseline is to be called
			is.NoErr(postgres.Baseline(ctx, handle, o))
			is.NoErr(postgres.Migrate(ctx, handle, o))
		})
	}
}

func withGoose(t *testing.T, db *sql.DB) {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.Goose)
	is.NoErr(err)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	is.NoErr(err)
	_, err = provider.Up(t.Context())
	is.NoErr(err)
}

func withGolangMigrate(t *testing.T, db *sql.DB) {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.GolangMigrate)
	is.NoErr(err)
	source, err := iofs.New(files, ".")
	is.NoErr(err)
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
	is.NoErr(err)
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	is.NoErr(err)
	if err := m.Up(); !errors.Is(err, migrate.ErrNoChange) {
		is.NoErr(err)
	}
}

// inSchema is the DSN of connections whose search_path is the schema.
func inSchema(t *testing.T, dsn, schema string) string {
	u, err := url.Parse(dsn)
	is.New(t).NoErr(err)
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(t *testing.T, dsn string) *sql.DB {
	db, err := sql.Open("pgx", dsn)
	is.New(t).NoErr(err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
