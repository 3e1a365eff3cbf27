package httpadapter_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
)

// operation is one operation of a document's facts.
type operation struct {
	ID         string      `json:"id"`
	Methods    []string    `json:"methods"`
	Path       string      `json:"path"`
	Auth       string      `json:"auth"`
	Deprecated bool        `json:"deprecated"`
	PathParams []parameter `json:"path_params"`
	Query      []parameter `json:"query_params"`
	Request    any         `json:"request_example"`
	Responses  []struct {
		Example any               `json:"example"`
		Headers map[string]string `json:"headers"`
	} `json:"responses"`
}

// parameter is a documented parameter and its bounds.
type parameter struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Required  bool   `json:"required"`
	MaxLength *int   `json:"max_length"`
	MaxItems  *int   `json:"max_items"`
	Max       *int   `json:"max"`
	Default   *int   `json:"default"`
	Enum      []any  `json:"enum"`
	Example   any    `json:"example"`
}

func (o operation) pattern() string { return strings.Join(o.Methods, ",") + " " + o.Path }

// notBuiltYet are the documented operations of Metapic v2 without a route.
// Whoever builds one takes it out.
var notBuiltYet = []string{
	"order-collector-sales-pixel-get", "order-collector-get", "tracking-plugin-activate", "advertiser-email-quota-get",
	"advertiser-payment-setup-get", "advertiser-payment-setup-create", "advertiser-representative-create",
	"advertiser-invites-accept", "agency-invites-accept", "user-media-list", "payment-invoices-zip",
	"user-stores-by-categories", "user-stores-by-toplist", "payments-upload-ax-id-matching",
	"payments-mark-invoices-as-paid", "payment-generate-creator-invoice", "payment-systems-config-list",
	"payment-systems-config-update", "entrypoint-get", "notifications-proxy", "ory-identity-created",
	"ory-identity-updated", "store-payment-update", "image-upload", "user-create", "user-identity-update",
}

// facts are the operations of a document.
func facts(t *testing.T, document string) []operation {
	t.Helper()
	text, err := os.ReadFile("testdata/contract/" + document + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Operations []operation }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Operations
}

// built are the operations of Metapic v2 that must have a route.
func built(t *testing.T) []operation {
	t.Helper()
	return slices.DeleteFunc(facts(t, "metapic_v2"), func(o operation) bool { return slices.Contains(notBuiltYet, o.ID) })
}

// dialect are the services of the dialect.
func (w *world) dialect() metapic.Services {
	return metapic.Services{Core: w.core, Links: w.links, Offers: w.offers}
}

// mounted are the routes of the dialect over the services.
func mounted(t *testing.T, s metapic.Services) []wire.Route {
	t.Helper()
	return must(metapic.New(s, metapic.Options{}))(t).(*wire.Mux).Routes()
}

func TestRoutesAreTheDocuments(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	var documented, routes []string
	for _, o := range built(t) {
		documented = append(documented, o.ID+" "+o.pattern())
	}
	for _, r := range mounted(t, w.dialect()) {
		routes = append(routes, r.ID+" "+r.Pattern)
	}
	is.Equal(routes, documented) // each documented operation in the document's order, and no other
}

func TestWhatIsNotBuiltIsDocumented(t *testing.T) {
	all := facts(t, "metapic_v2")
	for i, id := range notBuiltYet {
		if !slices.ContainsFunc(all, func(o operation) bool { return o.ID == id }) {
			t.Errorf("no operation %q is documented", id)
		}
		if slices.Contains(notBuiltYet[:i], id) {
			t.Errorf("%q stands twice", id)
		}
	}
}

