package storagetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// transactions are those of every domain that the suite tests, the inner ones
// by what embeds them.
func transactions() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[webhooks.Tx](), reflect.TypeFor[identity.Tx](), reflect.TypeFor[mailing.Tx](), reflect.TypeFor[media.Tx](), reflect.TypeFor[orders.Tx](), reflect.TypeFor[returnads.Tx](), reflect.TypeFor[productlists.Tx](), reflect.TypeFor[deals.Tx](), reflect.TypeFor[adsync.Tx](), reflect.TypeFor[payouts.Tx]()}
}

// filters are the filters that the repositories' lists take.
func filters() []reflect.Type {
	var out []reflect.Type
	for _, tx := range transactions() {
		for accessor := range tx.Methods() {
			for m := range accessor.Type.Out(0).Methods() {
				for in := range m.Type.Ins() {
					if strings.HasSuffix(in.Name(), "Filter") {
						out = append(out, in)
					}
				}
			}
		}
	}
	return out
}

func TestEveryMethodHasACase(t *testing.T) {
	s := readSuite(t)
	for _, tx := range transactions() {
		for _, m := range methodsOf(tx) {
			if !s.calls[m.accessor+"."+m.name] {
				t.Errorf("no case calls %s: write tx.%s().%s in the file of its aggregate", m, m.accessor, m.name)
			}
		}
	}
}

func TestEveryFilterFieldHasACase(t *testing.T) {
	s := readSuite(t)
	found := filters()
	if len(found) < 9 {
		t.Fatalf("found %d filters, %v: fewer than there are", len(found), found)
	}
	for _, filter := range found {
		for f := range filter.Fields() {
			if !s.fields[filter.String()+"."+f.Name] {
				t.Errorf("no case sets %s.%s", filter, f.Name)
			}
		}
	}
}

func TestEverySortColumnHasACase(t *testing.T) {
	s := readSuite(t)
	promised := promisedColumns(t)
	for _, filter := range filters() {
		want := promised[filter.String()]
		got := s.columns[filter.String()]
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the cases sort by %q, its comment promises %q", filter, got, want)
		}
	}
}

// A method that the read-only cases take for a read must be known as one.
func TestEveryMethodIsAChangeOrARead(t *testing.T) {
	reads := []string{
		"ActingAt", "Advertisers", "After", "All", "Among", "Backlog", "Before", "ByAXIDs", "ByAccount", "ByActivationKey", "ByAdSets", "ByAdvertiser", "ByAdvertisers", "ByCatalogs", "ByCauses", "ByClients", "ByCode",
		"ByDate", "ByEmails", "ByExternalID", "ByHash", "ByInvoices", "ByItems", "ByKey", "ByName", "ByOrders", "ByOrganization", "ByParticipant",
		"ByParts", "ByPublicID", "ByReference", "ByShortCode", "BySocialMedia", "BySubject", "ByToken", "ByUser", "ByUsername", "ByUsers", "Changed", "CountByUsers", "Counts", "Cursor", "Distinct", "Due",
		"Find", "Get", "GetMany", "Holding", "LastValid", "List", "LongestWindow", "Naming", "NextDue", "Numbered", "Page", "Payable", "Pending", "PreRegistered", "Ranked", "Reversals",
		"Scan", "Series", "Serving", "Sum", "SumByKind", "Targets", "Total", "Unread", "Used",
	}
	for _, tx := range transactions() {
		for _, m := range methodsOf(tx) {
			if m.changes() == slices.Contains(reads, m.name) {
				t.Errorf("%s: say in method.changes or here which it is", m)
			}
		}
	}
}

