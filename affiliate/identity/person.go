package identity

import (
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Person is somebody who is to be forgotten: what says who it is.
type Person struct {
	UserID  int64
	Email   string   // in normal form; empty: none
	Handles []string // accounts on networks that are nobody else's: ascending, each once
}

// Validate checks what every backend refuses.
func (p Person) Validate() error {
	var v affiliate.Validation
	v.Check(p.UserID > 0, "user_id", "required", "is required")
	v.Text("email", p.Email, 0, 254)
	v.Check(p.Email == affiliate.NormalizeEmail(p.Email), "email", "not_normalized", "must be lower case without surrounding space")
	for _, h := range p.Handles {
		v.Text("handles", h, 1, 255)
	}
	v.Check(slices.IsSorted(p.Handles) && len(slices.Compact(slices.Clone(p.Handles))) == len(p.Handles), "handles", "not_ascending", "must be ascending, each once")
	return v.Err("person")
}

// ErasedEmail stands in the place of the address of an erased person where an
// address is needed. Nobody can have it: the domain is reserved for that.
func (p Person) ErasedEmail() string { return affiliate.ErasedName(p.UserID) + "@erased.invalid" }
