package offers

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AddComment adds a comment on a participant (offer-user-comment-add).
func (s *Service) AddComment(ctx context.Context, participantID int64, text string, author affiliate.Actor) (Comment, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Comment, error) {
		if _, err := tx.Participants().Get(ctx, participantID); err != nil {
			return Comment{}, err
		}
		now := s.clock.Now()
		c, err := tx.Comments().Add(ctx, Comment{ParticipantID: participantID, Text: text, Author: author, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return Comment{}, err
		}
		return c, tx.Activities().Add(ctx, Activity{ParticipantID: participantID, Type: ActivityComment, Actor: author, CreatedAt: now})
	})
}

// Comment answers one comment on the participant; one on another participant
// is ErrNotFound. Who may change it is its Author.
func (s *Service) Comment(ctx context.Context, participantID, id int64) (Comment, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Comment, error) {
		return comment(ctx, tx, participantID, id)
	})
}

func comment(ctx context.Context, tx Tx, participantID, id int64) (Comment, error) {
	c, err := tx.Comments().Get(ctx, id)
	if err == nil && c.ParticipantID != participantID {
		return Comment{}, affiliate.NotFound("comment", id)
	}
	return c, err
}

// UpdateComment changes the text (offer-user-comment-update). mayChange says
// whether the one who asks may change what the author wrote: else ErrForbidden.
func (s *Service) UpdateComment(ctx context.Context, participantID, id int64, text string, mayChange func(author affiliate.Actor) bool) (Comment, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Comment, error) {
		c, err := comment(ctx, tx, participantID, id)
		if err != nil {
			return Comment{}, err
		}
		if !mayChange(c.Author) {
			return Comment{}, affiliate.Forbidden("only the author may change a comment")
		}
		c.Text, c.UpdatedAt = text, s.clock.Now()
		return c, tx.Comments().Update(ctx, c)
	})
}

// DeleteComment takes the comment out (offer-user-comment-delete); mayChange as
// in UpdateComment.
func (s *Service) DeleteComment(ctx context.Context, participantID, id int64, mayChange func(author affiliate.Actor) bool) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		c, err := comment(ctx, tx, participantID, id)
		if err != nil {
			return err
		}
		if !mayChange(c.Author) {
			return affiliate.Forbidden("only the author may delete a comment")
		}
		return tx.Comments().Delete(ctx, id)
	})
}

// Comments answers the comments on a participant by ascending id.
func (s *Service) Comments(ctx context.Context, participantID int64) ([]Comment, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Comment, error) {
		return tx.Comments().ByParticipant(ctx, participantID)
	})
}

// Activities answers what happened to a participant, newest first
// (offer-user-activities-list).
func (s *Service) Activities(ctx context.Context, participantID int64, p affiliate.PageRequest) (affiliate.Page[Activity], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Activity], error) {
		if _, err := tx.Participants().Get(ctx, participantID); err != nil {
			return affiliate.Page[Activity]{}, err
		}
		p.Sort = affiliate.Sort{Desc: true}
		return tx.Activities().List(ctx, ActivityFilter{ParticipantID: participantID}, p)
	})
}

// MarkActivitiesRead marks what happened to a participant so far as read.
func (s *Service) MarkActivitiesRead(ctx context.Context, participantID int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Activities().MarkRead(ctx, participantID, s.clock.Now())
	})
}
