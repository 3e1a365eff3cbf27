package laravel

import (
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Who may call a route that names no tenant in its path. The services decide
// how much of the result each of them sees. Roles of other dialects (partner,
// lists, sync, service) are refused.
var (
	Tenants    = only("tenant", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency, affiliate.RoleCreator, affiliate.RoleClient)
	Sellers    = only("seller", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency)
	Audience   = only("audience", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency, affiliate.RoleCreator)
	Publishers = only("publisher", affiliate.RoleAdmin, affiliate.RoleCreator, affiliate.RoleClient)
	Matchers   = only("matcher", affiliate.RoleAdmin, affiliate.RoleClient, affiliate.RoleRepresentative, affiliate.RoleAgency)
	Networks   = only("network", affiliate.RoleAdmin, affiliate.RoleClient)
	Creators   = only("creator", affiliate.RoleCreator)
	Webhooks   = only("webhook", affiliate.RoleService)
	// Sessions are of an OpenID provider and linked with no account.
	Sessions = only("session", affiliate.RoleSession)
	// Guests accept invites: sessions, and accounts that have the role already.
	AdvertiserGuests = only("advertiser guest", affiliate.RoleSession, affiliate.RoleRepresentative)
	AgencyGuests     = only("agency guest", affiliate.RoleSession, affiliate.RoleAgency)
)

// only is wire.Only for principals that say whose they are: a client without a
// client id, as a host's own authenticator may make one by mistake, must not
// become a client of everybody.
func only(name string, roles ...affiliate.Role) wire.Scope {
	scope := wire.Only(roles...)
	allowed := scope.Allow
	scope.Name = name
	scope.Allow = func(p affiliate.Principal, value string) error {
		if p.Role == affiliate.RoleClient && p.ClientID <= 0 || p.Role == affiliate.RoleCreator && p.UserID <= 0 {
			return affiliate.Forbidden("")
		}
		return allowed(p, value)
	}
	return scope
}

// Advertiser lets the operator in, and the representatives and agencies of the
// advertiser that the path parameter names.
func Advertiser(param string) wire.Scope {
	return wire.Scope{Name: "advertiser", Param: param, Allow: func(p affiliate.Principal, value string) error {
		switch p.Role {
		case affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency:
		default:
			return affiliate.Forbidden("")
		}
		if id, ok := pathID(value); !ok || !p.ActsFor(id) {
			return affiliate.NotFound("advertiser", value)
		}
		return nil
	}}
}

// UserSelf lets the creator in that the path parameter names, and nobody else.
func UserSelf(param string) wire.Scope {
	return wire.Scope{Name: "user-self", Param: param, Allow: func(p affiliate.Principal, value string) error {
		if p.Role != affiliate.RoleCreator {
			return affiliate.Forbidden("")
		}
		return ownUser(p, value)
	}}
}

// UserItself lets in the operator, and the creator that the path parameter names.
func UserItself(param string) wire.Scope {
	return wire.Scope{Name: "user-itself", Param: param, Allow: func(p affiliate.Principal, value string) error {
		switch p.Role {
		case affiliate.RoleAdmin:
			if _, ok := pathID(value); !ok {
				return affiliate.NotFound("user", value)
			}
			return nil
		case affiliate.RoleCreator:
			return ownUser(p, value)
		}
		return affiliate.Forbidden("")
	}}
}

// User lets in the operator, the creator that the path parameter names, and
// clients. Whether the user is one of the client's is for the service to check:
// it has the users.
func User(param string) wire.Scope {
	return wire.Scope{Name: "user", Param: param, Allow: func(p affiliate.Principal, value string) error {
		switch p.Role {
		case affiliate.RoleAdmin, affiliate.RoleClient:
			if _, ok := pathID(value); !ok {
				return affiliate.NotFound("user", value)
			}
			return nil
		case affiliate.RoleCreator:
			return ownUser(p, value)
		}
		return affiliate.Forbidden("")
	}}
}

func ownUser(p affiliate.Principal, value string) error {
	if id, ok := pathID(value); !ok || id != p.UserID {
		return affiliate.NotFound("user", value)
	}
	return nil
}

// pathID reads an id as the API prints it: no sign, no leading zeros.
func pathID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == s
}
