package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func newService(t *testing.T, b storagetest.Backend, clock affiliate.Clock) *identity.Service {
	t.Helper()
	core, err := affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	s, err := identity.NewService(core, b.Identity, identity.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokensStandForWhoTheyWereIssuedTo(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		now := noon
		s := newService(t, b, func() time.Time { return now })
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		a, err := core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "acme", Country: "SE", Currency: "SEK"})
		is.NoErr(err)
		token, secret, err := s.IssueToken(t.Context(), identity.AccessToken{Role: affiliate.RoleAgency, Subject: "agency-1", Name: "Agency", ExpiresAt: noon.Add(time.Hour)})
		is.NoErr(err)
		is.Equal(len(secret), 32)
		member := identity.Membership{Role: affiliate.RoleAgency, Subject: "agency-1", AdvertiserID: a.ID}
		is.NoErr(s.AddMember(t.Context(), member))
		is.NoErr(s.AddMember(t.Context(), member))
		p, err := s.Authenticate(t.Context(), secret)
		is.NoErr(err)
		is.Equal(p, affiliate.Principal{Role: affiliate.RoleAgency, Subject: "agency-1", Name: "Agency", AdvertiserIDs: []int64{a.ID}})
		is.True(p.ActsFor(a.ID))
		is.True(!p.ActsFor(a.ID + 1))
		is.NoErr(s.RemoveMember(t.Context(), member))
		p, err = s.Authenticate(t.Context(), secret)
		is.NoErr(err)
		is.True(!p.ActsFor(a.ID))

		for _, wrong := range []string{"", secret + "x", strings.ToUpper(secret), "\x00", "\xff"} {
			_, err = s.Authenticate(t.Context(), wrong)
			is.True(errors.Is(err, affiliate.ErrUnauthenticated))
		}
		now = noon.Add(time.Hour) // it has run out
		_, err = s.Authenticate(t.Context(), secret)
		is.True(errors.Is(err, affiliate.ErrUnauthenticated))
		now = noon
		is.NoErr(s.RevokeToken(t.Context(), token.ID))
		_, err = s.Authenticate(t.Context(), secret)
		is.True(errors.Is(err, affiliate.ErrUnauthenticated))
		_, err = s.AddToken(t.Context(), "short", identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "a"})
		is.True(errors.Is(err, affiliate.ErrInvalid))
	})
}
