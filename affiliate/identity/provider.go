package identity

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// CRM is told of everybody who registers with the OpenID provider.
type CRM interface {
	// Registered opens a deal for somebody who may become a representative of an
	// advertiser. It may be called again for the same account.
	Registered(ctx context.Context, a Account, appURL string) error
}

// Directory is the OpenID provider's list of identities.
type Directory interface {
	// SetContact gives the identity the e-mail address and phone number. It may
	// be called again with the same values.
	SetContact(ctx context.Context, subject, email, phone string) error
}

// Postman brings invites to those they are for.
type Postman interface {
	// Invited sends an invite with its secret.
	Invited(ctx context.Context, i Invite, secret string) error
}

// Notice is what a webhook of the OpenID provider says about an identity.
type Notice struct {
	Subject string // 1..255 characters
	Email   string // at most 254 characters
	AppURL  string // where somebody registered, at most 2048 characters; may be empty
}

func (n Notice) validate() error {
	var v affiliate.Validation
	v.Text("identity.id", n.Subject, 1, 255)
	v.Text("identity.traits.email", n.Email, 0, 254)
	v.Check(n.Email == "" || affiliate.ValidEmail(n.Email), "identity.traits.email", "invalid_email", "must be an e-mail address")
	v.Text("app_url", n.AppURL, 0, 2048)
	return v.Err("identity")
}

// IdentityCreated notes a new identity of the provider (ory-identity-created).
// A notice that comes again changes nothing.
func (s *Service) IdentityCreated(ctx context.Context, n Notice) error {
	n.Email = affiliate.NormalizeEmail(n.Email)
	if err := n.validate(); err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.Accounts().BySubject(ctx, n.Subject)
		if !errors.Is(err, affiliate.ErrNotFound) {
			return err // nil: known
		}
		a, err := s.account(ctx, tx, affiliate.Session{Subject: n.Subject, Email: n.Email})
		if err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventIdentityCreated.On(a.ID, a.CreatedAt).With(CreatedPayload{n.AppURL}))
	})
}

// IdentityUpdated brings the e-mail address of an identity here
// (ory-identity-updated). An identity that is not known is noted as an event
// and is no error. A notice that comes again changes nothing. It returns
// ErrConflict "taken" when another user has the address.
func (s *Service) IdentityUpdated(ctx context.Context, n Notice) error {
	n.Email = affiliate.NormalizeEmail(n.Email)
	if err := n.validate(); err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		now := s.clock.Now()
		a, err := tx.Accounts().BySubject(ctx, n.Subject)
		if errors.Is(err, affiliate.ErrNotFound) {
			return tx.Events().Add(ctx, EventIdentityUnknown.On(objectID(n.Subject), now))
		}
		if err != nil || n.Email == "" || a.Email == n.Email {
			return err
		}
		if a.UserID != 0 {
			if _, err := affiliate.ChangeUser(ctx, tx, now, a.UserID, func(u *affiliate.User) { u.Email = n.Email }, s.onUser); err != nil {
				return err
			}
		}
		a.Email, a.UpdatedAt = n.Email, now
		if err := tx.Accounts().Update(ctx, a); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventIdentityUpdated.On(a.ID, now))
	})
}

// objectID is the provider's id as the id of an event's object, which is at most
// 128 characters.
func objectID(subject string) string {
	id := []rune(subject)
	return string(id[:min(len(id), 128)])
}

// Contact is how a user is reached. What is not set stays.
type Contact struct {
	Email affiliate.Optional[string]
	Phone affiliate.Optional[string] // at most 32 characters
}

// UpdateContact changes a user's e-mail address and phone number, here and,
// through [Service.Deliver], at the provider (user-identity-update). The viewer
// must be that user or the operator; for others the user does not exist.
func (s *Service) UpdateContact(ctx context.Context, userID int64, c Contact) (affiliate.User, error) {
	if p := s.viewer.Principal(); !s.viewer.IsOperator() && (p.Role != affiliate.RoleCreator || p.UserID != userID) {
		return affiliate.User{}, affiliate.NotFound("user", userID)
	}
	if c.Email.Set && affiliate.NormalizeEmail(c.Email.Value) == "" {
		return affiliate.User{}, affiliate.Invalid("user", affiliate.FieldError{Field: "email", Code: "required", Message: "must not be empty"})
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.User, error) {
		before, err := tx.Users().Get(ctx, userID)
		if err != nil {
			return before, err
		}
		now := s.clock.Now()
		u, err := affiliate.ChangeUser(ctx, tx, now, userID, func(u *affiliate.User) {
			u.Email, u.Phone = c.Email.Or(u.Email), c.Phone.Or(u.Phone)
		}, s.onUser)
		if err != nil || u.Email == before.Email && u.Phone == before.Phone {
			return u, err
		}
		accounts, err := tx.Accounts().ByUsers(ctx, []int64{userID})
		if err != nil || len(accounts) == 0 {
			return u, err
		}
		a := accounts[0]
		a.Email, a.UpdatedAt = u.Email, now
		if err := tx.Accounts().Update(ctx, a); err != nil {
			return u, err
		}
		return u, tx.Events().Add(ctx, EventContactChanged.On(a.ID, now))
	})
}

// Delivers returns the kinds of events that Deliver does something about.
func (s *Service) Delivers() []string {
	var kinds []string
	if s.crm != nil {
		kinds = append(kinds, EventIdentityCreated.Name)
	}
	if s.directory != nil {
		kinds = append(kinds, EventContactChanged.Name)
	}
	return kinds
}

// Deliver hands an event of this package to Options.CRM or Options.Directory.
// affiliatekit.New subscribes it to the kinds that Delivers returns; other events,
// and those for which no interface is set, are left alone: the event itself is
// then the record. An account that is gone is no error.
func (s *Service) Deliver(ctx context.Context, e affiliate.Event) error {
	wanted := e.Kind == EventIdentityCreated.Name && s.crm != nil || e.Kind == EventContactChanged.Name && s.directory != nil
	if !wanted {
		return nil
	}
	a, u, err := s.contactOf(ctx, e)
	if errors.Is(err, affiliate.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if e.Kind == EventContactChanged.Name {
		return s.directory.SetContact(ctx, a.Subject, a.Email, u.Phone)
	}
	var data CreatedPayload
	if err := json.Unmarshal([]byte(e.Data), &data); err != nil {
		return err
	}
	return s.crm.Registered(ctx, a, data.AppURL)
}

// contactOf returns the account of an event as it is now, and its user.
func (s *Service) contactOf(ctx context.Context, e affiliate.Event) (a Account, u affiliate.User, err error) {
	id, err := strconv.ParseInt(e.Object.ID, 10, 64)
	if err != nil {
		return a, u, affiliate.NotFound("account", e.Object.ID)
	}
	err = s.store.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
		if a, err = tx.Accounts().Get(ctx, id); err != nil || a.UserID == 0 {
			return err
		}
		u, err = tx.Users().Get(ctx, a.UserID)
		return err
	})
	return a, u, err
}
