package metapic

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
)

type user struct {
	ID              *int64  `json:"id"` // null: an author without a user account
	Username        string  `json:"username"`
	DisplayName     string  `json:"display_name"`
	Email           *string `json:"email"`     // null when the caller may not see it
	ClientID        *int64  `json:"client_id"` // null: of no client
	PreferredLocale string  `json:"preferred_locale"`
}

func showUser(u affiliate.User, withEmail bool) user {
	shown := user{ID: laravel.IDOrNull(u.ID), Username: u.Username, DisplayName: u.DisplayName, ClientID: laravel.IDOrNull(u.ClientID), PreferredLocale: u.Locale}
	if withEmail {
		shown.Email = laravel.TextOrNull(u.Email)
	}
	return shown
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

func (s *server) listUsers(ctx context.Context, _ affiliate.Principal, in listUsers) (laravel.List[user], error) {
	q := affiliate.UserQuery{AdvertiserID: in.AdvertiserID, UserFilter: affiliate.UserFilter{Query: in.Query, ClientID: in.ClientID, GroupID: in.GroupID}}
	withEmail := slices.Contains(in.Include, "email")
	req := in.Request(in.SortBy)
	page, err := s.core.SearchUsers(ctx, q, req)
	return laravel.NewList(in.URL, req, page, func(u affiliate.User) user { return showUser(u, withEmail) }), err
}

func (s *server) getUser(ctx context.Context, _ affiliate.Principal, in struct {
	ID int64 `path:"id"`
}) (user, error) {
	u, err := s.core.User(ctx, in.ID)
	return showUser(u, true), err
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
	StoreID     *int64 `json:"store_id"` // null: of no store
}

func showUserTag(t affiliate.UserTag) userTag {
	return userTag{ID: t.ID, Name: t.Name, Slug: t.Slug, AccessLevel: int(t.AccessLevel), StoreID: laravel.IDOrNull(t.AdvertiserID)}
}

// listUserTags lists the tags that the principal sees.
func (s *server) listUserTags(ctx context.Context, _ affiliate.Principal, in listUserTags) (laravel.List[userTag], error) {
	f := affiliate.UserTagFilter{Name: in.Name, AdvertiserID: in.AdvertiserID}
	if in.AccessLevels != nil {
		f.AccessLevels = laravel.ShowAll(in.AccessLevels, func(level int64) affiliate.AccessLevel { return affiliate.AccessLevel(level) })
	}
	req := in.Request(in.SortBy)
	page, err := s.core.UserTags(ctx, f, req)
	return laravel.NewList(in.URL, req, page, showUserTag), err
}
