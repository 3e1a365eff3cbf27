package postgres_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// importMany imports more products in a unit than arrays are for.
func importMany(tb testing.TB, db bun.IDB) {
	tb.Helper()
	is := is.New(tb)
	store, err := postgres.New(db, postgres.Options{})
	is.NoErr(err)
	service, err := productlists.NewService(store.ProductLists(), productlists.Options{})
	is.NoErr(err)
	for range 2 {
		report, err := service.Import(tb.Context(), &feed{lines: 1_500}, productlists.ImportOptions{})
		is.NoErr(err)
		is.Equal(report.Imported, 1_500)
	}
}

func countProducts(tb testing.TB, db bun.IDB) (n int) {
	tb.Helper()
	is.New(tb).NoErr(db.NewRaw(`SELECT count(*) FROM affiliate_products`).Scan(tb.Context(), &n))
	return n
}

func TestManyProductsAreCopiedInATransactionOfTheHost(t *testing.T) {
	is := is.New(t)
	_, handle := openInPath(t)
	for _, keep := range []bool{false, true} {
		tx, err := handle.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
		is.NoErr(err)
		importMany(t, tx)
		is.Equal(countProducts(t, tx), 1_500)
		if keep {
			is.NoErr(tx.Commit())
			is.Equal(countProducts(t, handle), 1_500)
		} else {
			is.NoErr(tx.Rollback())
			is.Equal(countProducts(t, handle), 0)
		}
	}
}

func TestManyProductsAreCopiedRatherThanUnnested(t *testing.T) {
	is := is.New(t)
	_, handle := openInPath(t)
	log := &statements{}
	for _, sent := range log.during(t, func() error { importMany(t, handle.WithQueryHook(log)); return nil }) {
		is.True(!strings.Contains(sent, "unnest") || strings.Contains(sent, "affiliate_events"))
	}
	is.Equal(countProducts(t, handle), 1_500)
}

// A driver that is not pgx takes no arguments but database/sql's own; a role
// may lack the right to temporary tables. Both get the arrays.
func TestManyProductsAreKeptWithoutCOPY(t *testing.T) {
	t.Run("another driver", func(t *testing.T) {
		is := is.New(t)
		config, err := pgx.ParseConfig(migrated(t))
		is.NoErr(err)
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		db := sql.OpenDB(hidden{stdlib.GetConnector(*config)})
		defer func() { is.NoErr(db.Close()) }()
		handle := bun.NewDB(db, pgdialect.New())
		importMany(t, handle)
		is.Equal(countProducts(t, handle), 1_500)
	})
	t.Run("no temporary tables", func(t *testing.T) {
		is := is.New(t)
		handle := openHandle(t, migrated(t))
		handle.SetMaxOpenConns(1) // SET ROLE is of a connection
		for _, statement := range []string{
			`DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$`,
			`DO $$ BEGIN EXECUTE format('CREATE ROLE %I', 'plain_' || current_database()); END $$`,
			`DO $$ BEGIN EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA public TO %I', 'plain_' || current_database()); END $$`,
			`DO $$ BEGIN EXECUTE format('SET ROLE %I', 'plain_' || current_database()); END $$`,
		} {
			_, err := handle.ExecContext(t.Context(), statement)
			is.NoErr(err)
		}
		defer func() {
			for _, statement := range []string{
				`RESET ROLE`,
				`DO $$ BEGIN EXECUTE format('DROP OWNED BY %I', 'plain_' || current_database()); END $$`,
				`DO $$ BEGIN EXECUTE format('DROP ROLE %I', 'plain_' || current_database()); END $$`,
			} {
				_, err := handle.ExecContext(context.WithoutCancel(t.Context()), statement)
				is.NoErr(err)
			}
		}()
		importMany(t, handle)
		is.Equal(countProducts(t, handle), 1_500)
	})
}

// An engine that has no temporary tables says so.
func TestManyProductsArePutWhereTheServerHasNoTemporaryTables(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	_, handle := openInPath(t)
	for _, statement := range []string{
		`CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not supported' USING ERRCODE = '0A000'; END $$`,
		`CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()`,
	} {
		_, err := handle.ExecContext(t.Context(), statement)
		is.NoErr(err)
	}
	importMany(t, handle)
	is.Equal(countProducts(t, handle), 1_500)
}

// migrated is a database with the tables.
func migrated(tb testing.TB) string {
	tb.Helper()
	dsn := pgtest.DSN(tb)
	is.New(tb).NoErr(postgres.Migrate(tb.Context(), openHandle(tb, dsn), postgres.Options{}))
	return dsn
}

// hidden is pgx without what pgx alone can do.
type hidden struct{ driver.Connector }

func (h hidden) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return plainConn{c, c.(driver.ConnBeginTx), c.(driver.QueryerContext), c.(driver.ExecerContext)}, nil
}

type plainConn struct {
	driver.Conn
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
}
