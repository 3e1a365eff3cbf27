package wire

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dialectWords are the names of the documented APIs and of what only they have.
var dialectWords = regexp.MustCompile(`(?i)metapic|mtpc|laravel|myshare|apisync|affiliate\.com|vnd\.api|current_page|trace_id|promo|campaign`)

func TestTheMachineryKnowsNoDialect(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if word := dialectWords.Find(source); word != nil {
			t.Errorf("%s says %q: what a dialect has belongs to the dialect", name, word)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, "/httpadapter/") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}
