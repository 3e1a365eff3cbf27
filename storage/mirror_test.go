package storage_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ofPostgres are the files that only a backend over SQL needs.
var ofPostgres = []string{
	"batch.go", "click_skew.go", "columns.go", "copy.go", "domains.go", "errors.go", "failover.go", "host.go", "migrate.go", "migratetools.go", "open.go", "partitions.go", "prepared.go", "reader.go", "schema.go", "session.go",
	"table.go", "unit.go", "where.go",
}

// backend is what a folder says about where things are.
type backend struct {
	files     []string
	accessors map[string]string // of the transactions: "Advertisers" to "advertisers in advertisers.go"
}

// Whoever looks for an aggregate finds it under one name on both sides.
func TestBackendsHaveOneFileAnAggregate(t *testing.T) {
	memory, postgres := readBackend(t, "memory"), readBackend(t, "postgres")
	if len(memory.accessors) < 30 {
		t.Fatalf("found %d repositories: fewer than there are", len(memory.accessors))
	}
	for _, difference := range differences(memory, postgres) {
		t.Error(difference)
	}
}

// The comparison must bite.
func TestDifferencesAreFound(t *testing.T) {
	memory := backend{[]string{"deals.go", "uids.go"}, map[string]string{"Deals": "deals in deals.go", "UIDs": "uids in uids.go"}}
	postgres := backend{[]string{"copy.go", "deals.go", "outbox.go"}, map[string]string{"Deals": "deals in outbox.go"}}
	want := []string{
		"only memory has uids.go", "only postgres has outbox.go",
		"Deals: memory has deals in deals.go, postgres deals in outbox.go", "UIDs: memory has uids in uids.go, postgres ",
	}
	if got := differences(memory, postgres); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := differences(memory, memory); len(got) > 0 {
		t.Errorf("got %q for two that are alike", got)
	}
}

func differences(memory, postgres backend) []string {
	var out []string
	for _, f := range memory.files {
		if !slices.Contains(postgres.files, f) {
			out = append(out, "only memory has "+f)
		}
	}
	for _, f := range postgres.files {
		if !slices.Contains(memory.files, f) && !slices.Contains(ofPostgres, f) {
			out = append(out, "only postgres has "+f)
		}
	}
	all := maps.Clone(memory.accessors)
	maps.Copy(all, postgres.accessors)
	for _, a := range slices.Sorted(maps.Keys(all)) {
		if m, p := memory.accessors[a], postgres.accessors[a]; m != p {
			out = append(out, fmt.Sprintf("%s: memory has %s, postgres %s", a, m, p))
		}
	}
	return out
}

func readBackend(t *testing.T, folder string) backend {
	b := backend{accessors: map[string]string{}}
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{} // type to file
	var parsed []*ast.File
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b.files = append(b.files, name)
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, s := range g.Specs {
					declared[s.(*ast.TypeSpec).Name.Name] = name
				}
			}
		}
	}
	for _, file := range parsed {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || len(f.Body.List) != 1 {
				continue
			}
			on, ok := f.Recv.List[0].Type.(*ast.Ident)
			if !ok || !strings.HasSuffix(on.Name, "Tx") {
				continue
			}
			if of := made(f.Body.List[0]); of != "" {
				b.accessors[f.Name.Name] = of + " in " + declared[of]
			}
		}
	}
	return b
}

// made is the type that a return statement makes: users in "return users{…}"
// and in "return users(tx)".
func made(s ast.Stmt) string {
	r, ok := s.(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return ""
	}
	e := r.Results[0]
	switch v := e.(type) {
	case *ast.CompositeLit:
		e = v.Type
	case *ast.CallExpr:
		e = v.Fun
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
