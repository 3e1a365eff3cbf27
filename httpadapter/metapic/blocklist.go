package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// blocklistEntry shows exactly one of user, user_tag and client.
type blocklistEntry struct {
	ID        int64            `json:"id"`
	CreatedAt laravel.DateTime `json:"created_at"`
	CreatedBy user             `json:"created_by"`
	User      *blockedUser     `json:"user,omitempty"`
	UserTag   *userTag         `json:"user_tag,omitempty"`
	Client    *client          `json:"client,omitempty"`
}

type blockedUser struct {
	user
	ValidateClicks bool `json:"validate_clicks"`
}

func showBlocked(v affiliate.BlocklistView) blocklistEntry {
	e := blocklistEntry{ID: v.Entry.ID, CreatedAt: laravel.DateTime(v.Entry.CreatedAt), CreatedBy: showAuthor(v)}
	switch {
	case v.Entry.UserID != 0:
		e.User = &blockedUser{user: showUser(v.User, true), ValidateClicks: v.Entry.ValidateClicks}
	case v.Entry.ClientID != 0:
		c := showClient(v.Client)
		e.Client = &c
	default:
		t := showUserTag(v.UserTag)
		e.UserTag = &t
	}
	return e
}

// showAuthor shows who made an entry; somebody without a user account is shown
// by name, as a user without an id.
func showAuthor(v affiliate.BlocklistView) user {
	author := v.Author
	if author.ID == 0 {
		author = affiliate.User{Username: v.Entry.CreatedBy.Name, DisplayName: v.Entry.CreatedBy.Name}
	}
	shown := showUser(author, true)
	shown.Email = &author.Email // a text, also when there is none
	return shown
}

type listBlocklist struct {
	AdvertiserID int64 `path:"advertiser_id"`
	URL          wire.URL
	Query        string `query:"query" max:"128"`
	Page         int    `query:"page" default:"1" min:"1" max:"1000000000"`
}

// blocklistPage is the size of a page: the document has no parameter for it.
const blocklistPage = 10

func (s *server) listBlocklist(ctx context.Context, p affiliate.Principal, in listBlocklist) (laravel.List[blocklistEntry], error) {
	req := affiliate.PageRequest{Number: in.Page, Size: blocklistPage}
	page, err := s.core.Blocklist(ctx, affiliate.BlocklistFilter{AdvertiserID: in.AdvertiserID, Query: in.Query}, req)
	return laravel.NewList(in.URL, req, page, showBlocked), err
}

type addBlocklist struct {
	AdvertiserID int64 `path:"advertiser_id"`
	Users        []struct {
		ID             int64 `json:"id" required:"true"`
		ValidateClicks bool  `json:"validate_clicks"`
	} `json:"users" max:"1000"`
	UserTagIDs []int64 `json:"user_tag_ids" max:"1000"`
	ClientIDs  []int64 `json:"client_ids" max:"1000"`
}

// added is the entries that were not there yet.
type added struct {
	Data []blocklistEntry `json:"data"`
}

func (s *server) addBlocklist(ctx context.Context, p affiliate.Principal, in addBlocklist) (added, error) {
	block := affiliate.BlockInput{UserTagIDs: in.UserTagIDs, ClientIDs: in.ClientIDs}
	for _, u := range in.Users {
		block.Users = append(block.Users, affiliate.BlockedUser{ID: u.ID, ValidateClicks: u.ValidateClicks})
	}
	views, err := s.core.Block(ctx, in.AdvertiserID, p.Actor(), block)
	return added{Data: laravel.ShowAll(views, showBlocked)}, err
}

func (s *server) removeBlocklist(ctx context.Context, _ affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
	EntryID      int64 `path:"target_id"`
}) (wire.None, error) {
	return wire.None{}, s.core.Unblock(ctx, in.AdvertiserID, in.EntryID)
}
