package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func addSharedBudget(ctx context.Context, tx Tx, now time.Time, a affiliate.Advertiser, n SharedBudgetInput) (int64, error) {
	b, err := tx.SharedBudgets().Add(ctx, SharedBudget{
		AdvertiserID: a.ID, Title: n.Title, Amount: n.Amount, Currency: a.Currency, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return 0, err
	}
	return b.ID, tx.Events().Add(ctx, b.event(EventBudgetCreated, now))
}

// checkReferences refuses an offer whose shared budget is another advertiser's or
// in another currency, or that changes to a store group that the viewer does not
// see. What somebody may not see is an unknown reference, as what is not there.
func (s *Service) checkReferences(ctx context.Context, tx Tx, o, before Offer) error {
	var v affiliate.Validation
	if o.SharedBudgetID != 0 {
		found, err := tx.SharedBudgets().GetMany(ctx, []int64{o.SharedBudgetID})
		if err != nil {
			return err
		}
		own := len(found) == 1 && found[0].AdvertiserID == o.AdvertiserID
		v.Check(own, "shared_budget_id", "unknown_reference", "must be a shared budget of the advertiser")
		v.Check(!own || found[0].Currency == o.Currency, "shared_budget_id", "currency_mismatch", "must be in the currency of the offer")
	}
	if o.StoreGroupID != 0 && o.StoreGroupID != before.StoreGroupID {
		seen, err := affiliate.VisibleGroups(ctx, tx, s.viewer, []int64{o.StoreGroupID})
		if err != nil {
			return err
		}
		v.Check(len(seen) == 1, "store_group_id", "unknown_reference", "must be the id of an existing store group")
	}
	return v.Err("offer")
}

// changeBudget returns the shared budget that the offer is to have.
func changeBudget(ctx context.Context, tx Tx, now time.Time, o Offer, change affiliate.Optional[SharedBudgetInput]) (int64, error) {
	if !change.Set {
		return o.SharedBudgetID, nil
	}
	if o.SharedBudgetID == 0 {
		return addSharedBudget(ctx, tx, now, affiliate.Advertiser{ID: o.AdvertiserID, Currency: o.Currency}, change.Value)
	}
	_, err := updateSharedBudget(ctx, tx, now, o.AdvertiserID, o.SharedBudgetID, func(b *SharedBudget) error {
		b.Title, b.Amount = change.Value.Title, change.Value.Amount
		return nil
	})
	return o.SharedBudgetID, err
}

// budgetOf returns a shared budget of the advertiser.
func budgetOf(ctx context.Context, tx Tx, advertiserID, id int64) (SharedBudget, error) {
	b, err := tx.SharedBudgets().Get(ctx, id)
	if err == nil && b.AdvertiserID != advertiserID {
		return SharedBudget{}, affiliate.NotFound("shared_budget", id)
	}
	return b, err
}

// ownsBudget is budgetOf for an advertiser that the viewer acts for.
func (s *Service) ownsBudget(ctx context.Context, tx Tx, advertiserID, id int64) (SharedBudget, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return SharedBudget{}, affiliate.NotFound("shared_budget", id)
	}
	return budgetOf(ctx, tx, advertiserID, id)
}

func updateSharedBudget(ctx context.Context, tx Tx, now time.Time, advertiserID, id int64, change func(*SharedBudget) error) (SharedBudgetView, error) {
	used, err := tx.Usage().Lock(ctx, []UsageKey{SharedUsage(id)}) // who charges a click to the budget has then either committed or will see the change
	if err != nil {
		return SharedBudgetView{}, err
	}
	b, err := budgetOf(ctx, tx, advertiserID, id)
	if err != nil {
		return SharedBudgetView{}, err
	}
	before := b
	if err := change(&b); err != nil {
		return SharedBudgetView{}, err
	}
	b.ID, b.AdvertiserID, b.Currency, b.CreatedAt, b.UpdatedAt = before.ID, before.AdvertiserID, before.Currency, before.CreatedAt, now
	if err := tx.SharedBudgets().Update(ctx, b); err != nil {
		return SharedBudgetView{}, err
	}
	return SharedBudgetView{b, used[SharedUsage(id)].Spent}, tx.Events().Add(ctx, b.event(EventBudgetUpdated, now))
}

