package wire

import (
	"net/http"
	"reflect"
	"strings"
)

// Description is a route as a client sees it: what a document about the routes
// is made of.
type Description struct {
	Route
	Fields []Field           // of the input, in the order of its struct
	Out    []reflect.Type    // what is printed as JSON, one of them
	Status []int             // of success
	Media  []string          // of answers that are no JSON
	Header map[string]string // of every answer
	Body   bool              // a body is read, also of a GET
	Files  bool              // the body has files
	Forms  bool              // the body may be a form
	Raw    bool              // the operation reads the request itself: nothing is known of its input
	// Unlimited routes are not under the rate limit.
	Unlimited bool
	// Deprecated says what the Deprecation header says.
	Deprecated bool
}

// Place is where a field of an input stands.
type Place string

// The places of a field. A field that stands in the query and in the body is
// described twice.
const (
	InPath  Place = "path"
	InQuery Place = "query"
	InBody  Place = "body"
)

// Field is a named field of an input, at any depth.
type Field struct {
	Name     string
	Aliases  []string // other spellings
	In       Place    // "" below the top
	Required bool
	Default  string // as the tag has it; "" for none
	Shape
}

// Shape is what the decoder of a type takes.
type Shape struct {
	Type     reflect.Type // without the pointer and the Optional around it
	Null     bool         // null is a value of its own
	Items    *Shape       // of a list, or the values of a map
	Fields   []Field      // of a struct
	Min, Max string       // as the tags have them; "" for none
	Enum     []string
	Sort     []string // the columns of an affiliate.Sort
}

// shape describes a type under these limits.
func (l *limits) shape(t reflect.Type) Shape {
	s := Shape{Type: t}
	if l != nil {
		s.Min, s.Max = l.min, l.max
		if l.enum != "" {
			s.Enum = strings.Split(l.enum, ",")
		}
		if l.sort != "" {
			s.Sort = strings.Split(l.sort, ",")
		}
	}
	return s
}

// field describes the field of a rule.
func (r *fieldRule) field(names []string) Field {
	return Field{Name: names[0], Aliases: names[1:], Required: r.required, Default: r.fallback.text, Shape: r.shape}
}

// Describe describes all routes, in the order of the table.
func (m *Mux) Describe() []Description {
	all := make([]Description, len(m.routes))
	for i, r := range m.routes {
		all[i] = m.describe(r)
	}
	return all
}

func (m *Mux) describe(r Route) Description {
	d := Description{
		Route: r, Out: printed(r.Op.out), Status: append([]int{orOK(r.Op.status)}, r.Op.also...), Media: r.Op.media,
		Raw: r.Op.raw != nil, Unlimited: r.Op.unlimited, Header: make(map[string]string),
	}
	for _, h := range r.Op.headers {
		d.Header[h[0]] = h[1]
	}
	d.Deprecated = d.Header["Deprecation"] != ""
	if r.Op.out == reflect.TypeFor[None]() && r.Op.status == 0 {
		d.Status[0] = http.StatusNoContent
	}
	p := m.plans[r.ID]
	if p == nil {
		return d
	}
	d.Body, d.Files, d.Forms = p.hasBody, p.readsFile, p.hasBody && m.dialect.Forms
	for i := range p.fields {
		f := &p.fields[i]
		if f.path != "" {
			d.add(f.rule.field([]string{f.path}), InPath)
		}
		if f.inQuery {
			d.add(f.rule.field(f.query), InQuery)
		}
		if f.inBody {
			d.add(f.rule.field(f.body), InBody)
		}
	}
	return d
}

// printed are the types that an output is printed as.
func printed(t reflect.Type) []reflect.Type {
	switch t {
	case nil, reflect.TypeFor[None](), reflect.TypeFor[Stream]():
		return nil
	}
	if t.Implements(reflect.TypeFor[replies]()) {
		body, _ := t.FieldByName("Body")
		return printed(body.Type)
	}
	either := Alternatives(t)
	if either == nil {
		return []reflect.Type{t}
	}
	var all []reflect.Type
	for _, one := range either {
		all = append(all, printed(one)...)
	}
	return all
}

func (d *Description) add(f Field, in Place) {
	f.In = in
	d.Fields = append(d.Fields, f)
}

// Dialect is what all routes share.
func (m *Mux) Dialect() Dialect { return m.dialect }

// Refusal returns the answer to a request that is refused with a status: the
// status that the dialect has for it, and the value that is printed as the body.
func (d Dialect) Refusal(p Problem) (status int, body any) { return d.Errors.EncodeError(p) }

// Problems are the refusals that every dialect makes a form of, one for each
// kind of error and for each that the machinery makes itself.
func (d Dialect) Problems() []Problem {
	var all []Problem
	for _, k := range kinds {
		all = append(all, Problem{Status: k.status, Code: k.code, Message: k.message, Err: k.kind})
	}
	media := StatusError{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type"}
	if d.NegotiatesMedia {
		media = StatusError{Status: http.StatusNotAcceptable, Code: "not_acceptable"}
	}
	for _, e := range []StatusError{
		{Status: http.StatusBadRequest, Code: "malformed_request"}, media,
		{Status: http.StatusRequestEntityTooLarge, Code: "payload_too_large"},
		{Status: http.StatusTooManyRequests, Code: "rate_limited"},
		{Status: http.StatusInternalServerError, Code: "internal_error"},
	} {
		all = append(all, Problem{Status: e.Status, Code: e.Code, Message: http.StatusText(e.Status) + ".", Err: &e})
	}
	return all
}
