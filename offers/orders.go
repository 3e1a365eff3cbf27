package offers

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// OrderCharge asks a campaign for the cost of an order. What the order costs is
// computed from frozen terms; the budgets are those that the campaign has now.
type OrderCharge struct {
	OfferID int64
	UserID  int64
	Cost    int64 // minor units of the offer's currency, not negative
	At      time.Time
	// Joins: the creator may have no part in the campaign yet, as the owner of a
	// voucher that nobody clicked for; it gets one then.
	Joins bool
}

// OrderDecision is what became of an OrderCharge: the budgets that were drawn
// from, or the reason why no budget had room.
type OrderDecision struct {
	Drawn
	Reason Reason
}

// ChargeOrders draws what orders cost from the budgets of their campaigns, in
// the order of the charges: exactly, under the same locks as clicks. An order is
// no click: limits of clicks do not matter to it, nor does the time of the
// campaign. It returns one decision for each charge. Call it within Record, whose
// locks isolate it, or within any Write. It locks each counter once.
func ChargeOrders(ctx context.Context, tx Tx, charges []OrderCharge) ([]OrderDecision, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	b := &orderBatch{tx: tx, counters: make(map[UsageKey]Counts)}
	if err := b.open(ctx, charges); err != nil {
		return nil, err
	}
	decisions := make([]OrderDecision, len(charges))
	var usages []Usage
	var parts []Participant
	for i := range charges {
		c := &charges[i]
		o, ok := b.offers[c.OfferID]
		if !ok {
			return nil, affiliate.NotFound("offer", c.OfferID)
		}
		decisions[i].Drawn = Drawn{OfferID: o.ID, SharedBudgetID: o.SharedBudgetID}
		if c.Cost != 0 {
			if decisions[i].Reason = b.room(&o, c); decisions[i].Reason != "" {
				continue
			}
			drawn := decisions[i].usages(c.UserID, Counts{Spent: c.Cost})
			for _, u := range drawn {
				b.counters[u.UsageKey] = b.counters[u.UsageKey].plus(u.Counts)
			}
			usages = append(usages, drawn...)
		}
		if c.Joins {
			parts = append(parts, newPart(o, Participant{UserID: c.UserID}, c.At))
		}
	}
	if len(usages) > 0 {
		if err := tx.Usage().Add(ctx, usages...); err != nil {
			return nil, err
		}
	}
	if len(parts) > 0 {
		slices.SortStableFunc(parts, func(a, b Participant) int {
			return cmp.Or(cmp.Compare(a.OfferID, b.OfferID), cmp.Compare(a.UserID, b.UserID))
		})
		if _, err := addParticipants(ctx, tx, b.offers, parts...); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

// orderBatch holds the offers and counters that a batch of charges is decided by.
type orderBatch struct {
	tx       Tx
	offers   map[int64]Offer
	budgets  map[int64]SharedBudget
	counters map[UsageKey]Counts // those that are locked, and what is drawn since
}

// open reads the offers, which then stay as they are, and the counters of their
// limits under their locks.
func (b *orderBatch) open(ctx context.Context, charges []OrderCharge) error {
	ids := make([]int64, len(charges))
	for i := range charges {
		ids[i] = charges[i].OfferID
	}
	var err error
	if b.offers, err = idset.Index(ctx, b.tx.Offers().Share, idset.Sorted(ids), func(o Offer) int64 { return o.ID }); err != nil {
		return err
	}
	var keys []UsageKey
	var shared []int64
	for i := range charges {
		o := b.offers[charges[i].OfferID]
		if o.SharedBudgetID != 0 {
			shared = append(shared, o.SharedBudgetID)
		}
		keys = append(keys, orderLimits(&o, charges[i].UserID)...)
	}
	slices.SortFunc(keys, UsageKey.Compare)
	locked, err := b.tx.Usage().Lock(ctx, slices.Compact(keys))
	if err != nil {
		return err
	}
	maps.Copy(b.counters, locked)
	b.budgets, err = idset.Index(ctx, b.tx.SharedBudgets().GetMany, shared, func(s SharedBudget) int64 { return s.ID })
	return err
}

// orderLimits are the counters that an order's cost is held against.
func orderLimits(o *Offer, userID int64) []UsageKey {
	var keys []UsageKey
	switch {
	case o.BudgetLimit.Set && o.PerUserLimit:
		keys = append(keys, UserUsage(o.ID, userID))
	case o.BudgetLimit.Set:
		keys = append(keys, OfferUsage(o.ID))
	}
	if o.SharedBudgetID != 0 {
		keys = append(keys, SharedUsage(o.SharedBudgetID))
	}
	return keys
}

// room is why the budgets have no room for an order; empty when they have.
func (b *orderBatch) room(o *Offer, order *OrderCharge) Reason {
	c := Candidate{Conditions: o.Conditions(), Used: b.counters[OfferUsage(o.ID)], UserUsed: b.counters[UserUsage(o.ID, order.UserID)]}
	c.MaxClicks.Set = false // it is no click
	if s, ok := b.budgets[o.SharedBudgetID]; ok {
		c.Shared = affiliate.Some(Shared{s.Amount, b.counters[SharedUsage(s.ID)].Spent})
	}
	return c.room(0, order.Cost)
}

// Serving returns for each charge what Charge would decide, and draws nothing:
// the campaign whose terms hold for an order that no click leads to. A creator
// whom a campaign that runs and is for it has refused gets ReasonNotParticipating
// where no other campaign serves it.
func Serving(ctx context.Context, tx Tx, charges []ClickCharge) ([]Decision, error) {
	decisions := make([]Decision, len(charges))
	b := &batch{tx: tx}
	if err := b.admit(ctx, charges); err != nil || len(b.lookups) == 0 {
		return decisions, err
	}
	if err := b.serve(ctx, charges); err != nil {
		return nil, err
	}
	keys := b.missing()
	used, err := tx.Usage().Get(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys { // in order
		b.locked = append(b.locked, Usage{k, used[k]})
	}
	for i := range charges {
		b.look(&charges[i], &decisions[i])
	}
	return decisions, nil
}

// look decides about one charge and draws nothing.
func (b *batch) look(c *ClickCharge, a *Decision) {
	at, ok := b.lookup(c)
	if !ok {
		return
	}
	candidates := b.candidates[at]
	for i := range candidates {
		b.count(&candidates[i], c.User.ID)
	}
	i, j := selectRanked(candidates, &Request{Advertiser: c.Advertiser, Source: c.Source, At: c.At})
	if i < 0 {
		a.Reason = j.Reason
		return
	}
	a.Drawn = Drawn{OfferID: j.OfferID, SharedBudgetID: candidates[i].SharedBudgetID}
	a.ParticipantID = candidates[i].Participant.Value.ParticipantID
	a.Rates, a.Earning, a.Cost = j.Rates, j.Earning, j.Cost
}
