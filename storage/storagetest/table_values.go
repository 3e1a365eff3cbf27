package storagetest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// testEmpty empties each list in a value, and all of them: what comes back is nil,
// whether the caller gave nil or an empty list.
func (tb table[T, V]) testEmpty(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	every := tb.sample(w, 1)
	for i, list := range listsOf(reflect.TypeFor[V]()) {
		one := tb.sample(w, i+2)
		for _, v := range []*V{&one, &every} {
			reflect.ValueOf(v).Elem().FieldByIndex(list.Index).Set(reflect.MakeSlice(list.Type, 0, 1))
		}
		tb.testEmptyIn(t, s, "with an empty "+list.Name, one)
	}
	tb.testEmptyIn(t, s, "with every list empty", every)
}

func (tb table[T, V]) testEmptyIn(t *testing.T, s affiliate.Store[T], how string, given V) {
	t.Helper()
	if !valid(given) {
		return
	}
	kept := put(t, s, tb.adding(given))
	equal(t, "added "+how, emptyLists("", reflect.ValueOf(kept)), []string(nil))
	look := func(what string) {
		t.Helper()
		got := see(t, s, tb.fetching(kept))
		equal(t, what+how, got, tb.withID(given, kept))
		equal(t, what+how, emptyLists("", reflect.ValueOf(got)), []string(nil))
	}
	look("fetched ")
	if tb.update != nil {
		write(t, s, tb.updating(tb.withID(given, kept)))
		look("updated ")
	}
}

// valid tells whether a value is, where it knows.
func valid(v any) bool {
	x, ok := v.(interface{ Validate() error })
	return !ok || x.Validate() == nil
}

// listsOf are the lists in a struct, and in the structs in it.
func listsOf(s reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for _, f := range reflect.VisibleFields(s) {
		switch {
		case f.Type.Kind() == reflect.Slice:
			out = append(out, f)
		case f.Type.Kind() == reflect.Struct && !f.Anonymous && !opaque(f.Type):
			for _, inner := range listsOf(f.Type) {
				inner.Index, inner.Name = append(f.Index[:len(f.Index):len(f.Index)], inner.Index...), f.Name+"."+inner.Name
				out = append(out, inner)
			}
		}
	}
	return out
}

// emptyLists names the lists within a value that are empty but not nil.
func emptyLists(at string, v reflect.Value) []string {
	var out []string
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 && !v.IsNil() {
			out = append(out, at)
		}
		for i := range v.Len() {
			out = append(out, emptyLists(fmt.Sprintf("%s[%d]", at, i), v.Index(i))...)
		}
	case reflect.Struct:
		if !opaque(v.Type()) {
			for f, field := range v.Fields() {
				out = append(out, emptyLists(at+"."+f.Name, field)...)
			}
		}
	}
	return out
}

// unsafeInFloats is the first whole number that a float cannot hold.
const unsafeInFloats = int64(1)<<53 + 1

// filled is the full value, with numbers that no float holds wherever they are valid.
func (tb table[T, V]) filled(w world) V {
	v := tb.full(w)
	for _, amount := range amountsIn("", reflect.ValueOf(&v).Elem()) {
		before := reflect.ValueOf(amount.Interface())
		if money, ok := before.Interface().(affiliate.Money); ok {
			amount.Set(reflect.ValueOf(affiliate.NewMoney(unsafeInFloats, money.Currency())))
		} else {
			amount.SetInt(unsafeInFloats)
		}
		if !valid(v) {
			amount.Set(before)
		}
	}
	return v
}

// amountsIn are the amounts and counts within a value that are set, but no ids.
func amountsIn(name string, v reflect.Value) []reflect.Value {
	var out []reflect.Value
	switch {
	case v.Type() == reflect.TypeFor[affiliate.Money](), v.Type() == reflect.TypeFor[int64]():
		isID := strings.HasSuffix(name, "ID") || strings.HasSuffix(name, "IDs") || name == "Reverses" || name == "System"
		if !isID && !v.IsZero() {
			out = append(out, v)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			out = append(out, amountsIn(name, v.Index(i))...)
		}
	case v.Kind() == reflect.Struct && !opaque(v.Type()):
		for f, field := range v.Fields() {
			out = append(out, amountsIn(f.Name, field)...)
		}
	}
	return out
}
