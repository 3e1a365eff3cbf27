package contract

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testBounds sends each parameter and field at and beyond its documented
// bounds, one at a time.
func (s Suite) testBounds(t *testing.T) {
	reader := s.Memory(t)
	for _, o := range s.Built() {
		t.Run(o.ID, func(t *testing.T) {
			for _, p := range o.Query {
				s.testQueryBounds(t, reader, o, p)
			}
			fresh := s.freshWorlds(t)
			for _, p := range o.Body {
				if slices.Contains(s.Unread, o.ID+" "+p.Name) {
					continue
				}
				for _, e := range s.bodyEdges(o, p) {
					s.testBodyEdge(t, fresh, o, p, e)
				}
			}
		})
	}
}

func (s Suite) testQueryBounds(t *testing.T, w World, o Operation, p Parameter) {
	r := s.Replays(w)[o.ID]
	rest := ""
	for _, other := range o.Query {
		if other.IsRequired() && other.Name != p.Name {
			rest += "&" + queryOf(other, r).Encode()
		}
	}
	for value, ok := range p.queryEdges() {
		target := PathIn(w, o, r) + "?" + value + rest
		body := ""
		if o.Methods[0] != http.MethodGet {
			body = RequestOf(o, r)
		}
		got := w.Send(s.operator(), o.Methods[0], target, body)
		if ok && got.Code >= 300 || !ok && !s.refuses(got, p.Name) && !s.refuses(got, p.Name+".0") {
			t.Errorf("%s: allowed is %v: got %d %s", target[:min(len(target), 200)], ok, got.Code, got.Body)
		}
	}
}

// queryEdges are query strings at and beyond the parameter's bounds, and
// whether the document allows each.
func (p Parameter) queryEdges() map[string]bool {
	edges := map[string]bool{}
	if p.MaxLength != nil {
		edges[p.Name+"="+url.QueryEscape(strings.Repeat("é", *p.MaxLength))] = true
		edges[p.Name+"="+url.QueryEscape(strings.Repeat("é", *p.MaxLength+1))] = false
	}
	if p.Max != nil {
		edges[p.Name+"="+jsonText(*p.Max)] = true
		edges[p.Name+"="+jsonText(*p.Max+1)] = false
		edges[p.Name+"=0"] = false
	}
	if p.MaxItems != nil {
		edges[strings.TrimPrefix(strings.Repeat("&"+p.Name+"[]=1", *p.MaxItems), "&")] = true
		edges[strings.TrimPrefix(strings.Repeat("&"+p.Name+"[]=1", *p.MaxItems+1), "&")] = false
	}
	name := p.Name
	if p.Type != "string" && p.Type != "integer" { // "object": a list too, in its example
		name += "[]"
	}
	for _, v := range p.Enum {
		edges[name+"="+strings.Trim(jsonText(v), `"`)] = true
	}
	if len(p.Enum) > 0 {
		edges[name+"=9"] = false
	}
	return edges
}

// edge is a value of a field, and whether the document allows it.
type edge struct {
	value any
	ok    bool
}

// absent is the value of a field that is left out.
type absent struct{}

// bodyEdges are values at and beyond the field's bounds.
func (s Suite) bodyEdges(o Operation, p Parameter) []edge {
	var edges []edge
	add := func(value any, ok bool) { edges = append(edges, edge{value, ok}) }
	update := slices.Contains(o.Methods, "PUT") || slices.Contains(o.Methods, "PATCH")
	nested := strings.Contains(p.Name, "*")
	if p.IsRequired() && (nested || !s.Partial || !update) || p.RequiredWith != "" {
		add(absent{}, false)
		add(nil, false)
	}
	if p.MaxLength != nil {
		add(strings.Repeat("é", *p.MaxLength), true)
		add(strings.Repeat("é", *p.MaxLength+1), false)
	}
	if p.MinLength != nil {
		add(strings.Repeat("é", *p.MinLength), true)
		add(strings.Repeat("é", *p.MinLength-1), false)
	}
	step := 1.0
	if p.Type == "decimal" {
		step = 0.25
	}
	if p.Max != nil {
		add(number(*p.Max), true)
		add(number(*p.Max+step), false)
	}
	if p.Min != nil {
		add(number(*p.Min), true)
		add(number(*p.Min-step), false)
	}
	for _, v := range p.Enum {
		add(v, true)
	}
	if len(p.Enum) > 0 {
		add("no such value", false)
		add(json.Number("999"), false)
	}
	if p.Pattern != "" {
		add("not that pattern, "+strings.Repeat("!", 300), false)
	}
	switch p.Type {
	case "integer":
		add("x", false)
		add(json.Number("1.5"), false)
		add(json.Number("99999999999999999999"), false)
	case "decimal":
		add("x", false)
	case "date":
		add("2020-13-01", false)
	case "email":
		add("nobody", false)
		add("a@b@c.example", false)
	case "string":
		add(map[string]any{"a": 1}, false)
		add("a\x00b", false)
	}
	return edges
}

// number is a number as JSON has it.
func number(f float64) json.Number {
	if f == math.Trunc(f) {
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}

func (s Suite) testBodyEdge(t *testing.T, fresh *freshWorlds, o Operation, p Parameter, e edge) {
	if e.ok && slices.Contains(s.Narrower, o.ID+" "+p.Name) {
		return
	}
	field := strings.ReplaceAll(p.Name, "*", "0")
	got, changed := fresh.send(func(w World) *httptest.ResponseRecorder {
		r := s.Replays(w)[o.ID]
		body := copied(BodyOf(o, r)).(map[string]any)
		if !setField(body, strings.Split(p.Name, "."), e.value) {
			t.Fatalf("the documented request has no %s", p.Name)
		}
		return w.Send(r.Who, o.Methods[0], PathIn(w, o, r)+QueryOf(o, r), jsonText(body))
	})
	if s.refuses(got, field) == e.ok {
		t.Errorf("%s of %.80v: allowed is %v: got %d %s", field, e.value, e.ok, got.Code, got.Body)
	}
	if got.Code >= 400 && changed {
		t.Errorf("%s of %.80v: refused and changed something", field, e.value)
	}
}

// setField changes a field of a request at any depth; * is the first item of a
// list. It reports whether there is such a place.
func setField(in any, path []string, value any) bool {
	if list, ok := in.([]any); ok && path[0] == "*" && len(list) > 0 {
		if len(path) == 1 {
			list[0] = value
			return true
		}
		return setField(list[0], path[1:], value)
	}
	object, ok := in.(map[string]any)
	switch {
	case !ok:
		return false
	case len(path) > 1:
		return setField(object[path[0]], path[1:], value)
	case value == absent{}:
		delete(object, path[0])
	default:
		object[path[0]] = value
	}
	return true
}

// copied is a deep copy of a JSON value.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = copied(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = copied(item)
		}
		return out
	}
	return v
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint("not JSON: ", err)
	}
	return string(text)
}
