package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type balances struct{ u *unit }

func (r balances) Payable(ctx context.Context, after affiliate.Account, afterCurrency affiliate.Currency, at time.Time, limit int) ([]affiliate.Balance, error) {
	return read(ctx, r.u, "balance", func(ctx context.Context) ([]affiliate.Balance, error) {
		if limit <= 0 || !storable(string(after)) || !storable(string(afterCurrency)) {
			return nil, nil
		}
		var rows []balanceRow
		err := r.u.prepared(`SELECT t.account, t.currency, t.earned, t.paid, p.pending
			FROM {schema}affiliate_totals AS t CROSS JOIN LATERAL (SELECT coalesce(sum(e.earning), 0)::bigint AS pending FROM {schema}affiliate_entries AS e
				WHERE e.account = t.account AND e.currency = t.currency AND e.payable_at > ?2::timestamptz AND e.kind <> ?3::text) AS p
			WHERE (t.account, t.currency) > (?0::text, ?1::text) AND t.earned - p.pending - t.paid > 0
			ORDER BY t.account, t.currency LIMIT ?4::bigint`,
			string(after), string(afterCurrency), at, string(affiliate.EntryPayout), int64(limit)).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		return balancesOf(rows)
	})
}

type balanceRow struct {
	Account  affiliate.Account  `bun:"account"`
	Currency affiliate.Currency `bun:"currency"`
	Earned   int64              `bun:"earned"`
	Paid     int64              `bun:"paid"`
	Pending  int64              `bun:"pending"`
}

func (r balances) Get(ctx context.Context, account affiliate.Account, at time.Time) ([]affiliate.Balance, error) {
	return read(ctx, r.u, "balance", func(ctx context.Context) ([]affiliate.Balance, error) {
		if !storable(string(account)) {
			return nil, nil
		}
		var rows []balanceRow
		err := r.u.tx.NewRaw(`SELECT t.account, t.currency, t.earned, t.paid,
			(SELECT coalesce(sum(e.earning), 0)::bigint FROM ? AS e
				WHERE e.account = t.account AND e.currency = t.currency AND e.payable_at > ? AND e.kind <> ?) AS pending
			FROM ? AS t WHERE t.account = ? ORDER BY t.currency`,
			r.u.name("affiliate_entries"), at, affiliate.EntryPayout, r.u.name("affiliate_totals"), account).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		return balancesOf(rows)
	})
}

func balancesOf(rows []balanceRow) ([]affiliate.Balance, error) {
	var out []affiliate.Balance
	for _, row := range rows {
		b, err := row.balance()
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (r balanceRow) balance() (affiliate.Balance, error) {
	b := affiliate.Balance{
		Account: r.Account, Currency: r.Currency,
		Pending: affiliate.NewMoney(r.Pending, r.Currency), Paid: affiliate.NewMoney(r.Paid, r.Currency),
	}
	due, err := affiliate.NewMoney(r.Earned, r.Currency).Sub(b.Pending)
	if err == nil {
		b.Payable, err = due.Sub(b.Paid)
	}
	if err != nil {
		return affiliate.Balance{}, overflow("balance")
	}
	return b, nil
}

type totalRow struct {
	bun.BaseModel `bun:"table:affiliate_totals,alias:t"`

	Account  affiliate.Account  `bun:"account"`
	Currency affiliate.Currency `bun:"currency"`
	Earned   int64              `bun:"earned"`
	Paid     int64              `bun:"paid"`
	Cost     int64              `bun:"cost"`
	Entries  int64              `bun:"entries"`
}

func (r balances) Scan(ctx context.Context, after affiliate.Account, afterCurrency affiliate.Currency, limit int) ([]affiliate.Total, error) {
	return read(ctx, r.u, "total", func(ctx context.Context) ([]affiliate.Total, error) {
		if limit <= 0 || !storable(string(after)) || !storable(string(afterCurrency)) {
			return nil, nil
		}
		var rows []totalRow
		err := r.u.tx.NewSelect().Model(&rows).ModelTableExpr(r.u.from("affiliate_totals")).
			Where("(t.account, t.currency) > (?, ?)", after, afterCurrency).
			OrderExpr("t.account, t.currency").Limit(int64(limit)).Scan(ctx)
		if err != nil {
			return nil, err
		}
		var out []affiliate.Total
		for _, row := range rows {
			out = append(out, affiliate.Total{
				Account: row.Account, Currency: row.Currency,
				Earned: row.Earned, Paid: row.Paid, Cost: row.Cost, Entries: row.Entries,
			})
		}
		return out, nil
	})
}
