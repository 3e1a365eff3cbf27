package payouts

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// RunInput says what a run does.
type RunInput struct {
	Period Period
	// Invoice gives each payment its invoice in the unit that adds it. Without it
	// payments stay open until IssueInvoices or CreateInvoice.
	Invoice bool
	// Progress is called after each unit, in the goroutine that called Run, with
	// what was done so far; nil: it is not.
	Progress func(RunResult)
}

// RunResult counts what a run did.
type RunResult struct {
	Balances   int // payable balances looked at
	Payments   int // added
	Invoices   int // issued
	BelowLimit int // balances that carry over
	Held       int // balances of users whose payouts are held
	Earlier    int // balances of users who have a payment of this period already
	Unknown    int // balances of users that are not there
}

func (r *RunResult) add(o RunResult) {
	r.Balances += o.Balances
	r.Payments += o.Payments
	r.Invoices += o.Invoices
	r.BelowLimit += o.BelowLimit
	r.Held += o.Held
	r.Earlier += o.Earlier
	r.Unknown += o.Unknown
}

// userAccounts is what the accounts of users begin with: balances after it, and
// with it, are theirs.
const userAccounts = "user:"

// Run makes the payments of a period that is over: one for each user and
// currency whose balance, payable at the end of the period, reaches the payment
// limit and is not held. In the same unit it books the payout entry, so that
// what was paid is payable no longer. What is below the limit carries over.
//
// Run works in units of Options.Batch balances. It may be stopped or killed at
// any point, run again, and run by several processes at once: each payment and
// each invoice number is there once, and none is missing. Its memory does not
// grow with the ledger. A period that is not over is ErrState
// "period_not_over". Only for the operator.
//
// The limit is that of the advertiser group of the user's client, when the
// balance is in the group's currency; else the lowest of the groups with the
// currency; without one, any amount above 0.
func (s *Service) Run(ctx context.Context, in RunInput) (RunResult, error) {
	var total RunResult
	if err := s.operatorOnly(); err != nil {
		return total, err
	}
	if _, err := ParsePeriod(string(in.Period)); err != nil {
		return total, err
	}
	if in.Period.End().After(s.clock.Now()) {
		return total, &affiliate.Error{Kind: affiliate.ErrState, Code: "period_not_over", Resource: "payment", Message: "the period " + string(in.Period) + " is not over"}
	}
	report := func(r RunResult) {
		total.add(r)
		if in.Progress != nil {
			in.Progress(total)
		}
	}
	if err := s.runBalances(ctx, in, report); err != nil || !in.Invoice {
		return total, err
	}
	// Payments that an earlier run left open.
	return total, s.issueOpen(ctx, PaymentFilter{Period: in.Period}, func(n int) { report(RunResult{Invoices: n}) })
}

// runStep is what one unit of a run did.
type runStep struct {
	result   RunResult
	account  affiliate.Account // the last one looked at
	currency affiliate.Currency
	last     bool
}

// runAttempts is how often a unit of one balance is tried again. The backend
// has tried each of them before.
const runAttempts = 10

// runBalances walks over the payable balances. Units that collide with others,
// which book entries for the same users, are tried again with half as many
// balances, so that a busy ledger slows a run down and never stops it.
func (s *Service) runBalances(ctx context.Context, in RunInput, report func(RunResult)) error {
	at := runStep{account: userAccounts}
	size, failed := s.batch, 0
	for !at.last {
		st, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (runStep, error) {
			return s.runUnit(ctx, tx, in, at, size)
		})
		switch {
		case err == nil:
			at, failed = st, 0
			size = min(2*size, s.batch)
			report(st.result)
		case ctx.Err() != nil || !collided(err):
			return err
		case size > 1:
			size /= 2
		case failed < runAttempts:
			failed++
		default:
			return err
		}
	}
	return nil
}

// collided reports whether a unit failed because of another one.
func collided(err error) bool {
	return errors.Is(err, affiliate.ErrUnavailable) || errors.Is(err, affiliate.ErrConflict)
}

