package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type usageTable struct {
	*engine.Table[offers.Usage]
	byKey   *engine.Unique[offers.Usage, offers.UsageKey]
	inOrder *engine.Ordered[offers.Usage]
}

func newUsageTable(db *DB) usageTable {
	t := engine.NewTable[offers.Usage](&db.store)
	return usageTable{t,
		engine.NewUnique(t, func(u *offers.Usage) (offers.UsageKey, bool) { return u.UsageKey, true }),
		engine.NewOrdered(t, func(a, b *offers.Usage) int { return a.Compare(b.UsageKey) }),
	}
}

// counts are those of a key, zero when nothing was added to it.
func (t usageTable) counts(k offers.UsageKey) offers.Counts {
	id, ok := t.byKey.Find(k)
	if !ok {
		return offers.Counts{}
	}
	return t.At(id).Counts
}

type usage struct{ u *unit }

func (r usage) Get(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	out := make(map[offers.UsageKey]offers.Counts, len(keys))
	for _, k := range keys {
		out[k] = r.u.db.offers.usage.counts(k)
	}
	return out, nil
}

func (r usage) Lock(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	if err := r.u.Change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	return r.Get(ctx, keys)
}

func (r usage) Add(ctx context.Context, list ...offers.Usage) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.usage
	for _, add := range list {
		id, ok := t.byKey.Find(add.UsageKey)
		if !ok {
			var err error
			if id, err = t.Insert(offers.Usage{UsageKey: add.UsageKey}); err != nil {
				return r.u.Fail(err)
			}
		}
		row := t.Touch(id)
		if !addTo(&row.Clicks, add.Clicks) || !addTo(&row.Spent, add.Spent) {
			return r.u.Fail(engine.Overflow("usage"))
		}
	}
	return nil
}

// addTo adds n to *sum and reports whether it fits.
func addTo(sum *int64, n int64) bool {
	next := *sum + n
	if (n > 0) != (next > *sum) && n != 0 {
		return false
	}
	*sum = next
	return true
}

func (r usage) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.offers.usage
	part, i := t.inOrder.Search(func(u *offers.Usage) bool { return u.Compare(after) > 0 })
	var out []offers.Usage
	t.inOrder.Each(part, i, func(id uint32) bool {
		out = append(out, *t.At(id))
		return len(out) < limit
	})
	return out, nil
}

type sharedBudgetTable struct {
	*engine.Table[offers.SharedBudget]
	byAdvertiser *engine.Groups[offers.SharedBudget, int64]
}

func newSharedBudgetTable(db *DB) sharedBudgetTable {
	t := engine.NewTable[offers.SharedBudget](&db.store)
	return sharedBudgetTable{t, engine.NewGroups(t, func(b *offers.SharedBudget) (int64, bool) { return b.AdvertiserID, true }, nil)}
}

func copySharedBudget(id uint32, b *offers.SharedBudget) offers.SharedBudget {
	c := *b
	c.ID = int64(id)
	return c
}

func keptSharedBudget(b offers.SharedBudget) offers.SharedBudget {
	b.ID, b.CreatedAt, b.UpdatedAt = 0, engine.Kept(b.CreatedAt), engine.Kept(b.UpdatedAt)
	return b
}

var sharedBudgetColumns = engine.Columns[offers.SharedBudget]{
	"title":  engine.Text(func(b *offers.SharedBudget) string { return b.Title }),
	"amount": engine.Number(func(b *offers.SharedBudget) int64 { return b.Amount }),
}

type sharedBudgets struct{ u *unit }

func (r sharedBudgets) check(b offers.SharedBudget) error {
	var f engine.Refusal
	f.Refers(r.u.db.core.advertisers.Knows(b.AdvertiserID), "store_id")
	return f.Err("shared_budget")
}

func (r sharedBudgets) Add(ctx context.Context, b offers.SharedBudget) (offers.SharedBudget, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, b, keptSharedBudget, r.check, copySharedBudget)
}

func (r sharedBudgets) Get(ctx context.Context, id int64) (offers.SharedBudget, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", id, copySharedBudget)
}

func (r sharedBudgets) GetMany(ctx context.Context, ids []int64) ([]offers.SharedBudget, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, ids, copySharedBudget)
}

func (r sharedBudgets) Update(ctx context.Context, b offers.SharedBudget) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", b.ID, b, keptSharedBudget, r.check)
}

func (r sharedBudgets) Delete(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.offers
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
	return engine.Remove(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", id)
}

func (r sharedBudgets) List(ctx context.Context, f offers.SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[offers.SharedBudget], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[offers.SharedBudget]{}, err
	}
	t := r.u.db.offers.budgets
	s := engine.Everything[offers.SharedBudget]()
	if f.AdvertiserID != 0 {
		s = engine.Only[offers.SharedBudget](t.byAdvertiser.Of(f.AdvertiserID))
	}
	if f.IDs != nil {
		ids := engine.SetOf(f.IDs)
		s.Keep = func(id uint32, _ *offers.SharedBudget) bool { return ids[int64(id)] }
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, sharedBudgetColumns, copySharedBudget)
}
