package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type commentTable struct {
	engine.Entities[offers.Comment]
	byParticipant *engine.Groups[offers.Comment, int64]
}

func newCommentTable(db *DB) commentTable {
	type E = offers.Comment
	t := engine.NewTable[E](&db.store)
	return commentTable{
		engine.Entities[E]{
			Table: t, Resource: "comment",
			ID:    func(c *E) *int64 { return &c.ID },
			Times: func(c *E) []*time.Time { return []*time.Time{&c.CreatedAt, &c.UpdatedAt} },
			Refuses: func(f *engine.Refusal, c *E, _ uint32) {
				f.Refers(db.offers.participants.Knows(c.ParticipantID), "offer_user_id")
				f.Refers(db.core.users.KnowsOr0(c.Author.UserID), "author")
			},
		},
		engine.NewGroups(t, func(c *E) (int64, bool) { return c.ParticipantID, true }, nil),
	}
}

func (*commentTable) in(db *DB) *engine.Entities[offers.Comment] { return &db.offers.comments.Entities }

type (
	commentRepo = repo[offers.Comment, *commentTable]
	comments    struct{ commentRepo }
)

var _ offers.CommentRepository = comments{}

func (r comments) ByParticipant(ctx context.Context, participantID int64) ([]offers.Comment, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.offers.comments.byParticipant.Of(participantID) })
}
