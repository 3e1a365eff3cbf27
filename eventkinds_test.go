package affiliatekit_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit"
)

func TestTheTableOfKindsIsTheirDeclarations(t *testing.T) {
	file, err := os.ReadFile("affiliate/events/KINDS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(file), "|---|---|---|---|---|\n")
	var want strings.Builder
	before := ""
	for _, k := range affiliatekit.EventKinds() {
		if k.Name == before {
			t.Errorf("the kind %q is declared twice", k.Name)
		}
		before = k.Name
		payload := ""
		if k.Payload != nil {
			payload = fmt.Sprintf("%T", k.Payload)
			payload = payload[strings.LastIndexByte(payload, '.')+1:]
		}
		fmt.Fprintf(&want, "| %s | %d | %s | %s | %s |\n", k.Name, k.Version, k.Object, payload, k.When)
	}
	if table != want.String() {
		t.Errorf("affiliate/events/KINDS.md: the table must be\n%s", want.String())
	}
}

// domainFolders have services that change state.
var domainFolders = []string{
	"affiliate", "affiliate/identity", "affiliate/media", "affiliate/mailing", "affiliate/payouts", "affiliate/webhooks",
	"offers", "offers/returnads", "links", "links/orders", "links/retention", "links/stats", "deals", "productlists", "adsync",
}

// silent are the methods that change something and raise nothing, and why.
var silent = map[string]string{
	"affiliate.ReserveKey":            "a key of a request is not the domain's state",
	"affiliate.CompleteKey":           "a key of a request is not the domain's state",
	"affiliate.ReleaseKey":            "a key of a request is not the domain's state",
	"affiliate.CheckWrites":           "it checks the backend",
	"affiliate/mailing.Send":          "mails are what came of an event; each one is listed",
	"affiliate/mailing.SendInvite":    "mails are what came of an event; each one is listed",
	"affiliate/mailing.Deliver":       "mails are what came of an event; each one is listed",
	"affiliate/mailing.Sweep":         "old mails end by themselves",
	"affiliate/payouts.Reseal":        "the same is kept under another key",
	"affiliate/payouts.PurgeInvoices": "what Erase told of ends by itself",
	"affiliate/webhooks.Replay":       "what is sent again is no change: the log of deliveries has it",
	"affiliate/webhooks.Test":         "the log of deliveries has it",
	"affiliate/webhooks.Sweep":        "the log of deliveries ends by itself",
	"links.Follow":                    "clicks are counted: see package affiliate/events",
	"offers.Activities":               "who has read what is nobody else's business",
	"offers.MarkActivitiesRead":       "who has read what is nobody else's business",
	"offers.Upload":                   "of an image tells what begins to use it",
	"offers.SaveImage":                "of an image tells what begins to use it",
	"offers.Adopt":                    "of an image tells what begins to use it",
	"offers.SweepImages":              "what nothing uses ends by itself",
	"offers/returnads.CountView":      "statistics count views",
	"offers/returnads.CountClick":     "statistics count clicks",
	"adsync.Requeue":                  "no record changes: jobs say what becomes of it",
	"adsync.RequeueJobs":              "no record changes: jobs say what becomes of it",
}

// TestEveryChangeRaisesAnEvent reads the source: a method of a service from which
// a Write can be reached must also reach tx.Events().Add.
func TestEveryChangeRaisesAnEvent(t *testing.T) {
	changing := 0
	for _, folder := range domainFolders {
		calls, exported := readCalls(t, folder)
		for _, name := range exported {
			seen := map[string]bool{}
			reach(calls, name, seen)
			if !seen["!write"] {
				continue
			}
			changing++
			key := folder + "." + strings.TrimPrefix(name, "Service.")
			_, excused := silent[key]
			if seen["!raise"] == excused {
				t.Errorf("%s changes something: raises %v, is excused %v", key, seen["!raise"], excused)
			}
		}
	}
	if changing < 100 {
		t.Errorf("found %d methods that change something: fewer than there are", changing)
	}
}

func reach(calls map[string][]string, name string, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	for _, to := range calls[name] {
		reach(calls, to, seen)
	}
}

// readCalls returns what each function of a package calls or mentions, methods
// under the name "Type.Method", and the exported methods of its Service. "!write"
// stands for the begin of a unit that changes, "!raise" for events.
func readCalls(t *testing.T, folder string) (calls map[string][]string, exported []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	calls = map[string][]string{}
	methods := map[string][]string{} // of all types but Service, by name
	var functions []*ast.FuncDecl
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			functions = append(functions, fn)
			if of := receiver(fn); of != "" && of != "Service" {
				methods[fn.Name.Name] = append(methods[fn.Name.Name], key(fn))
			}
			if receiver(fn) == "Service" && fn.Name.IsExported() {
				exported = append(exported, key(fn))
			}
		}
	}
	for _, fn := range functions {
		calls[key(fn)] = mentions(fn, methods)
	}
	slices.Sort(exported)
	return calls, exported
}

func key(fn *ast.FuncDecl) string {
	if of := receiver(fn); of != "" {
		return of + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	return typeName(fn.Recv.List[0].Type)
}

// typeName is the name of a type of the package, or of a pointer to it.
func typeName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return typeName(x.X)
	case *ast.IndexExpr:
		return typeName(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// mentions are the functions and methods that a function mentions. What is called
// on a transaction is a repository's. Functions of package affiliate raise events
// themselves: ChangeUser, AddUser, AddAdvertiser, SaveAdvertiser.
func mentions(fn *ast.FuncDecl, methods map[string][]string) []string {
	typed := map[string]string{} // the receiver and parameters
	lists := []*ast.FieldList{fn.Type.Params}
	if fn.Recv != nil {
		lists = append(lists, fn.Recv)
	}
	for _, list := range lists {
		for _, f := range list.List {
			for _, name := range f.Names {
				typed[name.Name] = typeName(f.Type)
			}
		}
	}
	var out []string
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if startsUnit(n) {
				out = append(out, "!write")
			}
		case *ast.Ident:
			out = append(out, n.Name)
		case *ast.SelectorExpr:
			of, _ := n.X.(*ast.Ident)
			name := n.Sel.Name
			switch {
			case name == "Events":
				out = append(out, "!raise")
			case name == "String": // changes nothing, whoever has it
			case of != nil && of.Name == "affiliate":
				if slices.Contains([]string{"ChangeUser", "AddUser", "AddAdvertiser", "SaveAdvertiser"}, name) {
					out = append(out, "!raise")
				}
			case of != nil && typed[of.Name] == "Service":
				out = append(out, "Service."+name)
			case root(n.X) != "tx":
				out = append(out, methods[name]...)
			}
			return of == nil // its Sel is no name of its own
		}
		return true
	})
	return out
}

// startsUnit reports whether a call begins a unit that changes: Write or Work of
// a store or of package affiliate, or Record of a store of clicks.
func startsUnit(call *ast.CallExpr) bool {
	if len(call.Args) < 2 {
		return false
	}
	if ctx, ok := call.Args[0].(*ast.Ident); !ok || !strings.HasSuffix(ctx.Name, "ctx") && ctx.Name != "within" {
		return false
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name == "Write"
	case *ast.SelectorExpr:
		return f.Sel.Name == "Write" || f.Sel.Name == "Work" || f.Sel.Name == "Record" && isStore(f.X)
	}
	return false
}

// root is the name that a chain of fields and calls begins with.
func root(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return root(x.X)
	case *ast.CallExpr:
		return root(x.Fun)
	}
	return ""
}

// isStore tells s.store.Record from stats.Record.
func isStore(x ast.Expr) bool {
	s, ok := x.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "store"
}
