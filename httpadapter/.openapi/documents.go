package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// everything is the name of the document for all dialects.
const everything = "openapi"

// Documents makes all documents: the one for all, and one for each dialect by
// its name. Facts is the folder of the documented examples.
func Documents(facts string) (map[string][]byte, error) {
	huma.DefaultArrayNullable = false // an answer has [], never null
	all, err := dialects()
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	whole := newDocument("affiliatekit", "1", "All APIs of affiliatekit. Each is a document of its own as well.")
	texts := map[string][]byte{}
	for _, d := range all {
		examples, err := readExamples(facts, d.facts)
		if err != nil {
			return nil, err
		}
		w := writer{dialect: d, examples: examples, schemas: newSchemas(d.name, used), paths: map[string]string{}}
		doc := w.document()
		if err := errors.Join(w.schemas.wrong...); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		if texts[d.name], err = json.Marshal(doc); err != nil {
			return nil, err
		}
		if err := merge(whole, doc, d.title); err != nil {
			return nil, err
		}
	}
	for name := range scalars {
		if !used[name] {
			return nil, fmt.Errorf("the table of scalars has %s, which no route needs", name)
		}
	}
	texts[everything], err = json.Marshal(whole)
	return texts, err
}

func newDocument(title, version, description string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: title, Version: version, Description: description, License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{URL: "/"}},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Schemas:         newSchemas("", nil),
			Responses:       map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{},
			Headers: map[string]*huma.Param{
				"RequestID":  {Description: "The id of the request, for questions about it.", Schema: &huma.Schema{Type: huma.TypeString}},
				"RetryAfter": {Description: "Seconds until the next request is taken.", Schema: &huma.Schema{Type: huma.TypeInteger}},
			},
		},
	}
}

// merge adds a dialect to the document for all.
func merge(whole, part *huma.OpenAPI, title string) error {
	for path, item := range part.Paths {
		if whole.Paths[path] != nil {
			return fmt.Errorf("path %s is in two dialects", path)
		}
		whole.Paths[path] = item
		for _, op := range operations(item) {
			op.Tags = []string{title + ": " + op.Tags[0]}
		}
	}
	for _, tag := range part.Tags {
		whole.Tags = append(whole.Tags, &huma.Tag{Name: title + ": " + tag.Name})
	}
	maps.Copy(whole.Components.Schemas.Map(), part.Components.Schemas.Map())
	maps.Copy(whole.Components.Responses, part.Components.Responses)
	maps.Copy(whole.Components.SecuritySchemes, part.Components.SecuritySchemes)
	return nil
}

func operations(item *huma.PathItem) (all []*huma.Operation) {
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Options, item.Head} {
		if op != nil {
			all = append(all, op)
		}
	}
	return all
}

// writer writes the document of one dialect.
type writer struct {
	dialect
	examples examples
	schemas  *schemas
	doc      *huma.OpenAPI
	statuses map[int]bool      // of refusals that are in the components
	paths    map[string]string // by what they are without the names of their parameters
}

