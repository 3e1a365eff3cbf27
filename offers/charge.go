package offers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Claim is a valid click that wants to be paid.
type Claim struct {
	User       *affiliate.User       // only read
	Advertiser *affiliate.Advertiser // only read
	Source     affiliate.TrafficSource
	At         time.Time
}

// Award is the answer to a claim. With an offer (OfferID not 0) its budgets
// were drawn from. Without one Reason says which limit kept the first in rank
// from paying; when that is empty too, no offer is there for the creator and
// the advertiser's own rates hold.
type Award struct {
	Drawn
	ParticipantID int64 // 0: none yet
	Rates         Rates
	Earning       int64 // minor units
	Cost          int64 // minor units
	Reason        Reason
}

// Charge chooses the offer for each claim, in their order, and draws what it
// costs from the budgets: exactly, with any number of units and processes at
// it. An action for a unit that is isolated by its locks, in which it locks the
// counters once, or for any Write.
func Charge(ctx context.Context, tx Tx, claims []Claim) ([]Award, error) {
	t := &till{tx: tx}
	t.usages, t.days = t.one.usages[:0], t.one.days[:0]
	if err := t.open(ctx, claims); err != nil {
		return nil, err
	}
	awards := make([]Award, len(claims))
	for i := range claims {
		awards[i] = t.charge(&claims[i])
	}
	return awards, t.close(ctx)
}

// till holds the offers and counters that a batch of claims is decided by.
type till struct {
	tx     Tx
	served []served // ascending, each once
	locked []Usage  // the counters that limits are held against, ascending by key
	// What was drawn, claim by claim: the backends add it up.
	usages []Usage
	days   []Day
	silent []silent

	one struct { // memory for one claim, which most batches of a fast backend have
		served [1]served
		asks   [1]Ask
		usages [3]Usage
		days   [1]Day
	}
}

// served is a creator at an advertiser.
type served struct {
	Ask
	user       *affiliate.User
	candidates []Candidate // in rank
}

func (s *served) compare(advertiserID, userID int64) int {
	return cmp.Or(cmp.Compare(s.AdvertiserID, advertiserID), cmp.Compare(s.UserID, userID))
}

// silent is a creator's first click in an offer in which it has no part yet.
type silent struct {
	Part
	at time.Time
}

// open reads what the claims are decided by. What the decision rests on is read
// under the locks: a limit that somebody changes meanwhile is then either in
// force or not yet. Which locks those are the offers say as they are just
// before; nearly always they are enough, but an offer may have got another
// budget in between.
func (t *till) open(ctx context.Context, claims []Claim) error {
	if err := t.admit(ctx, claims); err != nil {
		return err
	}
	for len(t.served) > 0 {
		if err := t.serve(ctx, claims); err != nil {
			return err
		}
		missing := t.missing()
		if len(missing) == 0 {
			return nil
		}
		used, err := t.tx.Usage().Lock(ctx, missing)
		if err != nil {
			return err
		}
		for _, k := range missing {
			t.locked = append(t.locked, Usage{k, used[k]})
		}
		slices.SortFunc(t.locked, func(a, b Usage) int { return a.Compare(b.UsageKey) })
	}
	return nil
}

// admit notes whom the claims are of, with the targets that name them.
func (t *till) admit(ctx context.Context, claims []Claim) error {
	t.served = t.one.served[:0]
	for i := range claims {
		u := claims[i].User
		t.served = append(t.served, served{Ask: Ask{AdvertiserID: claims[i].Advertiser.ID, UserID: u.ID}, user: u})
	}
	slices.SortFunc(t.served, func(a, b served) int { return a.compare(b.AdvertiserID, b.UserID) })
	t.served = slices.CompactFunc(t.served, func(a, b served) bool { return a.compare(b.AdvertiserID, b.UserID) == 0 })
	var clientIDs []int64
	for i := range t.served {
		if id := t.served[i].user.ClientID; id != 0 {
			clientIDs = append(clientIDs, id)
		}
	}
	var clients []affiliate.Client
	if len(clientIDs) > 0 {
		var err error
		if clients, err = t.tx.Clients().GetMany(ctx, clientIDs); err != nil {
			return err
		}
	}
	for i := range t.served {
		u := t.served[i].user
		var group int64
		if at, ok := slices.BinarySearchFunc(clients, u.ClientID, func(c affiliate.Client, id int64) int { return cmp.Compare(c.ID, id) }); ok {
			group = clients[at].GroupID
		}
		t.served[i].Targets = TargetsOf(*u, group)
	}
	return nil
}

// serve asks once for the offers of all creators at all advertisers, and keeps
// those who have any.
func (t *till) serve(ctx context.Context, claims []Claim) error {
	from, until := claims[0].At, claims[0].At
	for i := range claims {
		if at := claims[i].At; at.Before(from) {
			from = at
		} else if at.After(until) {
			until = at
		}
	}
	asks := t.one.asks[:0]
	for i := range t.served {
		asks = append(asks, t.served[i].Ask)
	}
	found, err := t.tx.Targets().Serving(ctx, from, until, asks)
	if err != nil {
		return err
	}
	n := 0
	for i, candidates := range found {
		if len(candidates) > 0 {
			Rank(candidates)
			t.served[i].candidates = candidates
			t.served[n] = t.served[i]
			n++
		}
	}
	t.served = t.served[:n]
	return nil
}

