package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type commentRow struct {
	bun.BaseModel `bun:"table:affiliate_offer_comments,alias:t"`

	ID            int64     `bun:"id,pk,autoincrement"`
	ParticipantID int64     `bun:"participant_id"`
	Body          string    `bun:"body"`
	AuthorID      int64     `bun:"author,nullzero"`
	AuthorName    string    `bun:"author_name"`
	AuthorKey     string    `bun:"author_key"`
	CreatedAt     time.Time `bun:"created_at,nullzero"`
	UpdatedAt     time.Time `bun:"updated_at,nullzero"`
}

var commentTable = table[offers.Comment, commentRow]{
	id:   func(c offers.Comment) int64 { return c.ID },
	name: "affiliate_offer_comments", resource: "comment",
	refers: func(r *commentRow) []reference {
		return []reference{ref("offer_user_id", "affiliate_offer_participants", r.ParticipantID), ref("author", "affiliate_users", r.AuthorID)}
	},
	row: func(c offers.Comment) commentRow {
		return commentRow{ID: c.ID, ParticipantID: c.ParticipantID, Body: c.Text, AuthorID: c.Author.UserID, AuthorName: c.Author.Name, AuthorKey: c.AuthorKey, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt}
	},
	entity: func(r commentRow) offers.Comment {
		return offers.Comment{ID: r.ID, ParticipantID: r.ParticipantID, Text: r.Body, Author: affiliate.Actor{UserID: r.AuthorID, Name: r.AuthorName}, AuthorKey: r.AuthorKey, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt)}
	},
}

type comments struct {
	repo[offers.Comment, commentRow]
}

func (r comments) ByParticipant(ctx context.Context, participantID int64) ([]offers.Comment, error) {
	return r.many(ctx, func(q filter) { q.Where("t.participant_id = ?", participantID) })
}
