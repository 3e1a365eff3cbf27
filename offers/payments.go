package offers

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// usages are the counters that something of one creator is counted in.
func (d Drawn) usages(userID int64, c Counts) []Usage { return d.appendUsages(nil, userID, c) }

func (d Drawn) appendUsages(list []Usage, userID int64, c Counts) []Usage {
	list = append(list, Usage{OfferUsage(d.OfferID), c}, Usage{UserUsage(d.OfferID, userID), c})
	if d.SharedBudgetID != 0 {
		list = append(list, Usage{SharedUsage(d.SharedBudgetID), c})
	}
	return list
}

func keysOf(usages []Usage) []UsageKey {
	keys := make([]UsageKey, len(usages))
	for i, u := range usages {
		keys[i] = u.UsageKey
	}
	return keys
}

// pay books the payment of a participation that is done.
func pay(ctx context.Context, tx Tx, o Offer, p Participant, now time.Time) error {
	terms := PaymentTerms{Origin: OriginOffer, ParticipantID: p.ID, Drawn: Drawn{o.ID, o.SharedBudgetID}}
	switch {
	case p.PaymentAmount.Set:
		terms.Origin, terms.Payment = OriginParticipant, p.PaymentAmount.Value
	case o.HasOneTimePayment:
		terms.Payment = o.OneTimePayment
	}
	if terms.Payment == 0 {
		return nil
	}
	if p.UserID == 0 {
		return affiliate.Conflict("participant", "not_registered", "a pre-registered participant cannot be paid")
	}
	usages := terms.usages(p.UserID, Counts{Spent: terms.Payment})
	used, err := tx.Usage().Lock(ctx, keysOf(usages))
	if err != nil {
		return err
	}
	c := Candidate{Conditions: o.Conditions(), Used: used[OfferUsage(o.ID)], UserUsed: used[UserUsage(o.ID, p.UserID)]}
	c.MaxClicks.Set = false // it is no click
	if o.SharedBudgetID != 0 {
		b, err := tx.SharedBudgets().Get(ctx, o.SharedBudgetID)
		if err != nil {
			return err
		}
		c.Shared = affiliate.Some(Shared{b.Amount, used[SharedUsage(b.ID)].Spent})
	}
	if reason := c.room(0, terms.Payment); reason != "" {
		return affiliate.Conflict("participant", "budget_exceeded", "no budget has room for the payment ("+string(reason)+")")
	}
	if err := tx.Usage().Add(ctx, usages...); err != nil {
		return err
	}
	frozen, err := json.Marshal(terms)
	if err != nil {
		return err
	}
	amount := affiliate.NewMoney(terms.Payment, o.Currency)
	e := affiliate.Entry{
		Kind: affiliate.EntryParticipation, Account: affiliate.UserAccount(p.UserID), AdvertiserID: o.AdvertiserID,
		Earning: amount, Cost: amount, OccurredAt: now, PayableAt: now, Cause: p.Cause(), Terms: string(frozen),
	}
	if _, err = tx.Ledger().Append(ctx, e); err != nil {
		return err
	}
	if err := tx.Activities().Add(ctx, Activity{ParticipantID: p.ID, Type: ActivityPayment, To: amount.String(), CreatedAt: now}); err != nil {
		return err
	}
	return stats.RecordPayment(ctx, tx, e, e)
}

// Reverse books a reversal as affiliate.Reverse does, and gives back to the
// budgets what it takes from an entry that was drawn from an offer: the cost,
// and the click when nothing is left of its entry. Statistics count it when the
// entry is a payment; what takes back a click or an order tells them itself. An
// action for any unit.
func Reverse(ctx context.Context, tx Tx, now time.Time, r affiliate.Reversal) (affiliate.Entry, error) {
	found, err := tx.Ledger().GetMany(ctx, []int64{r.EntryID})
	if err != nil {
		return affiliate.Entry{}, err
	}
	var usages []Usage
	if len(found) == 1 {
		if usages, err = returned(ctx, tx, found[0], r); err != nil {
			return affiliate.Entry{}, err
		}
	}
	e, err := affiliate.Reverse(ctx, tx, now, r) // it refuses what is wrong with r
	if err != nil {
		return e, err
	}
	if len(usages) > 0 {
		if err := tx.Usage().Add(ctx, usages...); err != nil {
			return e, err
		}
	}
	return e, stats.RecordPayment(ctx, tx, found[0], e)
}

// returned is what a reversal gives back to the budgets, as negative numbers.
// It locks them.
func returned(ctx context.Context, tx Tx, original affiliate.Entry, r affiliate.Reversal) ([]Usage, error) {
	d, err := drawnBy(original.Kind, original.Terms)
	userID, isUser := accountUser(original.Account)
	if err != nil || d.OfferID == 0 || !isUser {
		return nil, err
	}
	usages := d.usages(userID, Counts{})
	if _, err := tx.Usage().Lock(ctx, keysOf(usages)); err != nil {
		return nil, err
	}
	before, err := tx.Ledger().Reversals(ctx, []int64{original.ID})
	if err != nil {
		return nil, err
	}
	left := [2]int64{original.Earning.Minor() - r.Earning.Minor(), original.Cost.Minor() - r.Cost.Minor()}
	for _, e := range before {
		left[0] += e.Earning.Minor()
		left[1] += e.Cost.Minor()
	}
	back := Counts{Spent: -r.Cost.Minor()}
	nothing := r.Earning.IsZero() && r.Cost.IsZero()
	if original.Kind == affiliate.EntryClick && left == [2]int64{} && !nothing {
		back.Clicks = -1
	}
	return d.usages(userID, back), nil
}

// accountUser is the user that an account belongs to.
func accountUser(a affiliate.Account) (int64, bool) {
	text, ok := strings.CutPrefix(string(a), "user:")
	id, err := strconv.ParseInt(text, 10, 64)
	return id, ok && err == nil
}

// Reverse books a reversal in a unit of its own.
func (s *Service) Reverse(ctx context.Context, r affiliate.Reversal) (affiliate.Entry, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Entry, error) {
		e, err := Reverse(ctx, tx, s.clock.Now(), r)
		if err != nil {
			return e, err
		}
		return e, tx.Events().Add(ctx, affiliate.ReversedEvent(e))
	})
}
