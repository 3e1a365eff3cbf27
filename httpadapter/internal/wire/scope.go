package wire

import (
	"slices"
	"strconv"
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
	Name  string // for tests and logs: "advertiser"
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

// Advertiser lets the operator in, and the representatives and agencies of the
// advertiser that the path parameter names.
func Advertiser(param string) Scope {
	return Scope{Name: "advertiser", Param: param, Allow: func(p affiliate.Principal, value string) error {
		switch p.Role {
		case affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency:
		default:
			return forbidden()
		}
		if id, ok := pathID(value); !ok || !p.ActsFor(id) {
			return affiliate.NotFound("advertiser", value)
		}
		return nil
	}}
}

// UserSelf lets the creator in that the path parameter names, and nobody else.
func UserSelf(param string) Scope {
	return Scope{Name: "user-self", Param: param, Allow: func(p affiliate.Principal, value string) error {
		if p.Role != affiliate.RoleCreator {
			return forbidden()
		}
		return ownUser(p, value)
	}}
}

// User lets in the operator, the creator that the path parameter names, and
// clients. Whether the user is one of the client's is for the use case to
// check: it has the users.
func User(param string) Scope {
	return Scope{Name: "user", Param: param, Allow: func(p affiliate.Principal, value string) error {
		switch p.Role {
		case affiliate.RoleAdmin, affiliate.RoleClient:
			if _, ok := pathID(value); !ok {
				return affiliate.NotFound("user", value)
			}
			return nil
		case affiliate.RoleCreator:
			return ownUser(p, value)
		}
		return forbidden()
	}}
}

func ownUser(p affiliate.Principal, value string) error {
	if id, ok := pathID(value); !ok || id != p.UserID {
		return affiliate.NotFound("user", value)
	}
	return nil
}

func forbidden() error { return affiliate.Forbidden("") }

// pathID reads an id as the API prints it: no sign, no leading zeros.
func pathID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == s
}
