package identity

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of identity and of the core, within one unit of
// work. What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Tokens() TokenRepository
	Memberships() MembershipRepository
	Accounts() AccountRepository
	Agencies() AgencyRepository
	Invites() InviteRepository
	Persons() PersonRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// TokenRepository keeps access tokens. Hash is unique.
type TokenRepository interface {
	Add(ctx context.Context, t AccessToken) (AccessToken, error)
	// ByHash is ErrNotFound when no token has the hash; expired tokens are
	// returned too.
	ByHash(ctx context.Context, hash [32]byte) (AccessToken, error)
	// BySubject returns the tokens of one account by ascending id.
	BySubject(ctx context.Context, role affiliate.Role, subject string) ([]AccessToken, error)
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
}

// MembershipRepository keeps who acts for which advertiser.
type MembershipRepository interface {
	// Add notes a membership. Adding it again changes nothing.
	Add(ctx context.Context, m Membership) error
	// Advertisers returns the advertisers of the members of a role by ascending
	// id, each once.
	Advertisers(ctx context.Context, role affiliate.Role, subjects ...string) ([]int64, error)
	// Remove changes nothing when there is no such membership.
	Remove(ctx context.Context, m Membership) error
}

// AccountRepository keeps accounts. Subject is unique, and UserID when it is
// not 0.
type AccountRepository interface {
	Add(ctx context.Context, a Account) (Account, error)
	Get(ctx context.Context, id int64) (Account, error)
	// BySubject is ErrNotFound when no account has the subject.
	BySubject(ctx context.Context, subject string) (Account, error)
	// ByUsers returns the accounts of the users by ascending id.
	ByUsers(ctx context.Context, userIDs []int64) ([]Account, error)
	Update(ctx context.Context, a Account) error
}

// AgencyRepository keeps agencies.
type AgencyRepository interface {
	Add(ctx context.Context, a Agency) (Agency, error)
	GetMany(ctx context.Context, ids []int64) ([]Agency, error)
}

// InviteRepository keeps invites. Hash is unique.
type InviteRepository interface {
	Add(ctx context.Context, i Invite) (Invite, error)
	Get(ctx context.Context, id int64) (Invite, error)
	// ByHash is ErrNotFound when no invite has the hash; invites in any state
	// are returned.
	ByHash(ctx context.Context, hash [32]byte) (Invite, error)
	// Pending returns the invites of the role to the address (in normal form)
	// that are neither accepted nor revoked and expire after now, by ascending id.
	Pending(ctx context.Context, role affiliate.Role, email string, now time.Time) ([]Invite, error)
	Update(ctx context.Context, i Invite) error
}

// PersonRepository forgets persons. It is the one repository that changes rows of
// many domains: what belongs to a person stands in all of them.
type PersonRepository interface {
	// Remove takes a person out of all rows but the user's own, the ledger,
	// payments and what is sealed. Access tokens go; the account of the user is
	// nobody's, and other accounts lose the address. Elsewhere
	// affiliate.ErasedName stands for the name of an author and for a handle, and
	// Person.ErasedEmail for the address. Of media, the creator and the file's
	// place go too. Kept answers to idempotency keys that have the address go.
	// Removing a person again changes nothing.
	Remove(ctx context.Context, p Person) error
}
