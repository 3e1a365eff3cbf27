package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// plan decodes one input struct. It is compiled when the route is mounted and
// then only read.
type plan struct {
	fields    []inputField
	hasQuery  bool
	hasBody   bool
	readsFile bool
}

// inputField is one field of the struct at the top of an input.
type inputField struct {
	index   []int
	path    string   // name in the route's pattern
	query   []string // names in the query string, the first one is shown
	body    []string // names in the body
	inQuery bool
	inBody  bool
	auto    func(dst reflect.Value, req *request) // URL, RequestID and Method fill themselves
	rule    *fieldRule
}

// fieldRule is what holds for one named field at any depth.
type fieldRule struct {
	decode   decoder
	shape    Shape
	required bool
	fallback Value // Absent: none
}

// decoder puts a present, non-null value into dst, or reports what is wrong.
type decoder func(d *decoding, dst reflect.Value, v Value)

// decoding is the state of one decode: where it is, and what is wrong so far.
type decoding struct {
	lenient bool
	at      []segment
	bad     affiliate.Validation
}

// segment is one step of a field's path: a name or an index.
type segment struct {
	name  string
	index int64
}

func (d *decoding) push(name string)      { d.at = append(d.at, segment{name: name, index: -1}) }
func (d *decoding) pushIndex(i int64)     { d.at = append(d.at, segment{index: i}) }
func (d *decoding) pop()                  { d.at = d.at[:len(d.at)-1] }
func (d *decoding) fail(code, msg string) { d.bad.Add(d.where(""), code, msg) }

// where is the dotted path of the current field and of what lies below it.
func (d *decoding) where(below string) string {
	var b strings.Builder
	for i, s := range d.at {
		if i > 0 {
			b.WriteByte('.')
		}
		if s.index >= 0 {
			b.WriteString(strconv.FormatInt(s.index, 10))
		} else {
			b.WriteString(strings.ToValidUTF8(s.name, "\uFFFD"))
		}
	}
	if below != "" {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(below)
	}
	return b.String()
}

// field decodes one named field, present or not.
func (d *decoding) field(rule *fieldRule, dst reflect.Value, name string, v Value) {
	if v.kind == Absent && !rule.required && rule.fallback.kind == Absent {
		return
	}
	d.push(name)
	defer d.pop()
	if v.kind == Text && v.loose && v.text == "" && (dst.Kind() != reflect.String || dst.Type() == reflect.TypeFor[json.Number]()) {
		v = Value{kind: Null, loose: true} // ?size= : not given, as PHP frameworks take it
	}
	if v.kind == Null && isOptional(dst.Type()) {
		dst.FieldByName("Set").SetBool(true)
		dst.FieldByName("Null").SetBool(true)
		return
	}
	if v.kind == Absent || v.kind == Null {
		if rule.required {
			d.fail("required", "is required")
			return
		}
		if rule.fallback.kind == Absent {
			return
		}
		v = rule.fallback
	}
	if rule.required && v.kind == Text && v.text == "" {
		d.fail("required", "is required")
		return
	}
	rule.decode(d, dst, v)
}

// decode fills in from the request. Every failing field is in the error.
func (p *plan) decode(in reflect.Value, req *request) error {
	d := decoding{lenient: req.lenient}
	for i := range p.fields {
		f := &p.fields[i]
		dst := in.FieldByIndex(f.index)
		switch {
		case f.auto != nil:
			f.auto(dst, req)
		case f.path != "":
			if err := f.decodePath(dst, req); err != nil {
				return err
			}
		default:
			name, v := f.find(req)
			d.field(f.rule, dst, name, v)
		}
	}
	return d.bad.Err("")
}

// decodePath: a path value that does not fit its type names nothing, so the
// answer is "not found", whoever asks. Nor does a number that is not written as
// the API prints it: 07 is not 7.
func (f *inputField) decodePath(dst reflect.Value, req *request) error {
	var d decoding
	s := req.path(f.path)
	f.rule.decode(&d, dst, textValue(s))
	if d.bad.Err("") != nil || dst.CanInt() && strconv.FormatInt(dst.Int(), 10) != s {
		return affiliate.NotFound(f.path, s)
	}
	return nil
}

// find looks a field up: in the query first, then in the body.
func (f *inputField) find(req *request) (name string, v Value) {
	if f.inQuery {
		name = f.query[0]
		if v = lookup(req.query, f.query); v.kind != Absent {
			return name, v
		}
	}
	if f.inBody {
		name = f.body[0]
		v = lookup(req.body, f.body)
	}
	return name, v
}

func lookup(object Value, names []string) Value {
	for _, name := range names {
		if v := object.Get(name); v.kind != Absent {
			return v
		}
	}
	return Value{}
}

// compilePlan reads the tags of an input struct.
func compilePlan(t reflect.Type) (*plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("input %s is not a struct", t)
	}
	p := &plan{}
	if err := p.addFields(t, nil); err != nil {
		return nil, fmt.Errorf("input %s: %w", t, err)
	}
	return p, nil
}

func (p *plan) addFields(t reflect.Type, at []int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), at...), i)
		if auto := autoFields[sf.Type]; auto != nil {
			p.fields = append(p.fields, inputField{index: index, auto: auto})
			continue
		}
		f := inputField{index: index, path: sf.Tag.Get("path")}
		f.query, f.inQuery = names(sf, "query")
		f.body, f.inBody = names(sf, "json")
		tagged := f.path != "" || f.inQuery || f.inBody
		if sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct {
			if err := p.addFields(sf.Type, index); err != nil {
				return err
			}
			continue
		}
		if !tagged {
			continue
		}
		if !sf.IsExported() {
			return fmt.Errorf("field %s has a tag and is not exported", sf.Name)
		}
		c := compiler{source: "json"}
		if f.inQuery && !f.inBody {
			c.source = "query"
		}
		rule, err := c.rule(sf)
		if err != nil {
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
		f.rule = rule
		p.hasQuery = p.hasQuery || f.inQuery
		p.hasBody = p.hasBody || f.inBody
		p.readsFile = p.readsFile || c.file
		p.fields = append(p.fields, f)
	}
	return nil
}

// autoFields are the types that take something of the request itself.
var autoFields = map[reflect.Type]func(reflect.Value, *request){
	reflect.TypeFor[URL]():       func(dst reflect.Value, req *request) { dst.Set(reflect.ValueOf(req.url())) },
	reflect.TypeFor[RequestID](): func(dst reflect.Value, req *request) { dst.SetString(req.id) },
	reflect.TypeFor[Method]():    func(dst reflect.Value, req *request) { dst.SetString(req.http.Method) },
}

// names of a field in a source: the tag's, then the aliases.
func names(sf reflect.StructField, source string) ([]string, bool) {
	name, ok := sf.Tag.Lookup(source)
	if !ok || name == "-" {
		return nil, false
	}
	name, _, _ = strings.Cut(name, ",") // ",omitempty" of a type that is also an output
	all := []string{name}
	if alias := sf.Tag.Get("alias"); alias != "" {
		all = append(all, strings.Split(alias, ",")...)
	}
	return all, true
}

func isOptional(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Implements(reflect.TypeFor[interface{ isOptional() }]())
}
