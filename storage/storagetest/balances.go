package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func balanceScenarios() []scenario[coreStore] {
	return []scenario[coreStore]{
		{"balances/pending until payable", testBalanceAt},
		{"balances/totals are the sums of the entries", testTotals},
		{"balances/scan", testTotalScan},
		{"balances/those that are payable", testPayable},
		{"balances/a sum beyond 64 bits is refused", testOverflow},
		{"balances/writers at once lose nothing", testTotalsRace},
	}
}

func totals(t *testing.T, s coreStore) []affiliate.Total {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Total, error) {
		return tx.Balances().Scan(ctx, "", "", 1000)
	})
}

func balance(t *testing.T, s coreStore, account affiliate.Account, at time.Time) []affiliate.Balance {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Balance, error) {
		return tx.Balances().Get(ctx, account, at)
	})
}

func testBalanceAt(t *testing.T, s coreStore) {
	equal(t, "without entries", balance(t, s, "user:1", at(0)), []affiliate.Balance(nil))
	n := 0
	earn := func(kind affiliate.EntryKind, m affiliate.Money, payable int) affiliate.Entry {
		n++
		e := entry(n, kind, "user:1", 0)
		e.Earning, e.Cost, e.PayableAt = m, affiliate.NewMoney(0, m.Currency()), at(payable)
		return e
	}
	kept := book(t, s,
		earn(affiliate.EntryClick, eur(100), 10),
		earn(affiliate.EntryOrder, eur(1000), 20),
		earn(affiliate.EntryPayout, eur(-30), 99), // a payout is never pending
	)
	back := earn(affiliate.EntryReversal, eur(-400), 20)
	back.Reverses = kept[1].ID
	other := earn(affiliate.EntryClick, eur(7), 0)
	other.Account = "user:11"
	book(t, s, back, other, earn(affiliate.EntryOrder, affiliate.NewMoney(5, "BHD"), 20)) // the currency that comes first

	of := func(c affiliate.Currency, pending, payable, paid int64) affiliate.Balance {
		return affiliate.Balance{
			Account: "user:1", Currency: c, Pending: affiliate.NewMoney(pending, c),
			Payable: affiliate.NewMoney(payable, c), Paid: affiliate.NewMoney(paid, c),
		}
	}
	for _, c := range []struct {
		at   time.Time
		want []affiliate.Balance
	}{
		{at(-1_000_000), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 700, -30, 30)}},
		{at(10).Add(-time.Microsecond), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 700, -30, 30)}},
		{at(10), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 600, 70, 30)}},
		{at(20).Add(-time.Microsecond), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 600, 70, 30)}},
		{finer(at(10)), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 600, 70, 30)}},
		{finer(at(20).Add(-time.Microsecond)), []affiliate.Balance{of("BHD", 5, 0, 0), of("EUR", 600, 70, 30)}},
		{at(20).In(time.FixedZone("", -3600)), []affiliate.Balance{of("BHD", 0, 5, 0), of("EUR", 0, 670, 30)}},
		{at(1_000_000), []affiliate.Balance{of("BHD", 0, 5, 0), of("EUR", 0, 670, 30)}},
	} {
		equal(t, fmt.Sprintf("at %v", c.at), balance(t, s, "user:1", c.at), c.want)
	}
	for _, account := range append(unkeepable(), "", "user:", "USER:1", "user:1%") {
		equal(t, "of "+account, balance(t, s, affiliate.Account(account), at(0)), []affiliate.Balance(nil))
	}
}

func testTotals(t *testing.T, s coreStore) {
	n := 0
	row := func(account affiliate.Account, kind affiliate.EntryKind, c affiliate.Currency, earning, cost int64) affiliate.Entry {
		n++
		e := entry(n, kind, account, 0)
		e.Earning, e.Cost = affiliate.NewMoney(earning, c), affiliate.NewMoney(cost, c)
		return e
	}
	first := book(t, s,
		row("user:2", affiliate.EntryClick, "EUR", 10, 20),
		row("user:2", affiliate.EntryClick, "SEK", 100, 200),
		row("user:10", affiliate.EntryClick, "EUR", 1, 2),
		row("user:2", affiliate.EntryPayout, "EUR", -7, 0),
		row("user:2", affiliate.EntryClick, "EUR", 0, 0),
	)
	back := row("user:2", affiliate.EntryReversal, "EUR", -4, -8)
	back.Reverses = first[0].ID
	book(t, s, back, row("user:2", affiliate.EntryPayout, "EUR", 3, 0)) // a payout that came back
	equal(t, "totals", totals(t, s), []affiliate.Total{
		{Account: "user:10", Currency: "EUR", Earned: 1, Cost: 2, Entries: 1},
		{Account: "user:2", Currency: "EUR", Earned: 6, Paid: 4, Cost: 12, Entries: 5},
		{Account: "user:2", Currency: "SEK", Earned: 100, Cost: 200, Entries: 1},
	})
}

