package wire

import (
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Scope says who may call a route. It is checked after authentication and
// before anything of the body is looked at.
//
// Allow answers nil; an error of kind ErrForbidden (403) to a principal that
// never may, whatever the id; an error of kind ErrNotFound (404) to one that
// may, but not for this id: another tenant's things do not exist.
// What a scope cannot know (whose link, whose user) is the use case's to check.
type Scope struct {
	Name  string // for tests and logs: "admin"
	Param string // the path parameter that Allow gets; "" for none
	Allow func(p affiliate.Principal, value string) error
	open  bool
}

// IsOpen reports whether the route needs no principal at all.
func (s Scope) IsOpen() bool { return s.open }

// Open lets everyone in, without a principal: the handler gets the zero one.
func Open() Scope {
	return Scope{Name: "open", open: true, Allow: func(affiliate.Principal, string) error { return nil }}
}

// Any lets every principal in.
func Any() Scope {
	return Scope{Name: "any", Allow: func(affiliate.Principal, string) error { return nil }}
}

// Only lets principals of these roles in.
func Only(roles ...affiliate.Role) Scope {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return Scope{Name: strings.Join(names, "|"), Allow: func(p affiliate.Principal, _ string) error {
		if slices.Contains(roles, p.Role) {
			return nil
		}
		return forbidden()
	}}
}

// Admin lets the operator in.
func Admin() Scope { return Only(affiliate.RoleAdmin) }

func forbidden() error { return affiliate.Forbidden("") }
