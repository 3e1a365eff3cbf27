package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type activityRow struct {
	bun.BaseModel `bun:"table:affiliate_offer_activities,alias:t"`

	ID            int64     `bun:"id,pk,autoincrement"`
	ParticipantID int64     `bun:"participant_id"`
	Type          string    `bun:"type"`
	ActorID       int64     `bun:"actor,nullzero"`
	ActorName     string    `bun:"actor_name"`
	Before        string    `bun:"before"`
	After         string    `bun:"after"`
	CreatedAt     time.Time `bun:"created_at,nullzero"`
	ReadAt        time.Time `bun:"read_at,nullzero"`
}

var activityTable = table[offers.Activity, activityRow]{
	name: "affiliate_offer_activities", resource: "activity",
	refers: func(r *activityRow) []reference {
		return []reference{ref("offer_user_id", "affiliate_offer_participants", r.ParticipantID), ref("actor", "affiliate_users", r.ActorID)}
	},
	row: func(a offers.Activity) activityRow {
		return activityRow{ParticipantID: a.ParticipantID, Type: a.Type, ActorID: a.Actor.UserID, ActorName: a.Actor.Name, Before: a.From, After: a.To, CreatedAt: a.CreatedAt, ReadAt: a.ReadAt}
	},
	entity: func(r activityRow) offers.Activity {
		return offers.Activity{ID: r.ID, ParticipantID: r.ParticipantID, Type: r.Type, Actor: affiliate.Actor{UserID: r.ActorID, Name: r.ActorName}, From: r.Before, To: r.After, CreatedAt: utc(r.CreatedAt), ReadAt: utc(r.ReadAt)}
	},
	sort: map[string]string{"created_at": "t.created_at"},
}

type activities struct {
	repo[offers.Activity, activityRow]
}

func (r activities) Add(ctx context.Context, list ...offers.Activity) error {
	return exec(ctx, r.u, "activity", func(ctx context.Context) error {
		rows := make([]activityRow, len(list))
		for i, a := range list {
			if err := a.Validate(); err != nil {
				return err
			}
			rows[i] = activityTable.row(a)
		}
		for chunk := range slices.Chunk(rows, insertRows) {
			err := activityTable.referring(ctx, r.u, func() error {
				_, err := r.u.tx.NewInsert().Model(&chunk).ModelTableExpr(r.u.from("affiliate_offer_activities")).Exec(ctx)
				return err
			}, chunk...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (r activities) List(ctx context.Context, f offers.ActivityFilter, p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
	return r.list(ctx, p, func(q filter) {
		q.equal("t.participant_id", f.ParticipantID)
		if f.Unread.Set {
			q.Where("(t.read_at IS NULL) = ?", f.Unread.Value)
		}
	})
}

func (r activities) Unread(ctx context.Context, participantIDs []int64) (map[int64]int, error) {
	return read(ctx, r.u, "activity", func(ctx context.Context) (map[int64]int, error) {
		var rows []struct {
			ID int64 `bun:"id"`
			N  int   `bun:"n"`
		}
		err := r.u.tx.NewRaw(`SELECT participant_id AS id, count(*) AS n FROM ? WHERE read_at IS NULL AND participant_id = ANY(?::bigint[]) GROUP BY participant_id`,
			r.u.name("affiliate_offer_activities"), pgdialect.Array(participantIDs)).Scan(ctx, &rows)
		out := make(map[int64]int, len(rows))
		for _, row := range rows {
			out[row.ID] = row.N
		}
		return out, err
	})
}

func (r activities) MarkRead(ctx context.Context, participantID int64, at time.Time) error {
	return exec(ctx, r.u, "activity", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET read_at = ? WHERE participant_id = ? AND read_at IS NULL`,
			r.u.name("affiliate_offer_activities"), at, participantID)
		return err
	})
}