func TestScenarioNamesAreUnique(t *testing.T) {
	var names []string
	for _, c := range coreScenarios() {
		names = append(names, "core/"+c.name)
	}
	for _, c := range eventsScenarios() {
		names = append(names, "events/"+c.name)
	}
	for _, c := range webhookScenarios() {
		names = append(names, "webhooks/"+c.name)
	}
	for _, c := range identityScenarios() {
		names = append(names, "identity/"+c.name)
	}
	for _, c := range mailingScenarios() {
		names = append(names, "mailing/"+c.name)
	}
	for _, c := range mediaScenarios() {
		names = append(names, "media/"+c.name)
	}
	for _, c := range offersScenarios() {
		names = append(names, "offers/"+c.name)
	}
	for _, c := range returnAdScenarios() {
		names = append(names, "returnads/"+c.name)
	}
	for _, c := range linksScenarios() {
		names = append(names, "links/"+c.name)
	}
	for _, c := range ordersScenarios() {
		names = append(names, "orders/"+c.name)
	}
	for _, c := range productListsScenarios() {
		names = append(names, "productlists/"+c.name)
	}
	for _, c := range dealsScenarios() {
		names = append(names, "deals/"+c.name)
	}
	for _, c := range payoutScenarios() {
		names = append(names, "payouts/"+c.name)
	}
	for _, c := range adSyncScenarios() {
		names = append(names, "adsync/"+c.name)
	}
	for _, c := range movesScenarios() {
		names = append(names, "moves/"+c.name)
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("%d names for %d scenarios", len(unique), len(names))
	}
	t.Logf("%d scenarios", len(names)+len(betweenStores()))
}

// suite is what the source of the cases mentions.
type suite struct {
	calls   map[string]bool     // "Users.Add": tx.Users().Add
	fields  map[string]bool     // "affiliate.UserFilter.Query"
	columns map[string][]string // by filter, the sort columns of its listing
}

// readSuite reads the files of the aggregates. What fixtures and the cases of
// units do in passing is no case for a method, so their files do not count.
func readSuite(t *testing.T) suite {
	t.Helper()
	s := suite{map[string]bool{}, map[string]bool{}, map[string][]string{}}
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no source: %v", err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || path == "world.go" || path == "store.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				s.readFunc(fn)
			}
		}
	}
	return s
}

func (s suite) readFunc(fn *ast.FuncDecl) {
	aliases := map[string]string{}
	var filter string
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec: // type F = affiliate.UserFilter
			aliases[n.Name.Name] = typeName(n.Type)
			if n.Name.Name == "F" {
				filter = typeName(n.Type)
			}
		case *ast.SelectorExpr: // tx.Users().Add
			if call, ok := n.X.(*ast.CallExpr); ok && len(call.Args) == 0 {
				if accessor, ok := call.Fun.(*ast.SelectorExpr); ok {
					s.calls[accessor.Sel.Name+"."+n.Sel.Name] = true
				}
			}
		case *ast.CompositeLit: // F{Query: …}
			name := typeName(n.Type)
			if full, ok := aliases[name]; ok {
				name = full
			}
			for _, key := range keysOf(n) {
				s.fields[name+"."+key] = true
			}
		case *ast.KeyValueExpr: // columns: map[string]func…{"name": …}
			if lit, ok := n.Value.(*ast.CompositeLit); ok && typeName(n.Key) == "columns" {
				s.columns[filter] = append(s.columns[filter], keysOf(lit)...)
			}
		}
		return true
	})
}

// typeName is "F" or "affiliate.UserFilter", or empty.
func typeName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return typeName(x.X) + "." + x.Sel.Name
	}
	return ""
}

// keysOf are the keys of a literal, without quotes.
func keysOf(lit *ast.CompositeLit) []string {
	var keys []string
	for _, e := range lit.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			switch key := pair.Key.(type) {
			case *ast.Ident:
				keys = append(keys, key.Name)
			case *ast.BasicLit:
				keys = append(keys, strings.Trim(key.Value, `"`))
			}
		}
	}
	return keys
}

// promisedColumns reads "Sort columns: name, created_at." from the comments of
// the filters, by filter.
func promisedColumns(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, pkg := range []string{"affiliate", "affiliate/events", "affiliate/webhooks", "affiliate/identity", "affiliate/mailing", "affiliate/media", "offers", "offers/returnads", "links", "links/orders", "productlists", "deals", "adsync"} {
		path := filepath.Join("..", "..", filepath.FromSlash(pkg), "repository.go")
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE || decl.Doc == nil {
				continue
			}
			name := decl.Specs[0].(*ast.TypeSpec).Name.Name
			_, list, ok := strings.Cut(strings.Join(strings.Fields(decl.Doc.Text()), " "), "Sort columns: ")
			if ok {
				list, _, _ = strings.Cut(list, ".")
				out[filepath.Base(pkg)+"."+name] = strings.Split(list, ", ")
			}
		}
	}
	return out
}
