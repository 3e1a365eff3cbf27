package metapic

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
)

type user struct {
	ID              int64   `json:"id"`
	Username        string  `json:"username"`
	DisplayName     string  `json:"display_name"`
	Email           *string `json:"email"`     // null: not for whoever asks
	ClientID        int64   `json:"client_id"` // 0: of no client
	PreferredLocale string  `json:"preferred_locale"`
}

func showUser(u affiliate.User, withEmail bool) user {
	shown := user{ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, ClientID: u.ClientID, PreferredLocale: u.Locale}
	if withEmail {
		shown.Email = &u.Email
	}
	return shown
}

// usersOf chooses the users that a principal sees: an admin all, a client its
// own, a creator itself, a representative or an agency those who work with one
// of its advertisers.
func usersOf(p affiliate.Principal) affiliate.UserFilter {
	switch p.Role {
	case affiliate.RoleAdmin:
		return affiliate.UserFilter{}
	case affiliate.RoleClient:
		return affiliate.UserFilter{ClientID: p.ClientID}
	case affiliate.RoleCreator:
		return affiliate.UserFilter{IDs: ids(p.UserID)}
	case affiliate.RoleRepresentative, affiliate.RoleAgency:
		return affiliate.UserFilter{AdvertiserIDs: ids(p.AdvertiserIDs...)}
	}
	return affiliate.UserFilter{IDs: ids()}
}

type listUsers struct {
	laravel.Paging
	Query        string         `query:"query" max:"64"`
	ClientID     int64          `query:"client_id" min:"1"`
	GroupID      int64          `query:"store_group_id" min:"1"`
	AdvertiserID int64          `query:"advertiser_id" min:"1"`
	Include      []string       `query:"include" enum:"email" max:"10"`
	SortBy       affiliate.Sort `query:"sort_by" sort:"id,username,display_name,email,client_id,preferred_locale"`
}

func (s *server) listUsers(ctx context.Context, p affiliate.Principal, in listUsers) (list laravel.List[user], err error) {
	if err := s.mayAskAbout(ctx, p, in.AdvertiserID); err != nil {
		return list, err
	}
	f := usersOf(p)
	f.Query, f.GroupID = in.Query, in.GroupID
	if in.AdvertiserID != 0 {
		f.AdvertiserIDs = ids(in.AdvertiserID)
	}
	if f.ClientID == 0 {
		f.ClientID = in.ClientID
	} else if in.ClientID != 0 && in.ClientID != f.ClientID {
		f.IDs = ids() // a client asks for another one's users
	}
	withEmail := slices.Contains(in.Include, "email")
	req := in.Request(in.SortBy)
	page, err := s.core.Users(ctx, f, req)
	return laravel.NewList(in.URL, req, page, func(u affiliate.User) user { return showUser(u, withEmail) }), err
}

// mayAskAbout checks the advertiser_id of users-list: who acts for advertisers
// must name one of its own; what an admin names must exist. To others an
// advertiser that is not there is one that no user of theirs works with.
func (s *server) mayAskAbout(ctx context.Context, p affiliate.Principal, advertiserID int64) error {
	acts := p.Role == affiliate.RoleRepresentative || p.Role == affiliate.RoleAgency
	switch {
	case acts && advertiserID == 0:
		return laravel.Invalid("advertiser_id", "required", "is required")
	case acts && !p.ActsFor(advertiserID):
		return affiliate.NotFound("advertiser", advertiserID)
	case advertiserID == 0 || !p.IsAdmin():
		return nil
	}
	found, err := s.core.AdvertisersByID(ctx, ids(advertiserID))
	if err == nil && len(found) == 0 {
		return laravel.Invalid("advertiser_id", "unknown_reference", "must be the id of an existing store")
	}
	return err
}

func (s *server) getUser(ctx context.Context, p affiliate.Principal, in struct {
	ID int64 `path:"id"`
}) (user, error) {
	f := usersOf(p)
	if f.IDs == nil {
		f.IDs = ids(in.ID)
	} else if !slices.Contains(f.IDs, in.ID) {
		f.IDs = ids()
	}
	page, err := s.core.Users(ctx, f, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil {
		return user{}, err
	}
	if len(page.Items) == 0 {
		return user{}, affiliate.NotFound("user", in.ID)
	}
	return showUser(page.Items[0], true), nil
}

type listUserTags struct {
	laravel.Paging
	Name         string         `query:"name" max:"255"`
	AdvertiserID int64          `query:"store_id" min:"1"`
	AccessLevels []int64        `query:"access_levels" enum:"0,1,2" max:"100"`
	SortBy       affiliate.Sort `query:"sort_by" sort:"id,name,slug,access_level,store_id"`
}

type userTag struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	AccessLevel int    `json:"access_level"`
	StoreID     int64  `json:"store_id"` // 0: of no store
}

func showUserTag(t affiliate.UserTag) userTag {
	return userTag{ID: t.ID, Name: t.Name, Slug: t.Slug, AccessLevel: int(t.AccessLevel), StoreID: t.AdvertiserID}
}

// tagsOf chooses the tags that a principal sees.
func tagsOf(p affiliate.Principal) affiliate.UserTagFilter {
	f := affiliate.UserTagFilter{AccessLevels: []affiliate.AccessLevel{affiliate.AccessAll}}
	switch p.Role {
	case affiliate.RoleAdmin:
		f.AccessLevels = []affiliate.AccessLevel{affiliate.AccessAdmin, affiliate.AccessAll, affiliate.AccessStore}
	case affiliate.RoleRepresentative, affiliate.RoleAgency:
		f.AccessLevels = append(f.AccessLevels, affiliate.AccessStore)
		f.AdvertiserIDs = ids(p.AdvertiserIDs...)
	}
	return f
}

// listUserTags answers an admin all tags, a representative or an agency those
// for everyone and those of its stores, others those for everyone.
func (s *server) listUserTags(ctx context.Context, p affiliate.Principal, in listUserTags) (laravel.List[userTag], error) {
	f := tagsOf(p)
	f.Name, f.AdvertiserID = in.Name, in.AdvertiserID
	if in.AccessLevels != nil {
		f.AccessLevels = slices.DeleteFunc(f.AccessLevels, func(level affiliate.AccessLevel) bool { return !slices.Contains(in.AccessLevels, int64(level)) })
	}
	req := in.Request(in.SortBy)
	page, err := s.core.UserTags(ctx, f, req)
	return laravel.NewList(in.URL, req, page, showUserTag), err
}
