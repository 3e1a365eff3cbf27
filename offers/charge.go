package offers

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// ClickCharge asks for the payment of one valid click.
type ClickCharge struct {
	User       *affiliate.User       // only read
	Advertiser *affiliate.Advertiser // only read
	Source     affiliate.TrafficSource
	At         time.Time
}

// Decision is what a charge came to. With an offer (OfferID not 0) its budgets
// were drawn from. Without one, Reason says what kept the click from being paid
// at all. When that is empty too, there is no offer for the creator, and the
// advertiser's own rates hold.
type Decision struct {
	Drawn
	ParticipantID int64 // 0: none yet
	Rates         Rates
	Earning       int64 // minor units
	Cost          int64 // minor units
	Reason        Reason
}

// Charge chooses the offer for each charge, in their order, and draws what it
// costs from the budgets: exactly, with any number of units and processes at
// it. It returns one decision for each charge. Call it within Record, whose locks
// isolate it, or within any Write. It locks each counter once.
func Charge(ctx context.Context, tx Tx, charges []ClickCharge) ([]Decision, error) {
	b := &batch{tx: tx}
	if err := b.open(ctx, charges); err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(charges))
	if len(b.lookups) == 0 { // no offer is there for any of the creators
		return decisions, nil
	}
	b.usages = make([]Usage, 0, 3*len(charges))
	for i := range charges {
		b.charge(&charges[i], &decisions[i])
	}
	return decisions, b.close(ctx)
}

// batch holds the offers and counters that decide a batch of charges.
type batch struct {
	tx         Tx
	lookups    []Lookup      // of the creators at advertisers with offers for them, ascending, each once
	candidates [][]Candidate // in step with lookups; of each in rank
	locked     []Usage       // the counters that limits are held against, ascending by key
	// What was drawn, charge by charge: the backends add it up.
	usages []Usage
	first  []firstClick

	one [1]Lookup // memory for lookups: most batches of a fast backend are of one charge
}

func (l *Lookup) compare(advertiserID, userID int64) int {
	return cmp.Or(cmp.Compare(l.AdvertiserID, advertiserID), cmp.Compare(l.UserID, userID))
}

// lookup returns the place of the charge's creator at its advertiser in lookups.
func (b *batch) lookup(c *ClickCharge) (int, bool) {
	compare := func(i int) int { return b.lookups[i].compare(c.Advertiser.ID, c.User.ID) }
	at := sort.Search(len(b.lookups), func(i int) bool { return compare(i) >= 0 })
	return at, at < len(b.lookups) && compare(at) == 0
}

// firstClick is a click of a creator that has no part in the offer yet.
type firstClick struct {
	Part
	at time.Time
}

// open reads what decides the charges. It is read under the locks: a limit that
// somebody changes meanwhile is then either in force or not yet. The locks are
// taken from a first, unlocked read of the offers. If an offer got another
// budget in between, the read is repeated.
func (b *batch) open(ctx context.Context, charges []ClickCharge) error {
	if err := b.admit(ctx, charges); err != nil {
		return err
	}
	for len(b.lookups) > 0 {
		if err := b.serve(ctx, charges); err != nil {
			return err
		}
		missing := b.missing()
		if len(missing) == 0 {
			return nil
		}
		used, err := b.tx.Usage().Lock(ctx, missing)
		if err != nil {
			return err
		}
		for _, k := range missing {
			b.locked = append(b.locked, Usage{k, used[k]})
		}
		slices.SortFunc(b.locked, func(a, b Usage) int { return a.Compare(b.UsageKey) })
	}
	return nil
}

// admit notes the creators of the charges, with the targets that name them.
func (b *batch) admit(ctx context.Context, charges []ClickCharge) error {
	b.lookups = b.one[:0]
	var clientIDs []int64
	for i := range charges {
		c := &charges[i]
		b.lookups = append(b.lookups, Lookup{AdvertiserID: c.Advertiser.ID, UserID: c.User.ID})
		if id := c.User.ClientID; id != 0 {
			clientIDs = append(clientIDs, id)
		}
	}
	slices.SortFunc(b.lookups, func(a, b Lookup) int { return a.compare(b.AdvertiserID, b.UserID) })
	b.lookups = slices.CompactFunc(b.lookups, func(a, b Lookup) bool { return a.compare(b.AdvertiserID, b.UserID) == 0 })
	slices.Sort(clientIDs)
	clientIDs = slices.Compact(clientIDs)
	var clients []affiliate.Client
	if len(clientIDs) > 0 {
		var err error
		if clients, err = b.tx.Clients().GetMany(ctx, clientIDs); err != nil {
			return err
		}
	}
	for i := range charges {
		at, _ := b.lookup(&charges[i])
		if b.lookups[at].Targets != nil {
			continue
		}
		u := charges[i].User
		var group int64
		if at, ok := slices.BinarySearchFunc(clients, u.ClientID, func(c affiliate.Client, id int64) int { return cmp.Compare(c.ID, id) }); ok {
			group = clients[at].GroupID
		}
		b.lookups[at].Targets = targetsOf(*u, group)
	}
	return nil
}