func (s *Service) runUnit(ctx context.Context, tx Tx, in RunInput, at runStep, size int) (runStep, error) {
	st := runStep{account: at.account, currency: at.currency}
	balances, err := tx.Balances().Payable(ctx, at.account, at.currency, justBefore(in.Period), size)
	if err != nil {
		return st, err
	}
	st.last = len(balances) < size
	for i, b := range balances {
		if !strings.HasPrefix(string(b.Account), userAccounts) {
			balances, st.last = balances[:i], true
			break
		}
		st.account, st.currency = b.Account, b.Currency
	}
	st.result.Balances = len(balances)
	due, err := s.chooseDue(ctx, tx, in.Period, balances, &st.result)
	if err != nil || len(due) == 0 {
		return st, err
	}
	payments, err := s.newPayments(ctx, tx, in.Period, due)
	if err != nil {
		return st, err
	}
	if err := s.book(ctx, tx, payments, due, in.Invoice); err != nil {
		return st, err
	}
	st.result.Payments = len(payments)
	if in.Invoice {
		st.result.Invoices = len(payments)
	}
	return st, nil
}

// due is a balance that is to be paid, and to whom.
type due struct {
	balance affiliate.Balance
	user    affiliate.User
}

// userIDOf returns the user of an account; 0 when it is not a user's.
func userIDOf(a affiliate.Account) int64 {
	id, err := strconv.ParseInt(strings.TrimPrefix(string(a), userAccounts), 10, 64)
	if err != nil || affiliate.UserAccount(id) != a {
		return 0
	}
	return id
}

