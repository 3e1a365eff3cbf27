package httpadapter_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Types that the dialects share are internal, so that no dialect needs another,
// and aliases here. What such a type consists of stands in the alias's comment,
// for go doc and for readers who cannot see the internal package.
func TestAliasesSayWhatTheyConsistOf(t *testing.T) {
	comments := commentsOf(t, "adapter.go")
	for _, s := range []struct{ name, file string }{
		{"Options", "internal/host/host.go"}, {"Authenticator", "internal/wire/auth.go"}, {"CORS", "internal/wire/cors.go"},
		{"IdempotencyStore", "internal/wire/idempotency.go"}, {"IdempotencyRecord", "internal/wire/idempotency.go"}, {"KeptAnswer", "internal/wire/idempotency.go"},
	} {
		want := shownType(t, s.file, s.name)
		if !strings.Contains(comments[s.name], want) {
			t.Errorf("the comment of %s must have, as it stands in %s:\n%s", s.name, s.file, want)
		}
	}
}

// commentsOf returns the comments of a file's types by name.
func commentsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range parsed.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Doc != nil {
			var lines []string
			for _, c := range g.Doc.List {
				lines = append(lines, c.Text)
			}
			out[g.Specs[0].(*ast.TypeSpec).Name.Name] = strings.Join(lines, "\n")
		}
	}
	return out
}

// hidden are the fields that are not exported, which stand at the end.
var hidden = regexp.MustCompile(`\n\n\t[a-z]\w+ [^\n]+\n\}$`)

// shownType returns a type as a comment shows it.
func shownType(t *testing.T, file, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	spec, ok := parsed.Scope.Lookup(name).Decl.(*ast.TypeSpec)
	if !ok {
		t.Fatalf("%s has no type %s", file, name)
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	source := hidden.ReplaceAllString(string(text[at(spec.Type.Pos()):at(spec.Type.End())]), "\n}")
	source = strings.ReplaceAll("type "+name+" "+source, "wire.", "")
	return "//\t" + strings.ReplaceAll(strings.ReplaceAll(source, "\n", "\n//\t"), "//\t\n", "//\n")
}
