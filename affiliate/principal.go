package affiliate

import "slices"

// Role is the kind of principal that makes a request.
type Role string

// The roles. What each may do stands in the adapter's route tables.
const (
	RoleAdmin          Role = "admin"          // the operator of the service
	RoleRepresentative Role = "representative" // acts for one or more advertisers
	RoleAgency         Role = "agency"         // acts for its advertisers
	RoleCreator        Role = "creator"        // one user
	RoleClient         Role = "client"         // a publisher network: its users
	RolePartner        Role = "partner"        // a business partner of deals
	RoleLists          Role = "lists"          // an account of product lists
	RoleSync           Role = "sync"           // an account of ad inventory sync
	RoleService        Role = "service"        // webhooks and other machines
	RoleSession        Role = "session"        // somebody whom an OpenID provider knows and we do not yet
)

// Roles lists every role that an access token may have, in the order above.
func Roles() []Role {
	return []Role{RoleAdmin, RoleRepresentative, RoleAgency, RoleCreator, RoleClient, RolePartner, RoleLists, RoleSync, RoleService}
}

// Principal is who makes a request. It is a value: an Authenticator makes it,
// handlers pass it on as an argument, nothing hides it in a context.
type Principal struct {
	Role Role
	// Subject identifies the account behind the principal within its role:
	// "17" for the creator with user id 17, a UUID for a partner.
	Subject string
	// Name is what a person would call it; shown as the author of a record
	// when there is no user account behind it.
	Name string
	// UserID is the user account behind the principal: always for a creator,
	// 0 when there is none.
	UserID int64
	// ClientID is the client whose users the principal may see; for RoleClient.
	ClientID int64
	// AdvertiserIDs are the advertisers it acts for, ascending; for
	// RoleRepresentative and RoleAgency.
	AdvertiserIDs []int64
	// Session is what an OpenID provider says about who makes the request; zero
	// for an access token.
	Session Session
	// Test marks an account whose records never reach an outside service.
	Test bool
}

// Session is what an OpenID provider says about somebody.
type Session struct {
	Subject    string // the provider's id of the identity, 1..255 characters
	Email      string // in normal form; empty: not told
	Unverified bool   // the provider says that it has not verified the address
}

// Key identifies the principal across requests: rate limits and idempotency
// keys are counted per Key.
func (p Principal) Key() string { return string(p.Role) + ":" + p.Subject }

// IsAdmin reports whether it is the operator.
func (p Principal) IsAdmin() bool { return p.Role == RoleAdmin }

// ActsFor reports whether it may change what belongs to the advertiser.
func (p Principal) ActsFor(advertiserID int64) bool {
	switch p.Role {
	case RoleAdmin:
		return true
	case RoleRepresentative, RoleAgency:
		return slices.Contains(p.AdvertiserIDs, advertiserID)
	}
	return false
}

// Actor is who did something, for the records that say so.
type Actor struct {
	UserID int64  // 0 when no user account is behind it
	Name   string // at most 255 characters
}

// Actor is the principal as the author of a record.
func (p Principal) Actor() Actor { return Actor{UserID: p.UserID, Name: p.Name} }
