package identity

import (
	"context"
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Invite asks the owner of an e-mail address to represent an advertiser, or to
// join an agency. It is accepted once, before it expires, by a session with
// that verified address or by whoever has its secret.
type Invite struct {
	ID           int64
	Role         affiliate.Role // RoleRepresentative or RoleAgency
	AdvertiserID int64          // for RoleRepresentative
	AgencyID     int64          // for RoleAgency
	Email        string         // in normal form, 3..254 characters
	Hash         [32]byte       // of the secret; unique
	By           affiliate.Actor
	CreatedAt    time.Time
	ExpiresAt    time.Time
	AcceptedAt   time.Time // zero: not accepted
	AcceptedBy   int64     // account, 0: not accepted
	RevokedAt    time.Time // zero: not revoked
}

// InviteStatus is computed from the times of an invite.
type InviteStatus string

// The states of an invite.
const (
	InvitePending  InviteStatus = "pending"
	InviteAccepted InviteStatus = "accepted"
	InviteRevoked  InviteStatus = "revoked"
	InviteExpired  InviteStatus = "expired"
)

// Status returns the state at an instant. Only a pending invite can be accepted
// or revoked; no other state ever changes.
func (i Invite) Status(now time.Time) InviteStatus {
	switch {
	case !i.AcceptedAt.IsZero():
		return InviteAccepted
	case !i.RevokedAt.IsZero():
		return InviteRevoked
	case !now.Before(i.ExpiresAt):
		return InviteExpired
	}
	return InvitePending
}

// Validate checks what every backend refuses.
func (i Invite) Validate() error {
	var v affiliate.Validation
	v.Check(i.Role == affiliate.RoleRepresentative || i.Role == affiliate.RoleAgency, "role", "unknown_role", "must be representative or agency")
	v.Check((i.Role == affiliate.RoleRepresentative) == (i.AdvertiserID != 0), "advertiser_id", "role_mismatch", "must be set for a representative and only then")
	v.Check((i.Role == affiliate.RoleAgency) == (i.AgencyID != 0), "agency_id", "role_mismatch", "must be set for an agency and only then")
	v.Text("email", i.Email, 1, 254)
	v.Check(affiliate.ValidEmail(i.Email), "email", "invalid_email", "must be an e-mail address")
	v.Check(i.Email == affiliate.NormalizeEmail(i.Email), "email", "not_normalized", "must be lower case without surrounding space")
	v.Text("by", i.By.Name, 0, 255)
	v.Check(!i.ExpiresAt.IsZero(), "expires_at", "required", "is required")
	return v.Err("invite")
}

// How long an invite may be accepted.
const (
	DefaultInviteTime = 7 * 24 * time.Hour
	MaxInviteTime     = 90 * 24 * time.Hour
)

// InviteInput describes an invite.
type InviteInput struct {
	Email        string
	AdvertiserID int64         // set: to represent this advertiser
	AgencyID     int64         // set: to join this agency; exactly one of the two is set
	ValidFor     time.Duration // up to MaxInviteTime; 0: DefaultInviteTime
	By           affiliate.Actor
}

// Invite issues an invite and returns its secret, which cannot be read again.
// Options.Postman sends it. When that fails, the invite is revoked and the
// error of the postman is returned.
func (s *Service) Invite(ctx context.Context, in InviteInput) (Invite, string, error) {
	if in.ValidFor == 0 {
		in.ValidFor = DefaultInviteTime
	}
	var v affiliate.Validation
	v.Check(in.ValidFor > 0 && in.ValidFor <= MaxInviteTime, "valid_for", "out_of_range", "must be more than 0 and at most 90 days")
	v.Check((in.AdvertiserID != 0) != (in.AgencyID != 0), "advertiser_id", "role_mismatch", "either an advertiser or an agency must be set")
	if err := v.Err("invite"); err != nil {
		return Invite{}, "", err
	}
	secret, err := secrets.New(s.random)
	if err != nil {
		return Invite{}, "", err
	}
	i, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Invite, error) {
		now := s.clock.Now()
		i := Invite{
			Role: affiliate.RoleRepresentative, AdvertiserID: in.AdvertiserID, AgencyID: in.AgencyID, Email: affiliate.NormalizeEmail(in.Email),
			Hash: affiliate.HashSecret(secret), By: in.By, CreatedAt: now, ExpiresAt: now.Add(in.ValidFor),
		}
		if in.AgencyID != 0 {
			i.Role = affiliate.RoleAgency
		}
		i, err := tx.Invites().Add(ctx, i)
		if err != nil {
			return i, err
		}
		return i, tx.Events().Add(ctx, i.event(EventInvited, now))
	})
	if err != nil {
		return Invite{}, "", err
	}
	if s.postman != nil {
		if err := s.postman.Invited(ctx, i, secret); err != nil {
			// The secret is lost with this call, so nobody may be left waiting.
			return Invite{}, "", errors.Join(err, s.RevokeInvite(context.WithoutCancel(ctx), i.ID))
		}
	}
	return i, secret, nil
}

