package wire

import (
	"encoding/json"
	"mime/multipart"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what a [Value] is.
type Kind uint8

// The kinds of value. Query strings and forms know only Text, Object and
// Uploaded: their lists are objects whose keys are indexes, as PHP has it.
const (
	Absent Kind = iota // the zero Value: the field was not sent
	Null
	Bool
	Number
	Text
	Array
	Object
	Uploaded // a file part of a multipart form
)

// Bounds of one input, whatever its form. They keep the memory that a request
// can claim at a small multiple of the body limit.
const (
	maxDepth  = 32      // nesting of arrays, objects and brackets
	maxValues = 100_000 // values in one body or query
)

// Value is one value as it was sent, before it is fitted to a type: JSON, a
// query string or a form. Fields of type Value take anything; types that
// implement [Unmarshaler] read one.
type Value struct {
	kind  Kind
	loose bool   // from a query or form, where every scalar is text
	fault string // why Text must not be used: a code of FieldError
	text  string // Text: the content; Number, Bool: the literal; Array, Object: the JSON source
	keys  []string
	items []Value
	file  *multipart.FileHeader
}

// Kind tells what the value is.
func (v Value) Kind() Kind { return v.kind }

// Text is the content of a string, or the literal of a number or boolean.
// The content of a Text value is valid UTF-8 without NUL whenever the value
// was given to a field: the decoder refuses others.
func (v Value) Text() string {
	switch v.kind {
	case Text, Number, Bool:
		return v.text
	}
	return ""
}

// Int is the value as an integer: a whole number, or a string of digits. Bare
// fractions and exponents ("1.0", "1e3") are not integers.
func (v Value) Int() (n int64, ok bool) {
	if v.kind != Number && v.kind != Text {
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil && v.text[0] != '+'
}

// Items are the elements of an array, or the members of an object in the order
// sent.
func (v Value) Items() []Value { return v.items }

// Keys are the names of an object's members, in step with Items. A name that
// was sent twice stands there twice.
func (v Value) Keys() []string { return v.keys }

// Get is a member of an object; the last one when a name was sent twice. It is
// Absent when there is none.
func (v Value) Get(name string) Value {
	for i := len(v.keys) - 1; i >= 0; i-- {
		if v.keys[i] == name {
			return v.items[i]
		}
	}
	return Value{}
}

// JSON is the value as JSON text. Values from a query or form come out as
// strings and objects.
func (v Value) JSON() json.RawMessage {
	switch v.kind {
	case Absent, Uploaded:
		return nil
	case Null:
		return json.RawMessage("null")
	case Text:
		b, _ := json.Marshal(v.text) // a string always marshals
		return b
	case Object:
		if !v.loose {
			break
		}
		m := make(map[string]json.RawMessage, len(v.keys))
		for i, k := range v.keys {
			if raw := v.items[i].JSON(); raw != nil {
				m[k] = raw
			}
		}
		b, _ := json.Marshal(m) // strings and valid JSON always marshal
		return b
	}
	return json.RawMessage(v.text)
}

// unusable is the fault of the value or of anything inside it, keys included.
func (v Value) unusable() string {
	if v.fault != "" {
		return v.fault
	}
	for _, k := range v.keys {
		if f := textFault(k); f != "" {
			return f
		}
	}
	for _, item := range v.items {
		if f := item.unusable(); f != "" {
			return f
		}
	}
	return ""
}

// The faults of a text, which are codes of field errors too.
const (
	faultNUL  = "nul"
	faultUTF8 = "invalid_utf8"
)

func faultMessage(code string) string {
	if code == faultNUL {
		return "must not contain NUL"
	}
	return "must be valid UTF-8"
}

func textFault(s string) string {
	switch {
	case !utf8.ValidString(s):
		return faultUTF8
	case strings.IndexByte(s, 0) >= 0:
		return faultNUL
	}
	return ""
}
