package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
)

// AccessToken is a credential. Only the SHA-256 of the secret is kept: a copy
// of the store lets nobody in.
type AccessToken struct {
	ID        int64
	Hash      [32]byte // unique
	Role      affiliate.Role
	Subject   string // the account within its role, 1..64 characters; see affiliate.Principal.Subject
	Name      string // at most 255 characters
	UserID    int64  // the user account behind it, 0: none
	ClientID  int64  // for affiliate.RoleClient
	Test      bool
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Validate checks what every backend refuses.
func (t AccessToken) Validate() error {
	var v affiliate.Validation
	known := false
	for _, r := range affiliate.Roles() {
		known = known || r == t.Role
	}
	v.Check(known, "role", "unknown_role", "must be a known role")
	v.Text("subject", t.Subject, 1, 64)
	v.Text("name", t.Name, 0, 255)
	v.Check((t.Role == affiliate.RoleClient) == (t.ClientID != 0), "client_id", "role_mismatch", "must be set for a client and only then")
	v.Check(t.Role != affiliate.RoleCreator || t.UserID != 0, "user_id", "required", "is required for a creator")
	return v.Err("access_token")
}

// IssueToken makes an access token for the account that t describes, and
// returns its secret. The secret cannot be read again.
func (s *Service) IssueToken(ctx context.Context, t AccessToken) (AccessToken, string, error) {
	secret, err := secrets.New(s.random)
	if err != nil {
		return AccessToken{}, "", err
	}
	t, err = s.AddToken(ctx, secret, t)
	if err != nil {
		return AccessToken{}, "", err
	}
	return t, secret, nil
}

// AddToken keeps an access token whose secret the caller chose. The secret is
// 16 to 4096 bytes long.
func (s *Service) AddToken(ctx context.Context, secret string, t AccessToken) (AccessToken, error) {
	var v affiliate.Validation
	v.Check(len(secret) >= 16 && len(secret) <= 4096, "secret", "out_of_range", "must be 16 to 4096 bytes")
	if err := v.Err("access_token"); err != nil {
		return AccessToken{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (AccessToken, error) {
		t.Hash, t.CreatedAt = affiliate.HashSecret(secret), s.clock.Now()
		kept, err := tx.Tokens().Add(ctx, t)
		if err != nil {
			return kept, err
		}
		return kept, tx.Events().Add(ctx, EventTokenAdded.On(kept.ID, kept.CreatedAt).Of(0, kept.ClientID).With(TokenPayload{kept.Role}))
	})
}

// RevokeToken ends an access token at once.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.Tokens().Delete(ctx, id); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventTokenRevoked.On(id, s.clock.Now()))
	})
}

// Authenticate returns the principal that a secret stands for. It returns
// ErrUnauthenticated when the secret is unknown or has expired.
//
// The store compares hashes, never secrets, and the hash that it found is
// compared once more in constant time: how long a wrong secret takes says
// nothing about a right one.
func (s *Service) Authenticate(ctx context.Context, secret string) (affiliate.Principal, error) {
	hash := affiliate.HashSecret(secret)
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Principal, error) {
		t, err := tx.Tokens().ByHash(ctx, hash)
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return affiliate.Principal{}, err
		}
		expired := !t.ExpiresAt.IsZero() && !s.clock.Now().Before(t.ExpiresAt)
		if err != nil || expired || subtle.ConstantTimeCompare(t.Hash[:], hash[:]) != 1 {
			return affiliate.Principal{}, unauthenticated()
		}
		p := affiliate.Principal{Role: t.Role, Subject: t.Subject, Name: t.Name, UserID: t.UserID, ClientID: t.ClientID, Test: t.Test}
		if t.Role == affiliate.RoleRepresentative || t.Role == affiliate.RoleAgency {
			p.AdvertiserIDs, err = tx.Memberships().Advertisers(ctx, t.Role, t.Subject)
		}
		return p, err
	})
}

func unauthenticated() error {
	return affiliate.Unauthenticated(nil)
}