func (i Invite) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(i.ID, at).Of(i.AdvertiserID, 0)
}

// RevokeInvite takes an invite back. It returns ErrState "not_pending" when the
// invite was accepted; a revoked or expired one is left as it is.
func (s *Service) RevokeInvite(ctx context.Context, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		i, err := tx.Invites().Get(ctx, id)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		switch i.Status(now) {
		case InviteAccepted:
			return &affiliate.Error{Kind: affiliate.ErrState, Code: "not_pending", Resource: "invite", Message: "The invite was accepted. Remove the membership instead."}
		case InvitePending:
			i.RevokedAt = now
			if err := tx.Invites().Update(ctx, i); err != nil {
				return err
			}
			return tx.Events().Add(ctx, i.event(EventInviteRevoked, now))
		}
		return nil
	})
}

// AcceptInvites makes the viewer's session an account and accepts its invites
// of the role: with a secret that one invite, whatever address it was sent to;
// without a secret every pending invite to the session's address, unless the
// provider says that the address is not verified. It returns ErrNotFound
// "no_pending_invite" when there is none. An account that has the role already
// accepts further invites; one with another role is ErrConflict
// "already_linked" (advertiser-invites-accept, agency-invites-accept).
func (s *Service) AcceptInvites(ctx context.Context, role affiliate.Role, secret string) ([]Invite, error) {
	session, err := s.session()
	if err != nil {
		return nil, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) ([]Invite, error) {
		invites, err := s.pendingInvites(ctx, tx, role, session, secret)
		if err != nil {
			return nil, err
		}
		a, err := s.account(ctx, tx, session)
		if err != nil {
			return nil, err
		}
		agencies := a.AgencyIDs
		for _, i := range invites {
			if i.Role == affiliate.RoleAgency {
				agencies = append(agencies[:len(agencies):len(agencies)], i.AgencyID)
			}
		}
		agencies = idset.Sorted(agencies)
		if a.Role == role {
			a.AgencyIDs, a.UpdatedAt = agencies, s.clock.Now()
			err = tx.Accounts().Update(ctx, a)
		} else {
			a, err = s.link(ctx, tx, a, func(a *Account) { a.Role, a.AgencyIDs, a.Name = role, agencies, session.Email })
		}
		if err != nil {
			return nil, err
		}
		return s.accept(ctx, tx, a, invites)
	})
}

func (s *Service) accept(ctx context.Context, tx Tx, a Account, invites []Invite) ([]Invite, error) {
	now := s.clock.Now()
	for n, i := range invites {
		i.AcceptedAt, i.AcceptedBy = now, a.ID
		if err := tx.Invites().Update(ctx, i); err != nil {
			return nil, err
		}
		if i.AdvertiserID != 0 {
			if err := join(ctx, tx, now, Membership{Role: i.Role, Subject: a.Member(), AdvertiserID: i.AdvertiserID}); err != nil {
				return nil, err
			}
		}
		if err := tx.Events().Add(ctx, i.event(EventInviteAccepted, now)); err != nil {
			return nil, err
		}
		invites[n] = i
	}
	return invites, nil
}

func (s *Service) pendingInvites(ctx context.Context, tx Tx, role affiliate.Role, session affiliate.Session, secret string) ([]Invite, error) {
	none := &affiliate.Error{Kind: affiliate.ErrNotFound, Code: "no_pending_invite", Resource: "invite", Message: "There is no pending invite."}
	now := s.clock.Now()
	var invites []Invite
	switch {
	case secret != "":
		i, err := tx.Invites().ByHash(ctx, affiliate.HashSecret(secret))
		if errors.Is(err, affiliate.ErrNotFound) {
			return nil, none
		}
		if err != nil {
			return nil, err
		}
		if i.Role == role && i.Status(now) == InvitePending {
			invites = []Invite{i}
		}
	case session.Email != "" && !session.Unverified:
		var err error
		if invites, err = tx.Invites().Pending(ctx, role, affiliate.NormalizeEmail(session.Email), now); err != nil {
			return nil, err
		}
	}
	if len(invites) == 0 {
		return nil, none
	}
	return invites, nil
}