func (w *writer) document() *huma.OpenAPI {
	w.doc = newDocument(w.title, w.version, w.description)
	w.doc.Components.Schemas = w.schemas
	for name, scheme := range w.security {
		w.doc.Components.SecuritySchemes[w.name+"."+name] = scheme
	}
	w.refuse()
	for _, d := range w.mux.Describe() {
		for _, method := range d.Methods() {
			op := w.operation(d, method)
			w.shareParameters(op)
			w.doc.AddOperation(op)
		}
	}
	for _, op := range w.more {
		w.doc.AddOperation(op)
	}
	w.prune()
	groups := map[string]bool{}
	for _, item := range w.doc.Paths {
		for _, op := range operations(item) {
			groups[op.Tags[0]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		w.doc.Tags = append(w.doc.Tags, &huma.Tag{Name: name})
	}
	return w.doc
}

// prune removes the error responses that no operation has, and the headers that no
// response has.
func (w *writer) prune() {
	used := map[string]bool{}
	note := func(r *huma.Response) {
		for _, h := range r.Headers {
			used[h.Ref] = true
		}
	}
	for _, item := range w.doc.Paths {
		for _, op := range operations(item) {
			for _, r := range op.Responses {
				used[r.Ref] = true
				note(r)
			}
		}
	}
	maps.DeleteFunc(w.doc.Components.Responses, func(name string, _ *huma.Response) bool { return !used["#/components/responses/"+name] })
	for _, r := range w.doc.Components.Responses {
		note(r)
	}
	maps.DeleteFunc(w.doc.Components.Headers, func(name string, _ *huma.Param) bool { return !used["#/components/headers/"+name] })
}

func (w *writer) operation(d wire.Description, method string) *huma.Operation {
	id := w.name + "-" + d.ID
	if len(d.Methods()) > 1 {
		id += "-" + strings.ToLower(method)
	}
	facts := w.examples[d.ID]
	op := &huma.Operation{
		Method: method, Path: strings.ReplaceAll(d.Path(), "...}", "}"), OperationID: id, Deprecated: d.Deprecated,
		Summary: sentence(d.ID), Tags: []string{cmp.Or(facts.Group, "Open routes")}, Description: whoMay(d.Scope),
		Security: []map[string][]string{}, Responses: map[string]*huma.Response{},
	}
	if !d.Scope.IsOpen() {
		for _, name := range slices.Sorted(maps.Keys(w.security)) {
			op.Security = append(op.Security, map[string][]string{w.name + "." + name: {}})
		}
	}
	w.input(op, d, facts)
	w.success(op, d, facts)
	for _, status := range refusalsOf(d, method, len(op.Parameters) > 0) {
		if w.statuses[status] {
			op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + w.refusalName(status)}
		}
	}
	more := extra[w.name+"-"+d.ID]
	op.Parameters = append(op.Parameters, more.parameters...)
	if more.response != nil {
		op.Responses = maps.Clone(op.Responses)
		delete(op.Responses, "200")
		maps.Copy(op.Responses, more.response)
	}
	return op
}

// shareParameters gives an operation the path of another one that differs in
// the names of its parameters alone: to OpenAPI they are one path.
func (w *writer) shareParameters(op *huma.Operation) {
	form := parameterName.ReplaceAllString(op.Path, "{}")
	known, ok := w.paths[form]
	if !ok {
		w.paths[form] = op.Path
		return
	}
	names := pathNames(known)
	for i, p := range op.Parameters[:len(names)] { // they come first
		p.Name = names[i]
	}
	op.Path = known
}

var parameterName = regexp.MustCompile(`\{[^}]*\}`)

// whoMay says who may call a route.
func whoMay(s wire.Scope) string {
	if s.IsOpen() {
		return "Needs no principal."
	}
	if s.Name == "any" {
		return "For every principal."
	}
	return "For the scope " + s.Name + "."
}

// sentence makes a summary of an operation's id.
func sentence(id string) string { return upper(strings.ReplaceAll(id, "-", " ")) }

// input writes the parameters and the body. What is in the path and not in the
// input is a parameter as well: the scope reads it.
func (w *writer) input(op *huma.Operation, d wire.Description, facts fact) {
	var body []wire.Field
	for _, name := range pathNames(op.Path) {
		i := slices.IndexFunc(d.Fields, func(f wire.Field) bool { return f.In == wire.InPath && f.Name == name })
		p := &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
		if i >= 0 {
			p = w.schemas.parameter(d.Fields[i])
		}
		p.Example = facts.example("path", name, p.Schema)
		op.Parameters = append(op.Parameters, p)
	}
	for _, f := range d.Fields {
		switch {
		case f.In == wire.InQuery && f.Name != "":
			p := w.schemas.parameter(f)
			p.Example = facts.example("query", f.Name, p.Schema)
			op.Parameters = append(op.Parameters, p)
		case f.In == wire.InBody && !(op.Method == http.MethodGet && slices.ContainsFunc(d.Fields, func(q wire.Field) bool { return q.In == wire.InQuery && q.Name == f.Name })):
			body = append(body, f)
		}
	}
	if len(body) == 0 {
		return
	}
	name := w.name + "." + camel(d.ID) + "Body"
	schema := w.schemas.object(body)
	w.schemas.byName[name] = schema
	content := map[string]*huma.MediaType{}
	for _, media := range w.mux.Dialect().Accepts {
		content[media] = &huma.MediaType{Schema: &huma.Schema{Ref: refPrefix + name}}
		if facts.Request != nil && fits(w.schemas, schema, facts.Request) {
			content[media].Example = facts.Request
		}
	}
	switch {
	case d.Forms && d.Files:
		content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Ref: refPrefix + name}}
	case d.Forms:
		content["application/x-www-form-urlencoded"] = &huma.MediaType{Schema: &huma.Schema{Ref: refPrefix + name}}
	}
	op.RequestBody = &huma.RequestBody{Content: content, Required: len(schema.Required) > 0}
}

