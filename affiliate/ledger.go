package affiliate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Reversal takes back a part of an entry, or all of it.
type Reversal struct {
	EntryID int64
	Earning Money  // how much of the earning, not negative
	Cost    Money  // how much of the cost, not negative
	Cause   string // unique over the ledger: reversing twice for one cause is a conflict
}

// Reverse books a reversal. The reversals of an entry never exceed it: more is
// ErrInvalid "exceeds_original". What was still pending stays so: a reversal
// is payable when the entry is. An action of the core, for any unit of work.
func Reverse(ctx context.Context, tx Tx, now time.Time, r Reversal) (Entry, error) {
	found, err := tx.Ledger().GetMany(ctx, []int64{r.EntryID})
	if err != nil {
		return Entry{}, err
	}
	if len(found) == 0 {
		return Entry{}, NotFound("entry", r.EntryID)
	}
	original := found[0]
	if original.Kind == EntryReversal || original.Kind == EntryPayout {
		return Entry{}, Invalid("entry", FieldError{Field: "entry_id", Code: "not_reversible", Message: "must not be a reversal or a payout"})
	}
	before, err := tx.Ledger().Reversals(ctx, []int64{r.EntryID})
	if err != nil {
		return Entry{}, err
	}
	earning, err := reversed("earning", original.Earning, r.Earning, before, func(e Entry) Money { return e.Earning })
	if err != nil {
		return Entry{}, err
	}
	cost, err := reversed("cost", original.Cost, r.Cost, before, func(e Entry) Money { return e.Cost })
	if err != nil {
		return Entry{}, err
	}
	entries, err := tx.Ledger().Append(ctx, Entry{
		Kind: EntryReversal, Account: original.Account, AdvertiserID: original.AdvertiserID,
		Earning: earning, Cost: cost, OccurredAt: now, PayableAt: later(original.PayableAt, now),
		Cause: r.Cause, Terms: original.Terms, Reverses: original.ID,
	})
	if err != nil {
		return Entry{}, err
	}
	return entries[0], nil
}

// reversed checks one amount of a reversal against what is left of the
// original and returns it as the entry shows it, with the opposite sign.
func reversed(field string, original, part Money, before []Entry, of func(Entry) Money) (Money, error) {
	left := original
	var err error
	for _, e := range before {
		if left, err = left.Add(of(e)); err != nil {
			return Money{}, err
		}
	}
	if part.Currency() != original.Currency() {
		return Money{}, Invalid("entry", FieldError{Field: field, Code: "currency_mismatch", Message: "must be in " + string(original.Currency())})
	}
	if part.Sign() < 0 || part.Minor() > left.Minor() {
		return Money{}, Invalid("entry", FieldError{Field: field, Code: "exceeds_original", Message: fmt.Sprintf("must be between 0 and %s", left)})
	}
	return part.Neg()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Reverse books a reversal in a unit of its own.
func (s *Service) Reverse(ctx context.Context, r Reversal) (Entry, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (Entry, error) {
		e, err := Reverse(ctx, tx, s.clock.Now(), r)
		if err != nil {
			return e, err
		}
		return e, tx.Events().Add(ctx, ReversedEvent(e))
	})
}

// Balances returns what an account has now, by currency.
func (s *Service) Balances(ctx context.Context, account Account) ([]Balance, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Balance, error) {
		return tx.Balances().Get(ctx, account, s.clock.Now())
	})
}

// Entries lists ledger entries.
func (s *Service) Entries(ctx context.Context, f EntryFilter, p PageRequest) (Page[Entry], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[Entry], error) {
		return tx.Ledger().List(ctx, f, p)
	})
}

// EntriesByCause returns the entries that were booked for the causes (see
// Click.Cause and Order.Cause in package links) and those that reverse them, by
// ascending id. At most MaxBatch causes, else ErrInvalid.
func (s *Service) EntriesByCause(ctx context.Context, causes []string) ([]Entry, error) {
	var v Validation
	v.Check(len(causes) <= MaxBatch, "causes", "too_many", fmt.Sprintf("must be at most %d", MaxBatch))
	if err := v.Err("entry"); err != nil {
		return nil, err
	}
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Entry, error) {
		entries, err := tx.Ledger().ByCauses(ctx, causes)
		if err != nil || len(entries) == 0 {
			return nil, err
		}
		ids := make([]int64, len(entries))
		for i, e := range entries {
			ids[i] = e.ID
		}
		reversals, err := tx.Ledger().Reversals(ctx, ids)
		entries = append(entries, reversals...)
		slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
		return slices.CompactFunc(entries, func(a, b Entry) bool { return a.ID == b.ID }), err
	})
}

// Totals returns at most limit running totals after the given account and
// currency: what a report over all accounts pages through.
func (s *Service) Totals(ctx context.Context, after Account, afterCurrency Currency, limit int) ([]Total, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Total, error) {
		return tx.Balances().Scan(ctx, after, afterCurrency, limit)
	})
}
