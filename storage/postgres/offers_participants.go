package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

type participantRow struct {
	bun.BaseModel `bun:"table:affiliate_offer_participants,alias:t"`

	ID            int64                    `bun:"id,pk,autoincrement"`
	OfferID       int64                    `bun:"offer_id"`
	UserID        int64                    `bun:"user_id,nullzero"`
	Email         string                   `bun:"email"`
	Identifier    string                   `bun:"identifier"`
	Status        offers.ParticipantStatus `bun:"status"`
	TodoKeys      []string                 `bun:"todo_keys,array"`
	TodoDone      []bool                   `bun:"todo_done,array"`
	PaymentAmount *int64                   `bun:"payment_amount"`
	ClickLimit    *int64                   `bun:"click_limit"`
	Costs         offerCosts               `bun:"costs"`
	CreatedAt     time.Time                `bun:"created_at,nullzero"`
	UpdatedAt     time.Time                `bun:"updated_at,nullzero"`
}

var participantTable = table[offers.Participant, participantRow]{
	name: "affiliate_offer_participants", resource: "participant",
	row: newParticipantRow, entity: participantRow.participant,
	sort: map[string]string{"user_id": "t.user_id", "status": "t.status", "created_at": "t.created_at", "updated_at": "t.updated_at"},
}

func newParticipantRow(p offers.Participant) participantRow {
	row := participantRow{
		ID: p.ID, OfferID: p.OfferID, UserID: p.UserID, Email: p.Email, Identifier: p.Identifier, Status: p.Status,
		TodoKeys: make([]string, len(p.Todo)), TodoDone: make([]bool, len(p.Todo)), PaymentAmount: pointer(p.PaymentAmount),
		ClickLimit: pointer(p.ClickLimit), Costs: offerCosts{p.Costs}, CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.UpdatedAt),
	}
	for i, t := range p.Todo {
		row.TodoKeys[i], row.TodoDone[i] = t.Key, t.Done
	}
	return row
}

func (r participantRow) participant() offers.Participant {
	p := offers.Participant{
		ID: r.ID, OfferID: r.OfferID, UserID: r.UserID, Email: r.Email, Identifier: r.Identifier, Status: r.Status,
		PaymentAmount: optional(r.PaymentAmount), ClickLimit: optional(r.ClickLimit), Costs: noneAsNil(r.Costs.costs),
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
	for i, key := range r.TodoKeys { // a constraint keeps both of one length
		p.Todo = append(p.Todo, offers.TodoItem{Key: key, Done: r.TodoDone[i]})
	}
	return p
}

type participants struct{ u *unit }

// insertRows bounds the rows of one statement.
const insertRows = 1000

func (r participants) AddMissing(ctx context.Context, list ...offers.Participant) ([]offers.Participant, error) {
	return change(ctx, r.u, "participant", func(ctx context.Context) ([]offers.Participant, error) {
		rows := make([]participantRow, len(list))
		for i, p := range list {
			if err := p.Validate(); err != nil {
				return nil, err
			}
			p.ID = 0
			rows[i] = newParticipantRow(p)
		}
		var out []offers.Participant
		for chunk := range slices.Chunk(rows, insertRows) {
			var added []participantRow
			err := r.u.tx.NewInsert().Model(&chunk).ModelTableExpr(r.u.from("affiliate_offer_participants")).
				On("CONFLICT DO NOTHING").Returning("*").Scan(ctx, &added)
			if err != nil {
				return nil, err
			}
			slices.SortFunc(added, func(a, b participantRow) int { return int(a.ID - b.ID) })
			out = append(out, participantTable.entities(added)...)
		}
		return out, nil
	})
}

func (r participants) Get(ctx context.Context, id int64) (offers.Participant, error) {
	return participantTable.get(ctx, r.u, id)
}

func (r participants) GetMany(ctx context.Context, ids []int64) ([]offers.Participant, error) {
	return participantTable.getMany(ctx, r.u, ids)
}

func (r participants) ByParts(ctx context.Context, parts []offers.Part) ([]offers.Participant, error) {
	return participantTable.many(ctx, r.u, func(q filter) {
		q.Where("t.user_id IS NOT NULL AND (t.offer_id, t.user_id) IN (SELECT * FROM unnest(?::bigint[], ?::bigint[]))",
			column(parts, func(p *offers.Part) int64 { return p.OfferID }), column(parts, func(p *offers.Part) int64 { return p.UserID }))
	})
}

func (r participants) ByUser(ctx context.Context, userID int64) ([]offers.Participant, error) {
	return participantTable.many(ctx, r.u, func(q filter) { q.Where("t.user_id = ?", userID) })
}

func (r participants) PreRegistered(ctx context.Context, emails, identifiers []string) ([]offers.Participant, error) {
	return participantTable.many(ctx, r.u, func(q filter) {
		q.Where("(t.email <> '' AND t.email = ANY(?::text[]) OR t.identifier <> '' AND t.identifier = ANY(?::text[]))",
			pgdialect.Array(storableOf(emails)), pgdialect.Array(storableOf(identifiers)))
	})
}

func (r participants) Update(ctx context.Context, p offers.Participant) error {
	return participantTable.update(ctx, r.u, p, p.ID)
}

func (r participants) Delete(ctx context.Context, id int64) error {
	return participantTable.delete(ctx, r.u, id)
}

func (r participants) List(ctx context.Context, f offers.ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
	return participantTable.list(ctx, r.u, p, func(q filter) {
		q.equal("t.offer_id", f.OfferID)
		q.equal("t.user_id", f.UserID)
		q.among("t.id", f.IDs)
		if f.Statuses != nil {
			statuses := make([]string, len(f.Statuses))
			for i, s := range f.Statuses {
				statuses[i] = string(s)
			}
			q.amongTexts("t.status", statuses)
		}
		if f.Query != "" {
			users := r.u.db.prefix + "affiliate_users"
			ofUser := func(condition string) string {
				return "t.user_id IN (SELECT n.id FROM " + users + " AS n WHERE " + condition + ")"
			}
			q.query(f.Query, "t.user_id", part("t.email"), part("t.identifier"),
				ofUser(part("n.username")), ofUser(part("n.display_name")), ofUser(part("n.email")))
		}
		if f.Active.Set {
			q.Where("? EXISTS (SELECT FROM ? AS d WHERE d.level = ? AND d.offer_id = t.offer_id AND d.user_id = t.user_id AND d.clicks > 0 AND ? AND ?)",
				bun.Safe(map[bool]string{true: "", false: "NOT"}[f.Active.Value]), r.u.name("affiliate_stats"), stats.CreatorLevel,
				bound("d.date >=", f.From), bound("d.date <", f.Until))
		}
	})
}

// bound compares with a date; a zero one is no bound.
func bound(comparison string, date time.Time) bun.Safe {
	if date.IsZero() {
		return "TRUE"
	}
	return bun.Safe(comparison + " '" + date.UTC().Format(dateFormat) + "'::date")
}

type commentRow struct {
	bun.BaseModel `bun:"table:affiliate_offer_comments,alias:t"`

	ID            int64     `bun:"id,pk,autoincrement"`
	ParticipantID int64     `bun:"participant_id"`
	Body          string    `bun:"body"`
	AuthorID      int64     `bun:"author,nullzero"`
	AuthorName    string    `bun:"author_name"`
	CreatedAt     time.Time `bun:"created_at,nullzero"`
	UpdatedAt     time.Time `bun:"updated_at,nullzero"`
}

var commentTable = table[offers.Comment, commentRow]{
	name: "affiliate_offer_comments", resource: "comment",
	row: func(c offers.Comment) commentRow {
		return commentRow{ID: c.ID, ParticipantID: c.ParticipantID, Body: c.Text, AuthorID: c.Author.UserID, AuthorName: c.Author.Name, CreatedAt: stamp(c.CreatedAt), UpdatedAt: stamp(c.UpdatedAt)}
	},
	entity: func(r commentRow) offers.Comment {
		return offers.Comment{ID: r.ID, ParticipantID: r.ParticipantID, Text: r.Body, Author: affiliate.Actor{UserID: r.AuthorID, Name: r.AuthorName}, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt)}
	},
}

