package wire

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// compiler turns types and tags into decoders.
type compiler struct {
	source string // which tag names the members of nested structs: "json" or "query"
	open   []reflect.Type
	file   bool // a File was seen
}

func (c *compiler) rule(sf reflect.StructField) (*fieldRule, error) {
	limits, err := parseLimits(sf.Tag)
	if err != nil {
		return nil, err
	}
	decode, shape, err := c.decoder(sf.Type, limits)
	if err != nil {
		return nil, err
	}
	if limits != nil {
		if left := limits.unused(); left != "" {
			return nil, fmt.Errorf("tag %q means nothing for %s", left, sf.Type)
		}
	}
	r := &fieldRule{decode: decode, shape: shape, required: sf.Tag.Get("required") == "true"}
	if s, ok := sf.Tag.Lookup("default"); ok {
		r.fallback = Value{kind: Text, loose: true, text: s}
		var d decoding
		decode(&d, reflect.New(sf.Type).Elem(), r.fallback)
		if err := d.bad.Err(""); err != nil {
			return nil, fmt.Errorf("default %q: %w", s, err)
		}
	}
	return r, nil
}

var fixedDecoders = map[reflect.Type]decoder{
	reflect.TypeFor[Value]():           decodeValue,
	reflect.TypeFor[json.RawMessage](): decodeRaw,
	reflect.TypeFor[json.Number]():     decodeNumber,
	reflect.TypeFor[time.Time]():       decodeTime,
	reflect.TypeFor[File]():            decodeFile,
}

// decoder makes the decoder of a type, and what describes it.
func (c *compiler) decoder(t reflect.Type, l *limits) (decoder, Shape, error) {
	if t == reflect.TypeFor[File]() {
		c.file = true
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[Unmarshaler]()):
		return decodeUnmarshaler, Shape{Type: t}, nil
	case fixedDecoders[t] != nil:
		return fixedDecoders[t], Shape{Type: t}, nil
	case isOptional(t):
		return c.optional(t, l)
	}
	if decode, err := scalarDecoder(t, l); decode != nil || err != nil {
		return decode, l.shape(t), err
	}
	switch t.Kind() {
	case reflect.Pointer:
		return c.pointer(t, l)
	case reflect.Slice:
		return c.slice(t, l)
	case reflect.Map:
		return c.mapping(t, l)
	case reflect.Struct:
		return c.structure(t)
	}
	return nil, Shape{}, fmt.Errorf("type %s is not supported", t)
}

// scalarDecoder is nil for a type that is no scalar.
func scalarDecoder(t reflect.Type, l *limits) (decoder, error) {
	switch {
	case t == reflect.TypeFor[decimal.Decimal]():
		return decodeDecimal(l)
	case t == reflect.TypeFor[affiliate.Sort]():
		return decodeSort(l)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return decodeTextUnmarshaler, nil
	}
	switch t.Kind() {
	case reflect.String:
		return decodeText(l)
	case reflect.Bool:
		return decodeBool, nil
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		return decodeInt(t, l)
	case reflect.Float32, reflect.Float64:
		return nil, errors.New("floats lose digits: use decimal.Decimal or json.Number")
	}
	return nil, nil
}

func (c *compiler) optional(t reflect.Type, l *limits) (decoder, Shape, error) {
	value, _ := t.FieldByName("Value")
	set, _ := t.FieldByName("Set")
	inner, shape, err := c.decoder(value.Type, l)
	if err != nil {
		return nil, Shape{}, err
	}
	shape.Null = true
	return func(d *decoding, dst reflect.Value, v Value) {
		dst.FieldByIndex(set.Index).SetBool(true)
		inner(d, dst.FieldByIndex(value.Index), v)
	}, shape, nil
}

func (c *compiler) pointer(t reflect.Type, l *limits) (decoder, Shape, error) {
	inner, shape, err := c.decoder(t.Elem(), l)
	if err != nil {
		return nil, Shape{}, err
	}
	shape.Null = true
	return func(d *decoding, dst reflect.Value, v Value) {
		dst.Set(reflect.New(t.Elem()))
		inner(d, dst.Elem(), v)
	}, shape, nil
}

func (c *compiler) slice(t reflect.Type, l *limits) (decoder, Shape, error) {
	minItems, maxItems, err := l.bounds()
	if err != nil {
		return nil, Shape{}, err
	}
	inner, items, err := c.decoder(t.Elem(), l.ofElements())
	if err != nil {
		return nil, Shape{}, err
	}
	shape := l.shape(t)
	shape.Enum, shape.Items = nil, &items
	return func(d *decoding, dst reflect.Value, v Value) {
		items, at, ok := listItems(d.unwrapped(v, '['))
		switch n := int64(len(items)); {
		case !ok:
			d.fail("wrong_type", "must be a list")
			return
		case n < minItems:
			d.fail("too_few", "must have at least "+strconv.FormatInt(minItems, 10)+" items")
			return
		case n > maxItems:
			d.fail("too_many", "must have at most "+strconv.FormatInt(maxItems, 10)+" items")
			return
		}
		dst.Set(reflect.MakeSlice(t, len(items), len(items)))
		for i, item := range items {
			index := int64(i)
			if at != nil {
				index = at[i]
			}
			d.pushIndex(index)
			d.element(inner, dst.Index(i), item)
			d.pop()
		}
	}, shape, nil
}

