package adsync

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
)

// maxGathered bounds the items that callers save in one unit.
const maxGathered = 100

// itemSave is a SaveItem on its way into a unit, and what became of it.
type itemSave struct {
	gather.Call // its Err is why the input was refused; nothing of it was saved

	s      *Service // the caller's
	in     ItemInput
	result ItemResult
}

// saveGathered saves the inputs of several callers in one unit, in the order in
// which they came. The error is one of the unit.
func (s *Service) saveGathered(ctx context.Context, batch []*itemSave) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		// By account, in one order in all units, so that two of them do not wait for
		// each other.
		batch := slices.Clone(batch)
		slices.SortStableFunc(batch, func(a, b *itemSave) int { return cmp.Compare(a.s.who.account, b.s.who.account) })
		for len(batch) > 0 {
			n := slices.IndexFunc(batch, func(c *itemSave) bool { return c.s.who.account != batch[0].s.who.account })
			if n < 0 {
				n = len(batch)
			}
			if err := s.saveOfAccount(ctx, tx, batch[:n]); err != nil {
				return err
			}
			batch = batch[n:]
		}
		return nil
	})
}

// saveAlone saves an input in a unit that is nobody else's, and that fails with
// it.
func (s *Service) saveAlone(ctx context.Context, save *itemSave) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return cmp.Or(s.saveOfAccount(ctx, tx, []*itemSave{save}), save.Err)
	})
}

// saveOfAccount saves the inputs of an account's callers.
func (s *Service) saveOfAccount(ctx context.Context, tx Tx, saves []*itemSave) error {
	kept, missing := tx.SyncAccounts().Get(ctx, saves[0].s.who.account)
	if missing != nil && !errors.Is(missing, affiliate.ErrNotFound) {
		return missing
	}
	var owner Account
	var admitted []*itemSave
	var inputs []ItemInput
	for _, c := range saves {
		c.result = ItemResult{} // the unit may run again
		a, err := c.s.mayChange(kept, missing)
		if c.Err = err; err == nil {
			owner, admitted, inputs = a, append(admitted, c), append(inputs, c.in)
		}
	}
	if len(admitted) == 0 {
		return nil
	}
	w, err := s.saveItems(ctx, tx, owner, inputs...)
	if err != nil {
		return err
	}
	for _, c := range admitted {
		if c.result, err = w.save(ctx, c.in); err != nil {
			return err
		}
		c.Err = c.result.Err
	}
	return w.keep(ctx)
}
