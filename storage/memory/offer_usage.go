package memory

import (
	"context"

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
	return r.u.db.offers.usage.add(ctx, r.u, list)
}

func (t usageTable) add(ctx context.Context, u *unit, list []offers.Usage) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	for _, add := range list {
		id, ok := t.byKey.Find(add.UsageKey)
		if !ok {
			var err error
			if id, err = t.Insert(offers.Usage{UsageKey: add.UsageKey}); err != nil {
				return u.Fail(err)
			}
		}
		row := t.Touch(id)
		if !addTo(&row.Clicks, add.Clicks) || !addTo(&row.Spent, add.Spent) {
			return u.Fail(engine.Overflow("usage"))
		}
	}
	return nil
}

// addTo adds n to *sum and reports whether it fits.
func addTo(sum *int64, n int64) bool {
	next := *sum + n
	if (n > 0) != (next > *sum) {
		return false
	}
	*sum = next
	return true
}

func (r usage) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	return r.u.db.offers.usage.scan(ctx, r.u, after, limit)
}

func (t usageTable) scan(ctx context.Context, u *unit, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	part, i := t.inOrder.Search(func(u *offers.Usage) bool { return u.Compare(after) > 0 })
	var out []offers.Usage
	t.inOrder.Each(part, i, func(id uint32) bool {
		out = append(out, *t.At(id))
		return len(out) < limit
	})
	return out, nil
}
