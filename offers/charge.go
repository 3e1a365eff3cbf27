package offers

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Claim is a valid click that wants to be paid.
type Claim struct {
	User       affiliate.User
	Advertiser affiliate.Advertiser
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
	t, err := openTill(ctx, tx, claims)
	if err != nil {
		return nil, err
	}
	awards := make([]Award, len(claims))
	for i, c := range claims {
		awards[i] = t.charge(c)
	}
	return awards, t.close(ctx)
}

// pair is a creator at an advertiser.
type pair struct{ advertiser, user int64 }

// till holds the offers and counters that a batch of claims is decided by.
type till struct {
	tx      Tx
	serving map[pair][]int64 // ids of the offers that have the creator among their targets
	world
	ranked map[pair][]Candidate
	locked map[UsageKey]bool
	added  map[UsageKey]Counts
	days   map[Day]Day // by date, offer and user
	silent map[Part]time.Time
}

// world is what the candidates of a till are made of.
type world struct {
	offers  map[int64]Offer
	parts   map[Part]Participant
	budgets map[int64]SharedBudget
	used    map[UsageKey]Counts
}

func openTill(ctx context.Context, tx Tx, claims []Claim) (*till, error) {
	t := &till{
		tx: tx, locked: make(map[UsageKey]bool), added: make(map[UsageKey]Counts),
		days: make(map[Day]Day), silent: make(map[Part]time.Time),
	}
	if err := t.findServing(ctx, claims); err != nil || len(t.serving) == 0 {
		return t, err
	}
	t.used = make(map[UsageKey]Counts)
	if err := t.readOffers(ctx); err != nil {
		return nil, err
	}
	// What the decision rests on is read under the locks: a limit that somebody
	// changes meanwhile is then either in force or not yet. The locks are chosen
	// by the offers as they are just before; nearly always they are enough. An
	// offer that got another budget in between, and a participant with a limit
	// of its own, need one more.
	for locked := false; ; locked = true {
		var missing []UsageKey
		for _, k := range t.keys(locked) {
			if !t.locked[k] {
				missing = append(missing, k)
			}
		}
		if locked && len(missing) == 0 {
			return t, nil
		}
		if err := t.lock(ctx, missing); err != nil {
			return nil, err
		}
	}
}

// lock locks the counters and reads everything else after that.
func (t *till) lock(ctx context.Context, keys []UsageKey) error {
	if len(keys) > 0 {
		used, err := t.tx.Usage().Lock(ctx, keys)
		if err != nil {
			return err
		}
		for _, k := range keys {
			t.locked[k], t.used[k] = true, used[k]
		}
		if err := t.readOffers(ctx); err != nil {
			return err
		}
	}
	return t.readRest(ctx)
}

// findServing asks once for the offers of all creators at all advertisers.
func (t *till) findServing(ctx context.Context, claims []Claim) error {
	users := make(map[int64]affiliate.User)
	var pairs []pair
	seen := make(map[pair]bool)
	var from, until time.Time
	for i, c := range claims {
		if p := (pair{c.Advertiser.ID, c.User.ID}); !seen[p] {
			seen[p], pairs = true, append(pairs, p)
			users[c.User.ID] = c.User
		}
		if i == 0 || c.At.Before(from) {
			from = c.At
		}
		if i == 0 || c.At.After(until) {
			until = c.At
		}
	}
	targets, err := targetsOfUsers(ctx, t.tx, users)
	if err != nil {
		return err
	}
	asks := make([]AdvertiserTargets, len(pairs))
	for i, p := range pairs {
		asks[i] = AdvertiserTargets{p.advertiser, targets[p.user]}
	}
	found, err := t.tx.Targets().Serving(ctx, from, until, asks)
	if err != nil {
		return err
	}
	t.serving = make(map[pair][]int64)
	for i, ids := range found {
		if len(ids) > 0 {
			t.serving[pairs[i]] = ids
		}
	}
	return nil
}

// readOffers brings the offers up to date, and ranks the candidates.
func (t *till) readOffers(ctx context.Context) error {
	var ids []int64
	for _, offers := range t.serving {
		ids = append(ids, offers...)
	}
	var err error
	t.offers, err = indexed(ctx, t.tx.Offers().GetMany, ids, func(o Offer) int64 { return o.ID })
	t.rank()
	return err
}

