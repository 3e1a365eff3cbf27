package myshare_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/httpadapter/myshare"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// facts are what the document says.
type facts struct {
	Operations []operation
	Enums      map[string][]string
}

type operation struct {
	ID         string
	Methods    []string
	Path       string
	Auth       string
	PathParams []parameter     `json:"path_params"`
	Query      []parameter     `json:"query_params"`
	Body       []parameter     `json:"body_params"`
	Request    json.RawMessage `json:"request_example"`
	Responses  []struct {
		Status  int
		Example json.RawMessage
	}
}

type parameter struct {
	Name     string
	Required any
	Enum     []string
}

func readFacts(t *testing.T) facts {
	t.Helper()
	text, err := os.ReadFile("../testdata/contract/myshare.json")
	if err != nil {
		t.Fatal(err)
	}
	var f facts
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// routes are those of the dialect.
func routes(t *testing.T) []wire.Route {
	t.Helper()
	service := must(deals.NewService(memory.New().Deals(), deals.Options{}))(t)
	return must(myshare.New(myshare.Services{Deals: service}, myshare.Options{}))(t).(*wire.Mux).Routes()
}

func TestRoutesAreTheDocuments(t *testing.T) {
	is := is.New(t)
	var documented, served []string
	pairs := 0
	for _, o := range readFacts(t).Operations {
		documented = append(documented, o.ID+" "+strings.Join(o.Methods, ",")+" "+o.Path)
		pairs += len(o.Methods)
		is.Equal(o.Auth, "required")
	}
	for _, r := range routes(t) {
		served = append(served, r.ID+" "+r.Pattern)
		is.True(!r.Scope.IsOpen())
		prefixed := slices.ContainsFunc(myshare.Paths(), func(p string) bool { return strings.HasPrefix(r.Path(), p+"/") })
		is.True(prefixed) // the adapter sends it here
	}
	slices.Sort(documented)
	slices.Sort(served)
	is.Equal(served, documented) // each documented operation, and no other
	is.Equal(pairs, 18)
}

// inputNames are the names that an input reads, by source.
func inputNames(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			maps.Copy(names, inputNames(field.Type))
		}
		for _, source := range []string{"path", "query", "json"} {
			name, ok := field.Tag.Lookup(source)
			for _, n := range append(strings.Split(field.Tag.Get("alias"), ","), name) {
				if ok && n != "" {
					names[source+" "+n] = true
				}
			}
		}
	}
	return names
}

func TestDocumentedParametersAreRead(t *testing.T) {
	inputs := map[string]map[string]bool{}
	for _, r := range routes(t) {
		inputs[r.ID] = inputNames(r.Op.In())
	}
	for _, o := range readFacts(t).Operations {
		for source, list := range map[string][]parameter{"path": o.PathParams, "query": o.Query, "json": o.Body} {
			for _, p := range list {
				if !inputs[o.ID][source+" "+p.Name] {
					t.Errorf("%s does not read %s %q", o.ID, source, p.Name)
				}
			}
		}
	}
}

// A required field that is left out is refused by name; null and an unknown
// value of an enumeration are too.
func TestDocumentedRequirementsHold(t *testing.T) {
	w := memoryWorld(t)
	s := w.shop("super")
	w.ask(200, "POST", "/deal/", posting("d1", "Created"))
	replays := s.replays()
	for _, o := range readFacts(t).Operations {
		r := replays[o.ID]
		for _, p := range o.Body {
			method := o.Methods[0] // PUT where there is PATCH too
			send := func(value any, present bool) {
				t.Helper()
				body := r.bodyOf(t, o)
				delete(body, p.Name)
				if present {
					body[p.Name] = value
				}
				got := w.send("partner", method, r.pathOf(o), jsonOf(body))
				if errs := object(t, got.Body.String()); got.Code != 400 || errs[p.Name] == nil {
					t.Errorf("%s without a good %s: got %d %s", o.ID, p.Name, got.Code, got.Body)
				}
			}
			if p.Required == true {
				send(nil, false)
				send(nil, true)
			}
			if len(p.Enum) > 0 {
				send("No such value", true)
				send(7, true)
			}
		}
	}
}

