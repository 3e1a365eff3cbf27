package wire

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The ways in which a body is not JSON that we take. They become status 400.
var (
	errSyntax = errors.New("not valid JSON")
	errUTF8   = errors.New("not valid UTF-8")
	errDepth  = errors.New("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	errCount  = errors.New("more than " + strconv.Itoa(maxValues) + " values")
)

// parseJSON reads one JSON text into a tree.
//
// encoding/json is not used for it, because it hides what must be told: it
// replaces invalid UTF-8 and lone surrogates by U+FFFD, cannot tell null from
// absent, and stops at the first wrong type. Strings of the tree share src.
func parseJSON(src string) (Value, error) {
	if !utf8.ValidString(src) {
		return Value{}, errUTF8
	}
	p := jsonParser{src: src}
	v, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	if p.space(); p.pos != len(src) {
		return Value{}, errSyntax // trailing garbage
	}
	return v, nil
}

// malformed is the answer to an input that cannot be read at all.
func malformed(what string, err error) error {
	return &StatusError{Status: http.StatusBadRequest, Code: "malformed_request", Message: "The " + what + " is " + err.Error() + "."}
}

type jsonParser struct {
	src   string
	pos   int
	count int
}

func (p *jsonParser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek is the next byte after white space, 0 at the end.
func (p *jsonParser) peek() byte {
	p.space()
	if p.pos == len(p.src) {
		return 0
	}
	return p.src[p.pos]
}

func (p *jsonParser) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, errDepth
	}
	if p.count++; p.count > maxValues {
		return Value{}, errCount
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, fault, err := p.text()
		return Value{kind: Text, text: s, fault: fault}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true", Bool)
	case c == 'f':
		return p.literal("false", Bool)
	case c == 'n':
		return p.literal("null", Null)
	}
	return Value{}, errSyntax
}

func (p *jsonParser) literal(word string, kind Kind) (Value, error) {
	if !strings.HasPrefix(p.src[p.pos:], word) {
		return Value{}, errSyntax
	}
	p.pos += len(word)
	return Value{kind: kind, text: word}, nil
}

func (p *jsonParser) object(depth int) (Value, error) {
	v := Value{kind: Object}
	start := p.pos
	p.pos++ // {
	if p.peek() == '}' {
		p.pos++
		v.text = p.src[start:p.pos]
		return v, nil
	}
	for {
		if p.peek() != '"' {
			return v, errSyntax
		}
		key, fault, err := p.text()
		if err != nil {
			return v, err
		}
		if fault == faultUTF8 {
			key = "\xff" // a lone surrogate: no field has this name, maps refuse it
		}
		if p.peek() != ':' {
			return v, errSyntax
		}
		p.pos++
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.keys = append(v.keys, key)
		v.items = append(v.items, item)
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			v.text = p.src[start:p.pos]
			return v, nil
		default:
			return v, errSyntax
		}
	}
}

func (p *jsonParser) array(depth int) (Value, error) {
	v := Value{kind: Array}
	start := p.pos
	p.pos++ // [
	if p.peek() == ']' {
		p.pos++
		v.text = p.src[start:p.pos]
		return v, nil
	}
	for {
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			v.text = p.src[start:p.pos]
			return v, nil
		default:
			return v, errSyntax
		}
	}
}

// number keeps the literal as it was sent: nothing is rounded on the way in.
func (p *jsonParser) number() (Value, error) {
	start := p.pos
	if p.src[p.pos] == '-' {
		p.pos++
	}
	whole := p.pos
	n := p.digits()
	if n == 0 || n > 1 && p.src[whole] == '0' {
		return Value{}, errSyntax
	}
	if p.pos < len(p.src) && p.src[p.pos] == '.' {
		p.pos++
		if p.digits() == 0 {
			return Value{}, errSyntax
		}
	}
	if p.pos < len(p.src) && (p.src[p.pos] == 'e' || p.src[p.pos] == 'E') {
		p.pos++
		if p.pos < len(p.src) && (p.src[p.pos] == '+' || p.src[p.pos] == '-') {
			p.pos++
		}
		if p.digits() == 0 {
			return Value{}, errSyntax
		}
	}
	return Value{kind: Number, text: p.src[start:p.pos]}, nil
}

func (p *jsonParser) digits() int {
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// text reads a string. A NUL or a lone surrogate is not a syntax error: it is
// the fault of the field that it was sent for.
func (p *jsonParser) text() (s, fault string, err error) {
	p.pos++ // the opening quote
	start := p.pos
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			s = p.src[start:p.pos]
			p.pos++
			return s, "", nil
		case c == '\\':
			return p.escapedText(start)
		case c < 0x20:
			return "", "", errSyntax
		}
		p.pos++
	}
	return "", "", errSyntax
}

// escapedText goes on with a string at its first backslash.
func (p *jsonParser) escapedText(start int) (s, fault string, err error) {
	buf := append(make([]byte, 0, 64), p.src[start:p.pos]...)
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return string(buf), fault, nil
		case c < 0x20:
			return "", "", errSyntax
		case c != '\\':
			buf = append(buf, c)
			p.pos++
			continue
		}
		r, ok := p.escape()
		switch {
		case !ok:
			return "", "", errSyntax
		case r == 0:
			fault = faultNUL
		case utf16.IsSurrogate(r):
			fault = faultUTF8
		}
		buf = utf8.AppendRune(buf, r)
	}
	return "", "", errSyntax
}

// escape reads one escape sequence, both halves of a surrogate pair at once. A
// lone surrogate comes back as it is.
func (p *jsonParser) escape() (rune, bool) {
	p.pos++ // the backslash
	if p.pos == len(p.src) {
		return 0, false
	}
	c := p.src[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		r, ok := p.hex4(p.pos)
		if !ok {
			return 0, false
		}
		p.pos += 4
		if utf16.IsSurrogate(r) && strings.HasPrefix(p.src[p.pos:], `\u`) {
			if low, ok := p.hex4(p.pos + 2); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					p.pos += 6
					return pair, true
				}
			}
		}
		return r, true
	}
	return 0, false
}

func (p *jsonParser) hex4(at int) (rune, bool) {
	if at+4 > len(p.src) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.src[at : at+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
