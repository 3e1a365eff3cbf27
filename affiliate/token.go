package affiliate

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"
)

// AccessToken is a credential. Only the SHA-256 of what the client sends is
// kept: a copy of the store lets nobody in.
type AccessToken struct {
	ID        int64
	Hash      [32]byte // unique
	Role      Role
	Subject   string // the account within its role, 1..64 characters; see Principal.Subject
	Name      string // at most 255 characters
	UserID    int64  // the user account behind it, 0: none
	ClientID  int64  // for RoleClient
	Test      bool
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Validate checks what every backend refuses.
func (t AccessToken) Validate() error {
	var v Validation
	known := false
	for _, r := range Roles() {
		known = known || r == t.Role
	}
	v.Check(known, "role", "unknown_role", "must be a known role")
	v.Text("subject", t.Subject, 1, 64)
	v.Text("name", t.Name, 0, 255)
	v.Check((t.Role == RoleClient) == (t.ClientID != 0), "client_id", "role_mismatch", "must be set for a client and only then")
	v.Check(t.Role != RoleCreator || t.UserID != 0, "user_id", "required", "is required for a creator")
	return v.Err("access_token")
}

// Membership lets a representative or an agency act for an advertiser.
type Membership struct {
	Role         Role // RoleRepresentative or RoleAgency
	Subject      string
	AdvertiserID int64
}

// Validate checks what every backend refuses.
func (m Membership) Validate() error {
	var v Validation
	v.Check(m.Role == RoleRepresentative || m.Role == RoleAgency, "role", "unknown_role", "must be representative or agency")
	v.Text("subject", m.Subject, 1, 64)
	return v.Err("membership")
}

// Event tells the host that something happened. It is written in the unit that
// did it, and delivered afterwards, at least once.
type Event struct {
	ID      int64
	Type    string // "user.approved"; 1..64 characters
	Subject string // what it is about, "user:17"; 1..128 characters
	Data    string // JSON, at most 65536 characters; may be empty
	At      time.Time
}

// Validate checks what every backend refuses.
func (e Event) Validate() error {
	var v Validation
	v.Text("type", e.Type, 1, 64)
	v.Text("subject", e.Subject, 1, 128)
	v.Text("data", e.Data, 0, 65536)
	return v.Err("event")
}

// IdempotencyKey is one request that a client may repeat without doing it
// twice, and its answer once there is one.
type IdempotencyKey struct {
	Principal   string    // Principal.Key of who sent it, 1..128 characters
	Key         string    // as sent, 1..255 characters; unique per principal
	Token       string    // of the request that holds it, 1..64 characters: a later one may have taken over
	Fingerprint [32]byte  // SHA-256 over method, path and body of the request
	Status      int       // of the answer, 0 while the request is in flight
	ContentType string    // of the answer, at most 255 characters
	Body        []byte    // of the answer, at most 1 MiB
	ExpiresAt   time.Time // while in flight the end of its lease, then of the answer's keeping
}

// Validate checks what every backend refuses.
func (k IdempotencyKey) Validate() error {
	var v Validation
	v.Text("principal", k.Principal, 1, 128)
	v.Text("key", k.Key, 1, 255)
	v.Text("token", k.Token, 1, 64)
	v.Text("content_type", k.ContentType, 0, 255)
	v.Check(len(k.Body) <= 1<<20, "body", "too_long", "must be at most 1048576 bytes")
	v.Check(!k.ExpiresAt.IsZero(), "expires_at", "required", "is required")
	return v.Err("idempotency_key")
}

// HashSecret is what is kept of a secret.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// newSecret makes up 192 random bits, as 32 characters that need no escaping.
func (s *Service) newSecret() (string, error) {
	var b [24]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fmt.Errorf("affiliate: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// IssueToken makes up an access token for the account that t describes and
// answers its secret, which is shown this once.
func (s *Service) IssueToken(ctx context.Context, t AccessToken) (AccessToken, string, error) {
	secret, err := s.newSecret()
	if err != nil {
		return AccessToken{}, "", err
	}
	t, err = s.AddToken(ctx, secret, t)
	if err != nil {
		return AccessToken{}, "", err
	}
	return t, secret, nil
}

// AddToken keeps an access token whose secret the caller chose, at least 16
// bytes long.
func (s *Service) AddToken(ctx context.Context, secret string, t AccessToken) (AccessToken, error) {
	var v Validation
	v.Check(len(secret) >= 16 && len(secret) <= 4096, "secret", "out_of_range", "must be 16 to 4096 bytes")
	if err := v.Err("access_token"); err != nil {
		return AccessToken{}, err
	}
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (AccessToken, error) {
		t.Hash, t.CreatedAt = HashSecret(secret), s.clock.Now()
		return tx.Tokens().Add(ctx, t)
	})
}

// RevokeToken ends an access token at once.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Tokens().Delete(ctx, id)
	})
}

// Authenticate answers the principal that a secret stands for, or
// ErrUnauthenticated when it is unknown or expired.
func (s *Service) Authenticate(ctx context.Context, secret string) (Principal, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Principal, error) {
		t, err := tx.Tokens().ByHash(ctx, HashSecret(secret))
		if errors.Is(err, ErrNotFound) || err == nil && !t.ExpiresAt.IsZero() && !s.clock.Now().Before(t.ExpiresAt) {
			return Principal{}, &Error{Kind: ErrUnauthenticated, Code: "unauthenticated"}
		}
		if err != nil {
			return Principal{}, err
		}
		p := Principal{Role: t.Role, Subject: t.Subject, Name: t.Name, UserID: t.UserID, ClientID: t.ClientID, Test: t.Test}
		if t.Role == RoleRepresentative || t.Role == RoleAgency {
			p.AdvertiserIDs, err = tx.Memberships().Advertisers(ctx, t.Role, t.Subject)
		}
		return p, err
	})
}

// AddMember lets a representative or an agency act for an advertiser. Doing it
// again changes nothing.
func (s *Service) AddMember(ctx context.Context, m Membership) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Memberships().Add(ctx, m)
	})
}

// RemoveMember takes that right away. Doing it again changes nothing.
func (s *Service) RemoveMember(ctx context.Context, m Membership) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Memberships().Remove(ctx, m)
	})
}

// DeliverEvents hands at most limit waiting events to deliver, in order, and
// removes them once it returned nil: each is delivered at least once. It
// answers how many there were.
func (s *Service) DeliverEvents(ctx context.Context, limit int, deliver func(context.Context, []Event) error) (int, error) {
	events, err := Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Event, error) {
		return tx.Events().Pending(ctx, limit)
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	if err := deliver(ctx, events); err != nil {
		return 0, err
	}
	ids := make([]int64, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return len(events), s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Events().Remove(ctx, ids)
	})
}
