package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func ledgerScenarios() []scenario[coreStore] {
	return append(entries().scenarios(),
		scenario[coreStore]{"ledger/append keeps order and what it is given", testAppend},
		scenario[coreStore]{"ledger/a cause is booked once", testCauses},
		scenario[coreStore]{"ledger/found by causes and reversals", testEntryLookups},
		scenario[coreStore]{"ledger/causes as production writes them", testProductionCauses},
		scenario[coreStore]{"ledger/scan", testEntryScan},
		scenario[coreStore]{"ledger/thousands in one call", testManyEntries},
		scenario[coreStore]{"ledger/added up by kind", testSumByKind},
		scenario[coreStore]{"ledger/list", testEntryList},
	)
}

func sampleEntry(n int) affiliate.Entry {
	return affiliate.Entry{
		Kind: affiliate.EntryAdjustment, Account: "user:1", Earning: eur(1), Cost: eur(0),
		OccurredAt: at(0), PayableAt: at(0), Cause: fmt.Sprintf("test:%d", n),
	}
}

func entries() table[coreTx, affiliate.Entry] {
	type V = affiliate.Entry
	return table[coreTx, V]{
		name:   "ledger",
		sample: func(w world, n int) V { return sampleEntry(n) },
		full: func(w world) V {
			return V{
				Kind: affiliate.EntryClick, Account: affiliate.UserAccount(w.users[0].ID), AdvertiserID: w.advertisers[0].ID,
				Earning: affiliate.NewMoney(math.MaxInt64, "KWD"), Cost: affiliate.NewMoney(math.MinInt64, "KWD"),
				OccurredAt: at(1), PayableAt: at(2), Cause: "click:1",
				Terms: `{"b" : 9007199254740993, "a":1.10, "a":"twice"}`, // as written, not as parsed
			}
		},
		unset: []string{"Reverses"},
		add:   appendOne,
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			return oneOf(tx.Ledger().GetMany(ctx, []int64{v.ID}))
		},
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) {
			return tx.Ledger().GetMany(ctx, ids)
		},
		id:    func(v *V) *int64 { return &v.ID },
		timed: true,
		texts: []text[V]{
			{"account", 1, 64, func(v *V) *string { return (*string)(&v.Account) }, false},
			{"cause", 1, 128, func(v *V) *string { return &v.Cause }, false},
			{"terms", 0, 4096, func(v *V) *string { return &v.Terms }, true},
		},
		broken: []broken[V]{
			{"kind", "unknown_kind", func(v *V) { v.Kind = "gift" }},
			{"earning", "unknown_currency", func(v *V) { v.Earning, v.Cost = affiliate.Money{}, affiliate.Money{} }},
			{"cost", "currency_mismatch", func(v *V) { v.Cost = affiliate.NewMoney(0, "SEK") }},
			{"reverses", "reversal_mismatch", func(v *V) { v.Kind = affiliate.EntryReversal }},
			{"occurred_at", "required", func(v *V) { v.OccurredAt = time.Time{} }},
			{"payable_at", "required", func(v *V) { v.PayableAt = time.Time{} }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"reverses", func(v *V, id int64) { v.Kind, v.Reverses = affiliate.EntryReversal, id }},
		},
		unique: []uniqueText[V]{{field: "cause", at: func(v *V) *string { return &v.Cause }, after: true}},
	}
}

func appendOne(ctx context.Context, tx coreTx, v affiliate.Entry) (affiliate.Entry, error) {
	return oneOf(tx.Ledger().Append(ctx, v))
}

// book appends entries in one unit.
func book(t *testing.T, s coreStore, entries ...affiliate.Entry) []affiliate.Entry {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
		return tx.Ledger().Append(ctx, entries...)
	})
}

// entry is an entry of so many cents, of which n is the cause.
func entry(n int, kind affiliate.EntryKind, account affiliate.Account, cents int64) affiliate.Entry {
	e := sampleEntry(n)
	e.Kind, e.Account, e.Earning = kind, account, eur(cents)
	return e
}