type comments struct{ u *unit }

func (r comments) Add(ctx context.Context, c offers.Comment) (offers.Comment, error) {
	c.ID = 0
	return commentTable.add(ctx, r.u, c)
}

func (r comments) Get(ctx context.Context, id int64) (offers.Comment, error) {
	return commentTable.get(ctx, r.u, id)
}

func (r comments) Update(ctx context.Context, c offers.Comment) error {
	return commentTable.update(ctx, r.u, c, c.ID)
}

func (r comments) Delete(ctx context.Context, id int64) error {
	return commentTable.delete(ctx, r.u, id)
}

func (r comments) ByParticipant(ctx context.Context, participantID int64) ([]offers.Comment, error) {
	return commentTable.many(ctx, r.u, func(q filter) { q.Where("t.participant_id = ?", participantID) })
}

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
	row: func(a offers.Activity) activityRow {
		return activityRow{ParticipantID: a.ParticipantID, Type: a.Type, ActorID: a.Actor.UserID, ActorName: a.Actor.Name, Before: a.From, After: a.To, CreatedAt: stamp(a.CreatedAt), ReadAt: stamp(a.ReadAt)}
	},
	entity: func(r activityRow) offers.Activity {
		return offers.Activity{ID: r.ID, ParticipantID: r.ParticipantID, Type: r.Type, Actor: affiliate.Actor{UserID: r.ActorID, Name: r.ActorName}, From: r.Before, To: r.After, CreatedAt: utc(r.CreatedAt), ReadAt: utc(r.ReadAt)}
	},
	sort: map[string]string{"created_at": "t.created_at"},
}

type activities struct{ u *unit }

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
			if _, err := r.u.tx.NewInsert().Model(&chunk).ModelTableExpr(r.u.from("affiliate_offer_activities")).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r activities) List(ctx context.Context, f offers.ActivityFilter, p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
	return activityTable.list(ctx, r.u, p, func(q filter) {
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
			r.u.name("affiliate_offer_activities"), pgdialect.Array(nonNil(participantIDs))).Scan(ctx, &rows)
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
			r.u.name("affiliate_offer_activities"), stamp(at), participantID)
		return err
	})
}