// missing are the counters that can decide and are not locked: of each
// creator's candidates in rank, those of its limits, down to the first one that
// nothing can keep from paying.
func (t *till) missing() []UsageKey {
	var keys []UsageKey
	for i := range t.served {
		s := &t.served[i]
		for j := range s.candidates {
			c := &s.candidates[j]
			if !c.participates() {
				continue
			}
			keys = c.appendLimits(keys, s.UserID)
			if c.unbounded() {
				break
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k UsageKey) bool { return t.counter(k) != nil })
	slices.SortFunc(keys, UsageKey.Compare)
	return slices.Compact(keys)
}

// unbounded reports whether nothing but its creator's standing can keep the
// candidate from paying.
func (c *Candidate) unbounded() bool {
	return !c.limited() && c.ValidFrom.IsZero() && c.ValidUntil.IsZero()
}

// appendLimits appends the counters that the limits of a candidate are held against.
func (c *Candidate) appendLimits(keys []UsageKey, userID int64) []UsageKey {
	perOffer := c.MaxClicks.Set || c.BudgetLimit.Set
	if perOffer && !c.PerUserLimit {
		keys = append(keys, OfferUsage(c.OfferID))
	}
	if perOffer && c.PerUserLimit || c.Participant.Set && c.Participant.Value.ClickLimit.Set {
		keys = append(keys, UserUsage(c.OfferID, userID))
	}
	if c.SharedBudgetID != 0 {
		keys = append(keys, SharedUsage(c.SharedBudgetID))
	}
	return keys
}

// counter is a locked counter, or nil.
func (t *till) counter(k UsageKey) *Counts {
	i, ok := slices.BinarySearchFunc(t.locked, k, func(u Usage, k UsageKey) int { return u.Compare(k) })
	if !ok {
		return nil
	}
	return &t.locked[i].Counts
}

// used are the counts of a locked counter. Others decide nothing.
func (t *till) used(k UsageKey) Counts {
	if c := t.counter(k); c != nil {
		return *c
	}
	return Counts{}
}

// count brings the counters of a candidate up to date.
func (t *till) count(c *Candidate, userID int64) {
	if !c.limited() {
		return
	}
	c.Used, c.UserUsed = t.used(OfferUsage(c.OfferID)), t.used(UserUsage(c.OfferID, userID))
	c.Shared.Value.Spent = t.used(SharedUsage(c.SharedBudgetID)).Spent
}

// charge decides about one claim and draws what it costs.
func (t *till) charge(c *Claim) Award {
	at, ok := slices.BinarySearchFunc(t.served, c, func(s served, c *Claim) int { return s.compare(c.Advertiser.ID, c.User.ID) })
	if !ok {
		return Award{}
	}
	candidates := t.served[at].candidates
	for i := range candidates {
		t.count(&candidates[i], c.User.ID)
	}
	i, j := selectRanked(candidates, &Request{Advertiser: c.Advertiser, Source: c.Source, At: c.At})
	if i < 0 {
		return Award{Reason: j.Reason}
	}
	chosen := &candidates[i]
	a := Award{
		Drawn:         Drawn{OfferID: j.OfferID, SharedBudgetID: chosen.SharedBudgetID},
		ParticipantID: chosen.Participant.Value.ParticipantID, Rates: j.Rates, Earning: j.Earning, Cost: j.Cost,
	}
	t.draw(&a, c)
	if part := (Part{a.OfferID, c.User.ID}); !chosen.Participant.Set &&
		!slices.ContainsFunc(t.silent, func(s silent) bool { return s.Part == part }) {
		t.silent = append(t.silent, silent{part, c.At})
	}
	return a
}

// draw counts what an award costs.
func (t *till) draw(a *Award, c *Claim) {
	before := len(t.usages)
	t.usages = a.appendUsages(t.usages, c.User.ID, Counts{Clicks: 1, Spent: a.Cost})
	for _, u := range t.usages[before:] {
		if counter := t.counter(u.UsageKey); counter != nil {
			*counter = counter.plus(u.Counts)
		}
	}
	t.days = append(t.days, Day{Date: midnight(c.At), OfferID: a.OfferID, UserID: c.User.ID, Clicks: 1, Earning: a.Earning, Cost: a.Cost})
}

func (c Counts) plus(o Counts) Counts { return Counts{c.Clicks + o.Clicks, c.Spent + o.Spent} }

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// close keeps what was drawn.
func (t *till) close(ctx context.Context) error {
	if len(t.usages) == 0 {
		return nil
	}
	if err := t.tx.Usage().Add(ctx, t.usages...); err != nil {
		return err
	}
	if err := t.tx.OfferDays().Add(ctx, t.days...); err != nil {
		return err
	}
	if len(t.silent) == 0 {
		return nil
	}
	offerIDs := make([]int64, len(t.silent))
	for i, s := range t.silent {
		offerIDs[i] = s.OfferID
	}
	whole, err := indexed(ctx, t.tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return err
	}
	slices.SortFunc(t.silent, func(a, b silent) int {
		return cmp.Or(cmp.Compare(a.OfferID, b.OfferID), cmp.Compare(a.UserID, b.UserID))
	})
	parts := make([]Participant, len(t.silent))
	for i, s := range t.silent {
		parts[i] = newPart(whole[s.OfferID], Participant{UserID: s.UserID}, s.at)
	}
	_, err = t.tx.Participants().AddMissing(ctx, parts...)
	return err
}
