package wire

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// limits are the constraint tags of one field: min, max, enum, sort. What they
// bound depends on the type: characters of a string, the value of a number,
// the items of a list; enum holds for the items of a list.
type limits struct {
	min, max, enum, sort string
	used                 map[string]bool
}

func parseLimits(tag reflect.StructTag) (*limits, error) {
	l := &limits{min: tag.Get("min"), max: tag.Get("max"), enum: tag.Get("enum"), sort: tag.Get("sort"), used: map[string]bool{}}
	if r := tag.Get("required"); r != "" && r != "true" {
		return nil, fmt.Errorf("tag required:%q", r)
	}
	return l, nil
}

// unused names a constraint that no decoder asked for: it would be silently
// ignored otherwise.
func (l *limits) unused() string {
	for name, value := range map[string]string{"min": l.min, "max": l.max, "enum": l.enum, "sort": l.sort} {
		if value != "" && !l.used[name] {
			return name
		}
	}
	return ""
}

// ofElements are the limits that go through to the elements of a list.
func (l *limits) ofElements() *limits {
	if l == nil {
		return nil
	}
	return &limits{enum: l.enum, used: l.used}
}

// bounds are min and max as integers, open where there is no tag.
func (l *limits) bounds() (lo, hi int64, err error) {
	lo, hi = math.MinInt64, math.MaxInt64
	if l == nil {
		return lo, hi, nil
	}
	l.used["min"], l.used["max"] = true, true
	if l.min != "" {
		if lo, err = strconv.ParseInt(l.min, 10, 64); err != nil {
			return 0, 0, err
		}
	}
	if l.max != "" {
		if hi, err = strconv.ParseInt(l.max, 10, 64); err != nil {
			return 0, 0, err
		}
	}
	return lo, hi, nil
}

func (l *limits) values() []string {
	if l == nil || l.enum == "" {
		return nil
	}
	l.used["enum"] = true
	return strings.Split(l.enum, ",")
}

func decodeText(l *limits) (decoder, error) {
	shortest, longest, err := l.bounds()
	if err != nil {
		return nil, err
	}
	enum := l.values()
	return func(d *decoding, dst reflect.Value, v Value) {
		if v.kind != Text {
			d.fail("wrong_type", "must be a string")
			return
		}
		if v.fault != "" {
			d.fail(v.fault, faultMessage(v.fault))
			return
		}
		switch n := int64(utf8.RuneCountInString(v.text)); {
		case n < shortest:
			d.fail("too_short", "must be at least "+strconv.FormatInt(shortest, 10)+" characters")
		case n > longest:
			d.fail("too_long", "must be at most "+strconv.FormatInt(longest, 10)+" characters")
		case enum != nil && !slices.Contains(enum, v.text):
			if v.loose && v.text == "" {
				return // ?status= : not given
			}
			d.fail("not_in_list", "must be one of "+strings.Join(enum, ", "))
		default:
			// Cloned: a kept name must not keep the whole body alive.
			dst.SetString(strings.Clone(v.text))
		}
	}, nil
}

func decodeInt(t reflect.Type, l *limits) (decoder, error) {
	lo, hi, err := l.bounds()
	if err != nil {
		return nil, err
	}
	bits := t.Bits()
	if bits < 64 {
		lo, hi = max(lo, -1<<(bits-1)), min(hi, 1<<(bits-1)-1)
	}
	message := rangeMessage(lo, hi)
	enum := l.values()
	return func(d *decoding, dst reflect.Value, v Value) {
		text := v.kind == Text && (v.loose || d.lenient)
		if v.kind != Number && !text || text && (v.text == "" || v.text[0] == '+') {
			d.fail("wrong_type", "must be an integer")
			return
		}
		n, err := strconv.ParseInt(v.text, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange):
			d.fail("out_of_range", message)
		case err != nil:
			d.fail("wrong_type", "must be an integer")
		case n < lo || n > hi:
			d.fail("out_of_range", message)
		case enum != nil && !slices.Contains(enum, strconv.FormatInt(n, 10)):
			d.fail("not_in_list", "must be one of "+strings.Join(enum, ", "))
		default:
			dst.SetInt(n)
		}
	}, nil
}

func rangeMessage(lo, hi int64) string {
	switch {
	case lo == math.MinInt64 && hi != math.MaxInt64:
		return "must be at most " + strconv.FormatInt(hi, 10)
	case lo != math.MinInt64 && hi == math.MaxInt64:
		return "must be at least " + strconv.FormatInt(lo, 10)
	}
	return "must be between " + strconv.FormatInt(lo, 10) + " and " + strconv.FormatInt(hi, 10)
}

func decodeBool(d *decoding, dst reflect.Value, v Value) {
	if v.kind == Bool || v.loose || d.lenient && (v.kind == Text || v.kind == Number) {
		switch v.text {
		case "true", "1":
			dst.SetBool(true)
			return
		case "false", "0":
			dst.SetBool(false)
			return
		}
	}
	d.fail("wrong_type", "must be true or false")
}

// The bounds of a number that is taken as given: enough for any amount of
// money, and nothing that arithmetic would blow up (1e1000000000).
const (
	maxNumberLength   = 40
	maxNumberExponent = 40
)

