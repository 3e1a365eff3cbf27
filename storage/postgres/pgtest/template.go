package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Template is a prepared database that tests take copies of: a copy costs a fraction of running
// the migrations again. It is safe for concurrent use.
type Template struct {
	createOptions string // what CREATE DATABASE needs for a copy
}

// NewTemplate makes a database, has prepare fill it (migrations, fixtures) and keeps it until tb
// ends; so it is made in the test whose subtests use it. Connections that prepare leaves are closed.
func NewTemplate(tb testing.TB, prepare func(ctx context.Context, dsn string) error) *Template {
	tb.Helper()
	dsn := DSN(tb)
	if err := prepare(tb.Context(), dsn); err != nil {
		tb.Fatalf("pgtest: prepare the template: %v", err)
	}
	options, err := seal(tb.Context(), Server(tb), dsn)
	if err != nil {
		tb.Fatalf("pgtest: seal the template: %v", err)
	}
	return &Template{createOptions: options}
}

// DSN gives the test a copy of the template for itself, dropped when the test ends.
func (t *Template) DSN(tb testing.TB) string {
	tb.Helper()
	return database(tb, t.createOptions)
}

// seal closes the template to connections, because one connection, even the autovacuum's,
// would make a copy fail. It returns the options for copying it.
func seal(ctx context.Context, server, template string) (options string, err error) {
	config, err := pgx.ParseConfig(template)
	if err != nil {
		return "", err
	}
	name := pgx.Identifier{config.Database}.Sanitize()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := conn.Close(ctx); err == nil {
			err = closeErr
		}
	}()
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false"); err != nil {
		return "", err
	}
	// A pooler keeps connections when its clients have closed theirs.
	if _, err := conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", config.Database); err != nil {
		return "", err
	}
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return "", err
	}
	options = " TEMPLATE " + name
	if version >= strategyVersion {
		// With 40 tables, eight tests at once on two cores, a copy of the files took 13 ms, a
		// copy through the log (the default) 25 ms, and building the tables anew 42 ms.
		options += " STRATEGY file_copy"
	}
	return options, nil
}

// strategyVersion is the first version whose CREATE DATABASE has a choice of strategy; before it
// there was only the file copy.
const strategyVersion = 15_00_00