func TestOnlyDocumentedRoutesAreOpenOrDeprecated(t *testing.T) {
	w := newWorld(t, inMemory())
	scopes := map[string]wire.Scope{}
	for _, r := range mounted(t, w.dialect()) {
		scopes[r.ID] = r.Scope
	}
	for _, o := range built(t) {
		if open := o.ID == "health-get"; scopes[o.ID].IsOpen() != open {
			t.Errorf("%s: open is %v", o.ID, !open)
		}
		method, path := o.Methods[0], strings.NewReplacer("{", "", "}", "").Replace(o.Path)
		if deprecated := w.send("nobody", method, path, "").Header().Get("Deprecation") != ""; deprecated != o.Deprecated {
			t.Errorf("%s: deprecated is %v", o.ID, deprecated)
		}
	}
}

func TestDocumentedParametersAreRead(t *testing.T) {
	w := newWorld(t, inMemory())
	inputs := map[string]string{}
	for _, r := range mounted(t, w.dialect()) {
		inputs[r.ID] = inputTags(r.Op.In())
	}
	for _, o := range built(t) {
		for _, p := range o.Query {
			if !strings.Contains(inputs[o.ID], ` query "`+p.Name+`"`) {
				t.Errorf("%s does not read the query parameter %q", o.ID, p.Name)
			}
		}
		for _, p := range o.PathParams {
			if !strings.Contains(inputs[o.ID], ` path "`+p.Name+`"`) {
				t.Errorf("%s does not read the path parameter %q", o.ID, p.Name)
			}
		}
		if body, ok := o.Request.(map[string]any); ok {
			for name := range body {
				if !strings.Contains(inputs[o.ID], ` json "`+name+`"`) {
					t.Errorf("%s does not read the field %q", o.ID, name)
				}
			}
		}
	}
}

func TestDocumentedBoundsHold(t *testing.T) {
	w := newWorld(t, inMemory())
	for _, o := range built(t) {
		method, path := o.Methods[0], w.documentedPath(o)
		for _, p := range o.Query {
			for value, want := range p.edges() {
				target := path + "?" + value + w.alsoRequired(o, p.Name)
				if got := w.send("admin", method, target, ""); got.Code != want {
					t.Errorf("%s %s: got %d %s, want %d", method, target[:min(len(target), 200)], got.Code, got.Body, want)
				}
			}
		}
	}
}

// edges are query strings at and beyond the parameter's bounds, with the status
// that each must have.
func (p parameter) edges() map[string]int {
	edges := map[string]int{}
	if p.MaxLength != nil {
		edges[p.Name+"="+strings.Repeat("é", *p.MaxLength)] = 200
		edges[p.Name+"="+strings.Repeat("é", *p.MaxLength+1)] = 422
	}
	if p.Max != nil {
		edges[p.Name+"="+jsonText(*p.Max)] = 200
		edges[p.Name+"="+jsonText(*p.Max+1)] = 422
		edges[p.Name+"=0"] = 422
	}
	if p.MaxItems != nil {
		edges[strings.TrimPrefix(strings.Repeat("&"+p.Name+"[]=1", *p.MaxItems), "&")] = 200
		edges[strings.TrimPrefix(strings.Repeat("&"+p.Name+"[]=1", *p.MaxItems+1), "&")] = 422
	}
	name := p.Name
	if p.Type != "string" { // "object": a list too, in its example
		name += "[]"
	}
	for _, v := range p.Enum {
		edges[name+"="+strings.Trim(jsonText(v), `"`)] = 200
	}
	if len(p.Enum) > 0 {
		edges[name+"=9"] = 422
	}
	return edges
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestANilServiceLeavesItsRoutesOut(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	count := func(s metapic.Services) int { return len(mounted(t, s)) }
	is.Equal(count(metapic.Services{}), 1) // health
	is.Equal(count(metapic.Services{Core: w.core}), 11)
	is.Equal(count(metapic.Services{Links: w.links}), 10)
	is.Equal(count(metapic.Services{Core: w.core, Links: w.links}), 25)
	is.Equal(count(metapic.Services{Core: w.core, Offers: w.offers}), 11+36)
	is.Equal(count(w.dialect()), 25+42)
}