// chooseDue returns the balances that are to be paid now, and counts why the
// others are not.
func (s *Service) chooseDue(ctx context.Context, tx Tx, period Period, balances []affiliate.Balance, result *RunResult) ([]due, error) {
	ids := make([]int64, 0, len(balances))
	for _, b := range balances {
		if id := userIDOf(b.Account); id > 0 {
			ids = append(ids, id)
		}
	}
	found, err := tx.Users().GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	users := make(map[int64]affiliate.User, len(found))
	for _, u := range found {
		users[u.ID] = u
	}
	there, err := tx.Payments().ByUsers(ctx, period, ids)
	if err != nil {
		return nil, err
	}
	paid := make(map[key]bool, len(there))
	for _, p := range there {
		paid[p.key()] = true
	}
	held, err := s.held(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	limit, err := limits(ctx, tx, found)
	if err != nil {
		return nil, err
	}
	var out []due
	for _, b := range balances {
		u, known := users[userIDOf(b.Account)]
		_, isHeld := held[u.ID]
		switch {
		case !known:
			result.Unknown++
		case paid[key{u.ID, b.Currency}]:
			result.Earlier++
		case isHeld:
			result.Held++
		case b.Payable.Minor() < limit(u, b.Currency):
			result.BelowLimit++
		default:
			out = append(out, due{b, u})
		}
	}
	return out, nil
}

// limits returns how the payment limit of a user in a currency is found, in
// minor units: at least 1.
func limits(ctx context.Context, tx Tx, users []affiliate.User) (func(affiliate.User, affiliate.Currency) int64, error) {
	clientIDs := make([]int64, 0, len(users))
	for _, u := range users {
		clientIDs = append(clientIDs, u.ClientID)
	}
	clients, err := tx.Clients().GetMany(ctx, idset.Sorted(clientIDs))
	if err != nil {
		return nil, err
	}
	groupOf := make(map[int64]int64, len(clients))
	for _, c := range clients {
		groupOf[c.ID] = c.GroupID
	}
	groups := make(map[int64]affiliate.AdvertiserGroup)
	lowest := make(map[affiliate.Currency]int64)
	for page := 1; ; page++ {
		list, err := tx.AdvertiserGroups().List(ctx, affiliate.AdvertiserGroupFilter{}, affiliate.PageRequest{Number: page, Size: affiliate.MaxPageSize})
		if err != nil {
			return nil, err
		}
		for _, g := range list.Items {
			groups[g.ID] = g
			if l, ok := lowest[g.Currency]; !ok || g.PaymentLimit < l {
				lowest[g.Currency] = g.PaymentLimit
			}
		}
		if len(list.Items) < affiliate.MaxPageSize {
			break
		}
	}
	return func(u affiliate.User, c affiliate.Currency) int64 {
		limit := lowest[c]
		if g, ok := groups[groupOf[u.ClientID]]; ok && g.Currency == c {
			limit = g.PaymentLimit
		}
		return max(limit, 1)
	}, nil
}

// newPayments returns the payments of balances that are due, still without ids.
func (s *Service) newPayments(ctx context.Context, tx Tx, period Period, list []due) ([]Payment, error) {
	accounts := make([]affiliate.Account, len(list))
	clientIDs, userIDs := make([]int64, len(list)), make([]int64, len(list))
	for i, d := range list {
		accounts[i], clientIDs[i], userIDs[i] = d.balance.Account, d.user.ClientID, d.user.ID
	}
	sums, err := tx.Ledger().SumByKind(ctx, accounts, period.Start(), period.End())
	if err != nil {
		return nil, err
	}
	parts := make(map[key][]Part)
	for _, k := range sums {
		at := key{userIDOf(k.Account), k.Earning.Currency()}
		parts[at] = append(parts[at], Part{Kind: k.Kind, Amount: k.Earning.Minor(), Entries: k.Entries})
	}
	configs, err := tx.PaymentSystems().Holding(ctx, period.End(), idset.Sorted(clientIDs), idset.Sorted(userIDs))
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	payments := make([]Payment, len(list))
	for i, d := range list {
		p := Payment{
			UserID: d.user.ID, ClientID: d.user.ClientID, Period: period, Amount: d.balance.Payable,
			System: systemOf(configs, d.user), Status: Open, CreatedAt: now,
		}
		if p.Parts, err = withBroughtForward(p.Amount, parts[p.key()]); err != nil {
			return nil, err
		}
		payments[i] = p
	}
	return payments, nil
}

// withBroughtForward adds what the parts of the period do not explain.
func withBroughtForward(amount affiliate.Money, parts []Part) ([]Part, error) {
	rest := amount
	for _, p := range parts {
		var err error
		if rest, err = rest.Sub(affiliate.NewMoney(p.Amount, amount.Currency())); err != nil {
			return nil, err
		}
	}
	if rest.IsZero() {
		return parts, nil
	}
	return append([]Part{{Kind: BroughtForward, Amount: rest.Minor()}}, parts...), nil
}

// book adds the payments and what belongs to them: the payout entries and, if
// wanted, the invoices. It gives the payments their ids.
func (s *Service) book(ctx context.Context, tx Tx, payments []Payment, list []due, invoice bool) error {
	users := make(map[int64]affiliate.User, len(list))
	for _, d := range list {
		users[d.user.ID] = d.user
	}
	var invoices []Invoice
	if invoice {
		var err error
		if invoices, err = s.number(ctx, tx, payments, users); err != nil {
			return err
		}
	}
	kept, err := tx.Payments().Add(ctx, payments...)
	if err != nil {
		return err
	}
	copy(payments, kept)
	if err := s.addInvoices(ctx, tx, payments, invoices, users); err != nil {
		return err
	}
	events := paymentEvents(EventPaymentCreated, payments, s.clock.Now())
	if invoice {
		events = append(events, paymentEvents(EventPaymentInvoiced, payments, s.clock.Now())...)
	}
	if err := tx.Events().Add(ctx, events...); err != nil {
		return err
	}
	entries := make([]affiliate.Entry, len(payments))
	for i, p := range payments {
		earning, err := p.Amount.Neg()
		if err != nil {
			return err
		}
		entries[i] = affiliate.Entry{
			Kind: affiliate.EntryPayout, Account: affiliate.UserAccount(p.UserID),
			Earning: earning, Cost: affiliate.NewMoney(0, p.Amount.Currency()),
			OccurredAt: p.CreatedAt, PayableAt: p.CreatedAt, Cause: p.Cause(),
		}
	}
	_, err = tx.Ledger().Append(ctx, entries...)
	return err
}