// serve reads the offers of all creators at all advertisers at once, and keeps
// the creators that have any.
func (b *batch) serve(ctx context.Context, charges []ClickCharge) error {
	from, until := charges[0].At, charges[0].At
	for i := range charges {
		if at := charges[i].At; at.Before(from) {
			from = at
		} else if at.After(until) {
			until = at
		}
	}
	found, err := b.tx.Targets().Serving(ctx, from, until, b.lookups)
	if err != nil {
		return err
	}
	n := 0
	for i, candidates := range found {
		if len(candidates) > 0 {
			for j := range candidates {
				c := &candidates[j]
				c.Targeted = c.Targeted && reaches(c.StoreGroupID, b.lookups[i].Targets)
			}
			Rank(candidates)
			b.lookups[n], found[n] = b.lookups[i], candidates
			n++
		}
	}
	b.lookups, b.candidates = b.lookups[:n], found[:n]
	return nil
}

// missing are the counters that can decide and are not locked: of each
// creator's candidates in rank, those of its limits, down to the first one that
// nothing can keep from paying.
func (b *batch) missing() []UsageKey {
	var keys []UsageKey
	for i, candidates := range b.candidates {
		for j := range candidates {
			c := &candidates[j]
			if !c.Targeted || !c.participates() {
				continue
			}
			keys = c.appendLimits(keys, b.lookups[i].UserID)
			if c.unbounded() {
				break
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k UsageKey) bool { return b.counter(k) != nil })
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
func (b *batch) counter(k UsageKey) *Counts {
	i, ok := slices.BinarySearchFunc(b.locked, k, func(u Usage, k UsageKey) int { return u.Compare(k) })
	if !ok {
		return nil
	}
	return &b.locked[i].Counts
}

// used are the counts of a locked counter. Others decide nothing.
func (b *batch) used(k UsageKey) Counts {
	if c := b.counter(k); c != nil {
		return *c
	}
	return Counts{}
}

// count brings the counters of a candidate up to date.
func (b *batch) count(c *Candidate, userID int64) {
	if !c.limited() {
		return
	}
	c.Used, c.UserUsed = b.used(OfferUsage(c.OfferID)), b.used(UserUsage(c.OfferID, userID))
	c.Shared.Value.Spent = b.used(SharedUsage(c.SharedBudgetID)).Spent
}

// charge decides about one charge and draws what it costs.
func (b *batch) charge(c *ClickCharge, a *Decision) {
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
	chosen := &candidates[i]
	a.Drawn = Drawn{OfferID: j.OfferID, SharedBudgetID: chosen.SharedBudgetID}
	a.ParticipantID = chosen.Participant.Value.ParticipantID
	a.Rates, a.Earning, a.Cost = j.Rates, j.Earning, j.Cost
	b.draw(a, c)
	if part := (Part{a.OfferID, c.User.ID}); !chosen.Participant.Set &&
		!slices.ContainsFunc(b.first, func(s firstClick) bool { return s.Part == part }) {
		b.first = append(b.first, firstClick{part, c.At})
	}
}

// draw counts what a decision costs.
func (b *batch) draw(a *Decision, c *ClickCharge) {
	before := len(b.usages)
	b.usages = a.appendUsages(b.usages, c.User.ID, Counts{Clicks: 1, Spent: a.Cost})
	for _, u := range b.usages[before:] {
		if counter := b.counter(u.UsageKey); counter != nil {
			*counter = counter.plus(u.Counts)
		}
	}
}

func (c Counts) plus(o Counts) Counts { return Counts{c.Clicks + o.Clicks, c.Spent + o.Spent} }

// close keeps what was drawn.
func (b *batch) close(ctx context.Context) error {
	if len(b.usages) == 0 {
		return nil
	}
	if err := b.tx.Usage().Add(ctx, b.usages...); err != nil {
		return err
	}
	if len(b.first) == 0 {
		return nil
	}
	offerIDs := make([]int64, len(b.first))
	for i, s := range b.first {
		offerIDs[i] = s.OfferID
	}
	whole, err := idset.Index(ctx, b.tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return err
	}
	slices.SortFunc(b.first, func(a, b firstClick) int {
		return cmp.Or(cmp.Compare(a.OfferID, b.OfferID), cmp.Compare(a.UserID, b.UserID))
	})
	parts := make([]Participant, len(b.first))
	for i, s := range b.first {
		parts[i] = newPart(whole[s.OfferID], Participant{UserID: s.UserID}, s.at)
	}
	_, err = addParticipants(ctx, b.tx, whole, parts...)
	return err
}
