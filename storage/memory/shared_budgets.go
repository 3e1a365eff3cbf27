package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type sharedBudgetTable struct {
	engine.Entities[offers.SharedBudget]
	byAdvertiser *engine.Groups[offers.SharedBudget, int64]
}

func newSharedBudgetTable(db *DB) sharedBudgetTable {
	type E = offers.SharedBudget
	t := engine.NewTable[E](&db.store)
	return sharedBudgetTable{
		engine.Entities[E]{
			Table: t, Resource: "shared_budget",
			ID:    func(b *E) *int64 { return &b.ID },
			Times: func(b *E) []*time.Time { return []*time.Time{&b.CreatedAt, &b.UpdatedAt} },
			Refuses: func(f *engine.Refusal, b *E, _ uint32) {
				f.Refers(db.core.advertisers.Knows(b.AdvertiserID), "store_id")
			},
			Sort: engine.Columns[E]{
				"title":  engine.Text(func(b *E) string { return b.Title }),
				"amount": engine.Number(func(b *E) int64 { return b.Amount }),
			},
		},
		engine.NewGroups(t, func(b *E) (int64, bool) { return b.AdvertiserID, true }, nil),
	}
}

func (*sharedBudgetTable) in(db *DB) *engine.Entities[offers.SharedBudget] {
	return &db.offers.budgets.Entities
}

type (
	sharedBudgetRepo = repo[offers.SharedBudget, *sharedBudgetTable]
	sharedBudgets    struct{ sharedBudgetRepo }
)

var _ offers.SharedBudgetRepository = sharedBudgets{}

// Delete takes the budget from deleted campaigns; it refuses to take it from others.
func (r sharedBudgets) Delete(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := &r.u.db.offers.offers
	having := slices.Clone(t.byBudget.Of(id))
	for _, o := range having {
		if t.At(o).DeletedAt.IsZero() {
			return r.u.Fail(affiliate.Conflict("shared_budget", "in_use", "a campaign has the shared budget"))
		}
	}
	for _, o := range having {
		freed := *t.At(o)
		freed.SharedBudgetID = 0
		t.Replace(o, freed)
	}
	return r.sharedBudgetRepo.Delete(ctx, id)
}

func (r sharedBudgets) List(ctx context.Context, f offers.SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[offers.SharedBudget], error) {
	return r.list(ctx, p, func(w *engine.Where[offers.SharedBudget]) {
		engine.EqualIn(w, f.AdvertiserID, r.u.db.offers.budgets.byAdvertiser)
		w.Among(f.IDs)
	})
}
