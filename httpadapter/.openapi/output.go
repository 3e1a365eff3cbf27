package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// schemas makes the schemas of what is printed and keeps those of named
// structs. It is a registry of huma's, which asks it for each part of a type;
// what package encoding/json does and huma does not know (types that print
// themselves, embedded structs that are not exported, null for a pointer to a
// struct) is done here.
type schemas struct {
	prefix string // of the names
	byName map[string]*huma.Schema
	types  map[string]reflect.Type
	used   map[string]bool // lines of the table of scalars
	wrong  []error
}

func newSchemas(prefix string, used map[string]bool) *schemas {
	return &schemas{prefix: prefix, byName: map[string]*huma.Schema{}, types: map[string]reflect.Type{}, used: used}
}

const refPrefix = "#/components/schemas/"

func (r *schemas) fail(format string, args ...any) *huma.Schema {
	r.wrong = append(r.wrong, fmt.Errorf(format, args...))
	return &huma.Schema{}
}

// scalar is the table's schema of a type, nil when it has none.
func (r *schemas) scalar(t reflect.Type, of func(scalar) *huma.Schema) *huma.Schema {
	name := scalarName(t)
	line, ok := scalars[name]
	if !ok {
		return nil
	}
	r.used[name] = true
	if s := of(line()); s != nil {
		return s
	}
	return r.fail("type %s: the table of scalars has it for the other direction only", t)
}

// Schema is the schema of a type as it is printed.
func (r *schemas) Schema(t reflect.Type, _ bool, _ string) *huma.Schema {
	if t.Kind() == reflect.Pointer {
		return nullable(r.Schema(t.Elem(), true, ""))
	}
	if s := r.scalar(t, func(s scalar) *huma.Schema { return s.out }); s != nil {
		return s
	}
	if either := wire.Alternatives(t); either != nil {
		s := &huma.Schema{}
		for _, one := range either {
			s.AnyOf = append(s.AnyOf, r.Schema(one, true, ""))
		}
		return s
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return r.fail("type %s prints itself and is not in the table of scalars", t)
	}
	switch t.Kind() {
	case reflect.Struct:
		return r.structure(t)
	case reflect.Interface:
		return r.fail("type %s may be anything", t)
	case reflect.Float32, reflect.Float64, reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128:
		return r.fail("type %s has no schema", t)
	}
	return huma.SchemaFromType(r, t)
}

func (r *schemas) structure(t reflect.Type) *huma.Schema {
	if t.Name() == "" {
		return r.properties(t)
	}
	name := r.nameOf(t)
	ref := &huma.Schema{Ref: refPrefix + name}
	if known := r.types[name]; known == t {
		return ref
	} else if known != nil {
		return r.fail("types %s and %s have one name", t, known)
	}
	r.types[name] = t // before its parts: it may contain itself
	r.byName[name] = r.properties(t)
	return ref
}

func (r *schemas) properties(t reflect.Type) *huma.Schema {
	if t.NumField() == 0 {
		return &huma.Schema{Type: huma.TypeObject}
	}
	s := huma.SchemaFromType(r, reflect.StructOf(printedFields(t)))
	s.AdditionalProperties = nil // more may come later
	return s
}

// printedFields are the fields that encoding/json prints, embedded ones in the
// place of their struct, with the json tag alone: what other tags say is about
// the input, but for null:"true".
func printedFields(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	seen := map[string]bool{}
	for level := []reflect.Type{t}; len(level) > 0; {
		var below []reflect.Type
		for _, t := range level {
			for i := range t.NumField() {
				f := t.Field(i)
				tag, tagged := f.Tag.Lookup("json")
				if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && scalars[scalarName(f.Type)] == nil {
					below = append(below, f.Type)
					continue
				}
				name, options, _ := strings.Cut(tag, ",")
				if !f.IsExported() || tag == "-" {
					continue
				}
				if name == "" {
					name = f.Name
				}
				if seen[name] {
					continue
				}
				seen[name] = true
				if strings.Contains(options, "omit") {
					if f.Type.Kind() == reflect.Pointer {
						f.Type = f.Type.Elem() // nil is left out, not null
					}
					name += ",omitempty"
				}
				if f.Tag.Get("null") == "true" {
					f.Type = reflect.PointerTo(f.Type) // a list or map that prints null where there is none
				}
				fields = append(fields, reflect.StructField{
					Name: fmt.Sprintf("F%d", len(fields)), Type: f.Type, Tag: reflect.StructTag(fmt.Sprintf("json:%q", name)),
				})
			}
		}
		level = below
	}
	return fields
}

// nameOf is the name of a struct in the document: "metapic.ListOfCampaign".
func (r *schemas) nameOf(t reflect.Type) string {
	base, args, _ := strings.Cut(t.Name(), "[")
	name := upper(base)
	if args != "" {
		for arg := range strings.SplitSeq(strings.TrimSuffix(args, "]"), ",") {
			name += "Of" + upper(arg[strings.LastIndexByte(arg, '.')+1:])
		}
	}
	name = r.prefix + "." + strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return '_'
	}, name)
	if known := r.types[name]; known != nil && known != t {
		path := t.PkgPath()
		name += "_" + path[strings.LastIndexByte(path, '/')+1:]
	}
	return name
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// SchemaFromRef is a named schema.
func (r *schemas) SchemaFromRef(ref string) *huma.Schema {
	return r.byName[strings.TrimPrefix(ref, refPrefix)]
}

// TypeFromRef is the type of a named schema.
func (r *schemas) TypeFromRef(ref string) reflect.Type {
	return r.types[strings.TrimPrefix(ref, refPrefix)]
}

// Map has all named schemas.
func (r *schemas) Map() map[string]*huma.Schema { return r.byName }

// RegisterTypeAlias is not used.
func (r *schemas) RegisterTypeAlias(reflect.Type, reflect.Type) {}

// MarshalJSON prints all named schemas.
func (r *schemas) MarshalJSON() ([]byte, error) { return json.Marshal(r.byName) }