// boundedNumber reads a number exactly. ok is false where it is out of bounds.
func boundedNumber(s string) (n decimal.Decimal, ok bool, err error) {
	if len(s) > maxNumberLength {
		return n, false, nil
	}
	n, err = decimal.NewFromString(s)
	if err != nil || strings.HasPrefix(s, "+") {
		return n, false, errors.New("must be a number")
	}
	e := n.Exponent()
	return n, e >= -maxNumberExponent && e <= maxNumberExponent, nil
}

func (d *decoding) number(v Value) (n decimal.Decimal, ok bool) {
	if v.kind != Number && v.kind != Text {
		d.fail("wrong_type", "must be a number")
		return n, false
	}
	n, ok, err := boundedNumber(v.text)
	switch {
	case err != nil && v.kind == Text:
		d.fail("wrong_type", "must be a number")
	case !ok:
		d.fail("out_of_range", "must be a number of at most 40 characters and an exponent between -40 and 40")
	}
	return n, ok && err == nil
}

// decodeDecimal takes numbers and decimal strings, in every dialect.
func decodeDecimal(l *limits) (decoder, error) {
	var lo, hi *decimal.Decimal
	if l != nil {
		l.used["min"], l.used["max"] = true, true
		for _, b := range []struct {
			text string
			to   **decimal.Decimal
		}{{l.min, &lo}, {l.max, &hi}} {
			if b.text == "" {
				continue
			}
			n, err := decimal.NewFromString(b.text)
			if err != nil {
				return nil, err
			}
			*b.to = &n
		}
	}
	return func(d *decoding, dst reflect.Value, v Value) {
		n, ok := d.number(v)
		switch {
		case !ok:
		case lo != nil && n.LessThan(*lo):
			d.fail("out_of_range", "must be at least "+lo.String())
		case hi != nil && n.GreaterThan(*hi):
			d.fail("out_of_range", "must be at most "+hi.String())
		default:
			dst.Set(reflect.ValueOf(n))
		}
	}, nil
}

func decodeNumber(d *decoding, dst reflect.Value, v Value) {
	if _, ok := d.number(v); ok {
		dst.SetString(strings.Clone(v.text))
	}
}

func decodeValue(d *decoding, dst reflect.Value, v Value) {
	if f := v.unusable(); f != "" {
		d.fail(f, faultMessage(f))
		return
	}
	dst.Set(reflect.ValueOf(v))
}

func decodeRaw(d *decoding, dst reflect.Value, v Value) {
	if f := v.unusable(); f != "" {
		d.fail(f, faultMessage(f))
		return
	}
	dst.SetBytes(v.JSON())
}

func decodeFile(d *decoding, dst reflect.Value, v Value) {
	switch {
	case v.kind == Uploaded:
		dst.Set(reflect.ValueOf(uploadedFile(v.file)))
	case d.lenient && v.kind == Text && !v.loose && v.fault == "":
		dst.Set(reflect.ValueOf(textFile(v.text)))
	default:
		d.fail("wrong_type", "must be a file")
	}
}

func decodeUnmarshaler(d *decoding, dst reflect.Value, v Value) {
	if f := v.unusable(); f != "" {
		d.fail(f, faultMessage(f))
		return
	}
	err := dst.Addr().Interface().(Unmarshaler).UnmarshalWire(v)
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*affiliate.Error](err); ok && len(e.Fields) > 0 {
		for _, f := range e.Fields {
			d.bad.Add(d.where(f.Field), f.Code, f.Message)
		}
		return
	}
	d.fail("invalid", err.Error())
}

// decodeTextUnmarshaler serves uuid.UUID and its like.
func decodeTextUnmarshaler(d *decoding, dst reflect.Value, v Value) {
	if v.kind != Text || v.fault != "" {
		d.fail("wrong_type", "must be a string")
		return
	}
	if err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.text)); err != nil {
		d.fail("invalid", "must be a valid "+strings.ToLower(dst.Type().Name()))
	}
}

// decodeSort reads sort_by: "column:asc" or "column:desc" over the columns of
// the sort tag.
func decodeSort(l *limits) (decoder, error) {
	if l == nil || l.sort == "" {
		return nil, errors.New(`affiliate.Sort needs a tag sort:"id,name"`)
	}
	l.used["sort"] = true
	columns := strings.Split(l.sort, ",")
	message := "must be column:asc or column:desc, the column one of " + strings.Join(columns, ", ")
	return func(d *decoding, dst reflect.Value, v Value) {
		column, direction, _ := strings.Cut(v.text, ":")
		if v.kind != Text || !slices.Contains(columns, column) || direction != "asc" && direction != "desc" {
			d.fail("invalid_sort", message)
			return
		}
		dst.Set(reflect.ValueOf(affiliate.Sort{Column: strings.Clone(column), Desc: direction == "desc"}))
	}, nil
}

func decodeTime(d *decoding, dst reflect.Value, v Value) {
	if v.kind == Text && len(v.text) <= 40 {
		text := v.text
		if d.lenient && len(text) > 2 && text[0] == '"' && text[len(text)-1] == '"' {
			text = text[1 : len(text)-1] // a date in quotes of its own
		}
		if t, ok := ParseTime(text); ok {
			dst.Set(reflect.ValueOf(t))
			return
		}
	}
	d.fail("invalid_date", "must be a date or a time, such as 2026-03-18 or 2026-03-18T11:42:10Z")
}
