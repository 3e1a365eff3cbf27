package identity

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Account is an identity of the OpenID provider, and who it is here. An account
// without a role is one that the provider told us of and that has not signed up
// yet. A store has the accounts of one provider.
type Account struct {
	ID        int64
	Subject   string         // the provider's id ("sub"), 1..255 characters; unique
	Email     string         // in normal form, at most 254 characters; may be empty
	Name      string         // at most 255 characters
	Role      affiliate.Role // RoleCreator, RoleRepresentative or RoleAgency; empty: not linked
	UserID    int64          // for RoleCreator: its user; unique when not 0
	AgencyIDs []int64        // for RoleAgency: ascending, each once
	UTM       UTM
	CreatedAt time.Time
	UpdatedAt time.Time
}

// UTM says which advertisement brought somebody here. Each field is at most 255
// characters.
type UTM struct {
	Source, Medium, Campaign, Term, Content string
}

// Validate checks what every backend refuses.
func (a Account) Validate() error {
	var v affiliate.Validation
	v.Text("subject", a.Subject, 1, 255)
	v.Text("email", a.Email, 0, 254)
	v.Check(a.Email == affiliate.NormalizeEmail(a.Email), "email", "not_normalized", "must be lower case without surrounding space")
	v.Text("name", a.Name, 0, 255)
	known := a.Role == "" || a.Role == affiliate.RoleCreator || a.Role == affiliate.RoleRepresentative || a.Role == affiliate.RoleAgency
	v.Check(known, "role", "unknown_role", "must be creator, representative or agency")
	v.Check((a.Role == affiliate.RoleCreator) == (a.UserID != 0), "user_id", "role_mismatch", "must be set for a creator and only then")
	v.Check((a.Role == affiliate.RoleAgency) == (len(a.AgencyIDs) > 0), "agency_ids", "role_mismatch", "must be set for an agency and only then")
	v.Check(slices.Equal(a.AgencyIDs, idset.Sorted(a.AgencyIDs)), "agency_ids", "not_ascending", "must be ascending, each once")
	for _, f := range []struct{ name, value string }{
		{"source", a.UTM.Source}, {"medium", a.UTM.Medium}, {"campaign", a.UTM.Campaign}, {"term", a.UTM.Term}, {"content", a.UTM.Content},
	} {
		v.Text("utm."+f.name, f.value, 0, 255)
	}
	return v.Err("account")
}

// Linked reports whether the account is somebody here.
func (a Account) Linked() bool { return a.Role != "" }

// Member is the account as the subject of memberships and principals that are
// not creators.
func (a Account) Member() string { return "account-" + strconv.FormatInt(a.ID, 10) }

// Session returns the principal of a session of the OpenID provider: the
// account that is linked with the session's subject, and a principal with
// affiliate.RoleSession when there is none.
func (s *Service) Session(ctx context.Context, session affiliate.Session) (affiliate.Principal, error) {
	session.Email = affiliate.NormalizeEmail(session.Email)
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Principal, error) {
		p := affiliate.Principal{Role: affiliate.RoleSession, Subject: session.Subject, Name: session.Email, Session: session}
		a, err := tx.Accounts().BySubject(ctx, session.Subject)
		if errors.Is(err, affiliate.ErrNotFound) || err == nil && !a.Linked() {
			return p, nil
		}
		if err != nil {
			return affiliate.Principal{}, err
		}
		p.Role, p.Subject, p.Name = a.Role, a.Member(), a.Name
		if a.Role == affiliate.RoleCreator {
			p.UserID, p.Subject = a.UserID, strconv.FormatInt(a.UserID, 10)
			return p, nil
		}
		members := []string{a.Member()}
		for _, id := range a.AgencyIDs {
			members = append(members, AgencyMember(id))
		}
		p.AdvertiserIDs, err = tx.Memberships().Advertisers(ctx, a.Role, members...)
		return p, err
	})
}

// LinkUser links an identity of the provider with a user that exists already.
// It returns ErrConflict "already_linked" when the identity is somebody else
// here or the user has another identity. Doing it again changes nothing.
func (s *Service) LinkUser(ctx context.Context, subject string, userID int64) (Account, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Account, error) {
		u, err := tx.Users().Get(ctx, userID)
		if err != nil {
			return Account{}, err
		}
		a, err := s.account(ctx, tx, affiliate.Session{Subject: subject, Email: u.Email})
		if err != nil || a.UserID == userID {
			return a, err
		}
		return s.link(ctx, tx, a, func(a *Account) { a.Role, a.UserID, a.Name = affiliate.RoleCreator, userID, u.DisplayName })
	})
}

// account returns the account of a session, and adds one that is not linked
// when there is none.
func (s *Service) account(ctx context.Context, tx Tx, session affiliate.Session) (Account, error) {
	a, err := tx.Accounts().BySubject(ctx, session.Subject)
	if !errors.Is(err, affiliate.ErrNotFound) {
		return a, err
	}
	now := s.clock.Now()
	return tx.Accounts().Add(ctx, Account{Subject: session.Subject, Email: affiliate.NormalizeEmail(session.Email), CreatedAt: now, UpdatedAt: now})
}

// link makes an account that is nobody here somebody.
func (s *Service) link(ctx context.Context, tx Tx, a Account, as func(*Account)) (Account, error) {
	if a.Linked() {
		return a, affiliate.Conflict("account", "already_linked", "This session is linked with an account already.")
	}
	as(&a)
	if a.UserID != 0 {
		others, err := tx.Accounts().ByUsers(ctx, []int64{a.UserID})
		if err != nil {
			return a, err
		}
		if len(others) > 0 {
			return a, affiliate.Conflict("account", "already_linked", "This user is linked with another session.")
		}
	}
	a.UpdatedAt = s.clock.Now()
	if err := tx.Accounts().Update(ctx, a); err != nil {
		return a, err
	}
	return a, tx.Events().Add(ctx, EventLinked.On(a.ID, a.UpdatedAt))
}

// Agency acts for advertisers through the accounts that accepted its invites.
type Agency struct {
	ID        int64
	Name      string // 1..255 characters
	CreatedAt time.Time
}

// Validate checks what every backend refuses.
func (a Agency) Validate() error {
	var v affiliate.Validation
	v.Text("name", a.Name, 1, 255)
	return v.Err("agency")
}

// AgencyMember is the subject of an agency's memberships: AddMember with it
// lets everybody in the agency act for an advertiser.
func AgencyMember(agencyID int64) string { return "agency-" + strconv.FormatInt(agencyID, 10) }

// CreateAgency adds an agency that acts for the advertisers.
func (s *Service) CreateAgency(ctx context.Context, name string, advertiserIDs ...int64) (Agency, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Agency, error) {
		a, err := tx.Agencies().Add(ctx, Agency{Name: name, CreatedAt: s.clock.Now()})
		if err != nil {
			return a, err
		}
		for _, id := range idset.Sorted(advertiserIDs) {
			if err := join(ctx, tx, a.CreatedAt, Membership{Role: affiliate.RoleAgency, Subject: AgencyMember(a.ID), AdvertiserID: id}); err != nil {
				return a, err
			}
		}
		return a, tx.Events().Add(ctx, EventAgencyCreated.On(a.ID, a.CreatedAt))
	})
}