// testManyEntries books more in one call than a thousand, for two accounts in turn, and
// finds them by causes in another order.
func testManyEntries(t *testing.T, s coreStore) {
	const many = 2500
	given := make([]affiliate.Entry, many)
	causes := make([]string, many)
	for n := range given {
		given[n] = entry(n, affiliate.EntryClick, affiliate.Account(fmt.Sprint("user:", 1+n%2)), 1)
		causes[many-1-n] = given[n].Cause
	}
	kept := book(t, s, given...)
	equal(t, "booked", len(kept), many)
	for n := range kept {
		equal(t, "cause", kept[n].Cause, given[n].Cause)
	}
	found := see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
		return tx.Ledger().ByCauses(ctx, causes)
	})
	equal(t, "found by their causes", found, kept)
	for _, total := range totals(t, s) {
		equal(t, "entries of "+string(total.Account), total.Entries, int64(many/2))
		equal(t, "earned by "+string(total.Account), total.Earned, int64(many/2))
	}
}

func ledger(t *testing.T, s coreStore) []affiliate.Entry {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) { return tx.Ledger().Scan(ctx, 0, 1000) })
}

func testAppend(t *testing.T, s coreStore) {
	equal(t, "appended nothing", book(t, s), []affiliate.Entry(nil))
	given := []affiliate.Entry{sampleEntry(3), sampleEntry(1), sampleEntry(2)}
	given[0].ID, given[1].ID = nowhere, nowhere
	before := slices.Clone(given)
	kept := book(t, s, given...)
	equal(t, "the caller's entries", given, before)
	if len(kept) != 3 {
		t.Fatalf("appended %d entries, want 3", len(kept))
	}
	for i := range kept {
		if kept[i].ID <= 0 || kept[i].ID >= nowhere || i > 0 && kept[i].ID <= kept[i-1].ID {
			t.Errorf("ids %d: want them ascending in the order given", []int64{kept[0].ID, kept[1].ID, kept[2].ID})
		}
		want := given[i]
		want.ID = kept[i].ID
		equal(t, "appended", kept[i], want)
	}
	want := slices.Clone(kept)
	scribbleAll(kept)
	equal(t, "kept", ledger(t, s), want)
	more := book(t, s, sampleEntry(4))
	if more[0].ID <= want[2].ID {
		t.Errorf("id %d after %d: want it to grow", more[0].ID, want[2].ID)
	}
}

// scribbleAll overwrites a slice that a store has answered or been given.
func scribbleAll[V any](values []V) {
	for i := range values {
		scribble(&values[i])
		var none V
		values[i] = none
	}
}

func testCauses(t *testing.T, s coreStore) {
	kept := book(t, s, sampleEntry(1), sampleEntry(2))
	appendAll := func(entries ...affiliate.Entry) func(ctx context.Context, tx coreTx) error {
		return func(ctx context.Context, tx coreTx) error { return second(tx.Ledger().Append(ctx, entries...)) }
	}
	refused(t, s, taken("cause"), appendAll(sampleEntry(3), sampleEntry(1)))
	refused(t, s, taken("cause"), appendAll(sampleEntry(3), sampleEntry(4), sampleEntry(3)))
	refused(t, s, taken("cause"), func(ctx context.Context, tx coreTx) error {
		if err := appendAll(sampleEntry(5))(ctx, tx); err != nil {
			return err
		}
		other := sampleEntry(5)
		other.Account, other.Earning = "partner:1", eur(7)
		return appendAll(other)(ctx, tx)
	})
	equal(t, "the ledger", ledger(t, s), kept)
	equal(t, "totals", totals(t, s), []affiliate.Total{{Account: "user:1", Currency: "EUR", Earned: 2, Entries: 2}})
	kept = append(kept, book(t, s, sampleEntry(3), sampleEntry(4), sampleEntry(5))...)
	equal(t, "the ledger, with causes that were undone", ledger(t, s), kept)
}

// A store may keep the UUID in a cause as 16 bytes: it is still the text that was
// given.
func testProductionCauses(t *testing.T, s coreStore) {
	const id, other = "0190a5c4-7d1e-7abc-8def-0123456789ab", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	var given []affiliate.Entry
	for n, cause := range []string{
		"click:" + id, "order:" + id, id, "click:" + other, "click:", "click:00000000-0000-0000-0000-000000000000",
		"click:0190A5C4-7D1E-7ABC-8DEF-0123456789AB", "click:0190a5c4-7d1e-7abc-8def-0123456789aB", "click:0190a5c4-7d1e-7abc-8def-0123456789Ab", "click:0190a5c4-7d1e-7abc-8def-0123456789Fb",
		"click:0190a5c4-7d1e-7abc-8def-0123456789ag", "click:0190a5c47d1e7abc8def0123456789ab", "click:{0190a5c4-7d1e-7abc-8def-0123456789a}",
		"click:urn:uuid:" + id, "click:" + id + ":2",
	} {
		e := sampleEntry(n)
		e.Cause = cause
		given = append(given, e)
	}
	kept := book(t, s, given...)
	for i, e := range given {
		e.ID = kept[i].ID
		got := see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
			return tx.Ledger().ByCauses(ctx, []string{e.Cause})
		})
		equal(t, "by "+e.Cause, got, []affiliate.Entry{e})
		refused(t, s, taken("cause"), func(ctx context.Context, tx coreTx) error { return second(tx.Ledger().Append(ctx, e)) })
	}
	none := see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
		return tx.Ledger().ByCauses(ctx, []string{"never:" + id, "order:" + other, "CLICK:" + id, other, "click:0190a5c4-7d1e-7abc-8def-0123456789AB"})
	})
	equal(t, "by causes that nothing has", none, []affiliate.Entry(nil))
}

