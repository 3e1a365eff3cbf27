package contract

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Row is one request of the tenancy table, and the status that each principal
// must get: statuses are in the order of Suite.Principals, with spaces between.
type Row struct {
	Operation, Method, Path, Body, Statuses string
}

func (s Suite) testTenancy(t *testing.T) {
	for _, route := range s.Routes {
		if !slices.ContainsFunc(s.Tenancy, func(r Row) bool { return r.Operation == route.ID }) {
			t.Errorf("%s is not in the tenancy table", route.ID)
		}
	}
	for _, row := range s.Tenancy {
		if !slices.ContainsFunc(s.Built(), func(o Operation) bool { return o.ID == row.Operation }) {
			t.Errorf("%s is in the tenancy table and not built", row.Operation)
		}
	}
	t.Run("memory", s.testTenancyInMemory)
	t.Run("postgres", s.testTenancyOnPostgres)
}

func (s Suite) statuses(t *testing.T, r Row) []int {
	t.Helper()
	fields := strings.Fields(r.Statuses)
	if len(fields) != len(s.Principals) {
		t.Fatalf("%s %s: %d statuses for %d principals", r.Operation, r.Path, len(fields), len(s.Principals))
	}
	statuses := make([]int, len(fields))
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		statuses[i] = n
	}
	return statuses
}

// One principal's success must not hide that another may not: after each the
// next request gets a world of its own. A world that refused a request, and is
// as it was, is as good as a new one.
func (s Suite) testTenancyInMemory(t *testing.T) {
	for _, row := range s.Tenancy {
		t.Run(row.Operation+" "+row.Path, func(t *testing.T) {
			t.Parallel()
			statuses := s.statuses(t, row)
			fresh := s.freshWorlds(t)
			for i, who := range s.Principals {
				got, changed := fresh.send(func(w World) *httptest.ResponseRecorder {
					return w.Send(who, row.Method, row.Path, row.Body)
				})
				if got.Code != statuses[i] {
					t.Errorf("%s %s as %s: got %d %s, want %d", row.Method, row.Path, who, got.Code, got.Body, statuses[i])
				}
				if got.Code >= 400 && changed {
					t.Errorf("%s %s as %s: refused and changed something", row.Method, row.Path, who)
				}
			}
		})
	}
}

// On Postgres, where a world costs seconds, one world gets every request that
// it must refuse, and the reads.
func (s Suite) testTenancyOnPostgres(t *testing.T) {
	t.Parallel()
	w := s.Postgres(t)
	before := w.Dump()
	for _, row := range s.Tenancy {
		statuses := s.statuses(t, row)
		for i, who := range s.Principals {
			if statuses[i] < 400 && row.Method != "GET" {
				continue
			}
			if got := w.Send(who, row.Method, row.Path, row.Body); got.Code != statuses[i] {
				t.Errorf("%s %s as %s: got %d %s, want %d", row.Method, row.Path, who, got.Code, got.Body, statuses[i])
			}
		}
	}
	if after := w.Dump(); after != before {
		t.Errorf("refused requests changed something:\n%s\n%s", before, after)
	}
}

// Rows takes a table of a type of the dialect's own,
//
//	type row contract.Row
//
// which is how a table in another package may leave out the field names without
// go vet objecting.
func Rows[R ~struct{ Operation, Method, Path, Body, Statuses string }](rows []R) []Row {
	table := make([]Row, len(rows))
	for i, r := range rows {
		table[i] = Row(r)
	}
	return table
}
