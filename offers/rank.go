package offers

import (
	"context"
	"math"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// priorityStep is the gap between two ranks that are given in a row: half of
// it, and half of that again, fits 32 offers between any two before they are
// numbered anew.
const priorityStep = int64(1) << 32

// V1Priority is the rank of a priority 1..100 of the v1 dialect, where the
// higher wins.
func V1Priority(p int64) int64 { return p * priorityStep }

// PriorityV1 is the rank as the v1 dialect shows it, 1..100: what was ranked
// by "after" beyond those bounds is at the nearer one.
func PriorityV1(rank int64) int64 { return min(max(rank/priorityStep, 1), 100) }

// rankAfter is the priority with which o ranks right behind the offer with the
// id, or before all others of its advertiser when that is 0. The others are
// numbered anew when there is no number left between.
func rankAfter(ctx context.Context, tx Tx, o Offer, after int64) (int64, error) {
	if after == 0 {
		top, err := tx.Offers().Ranked(ctx, o.AdvertiserID, math.MaxInt64, 2)
		if err != nil {
			return 0, err
		}
		for _, other := range top {
			if other.ID != o.ID {
				return other.Priority + priorityStep, nil
			}
		}
		return V1Priority(1), nil
	}
	found, err := tx.Offers().GetMany(ctx, []int64{after})
	if err != nil {
		return 0, err
	}
	if len(found) == 0 || found[0].AdvertiserID != o.AdvertiserID || found[0].ID == o.ID || !found[0].DeletedAt.IsZero() {
		return 0, affiliate.Invalid("offer", affiliate.FieldError{Field: "priority_after", Code: "unknown_reference", Message: "must be another offer of the advertiser"})
	}
	behind, err := tx.Offers().Ranked(ctx, o.AdvertiserID, found[0].Priority, 3)
	if err != nil {
		return 0, err
	}
	next := found[0].Priority - 2*priorityStep
	for _, other := range behind {
		if other.ID != o.ID && other.ID != after {
			next = other.Priority
			break
		}
	}
	if gap := found[0].Priority - next; gap >= 2 {
		return next + gap/2, nil
	}
	return renumber(ctx, tx, o, after)
}

// renumber gives every offer of the advertiser a rank of its own, in the order
// that they serve in, and returns the one that it leaves for o.
func renumber(ctx context.Context, tx Tx, o Offer, after int64) (int64, error) {
	all, err := tx.Offers().Ranked(ctx, o.AdvertiserID, math.MaxInt64, math.MaxInt32)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(other Offer) bool { return other.ID == o.ID })
	slices.SortFunc(all, func(a, b Offer) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	rank, mine := int64(len(all)+1)*priorityStep, int64(0)
	for _, other := range all {
		if other.Priority != rank {
			other.Priority = rank
			if err := tx.Offers().Update(ctx, other); err != nil {
				return 0, err
			}
		}
		if rank -= priorityStep; other.ID == after {
			mine = rank
			rank -= priorityStep
		}
	}
	return mine, nil
}
