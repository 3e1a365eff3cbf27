package identity

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of identity and of the core, within one unit of
// work. What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Tokens() TokenRepository
	Memberships() MembershipRepository
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
