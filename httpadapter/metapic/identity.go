package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// as returns the service of identity for a principal.
func (s *server) as(p affiliate.Principal) *identity.Service {
	return s.people.For(affiliate.ViewerOf(p))
}

// createRepresentative registers an advertiser for a session, which represents
// it from then on.
func (s *server) createRepresentative(ctx context.Context, p affiliate.Principal, in createStore) (store, error) {
	own, err := s.as(p).Represent()
	if err != nil {
		return store{}, err
	}
	registration := in.registration()
	registration.Owner = own
	a, err := s.links.RegisterAdvertiser(ctx, registration)
	return showStore(a), err
}

// acceptInvites has no documented body. A secret in it, or in the query, is the
// one of an invite that was sent to another address.
type acceptInvites struct {
	Secret string `query:"secret" json:"secret" max:"255"`
}

// acceptedInvites is what a session acts for after it accepted invites.
type acceptedInvites struct {
	Accepted []acceptedInvite `json:"accepted"`
}

type acceptedInvite struct {
	ID        int64             `json:"id"`
	StoreID   *int64            `json:"store_id"`  // null: of an agency
	AgencyID  *int64            `json:"agency_id"` // null: of an advertiser
	ExpiresAt laravel.Timestamp `json:"expires_at"`
}

func (s *server) acceptAdvertiserInvites(ctx context.Context, p affiliate.Principal, in acceptInvites) (acceptedInvites, error) {
	return s.accept(ctx, p, affiliate.RoleRepresentative, in)
}

func (s *server) acceptAgencyInvites(ctx context.Context, p affiliate.Principal, in acceptInvites) (acceptedInvites, error) {
	return s.accept(ctx, p, affiliate.RoleAgency, in)
}

func (s *server) accept(ctx context.Context, p affiliate.Principal, role affiliate.Role, in acceptInvites) (out acceptedInvites, err error) {
	invites, err := s.as(p).AcceptInvites(ctx, role, in.Secret)
	out.Accepted = laravel.ShowAll(invites, func(i identity.Invite) acceptedInvite {
		return acceptedInvite{ID: i.ID, StoreID: laravel.IDOrNull(i.AdvertiserID), AgencyID: laravel.IDOrNull(i.AgencyID), ExpiresAt: laravel.Timestamp(i.ExpiresAt)}
	})
	return out, err
}

// signUp says who a new creator is. Its bounds are the domain's, which names all
// that is wrong at once.
type signUp struct {
	SocialMedia []struct {
		Type       string `json:"type" required:"true"`
		Identifier string `json:"identifier" required:"true"`
	} `json:"social_media" max:"50"`
	UTM struct {
		Source   string `json:"source"`
		Medium   string `json:"medium"`
		Campaign string `json:"campaign"`
		Term     string `json:"term"`
		Content  string `json:"content"`
	} `json:"utm"`
	ClientID        string `json:"client_id"`
	PreferredLocale string `json:"preferred_locale"`
}

func (s *server) createUser(ctx context.Context, p affiliate.Principal, in signUp) (user, error) {
	sign := identity.SignUp{ClientID: in.ClientID, Locale: in.PreferredLocale, UTM: identity.UTM(in.UTM)}
	for _, m := range in.SocialMedia {
		sign.SocialMedia = append(sign.SocialMedia, affiliate.SocialMedia(m))
	}
	u, err := s.as(p).SignUpCreator(ctx, sign)
	return showUser(u, true), err
}

func (s *server) updateUserIdentity(ctx context.Context, p affiliate.Principal, in struct {
	UserID int64                 `path:"user_id"`
	Email  wire.Optional[string] `json:"email"`
	Phone  wire.Optional[string] `json:"phone"`
}) (user, error) {
	c := identity.Contact{Email: optionalText(in.Email), Phone: optionalText(in.Phone)}
	u, err := s.as(p).UpdateContact(ctx, in.UserID, c)
	return showUser(u, true), err
}

// optionalText is what was sent; null is the empty text.
func optionalText(o wire.Optional[string]) affiliate.Optional[string] {
	return affiliate.Optional[string]{Value: o.Value, Set: o.Set}
}

// oryIdentity is what a webhook of Ory says.
type oryIdentity struct {
	Identity struct {
		ID     string `json:"id" required:"true"`
		Traits struct {
			Email string `json:"email"`
		} `json:"traits"`
	} `json:"identity"`
	AppURL string `json:"app_url"`
}

func (in oryIdentity) notice() identity.Notice {
	return identity.Notice{Subject: in.Identity.ID, Email: in.Identity.Traits.Email, AppURL: in.AppURL}
}

func (s *server) oryIdentityCreated(ctx context.Context, _ affiliate.Principal, in oryIdentity) (wire.None, error) {
	return wire.None{}, s.people.IdentityCreated(ctx, in.notice())
}

func (s *server) oryIdentityUpdated(ctx context.Context, _ affiliate.Principal, in oryIdentity) (wire.None, error) {
	return wire.None{}, s.people.IdentityUpdated(ctx, in.notice())
}

// entrypoint is what an app asks first: who it works for and what is there.
type entrypoint struct {
	App      string          `json:"app"`
	User     *entrypointUser `json:"user"`
	Roles    []string        `json:"roles"`
	Store    *store          `json:"store"`
	Features []string        `json:"features"`
}

type entrypointUser struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

func (s *server) getEntrypoint(ctx context.Context, p affiliate.Principal, in struct {
	App     string `query:"app" json:"app" max:"64"`
	StoreID int64  `query:"store_id" json:"store_id" min:"1"`
}) (out entrypoint, err error) {
	out = entrypoint{App: in.App, Roles: []string{string(p.Role)}, Features: s.features()}
	if p.UserID != 0 {
		u, err := s.core.User(ctx, p.UserID)
		if err != nil {
			return out, err
		}
		out.User = &entrypointUser{ID: u.ID, Username: u.Username}
	}
	if in.StoreID == 0 {
		return out, nil
	}
	one := listStores{Paging: laravel.Paging{Page: 1, Size: 1}}
	page, err := s.core.Advertisers(ctx, affiliate.AdvertiserFilter{IDs: []int64{in.StoreID}}, one.Request(affiliate.Sort{}))
	if err != nil {
		return out, err
	}
	if len(page.Items) == 0 {
		return out, affiliate.NotFound("advertiser", in.StoreID)
	}
	shown := showStore(page.Items[0])
	out.Store = &shown
	return out, nil
}
