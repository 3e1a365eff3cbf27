package offers

import (
	"slices"
	"sort"
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

// Request describes a click, real or hypothetical.
type Request struct {
	Advertiser *affiliate.Advertiser // only read
	Source     affiliate.TrafficSource
	At         time.Time
}

// Conditions is the part of an offer that decides whether a click is paid.
type Conditions struct {
	OfferID        int64
	Currency       affiliate.Currency
	Type           Type
	BudgetLimit    affiliate.Optional[int64] // minor units
	MaxClicks      affiliate.Optional[int64]
	PerUserLimit   bool
	Paused         bool
	Deleted        bool
	SharedBudgetID int64
	StoreGroupID   int64
	ValidFrom      time.Time
	ValidUntil     time.Time // exclusive
	Priority       int64
	Costs          []Costs
}

// Conditions returns a copy of what decides whether the offer pays a click.
func (o *Offer) Conditions() Conditions {
	return Conditions{
		OfferID: o.ID, Currency: o.Currency, Type: o.Type,
		BudgetLimit: o.BudgetLimit, MaxClicks: o.MaxClicks, PerUserLimit: o.PerUserLimit,
		Paused: !o.PausedAt.IsZero(), Deleted: !o.DeletedAt.IsZero(), SharedBudgetID: o.SharedBudgetID, StoreGroupID: o.StoreGroupID,
		ValidFrom: o.ValidFrom, ValidUntil: o.ValidUntil, Priority: o.Priority, Costs: slices.Clone(o.Costs),
	}
}

// Participation is the part of a creator's participation that decides whether
// its clicks are paid.
type Participation struct {
	ParticipantID int64
	Status        ParticipantStatus
	ClickLimit    affiliate.Optional[int64]
	Costs         []Costs
}

// Participation returns a copy of what decides whether the participant's clicks
// are paid.
func (p *Participant) Participation() Participation {
	return Participation{ParticipantID: p.ID, Status: p.Status, ClickLimit: p.ClickLimit, Costs: slices.Clone(p.Costs)}
}

// Candidate is all that decides about an offer for one creator.
type Candidate struct {
	Conditions
	Targeted    bool                              // the offer is for the creator
	Participant affiliate.Optional[Participation] // the creator's part in it
	Used        Counts                            // over all creators
	UserUsed    Counts                            // by this creator
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

// Select returns the index of the candidate that serves the request, with what
// it costs, or -1 when none does. Then the reason is that of the first in rank
// that keeps the click from being paid at all: a campaign without room for it,
// or one whose advertiser has refused the creator. With an empty reason there
// is no such candidate, and the advertiser's own rates hold.
//
// It sorts the candidates by rank, in place.
func Select(candidates []Candidate, r Request) (int, Judged) {
	Rank(candidates)
	return selectRanked(candidates, &r)
}

// Rank sorts candidates in the order in which they are tried.
func Rank(candidates []Candidate) { sort.Sort(ranking(candidates)) }

// ranking sorts by index, since candidates are large.
type ranking []Candidate

func (r ranking) Len() int           { return len(r) }
func (r ranking) Less(i, j int) bool { return r[i].rank().before(r[j].rank()) }
func (r ranking) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

func selectRanked(candidates []Candidate, r *Request) (int, Judged) {
	var none Judged
	for i := range candidates {
		j := judge(&candidates[i], r)
		if j.Reason == "" {
			j.Chosen = true
			return i, j
		}
		if none.Reason == "" && (j.Reason.capped() || j.Reason == ReasonNotParticipating && candidates[i].refused()) {
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
		out[i] = judge(&candidates[i], &r)
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
// that costs. A limit that is used up and one that leaves too little get the
// same reason.
func judge(c *Candidate, r *Request) Judged {
	j := Judged{OfferID: c.OfferID, Rates: ratesFor(r.Source, c.Participant.Value.Costs, c.Costs, r.Advertiser)}
	j.Earning, j.Cost = j.Rates.Earning(), j.Rates.InvoiceCPC
	switch {
	case !c.Targeted:
		j.Reason = ReasonNotTargeted
	case c.Deleted:
		j.Reason = ReasonDeleted
	case c.Paused:
		j.Reason = ReasonPaused
	case !c.ValidUntil.IsZero() && !r.At.Before(c.ValidUntil):
		j.Reason = ReasonEnded
	case r.At.Before(c.ValidFrom):
		j.Reason = ReasonScheduled
	case c.Currency != r.Advertiser.Currency:
		j.Reason = ReasonCurrency
	case !c.participates():
		j.Reason = ReasonNotParticipating
	default:
		j.Reason = c.room(1, j.Cost)
	}
	return j
}

// refused reports whether the advertiser does not want the creator in the offer.
func (c *Candidate) refused() bool {
	return c.Participant.Set && (c.Participant.Value.Status == Denied || c.Participant.Value.Status == StoreDenied)
}

// participates reports whether the creator takes part: silently in a standard
// offer, unless it was denied there; in an earning state in the others.
func (c *Candidate) participates() bool {
	if !c.Participant.Set {
		return c.Type == Standard
	}
	return c.Participant.Value.Status.Earns() || c.Type == Standard && !c.refused()
}

// room is why the budgets do not have room for so many clicks (1, or 0 for a
// payment) at a cost; empty when they do.
func (c *Candidate) room(clicks, cost int64) Reason {
	used := c.Used
	if c.PerUserLimit {
		used = c.UserUsed
	}
	switch {
	case c.MaxClicks.Set && !fits(used.Clicks, clicks, c.MaxClicks.Value):
		return ReasonMaxClicks
	case c.BudgetLimit.Set && !fits(used.Spent, cost, c.BudgetLimit.Value):
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
	return c.MaxClicks.Set || c.BudgetLimit.Set || c.Shared.Set || c.SharedBudgetID != 0 ||
		c.Participant.Set && c.Participant.Value.ClickLimit.Set
}
