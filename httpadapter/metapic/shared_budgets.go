package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/exports"
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

// listSharedBudgets returns all of an advertiser's: the document has no pages
// here.
func (s *server) listSharedBudgets(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64 `path:"store_id"`
}) ([]sharedBudget, error) {
	all := []sharedBudget{}
	rows := exports.Batches(affiliate.Sort{}, func(ctx context.Context, req affiliate.PageRequest) (affiliate.Page[offers.SharedBudgetView], error) {
		return s.offers.SharedBudgets(ctx, offers.SharedBudgetFilter{AdvertiserID: in.StoreID}, req)
	})
	err := s.offers.Snapshot(ctx, func(ctx context.Context) error {
		all = all[:0]
		next := rows()
		for {
			batch, err := next(ctx)
			if err != nil || len(batch) == 0 {
				return err
			}
			all = append(all, laravel.ShowAll(batch, showSharedBudget)...)
		}
	})
	return all, err
}

// budgetPath names a shared budget of an advertiser.
type budgetPath struct {
	StoreID  int64 `path:"store_id"`
	BudgetID int64 `path:"id"`
}

func (s *server) getSharedBudget(ctx context.Context, _ affiliate.Principal, in budgetPath) (out sharedBudget, err error) {
	b, err := s.offers.SharedBudget(ctx, in.StoreID, in.BudgetID)
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
	b, err := s.offers.UpdateSharedBudget(ctx, in.StoreID, in.BudgetID, func(b *offers.SharedBudget) error {
		var v affiliate.Validation
		laravel.Set(&b.Title, in.Title)
		if sent := in.Amount.Ptr(); sent != nil {
			b.Amount = sent.In(b.Currency, "amount", &v)
		}
		return v.Err("shared_budget")
	})
	if err != nil {
		return out, err
	}
	return showSharedBudget(b), nil
}

func (s *server) deleteSharedBudget(ctx context.Context, _ affiliate.Principal, in budgetPath) (wire.None, error) {
	return wire.None{}, s.offers.DeleteSharedBudget(ctx, in.StoreID, in.BudgetID)
}