func TestEnumerationsAreTheDocuments(t *testing.T) {
	is := is.New(t)
	enums := readFacts(t).Enums
	sorted := func(list []string) []string { list = slices.Clone(list); slices.Sort(list); return list }
	is.Equal(deals.Countries(), sorted(enums["OfferGeoEnum"]))
	is.Equal(deals.Languages(), sorted(enums["LocalizationEnum"]))
	is.Equal(len(deals.Countries()), 250)
	is.Equal(len(deals.Languages()), 184)
	is.Equal(texts(deals.Devices()), enums["DevicesEnum"])
	is.Equal(texts(deals.Devices()), enums["AdaptabilityEnum"])
	is.Equal(texts(deals.Moderations()), enums["ModerationTypeEnum"])
	is.Equal(texts(deals.RewardTypes()), enums["RewardTypeEnum"])

	w := memoryWorld(t)
	w.ask(200, "POST", "/catalog/", jsonOf(map[string]any{
		"title": "T", "catalog_code": "all", "offer_geo": enums["OfferGeoEnum"], "localizations": enums["LocalizationEnum"],
	}))
	s := w.shop("super")
	for _, c := range enums["CurrencyEnum"] {
		w.ask(200, "PATCH", "/offer/"+s.offer, `{"prices":[{"cost":1,"currency":"`+c+`"}]}`)
		w.ask(200, "POST", "/deal/", posting("in "+c, "Paid", "currency", c))
	}
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// replay adapts a documented request to a shop.
type replay struct {
	id     string         // in the path
	query  string         // where the examples name what is not there
	body   map[string]any // in place of fields of the example
	status int
}

// replays has one line for each operation.
func (s shop) replays() map[string]replay {
	return map[string]replay{
		"catalog-index":     {status: 200},
		"catalog-create":    {status: 200},
		"catalog-get":       {id: s.catalog, status: 200},
		"catalog-update":    {id: s.catalog, status: 200, body: map[string]any{"title": "Different Catalog Name", "catalog_code": "super"}}, // PUT needs the code
		"offer-create":      {status: 201, body: map[string]any{"name": "Another", "catalog_id": s.catalog}},
		"offer-get":         {id: s.offer, status: 200},
		"offer-update":      {id: s.offer, status: 200, body: map[string]any{"name": "Offer name", "catalog_id": s.catalog, "is_promocode_allowed": true, "is_active": true, "prices": []any{map[string]any{"cost": 100, "currency": "USD"}}}},
		"deal-create":       {status: 200, body: map[string]any{"catalog_code": "super"}},
		"deal-get":          {id: "d1", status: 200},
		"deal-update":       {id: "d1", status: 200},
		"landing-create":    {status: 201, body: map[string]any{"catalog_id": s.catalog}},
		"landing-update":    {id: s.landing, status: 200, body: map[string]any{"catalog_id": s.catalog}},
		"landing-delete":    {id: s.landing, status: 204},
		"promo-check-promo": {query: "?code=Promo&catalog_id=" + s.short, status: 200},
		"promo-check-uuid":  {query: "?code=BDGSYEHVX", status: 200},
	}
}

func (r replay) pathOf(o operation) string { return strings.ReplaceAll(o.Path, "{id}", r.id) + r.query }

func (r replay) bodyOf(t *testing.T, o operation) map[string]any {
	t.Helper()
	body := map[string]any{}
	if len(o.Request) > 0 {
		body = object(t, string(o.Request))
	}
	maps.Copy(body, r.body)
	return body
}

func TestDocumentedRequestsHaveTheDocumentedAnswers(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		s := w.shop("super")
		w.ask(200, "POST", "/deal/", posting("d1", "Created"))
		w.ask(200, "PATCH", "/catalog/"+s.catalog, `{"icon":"http://example.com/icon.png","category":"Education"}`)
		for _, o := range readFacts(t).Operations {
			r, ok := s.replays()[o.ID]
			if !ok {
				t.Errorf("%s has no line in the replay", o.ID)
				continue
			}
			for _, method := range o.Methods {
				body := ""
				if len(o.Request) > 0 {
					body = jsonOf(r.bodyOf(t, o))
				}
				got := w.send("partner", method, r.pathOf(o), body)
				if got.Code != r.status || len(o.Responses) > 0 && got.Code != o.Responses[0].Status {
					t.Errorf("%s %s: got %d %s, want %d as documented", o.ID, method, got.Code, got.Body, r.status)
					continue
				}
				if len(o.Responses) == 0 || len(o.Responses[0].Example) == 0 || got.Code == 204 {
					continue
				}
				if problem := shape("answer", object(t, string(o.Responses[0].Example)), object(t, got.Body.String())); problem != "" {
					t.Errorf("%s %s: %s in %s", o.ID, method, problem, got.Body)
				}
			}
		}
	})
}