func testEntryLookups(t *testing.T, s coreStore) {
	kept := book(t, s, sampleEntry(1), sampleEntry(2), sampleEntry(3))
	reversal := func(n int, of affiliate.Entry) affiliate.Entry {
		e := sampleEntry(n)
		e.Kind, e.Earning, e.Reverses = affiliate.EntryReversal, eur(-1), of.ID
		e.PayableAt = e.OccurredAt.Add(-time.Hour)
		return e
	}
	reversals := book(t, s, reversal(11, kept[1]), reversal(12, kept[0]), reversal(13, kept[1]))
	byCauses := func(causes ...string) []affiliate.Entry {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
			return tx.Ledger().ByCauses(ctx, causes)
		})
	}
	of := func(ids ...int64) []affiliate.Entry {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
			return tx.Ledger().Reversals(ctx, ids)
		})
	}
	equal(t, "by causes", byCauses("test:3", "test:1", "test:3", "nothing"), []affiliate.Entry{kept[0], kept[2]})
	equal(t, "by other causes", byCauses(append(unkeepable(), "", "TEST:1", "test:", "%")...), []affiliate.Entry(nil))
	equal(t, "by no causes", byCauses(), []affiliate.Entry(nil))
	equal(t, "reversals", of(kept[1].ID, kept[0].ID, kept[1].ID, nowhere), reversals)
	equal(t, "reversals of one", of(kept[1].ID), []affiliate.Entry{reversals[0], reversals[2]})
	equal(t, "reversals of one without", of(kept[2].ID), []affiliate.Entry(nil))
	equal(t, "reversals of what reverses nothing", of(0), []affiliate.Entry(nil))
	equal(t, "reversals of none", of(), []affiliate.Entry(nil))
}

func testEntryScan(t *testing.T, s coreStore) {
	scan := func(after int64, limit int) []affiliate.Entry {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Entry, error) {
			return tx.Ledger().Scan(ctx, after, limit)
		})
	}
	equal(t, "scan of nothing", scan(0, 10), []affiliate.Entry(nil))
	kept := book(t, s, sampleEntry(3), sampleEntry(1), sampleEntry(2))
	equal(t, "scan of all", scan(0, 3), kept)
	equal(t, "scan from the start", scan(-1, 2), kept[:2])
	equal(t, "scan after one", scan(kept[0].ID, 1), kept[1:2])
	equal(t, "scan of the rest", scan(kept[0].ID, 1_000_000), kept[1:])
	equal(t, "scan after the last", scan(kept[2].ID, 10), []affiliate.Entry(nil))
	equal(t, "scan after the greatest", scan(math.MaxInt64, 10), []affiliate.Entry(nil))
	equal(t, "scan of no entries", scan(0, 0), []affiliate.Entry(nil))
}

