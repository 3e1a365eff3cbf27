package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type accountsPage struct {
	Totals []totalRow
	Pager  pager
}

type totalRow struct {
	affiliate.Total
	Address            string
	EarnedSum, PaidSum affiliate.Money
	CostSum            affiliate.Money
}

func rowOf(t affiliate.Total) totalRow {
	money := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, t.Currency) }
	return totalRow{t, accountAddress(t.Account), money(t.Earned), money(t.Paid), money(t.Cost)}
}

func accountAddress(a affiliate.Account) string {
	return Prefix + "/account?" + url.Values{"id": {string(a)}}.Encode()
}

// accounts lists all accounts of the ledger by name (GET /console/accounts).
func (c *Console) accounts(ctx context.Context, r *http.Request) (any, error) {
	q := r.URL.Query()
	after, currency := affiliate.Account(q.Get("after")), affiliate.Currency(q.Get("currency"))
	if err := checkText("after", string(after)); err != nil {
		return nil, err
	}
	if err := checkText("currency", string(currency)); err != nil {
		return nil, err
	}
	list, err := c.kit.Core.Totals(ctx, after, currency, PageSize+1)
	if err != nil {
		return nil, err
	}
	var out accountsPage
	if len(list) > PageSize {
		list = list[:PageSize]
		last := list[PageSize-1]
		out.Pager.Next = r.URL.Path + "?" + url.Values{"after": {string(last.Account)}, "currency": {string(last.Currency)}}.Encode()
	}
	if after != "" {
		out.Pager.Previous = r.URL.Path
	}
	for _, t := range list {
		out.Totals = append(out.Totals, rowOf(t))
	}
	return out, nil
}

// checkText refuses what no backend keeps, in the words of a reader.
func checkText(name, text string) error {
	var v affiliate.Validation
	v.Text(name, text, 0, 64)
	return v.Err("page")
}

// accountPage is a balance and the entries that it is the sum of.
type accountPage struct {
	Account  affiliate.Account
	Owner    string
	Orders   string // where the owner's orders are; empty: it is no creator
	Balances []balanceRow
	Entries  []affiliate.Entry
	Pager    pager
}

// balanceRow is a balance with what it is made of.
type balanceRow struct {
	affiliate.Balance
	Total totalRow
}

// account is the page of one account (GET /console/account?id=user:1).
func (c *Console) account(ctx context.Context, r *http.Request) (any, error) {
	account := affiliate.Account(r.URL.Query().Get("id"))
	if err := checkText("id", string(account)); err != nil {
		return nil, err
	}
	p, err := numbered(r, affiliate.Sort{Column: "occurred_at", Desc: true})
	if err != nil {
		return nil, err
	}
	if account == "" {
		return nil, affiliate.NotFound("account", "")
	}
	balances, err := c.kit.Core.Balances(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := c.kit.Core.Entries(ctx, affiliate.EntryFilter{Account: account}, p)
	if err != nil {
		return nil, err
	}
	if len(balances) == 0 && list.Total == 0 {
		return nil, affiliate.NotFound("account", account)
	}
	out := accountPage{Account: account, Entries: list.Items, Pager: pagerFor(r, p, len(list.Items), list.Total, "entries")}
	totals, err := c.kit.Core.Totals(ctx, account, "", len(balances))
	if err != nil {
		return nil, err
	}
	for _, b := range balances {
		row := balanceRow{Balance: b}
		for _, t := range totals {
			if t.Account == account && t.Currency == b.Currency {
				row.Total = rowOf(t)
			}
		}
		out.Balances = append(out.Balances, row)
	}
	out.Owner, err = c.owner(ctx, account)
	if out.Owner != "" {
		out.Orders = Prefix + "/orders?user=" + strings.TrimPrefix(string(account), "user:")
	}
	return out, err
}

// owner is the name of the creator whose account it is, if it is a creator's.
func (c *Console) owner(ctx context.Context, a affiliate.Account) (string, error) {
	text, ok := strings.CutPrefix(string(a), "user:")
	if !ok {
		return "", nil
	}
	id, err := wholeNumber("id", text)
	if err != nil {
		return "", nil // an account of the host's that only looks like one
	}
	users, err := c.kit.Core.UsersByID(ctx, []int64{id})
	if err != nil {
		return "", fmt.Errorf("read the owner: %w", err)
	}
	return users[id].Username, nil
}
