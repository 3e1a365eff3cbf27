package offers

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Explain returns what became of a click of the user now, offer by offer: every
// one of the advertiser that is not deleted, in rank, with why it does or does
// not serve, by the same rule that charges clicks.
func (s *Service) Explain(ctx context.Context, advertiserID, userID int64, source affiliate.TrafficSource) ([]Judged, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Judged, error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return nil, err
		}
		candidates, err := candidatesOf(ctx, tx, a, userID, s.clock.Now())
		return Explain(candidates, Request{Advertiser: &a, Source: source, At: s.clock.Now()}), err
	})
}

// candidatesOf are all offers of an advertiser as candidates for a user.
func candidatesOf(ctx context.Context, tx Tx, a affiliate.Advertiser, userID int64, now time.Time) ([]Candidate, error) {
	u, err := tx.Users().Get(ctx, userID)
	if err != nil {
		return nil, err
	}
	targets, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
	if err != nil {
		return nil, err
	}
	var out []Candidate
	for n := 1; ; n++ {
		request := affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize}
		filter := OfferFilter{AdvertiserIDs: []int64{a.ID}, Statuses: []Status{Paused, Ended, Scheduled, Active}, At: now}
		page, err := tx.Offers().List(ctx, filter, request)
		if err != nil {
			return nil, err
		}
		w, err := worldOf(ctx, tx, page.Items, u.ID)
		if err != nil {
			return nil, err
		}
		ids := []int64{}
		for _, o := range page.Items {
			ids = append(ids, o.ID)
		}
		filter = OfferFilter{IDs: ids, Targets: targets[u.ID]}
		aimed, err := tx.Offers().List(ctx, filter, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
		if err != nil {
			return nil, err
		}
		for _, o := range page.Items {
			is := slices.ContainsFunc(aimed.Items, func(t Offer) bool { return t.ID == o.ID })
			out = append(out, w.candidate(&o, u.ID, is))
		}
		if n*affiliate.MaxPageSize >= page.Total {
			return out, nil
		}
	}
}

// world is what the candidates of a user are made of.
type world struct {
	parts   map[int64]Participant // by offer
	budgets map[int64]SharedBudget
	used    map[UsageKey]Counts
}

// worldOf reads what decides about offers for one user, without locks.
func worldOf(ctx context.Context, tx Tx, offers []Offer, userID int64) (*world, error) {
	var parts []Part
	var budgetIDs []int64
	var keys []UsageKey
	for _, o := range offers {
		parts = append(parts, Part{o.ID, userID})
		keys = append(keys, OfferUsage(o.ID), UserUsage(o.ID, userID))
		if o.SharedBudgetID != 0 {
			budgetIDs, keys = append(budgetIDs, o.SharedBudgetID), append(keys, SharedUsage(o.SharedBudgetID))
		}
	}
	w := &world{parts: make(map[int64]Participant)}
	var err error
	if w.budgets, err = idset.Index(ctx, tx.SharedBudgets().GetMany, budgetIDs, func(b SharedBudget) int64 { return b.ID }); err != nil {
		return nil, err
	}
	found, err := tx.Participants().ByParts(ctx, parts)
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		w.parts[p.OfferID] = p
	}
	w.used, err = tx.Usage().Get(ctx, keys)
	return w, err
}

// candidate is an offer with what decides about it for the user.
func (w *world) candidate(o *Offer, userID int64, targeted bool) Candidate {
	c := Candidate{
		Conditions: o.Conditions(), Targeted: targeted,
		Used: w.used[OfferUsage(o.ID)], UserUsed: w.used[UserUsage(o.ID, userID)],
	}
	if p, ok := w.parts[o.ID]; ok {
		c.Participant = affiliate.Some(p.Participation())
	}
	if b, ok := w.budgets[o.SharedBudgetID]; ok {
		c.Shared = affiliate.Some(Shared{b.Amount, w.used[SharedUsage(b.ID)].Spent})
	}
	return c
}
