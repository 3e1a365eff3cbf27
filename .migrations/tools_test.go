// Package migrations_test runs the migrations with the tools that hosts use.
package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	atlas "ariga.io/atlas/sql/migrate"
	atlaspostgres "ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/sqltool"
	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	tern "github.com/jackc/tern/v2/migrate"
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
	for tool, newRun := range map[string]func(*testing.T, string, *sql.DB, ...postgres.Domain) func() error{
		"goose":          withGoose,
		"golang-migrate": withGolangMigrate,
		"tern":           withTern,
		"atlas":          withAtlas,
	} {
		for name, without := range map[string][]postgres.Domain{"all": nil, "some": {postgres.Deals, postgres.ProductLists, postgres.AdSync}} {
			t.Run(tool+"/"+name, func(t *testing.T) {
				// Not parallel: Atlas reads the whole catalog, and fails when another case drops its schema meanwhile.
				is, ctx := is.New(t), t.Context()
				dsn, schema := pgtest.Schema(t)
				dsn = inSchema(t, dsn, schema)
				host := open(t, dsn)
				handle := bun.NewDB(host, pgdialect.New())
				_, err := host.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS "`+schema+`"`)
				is.NoErr(err)
				o := postgres.Options{Schema: schema, Without: without}
				is.True(errors.Is(postgres.CheckSchema(ctx, handle, o), postgres.ErrSchema)) // before

				run := newRun(t, dsn, host, without...)
				for range 2 { // the second run finds nothing to do
					is.NoErr(run())
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
				o.Without = nil
				is.NoErr(postgres.Migrate(ctx, handle, o)) // which makes the rest
				is.NoErr(postgres.CheckSchema(ctx, handle, o))
			})
		}
	}
}

func withGoose(t *testing.T, _ string, db *sql.DB, without ...postgres.Domain) func() error {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.Goose, without...)
	is.NoErr(err)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	is.NoErr(err)
	return func() error {
		_, err := provider.Up(t.Context())
		return err
	}
}

func withGolangMigrate(t *testing.T, _ string, db *sql.DB, without ...postgres.Domain) func() error {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.GolangMigrate, without...)
	is.NoErr(err)
	source, err := iofs.New(files, ".")
	is.NoErr(err)
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
	is.NoErr(err)
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	is.NoErr(err)
	return func() error {
		if err := m.Up(); !errors.Is(err, migrate.ErrNoChange) {
			return err
		}
		return nil
	}
}

func withTern(t *testing.T, dsn string, _ *sql.DB, without ...postgres.Domain) func() error {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.Tern, without...)
	is.NoErr(err)
	conn, err := pgx.Connect(t.Context(), dsn)
	is.NoErr(err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	m, err := tern.NewMigrator(t.Context(), conn, "schema_version")
	is.NoErr(err)
	is.NoErr(m.LoadMigrations(files))
	return func() error { return m.Migrate(t.Context()) }
}

// withAtlas runs the files of golang-migrate, from a folder with the sums that
// "atlas migrate hash" writes.
func withAtlas(t *testing.T, _ string, db *sql.DB, without ...postgres.Domain) func() error {
	is := is.New(t)
	files, err := postgres.MigrationFiles(postgres.GolangMigrate, without...)
	is.NoErr(err)
	folder := t.TempDir()
	is.NoErr(os.CopyFS(folder, files))
	dir, err := sqltool.NewGolangMigrateDir(folder)
	is.NoErr(err)
	sums, err := dir.Checksum()
	is.NoErr(err)
	is.NoErr(atlas.WriteSumFile(dir, sums))
	driver, err := atlaspostgres.Open(db)
	is.NoErr(err)
	executor, err := atlas.NewExecutor(driver, dir, revisions{}, atlas.WithAllowDirty(true)) // the host has tables of its own
	is.NoErr(err)
	return func() error {
		if err := executor.ExecuteN(t.Context(), 0); !errors.Is(err, atlas.ErrNoPendingFiles) {
			return err
		}
		return nil
	}
}

// revisions is what atlas keeps of the files that it ran; its command keeps it in a
// table.
type revisions map[string]*atlas.Revision

func (revisions) Ident() *atlas.TableIdent { return &atlas.TableIdent{} }

func (r revisions) ReadRevisions(context.Context) ([]*atlas.Revision, error) {
	return slices.SortedFunc(maps.Values(r), func(a, b *atlas.Revision) int { return strings.Compare(a.Version, b.Version) }), nil
}

func (r revisions) ReadRevision(_ context.Context, version string) (*atlas.Revision, error) {
	if found, ok := r[version]; ok {
		return found, nil
	}
	return nil, atlas.ErrRevisionNotExist
}

func (r revisions) WriteRevision(_ context.Context, revision *atlas.Revision) error {
	r[revision.Version] = revision
	return nil
}

func (r revisions) DeleteRevision(_ context.Context, version string) error {
	delete(r, version)
	return nil
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
