package affiliate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// shops are an advertiser with a client and one without, and three users whom
// both see: of the client, of no client, and one who acted at both.
type shops struct {
	*is.I
	core               *affiliate.Service
	grouped, alone     affiliate.Advertiser
	member, free, doer affiliate.User
}

func newShops(t *testing.T, b storagetest.Backend) shops {
	t.Helper()
	s := shops{I: is.New(t), core: newService(t, b, atNoon)}
	ctx := t.Context()
	g, err := s.core.CreateAdvertiserGroup(ctx, affiliate.AdvertiserGroup{Name: "g", Key: "g", Currency: "SEK"})
	s.NoErr(err)
	c, _, err := s.core.CreateClient(ctx, affiliate.Client{Name: "network", GroupID: g.ID})
	s.NoErr(err)
	s.grouped, err = s.core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "grouped", Country: "SE", Currency: "SEK", GroupID: g.ID})
	s.NoErr(err)
	s.alone, err = s.core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "alone", Country: "SE", Currency: "SEK"})
	s.NoErr(err)
	for _, u := range []struct {
		to     *affiliate.User
		name   string
		client int64
		acts   bool
	}{{&s.member, "member", c.ID, false}, {&s.free, "free", 0, false}, {&s.doer, "doer", 0, true}} {
		*u.to, err = s.core.CreateUser(ctx, affiliate.User{Username: u.name, Email: u.name + "@x.example", Phone: "+46 1", ClientID: u.client, Profile: affiliate.Profile{City: "Umeå"}})
		s.NoErr(err)
		s.NoErr(b.Core.Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
			return errors.Join(tx.Users().Relate(ctx, u.to.ID, s.grouped.ID, u.acts), tx.Users().Relate(ctx, u.to.ID, s.alone.ID, u.acts))
		}))
	}
	return s
}

func TestAnAdvertiserManagesTheUsersOfItsClientAlone(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		s := newShops(t, b)
		for _, c := range []struct {
			advertiser affiliate.Advertiser
			user       affiliate.User
			manages    bool
		}{{s.grouped, s.member, true}, {s.grouped, s.free, false}, {s.alone, s.member, false}, {s.alone, s.free, false}, {s.alone, s.doer, false}} {
			u, err := s.core.AdvertiserUser(t.Context(), c.advertiser.ID, c.user.ID)
			s.NoErr(err)
			s.Equal(u.Managed, c.manages)
			_, err = s.core.UpdateAdvertiserUser(t.Context(), c.advertiser.ID, c.user.ID, func(u *affiliate.User) { u.DisplayName = "taken over" })
			s.Equal(err == nil, c.manages)
			if !c.manages {
				s.True(errors.Is(err, affiliate.ErrForbidden))
			}
		}
	})
}

func TestAnAdvertiserLearnsOnlyHowToReachWhomItKnows(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		s := newShops(t, b)
		for _, c := range []struct {
			user affiliate.User
			told bool
		}{{s.member, true}, {s.free, false}, {s.doer, true}} {
			want := c.user
			if !c.told {
				want.Email, want.Phone, want.Profile = "", "", affiliate.Profile{}
			}
			one, err := s.core.AdvertiserUser(t.Context(), s.grouped.ID, c.user.ID)
			s.NoErr(err)
			s.Equal(one.User, want)
			listed, err := s.core.AdvertiserUsers(t.Context(), s.grouped.ID, affiliate.UserFilter{EmailPrefix: c.user.Email}, affiliate.PageRequest{Number: 1, Size: 5})
			s.NoErr(err)
			s.Equal(len(listed.Items), 1)
			s.Equal(listed.Items[0].User, want)
			tagged, err := s.core.TagAdvertiserUser(t.Context(), s.grouped.ID, c.user.ID, []affiliate.TagInput{{Name: "vip"}})
			s.NoErr(err)
			s.Equal(tagged.Email, want.Email)
			kept, err := s.core.User(t.Context(), c.user.ID)
			s.NoErr(err)
			s.Equal(kept.Email, c.user.Email) // hidden, not lost
		}
	})
}

func TestATagForAllIsFoundByItsName(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		s := newShops(t, b)
		tag, err := s.core.CreateUserTag(t.Context(), affiliate.UserTag{Name: "VIP", Slug: "vip", AccessLevel: affiliate.AccessAll})
		s.NoErr(err)
		u, err := s.core.TagAdvertiserUser(t.Context(), s.grouped.ID, s.free.ID, []affiliate.TagInput{{Name: "vip"}})
		s.NoErr(err)
		s.Equal(u.TagIDs, []int64{tag.ID})
	})
}