// readRest brings participants and shared budgets up to date.
func (t *till) readRest(ctx context.Context) error {
	var budgetIDs []int64
	var parts []Part
	for p, offers := range t.serving {
		for _, id := range offers {
			parts = append(parts, Part{id, p.user})
		}
	}
	for _, o := range t.offers {
		if o.SharedBudgetID != 0 {
			budgetIDs = append(budgetIDs, o.SharedBudgetID)
		}
	}
	var err error
	if t.budgets, err = indexed(ctx, t.tx.SharedBudgets().GetMany, budgetIDs, func(b SharedBudget) int64 { return b.ID }); err != nil {
		return err
	}
	found, err := t.tx.Participants().ByParts(ctx, parts)
	t.parts = make(map[Part]Participant, len(found))
	for _, p := range found {
		t.parts[Part{p.OfferID, p.UserID}] = p
	}
	// The order is by the offers alone, so it stays.
	for p, candidates := range t.ranked {
		for i := range candidates {
			t.know(&candidates[i], p.user)
		}
	}
	return err
}

// rank makes the candidates of each creator, in the order in which they are tried.
func (t *till) rank() {
	t.ranked = make(map[pair][]Candidate, len(t.serving))
	for p, ids := range t.serving {
		candidates := make([]Candidate, 0, len(ids))
		for _, id := range ids {
			candidates = append(candidates, t.candidate(t.offers[id], p.user, true))
		}
		Rank(candidates)
		t.ranked[p] = candidates
	}
}

// candidate is an offer with what decides about it for the user.
func (w *world) candidate(o Offer, userID int64, targeted bool) Candidate {
	c := Candidate{Offer: o, Targeted: targeted}
	w.know(&c, userID)
	return c
}

// know brings what is known of the user's part in a candidate up to date.
func (w *world) know(c *Candidate, userID int64) {
	p, ok := w.parts[Part{c.Offer.ID, userID}]
	c.Participant = affiliate.Optional[Participant]{Value: p, Set: ok}
	w.count(c, userID)
}

// count brings the counters of a candidate up to date.
func (w *world) count(c *Candidate, userID int64) {
	c.Used, c.UserUsed = w.used[OfferUsage(c.Offer.ID)], w.used[UserUsage(c.Offer.ID, userID)]
	if b, ok := w.budgets[c.Offer.SharedBudgetID]; ok {
		c.Shared = affiliate.Some(Shared{b.Amount, w.used[SharedUsage(b.ID)].Spent})
	}
}

// keys are the counters that can decide: of each creator's candidates in rank,
// those with limits, down to the first one that nothing can keep from paying.
// While participants are not known every creator may be one.
func (t *till) keys(known bool) []UsageKey {
	all := make(map[UsageKey]bool)
	for p, candidates := range t.ranked {
		for i := range candidates {
			c := &candidates[i]
			if known && !c.participates() {
				continue
			}
			for _, k := range c.limits(p.user) {
				all[k] = true
			}
			// Those denied in a standard offer are few: they bring their locks later.
			if (known || c.Offer.Type == Standard) && c.unbounded() {
				break
			}
		}
	}
	return slices.SortedFunc(maps.Keys(all), UsageKey.Compare)
}

// unbounded reports whether nothing but its creator's standing can keep the
// candidate from paying.
func (c *Candidate) unbounded() bool {
	return !c.limited() && c.Offer.ValidFrom.IsZero() && c.Offer.ValidUntil.IsZero()
}

// limits are the counters that the limits of a candidate are held against.
func (c *Candidate) limits(userID int64) []UsageKey {
	var keys []UsageKey
	o := &c.Offer
	perOffer := o.MaxClicks.Set || o.BudgetLimit.Set
	if perOffer && !o.PerUserLimit {
		keys = append(keys, OfferUsage(o.ID))
	}
	if perOffer && o.PerUserLimit || c.Participant.Set && c.Participant.Value.ClickLimit.Set {
		keys = append(keys, UserUsage(o.ID, userID))
	}
	if o.SharedBudgetID != 0 {
		keys = append(keys, SharedUsage(o.SharedBudgetID))
	}
	return keys
}

