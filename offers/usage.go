package offers

import "cmp"

// Counts are what was used of a budget: paid clicks, and the advertiser's cost
// in minor units. Reversals take both back.
type Counts struct {
	Clicks int64
	Spent  int64
}

// UsageKey names a counter: that of an offer, of one creator within an offer
// (UserID set), or of a shared budget (SharedBudgetID alone).
type UsageKey struct {
	SharedBudgetID int64
	OfferID        int64
	UserID         int64
}

// Compare orders keys: every unit locks counters in this order.
func (k UsageKey) Compare(other UsageKey) int {
	return cmp.Or(cmp.Compare(k.SharedBudgetID, other.SharedBudgetID),
		cmp.Compare(k.OfferID, other.OfferID), cmp.Compare(k.UserID, other.UserID))
}

// Usage is a counter, or what is to be added to one.
type Usage struct {
	UsageKey
	Counts
}

// OfferUsage is the key of all of an offer.
func OfferUsage(offerID int64) UsageKey { return UsageKey{OfferID: offerID} }

// UserUsage is the key of one creator within an offer.
func UserUsage(offerID, userID int64) UsageKey { return UsageKey{OfferID: offerID, UserID: userID} }

// SharedUsage is the key of a shared budget.
func SharedUsage(id int64) UsageKey { return UsageKey{SharedBudgetID: id} }
