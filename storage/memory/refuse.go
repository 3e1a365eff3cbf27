package memory

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// refusal gathers what SQL would refuse beyond what Validate does.
type refusal struct{ unknown, taken []affiliate.FieldError }

// refers notes the field unless its id refers to something.
func (f *refusal) refers(ok bool, field string) {
	if !ok {
		f.unknown = append(f.unknown, affiliate.FieldError{Field: field, Code: "unknown_reference", Message: "must refer to something that exists"})
	}
}

// frees notes the field when its unique key is in use.
func (f *refusal) frees(taken bool, field string) {
	if taken {
		f.taken = append(f.taken, affiliate.FieldError{Field: field, Code: "taken", Message: "is taken"})
	}
}

// err is nil when nothing was noted. Unknown references come first.
func (f *refusal) err(resource string) error {
	switch {
	case f.unknown != nil:
		return affiliate.Invalid(resource, f.unknown...)
	case f.taken != nil:
		return &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: resource, Fields: f.taken}
	}
	return nil
}

func overflow(resource string) error {
	return &affiliate.Error{Kind: affiliate.ErrInvalid, Code: "overflow", Resource: resource, Message: "the sum leaves the range of 64 bits"}
}

// knows reports whether a row has the id.
func (s *slab[R]) knows(id int64) bool {
	_, ok := s.find(id)
	return ok
}

// knowsOr0 is knows for a reference that may be absent.
func (s *slab[R]) knowsOr0(id int64) bool { return id == 0 || s.knows(id) }

func (s *slab[R]) knowsAll(ids []int64) bool {
	for _, id := range ids {
		if !s.knows(id) {
			return false
		}
	}
	return true
}

// kept is t as every backend keeps it: UTC, cut to microseconds.
func kept(t time.Time) time.Time { return fromMicro(t.UnixMicro()) }

// zeroTime is the zero time.Time in microseconds since 1970.
const zeroTime = -62135596800000000

// fromMicro undoes time.Time.UnixMicro; the zero time comes back as zero.
func fromMicro(us int64) time.Time {
	if us == zeroTime { // most: what was not deleted, say
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// copied is a copy of a list; an empty one is nil.
func copied[E any](list []E) []E { return append([]E(nil), list...) }