// charge decides about one claim and draws what it costs.
func (t *till) charge(c Claim) Award {
	p := pair{c.Advertiser.ID, c.User.ID}
	candidates := t.ranked[p]
	for i := range candidates {
		t.count(&candidates[i], p.user)
	}
	i, j := selectRanked(candidates, Request{Advertiser: c.Advertiser, Source: c.Source, At: c.At})
	if i < 0 {
		return Award{Reason: j.Reason}
	}
	chosen := &candidates[i]
	a := Award{
		Drawn:         Drawn{OfferID: j.OfferID, SharedBudgetID: chosen.Offer.SharedBudgetID},
		ParticipantID: chosen.Participant.Value.ID, Rates: j.Rates, Earning: j.Earning, Cost: j.Cost,
	}
	for _, u := range a.usages(p.user, Counts{Clicks: 1, Spent: a.Cost}) {
		t.used[u.UsageKey] = t.used[u.UsageKey].plus(u.Counts)
		t.added[u.UsageKey] = t.added[u.UsageKey].plus(u.Counts)
	}
	key := Day{Date: midnight(c.At), OfferID: a.OfferID, UserID: p.user}
	sum := t.days[key]
	sum.Clicks, sum.Earning, sum.Cost = sum.Clicks+1, sum.Earning+a.Earning, sum.Cost+a.Cost
	t.days[key] = sum
	if !chosen.Participant.Set {
		if part := (Part{a.OfferID, p.user}); t.silent[part].IsZero() {
			t.silent[part] = c.At
		}
	}
	return a
}

func (c Counts) plus(o Counts) Counts { return Counts{c.Clicks + o.Clicks, c.Spent + o.Spent} }

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// close keeps what was drawn: each counter is written once.
func (t *till) close(ctx context.Context) error {
	if len(t.added) == 0 {
		return nil
	}
	usages := make([]Usage, 0, len(t.added))
	for k, c := range t.added {
		usages = append(usages, Usage{k, c})
	}
	slices.SortFunc(usages, func(a, b Usage) int { return a.Compare(b.UsageKey) })
	if err := t.tx.Usage().Add(ctx, usages...); err != nil {
		return err
	}
	days := make([]Day, 0, len(t.days))
	for k, d := range t.days {
		d.Date, d.OfferID, d.UserID = k.Date, k.OfferID, k.UserID
		days = append(days, d)
	}
	if err := t.tx.OfferDays().Add(ctx, days...); err != nil {
		return err
	}
	if len(t.silent) == 0 {
		return nil
	}
	parts := slices.SortedFunc(maps.Keys(t.silent), func(a, b Part) int { return UserUsage(a.OfferID, a.UserID).Compare(UserUsage(b.OfferID, b.UserID)) })
	silent := make([]Participant, len(parts))
	for i, part := range parts {
		silent[i] = newPart(t.offers[part.OfferID], Participant{UserID: part.UserID}, t.silent[part])
	}
	_, err := t.tx.Participants().AddMissing(ctx, silent...)
	return err
}

// Explain answers what became of a click of the user now, offer by offer: every
// one of the advertiser that is not deleted, in rank, with why it does or does
// not serve, by the same rule that charges clicks.
func (s *Service) Explain(ctx context.Context, advertiserID, userID int64, source affiliate.TrafficSource) ([]Judged, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Judged, error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return nil, err
		}
		candidates, err := candidatesOf(ctx, tx, a, userID, s.clock.Now())
		return Explain(candidates, Request{Advertiser: a, Source: source, At: s.clock.Now()}), err
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
			out = append(out, w.candidate(o, u.ID, is))
		}
		if n*affiliate.MaxPageSize >= page.Total {
			return out, nil
		}
	}
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
	w := &world{parts: make(map[Part]Participant)}
	var err error
	if w.budgets, err = indexed(ctx, tx.SharedBudgets().GetMany, budgetIDs, func(b SharedBudget) int64 { return b.ID }); err != nil {
		return nil, err
	}
	found, err := tx.Participants().ByParts(ctx, parts)
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		w.parts[Part{p.OfferID, p.UserID}] = p
	}
	w.used, err = tx.Usage().Get(ctx, keys)
	return w, err
}
