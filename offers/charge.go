package offers

import (
	"cmp"
	"context"
	"slices"
	"sort"
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
// it. It answers one award for each claim. An action for a unit that is isolated
// by its locks, in which it locks the counters once, or for any Write.
func Charge(ctx context.Context, tx Tx, claims []Claim) ([]Award, error) {
	t := &till{tx: tx}
	if err := t.open(ctx, claims); err != nil {
		return nil, err
	}
	awards := make([]Award, len(claims))
	if len(t.asks) == 0 { // no offer is there for any of the creators
		return awards, nil
	}
	t.usages = make([]Usage, 0, 3*len(claims))
	for i := range claims {
		t.charge(&claims[i], &awards[i])
	}
	return awards, t.close(ctx)
}

// till holds the offers and counters that a batch of claims is decided by.
type till struct {
	tx         Tx
	asks       []Ask         // of the creators at advertisers with offers for them, ascending, each once
	candidates [][]Candidate // in step with asks; of each in rank
	locked     []Usage       // the counters that limits are held against, ascending by key
	// What was drawn, claim by claim: the backends add it up.
	usages []Usage
	silent []silent

	one [1]Ask // memory for asks: most batches of a fast backend are of one claim
}

func (a *Ask) compare(advertiserID, userID int64) int {
	return cmp.Or(cmp.Compare(a.AdvertiserID, advertiserID), cmp.Compare(a.UserID, userID))
}

// ask is the place of the claim's creator at its advertiser in asks.
func (t *till) ask(c *Claim) (int, bool) {
	compare := func(i int) int { return t.asks[i].compare(c.Advertiser.ID, c.User.ID) }
	at := sort.Search(len(t.asks), func(i int) bool { return compare(i) >= 0 })
	return at, at < len(t.asks) && compare(at) == 0
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
	for len(t.asks) > 0 {
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

// admit notes whom the claims are of, with the targets that name them, where
// there may be offers.
func (t *till) admit(ctx context.Context, claims []Claim) error {
	t.asks = t.one[:0]
	var clientIDs []int64
	for i := range claims {
		c := &claims[i]
		if may, err := t.tx.Targets().MayServe(ctx, c.Advertiser.ID); err != nil {
			return err
		} else if !may {
			continue
		}
		t.asks = append(t.asks, Ask{AdvertiserID: c.Advertiser.ID, UserID: c.User.ID})
		if id := c.User.ClientID; id != 0 {
			clientIDs = append(clientIDs, id)
		}
	}
	slices.SortFunc(t.asks, func(a, b Ask) int { return a.compare(b.AdvertiserID, b.UserID) })
	t.asks = slices.CompactFunc(t.asks, func(a, b Ask) bool { return a.compare(b.AdvertiserID, b.UserID) == 0 })
	slices.Sort(clientIDs)
	clientIDs = slices.Compact(clientIDs)
	var clients []affiliate.Client
	if len(clientIDs) > 0 {
		var err error
		if clients, err = t.tx.Clients().GetMany(ctx, clientIDs); err != nil {
			return err
		}
	}
	for i := range claims {
		at, ok := t.ask(&claims[i])
		if !ok || t.asks[at].Targets != nil {
			continue
		}
		u := claims[i].User
		var group int64
		if at, ok := slices.BinarySearchFunc(clients, u.ClientID, func(c affiliate.Client, id int64) int { return cmp.Compare(c.ID, id) }); ok {
			group = clients[at].GroupID
		}
		t.asks[at].Targets = TargetsOf(*u, group)
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
	found, err := t.tx.Targets().Serving(ctx, from, until, t.asks)
	if err != nil {
		return err
	}
	n := 0
	for i, candidates := range found {
		if len(candidates) > 0 {
			Rank(candidates)
			t.asks[n], found[n] = t.asks[i], candidates
			n++
		}
	}
	t.asks, t.candidates = t.asks[:n], found[:n]
	return nil
}

// missing are the counters that can decide and are not locked: of each
// creator's candidates in rank, those of its limits, down to the first one that
// nothing can keep from paying.
func (t *till) missing() []UsageKey {
	var keys []UsageKey
	for i, candidates := range t.candidates {
		for j := range candidates {
			c := &candidates[j]
			if !c.participates() {
				continue
			}
			keys = c.appendLimits(keys, t.asks[i].UserID)
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
func (t *till) charge(c *Claim, a *Award) {
	at, ok := t.ask(c)
	if !ok {
		return
	}
	candidates := t.candidates[at]
	for i := range candidates {
		t.count(&candidates[i], c.User.ID)
	}
	i, j := selectRanked(candidates, &Request{Advertiser: c.Advertiser, Source: c.Source, At: c.At})
	if i < 0 {
		a.Reason = j.Reason
		return
	}
	chosen := &candidates[i]
	a.Drawn = Drawn{OfferID: j.OfferID, SharedBudgetID: chosen.SharedBudgetID}
	a.ParticipantID = chosen.Participant.Value.ParticipantID
	a.Rates, a.Earning, a.Cost = j.Rates, j.Earning, j.Cost
	t.draw(a, c)
	if part := (Part{a.OfferID, c.User.ID}); !chosen.Participant.Set &&
		!slices.ContainsFunc(t.silent, func(s silent) bool { return s.Part == part }) {
		t.silent = append(t.silent, silent{part, c.At})
	}
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
}

func (c Counts) plus(o Counts) Counts { return Counts{c.Clicks + o.Clicks, c.Spent + o.Spent} }

// close keeps what was drawn.
func (t *till) close(ctx context.Context) error {
	if len(t.usages) == 0 {
		return nil
	}
	if err := t.tx.Usage().Add(ctx, t.usages...); err != nil {
		return err
	}
	if len(t.silent) == 0 {
		return nil
	}
	offerIDs := make([]int64, len(t.silent))
	for i, s := range t.silent {
		offerIDs[i] = s.OfferID
	}
	whole, err := affiliate.Indexed(ctx, t.tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
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
