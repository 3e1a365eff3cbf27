package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type entryRow struct {
	bun.BaseModel `bun:"table:affiliate_entries,alias:t"`

	ID           int64               `bun:"id,pk,autoincrement"`
	Kind         affiliate.EntryKind `bun:"kind"`
	Account      affiliate.Account   `bun:"account"`
	AdvertiserID int64               `bun:"advertiser_id,nullzero"`
	Currency     affiliate.Currency  `bun:"currency"`
	Earning      int64               `bun:"earning"`
	Cost         int64               `bun:"cost"`
	OccurredAt   time.Time           `bun:"occurred_at"`
	PayableAt    time.Time           `bun:"payable_at"`
	Cause        string              `bun:"cause"`
	Terms        string              `bun:"terms"`
	Reverses     int64               `bun:"reverses,nullzero"`
}

var entryTable = table[affiliate.Entry, entryRow]{
	name: "affiliate_entries", resource: "entry", entity: entryRow.entry,
	sort: map[string]string{"occurred_at": "t.occurred_at", "payable_at": "t.payable_at"},
}

func (r entryRow) entry() affiliate.Entry {
	return affiliate.Entry{
		ID: r.ID, Kind: r.Kind, Account: r.Account, AdvertiserID: r.AdvertiserID,
		Earning: affiliate.NewMoney(r.Earning, r.Currency), Cost: affiliate.NewMoney(r.Cost, r.Currency),
		OccurredAt: utc(r.OccurredAt), PayableAt: utc(r.PayableAt),
		Cause: r.Cause, Terms: r.Terms, Reverses: r.Reverses,
	}
}

type ledger struct {
	repo[affiliate.Entry, entryRow]
}

func (r ledger) Append(ctx context.Context, entries ...affiliate.Entry) ([]affiliate.Entry, error) {
	return change(ctx, r.u, "entry", func(ctx context.Context) ([]affiliate.Entry, error) {
		if len(entries) == 0 {
			return nil, nil
		}
		// In the order in which every unit locks the totals.
		totals, err := affiliate.SumEntries(entries)
		if err != nil {
			return nil, err
		}
		err = r.u.checkReferences(ctx, "entry",
			ref("advertiser_id", "affiliate_advertisers", values(entries, func(e *affiliate.Entry) int64 { return e.AdvertiserID })...),
			ref("reverses", entryTable.name, values(entries, func(e *affiliate.Entry) int64 { return e.Reverses })...))
		if err != nil {
			return nil, err
		}
		ids, err := r.insert(ctx, entries, totals)
		if err != nil {
			return nil, err
		}
		kept := slices.Clone(entries)
		for i := range kept {
			kept[i].ID = ids[i]
			kept[i].OccurredAt, kept[i].PayableAt = utc(kept[i].OccurredAt), utc(kept[i].PayableAt)
		}
		return kept, nil
	})
}

// insert keeps the entries and adds the totals, in one statement. It returns the
// new ids, which ascend in the order of the entries.
func (r ledger) insert(ctx context.Context, entries []affiliate.Entry, totals []affiliate.Total) ([]int64, error) {
	type entry = affiliate.Entry
	var args []any
	appending := batch{table: "affiliate_entries", inOrder: true, rest: "RETURNING id", columns: []batchColumn{
		field("cause", "text", entries, func(e *entry) string { return e.Cause }),
		field("kind", "text", entries, func(e *entry) string { return string(e.Kind) }),
		field("account", "text", entries, func(e *entry) string { return string(e.Account) }),
		idField("advertiser_id", entries, func(e *entry) int64 { return e.AdvertiserID }),
		field("currency", "text", entries, func(e *entry) string { return string(e.Earning.Currency()) }),
		field("earning", "bigint", entries, func(e *entry) int64 { return e.Earning.Minor() }),
		field("cost", "bigint", entries, func(e *entry) int64 { return e.Cost.Minor() }),
		field("occurred_at", "timestamptz", entries, func(e *entry) time.Time { return e.OccurredAt }),
		field("payable_at", "timestamptz", entries, func(e *entry) time.Time { return e.PayableAt }),
		field("terms", "text", entries, func(e *entry) string { return e.Terms }),
		idField("reverses", entries, func(e *entry) int64 { return e.Reverses }),
	}}.insert(&args)
	type total = affiliate.Total
	adding := batch{
		table: "affiliate_totals",
		rest: `ON CONFLICT (account, currency) DO UPDATE SET earned = t.earned + excluded.earned, paid = t.paid + excluded.paid,
			cost = t.cost + excluded.cost, entries = t.entries + excluded.entries`,
		columns: []batchColumn{
			field("account", "text", totals, func(t *total) string { return string(t.Account) }),
			field("currency", "text", totals, func(t *total) string { return string(t.Currency) }),
			field("earned", "bigint", totals, func(t *total) int64 { return t.Earned }),
			field("paid", "bigint", totals, func(t *total) int64 { return t.Paid }),
			field("cost", "bigint", totals, func(t *total) int64 { return t.Cost }),
			field("entries", "bigint", totals, func(t *total) int64 { return t.Entries }),
		},
	}.insert(&args)
	ids := make([]int64, 0, len(entries))
	err := r.u.prepared("WITH totals AS ("+adding+") "+appending, args...).Scan(ctx, &ids)
	slices.Sort(ids)
	return ids, err
}

func (r ledger) ByCauses(ctx context.Context, causes []string) ([]affiliate.Entry, error) {
	return r.many(ctx, func(q filter) { q.amongTexts("t.cause", causes) })
}

func (r ledger) Reversals(ctx context.Context, ids []int64) ([]affiliate.Entry, error) {
	return r.many(ctx, func(q filter) { q.among("t.reverses", distinct(ids)) })
}

func (r ledger) List(ctx context.Context, f affiliate.EntryFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Entry], error) {
	return r.list(ctx, p, func(q filter) {
		q.text("t.account", string(f.Account))
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.text("t.kind", string(f.Kind))
	})
}

func (r ledger) Scan(ctx context.Context, after int64, limit int) ([]affiliate.Entry, error) {
	return r.after(ctx, after, limit)
}

type kindSumRow struct {
	Account  affiliate.Account   `bun:"account"`
	Currency affiliate.Currency  `bun:"currency"`
	Kind     affiliate.EntryKind `bun:"kind"`
	Earning  int64               `bun:"earning"`
	Entries  int64               `bun:"entries"`
}

func (r ledger) SumByKind(ctx context.Context, accounts []affiliate.Account, from, until time.Time) ([]affiliate.KindSum, error) {
	return read(ctx, r.u, "entry", func(ctx context.Context) ([]affiliate.KindSum, error) {
		wanted := storableOf(values(accounts, func(a *affiliate.Account) string { return string(*a) }))
		var rows []kindSumRow
		err := r.u.prepared(`SELECT account, currency, kind, sum(earning)::bigint AS earning, count(*) AS entries
			FROM {schema}affiliate_entries WHERE account = ANY(?0::text[]) AND payable_at >= ?1::timestamptz AND payable_at < ?2::timestamptz AND kind <> ?3::text
			GROUP BY account, currency, kind ORDER BY account, currency, kind`,
			wanted, ceil(from), ceil(until), string(affiliate.EntryPayout)).Scan(ctx, &rows)
		return converted(rows, func(row kindSumRow) affiliate.KindSum {
			return affiliate.KindSum{Account: row.Account, Kind: row.Kind, Earning: affiliate.NewMoney(row.Earning, row.Currency), Entries: row.Entries}
		}), err
	})
}
