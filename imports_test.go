package affiliatekit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/affiliatekit/affiliatekit"

// goPackage is what `go list -json` says about a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct, tests left out
	Deps       []string // direct and indirect
	Module     *struct {
		Path string
		Main bool
	}
}

// rule says what the packages below a folder may import.
type rule struct {
	folder  string   // relative to the module, whose root is ""
	alone   bool     // the folder without its subfolders
	ours    []string // folders of this module, their subfolders included, at any distance
	modules []string // third-party modules, imported directly
	never   []string // package paths refused at any distance, whatever else is allowed
}

var (
	domains       = []string{"affiliate", "offers", "links", "deals", "productlists", "adsync"}
	domainModules = []string{"github.com/shopspring/decimal", "github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"}
	sqlModules    = []string{"github.com/uptrace/bun", "github.com/uptrace/bun/dialect/pgdialect", "github.com/jackc/pgx/v5"}
	httpModules   = []string{
		"golang.org/x/time", "github.com/mileusna/useragent",
		"github.com/hashicorp/golang-lru/v2",
	}
	// What writes files and metrics is linked only by programs that have them.
	exportModules = []string{"github.com/xuri/excelize/v2"}
	metricModules = []string{"github.com/prometheus/client_golang"}
	// Package affiliate/tracing alone links OpenTelemetry, and of it the API for traces.
	traceModules = []string{"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/trace"}
	// Package httpadapter/oidc alone has these, so that nobody else links them.
	oidcModules = []string{"golang.org/x/time", "github.com/golang-jwt/jwt/v5", "github.com/MicahParks/keyfunc/v3"}
)

// The drivers of package adsync take a token source, and nothing that gets tokens.
var (
	oauthModules = slices.Concat(domainModules, []string{"golang.org/x/oauth2"})
	heavyOAuth   = []string{"golang.org/x/oauth2/google", "golang.org/x/oauth2/jwt", "cloud.google.com/go/compute/metadata"}
)

const pgtestFolder = "storage/postgres/pgtest"

// testKits are packages of the adapter that only tests import.
var testKits = []string{modulePath + "/httpadapter/internal/contract", modulePath + "/httpadapter/internal/market"}

