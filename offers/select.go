package offers

import (
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Reason says why a candidate does not serve a click; stable snake_case.
type Reason string

// The reasons, in the order in which they are looked at.
const (
	ReasonNotTargeted      Reason = "not_targeted"
	ReasonDeleted          Reason = "deleted"
	ReasonPaused           Reason = "paused"
	ReasonEnded            Reason = "ended"             // its time is over
	ReasonMaxClicks        Reason = "max_clicks"        // no click left of the offer's, or of the creator's part with PerUserLimit
	ReasonBudgetLimit      Reason = "budget_limit"      // likewise for money: too little left for this click
	ReasonSharedBudget     Reason = "shared_budget"     // too little left in it for this click
	ReasonScheduled        Reason = "scheduled"         // its time has not come
	ReasonCurrency         Reason = "currency_mismatch" // the advertiser has another currency now
	ReasonNotParticipating Reason = "not_participating" // the creator has no part in it, or is in no state that earns
	ReasonClickLimit       Reason = "click_limit"       // of the participant
	ReasonOutranked        Reason = "outranked"         // it would serve, but one before it does
)

// Request is a click, or the thought of one.
type Request struct {
	Advertiser affiliate.Advertiser
	Source     affiliate.TrafficSource
	At         time.Time
}

// Candidate is an offer with all that decides about it for one creator.
type Candidate struct {
	Offer       Offer
	Targeted    bool // the offer is for the creator
	Participant affiliate.Optional[Participant]
	Used        Counts // over all creators
	UserUsed    Counts // by this creator
	Shared      affiliate.Optional[Shared]
}

// Judged is what was found out about a candidate.
type Judged struct {
	OfferID int64
	Chosen  bool
	Reason  Reason // empty when it is chosen
	Rates   Rates
	Earning int64 // of this click, minor units
	Cost    int64 // of this click, minor units
}

// capped reports whether only a limit stands in the way.
func (r Reason) capped() bool {
	return r == ReasonMaxClicks || r == ReasonBudgetLimit || r == ReasonSharedBudget || r == ReasonClickLimit
}

// Select answers the index of the candidate that serves the request, with what
// it costs; -1 when none does. Then the reason is that of the first in rank
// that only a limit kept from it, or empty when there is no such candidate:
// the advertiser's own rates hold.
//
// It sorts the candidates by rank, in place.
func Select(candidates []Candidate, r Request) (int, Judged) {
	Rank(candidates)
	return selectRanked(candidates, r)
}

// Rank sorts candidates in the order in which they are tried.
func Rank(candidates []Candidate) {
	slices.SortFunc(candidates, func(a, b Candidate) int {
		switch {
		case a.Offer.Before(b.Offer):
			return -1
		case b.Offer.Before(a.Offer):
			return 1
		}
		return 0
	})
}

func selectRanked(candidates []Candidate, r Request) (int, Judged) {
	var none Judged
	for i := range candidates {
		j := judge(&candidates[i], r)
		if j.Reason == "" {
			j.Chosen = true
			return i, j
		}
		if none.Reason == "" && j.Reason.capped() {
			none = j
		}
	}
	return -1, none
}

// Explain judges every candidate, in rank: the one that Select chooses is
// Chosen, those that would serve but for it are outranked.
func Explain(candidates []Candidate, r Request) []Judged {
	candidates = slices.Clone(candidates)
	Rank(candidates)
	out := make([]Judged, len(candidates))
	chosen := false
	for i := range candidates {
		out[i] = judge(&candidates[i], r)
		switch {
		case out[i].Reason != "":
		case chosen:
			out[i].Reason = ReasonOutranked
		default:
			chosen, out[i].Chosen = true, true
		}
	}
	return out
}

// judge is the rule: why the candidate does not serve the request, or what
// that costs. A limit that is used up wholly, and one that leaves too little,
// are told alike.
func judge(c *Candidate, r Request) Judged {
	o := &c.Offer
	j := Judged{OfferID: o.ID, Rates: RatesFor(r.Source, c.Participant, *o, r.Advertiser)}
	j.Earning, j.Cost = j.Rates.Earning(), j.Rates.InvoiceCPC
	switch {
	case !c.Targeted:
		j.Reason = ReasonNotTargeted
	case !o.DeletedAt.IsZero():
		j.Reason = ReasonDeleted
	case !o.PausedAt.IsZero():
		j.Reason = ReasonPaused
	case !o.ValidUntil.IsZero() && !r.At.Before(o.ValidUntil):
		j.Reason = ReasonEnded
	case r.At.Before(o.ValidFrom):
		j.Reason = ReasonScheduled
	case o.Currency != r.Advertiser.Currency:
		j.Reason = ReasonCurrency
	case !c.participates():
		j.Reason = ReasonNotParticipating
	default:
		j.Reason = c.room(1, j.Cost)
	}
	return j
}

// participates reports whether the creator takes part: silently in a standard
// offer, unless it was denied there; in an earning state in the others.
func (c *Candidate) participates() bool {
	if !c.Participant.Set {
		return c.Offer.Type == Standard
	}
	status := c.Participant.Value.Status
	return status.Earns() || c.Offer.Type == Standard && status != Denied && status != StoreDenied
}

// room is why the budgets do not have room for so many clicks (1, or 0 for a
// payment) at a cost; empty when they do.
func (c *Candidate) room(clicks, cost int64) Reason {
	o, used := &c.Offer, c.Used
	if o.PerUserLimit {
		used = c.UserUsed
	}
	switch {
	case o.MaxClicks.Set && !fits(used.Clicks, clicks, o.MaxClicks.Value):
		return ReasonMaxClicks
	case o.BudgetLimit.Set && !fits(used.Spent, cost, o.BudgetLimit.Value):
		return ReasonBudgetLimit
	case c.Shared.Set && !fits(c.Shared.Value.Spent, cost, c.Shared.Value.Amount):
		return ReasonSharedBudget
	case clicks > 0 && c.Participant.Set && c.Participant.Value.ClickLimit.Set && !fits(c.UserUsed.Clicks, clicks, c.Participant.Value.ClickLimit.Value):
		return ReasonClickLimit
	}
	return ""
}

// fits reports whether n more fit a limit. One that is used up has no room,
// not even for what is free: the offer has ended then.
func fits(used, n, limit int64) bool { return used < limit && n <= limit-used }

// limited reports whether any budget can refuse the candidate.
func (c *Candidate) limited() bool {
	return c.Offer.MaxClicks.Set || c.Offer.BudgetLimit.Set || c.Shared.Set || c.Offer.SharedBudgetID != 0 ||
		c.Participant.Set && c.Participant.Value.ClickLimit.Set
}
