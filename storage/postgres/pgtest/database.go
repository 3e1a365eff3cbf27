package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvURL names the environment variable with the address of a server to use instead of a
// throwaway cluster.
const EnvURL = "TEST_DATABASE_URL"

// cleanupTimeout bounds what a test's cleanup asks of the server.
const cleanupTimeout = 30 * time.Second

// server is what the tests of this process share. It keeps the cluster reachable: an abandoned
// one is garbage collected, and that closes the supervisor's pipe.
type server struct {
	dsn     string
	cluster *Cluster // nil: somebody else's server
}

// shared is started by the first test that asks, and by no more. Nobody stops its cluster: it
// belongs to the process, and its supervisor stops it when the process ends.
var shared = sync.OnceValues(func() (*server, error) {
	if given := os.Getenv(EnvURL); given != "" {
		return &server{dsn: given}, nil
	}
	c, err := Start(context.Background(), Options{})
	if err != nil {
		return nil, err
	}
	return &server{dsn: c.DSN("postgres"), cluster: c}, nil
})

// DSN gives the test an empty database of its own, dropped when the test ends.
// Where a schema will do, Schema is cheaper.
func DSN(tb testing.TB) string {
	tb.Helper()
	return database(tb, "")
}

func database(tb testing.TB, options string) string {
	tb.Helper()
	server, name := Server(tb), uniqueName()
	own, err := withDatabase(server, name)
	if err != nil {
		tb.Fatal(err)
	}
	quoted := pgx.Identifier{name}.Sanitize()
	// FORCE: a test that leaks a connection has its own finding to report.
	execute(tb, server, "CREATE DATABASE "+quoted+options, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
	return own
}

// Schema gives the test an empty schema of its own in a database that others use as well, and
// that database's DSN. The schema is dropped with everything in it when the test ends.
func Schema(tb testing.TB) (dsn, schema string) {
	tb.Helper()
	server, name := Server(tb), uniqueName()
	quoted := pgx.Identifier{name}.Sanitize()
	execute(tb, server, "CREATE SCHEMA "+quoted, "DROP SCHEMA IF EXISTS "+quoted+" CASCADE")
	return server, name
}

// Server is the DSN of the server that DSN and Schema use, starting it when this is the first
// call. The test fails when there is none.
func Server(tb testing.TB) string {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s.dsn
}

func withDatabase(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("pgtest: %s: %w", EnvURL, err)
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("pgtest: %s must be a postgres:// URL", EnvURL)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// uniqueName is a name that no other test uses, in this or any other process.
func uniqueName() string { return "test_" + strings.ToLower(rand.Text()) }

// execute runs a statement now and its opposite when the test ends.
func execute(tb testing.TB, dsn, do, undo string) {
	tb.Helper()
	// The cleanup stands first: a statement may fail on its way back and still have worked.
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if err := run(ctx, dsn, undo); err != nil {
			tb.Errorf("pgtest: %s: %v", undo, err)
		}
	})
	if err := run(tb.Context(), dsn, do); err != nil {
		tb.Fatalf("pgtest: %s: %v", do, err)
	}
}

func run(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
