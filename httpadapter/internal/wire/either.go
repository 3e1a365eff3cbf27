package wire

import "reflect"

// Either is an answer, or a part of one, that has one of two types. It is
// printed as what it holds.
type Either[A, B any] struct{ value any }

// First makes an Either of its first type.
func First[A, B any](v A) Either[A, B] { return Either[A, B]{v} }

// Second makes an Either of its second type.
func Second[A, B any](v B) Either[A, B] { return Either[A, B]{v} }

// MarshalJSON prints what the Either holds; null for the zero Either.
func (e Either[A, B]) MarshalJSON() ([]byte, error) { return encodeJSON(e.value) }

func (e Either[A, B]) held() any { return e.value }

func (Either[A, B]) types() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}
}

// alternatives is every Either.
type alternatives interface {
	held() any
	types() []reflect.Type
}

// Alternatives are the types of an [Either]; nil for another type.
func Alternatives(t reflect.Type) []reflect.Type {
	if e, ok := reflect.Zero(t).Interface().(alternatives); ok {
		return e.types()
	}
	return nil
}