func testTotalScan(t *testing.T, s coreStore) {
	equal(t, "of nothing", totals(t, s), []affiliate.Total(nil))
	var given []affiliate.Entry
	var want []affiliate.Total
	for i, key := range []struct {
		account  affiliate.Account
		currency affiliate.Currency
	}{{"User:2", "EUR"}, {"user:1", "EUR"}, {"user:1", "SEK"}, {"user:10", "BHD"}, {"user:é", "EUR"}, {"user:😀", "AED"}} {
		e := entry(i, affiliate.EntryClick, key.account, 0)
		e.Earning, e.Cost = affiliate.NewMoney(int64(i), key.currency), affiliate.NewMoney(0, key.currency)
		given = append([]affiliate.Entry{e}, given...)
		want = append(want, affiliate.Total{Account: key.account, Currency: key.currency, Earned: int64(i), Entries: 1})
	}
	book(t, s, given...)
	scan := func(after affiliate.Account, currency affiliate.Currency, limit int) []affiliate.Total {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Total, error) {
			return tx.Balances().Scan(ctx, after, currency, limit)
		})
	}
	equal(t, "all", scan("", "", 6), want)
	equal(t, "the first two", scan("", "", 2), want[:2])
	equal(t, "the next two", scan("user:1", "EUR", 2), want[2:4])
	equal(t, "within an account", scan("user:1", "", 2), want[1:3])
	equal(t, "after what is not there", scan("user:1", "ZZZ", 10), want[3:])
	equal(t, "after the last", scan("user:😀", "AED", 10), []affiliate.Total(nil))
	equal(t, "none", scan("", "", 0), []affiliate.Total(nil))
}

func testPayable(t *testing.T, s coreStore) {
	n := 0
	earn := func(account affiliate.Account, kind affiliate.EntryKind, c affiliate.Currency, minor int64, payable int) affiliate.Entry {
		n++
		e := entry(n, kind, account, 0)
		e.Earning, e.Cost, e.PayableAt = affiliate.NewMoney(minor, c), affiliate.NewMoney(0, c), at(payable)
		return e
	}
	const click, payout = affiliate.EntryClick, affiliate.EntryPayout
	book(t, s, // those that come last first
		earn("user:3", click, "EUR", 8, 20), earn("user:3", affiliate.EntryAdjustment, "EUR", -2, 60),
		earn("user:4", click, "EUR", 1, 0), earn("user:4", payout, "EUR", 1, 0), // a payout that came back
	)
	book(t, s,
		earn("partner:1", click, "EUR", 5, 0),
		earn("user:1", click, "EUR", 10, 0), earn("user:1", click, "EUR", 7, 50), earn("user:1", click, "SEK", 3, 10),
		earn("user:10", click, "EUR", 9, 0), earn("user:10", payout, "EUR", -9, 90), // all paid
		earn("user:2", click, "EUR", 4, 0), earn("user:2", affiliate.EntryAdjustment, "EUR", -6, 0), // owes
	)
	payable := func(after affiliate.Account, c affiliate.Currency, when, limit int) string {
		var out []string
		for _, b := range see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Balance, error) {
			return tx.Balances().Payable(ctx, after, c, at(when), limit)
		}) {
			equal(t, "as Get has it", slices.Contains(balance(t, s, b.Account, at(when)), b), true)
			out = append(out, fmt.Sprintf("%s %s %d", b.Account, b.Currency, b.Payable.Minor()))
		}
		return strings.Join(out, ", ")
	}
	equal(t, "at once", payable("", "", 0, 10), "partner:1 EUR 5, user:1 EUR 10, user:4 EUR 2")
	equal(t, "the first", payable("", "", 0, 1), "partner:1 EUR 5")
	equal(t, "later", payable("user:", "", 20, 10), "user:1 EUR 10, user:1 SEK 3, user:3 EUR 8, user:4 EUR 2")
	equal(t, "at last", payable("user:", "", 60, 10), "user:1 EUR 17, user:1 SEK 3, user:3 EUR 6, user:4 EUR 2")
	equal(t, "within an account", payable("user:1", "EUR", 20, 1), "user:1 SEK 3")
	equal(t, "after those that are not", payable("user:10", "", 20, 1), "user:3 EUR 8")
	equal(t, "after the last", payable("user:4", "EUR", 20, 10), "")
	equal(t, "none", payable("", "", 20, 0), "")
}