// rules is the import table of CONTRIBUTING.md; the most specific folder decides. A folder
// always may import its own subfolders, unless its rule is for it alone.
var rules = []rule{
	{folder: "", alone: true, ours: domains},
	{folder: "internal/gather", ours: []string{"affiliate"}, modules: domainModules},
	{folder: "internal/idset"},
	{folder: "internal/placeholder"},
	{folder: "affiliate", modules: domainModules, never: []string{"net/http", "github.com/uptrace/bun"}},
	{folder: "affiliate/mailing/smtp", ours: []string{"affiliate"}, modules: domainModules, never: []string{"net/http", "github.com/uptrace/bun"}},
	{folder: "affiliate/webhooks/delivery", ours: []string{"affiliate"}, modules: domainModules, never: []string{"github.com/uptrace/bun"}},
	{folder: "affiliate/tracing", ours: []string{"affiliate"}, modules: traceModules, never: []string{"net/http", "github.com/uptrace/bun", "go.opentelemetry.io/otel"}},
	{folder: "affiliate/outbound", ours: []string{"affiliate/internal"}}, // the standard library, net/http among it
	{folder: "affiliate/payouts", ours: []string{"affiliate"}, modules: domainModules, never: []string{"net/http", "github.com/uptrace/bun"}},
	{folder: "affiliate/payouts/invoicepdf", ours: []string{"affiliate"}, modules: slices.Concat(domainModules, []string{"github.com/go-pdf/fpdf"})},
	{folder: "links/stats", ours: []string{"affiliate"}, modules: domainModules}, // below offers, which counts its payments
	{folder: "offers", ours: []string{"affiliate", "links/stats"}, modules: append([]string{"golang.org/x/image"}, domainModules...)},
	{folder: "offers/returnads", ours: []string{"affiliate", "links/stats", "offers"}, modules: domainModules},
	{folder: "deals", ours: []string{"affiliate"}, modules: domainModules},
	{folder: "productlists", ours: []string{"affiliate"}, modules: domainModules},
	{folder: "adsync", ours: []string{"affiliate"}, modules: domainModules},
	{folder: "adsync/facebook", ours: []string{"affiliate", "adsync"}, modules: oauthModules, never: heavyOAuth},
	{folder: "adsync/google", ours: []string{"affiliate", "adsync"}, modules: oauthModules, never: heavyOAuth},
	{folder: "adsync/internal/rest", ours: []string{"affiliate", "adsync"}, modules: oauthModules, never: heavyOAuth},
	{folder: "links", ours: []string{"affiliate", "offers"}, modules: domainModules},
	{folder: "links/move", ours: []string{"affiliate", "offers", "links"}, modules: domainModules},
	{folder: "links/archive", ours: []string{"affiliate", "offers", "links"}, modules: domainModules},
	{folder: "links/archive/parquet", ours: []string{"affiliate", "offers", "links"}, modules: append([]string{"github.com/parquet-go/parquet-go"}, domainModules...)},
	{folder: "links/retention", ours: []string{"affiliate", "offers", "links"}, modules: domainModules},
	{folder: "links/verification", ours: []string{"affiliate", "offers", "links"}, modules: domainModules},
	{folder: "links/orders", ours: []string{"affiliate", "offers", "links"}, modules: domainModules},
	{folder: "storage", alone: true},
	{folder: "storage/unit", ours: []string{"affiliate"}, modules: domainModules},
	{folder: "storage/memory", ours: slices.Concat(domains, []string{"storage/unit"}), modules: domainModules, never: []string{"net/http", "crypto/tls"}}, // of a small program they are a tenth
	{folder: "storage/postgres", ours: domains, modules: slices.Concat(domainModules, sqlModules), never: []string{modulePath + "/" + pgtestFolder}},
	{folder: pgtestFolder, modules: []string{"github.com/jackc/pgx/v5"}},
	{folder: "storage/simulation"}, // tests alone
	{folder: "storage/storagetest", ours: domains, modules: []string{"github.com/google/uuid", "github.com/shopspring/decimal"}}, // part of the domains' own API
	{folder: "storage/storagetest/backends", ours: slices.Concat(domains, []string{"storage/memory", "storage/postgres", "storage/storagetest", "storage/unit"})},
	{folder: "httpadapter", ours: domains, modules: slices.Concat(domainModules, httpModules), never: testKits},
	{folder: "httpadapter/oidc", ours: []string{"affiliate"}, modules: oidcModules, never: []string{modulePath + "/httpadapter"}},
	{folder: "httpadapter/tracking", ours: slices.Concat(domains, []string{"httpadapter/bots"}), modules: slices.Concat(domainModules, httpModules),
		never: append([]string{modulePath + "/httpadapter/internal/exports"}, testKits...)},
	{folder: "httpadapter/metrics", ours: domains, modules: metricModules, never: testKits},
	{folder: "httpadapter/internal/exports", ours: domains, modules: slices.Concat(domainModules, httpModules, exportModules), never: testKits},
	{folder: "httpadapter/openapi"}, // data, and nothing else
	{folder: "httpadapter/internal/contract", ours: slices.Concat(domains, []string{"httpadapter/openapi"}), modules: []string{"github.com/getkin/kin-openapi"}},
	{folder: "examples", ours: slices.Concat(domains, []string{"", "storage/unit", "storage/memory", "storage/postgres", "storage/storagetest", "httpadapter"}),
		modules: slices.Concat(oauthModules, sqlModules, httpModules, metricModules), never: append([]string{modulePath + "/" + pgtestFolder}, testKits...)},
}

// ruleFor returns the rule of a folder. Dialects and examples share one rule each, but every one
// of them is a folder of its own, which the others may not import.
func ruleFor(folder string) (rule, bool) {
	best, found := rule{}, false
	for _, r := range rules {
		if r.covers(folder) && (!found || len(r.folder) > len(best.folder)) {
			best, found = r, true
		}
	}
	parts := strings.Split(folder, "/")
	if len(parts) < 2 {
		return best, found
	}
	switch parts[0] {
	case "httpadapter":
		best.folder = strings.Join(parts[:2], "/")
		best.ours = append(slices.Clone(best.ours), "httpadapter/internal")
	case "examples":
		best.folder = strings.Join(parts[:2], "/")
	}
	return best, found
}

// covers reports whether the rule is about folder.
func (r rule) covers(folder string) bool {
	return folder == r.folder || !r.alone && within(folder, r.folder)
}

// allows reports whether a package under the rule may import the packages of one of our folders.
func (r rule) allows(target string) bool {
	return r.covers(target) || within(target, "internal") || slices.ContainsFunc(r.ours, func(folder string) bool { return within(target, folder) })
}

