package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// takes is the schema of what a field takes. The machinery that decodes inputs
// tells the shape; the types that read themselves are in the table of scalars.
func (r *schemas) takes(s wire.Shape) *huma.Schema {
	schema := r.plain(s)
	if s.Null {
		schema = nullable(schema)
	}
	return schema
}

func (r *schemas) plain(s wire.Shape) *huma.Schema {
	if known := r.scalar(s.Type, func(line scalar) *huma.Schema { return line.in }); known != nil {
		bound(known, s)
		return known
	}
	switch {
	case s.Sort != nil:
		return sorting(s.Sort)
	case s.Fields != nil:
		return r.object(s.Fields)
	case s.Items != nil && s.Type.Kind() == reflect.Map:
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: r.takes(*s.Items), MaxProperties: count(s.Max)}
	case s.Items != nil:
		schema := list(r.takes(*s.Items))
		schema.MinItems, schema.MaxItems = count(s.Min), count(s.Max)
		return schema
	}
	switch s.Type.Kind() {
	case reflect.String:
		schema := &huma.Schema{Type: huma.TypeString, MinLength: count(s.Min), MaxLength: count(s.Max)}
		for _, value := range s.Enum {
			schema.Enum = append(schema.Enum, value)
		}
		return schema
	case reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		schema := &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
		bound(schema, s)
		for _, value := range s.Enum {
			schema.Enum = append(schema.Enum, json.Number(value))
		}
		return schema
	}
	return r.fail("type %s takes what is not known: it is not in the table of scalars", s.Type)
}

// bound puts the bounds of a number on its schema, or on that form of it that
// is a number.
func bound(schema *huma.Schema, s wire.Shape) {
	for _, form := range append([]*huma.Schema{schema}, schema.AnyOf...) {
		if form.Type == huma.TypeNumber || form.Type == huma.TypeInteger {
			form.Minimum, form.Maximum = amount(s.Min), amount(s.Max)
		}
	}
}

// sorting is a column and a direction.
func sorting(columns []string) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, column := range columns {
		schema.Enum = append(schema.Enum, column+":asc", column+":desc")
	}
	return schema
}

func (r *schemas) object(fields []wire.Field) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, f := range fields {
		schema.Properties[f.Name] = r.field(f)
		if f.Required {
			schema.Required = append(schema.Required, f.Name)
		}
	}
	slices.Sort(schema.Required)
	return schema
}

// field is the schema of a field with what is said of it by name.
func (r *schemas) field(f wire.Field) *huma.Schema {
	schema := r.takes(f.Shape)
	if f.Default != "" {
		schema.Default = defaultOf(f)
	}
	if len(f.Aliases) > 0 {
		schema.Description = "Also read as " + strings.Join(f.Aliases, ", ") + "."
	}
	return schema
}

func defaultOf(f wire.Field) any {
	switch f.Type.Kind() {
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		return json.Number(f.Default)
	case reflect.Bool:
		return f.Default == "true" || f.Default == "1"
	}
	return f.Default
}

// parameter is a field of the path or the query.
func (r *schemas) parameter(f wire.Field) *huma.Param {
	p := &huma.Param{Name: f.Name, In: string(f.In), Required: f.Required || f.In == wire.InPath}
	shape := f
	shape.Null, shape.Aliases = false, nil // there is no null in a query
	p.Schema = r.field(shape)
	if len(f.Aliases) > 0 {
		p.Description = "Also read as " + strings.Join(f.Aliases, ", ") + "."
	}
	if f.In == wire.InQuery {
		yes := true
		switch {
		case f.Type == reflect.TypeFor[affiliate.Sort]():
		case f.Items != nil && f.Type.Kind() == reflect.Map, f.Fields != nil:
			p.Style, p.Explode = "deepObject", &yes
		case f.Items != nil:
			p.Name, p.Style, p.Explode = f.Name+"[]", "form", &yes
		}
	}
	return p
}

func count(s string) *int {
	if s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("a route that compiles has integers as its bounds: " + err.Error())
	}
	return &n
}

func amount(s string) *float64 {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("a route that compiles has numbers as its bounds: " + err.Error())
	}
	return &n
}
