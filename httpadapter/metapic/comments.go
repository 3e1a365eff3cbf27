package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// comment is a remark on a participant.
type comment struct {
	ID            int64             `json:"id"`
	ParticipantID int64             `json:"offer_user_id"`
	Text          string            `json:"comment"`
	Author        author            `json:"author"`
	CreatedAt     laravel.Timestamp `json:"created_at"`
	UpdatedAt     laravel.Timestamp `json:"updated_at"`
}

// author is who did something.
type author struct {
	ID       *int64 `json:"id"` // null: without a user account
	Username string `json:"username"`
}

func showActor(a affiliate.Actor) author { return author{laravel.IDOrNull(a.UserID), a.Name} }

func showComment(c offers.Comment) comment {
	return comment{
		ID: c.ID, ParticipantID: c.ParticipantID, Text: c.Text, Author: showActor(c.Author),
		CreatedAt: laravel.Timestamp(c.CreatedAt), UpdatedAt: laravel.Timestamp(c.UpdatedAt),
	}
}

func (s *server) addComment(ctx context.Context, _ affiliate.Principal, in struct {
	ParticipantID int64  `path:"offer_user_id"`
	Comment       string `json:"comment" required:"true"`
}) (comment, error) {
	c, err := s.offers.AddComment(ctx, in.ParticipantID, in.Comment)
	return showComment(c), err
}

// commentPath names a comment on a participant.
type commentPath struct {
	ParticipantID int64 `path:"offer_user_id"`
	CommentID     int64 `path:"id"`
}

func (s *server) updateComment(ctx context.Context, _ affiliate.Principal, in struct {
	commentPath
	Comment string `json:"comment" required:"true"`
}) (comment, error) {
	c, err := s.offers.UpdateComment(ctx, in.ParticipantID, in.CommentID, in.Comment)
	return showComment(c), err
}

func (s *server) deleteComment(ctx context.Context, _ affiliate.Principal, in commentPath) (wire.None, error) {
	return wire.None{}, s.offers.DeleteComment(ctx, in.ParticipantID, in.CommentID)
}

// activity is something that happened to a participant.
type activity struct {
	ID        int64             `json:"id"`
	Type      string            `json:"type"`
	Actor     author            `json:"actor"`
	From      *string           `json:"from"`
	To        *string           `json:"to"`
	CreatedAt laravel.Timestamp `json:"created_at"`
	IsUnread  bool              `json:"is_unread"`
}

func showActivity(a offers.Activity) activity {
	return activity{
		ID: a.ID, Type: a.Type, Actor: showActor(a.Actor), From: laravel.TextOrNull(a.From), To: laravel.TextOrNull(a.To),
		CreatedAt: laravel.Timestamp(a.CreatedAt), IsUnread: a.ReadAt.IsZero(),
	}
}

// activities are the newest ones first.
type activities struct {
	Data      []activity `json:"data"`
	HasUnread *bool      `json:"has_unread_notification,omitempty"`
}

// activitiesPage bounds an answer: the document has no pages here.
const activitiesPage = 100

// listActivities shows the newest activities. Who acts for the advertiser has
// read them then; the operator may look without a trace.
func (s *server) listActivities(ctx context.Context, _ affiliate.Principal, in struct {
	ParticipantID int64      `path:"offer_user"`
	Page          int        `query:"page" default:"1" min:"1" max:"1000000000"`
	Include       wire.Value `query:"include" json:"include"`
}) (out activities, err error) {
	page, err := s.offers.Activities(ctx, in.ParticipantID, affiliate.PageRequest{Number: in.Page, Size: activitiesPage})
	if err != nil {
		return out, err
	}
	unread := false
	for _, a := range page.Items {
		unread = unread || a.ReadAt.IsZero()
	}
	if included(in.Include, "has_unread_notification") || included(in.Include, "has_unread_notifications") {
		out.HasUnread = &unread
	}
	out.Data = laravel.ShowAll(page.Items, showActivity)
	return out, nil
}
