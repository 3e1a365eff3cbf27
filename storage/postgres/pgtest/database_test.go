//go:build unix

package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/matryer/is"
)

func TestDSNIsAnEmptyDatabaseThatGoesWithItsTest(t *testing.T) {
	is := is.New(t)
	var name string
	t.Run("owner", func(t *testing.T) {
		is := is.New(t)
		dsn, other := DSN(t), DSN(t)
		is.True(dsn != other)
		is.NoErr(run(t.Context(), dsn, "CREATE TABLE mine (n int)"))
		const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
		is.Equal(query[int](t, dsn, tables), 1)
		is.Equal(query[int](t, other, tables), 0)
		name = query[string](t, dsn, "SELECT current_database()")

		leaked, err := pgx.Connect(t.Context(), dsn)
		is.NoErr(err)
		is.NoErr(leaked.Ping(t.Context())) // still connected when the database is dropped
	})
	is.Equal(query[int](t, Server(t), "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"), 0)
}

func TestSchemaIsEmptyAndGoesWithItsTest(t *testing.T) {
	is := is.New(t)
	var schema string
	t.Run("owner", func(t *testing.T) {
		is := is.New(t)
		var dsn string
		dsn, schema = Schema(t)
		_, other := Schema(t)
		is.True(schema != other)
		is.NoErr(run(t.Context(), dsn, "CREATE TABLE "+schema+".mine (n int)"))
		is.Equal(query[int](t, dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = '"+schema+"'"), 1)
	})
	is.Equal(query[int](t, Server(t), "SELECT count(*) FROM pg_namespace WHERE nspname = '"+schema+"'"), 0)
}

func TestTemplateCopiesAreAlikeAndIndependent(t *testing.T) {
	var prepared []string
	template := NewTemplate(t, func(ctx context.Context, dsn string) error {
		prepared = append(prepared, dsn)
		return run(ctx, dsn, "CREATE TABLE prepared AS SELECT 7 AS n")
	})
	t.Run("copies", func(t *testing.T) { // returns when its parallel subtests have
		for range 8 {
			t.Run("copy", func(t *testing.T) {
				t.Parallel()
				is := is.New(t)
				dsn := template.DSN(t)
				is.NoErr(run(t.Context(), dsn, "INSERT INTO prepared VALUES (8)"))
				is.Equal(query[int](t, dsn, "SELECT count(*) FROM prepared"), 2) // one prepared, one its own
			})
		}
	})
	is := is.New(t)
	is.Equal(len(prepared), 1)                                // once for all copies
	is.True(run(t.Context(), prepared[0], "SELECT 1") != nil) // a connection would prevent copies
}

// A pooler's connection does not prevent copies.
func TestTemplateIsCopiedThoughAConnectionWasKept(t *testing.T) {
	template := NewTemplate(t, func(ctx context.Context, dsn string) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			t.Cleanup(func() { conn.Close(context.Background()) }) // fails: the server has closed it
		}
		return err
	})
	is.New(t).NoErr(run(t.Context(), template.DSN(t), "SELECT 1"))
}

// A text comparison that forgets COLLATE "C" has to show in tests.
func TestOwnClusterDoesNotSortByBytes(t *testing.T) {
	is := is.New(t)
	c, err := Start(t.Context(), Options{})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(c.Stop()) })
	// Version 15 is the first whose databases may have an ICU collation.
	english := query[bool](t, c.DSN("postgres"), `SELECT current_setting('server_version_num')::int >= 150000
		AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i')`)
	is.Equal(query[bool](t, c.DSN("postgres"), `SELECT 'a' < 'B'`), english)
	is.Equal(query[bool](t, c.DSN("postgres"), `SELECT 'a' < 'B' COLLATE "C"`), false)
}

func TestServerURLHasToBeAURL(t *testing.T) {
	is := is.New(t)
	_, err := withDatabase("host=localhost dbname=x", "y")
	is.True(err != nil)
	got, err := withDatabase("postgres://u:p@db.example:5433/x?sslmode=disable", "y")
	is.NoErr(err)
	is.Equal(got, "postgres://u:p@db.example:5433/y?sslmode=disable")
}
