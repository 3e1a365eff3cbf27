package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// failure is how a call must fail. With a field, the code is that field's.
type failure struct {
	kind        error
	code, field string
}

var (
	missing  = failure{affiliate.ErrNotFound, "not_found", ""}
	overflow = failure{affiliate.ErrInvalid, "overflow", ""}
	readOnly = failure{kind: affiliate.ErrReadOnly}
	nested   = failure{kind: affiliate.ErrNested}
)

func taken(field string) failure   { return failure{affiliate.ErrConflict, "taken", field} }
func unknown(field string) failure { return failure{affiliate.ErrInvalid, "unknown_reference", field} }
func invalid(field, code string) failure {
	return failure{affiliate.ErrInvalid, code, field}
}

// problem says in which way err is not the failure; empty when it is.
func (f failure) problem(err error) string {
	if !errors.Is(err, f.kind) {
		return fmt.Sprintf("got error %v, want %v", err, f)
	}
	for _, kind := range kinds() {
		if kind != f.kind && errors.Is(err, kind) {
			return fmt.Sprintf("error %v is of kind %v as well as %v", err, kind, f.kind)
		}
	}
	if f.code == "" {
		return ""
	}
	e, ok := errors.AsType[*affiliate.Error](err)
	switch {
	case !ok:
		return fmt.Sprintf("got %T (%v), want an *affiliate.Error", err, err)
	case (f.field == "" || f.kind == affiliate.ErrConflict) && e.Code != f.code:
		return fmt.Sprintf("got code %q in %v, want %v", e.Code, err, f)
	case f.field != "" && !slices.ContainsFunc(e.Fields, func(got affiliate.FieldError) bool {
		return got.Field == f.field && got.Code == f.code && got.Message != ""
	}):
		return fmt.Sprintf("got fields %+v, want %v", e.Fields, f)
	}
	return ""
}

func (f failure) String() string {
	return fmt.Sprintf("kind %q, code %q, field %q", f.kind, f.code, f.field)
}

func kinds() []error {
	return []error{
		affiliate.ErrNotFound, affiliate.ErrConflict, affiliate.ErrInvalid, affiliate.ErrForbidden,
		affiliate.ErrUnauthenticated, affiliate.ErrState, affiliate.ErrUnavailable,
	}
}

// equal fails the test when got is not want. A nil slice equals an empty one, but a
// field that is empty must be nil; a time must also be in UTC.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := diff(what, reflect.ValueOf(got), reflect.ValueOf(want)); d != "" {
		t.Errorf("%s\n got %s\nwant %s", d, short(got), short(want))
	}
}

// diff names the first place where two values differ.
func diff(at string, got, want reflect.Value) string {
	if got.IsValid() != want.IsValid() || got.IsValid() && got.Type() != want.Type() {
		return fmt.Sprintf("%s: got %v, want %v", at, got, want)
	}
	if !got.IsValid() {
		return ""
	}
	if g, ok := got.Interface().(time.Time); ok {
		if w := want.Interface().(time.Time); !g.Equal(w) || g.Location() != time.UTC {
			return fmt.Sprintf("%s: got %v, want %v in UTC", at, g, w)
		}
		return ""
	}
	switch got.Kind() {
	case reflect.Slice:
		if got.Len() != want.Len() {
			return fmt.Sprintf("%s: got %d elements, want %d", at, got.Len(), want.Len())
		}
		for i := range got.Len() {
			if d := diff(fmt.Sprintf("%s[%d]", at, i), got.Index(i), want.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Struct:
		if opaque(got.Type()) {
			break
		}
		for i := range got.NumField() {
			if list := got.Field(i); list.Kind() == reflect.Slice && list.Len() == 0 && !list.IsNil() {
				return fmt.Sprintf("%s.%s: got an empty list, want nil", at, got.Type().Field(i).Name)
			}
			if d := diff(at+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i)); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(got.Interface(), want.Interface()) {
		return fmt.Sprintf("%s: got %s, want %s", at, short(got.Interface()), short(want.Interface()))
	}
	return ""
}

// opaque types are compared as a whole: Money, Rate.
func opaque(t reflect.Type) bool {
	for f := range t.Fields() {
		if !f.IsExported() {
			return true
		}
	}
	return false
}

// short is a value for a message.
func short(v any) string {
	s := fmt.Sprintf("%+v", v)
	if len(s) > 500 {
		s = fmt.Sprintf("%s… (%d bytes)", s[:500], len(s))
	}
	return s
}

// scribble overwrites the elements of every slice within *v, as a careless
// caller might: a store that shares memory with its callers shows it.
func scribble(v any) { scribbleValue(reflect.ValueOf(v).Elem()) }

func scribbleValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			scribbleValue(v.Index(i))
			v.Index(i).SetZero()
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() || opaque(v.Type()) {
			return
		}
		for i := range v.NumField() {
			scribbleValue(v.Field(i))
		}
	}
}

// zeroFields names the fields of a value that are zero.
func zeroFields(v any) []string {
	var names []string
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if s.Field(i).IsZero() {
			names = append(names, s.Type().Field(i).Name)
		}
	}
	return names
}
