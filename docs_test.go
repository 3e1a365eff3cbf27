package affiliatekit_test

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

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// Every Go block of the guides stands, as it is, in docs_code_test.go: as the
// body of a function, or as declarations. So the compiler has seen it.
func TestEveryBlockOfTheGuidesIsCompiled(t *testing.T) {
	const name = "docs_code_test.go"
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			body := source[files.Position(f.Body.Lbrace).Offset+2 : files.Position(f.Body.Rbrace).Offset]
			bodies[strings.ReplaceAll("\n"+string(body), "\n\t", "\n")[1:]] = true
		}
	}
	guides, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(guides) < 7 {
		t.Fatalf("found %d guides", len(guides))
	}
	blocks := 0
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "```go") != len(goBlock.FindAll(text, -1)) {
			t.Errorf("%s: a block does not end", guide)
		}
		for _, block := range goBlock.FindAllStringSubmatch(string(text), -1) {
			blocks++
			asBody := bodies[block[1]] || bodies[block[1]+"return kit, err\n"] || bodies[block[1]+"return nil\n"]
			if !asBody && !strings.Contains(string(source), "\n"+block[1]) {
				t.Errorf("%s shows\n%s\nwhich is no function's body, and no declaration, of %s", guide, block[1], name)
			}
		}
	}
	if blocks < 8 {
		t.Errorf("found %d blocks", blocks)
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)

// What the guides lead to is there.
func TestTheGuidesLeadSomewhere(t *testing.T) {
	guides, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join("docs", link[1])); err != nil {
				t.Errorf("%s leads to %s: %v", guide, link[1], err)
			}
		}
	}
}