// within reports whether folder is parent or lies below it.
func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// ourFolder is a package's folder in this module, and whether it is ours at all.
func ourFolder(path string) (string, bool) {
	if path == modulePath {
		return "", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

// violations lists every import that the rules forbid, one sentence each.
func violations(packages []goPackage) []string {
	moduleOf := map[string]string{}
	for _, p := range packages {
		if p.Module != nil && !p.Module.Main {
			moduleOf[p.ImportPath] = p.Module.Path
		}
	}
	var found []string
	for _, p := range packages {
		folder, ours := ourFolder(p.ImportPath)
		if !ours {
			continue
		}
		r, ok := ruleFor(folder)
		if !ok {
			found = append(found, fmt.Sprintf("%s has no rule: the module has no such folder", folder))
			continue
		}
		found = append(found, r.check(folder, p, moduleOf)...)
	}
	return found
}

func (r rule) check(folder string, p goPackage, moduleOf map[string]string) []string {
	var found []string
	for _, dep := range p.Deps {
		target, ours := ourFolder(dep)
		if ours && !r.allows(target) {
			found = append(found, fmt.Sprintf("%s imports %s", folder, target))
		}
		if slices.Contains(r.never, dep) {
			found = append(found, fmt.Sprintf("%s imports %s, which it never may", folder, dep))
		}
	}
	for _, dep := range p.Imports {
		if target, _ := ourFolder(dep); within(target, "internal") && within(folder, "examples") {
			found = append(found, fmt.Sprintf("%s imports %s, which a host cannot", folder, target))
		}
		if module := moduleOf[dep]; module != "" && !slices.Contains(r.modules, module) {
			found = append(found, fmt.Sprintf("%s imports %s of module %s", folder, dep, module))
		}
	}
	return found
}

func TestImportsPointInward(t *testing.T) {
	packages, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == modulePath+"/affiliate" }) {
		t.Fatalf("the core is not among the %d packages listed", len(packages))
	}
	for _, v := range violations(packages) {
		t.Error(v)
	}
}

func listPackages() ([]goPackage, error) {
	// -e: what does not compile is the compiler's to report.
	out, err := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps,Module", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %w\n%s", err, exit.Stderr)
		}
		return nil, err
	}
	var packages []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, err
		}
		packages = append(packages, p)
	}
}

