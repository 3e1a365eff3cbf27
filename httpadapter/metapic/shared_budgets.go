package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// sharedBudget shows its amounts twice: in minor and in major units.
type sharedBudget struct {
	ID              int64         `json:"id"`
	Title           string        `json:"title"`
	Amount          int64         `json:"amount"`
	AmountMoney     laravel.Money `json:"amount_v2"`
	Consumed        int64         `json:"consumed_budget"`
	ConsumedOfMoney laravel.Money `json:"consumed_budget_v2"`
	Currency        string        `json:"currency"`
}

func showSharedBudget(b offers.SharedBudgetView) sharedBudget {
	return sharedBudget{
		ID: b.ID, Title: b.Title, Amount: b.Amount, AmountMoney: laravel.Money(affiliate.NewMoney(b.Amount, b.Currency)),
		Consumed: b.Consumed, ConsumedOfMoney: laravel.Money(affiliate.NewMoney(b.Consumed, b.Currency)), Currency: string(b.Currency),
	}
}

// listSharedBudgets answers all of an advertiser's: the document has no pages
// here.
func (s *server) listSharedBudgets(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64 `path:"store_id"`
}) ([]sharedBudget, error) {
	if _, err := s.core.Advertiser(ctx, in.StoreID); err != nil {
		return nil, err
	}
	all := []sharedBudget{}
	next := laravel.Batches(affiliate.Sort{}, func(req affiliate.PageRequest) (affiliate.Page[offers.SharedBudgetView], error) {
		return s.offers.SharedBudgets(ctx, offers.SharedBudgetFilter{AdvertiserID: in.StoreID}, req)
	})
	for {
		batch, err := next()
		if err != nil || len(batch) == 0 {
			return all, err
		}
		all = append(all, laravel.ShowAll(batch, showSharedBudget)...)
	}
}

// budgetPath names a shared budget of an advertiser.
type budgetPath struct {
	StoreID  int64 `path:"store_id"`
	BudgetID int64 `path:"id"`
}

// budgetAt is the shared budget, if it is the advertiser's.
func (s *server) budgetAt(ctx context.Context, at budgetPath) (offers.SharedBudgetView, error) {
	b, err := s.offers.SharedBudget(ctx, at.BudgetID)
	if err == nil && b.AdvertiserID != at.StoreID {
		err = affiliate.NotFound("shared_budget", at.BudgetID)
	}
	return b, err
}

func (s *server) getSharedBudget(ctx context.Context, _ affiliate.Principal, in budgetPath) (out sharedBudget, err error) {
	b, err := s.budgetAt(ctx, in)
	if err != nil {
		return out, err
	}
	return showSharedBudget(b), nil
}

// updateSharedBudget changes what is sent, for PUT as for PATCH.
func (s *server) updateSharedBudget(ctx context.Context, _ affiliate.Principal, in struct {
	budgetPath
	Title  wire.Optional[string]         `json:"title"`
	Amount wire.Optional[laravel.Amount] `json:"amount"`
}) (out sharedBudget, err error) {
	before, err := s.budgetAt(ctx, in.budgetPath)
	if err != nil {
		return out, err
	}
	var v affiliate.Validation
	minor := before.Amount
	if sent := in.Amount.Ptr(); sent != nil {
		minor = sent.In(before.Currency, "amount", &v)
	}
	if err := v.Err("shared_budget"); err != nil {
		return out, err
	}
	b, err := s.offers.UpdateSharedBudget(ctx, in.BudgetID, func(b *offers.SharedBudget) {
		laravel.Set(&b.Title, in.Title)
		if in.Amount.Ptr() != nil {
			b.Amount = minor
		}
	})
	if err != nil {
		return out, err
	}
	return showSharedBudget(b), nil
}

func (s *server) deleteSharedBudget(ctx context.Context, _ affiliate.Principal, in budgetPath) (wire.None, error) {
	if _, err := s.budgetAt(ctx, in); err != nil {
		return wire.None{}, err
	}
	return wire.None{}, s.offers.DeleteSharedBudget(ctx, in.BudgetID)
}