// CreateSharedBudget adds a shared budget in the advertiser's currency.
func (s *Service) CreateSharedBudget(ctx context.Context, advertiserID int64, n SharedBudgetInput) (SharedBudgetView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (SharedBudgetView, error) {
		if !s.viewer.ActsFor(advertiserID) {
			return SharedBudgetView{}, affiliate.NotFound("advertiser", advertiserID)
		}
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return SharedBudgetView{}, err
		}
		id, err := addSharedBudget(ctx, tx, s.clock.Now(), a, n)
		if err != nil {
			return SharedBudgetView{}, err
		}
		b, err := tx.SharedBudgets().Get(ctx, id)
		return SharedBudgetView{SharedBudget: b}, err
	})
}

// UpdateSharedBudget applies change to a shared budget of the advertiser;
// change may run again, and only title and amount are its to change
// (shared-budget-update).
func (s *Service) UpdateSharedBudget(ctx context.Context, advertiserID, id int64, change func(*SharedBudget) error) (SharedBudgetView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (SharedBudgetView, error) {
		if _, err := s.ownsBudget(ctx, tx, advertiserID, id); err != nil {
			return SharedBudgetView{}, err
		}
		return updateSharedBudget(ctx, tx, s.clock.Now(), advertiserID, id, change)
	})
}

// DeleteSharedBudget deletes a shared budget of the advertiser. It is ErrConflict "in_use" while
// an offer has it that is not deleted (shared-budget-delete).
func (s *Service) DeleteSharedBudget(ctx context.Context, advertiserID, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		b, err := s.ownsBudget(ctx, tx, advertiserID, id)
		if err != nil {
			return err
		}
		if err := tx.SharedBudgets().Delete(ctx, id); err != nil {
			return err
		}
		return tx.Events().Add(ctx, b.event(EventBudgetDeleted, s.clock.Now()))
	})
}

// SharedBudget returns one shared budget of the advertiser (shared-budget-get).
func (s *Service) SharedBudget(ctx context.Context, advertiserID, id int64) (SharedBudgetView, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (SharedBudgetView, error) {
		b, err := s.ownsBudget(ctx, tx, advertiserID, id)
		if err != nil {
			return SharedBudgetView{}, err
		}
		used, err := tx.Usage().Get(ctx, []UsageKey{SharedUsage(id)})
		return SharedBudgetView{b, used[SharedUsage(id)].Spent}, err
	})
}

// SharedBudgets lists shared budgets (shared-budgets-list).
func (s *Service) SharedBudgets(ctx context.Context, f SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[SharedBudgetView], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[SharedBudgetView], error) {
		var out affiliate.Page[SharedBudgetView]
		if !s.viewer.ActsFor(f.AdvertiserID) {
			return out, affiliate.NotFound("advertiser", f.AdvertiserID)
		}
		if f.AdvertiserID != 0 {
			if _, err := tx.Advertisers().Get(ctx, f.AdvertiserID); err != nil {
				return out, err
			}
		}
		page, err := tx.SharedBudgets().List(ctx, f, p)
		if err != nil {
			return out, err
		}
		keys := make([]UsageKey, len(page.Items))
		for i, b := range page.Items {
			keys[i] = SharedUsage(b.ID)
		}
		used, err := tx.Usage().Get(ctx, keys)
		for _, b := range page.Items {
			out.Items = append(out.Items, SharedBudgetView{b, used[SharedUsage(b.ID)].Spent})
		}
		out.Total = page.Total
		return out, err
	})
}