// Not every field of a read deal is there from the beginning, and the documents
// show images that their requests do not send.
var absentAtFirst = []string{"answer.paid_at", "answer.approved_at", "answer.canceled_at", "answer.promo", "answer.promo_code",
	"answer.icon", "answer.preview_image", "answer.image_url"}

// shape says where an answer lacks a documented field or its JSON type. Numbers
// are written as documented: with a point or without. What is null in the
// document, or a field of a list that is empty there, has no type.
func shape(at string, want, got any) string {
	if got == nil && slices.Contains(absentAtFirst, at) {
		return ""
	}
	switch want := want.(type) {
	case nil:
		return ""
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %T", at, got)
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, ok := object[name]
			if !ok {
				return at + "." + name + " is missing"
			}
			if problem := shape(at+"."+name, want[name], value); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) == 0 && len(want) > 0 {
			return fmt.Sprintf("%s is %v", at, got)
		}
		for i := range list {
			if len(want) > 0 {
				if problem := shape(fmt.Sprintf("%s[%d]", at, i), want[0], list[i]); problem != "" {
					return problem
				}
			}
		}
		return ""
	case json.Number:
		number, ok := got.(json.Number)
		if !ok || strings.Contains(want.String(), ".") != strings.Contains(number.String(), ".") {
			return fmt.Sprintf("%s is %v, not written like %v", at, got, want)
		}
		return ""
	case string:
		text, ok := got.(string)
		if _, err := uuid.Parse(want); ok && err == nil {
			if _, err := uuid.Parse(text); err != nil {
				return fmt.Sprintf("%s is %q, no UUID", at, text)
			}
		}
		if ok && strings.Contains(want, "T") && len(want) > 10 && want[4] == '-' && len(text) != len(want) {
			return fmt.Sprintf("%s is %q, not written like %q", at, text, want)
		}
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return fmt.Sprintf("%s is %T, want %T", at, got, want)
	}
	return ""
}

func TestShapesAreCompared(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{`{"a":1}`, `{"a":2,"b":3}`, true},
		{`{"a":1}`, `{"b":3}`, false},
		{`{"a":1}`, `{"a":1.5}`, false},
		{`{"a":1.0}`, `{"a":1}`, false},
		{`{"a":"x"}`, `{"a":null}`, false},
		{`{"a":null}`, `{"a":[]}`, true},
		{`{"a":[{"b":1}]}`, `{"a":[]}`, false},
		{`{"a":[{"b":1}]}`, `{"a":[{"c":1}]}`, false},
		{`{"a":"2019-08-24T14:15:22Z"}`, `{"a":"2026-03-18T11:42:10.123456Z"}`, false},
		{`{"a":"497f6eca-6276-4993-bfeb-53cbbbba6f08"}`, `{"a":"HN3W8"}`, false},
	} {
		if problem := shape("answer", object(t, c.want), object(t, c.got)); (problem == "") != c.ok {
			t.Errorf("%s against %s: %q", c.got, c.want, problem)
		}
	}
}
