package engine

import (
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Refusal gathers what SQL would refuse beyond what Validate does.
type Refusal struct{ unknown, taken, fixed []affiliate.FieldError }

// Refers notes the field, once in a batch, unless its id refers to something.
func (f *Refusal) Refers(ok bool, field string) {
	if !ok && !slices.ContainsFunc(f.unknown, func(e affiliate.FieldError) bool { return e.Field == field }) {
		f.unknown = append(f.unknown, affiliate.FieldError{Field: field, Code: "unknown_reference", Message: "must refer to something that exists"})
	}
}

// Unique notes the field when its unique key is in use.
func (f *Refusal) Unique(taken bool, field string) {
	if taken {
		f.taken = append(f.taken, affiliate.FieldError{Field: field, Code: "taken", Message: "is taken"})
	}
}

// Fixed notes the field, which an update must not change, when it does.
func (f *Refusal) Fixed(changed bool, field string) {
	if changed {
		f.fixed = append(f.fixed, affiliate.FieldError{Field: field, Code: "immutable", Message: "cannot be changed"})
	}
}

// Err is nil when nothing was noted. Keys in use come first, as they do in SQL,
// which looks at references at the end of a statement.
func (f *Refusal) Err(resource string) error {
	switch {
	case f.taken != nil:
		return &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: resource, Fields: f.taken}
	case f.unknown != nil:
		return affiliate.Invalid(resource, f.unknown...)
	case f.fixed != nil:
		return affiliate.Invalid(resource, f.fixed...)
	}
	return nil
}

func Overflow(resource string) error {
	return &affiliate.Error{Kind: affiliate.ErrInvalid, Code: "overflow", Resource: resource, Message: "the sum leaves the range of 64 bits"}
}

// Knows reports whether a row has the id.
func (s *Slab[R]) Knows(id int64) bool {
	_, ok := s.Find(id)
	return ok
}

// KnowsOr0 is knows for a reference that may be absent.
func (s *Slab[R]) KnowsOr0(id int64) bool { return id == 0 || s.Knows(id) }

func (s *Slab[R]) KnowsAll(ids []int64) bool {
	for _, id := range ids {
		if !s.Knows(id) {
			return false
		}
	}
	return true
}

// Kept is t as every backend keeps it: UTC, cut to microseconds.
func Kept(t time.Time) time.Time { return FromMicro(t.UnixMicro()) }

// zeroTime is the zero time.Time in microseconds since 1970.
const ZeroTime = -62135596800000000

// FromMicro undoes time.Time.UnixMicro; the zero time comes back as zero.
func FromMicro(us int64) time.Time {
	if us == ZeroTime { // most: what was not deleted, say
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Copied is a copy of a list; an empty one is nil.
func Copied[E any](list []E) []E { return append([]E(nil), list...) }
