package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// View is an offer as it is at an instant.
type View struct {
	Offer
	Advertiser affiliate.Advertiser
	Status     Status
	Used       Counts // over all creators
	Shared     affiliate.Optional[SharedBudgetView]
	// Targets are whom the offer is for. Only the offer of one request has them,
	// unless it is deleted, and only for those who act for its advertiser.
	Targets affiliate.Optional[Targets]
}

// SharedBudgetView is a shared budget and what its offers have used of it.
type SharedBudgetView struct {
	SharedBudget
	Consumed int64 // minor units
}

func (b SharedBudgetView) shared() Shared { return Shared{Amount: b.Amount, Spent: b.Consumed} }

// views completes offers, in their order, with one read of each kind.
func views(ctx context.Context, tx Tx, now time.Time, offers []Offer) ([]View, error) {
	if len(offers) == 0 {
		return nil, nil
	}
	var advertiserIDs, budgetIDs []int64
	var keys []UsageKey
	for _, o := range offers {
		advertiserIDs = append(advertiserIDs, o.AdvertiserID)
		keys = append(keys, OfferUsage(o.ID))
		if o.SharedBudgetID != 0 {
			budgetIDs = append(budgetIDs, o.SharedBudgetID)
			keys = append(keys, SharedUsage(o.SharedBudgetID))
		}
	}
	advertisers, err := idset.Index(ctx, tx.Advertisers().GetMany, advertiserIDs, func(a affiliate.Advertiser) int64 { return a.ID })
	if err != nil {
		return nil, err
	}
	budgets, err := idset.Index(ctx, tx.SharedBudgets().GetMany, budgetIDs, func(b SharedBudget) int64 { return b.ID })
	if err != nil {
		return nil, err
	}
	used, err := tx.Usage().Get(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(offers))
	for i, o := range offers {
		v := View{Offer: o, Advertiser: advertisers[o.AdvertiserID], Used: used[OfferUsage(o.ID)]}
		var shared affiliate.Optional[Shared]
		if b, ok := budgets[o.SharedBudgetID]; ok {
			v.Shared = affiliate.Some(SharedBudgetView{b, used[SharedUsage(b.ID)].Spent})
			shared = affiliate.Some(v.Shared.Value.shared())
		}
		v.Status = o.Status(now, v.Used, shared)
		out[i] = v
	}
	return out, nil
}

func view(ctx context.Context, tx Tx, now time.Time, o Offer) (View, error) {
	all, err := views(ctx, tx, now, []Offer{o})
	if err != nil {
		return View{}, err
	}
	return all[0], nil
}
