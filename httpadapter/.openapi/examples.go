package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examples are what a document shows of its operations, by their ids.
type examples map[string]fact

// fact is one documented operation.
type fact struct {
	ID        string
	Group     string
	Path      []named `json:"path_params"`
	Query     []named `json:"query_params"`
	Request   any     `json:"request_example"`
	Responses []struct {
		Status  int
		Example any
	}
}

type named struct {
	Name    string
	Example any
}

// readExamples reads the facts of a document; it has none without a file.
func readExamples(folder, name string) (examples, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err != nil {
		return nil, err
	}
	var facts struct{ Operations []fact }
	if err := json.Unmarshal(text, &facts); err != nil {
		return nil, err
	}
	all := examples{}
	for _, f := range facts.Operations {
		all[f.ID] = f
	}
	return all, nil
}

// example is the documented value of a parameter, where the schema takes it.
func (f fact) example(in, name string, schema *huma.Schema) any {
	params := f.Path
	if in == "query" {
		params = f.Query
	}
	for _, p := range params {
		if strings.TrimSuffix(p.Name, "[]") == name && p.Example != nil && fits(nil, schema, p.Example) {
			return p.Example
		}
	}
	return nil
}

// response is the documented answer with a status; where the document names
// none, it is that of success.
func (f fact) response(status int) any {
	for _, r := range f.Responses {
		if r.Status == status || r.Status == 0 && status < 300 {
			return r.Example
		}
	}
	return nil
}

// fits reports whether a schema takes a value: some documents print examples
// that break their own rules, and those are not shown.
func fits(r *schemas, schema *huma.Schema, value any) bool {
	if r == nil {
		r = newSchemas("", nil)
	}
	var result huma.ValidateResult
	defer func() { _ = recover() }() // the validator panics on some values: those do not fit
	schema.PrecomputeMessages()
	huma.Validate(r, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &result)
	return len(result.Errors) == 0
}
