package metapic

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Who may call a route that names no tenant in its path. What of it each of
// them sees, the handlers say; roles of other dialects (partner, lists, sync,
// service) see nothing here.
var (
	tenants    = only("tenant", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency, affiliate.RoleCreator, affiliate.RoleClient)
	sellers    = only("seller", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency)
	audience   = only("audience", affiliate.RoleAdmin, affiliate.RoleRepresentative, affiliate.RoleAgency, affiliate.RoleCreator)
	publishers = only("publisher", affiliate.RoleAdmin, affiliate.RoleCreator, affiliate.RoleClient)
	matchers   = only("matcher", affiliate.RoleAdmin, affiliate.RoleClient, affiliate.RoleRepresentative, affiliate.RoleAgency)
	networks   = only("network", affiliate.RoleAdmin, affiliate.RoleClient)
	creators   = only("creator", affiliate.RoleCreator)
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

// ids are ids to choose among. They are never nil: nil would choose all.
func ids(list ...int64) []int64 { return append([]int64{}, list...) }

// clientOf is the client to whose users a principal is bound; 0: to none's.
func clientOf(p affiliate.Principal) int64 {
	if p.Role == affiliate.RoleClient {
		return p.ClientID
	}
	return 0
}