func testEntryList(t *testing.T, s coreStore) {
	type F = affiliate.EntryFilter
	shops := addAll(t, s, addAdvertiser, sampleAdvertiser(1), sampleAdvertiser(2))
	row := func(n int, kind affiliate.EntryKind, account affiliate.Account, shop, occurred, payable int) affiliate.Entry {
		e := entry(n, kind, account, int64(n))
		e.OccurredAt, e.PayableAt = at(occurred), at(payable)
		if shop >= 0 {
			e.AdvertiserID = shops[shop].ID
		}
		return e
	}
	items := book(t, s,
		row(1, affiliate.EntryClick, "user:1", 0, 5, 9),
		row(2, affiliate.EntryOrder, "user:10", 0, 3, 9),
		row(3, affiliate.EntryClick, "user:1", 1, 5, 7),
		row(4, affiliate.EntryPayout, "USER:1", -1, 1, 8),
		row(5, affiliate.EntryClick, "partner:ü", 1, 2, 7),
	)
	listing[coreTx, affiliate.Entry, F]{
		items: items,
		label: func(e affiliate.Entry) string { return e.Cause[len("test:"):] },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[affiliate.Entry], error) {
			return tx.Ledger().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{Account: "partner:ü"}, "5"},
			{F{Account: "user:1"}, "1 3"},
			{F{Account: "user:"}, ""},
			{F{Account: "\x00"}, ""},
			{F{Account: "\xff"}, ""},
			{F{AdvertiserID: shops[0].ID}, "1 2"},
			{F{AdvertiserID: nowhere}, ""},
			{F{Kind: affiliate.EntryClick}, "1 3 5"},
			{F{Kind: "gift"}, ""},
		},
		columns: map[string]func(a, b affiliate.Entry) int{
			"occurred_at": byTime(func(e affiliate.Entry) time.Time { return e.OccurredAt }),
			"payable_at":  byTime(func(e affiliate.Entry) time.Time { return e.PayableAt }),
		},
	}.check(t, s)
}

func testSumByKind(t *testing.T, s coreStore) {
	n := 0
	earn := func(account affiliate.Account, kind affiliate.EntryKind, c affiliate.Currency, minor int64, payable int) affiliate.Entry {
		n++
		e := entry(n, kind, account, 0)
		e.Earning, e.Cost, e.PayableAt = affiliate.NewMoney(minor, c), affiliate.NewMoney(0, c), at(payable)
		return e
	}
	kept := book(t, s,
		earn("user:1", affiliate.EntryClick, "EUR", 10, 0), earn("user:1", affiliate.EntryClick, "EUR", 5, 9),
		earn("user:1", affiliate.EntryOrder, "EUR", 100, 5), earn("user:1", affiliate.EntryClick, "BHD", 1, 5),
		earn("user:1", affiliate.EntryPayout, "EUR", -50, 5), earn("user:1", affiliate.EntryClick, "EUR", 1000, 10),
		earn("user:1", affiliate.EntryClick, "EUR", 1000, -1), earn("user:2", affiliate.EntryOneTime, "EUR", 7, 1), earn("user:3", affiliate.EntryClick, "EUR", 7, 1),
		earn("user:4", affiliate.EntryClick, "EUR", math.MaxInt64/2+1, 1), earn("user:4", affiliate.EntryClick, "EUR", math.MaxInt64/2+1-2, 20),
	)
	back := earn("user:1", affiliate.EntryReversal, "EUR", -4, 6)
	back.Reverses = kept[2].ID
	book(t, s, back)
	sums := func(from, until time.Time, accounts ...affiliate.Account) []affiliate.KindSum {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.KindSum, error) {
			return tx.Ledger().SumByKind(ctx, accounts, from, until)
		})
	}
	want := []affiliate.KindSum{
		{Account: "user:1", Kind: affiliate.EntryClick, Earning: affiliate.NewMoney(1, "BHD"), Entries: 1},
		{Account: "user:1", Kind: affiliate.EntryClick, Earning: eur(15), Entries: 2},
		{Account: "user:1", Kind: affiliate.EntryOrder, Earning: eur(100), Entries: 1},
		{Account: "user:1", Kind: affiliate.EntryReversal, Earning: eur(-4), Entries: 1},
		{Account: "user:2", Kind: affiliate.EntryOneTime, Earning: eur(7), Entries: 1},
	}
	equal(t, "sums", sums(at(0), at(10), "user:2", "user:1", "user:9", "user:1", ""), want)
	equal(t, "of one", sums(at(0), at(10), "user:2"), want[4:])
	equal(t, "a shorter time", sums(at(0).Add(time.Nanosecond), at(5).Add(time.Nanosecond), "user:1"), []affiliate.KindSum{want[0], want[2]})
	equal(t, "no time", sums(at(5), at(5), "user:1"), []affiliate.KindSum(nil))
	equal(t, "of none", sums(at(0), at(10)), []affiliate.KindSum(nil))
	accounts := []affiliate.Account{"user:2", "user:1"}
	sums(at(0), at(10), accounts...)
	equal(t, "the caller's accounts", accounts, []affiliate.Account{"user:2", "user:1"})
	equal(t, "of what cannot be kept", sums(at(0), at(10), "a\x00", "\xff"), []affiliate.KindSum(nil))
}
