package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// cause is Entry.Cause. Nearly all are a word and a UUID, "click:0190…"; then
// the prefix is that word and the UUID is 16 bytes instead of 36. For any other
// the prefix is the whole cause and the id is uuid.Nil.
type cause struct {
	prefix uint32 // a word
	id     uuid.UUID
}

// splitCause cuts a cause into the two.
func splitCause(s string) (prefix string, id uuid.UUID) {
	const length = 36
	if len(s) < length {
		return s, uuid.Nil
	}
	tail := s[len(s)-length:]
	for i := range length {
		if 'A' <= tail[i] && tail[i] <= 'F' {
			return s, uuid.Nil // it would come back in lower case
		}
	}
	id, err := uuid.Parse(tail)
	if err != nil || id == uuid.Nil {
		return s, uuid.Nil
	}
	return s[:len(s)-length], id
}

// causeText returns the cause in one piece again.
func (db *DB) causeText(c cause) string {
	if c.id == uuid.Nil {
		return db.words.Text(c.prefix)
	}
	return db.words.Text(c.prefix) + c.id.String()
}

// entryRow is an affiliate.Entry in 72 bytes, and without pointers, so that the
// garbage collector passes by.
type entryRow struct {
	cause                cause
	account, terms       uint32 // words
	advertiser, reverses uint32
	kind, currency       uint16 // codes
	earning, cost        int64
	occurred, payable    int64 // microseconds since 1970
}

type entryTable struct {
	*engine.Table[entryRow]
	byCause      *engine.Unique[entryRow, cause]
	byAccount    *engine.Groups[entryRow, uint32]
	byPayable    *engine.Groups[entryRow, uint32] // by account; of each in the order of payable
	byAdvertiser *engine.Groups[entryRow, uint32]
	byReversed   *engine.Groups[entryRow, uint32]
}

func newEntryTable(db *DB) entryTable {
	t := engine.NewTable[entryRow](&db.store)
	account := func(e *entryRow) (uint32, bool) { return e.account, true }
	return entryTable{t,
		engine.NewUnique(t, func(e *entryRow) (cause, bool) { return e.cause, true }),
		engine.NewGroups(t, account, nil),
		engine.NewGroups(t, account, func(a, b *entryRow) int {
			if a.payable != b.payable {
				return cmp.Compare(a.payable, b.payable)
			}
			return cmp.Or(cmp.Compare(a.cause.prefix, b.cause.prefix), bytes.Compare(a.cause.id[:], b.cause.id[:]))
		}),
		engine.NewGroups(t, func(e *entryRow) (uint32, bool) { return e.advertiser, e.advertiser != 0 }, nil),
		engine.NewGroups(t, func(e *entryRow) (uint32, bool) { return e.reverses, e.reverses != 0 }, nil),
	}
}

var entryColumns = engine.Columns[entryRow]{
	"occurred_at": engine.Number(func(e *entryRow) int64 { return e.occurred }),
	"payable_at":  engine.Number(func(e *entryRow) int64 { return e.payable }),
}

type ledger struct{ u *unit }

func (r ledger) entry(id uint32, e *entryRow) affiliate.Entry {
	db := r.u.db
	currency := affiliate.Currency(db.codes.Text(uint32(e.currency)))
	return affiliate.Entry{
		ID:           int64(id),
		Kind:         affiliate.EntryKind(db.codes.Text(uint32(e.kind))),
		Account:      affiliate.Account(db.words.Text(e.account)),
		AdvertiserID: int64(e.advertiser),
		Earning:      affiliate.NewMoney(e.earning, currency),
		Cost:         affiliate.NewMoney(e.cost, currency),
		OccurredAt:   engine.FromMicro(e.occurred),
		PayableAt:    engine.FromMicro(e.payable),
		Cause:        db.causeText(e.cause),
		Terms:        db.words.Text(e.terms),
		Reverses:     int64(e.reverses),
	}
}

func (r ledger) Append(ctx context.Context, entries ...affiliate.Entry) ([]affiliate.Entry, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	core := &r.u.db.core
	totals, err := affiliate.SumEntries(entries)
	if err != nil {
		return nil, r.u.Fail(err)
	}
	var f engine.Refusal
	for i := range entries {
		e := &entries[i]
		f.Refers(core.advertisers.KnowsOr0(e.AdvertiserID), "advertiser_id")
		f.Refers(core.entries.KnowsOr0(e.Reverses), "reverses")
	}
	if err := f.Err("entry"); err != nil {
		return nil, r.u.Fail(err)
	}
	kept := make([]affiliate.Entry, len(entries))
	for i := range entries {
		id, err := r.append(&entries[i])
		if err != nil {
			return nil, r.u.Fail(err)
		}
		e := &entries[i]
		kept[i] = *e
		row := core.entries.At(id)
		kept[i].ID, kept[i].OccurredAt, kept[i].PayableAt = int64(id), engine.FromMicro(row.occurred), engine.FromMicro(row.payable)
	}
	for _, t := range totals {
		if err := r.addToTotal(t); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	return kept, nil
}

func (r ledger) append(e *affiliate.Entry) (uint32, error) {
	db := r.u.db
	prefix, id := splitCause(e.Cause)
	row := entryRow{
		cause:      cause{db.words.Number(prefix), id},
		account:    db.words.Number(string(e.Account)),
		terms:      db.words.Number(e.Terms),
		advertiser: uint32(e.AdvertiserID),
		reverses:   uint32(e.Reverses),
		kind:       uint16(db.codes.Number(string(e.Kind))),
		currency:   uint16(db.codes.Number(string(e.Earning.Currency()))),
		earning:    e.Earning.Minor(),
		cost:       e.Cost.Minor(),
		occurred:   e.OccurredAt.UnixMicro(),
		payable:    e.PayableAt.UnixMicro(),
	}
	var f engine.Refusal
	_, booked := db.core.entries.byCause.Find(row.cause)
	f.Unique(booked, "cause")
	if err := f.Err("entry"); err != nil {
		return 0, err
	}
	return db.core.entries.Insert(row)
}

func (r ledger) addToTotal(add affiliate.Total) error {
	db := r.u.db
	totals := db.core.totals
	key := totalKey{db.words.Number(string(add.Account)), uint16(db.codes.Number(string(add.Currency)))}
	id, ok := totals.byKey.Find(key)
	if !ok {
		var err error
		if id, err = totals.Insert(totalRow{account: key.account, currency: key.currency}); err != nil {
			return err
		}
	}
	t := totals.Touch(id)
	sum := affiliate.Total{Earned: t.earned, Paid: t.paid, Cost: t.cost, Entries: t.entries}
	if err := sum.Add(add); err != nil {
		return err
	}
	t.earned, t.paid, t.cost, t.entries = sum.Earned, sum.Paid, sum.Cost, sum.Entries
	return nil
}

func (r ledger) GetMany(ctx context.Context, ids []int64) ([]affiliate.Entry, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.entries.Table, ids, r.entry)
}

