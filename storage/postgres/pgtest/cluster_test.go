//go:build unix

package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/matryer/is"
)

func TestDurableClusterKeepsCommitsAcrossKill(t *testing.T) {
	is := is.New(t)
	ctx := t.Context()
	c, err := Start(ctx, Options{Durable: true})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(c.Stop()) })
	is.Equal(query[string](t, c.DSN("postgres"), "SHOW fsync"), "on")

	is.NoErr(run(ctx, c.DSN("postgres"), "CREATE TABLE kept AS SELECT 42 AS n"))
	session, err := pgx.Connect(ctx, c.DSN("postgres"))
	is.NoErr(err)
	is.NoErr(c.Kill())
	is.True(session.Ping(ctx) != nil) // sessions die with the server
	is.True(run(ctx, c.DSN("postgres"), "SELECT 1") != nil)

	is.NoErr(c.Restart(ctx))
	is.Equal(query[int](t, c.DSN("postgres"), "SELECT n FROM kept"), 42)
	is.True(strings.Contains(c.log(), "automatic recovery in progress")) // it was no clean stop
}

func TestRestartOfARunningServerIsRefused(t *testing.T) {
	is := is.New(t)
	c, err := Start(t.Context(), Options{})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(c.Stop()) })
	is.True(c.Restart(t.Context()) != nil)
	is.NoErr(run(t.Context(), c.DSN("postgres"), "SELECT 1")) // and it is still running
}

func TestStopEndsServerAndRemovesFolder(t *testing.T) {
	is := is.New(t)
	c, err := Start(t.Context(), Options{})
	is.NoErr(err)
	pid, err := c.serverPID()
	is.NoErr(err)
	is.NoErr(c.Stop())
	is.True(!processExists(pid))
	_, err = os.Stat(c.dir)
	is.True(os.IsNotExist(err))
	is.NoErr(c.Stop()) // a second one does nothing
}

func TestSettingsReachTheServer(t *testing.T) {
	is := is.New(t)
	c, err := Start(t.Context(), Options{Settings: map[string]string{"max_connections": "17"}})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(c.Stop()) })
	is.Equal(query[string](t, c.DSN("postgres"), "SHOW max_connections"), "17")
	is.Equal(query[string](t, c.DSN("postgres"), "SHOW fsync"), "off")
}

func TestBadSettingFailsWithTheServersOwnWords(t *testing.T) {
	is := is.New(t)
	t.Setenv("TMPDIR", shortTempDir(t))
	_, err := Start(t.Context(), Options{Settings: map[string]string{"max_connections": "many"}})
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), `invalid value for parameter "max_connections": "many"`))
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "pgtest-*"))
	is.NoErr(err)
	is.Equal(len(left), 0) // the folder is gone as well
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	is := is.New(t)
	t.Setenv("TMPDIR", shortTempDir(t))
	data := filepath.Join(os.TempDir(), "pgtest-*", "data")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	go func() {
		_, err := Start(ctx, Options{})
		started <- err
	}()
	eventually(t, "initdb to begin", func() bool {
		found, err := filepath.Glob(data)
		return err == nil && len(found) > 0
	})
	cancel()
	is.True(<-started != nil)
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "pgtest-*"))
	is.NoErr(err)
	is.Equal(len(left), 0)
}

func TestProgramsThatDoNotRunArePassedOver(t *testing.T) {
	is := is.New(t)
	account, err := serverAccount()
	is.NoErr(err)
	broken := t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		is.NoErr(os.WriteFile(filepath.Join(broken, name), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	}
	_, err = firstWorking(t.Context(), account, []string{broken})
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), broken)) // it says where it looked

	working, err := findPrograms(t.Context(), account)
	is.NoErr(err)
	got, err := firstWorking(t.Context(), account, []string{broken, working})
	is.NoErr(err)
	is.Equal(got, working)
}

// shortTempDir is a folder everybody may use and whose path leaves room for a socket's.
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "short-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// query returns the one value that a statement selects.
func query[T any](t *testing.T, dsn, statement string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	var value T
	if err := conn.QueryRow(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return value
}