func testOverflow(t *testing.T, s coreStore) {
	cost := func(n int, earning, cost int64) affiliate.Entry {
		e := entry(n, affiliate.EntryAdjustment, "user:1", earning)
		e.Cost = eur(cost)
		return e
	}
	kept := book(t, s, cost(1, math.MaxInt64-1, math.MinInt64+1))
	want := totals(t, s)
	for name, entries := range map[string][]affiliate.Entry{
		"earned":                {cost(2, 2, 0)},
		"cost":                  {cost(2, 0, -2)},
		"earned, within a call": {cost(2, 1, 0), cost(3, 1, 0)},
		"after another account": {entry(2, affiliate.EntryClick, "user:2", 1), cost(3, 2, 0)},
		"cost, of the call":     {cost(2, 0, math.MaxInt64), cost(3, 0, 1)}, // the total would be far from it
		"paid, at once":         {entry(2, affiliate.EntryPayout, "user:2", math.MinInt64)},
		"paid":                  {entry(2, affiliate.EntryPayout, "user:1", math.MinInt64+1), entry(3, affiliate.EntryPayout, "user:1", -1)},
	} {
		refused(t, s, overflow, func(ctx context.Context, tx coreTx) error {
			_, err := tx.Ledger().Append(ctx, entries...)
			if problem := overflow.problem(err); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
			return err
		})
	}
	equal(t, "the ledger", ledger(t, s), kept)
	equal(t, "totals", totals(t, s), want)

	// The limits themselves are in range, and so is what comes back from them.
	book(t, s, cost(2, 1, -1))
	book(t, s, cost(3, -math.MaxInt64, math.MaxInt64))
	book(t, s, cost(4, math.MaxInt64, -math.MaxInt64))
	book(t, s, cost(5, 5, -5), cost(6, -5, 5)) // nothing, in the end: entries of one call have no order here
	equal(t, "totals, in the end", totals(t, s), []affiliate.Total{
		{Account: "user:1", Currency: "EUR", Earned: math.MaxInt64, Cost: math.MinInt64, Entries: 6},
	})

	// A part of a total can be out of range where the total is not.
	later := func(n int, earning int64) affiliate.Entry {
		e := entry(n, affiliate.EntryClick, "user:9", earning)
		e.PayableAt = at(9)
		return e
	}
	book(t, s, entry(10, affiliate.EntryAdjustment, "user:9", math.MinInt64))
	book(t, s, later(11, math.MaxInt64))
	book(t, s, later(12, 1))
	// And so can what is left of it: little was earned, and much is pending.
	owed := func(n int, kind affiliate.EntryKind, earning int64) affiliate.Entry {
		e := entry(n, kind, "user:99", earning)
		e.PayableAt = at(0)
		return e
	}
	much := owed(21, affiliate.EntryClick, math.MaxInt64)
	much.PayableAt = at(9)
	book(t, s, owed(20, affiliate.EntryAdjustment, math.MinInt64))
	book(t, s, much)
	book(t, s, owed(22, affiliate.EntryAdjustment, -10))
	for name, call := range map[string]func(ctx context.Context, tx coreTx) error{
		"by kind": func(ctx context.Context, tx coreTx) error {
			return second(tx.Ledger().SumByKind(ctx, []affiliate.Account{"user:9"}, at(5), at(10)))
		},
		"pending": func(ctx context.Context, tx coreTx) error { return second(tx.Balances().Get(ctx, "user:9", at(0))) },
		"payable": func(ctx context.Context, tx coreTx) error {
			return second(tx.Balances().Payable(ctx, "user:8", "", at(0), 10))
		},
		"what is left of it": func(ctx context.Context, tx coreTx) error { return second(tx.Balances().Get(ctx, "user:99", at(0))) },
		"what is left of it, of a page": func(ctx context.Context, tx coreTx) error {
			return second(tx.Balances().Payable(ctx, "user:9", "EUR", at(0), 10))
		},
	} {
		unreadable(t, s, overflow, func(ctx context.Context, tx coreTx) error {
			if problem := overflow.problem(call(ctx, tx)); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
			return nil // swallowed
		})
	}
	equal(t, "when all is payable", balance(t, s, "user:9", at(9)), []affiliate.Balance{
		{Account: "user:9", Currency: "EUR", Pending: eur(0), Payable: eur(0), Paid: eur(0)},
	})
}

func testTotalsRace(t *testing.T, s coreStore) {
	const rounds = 5
	together(t, writers, func(i int) error {
		for r := range rounds {
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx coreTx) error {
				n := 1000 * (i + 1) * 10
				mine := affiliate.UserAccount(int64(i % 2))
				return second(tx.Ledger().Append(ctx, entry(n+2*r, affiliate.EntryClick, mine, 3), entry(n+2*r+1, affiliate.EntryPayout, "user:all", -2)))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	const each = writers * rounds
	equal(t, "totals", totals(t, s), []affiliate.Total{
		{Account: "user:0", Currency: "EUR", Earned: 3 * each / 2, Entries: each / 2},
		{Account: "user:1", Currency: "EUR", Earned: 3 * each / 2, Entries: each / 2},
		{Account: "user:all", Currency: "EUR", Paid: 2 * each, Entries: each},
	})
	equal(t, "entries", len(ledger(t, s)), 2*each)
}