// element decodes a member of a list or map, where null is a value only for
// types that can hold it.
func (d *decoding) element(inner decoder, dst reflect.Value, v Value) {
	if v.kind != Null {
		inner(d, dst, v)
		return
	}
	switch {
	case dst.Type() == reflect.TypeFor[Value]():
		dst.Set(reflect.ValueOf(v))
	case dst.Kind() == reflect.Pointer:
	default:
		d.fail("required", "must not be null")
	}
}

func (c *compiler) mapping(t reflect.Type, l *limits) (decoder, Shape, error) {
	if t.Key().Kind() != reflect.String {
		return nil, Shape{}, fmt.Errorf("keys of %s are not strings", t)
	}
	_, maxItems, err := l.bounds()
	if err != nil {
		return nil, Shape{}, err
	}
	inner, items, err := c.decoder(t.Elem(), nil)
	if err != nil {
		return nil, Shape{}, err
	}
	shape := l.shape(t)
	shape.Items = &items
	return func(d *decoding, dst reflect.Value, v Value) {
		v = d.unwrapped(v, '{')
		switch {
		case v.kind != Object && !(v.kind == Array && len(v.items) == 0): // PHP prints an empty object as []
			d.fail("wrong_type", "must be an object")
			return
		case int64(len(v.keys)) > maxItems:
			d.fail("too_many", "must have at most "+strconv.FormatInt(maxItems, 10)+" members")
			return
		}
		m := reflect.MakeMapWithSize(t, len(v.keys))
		for i, key := range v.keys {
			d.push(key)
			if f := textFault(key); f != "" {
				d.fail(f, "has a name that "+faultMessage(f))
			} else {
				item := reflect.New(t.Elem()).Elem()
				d.element(inner, item, v.items[i])
				m.SetMapIndex(reflect.ValueOf(strings.Clone(key)).Convert(t.Key()), item)
			}
			d.pop()
		}
		dst.Set(m)
	}, shape, nil
}

type member struct {
	index []int
	names []string
	rule  *fieldRule
}

func (c *compiler) structure(t reflect.Type) (decoder, Shape, error) {
	if slices.Contains(c.open, t) {
		return nil, Shape{}, fmt.Errorf("type %s contains itself", t)
	}
	c.open = append(c.open, t)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	members, err := c.members(t, nil)
	if err != nil {
		return nil, Shape{}, err
	}
	if len(members) == 0 {
		return nil, Shape{}, fmt.Errorf("struct %s has no tagged fields", t)
	}
	shape := Shape{Type: t, Fields: make([]Field, len(members))}
	for i, m := range members {
		shape.Fields[i] = m.rule.field(m.names)
	}
	return func(d *decoding, dst reflect.Value, v Value) {
		v = d.unwrapped(v, '{')
		if v.kind != Object && !(v.kind == Array && len(v.items) == 0) {
			d.fail("wrong_type", "must be an object")
			return
		}
		for i := range members {
			m := &members[i]
			d.field(m.rule, dst.FieldByIndex(m.index), m.names[0], lookup(v, m.names))
		}
	}, shape, nil
}

func (c *compiler) members(t reflect.Type, at []int) ([]member, error) {
	var members []member
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), at...), i)
		all, ok := names(sf, c.source)
		if !ok {
			all, ok = names(sf, "json")
		}
		if !ok && sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			inner, err := c.members(sf.Type, index)
			if err != nil {
				return nil, err
			}
			members = append(members, inner...)
			continue
		}
		if !ok {
			continue
		}
		if !sf.IsExported() {
			return nil, fmt.Errorf("field %s has a tag and is not exported", sf.Name)
		}
		rule, err := c.rule(sf)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", sf.Name, err)
		}
		members = append(members, member{index: index, names: all, rule: rule})
	}
	return members, nil
}

// unwrapped reads a list or object that a lenient dialect was sent as JSON text.
func (d *decoding) unwrapped(v Value, open byte) Value {
	if !d.lenient || v.kind != Text || v.text == "" || v.text[0] != open || v.fault != "" {
		return v
	}
	if inner, err := parseJSON(v.text); err == nil {
		return inner
	}
	if inner, err := parseRelaxed(v.text); err == nil {
		return inner
	}
	return v
}

// listItems are the elements of a list. A list of a query or form is an object
// whose keys are indexes; its elements come in the order of their indexes, and
// at names them.
func listItems(v Value) (items []Value, at []int64, ok bool) {
	if v.kind == Array {
		return v.items, nil, true
	}
	if v.kind != Object || !v.loose {
		return nil, nil, false
	}
	order := make([]int, len(v.keys))
	at = make([]int64, len(v.keys))
	for i, key := range v.keys {
		if at[i], ok = listIndex(key); !ok {
			return nil, nil, false
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if at[a] < at[b] {
			return -1
		}
		return 1
	})
	items = make([]Value, len(order))
	sorted := make([]int64, len(order))
	for i, from := range order {
		items[i], sorted[i] = v.items[from], at[from]
	}
	return items, sorted, true
}
