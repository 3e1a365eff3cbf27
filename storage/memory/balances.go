package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type totalKey struct {
	account  uint32 // a word
	currency uint16 // a code
}

// totalRow is an affiliate.Total.
type totalRow struct {
	account                     uint32
	currency                    uint16
	earned, paid, cost, entries int64
}

type totalTable struct {
	*engine.Table[totalRow]
	byKey     *engine.Unique[totalRow, totalKey]
	byAccount *engine.Groups[totalRow, uint32]
	inOrder   *engine.Ordered[totalRow] // of account, then currency
}

func newTotalTable(db *DB) totalTable {
	t := engine.NewTable[totalRow](&db.store)
	return totalTable{t,
		engine.NewUnique(t, func(t *totalRow) (totalKey, bool) { return totalKey{t.account, t.currency}, true }),
		engine.NewGroups(t, func(t *totalRow) (uint32, bool) { return t.account, true }, nil),
		engine.NewOrdered(t, func(a, b *totalRow) int {
			if a.account != b.account {
				return strings.Compare(db.words.Text(a.account), db.words.Text(b.account))
			}
			return strings.Compare(db.codes.Text(uint32(a.currency)), db.codes.Text(uint32(b.currency)))
		}),
	}
}

type balances struct{ u *unit }

func (r balances) total(t *totalRow) affiliate.Total {
	db := r.u.db
	return affiliate.Total{
		Account:  affiliate.Account(db.words.Text(t.account)),
		Currency: affiliate.Currency(db.codes.Text(uint32(t.currency))),
		Earned:   t.earned, Paid: t.paid, Cost: t.cost, Entries: t.entries,
	}
}

func (r balances) Get(ctx context.Context, account affiliate.Account, at time.Time) ([]affiliate.Balance, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	word, _ := db.words.Find(string(account)) // 0, which no entry has, of an unknown one
	pending, err := ledger(r).pending(word, at.UnixMicro())
	if err != nil {
		return nil, r.u.Fail(err)
	}
	var list []affiliate.Balance
	for _, id := range db.core.totals.byAccount.Of(word) {
		b, err := r.balance(db.core.totals.At(id), pending)
		if err != nil {
			return nil, r.u.Fail(engine.Overflow("balance"))
		}
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b affiliate.Balance) int { return cmp.Compare(a.Currency, b.Currency) })
	return list, nil
}

// balance splits a total by what of it is pending, by currency.
func (r balances) balance(row *totalRow, pending map[uint16]affiliate.Money) (affiliate.Balance, error) {
	t := r.total(row)
	b := affiliate.Balance{Account: t.Account, Currency: t.Currency, Paid: affiliate.NewMoney(t.Paid, t.Currency)}
	var ok bool
	if b.Pending, ok = pending[row.currency]; !ok {
		b.Pending = affiliate.NewMoney(0, t.Currency)
	}
	var err error
	if b.Payable, err = affiliate.NewMoney(t.Earned, t.Currency).Sub(b.Pending); err == nil {
		b.Payable, err = b.Payable.Sub(b.Paid)
	}
	return b, err
}

func (r balances) Payable(ctx context.Context, after affiliate.Account, afterCurrency affiliate.Currency, at time.Time, limit int) ([]affiliate.Balance, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	var list []affiliate.Balance
	var err error
	var pending map[uint16]affiliate.Money
	account := uint32(0) // whose pending is
	r.after(after, afterCurrency, func(row *totalRow) bool {
		if row.account != account {
			if pending, err = ledger(r).pending(row.account, at.UnixMicro()); err != nil {
				return false
			}
			account = row.account
		}
		var b affiliate.Balance
		if b, err = r.balance(row, pending); err != nil {
			err = engine.Overflow("balance")
			return false
		}
		if b.Payable.Sign() > 0 {
			list = append(list, b)
		}
		return len(list) < limit
	})
	if err != nil {
		return nil, r.u.Fail(err)
	}
	return list, nil
}

// after calls f with the totals after an account and currency, by account, then
// currency, until it returns false.
func (r balances) after(account affiliate.Account, currency affiliate.Currency, f func(*totalRow) bool) {
	t := r.u.db.core.totals
	part, i := t.inOrder.Search(func(row *totalRow) bool {
		total := r.total(row)
		return cmp.Or(cmp.Compare(total.Account, account), cmp.Compare(total.Currency, currency)) > 0
	})
	t.inOrder.Each(part, i, func(id uint32) bool { return f(t.At(id)) })
}

func (r balances) Scan(ctx context.Context, after affiliate.Account, afterCurrency affiliate.Currency, limit int) ([]affiliate.Total, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	var list []affiliate.Total
	r.after(after, afterCurrency, func(row *totalRow) bool {
		list = append(list, r.total(row))
		return len(list) < limit
	})
	return list, nil
}
