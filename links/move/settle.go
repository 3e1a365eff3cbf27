package move

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// add adds an entry. The sum cannot leave 64 bits where the totals of the accounts
// that it comes from did not.
func (s settlement) add(e affiliate.Entry) {
	at := e.PayableAt.UTC()
	if !at.After(s.at) {
		at = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	d := due{e.Account, e.Earning.Currency(), at.UnixMicro()}
	sum, ok := s.sums[d]
	if !ok {
		sum = affiliate.NewMoney(0, d.currency)
	}
	s.sums[d] = affiliate.NewMoney(sum.Minor()+e.Earning.Minor(), d.currency)
	if e.PayableAt.After(s.last[d]) {
		s.last[d] = e.PayableAt
	}
}

// entries take out of every account what it got from the advertiser, at the time
// when it is payable: what was booked before the move is paid where it was booked.
func (s settlement) entries(advertiserID int64) ([]affiliate.Entry, error) {
	var out []affiliate.Entry
	for _, d := range slices.SortedFunc(maps.Keys(s.sums), func(a, b due) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency), cmp.Compare(a.at, b.at))
	}) {
		if s.sums[d].IsZero() {
			continue
		}
		back, err := s.sums[d].Neg()
		if err != nil {
			return nil, err
		}
		out = append(out, affiliate.Entry{
			Kind: affiliate.EntryAdjustment, Account: d.account, Earning: back, Cost: affiliate.NewMoney(0, d.currency),
			OccurredAt: s.last[d], PayableAt: s.last[d],
			Cause: fmt.Sprintf("moved:%d:%s:%s:%d", advertiserID, d.account, d.currency, d.at),
		})
	}
	return out, nil
}

// settle books them, as far as they are not booked.
func settle(ctx context.Context, tx Tx, entries []affiliate.Entry) error {
	causes := make([]string, len(entries))
	for i := range entries {
		causes[i] = entries[i].Cause
	}
	booked, err := tx.Ledger().ByCauses(ctx, causes)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, e := range booked {
		there[e.Cause] = true
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e affiliate.Entry) bool { return there[e.Cause] })
	if len(entries) == 0 {
		return nil
	}
	_, err = tx.Ledger().Append(ctx, entries...)
	return err
}

// clickOf is the click that an entry is of; false when it is of none.
func clickOf(e affiliate.Entry) (uuid.UUID, bool) {
	id, ok := strings.CutPrefix(e.Cause, "click:")
	if !ok || e.Kind != affiliate.EntryClick {
		return uuid.Nil, false
	}
	click, err := uuid.Parse(id)
	return click, err == nil
}
