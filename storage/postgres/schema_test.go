package postgres

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// migrated is a database in which Migrate ran.
func migrated(t *testing.T) (*bun.DB, Options) {
	t.Helper()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	db, err := Open(dsn)
	is.NoErr(err)
	t.Cleanup(func() { _ = db.Close() })
	o := Options{Schema: schema}
	is.NoErr(Migrate(t.Context(), db, o))
	return db, o
}

// UPDATE_SCHEMA=1 writes the list.
func TestTheListOfTheSchemaIsWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, o := migrated(t)
	parts, err := schemaParts(t.Context(), db, o.Schema)
	is.NoErr(err)
	is.True(len(parts) > 500)
	made := strings.Join(parts, "\n") + "\n"
	if os.Getenv("UPDATE_SCHEMA") != "" {
		is.NoErr(os.WriteFile("schema.txt", []byte(made), 0o644))
		return
	}
	if made != schemaList {
		t.Error("schema.txt is not what the migrations make; write it with: UPDATE_SCHEMA=1 go test ./storage/postgres -run ListOfTheSchema")
	}
	is.NoErr(CheckSchema(t.Context(), db, o))
}

func TestCheckSchemaNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	db, o := migrated(t)
	table := func(name string) bun.Safe { return bun.Safe(`"` + o.Schema + `".` + name) }
	for name, change := range map[string]string{
		"affiliate_webhook_attempts": `DROP TABLE ? CASCADE`,
		"affiliate_advertisers":      `ALTER TABLE ? DROP COLUMN logo_url`,
		"affiliate_categories":       `ALTER TABLE ? DROP CONSTRAINT affiliate_categories_name_key`,
	} {
		_, err := db.ExecContext(ctx, change, table(name))
		is.NoErr(err)
	}
	err := CheckSchema(ctx, db, o)
	is.True(errors.Is(err, ErrSchema))
	for _, part := range []string{"table affiliate_webhook_attempts", "column affiliate_advertisers.logo_url", "constraint affiliate_categories.affiliate_categories_name_key", o.Schema} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
	is.True(!strings.Contains(err.Error(), "column affiliate_webhook_attempts")) // of a table that is not there the name is enough
	is.True(errors.Is(Baseline(ctx, db, o), ErrSchema))

	err = CheckSchema(ctx, db, Options{Schema: "nowhere"})
	is.True(errors.Is(err, ErrSchema))
	is.True(strings.Contains(err.Error(), "none of its tables is in the schema nowhere"))
}

// A host that changes over from its own tool to Migrate.
func TestBaselineNotesWhatAnotherToolRan(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	db, o := migrated(t)
	_, err := db.ExecContext(ctx, `DROP TABLE ?`, bun.Safe(`"`+o.Schema+`".affiliate_migrations`))
	is.NoErr(err)
	err = Migrate(ctx, db, o)
	is.True(errors.Is(err, errNotNoted))
	is.True(strings.Contains(err.Error(), "Baseline"))
	_, err = db.ExecContext(ctx, `INSERT INTO ? (name, checksum, steps) VALUES ('0001_core.sql', 'another', 3)`, bun.Safe(`"`+o.Schema+`".affiliate_migrations`))
	is.NoErr(err) // and Migrate was stopped in the middle
	for range 2 {
		is.NoErr(Baseline(ctx, db, o))
		is.NoErr(Migrate(ctx, db, o))
	}
}

func TestMigrationFilesAreThoseOfTheTools(t *testing.T) {
	is := is.New(t)
	names, err := migrationNames()
	is.NoErr(err)
	for tool, first := range map[MigrationTool]string{Goose: "00001_core.sql", GolangMigrate: "00001_core.up.sql", Tern: "001_core.sql"} {
		files, err := MigrationFiles(tool)
		is.NoErr(err)
		entries, err := fs.ReadDir(files, ".")
		is.NoErr(err)
		is.Equal(len(entries), len(names))
		is.Equal(entries[0].Name(), first)
		is.NoErr(fstest.TestFS(files, first))
		is.NoErr(os.CopyFS(t.TempDir(), files))
		body, err := fs.ReadFile(files, first)
		is.NoErr(err)
		is.True(strings.Contains(string(body), "CREATE TABLE affiliate_advertisers"))
	}
	_, err = MigrationFiles("flyway")
	is.True(err != nil)
}

// Tools know a file by its version: a new one comes at the end.
func TestVersionsOfMigrationsStayAsTheyAre(t *testing.T) {
	is := is.New(t)
	first := []string{
		"0001_core.sql", "0002_links.sql", "0003_productlists.sql", "0004_deals.sql", "0005_offers.sql", "0006_stats.sql", "0007_orders.sql",
		"0008_payouts.sql", "0009_identity.sql", "0009_mail.sql", "0009_media.sql", "0010_adsync.sql", "0011_last_days.sql", "0011_viewers.sql",
		"0014_house.sql", "0015_advertiser.sql", "0016_stats_configs.sql", "0017_adsync_engine.sql", "0018_events.sql", "0019_webhooks.sql",
	}
	names, err := migrationNames()
	is.NoErr(err)
	is.Equal(names[:len(first)], first)
}