func (r ledger) ByCauses(ctx context.Context, causes []string) ([]affiliate.Entry, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	var ids []uint32
	for _, c := range causes {
		prefix, id := splitCause(c)
		word, known := db.words.Find(prefix)
		if !known {
			continue
		}
		if id, ok := db.core.entries.byCause.Find(cause{word, id}); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(db.core.entries.Table, engine.Sorted(ids), r.entry), nil
}

func (r ledger) Reversals(ctx context.Context, ids []int64) ([]affiliate.Entry, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.entries
	return engine.Collect(t.Table, engine.ByKeys(t.byReversed.Of, t.Among(ids)), r.entry), nil
}

func (r ledger) List(ctx context.Context, f affiliate.EntryFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Entry], error) {
	db := r.u.db
	t := &db.core.entries
	return engine.List(ctx, &r.u.Unit, t.Table, p, entryColumns, r.entry, func(w *engine.Where[entryRow]) {
		account, known := db.words.Find(string(f.Account))
		w.None(!known)
		engine.EqualIn(w, account, t.byAccount)
		engine.Refers(w, f.AdvertiserID, &db.core.advertisers.Slab, t.byAdvertiser)
		kind, known := db.codes.Find(string(f.Kind))
		w.None(!known)
		engine.Equal(w, uint16(kind), func(e *entryRow) uint16 { return e.kind })
	})
}

func (r ledger) Scan(ctx context.Context, after int64, limit int) ([]affiliate.Entry, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.entries
	return engine.Collect(t.Table, t.Scan(after, limit), r.entry), nil
}

func (r ledger) SumByKind(ctx context.Context, accounts []affiliate.Account, from, until time.Time) ([]affiliate.KindSum, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	t := db.core.entries
	payout, _ := db.codes.Find(string(affiliate.EntryPayout))
	first, end := microFrom(from), microFrom(until)
	var out []affiliate.KindSum
	for _, account := range distinctAccounts(accounts) {
		word, _ := db.words.Find(string(account)) // 0, which no entry has, of an unknown one
		ids := t.byPayable.Of(word)
		i := sort.Search(len(ids), func(i int) bool { return t.At(ids[i]).payable >= first })
		sums := map[[2]uint16]affiliate.KindSum{}
		for _, id := range ids[i:] {
			e := t.At(id)
			if e.payable >= end {
				break
			}
			if uint32(e.kind) == payout {
				continue
			}
			k := [2]uint16{e.currency, e.kind}
			sum, ok := sums[k]
			currency := affiliate.Currency(db.codes.Text(uint32(e.currency)))
			if !ok {
				sum = affiliate.KindSum{Account: account, Kind: affiliate.EntryKind(db.codes.Text(uint32(e.kind))), Earning: affiliate.NewMoney(0, currency)}
			}
			var err error
			if sum.Earning, err = sum.Earning.Add(affiliate.NewMoney(e.earning, currency)); err != nil {
				return nil, r.u.Fail(engine.Overflow("entry"))
			}
			sum.Entries++
			sums[k] = sum
		}
		out = append(out, slices.SortedFunc(maps.Values(sums), func(a, b affiliate.KindSum) int {
			return cmp.Or(cmp.Compare(a.Earning.Currency(), b.Earning.Currency()), cmp.Compare(a.Kind, b.Kind))
		})...)
	}
	return out, nil
}

func distinctAccounts(accounts []affiliate.Account) []affiliate.Account {
	out := slices.Clone(accounts)
	slices.Sort(out)
	return slices.Compact(out)
}

// pending are the sums, by currency, of what the account earned and is payable
// after the instant, in microseconds.
func (r ledger) pending(account uint32, at int64) (map[uint16]affiliate.Money, error) {
	db := r.u.db
	t := db.core.entries
	ids := t.byPayable.Of(account)
	first := sort.Search(len(ids), func(i int) bool { return t.At(ids[i]).payable > at })
	payout, _ := db.codes.Find(string(affiliate.EntryPayout))
	sums := map[uint16]affiliate.Money{}
	for _, id := range ids[first:] {
		e := t.At(id)
		if uint32(e.kind) == payout {
			continue
		}
		currency := affiliate.Currency(db.codes.Text(uint32(e.currency)))
		sum, ok := sums[e.currency]
		if !ok {
			sum = affiliate.NewMoney(0, currency)
		}
		sum, err := sum.Add(affiliate.NewMoney(e.earning, currency))
		if err != nil {
			return nil, engine.Overflow("balance")
		}
		sums[e.currency] = sum
	}
	return sums, nil
}
