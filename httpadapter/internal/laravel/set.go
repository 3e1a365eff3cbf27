package laravel

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Set changes a value that is always there to the one that was sent.
func Set[T any](to *T, sent wire.Optional[T]) {
	if sent.Set && !sent.Null {
		*to = sent.Value
	}
}

// SetOrClear changes a value to the one that was sent, or to the zero value for
// null.
func SetOrClear[T any](to *T, sent wire.Optional[T]) {
	if sent.Set {
		*to = sent.Value // the zero value for null
	}
}

// SetOptional changes a value that may be absent; null makes it so.
func SetOptional[T any](to *affiliate.Optional[T], sent wire.Optional[T]) {
	if sent.Set {
		*to = OptionalOf(sent.Ptr())
	}
}

// SetAmount changes an amount of money that may be absent; null makes it so. An
// amount in another currency than c is noted in v.
func SetAmount(to *affiliate.Optional[int64], sent wire.Optional[Amount], c affiliate.Currency, field string, v *affiliate.Validation) {
	switch {
	case sent.Null:
		*to = affiliate.Optional[int64]{}
	case sent.Set:
		*to = affiliate.Some(sent.Value.In(c, field, v))
	}
}

// OptionalOf is the domain's form of a pointer.
func OptionalOf[T any](p *T) affiliate.Optional[T] {
	if p == nil {
		return affiliate.Optional[T]{}
	}
	return affiliate.Some(*p)
}

// Pointer is nil for an absent value.
func Pointer[T any](o affiliate.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

// TextOrNull is nil for an empty text.
func TextOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// IDOrNull is nil for no id.
func IDOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
