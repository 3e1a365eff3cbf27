package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/affiliatekit/affiliatekit/offers"
)

type usageRow struct {
	SharedBudgetID int64 `bun:"shared_budget_id"`
	OfferID        int64 `bun:"offer_id"`
	UserID         int64 `bun:"user_id"`
	Clicks         int64 `bun:"clicks"`
	Spent          int64 `bun:"spent"`
}

func (r usageRow) usage() offers.Usage {
	return offers.Usage{
		UsageKey: offers.UsageKey{SharedBudgetID: r.SharedBudgetID, OfferID: r.OfferID, UserID: r.UserID},
		Counts:   offers.Counts{Clicks: r.Clicks, Spent: r.Spent},
	}
}

type usage struct{ u *unit }

// keyed asks for the rows of the keys, which are sorted and each once, in
// order of key.
func (r usage) keyed(ctx context.Context, keys []offers.UsageKey, lock string) (map[offers.UsageKey]offers.Counts, error) {
	type key = offers.UsageKey
	out := make(map[key]offers.Counts, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	var rows []usageRow
	err := r.u.prepared(`SELECT t.shared_budget_id, t.offer_id, t.user_id, t.clicks, t.spent FROM {schema}affiliate_offer_usage AS t
		JOIN unnest(?0::bigint[], ?1::bigint[], ?2::bigint[]) AS k (shared_budget_id, offer_id, user_id)
		ON t.shared_budget_id = k.shared_budget_id AND t.offer_id = k.offer_id AND t.user_id = k.user_id
		ORDER BY t.shared_budget_id, t.offer_id, t.user_id`+lock,
		values(keys, func(k *key) int64 { return k.SharedBudgetID }), values(keys, func(k *key) int64 { return k.OfferID }),
		values(keys, func(k *key) int64 { return k.UserID })).Scan(ctx, &rows)
	for _, row := range rows {
		u := row.usage()
		out[u.UsageKey] = u.Counts
	}
	return out, err
}

func sortedKeys(keys []offers.UsageKey) []offers.UsageKey {
	out := slices.Clone(keys)
	slices.SortFunc(out, offers.UsageKey.Compare)
	return slices.Compact(out)
}

func (r usage) Get(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	return read(ctx, r.u, "usage", func(ctx context.Context) (map[offers.UsageKey]offers.Counts, error) {
		return r.keyed(ctx, sortedKeys(keys), "")
	})
}

// Lock locks the rows there are in the order of their keys, and then makes, in
// the same order, those that are missing: units that lock once each hardly ever
// deadlock, and then the database asks one of them to run again. In a
// serializable unit the rows are also written, unchanged, as by the Lock of
// links.
func (r usage) Lock(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	return change(ctx, r.u, "usage", func(ctx context.Context) (map[offers.UsageKey]offers.Counts, error) {
		sorted := sortedKeys(keys)
		found, err := r.keyed(ctx, sorted, " FOR NO KEY UPDATE OF t")
		if err != nil || len(found) == len(sorted) && r.u.kind != writeUnit {
			return found, err
		}
		zero := make([]offers.Usage, len(sorted))
		for i, k := range sorted {
			zero[i].UsageKey = k
		}
		conflict := "DO NOTHING"
		if r.u.kind == writeUnit {
			conflict = "(shared_budget_id, offer_id, user_id) DO UPDATE SET clicks = t.clicks"
		}
		if err := r.insert(ctx, zero, conflict); err != nil {
			return nil, err
		}
		return r.keyed(ctx, sorted, " FOR NO KEY UPDATE OF t")
	})
}

func (r usage) insert(ctx context.Context, list []offers.Usage, conflict string) error {
	return insertUsage(ctx, r.u, usageTable, list, conflict)
}

const usageTable = "affiliate_offer_usage"

func insertUsage(ctx context.Context, u *unit, table string, list []offers.Usage, conflict string) error {
	type usage = offers.Usage
	if len(list) == 0 {
		return nil
	}
	return batch{table: table, rest: "ON CONFLICT " + conflict, columns: []batchColumn{
		field("user_id", "bigint", list, func(u *usage) int64 { return u.UserID }),
		field("offer_id", "bigint", list, func(u *usage) int64 { return u.OfferID }),
		field("shared_budget_id", "bigint", list, func(u *usage) int64 { return u.SharedBudgetID }),
		field("clicks", "bigint", list, func(u *usage) int64 { return u.Clicks }),
		field("spent", "bigint", list, func(u *usage) int64 { return u.Spent }),
	}}.exec(ctx, u)
}

func (r usage) Add(ctx context.Context, list ...offers.Usage) error {
	return addUsage(ctx, r.u, usageTable, list)
}

func addUsage(ctx context.Context, u *unit, table string, list []offers.Usage) error {
	return exec(ctx, u, "usage", func(ctx context.Context) error {
		sums := make(map[offers.UsageKey]offers.Usage)
		for _, u := range list {
			sum := sums[u.UsageKey]
			sum.UsageKey = u.UsageKey
			if !addTo(&sum.Clicks, u.Clicks) || !addTo(&sum.Spent, u.Spent) {
				return overflow("usage")
			}
			sums[u.UsageKey] = sum
		}
		sorted := slices.SortedFunc(maps.Values(sums), func(a, b offers.Usage) int { return a.Compare(b.UsageKey) })
		return insertUsage(ctx, u, table, sorted, "(shared_budget_id, offer_id, user_id) DO UPDATE SET clicks = t.clicks + excluded.clicks, spent = t.spent + excluded.spent")
	})
}

func (r usage) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	return scanUsage(ctx, r.u, usageTable, after, limit)
}

func scanUsage(ctx context.Context, u *unit, table string, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	return read(ctx, u, "usage", func(ctx context.Context) ([]offers.Usage, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []usageRow
		err := u.tx.NewRaw(`SELECT shared_budget_id, offer_id, user_id, clicks, spent FROM ? WHERE (shared_budget_id, offer_id, user_id) > (?, ?, ?)
			ORDER BY shared_budget_id, offer_id, user_id LIMIT ?`, u.name(table),
			after.SharedBudgetID, after.OfferID, after.UserID, limit).Scan(ctx, &rows)
		var out []offers.Usage
		for _, row := range rows {
			out = append(out, row.usage())
		}
		return out, err
	})
}