func pathNames(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

func camel(id string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(id, "-") {
		b.WriteString(upper(part))
	}
	return b.String()
}

// success writes the answers to a request that is taken.
func (w *writer) success(op *huma.Operation, d wire.Description, facts fact) {
	for _, status := range d.Status {
		r := &huma.Response{Description: http.StatusText(status), Headers: map[string]*huma.Param{wire.RequestIDHeader: {Ref: "#/components/headers/RequestID"}}}
		if len(d.Out) > 0 || len(d.Media) > 0 {
			r.Content = map[string]*huma.MediaType{}
		}
		if len(d.Out) > 0 {
			schema := w.schemas.oneOf(d.Out)
			media := &huma.MediaType{Schema: schema}
			if example := facts.response(status); example != nil && fits(w.schemas, schema, example) {
				media.Example = example
			}
			r.Content[w.mux.Dialect().ContentType] = media
		}
		for _, media := range d.Media {
			r.Content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses[strconv.Itoa(status)] = r
	}
}

func (r *schemas) oneOf(types []reflect.Type) *huma.Schema {
	if len(types) == 1 {
		return r.Schema(types[0], true, "")
	}
	s := &huma.Schema{}
	for _, t := range types {
		s.AnyOf = append(s.AnyOf, r.Schema(t, true, ""))
	}
	return s
}

// refusalsOf are the statuses with which a route may refuse a request. Those
// that the dialect has no form of are left out by the caller.
func refusalsOf(d wire.Description, method string, takes bool) []int {
	statuses := []int{http.StatusInternalServerError, http.StatusServiceUnavailable}
	if !d.Unlimited {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	if !d.Scope.IsOpen() {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(d.Path(), "{") {
		statuses = append(statuses, http.StatusNotFound, http.StatusGone)
	}
	if takes || d.Body {
		statuses = append(statuses, http.StatusNotFound, http.StatusGone) // of what an id names that is sent
		statuses = append(statuses, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	if d.Body {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotAcceptable)
	}
	if method != http.MethodGet {
		statuses = append(statuses, http.StatusConflict)
	}
	return statuses
}

// refuse puts the dialect's error answers into the components: one for each
// status, with the schema of every form that it takes.
func (w *writer) refuse() {
	w.statuses = map[int]bool{}
	problems := w.mux.Dialect().Problems()
	for _, p := range slices.Clone(problems) {
		if p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusConflict {
			p.Fields = []affiliate.FieldError{{Field: "name", Code: "required", Message: "is required"}}
			problems = append(problems, p)
		}
	}
	forms := map[int][]reflect.Type{}
	examples := map[int]any{}
	for _, p := range append(problems, w.refusals...) {
		p.RequestID = "0190f3b2-7c1e-7d7a-9c55-3f1d7a2b4c11"
		status, body := w.mux.Dialect().Refusal(p)
		if t := reflect.TypeOf(body); !slices.Contains(forms[status], t) {
			forms[status] = append(forms[status], t)
		}
		if examples[status] == nil || len(p.Fields) > 0 {
			examples[status] = body
		}
	}
	for status, types := range forms {
		w.statuses[status] = true
		r := &huma.Response{
			Description: http.StatusText(status),
			Headers:     map[string]*huma.Param{wire.RequestIDHeader: {Ref: "#/components/headers/RequestID"}},
			Content: map[string]*huma.MediaType{
				w.mux.Dialect().ContentType: {Schema: w.schemas.oneOf(types), Example: examples[status]},
			},
		}
		if status == http.StatusTooManyRequests {
			r.Headers["Retry-After"] = &huma.Param{Ref: "#/components/headers/RetryAfter"}
		}
		w.doc.Components.Responses[w.refusalName(status)] = r
	}
}

func (w *writer) refusalName(status int) string {
	return w.name + "." + strings.ReplaceAll(http.StatusText(status), " ", "")
}