// The rules have to bite: each row is one package, what it imports, and what is wrong with that.
func TestForbiddenImportsAreFound(t *testing.T) {
	const bun = "github.com/uptrace/bun"
	tests := []struct {
		folder  string
		imports string // our folder, or a package of a third-party module named as its module
		want    string // "" for an allowed import
	}{
		{"affiliate", "net/http", "affiliate imports net/http, which it never may"},
		{"affiliate", "links", "affiliate imports links"},
		{"affiliate", bun, "affiliate imports github.com/uptrace/bun"},
		{"affiliate", "github.com/shopspring/decimal", ""},
		{"affiliate", "pgregory.net/rapid", "affiliate imports pgregory.net/rapid of module"},
		{"affiliate/payouts", "affiliate", ""},
		{"affiliate/payouts", "offers", "affiliate/payouts imports offers"},
		{"affiliate/payouts", "github.com/go-pdf/fpdf", "affiliate/payouts imports github.com/go-pdf/fpdf of module"},
		{"affiliate/payouts/invoicepdf", "github.com/go-pdf/fpdf", ""},
		{"affiliate/internal/x", "offers", "affiliate/internal/x imports offers"},
		{"affiliate", "internal/idset", ""},
		{"internal/idset", "affiliate", "internal/idset imports affiliate"},
		{"internal/gather", "affiliate", ""},
		{"internal/elsewhere", "affiliate", "internal/elsewhere has no rule"},
		{"examples/server", "internal/idset", "examples/server imports internal/idset, which a host cannot"},
		{"offers", "affiliate", ""},
		{"offers", "links", "offers imports links"},
		{"offers", "links/stats", ""},
		{"links", "links/stats", ""},
		{"links/stats", "affiliate", ""},
		{"links/stats", "offers", "links/stats imports offers"},
		{"links/stats", "links", "links/stats imports links"},
		{"offers", "deals", "offers imports deals"},
		{"deals", "offers", "deals imports offers"},
		{"productlists", "deals", "productlists imports deals"},
		{"adsync", "productlists", "adsync imports productlists"},
		{"adsync/facebook", "adsync", ""},
		{"adsync/facebook", "deals", "adsync/facebook imports deals"},
		{"adsync/facebook", "golang.org/x/oauth2", ""},
		{"adsync", "golang.org/x/oauth2", "adsync imports golang.org/x/oauth2 of module"},
		{"links", "offers", ""},
		{"links", "net/http", ""},
		{"links", "deals", "links imports deals"},
		{"links/move", "links/orders", ""},
		{"links/move", "storage/memory", "links/move imports storage/memory"},
		{"links", "storage/memory", "links imports storage/memory"},
		{"links", bun, "links imports github.com/uptrace/bun of module"},
		{"storage", "storage/memory", "storage imports storage/memory"},
		{"storage/memory", "links", ""},
		{"storage/memory", "net/http", "storage/memory imports net/http, which it never may"},
		{"storage/memory", "storage/postgres", "storage/memory imports storage/postgres"},
		{"storage/memory", bun, "storage/memory imports github.com/uptrace/bun of module"},
		{"storage/memory", "httpadapter", "storage/memory imports httpadapter"},
		{"storage/postgres", bun, ""},
		{"storage/postgres", "storage/memory", "storage/postgres imports storage/memory"},
		{"storage/postgres", "httpadapter/metapic", "storage/postgres imports httpadapter/metapic"},
		{"storage/postgres", pgtestFolder, pgtestFolder + ", which it never may"},
		{pgtestFolder + "/withpostgres", pgtestFolder, ""},
		{pgtestFolder, "affiliate", pgtestFolder + " imports affiliate"},
		{"storage/storagetest", "links", ""},
		{"storage/storagetest", "github.com/matryer/is", "storage/storagetest imports github.com/matryer/is of module"},
		{"storage/storagetest", "storage/memory", "storage/storagetest imports storage/memory"},
		{"storage/elsewhere", "affiliate", "storage/elsewhere has no rule"},
		{"httpadapter", "httpadapter/metapic", ""},
		{"httpadapter", "storage/memory", "httpadapter imports storage/memory"},
		{"httpadapter/metapic", "httpadapter/internal/wire", ""},
		{"httpadapter/metapic", "links", ""},
		{"httpadapter/metapic", "httpadapter/myshare", "httpadapter/metapic imports httpadapter/myshare"},
		{"httpadapter/tracking", "httpadapter/bots", ""},
		{"httpadapter/tracking", "httpadapter/metapic", "httpadapter/tracking imports httpadapter/metapic"},
		{"httpadapter/tracking", "httpadapter/internal/exports", "httpadapter/internal/exports, which it never may"},
		{"httpadapter/metapic", "github.com/xuri/excelize/v2", "httpadapter/metapic imports github.com/xuri/excelize/v2 of module"},
		{"httpadapter/internal/exports", "github.com/xuri/excelize/v2", ""},
		{"httpadapter/metrics", "github.com/prometheus/client_golang", ""},
		{"httpadapter/metapic", "storage/postgres", "httpadapter/metapic imports storage/postgres"},
		{"httpadapter/internal/wire", "httpadapter/metapic", "httpadapter/internal/wire imports httpadapter/metapic"},
		{"httpadapter", "httpadapter/openapi", ""},
		{"httpadapter/openapi", "affiliate", "httpadapter/openapi imports affiliate"},
		{"httpadapter/openapi", "golang.org/x/time", "httpadapter/openapi imports golang.org/x/time of module"},
		{"httpadapter/metapic", "httpadapter/internal/contract", "httpadapter/internal/contract, which it never may"},
		{"", "links", ""},
		{"", "storage/memory", "imports storage/memory"},
		{"links", "", "links imports"},
		{"examples/server", "storage/postgres", ""},
		{"examples/server", "", ""},
		{"examples/server", "examples/quickstart", "examples/server imports examples/quickstart"},
		{"links", "examples/server", "links imports examples/server"},
		{"tools", "affiliate", "tools has no rule"},
	}
	for _, tt := range tests {
		t.Run(tt.folder+" imports "+tt.imports, func(t *testing.T) {
			got := violations(synthetic(tt.folder, tt.imports))
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q, want none", got)
			case tt.want != "" && !slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, tt.want) }):
				t.Errorf("got %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestIndirectImportsOfOursCount(t *testing.T) {
	p := goPackage{ImportPath: modulePath + "/httpadapter", Deps: []string{modulePath + "/storage/memory"}}
	if got := violations([]goPackage{p}); len(got) != 1 {
		t.Errorf("got %q, want one violation", got)
	}
}

// synthetic is one package of ours with one import.
func synthetic(folder, imports string) []goPackage {
	p := goPackage{ImportPath: modulePath + "/" + folder}
	target := goPackage{ImportPath: imports}
	_, found := ruleFor(imports)
	switch host, _, _ := strings.Cut(imports, "/"); {
	case found:
		target.ImportPath = modulePath + "/" + imports
	case strings.Contains(host, "."):
		target.Module = &struct {
			Path string
			Main bool
		}{Path: imports}
	default:
		target.Standard = true
	}
	p.Imports, p.Deps = []string{target.ImportPath}, []string{target.ImportPath}
	return []goPackage{p, target}
}
