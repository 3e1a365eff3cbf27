package affiliatekit_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// costRows are the packages of the table in doc.go, in its order; several in a row
// are used together.
var costRows = [][]string{
	{"links", "storage/memory"}, {""}, {"storage/postgres"}, {"httpadapter/tracking"}, {"httpadapter/myshare"}, {"httpadapter/apisync"},
	{"httpadapter/productlists"}, {"httpadapter/metapic"}, {"httpadapter/advertiser"}, {"httpadapter"}, {"httpadapter/oidc"}, {"httpadapter/metrics"},
	{"affiliate/tracing"}, {"affiliate/webhooks/delivery"}, {"affiliate/payouts/invoicepdf"}, {"links/archive/parquet"}, {"adsync/facebook", "adsync/google"},
}

// The table in doc.go says which modules a package links, beside the standard
// library and this module.
func TestTheTableOfCostsIsTrue(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, row := range costRows {
		args := []string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}
		for _, folder := range row {
			args = append(args, "./"+folder)
		}
		out, err := exec.Command("go", args...).Output()
		if err != nil {
			t.Fatalf("go %q: %v", args, err)
		}
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		modules = slices.Compact(modules)
		name := strings.Join(row, ", ")
		if name == "" {
			name = "affiliatekit"
		}
		shown := make([]string, len(modules))
		for i, m := range modules {
			shown[i] = shortModule(m)
		}
		want = append(want, fmt.Sprintf("//\t%-28s %2d  %s\n", name, len(modules), strings.Join(shown, " ")))
	}
	if table := strings.Join(want, ""); !strings.Contains(string(text), table) {
		t.Errorf("the table of costs in doc.go is not true any more; it must be\n%s", table)
	}
}

// shortModule leaves out the host of a module's path.
func shortModule(path string) string {
	if short, ok := strings.CutPrefix(path, "golang.org/"); ok {
		return short
	}
	_, short, _ := strings.Cut(path, "/")
	return short
}

// maxSmallProgram is what doc.go promises for a program with links in memory.
const maxSmallProgram = 9 << 20

const smallProgram = `package main

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func main() {
	s, err := links.NewService(memory.New().Links(), links.Options{})
	if err == nil {
		_, err = s.Follow(context.Background(), links.Hit{LinkID: 1})
	}
	fmt.Println(err)
}
`

func TestAProgramWithLinksInMemoryStaysSmall(t *testing.T) {
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "small")
	if err := os.WriteFile(source, []byte(smallProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxSmallProgram {
		t.Errorf("the program has %d bytes, want at most %d", info.Size(), maxSmallProgram)
	}
}
