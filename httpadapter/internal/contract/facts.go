package contract

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// Facts are what a document says, without its prose.
type Facts struct {
	Operations []Operation
	Enums      map[string][]string
}

// Operation is one documented operation.
type Operation struct {
	ID         string      `json:"id"`
	Methods    []string    `json:"methods"`
	Path       string      `json:"path"`
	Auth       string      `json:"auth"`
	Deprecated bool        `json:"deprecated"`
	PathParams []Parameter `json:"path_params"`
	Query      []Parameter `json:"query_params"`
	Body       []Parameter `json:"body_params"`
	Request    any         `json:"request_example"`
	Responses  []Response  `json:"responses"`
}

// Response is one documented answer.
type Response struct {
	Status  int               `json:"status"`
	Example any               `json:"example"`
	Headers map[string]string `json:"headers"`
}

// Parameter is a documented parameter or field with its bounds. The name of a
// nested field is dotted, with * for the index of a list: "users.*.id".
type Parameter struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Required     any      `json:"required"` // a boolean, or null where the document does not say
	RequiredWith string   `json:"required_with"`
	Confirmed    bool     `json:"confirmed"`
	MinLength    *int     `json:"min_length"`
	MaxLength    *int     `json:"max_length"`
	MaxItems     *int     `json:"max_items"`
	Min          *float64 `json:"min"`
	Max          *float64 `json:"max"`
	Pattern      string   `json:"pattern"`
	Format       string   `json:"format"`
	Default      *int     `json:"default"`
	Enum         []any    `json:"enum"`
	Example      any      `json:"example"`
}

// IsRequired reports whether the document marks the parameter as required.
func (p Parameter) IsRequired() bool { return p.Required == true }

// Pattern is the operation as a route table has it: "PUT,PATCH /v2/offers/{id}".
func (o Operation) Pattern() string { return strings.Join(o.Methods, ",") + " " + o.Path }

// Read reads the facts of a document from a file.
func Read(t testing.TB, file string) Facts {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f Facts
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Operation returns an operation by its id.
func (f Facts) Operation(t testing.TB, id string) Operation {
	t.Helper()
	i := slices.IndexFunc(f.Operations, func(o Operation) bool { return o.ID == id })
	if i < 0 {
		t.Fatalf("no operation %q is documented", id)
	}
	return f.Operations[i]
}
