package offers

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AddComment adds a comment of the viewer on a participant
// (offer-user-comment-add).
func (s *Service) AddComment(ctx context.Context, participantID int64, text string) (Comment, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Comment, error) {
		_, o, err := s.ownedPart(ctx, tx, participantID)
		if err != nil {
			return Comment{}, err
		}
		now, by := s.clock.Now(), s.viewer.Principal()
		author := by.Actor()
		c, err := tx.Comments().Add(ctx, Comment{ParticipantID: participantID, Text: text, Author: author, AuthorKey: by.Key(), CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return Comment{}, err
		}
		if err := tx.Activities().Add(ctx, Activity{ParticipantID: participantID, Type: ActivityComment, Actor: author, CreatedAt: now}); err != nil {
			return Comment{}, err
		}
		return c, tx.Events().Add(ctx, c.event(EventCommentAdded, o, now))
	})
}

// comment returns a comment on the participant that the viewer may change. It
// is ErrForbidden when somebody else wrote it.
func (s *Service) comment(ctx context.Context, tx Tx, participantID, id int64) (Comment, Offer, error) {
	_, o, err := s.ownedPart(ctx, tx, participantID)
	if err != nil {
		return Comment{}, Offer{}, err
	}
	c, err := tx.Comments().Get(ctx, id)
	switch {
	case err != nil:
		return Comment{}, Offer{}, err
	case c.ParticipantID != participantID:
		return Comment{}, Offer{}, affiliate.NotFound("comment", id)
	case !s.wrote(c):
		return Comment{}, Offer{}, affiliate.Forbidden("only the author may change or delete a comment")
	}
	return c, o, nil
}

// wrote reports whether the viewer is the operator or the author. A name proves
// nothing: others may have the same. Comments from before keys were kept are
// known by the user account.
func (s *Service) wrote(c Comment) bool {
	by := s.viewer.Principal()
	if c.AuthorKey != "" {
		return s.viewer.IsOperator() || c.AuthorKey == by.Key()
	}
	return s.viewer.IsOperator() || c.Author.UserID != 0 && c.Author.UserID == by.UserID
}

// UpdateComment changes the text (offer-user-comment-update). It is
// ErrForbidden for others than the author and the operator.
func (s *Service) UpdateComment(ctx context.Context, participantID, id int64, text string) (Comment, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Comment, error) {
		c, o, err := s.comment(ctx, tx, participantID, id)
		if err != nil {
			return Comment{}, err
		}
		c.Text, c.UpdatedAt = text, s.clock.Now()
		if err := tx.Comments().Update(ctx, c); err != nil {
			return Comment{}, err
		}
		return c, tx.Events().Add(ctx, c.event(EventCommentUpdated, o, c.UpdatedAt))
	})
}

// DeleteComment deletes the comment (offer-user-comment-delete), as
// UpdateComment may change it.
func (s *Service) DeleteComment(ctx context.Context, participantID, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		c, o, err := s.comment(ctx, tx, participantID, id)
		if err != nil {
			return err
		}
		if err := tx.Comments().Delete(ctx, id); err != nil {
			return err
		}
		return tx.Events().Add(ctx, c.event(EventCommentDeleted, o, s.clock.Now()))
	})
}

// Comments returns the comments on a participant by ascending id.
func (s *Service) Comments(ctx context.Context, participantID int64) ([]Comment, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Comment, error) {
		if _, _, err := s.ownedPart(ctx, tx, participantID); err != nil {
			return nil, err
		}
		return tx.Comments().ByParticipant(ctx, participantID)
	})
}

// Activities returns what happened to a participant, newest first
// (offer-user-activities-list). Reading a page with unread ones marks all of the
// participant's as read; the operator may look without a trace.
func (s *Service) Activities(ctx context.Context, participantID int64, p affiliate.PageRequest) (affiliate.Page[Activity], error) {
	unit := s.store.Write
	if s.viewer.IsOperator() {
		unit = s.store.Read
	}
	var page affiliate.Page[Activity]
	err := unit(ctx, func(ctx context.Context, tx Tx) (err error) {
		if _, _, err := s.ownedPart(ctx, tx, participantID); err != nil {
			return err
		}
		p := p
		p.Sort = affiliate.Sort{Desc: true}
		page, err = tx.Activities().List(ctx, ActivityFilter{ParticipantID: participantID}, p)
		unread := slices.ContainsFunc(page.Items, func(a Activity) bool { return a.ReadAt.IsZero() })
		if err != nil || s.viewer.IsOperator() || !unread {
			return err
		}
		return tx.Activities().MarkRead(ctx, participantID, s.clock.Now())
	})
	if err != nil {
		return affiliate.Page[Activity]{}, err
	}
	return page, nil
}

// MarkActivitiesRead marks what happened to a participant so far as read.
func (s *Service) MarkActivitiesRead(ctx context.Context, participantID int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, _, err := s.ownedPart(ctx, tx, participantID); err != nil {
			return err
		}
		return tx.Activities().MarkRead(ctx, participantID, s.clock.Now())
	})
}
