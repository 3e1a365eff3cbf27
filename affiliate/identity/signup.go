package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
)

// SignUp is what a creator says about itself. Its e-mail address is the one of
// its session.
type SignUp struct {
	ClientID    string // public id of the client that it joins; empty: of no client
	Locale      string // BCP 47, at most 35 characters
	SocialMedia []affiliate.SocialMedia
	UTM         UTM
}

// SignUpCreator makes the viewer's session a creator: a new user, not yet
// approved, who is linked with the session (user-create). It returns
// ErrConflict "already_linked" when the session is somebody already, and
// ErrConflict "taken" when another user has its e-mail address: an operator
// links those two with [Service.LinkUser], because an address alone is no proof.
func (s *Service) SignUpCreator(ctx context.Context, in SignUp) (affiliate.User, error) {
	session, err := s.unlinked()
	if err != nil {
		return affiliate.User{}, err
	}
	email := affiliate.NormalizeEmail(session.Email)
	var v affiliate.Validation
	v.Check(affiliate.ValidEmail(email), "email", "required", "must be in the token")
	v.Check(!session.Unverified, "email", "unverified", "must be verified first")
	if err := v.Err("user"); err != nil {
		return affiliate.User{}, err
	}
	name, _, _ := strings.Cut(email, "@")
	user := affiliate.User{DisplayName: name, Email: email, Locale: in.Locale, SocialMedia: slices.Clone(in.SocialMedia)}
	for range signUpAttempts {
		secret, err := secrets.New(s.random)
		if err != nil {
			return affiliate.User{}, err
		}
		user.Username = name + "-" + strings.ToLower(secret[:6])
		u, err := s.signUp(ctx, session, user, name, in)
		if !usernameTaken(err) {
			return u, err
		}
	}
	return affiliate.User{}, affiliate.Unavailable(errors.New("identity: no free username"))
}

// signUpAttempts bounds how many random usernames a sign-up tries.
const signUpAttempts = 5

func usernameTaken(err error) bool {
	e, ok := errors.AsType[*affiliate.Error](err)
	return ok && errors.Is(e, affiliate.ErrConflict) && slices.ContainsFunc(e.Fields, func(f affiliate.FieldError) bool { return f.Field == "username" }) &&
		!slices.ContainsFunc(e.Fields, func(f affiliate.FieldError) bool { return f.Field == "email" })
}

// signUp adds the user under the name if it is free, else under its own username.
func (s *Service) signUp(ctx context.Context, session affiliate.Session, u affiliate.User, name string, in SignUp) (affiliate.User, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.User, error) {
		a, err := s.account(ctx, tx, session)
		if err != nil {
			return affiliate.User{}, err
		}
		if in.ClientID != "" {
			c, err := tx.Clients().ByPublicID(ctx, in.ClientID)
			if errors.Is(err, affiliate.ErrNotFound) {
				return affiliate.User{}, affiliate.Invalid("user", affiliate.FieldError{Field: "client_id", Code: "unknown_reference", Message: "must be the public id of a client"})
			}
			if err != nil {
				return affiliate.User{}, err
			}
			u.ClientID = c.ID
		}
		if a.Linked() { // before the user, whose e-mail address would be taken
			_, err := s.link(ctx, tx, a, nil)
			return affiliate.User{}, err
		}
		// Asked for, not tried: within affiliate.Join a failed unit cannot be tried again.
		switch _, err := tx.Users().ByUsername(ctx, u.ClientID, name); {
		case errors.Is(err, affiliate.ErrNotFound):
			u.Username = name
		case err != nil:
			return affiliate.User{}, err
		}
		added, err := affiliate.AddUser(ctx, tx, s.clock.Now(), u, s.onUser)
		if err != nil {
			return affiliate.User{}, err
		}
		_, err = s.link(ctx, tx, a, func(a *Account) {
			a.Role, a.UserID, a.Name, a.UTM = affiliate.RoleCreator, added.ID, added.DisplayName, in.UTM
		})
		return added, err
	})
}

// Own is an action for the unit that registers an advertiser: it lets somebody
// act for it.
type Own func(ctx context.Context, tx Tx, advertiserID int64) error

// Join lets an account of a token act for the advertiser that it registers.
func Join(role affiliate.Role, subject string) Own {
	return func(ctx context.Context, tx Tx, advertiserID int64) error {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return err
		}
		return join(ctx, tx, a.CreatedAt, Membership{Role: role, Subject: subject, AdvertiserID: advertiserID})
	}
}

// Represent makes the viewer's session an account that represents the
// advertiser that it registers (advertiser-representative-create). It returns
// ErrConflict "already_linked" when the session is somebody already.
func (s *Service) Represent() (Own, error) {
	session, err := s.unlinked()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx Tx, advertiserID int64) error {
		return s.representAs(ctx, tx, session, session.Email, advertiserID)
	}, nil
}
