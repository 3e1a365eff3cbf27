package affiliatekit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// What the README shows is what the compiler has seen and the example has printed.
func TestReadmeShowsTheExample(t *testing.T) {
	code := exampleBody(t)
	if n := strings.Count(code, "\n"); n > 25 {
		t.Errorf("the example has %d lines, want at most 25", n)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```go\n")
	shown, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed || shown != code {
		t.Errorf("README.md shows\n%s\nwant the body of Example:\n%s", shown, code)
	}
}

// exampleBody is the text between the braces of Example, one level less indented.
func exampleBody(t *testing.T) string {
	t.Helper()
	const name = "example_test.go"
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "Example" {
			body := source[files.Position(f.Body.Lbrace).Offset+2 : files.Position(f.Body.Rbrace).Offset]
			return strings.ReplaceAll("\n"+string(body), "\n\t", "\n")[1:]
		}
	}
	t.Fatal("no Example in " + name)
	return ""
}
