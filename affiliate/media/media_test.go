package media_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var published = time.Date(2026, 3, 18, 15, 4, 5, 0, time.FixedZone("", -6*3600))

func TestMediaAreAddedOnceAndFindTheirCreator(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		s, err := media.NewService(b.Media, media.Options{})
		is.NoErr(err)
		client, _, err := core.CreateClient(t.Context(), affiliate.Client{Name: "north", PublicID: "north"})
		is.NoErr(err)
		anna, err := core.CreateUser(t.Context(), affiliate.User{Username: "anna", ClientID: client.ID, SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: "anna"}}})
		is.NoErr(err)
		in := media.Medium{Type: "tiktok", ExternalID: "7", Username: "@Anna", PublishedAt: published}
		m, fresh, err := s.Add(t.Context(), in)
		is.NoErr(err)
		is.True(fresh)
		is.Equal(m.Username, "anna")
		is.Equal(m.UserID, anna.ID)
		is.Equal(m.PublishedAt, time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC)) // 21:04 UTC
		again, fresh, err := s.Add(t.Context(), in)
		is.NoErr(err)
		is.True(!fresh)
		is.Equal(again, m)
		in.Type = "youtube" // her handle is one of another network
		m2, _, err := s.Add(t.Context(), in)
		is.NoErr(err)
		is.Equal(m2.UserID, int64(0))
		m, err = s.Update(t.Context(), m.ID, func(m *media.Medium) { m.Favorite, m.Type = true, "instagram" })
		is.NoErr(err)
		is.Equal(m.Type, "tiktok")

		list := func(p affiliate.Principal) (int, error) {
			page, err := s.For(affiliate.ViewerOf(p)).List(t.Context(), media.Filter{}, affiliate.PageRequest{Number: 1, Size: 5})
			return page.Total, err
		}
		n, err := list(affiliate.Principal{Role: affiliate.RoleAdmin})
		is.NoErr(err)
		is.Equal(n, 2)
		n, err = list(affiliate.Principal{Role: affiliate.RoleClient, ClientID: client.ID})
		is.NoErr(err)
		is.Equal(n, 1)
		n, err = list(affiliate.Principal{Role: affiliate.RoleClient, ClientID: client.ID + 1})
		is.NoErr(err)
		is.Equal(n, 0)
		for _, p := range []affiliate.Principal{{Role: affiliate.RoleClient}, {Role: affiliate.RoleCreator, UserID: anna.ID}, {Role: affiliate.RoleAgency}} {
			_, err = list(p)
			is.True(errors.Is(err, affiliate.ErrForbidden))
		}
	})
}

// What a network sends may be anything: it is kept as it is or refused, and
// never an error of the program.
func FuzzMediaInput(f *testing.F) {
	f.Add("youtube", "FLR0BB4qDt8", "", "", "hamida_most", int64(0))
	f.Add("tiktok", "7245692137566653722", "video/mp4", "https://media.example/7", "@Julia", int64(-62135596800))
	f.Add("instagram", "\x00", "image/jpeg", "https://\xff", "https://instagram.com/é", int64(253402300799))
	f.Add("vine", strings.Repeat("é", 256), "x", "http://[::1", "ı", int64(1))
	s, err := media.NewService(memory.New().Media(), media.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, network, id, contentType, href, username string, seconds int64) {
		in := media.Medium{Type: network, ExternalID: id, ContentType: contentType, Href: href, Username: username, PublishedAt: time.Unix(seconds%253402300799, 0)}
		m, _, err := s.Add(context.Background(), in)
		if err != nil {
			if !errors.Is(err, affiliate.ErrInvalid) {
				t.Fatalf("%+v: %v", in, err)
			}
			return
		}
		if err := m.Validate(); err != nil {
			t.Fatalf("kept %+v: %v", m, err)
		}
	})
}
