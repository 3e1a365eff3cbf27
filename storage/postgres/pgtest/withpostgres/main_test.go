package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func TestCommandFindsTheServerAndItsStatusIsOurs(t *testing.T) {
	is := is.New(t)
	t.Setenv(pgtest.EnvURL, "")
	seen := filepath.Join(t.TempDir(), "seen")
	code, err := run([]string{"/bin/sh", "-c", `printf %s "$TEST_DATABASE_URL" >"$0"; exit 3`, seen})
	is.NoErr(err)
	is.Equal(code, 3)
	url, err := os.ReadFile(seen)
	is.NoErr(err)
	is.True(strings.HasPrefix(string(url), "postgres://"))
}

func TestGivenServerIsPassedOn(t *testing.T) {
	is := is.New(t)
	t.Setenv(pgtest.EnvURL, "postgres://db.example/x")
	code, err := run([]string{"/bin/sh", "-c", `test "$TEST_DATABASE_URL" = postgres://db.example/x`})
	is.NoErr(err)
	is.Equal(code, 0)
}

func TestFailuresHaveAStatus(t *testing.T) {
	t.Setenv(pgtest.EnvURL, "postgres://db.example/x")
	tests := []struct {
		name    string
		command []string
		code    int
		wantErr bool
	}{
		{"no command", nil, 2, true},
		{"no such program", []string{"/nonexistent/program"}, 1, true},
		{"killed by a signal", []string{"/bin/sh", "-c", "kill -9 $$"}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, err := run(tt.command)
			if code != tt.code || (err != nil) != tt.wantErr {
				t.Errorf("run(%q) = %d, %v; want %d, error: %v", tt.command, code, err, tt.code, tt.wantErr)
			}
		})
	}
}
