package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/matryer/is"
)

func documents(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := Documents("../testdata/contract")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What the adapter embeds is what the tables and types say now.
func TestTheEmbeddedDocumentsAreUpToDate(t *testing.T) {
	for name, want := range documents(t) {
		packed, err := os.ReadFile(filepath.Join("..", "openapi", name+".json.gz"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the routes say: run make openapi", name)
		}
	}
}

// The linter warns of a component that nothing refers to.
func TestEveryComponentIsUsed(t *testing.T) {
	for name, text := range documents(t) {
		var doc struct {
			Components map[string]map[string]json.RawMessage
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for kind, components := range doc.Components {
			for of := range components {
				if kind != "securitySchemes" && !bytes.Contains(text, []byte(`"#/components/`+kind+`/`+of+`"`)) {
					t.Errorf("%s: nothing refers to the component %s/%s", name, kind, of)
				}
			}
		}
	}
}

// A schema without a word takes anything: the generator must not write one.
func TestNoSchemaTakesAnything(t *testing.T) {
	for name, text := range documents(t) {
		var doc struct {
			Components struct{ Schemas map[string]any }
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for of, schema := range doc.Components.Schemas {
			for _, at := range bare(schema, of) {
				t.Errorf("%s: %s takes anything", name, at)
			}
		}
	}
}

// bare lists the schemas below one that have no type, reference or alternative.
func bare(schema any, at string) (found []string) {
	s, ok := schema.(map[string]any)
	if !ok {
		return nil
	}
	if s["type"] == nil && s["$ref"] == nil && s["anyOf"] == nil {
		found = append(found, at)
	}
	if properties, ok := s["properties"].(map[string]any); ok {
		for name, inner := range properties {
			found = append(found, bare(inner, at+"."+name)...)
		}
	}
	if forms, ok := s["anyOf"].([]any); ok {
		for _, inner := range forms {
			found = append(found, bare(inner, at+"|")...)
		}
	}
	found = append(found, bare(s["items"], at+"[]")...)
	return append(found, bare(s["additionalProperties"], at+"{}")...)
}

func TestEveryOperationHasAnIDOfItsDialect(t *testing.T) {
	is := is.New(t)
	seen := map[string]string{}
	for name, text := range documents(t) {
		if name == everything {
			continue
		}
		var doc struct {
			Paths map[string]map[string]struct {
				OperationID string
				Responses   map[string]any
			}
		}
		is.NoErr(json.Unmarshal(text, &doc))
		is.True(len(doc.Paths) > 0)
		for path, methods := range doc.Paths {
			for method, op := range methods {
				if !strings.HasPrefix(op.OperationID, name+"-") || len(op.Responses) == 0 {
					t.Errorf("%s %s has the id %q and %d answers", method, path, op.OperationID, len(op.Responses))
				}
				if other := seen[op.OperationID]; other != "" {
					t.Errorf("%s %s and %s have one id", method, path, other)
				}
				seen[op.OperationID] = method + " " + path
			}
		}
	}
	for _, id := range []string{"metapic-blocklist-list", "metapic-campaign-update-patch", "apisync-ad-update-put", "myshare-catalog-index", "tracking-redirect"} {
		is.True(seen[id] != "") // an id as clients know it
	}
}

// unknown prints itself, and the table of scalars has no line for it.
type unknown struct{}

func (unknown) MarshalJSON() ([]byte, error) { return []byte(`"?"`), nil }

type embedded struct {
	Inner int `json:"inner"`
}

type sample struct {
	embedded
	Next  *sample  `json:"next"`
	Text  *string  `json:"text"`
	Gone  *sample  `json:"gone,omitempty"`
	Names []string `json:"names" min:"1" enum:"a,b"`
	Todo  []string `json:"todo" null:"true"`
}

func TestTypesAreDescribedAsTheyArePrinted(t *testing.T) {
	is := is.New(t)
	r := newSchemas("x", map[string]bool{})
	is.Equal(r.Schema(typeOf[sample](), true, "").Ref, "#/components/schemas/x.Sample")
	is.Equal(len(r.wrong), 0)
	text, err := json.Marshal(r.byName["x.Sample"])
	is.NoErr(err)
	is.Equal(string(text), `{"properties":{"gone":{"$ref":"#/components/schemas/x.Sample"},"inner":{"format":"int64","type":"integer"},`+
		`"names":{"items":{"type":"string"},"type":"array"},"next":{"anyOf":[{"$ref":"#/components/schemas/x.Sample"},{"type":"null"}]},"text":{"type":["string","null"]},"todo":{"items":{"type":"string"},"type":["array","null"]}},`+
		`"required":["next","text","names","todo","inner"],"type":"object"}`)
}

func TestATypeWithoutASchemaIsAnError(t *testing.T) {
	is := is.New(t)
	for _, of := range []func(*schemas){
		func(r *schemas) { r.Schema(typeOf[struct{ A unknown }](), true, "") },
		func(r *schemas) { r.Schema(typeOf[struct{ A any }](), true, "") },
		func(r *schemas) { r.Schema(typeOf[map[string]any](), true, "") },
		func(r *schemas) { r.Schema(typeOf[[]float64](), true, "") },
	} {
		r := newSchemas("x", map[string]bool{})
		of(r)
		is.Equal(len(r.wrong), 1)
	}
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
