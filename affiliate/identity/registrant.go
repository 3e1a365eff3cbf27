package identity

import (
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
)

// Registrar keeps the passwords of those who register with one: the OpenID
// provider, or whatever else the host signs people in with.
type Registrar interface {
	// Register makes an identity with a password, and returns its id ("sub"). It
	// may be called again with the same address and password, after a failure:
	// it must then return the same id. An address that has another password is
	// an affiliate.Error of kind ErrConflict. The provider verifies the address.
	Register(ctx context.Context, email, password string) (subject string, err error)
}

// Registrant is who registers an advertiser with a password (store-register).
type Registrant struct {
	Username string // 2..64 characters; empty: made of the address
	Email    string // at most 128 characters
	Password string // 8..1024 characters; goes to Options.Registrar and is not kept
}

// The bounds of a registrant.
const (
	minRegistrantName = 2
	maxRegistrantName = 64
	maxRegistrantMail = 128
	minPassword       = 8
	maxPassword       = 1024
)

// Validate checks what can be known before anything is asked.
func (r Registrant) Validate() error {
	var v affiliate.Validation
	if r.Username != "" {
		v.Text("username", r.Username, minRegistrantName, maxRegistrantName)
	}
	v.Text("email", r.Email, 1, maxRegistrantMail)
	v.Check(affiliate.ValidEmail(affiliate.NormalizeEmail(r.Email)), "email", "invalid_email", "must be an e-mail address")
	v.Text("password", r.Password, minPassword, maxPassword)
	return v.Err("user")
}

// Register returns what lets somebody who has no session yet represent the
// advertiser that it registers. The first function asks Options.Registrar, so it
// is called before the unit (but within that of an idempotency key) and after the
// registration was found valid. In the unit, a user is added who works with the advertiser, and given to made; made
// may be called again. With a registrar, the new identity is an account that
// represents the advertiser. Without one, the address is invited to do so: its
// owner signs in with the provider and accepts. ErrConflict "taken" when another
// user has the address, "already_linked" when the identity is somebody already.
func (s *Service) Register(r Registrant, made func(affiliate.User)) func(ctx context.Context) (Own, error) {
	return func(ctx context.Context) (Own, error) {
		if err := r.Validate(); err != nil {
			return nil, err
		}
		email := affiliate.NormalizeEmail(r.Email)
		name := r.Username
		if name == "" {
			name, _, _ = strings.Cut(email, "@")
		}
		subject := ""
		if s.registrar != nil {
			var err error
			if subject, err = s.registrar.Register(ctx, email, r.Password); err != nil {
				return nil, err
			}
		}
		secret, err := secrets.New(s.random)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, tx Tx, advertiserID int64) error {
			u, err := affiliate.AddUser(ctx, tx, s.clock.Now(), affiliate.User{Username: name, DisplayName: name, Email: email}, s.onUser)
			if err != nil {
				return err
			}
			if err := tx.Users().Relate(ctx, u.ID, advertiserID, true); err != nil {
				return err
			}
			made(u)
			if subject == "" {
				return s.inviteRegistrant(ctx, tx, advertiserID, email, secret)
			}
			return s.representAs(ctx, tx, affiliate.Session{Subject: subject, Email: email}, name, advertiserID)
		}, nil
	}
}

// representAs makes the account of a session one that represents an advertiser.
func (s *Service) representAs(ctx context.Context, tx Tx, session affiliate.Session, name string, advertiserID int64) error {
	a, err := s.account(ctx, tx, session)
	if err != nil {
		return err
	}
	a, err = s.link(ctx, tx, a, func(a *Account) { a.Role, a.Name = affiliate.RoleRepresentative, name })
	if err != nil {
		return err
	}
	return Join(a.Role, a.Member())(ctx, tx, advertiserID)
}

// inviteRegistrant invites an address to represent an advertiser. Nobody gets
// the secret: the owner of the address accepts with a session.
func (s *Service) inviteRegistrant(ctx context.Context, tx Tx, advertiserID int64, email, secret string) error {
	now := s.clock.Now()
	i, err := tx.Invites().Add(ctx, Invite{
		Role: affiliate.RoleRepresentative, AdvertiserID: advertiserID, Email: email, Hash: affiliate.HashSecret(secret),
		CreatedAt: now, ExpiresAt: now.Add(MaxInviteTime),
	})
	if err != nil {
		return err
	}
	return tx.Events().Add(ctx, i.event(EventInvited, now))
}
