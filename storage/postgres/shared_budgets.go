package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type sharedBudgetRow struct {
	bun.BaseModel `bun:"table:affiliate_shared_budgets,alias:t"`

	ID           int64              `bun:"id,pk,autoincrement"`
	AdvertiserID int64              `bun:"advertiser_id"`
	Title        string             `bun:"title"`
	Amount       int64              `bun:"amount"`
	Currency     affiliate.Currency `bun:"currency"`
	CreatedAt    time.Time          `bun:"created_at,nullzero"`
	UpdatedAt    time.Time          `bun:"updated_at,nullzero"`
}

var sharedBudgetTable = table[offers.SharedBudget, sharedBudgetRow]{
	id:   func(b offers.SharedBudget) int64 { return b.ID },
	name: "affiliate_shared_budgets", resource: "shared_budget",
	row: func(b offers.SharedBudget) sharedBudgetRow {
		return sharedBudgetRow{ID: b.ID, AdvertiserID: b.AdvertiserID, Title: b.Title, Amount: b.Amount, Currency: b.Currency, CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt}
	},
	entity: func(r sharedBudgetRow) offers.SharedBudget {
		return offers.SharedBudget{ID: r.ID, AdvertiserID: r.AdvertiserID, Title: r.Title, Amount: r.Amount, Currency: r.Currency, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt)}
	},
	sort: map[string]string{"title": "t.title", "amount": "t.amount"},
}

type sharedBudgets struct {
	repo[offers.SharedBudget, sharedBudgetRow]
}

func (r sharedBudgets) Delete(ctx context.Context, id int64) error {
	return exec(ctx, r.u, "shared_budget", func(ctx context.Context) error {
		var used bool
		err := r.u.tx.NewRaw(`SELECT EXISTS (SELECT FROM ? WHERE shared_budget_id = ? AND deleted_at IS NULL)`, r.u.name("affiliate_offers"), id).Scan(ctx, &used)
		if err != nil {
			return err
		}
		if used {
			return affiliate.Conflict("shared_budget", "in_use", "a campaign has the shared budget")
		}
		if _, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET shared_budget_id = NULL WHERE shared_budget_id = ?`, r.u.name("affiliate_offers"), id); err != nil {
			return err
		}
		return sharedBudgetTable.remove(ctx, r.u, id)
	})
}

func (r sharedBudgets) List(ctx context.Context, f offers.SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[offers.SharedBudget], error) {
	return r.list(ctx, p, func(q filter) {
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.among("t.id", f.IDs)
	})
}
