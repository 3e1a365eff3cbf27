package wire

import (
	"reflect"
	"unsafe"
)

func reflectTypeOf[T any]() reflect.Type       { return reflect.TypeFor[T]() }
func reflectValueOf[T any](p *T) reflect.Value { return reflect.ValueOf(p).Elem() }
func dataOf(s string) *byte                    { return unsafe.StringData(s) }
