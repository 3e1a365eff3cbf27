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
	id:   func(p offers.Participant) int64 { return p.ID },
	name: "affiliate_offer_participants", resource: "participant",
	row: newParticipantRow, entity: participantRow.participant,
	refers: func(r *participantRow) []reference {
		return []reference{ref("offer_id", "affiliate_offers", r.OfferID), ref("user_id", "affiliate_users", r.UserID)}
	},
	sort: map[string]string{"user_id": "t.user_id", "status": "t.status", "created_at": "t.created_at", "updated_at": "t.updated_at"},
}

func newParticipantRow(p offers.Participant) participantRow {
	row := participantRow{
		ID: p.ID, OfferID: p.OfferID, UserID: p.UserID, Email: p.Email, Identifier: p.Identifier, Status: p.Status,
		TodoKeys: make([]string, len(p.Todo)), TodoDone: make([]bool, len(p.Todo)), PaymentAmount: pointer(p.PaymentAmount),
		ClickLimit: pointer(p.ClickLimit), Costs: offerCosts{p.Costs}, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	for i, t := range p.Todo {
		row.TodoKeys[i], row.TodoDone[i] = t.Key, t.Done
	}
	return row
}

func (r participantRow) participant() offers.Participant {
	p := offers.Participant{
		ID: r.ID, OfferID: r.OfferID, UserID: r.UserID, Email: r.Email, Identifier: r.Identifier, Status: r.Status,
		PaymentAmount: optional(r.PaymentAmount), ClickLimit: optional(r.ClickLimit), Costs: r.Costs.costs,
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
	for i, key := range r.TodoKeys { // a constraint keeps both of one length
		p.Todo = append(p.Todo, offers.TodoItem{Key: key, Done: r.TodoDone[i]})
	}
	return p
}

type participants struct {
	repo[offers.Participant, participantRow]
}

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
			err := participantTable.referring(ctx, r.u, func() error {
				return r.u.tx.NewInsert().Model(&chunk).ModelTableExpr(r.u.from("affiliate_offer_participants")).
					On("CONFLICT DO NOTHING").Returning("*").Scan(ctx, &added)
			}, chunk...)
			if err != nil {
				return nil, err
			}
			slices.SortFunc(added, func(a, b participantRow) int { return int(a.ID - b.ID) })
			out = append(out, participantTable.entities(added)...)
		}
		return out, nil
	})
}

func (r participants) ByParts(ctx context.Context, parts []offers.Part) ([]offers.Participant, error) {
	return r.many(ctx, func(q filter) {
		q.Where("t.user_id IS NOT NULL AND (t.offer_id, t.user_id) IN (SELECT * FROM unnest(?::bigint[], ?::bigint[]))",
			column(parts, func(p *offers.Part) int64 { return p.OfferID }), column(parts, func(p *offers.Part) int64 { return p.UserID }))
	})
}

func (r participants) ByUser(ctx context.Context, userID int64) ([]offers.Participant, error) {
	return r.many(ctx, func(q filter) { q.Where("t.user_id = ?", userID) })
}

func (r participants) PreRegistered(ctx context.Context, emails, identifiers []string) ([]offers.Participant, error) {
	return r.many(ctx, func(q filter) {
		q.Where("(t.email <> '' AND t.email = ANY(?::text[]) OR t.identifier <> '' AND t.identifier = ANY(?::text[]))",
			pgdialect.Array(storableOf(emails)), pgdialect.Array(storableOf(identifiers)))
	})
}

func (r participants) List(ctx context.Context, f offers.ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
	return r.list(ctx, p, func(q filter) {
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
		ofUser := func(condition string) string {
			return "t.user_id IN (SELECT n.id FROM " + r.u.db.prefix + "affiliate_users AS n WHERE " + condition + ")"
		}
		q.query(f.Query, "t.user_id", part("t.email"), part("t.identifier"),
			ofUser(part("n.username")), ofUser(part("n.display_name")), ofUser(part("n.email")))
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
