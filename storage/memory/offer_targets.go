package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// targetRow is an offers.Target of an offer.
type targetRow struct {
	targetKey
	offer uint32
}

// targetKey is what selection asks by.
type targetKey struct {
	advertiser int64
	offers.Target
}

type targetTable struct {
	*engine.Table[targetRow]
	byRow   *engine.Unique[targetRow, targetRow]
	byOffer *engine.Groups[targetRow, uint32]
	byKey   *engine.Groups[targetRow, targetKey]
}

func newTargetTable(db *DB) targetTable {
	t := engine.NewTable[targetRow](&db.store)
	return targetTable{t,
		engine.NewUnique(t, func(r *targetRow) (targetRow, bool) { return *r, true }),
		engine.NewGroups(t, func(r *targetRow) (uint32, bool) { return r.offer, true }, func(a, b *targetRow) int {
			return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value))
		}),
		engine.NewGroups(t, func(r *targetRow) (targetKey, bool) { return r.targetKey, true }, nil),
	}
}

// any reports whether the offer, of the advertiser, has one of the targets.
func (t targetTable) any(offer uint32, advertiser int64, asked []offers.Target) bool {
	return slices.ContainsFunc(asked, func(target offers.Target) bool {
		_, ok := t.byRow.Find(targetRow{targetKey{advertiser, target}, offer})
		return ok
	})
}

type targets struct{ u *unit }

func (r targets) Set(ctx context.Context, offerID int64, list []offers.Target) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, target := range list {
		if err := target.Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	db := r.u.db
	var f engine.Refusal
	offer, ok := db.offers.offers.Find(offerID)
	f.Refers(ok, "offer_id")
	if err := f.Err("target"); err != nil {
		return r.u.Fail(err)
	}
	advertiser := db.offers.offers.At(offer).AdvertiserID
	t := db.offers.targets
	wanted := make(map[targetRow]bool, len(list))
	for _, target := range list {
		wanted[targetRow{targetKey{advertiser, target}, offer}] = true
	}
	for _, id := range slices.Clone(t.byOffer.Of(offer)) {
		if row := *t.At(id); wanted[row] {
			delete(wanted, row) // stays
		} else {
			t.Delete(id)
		}
	}
	for _, target := range list {
		row := targetRow{targetKey{advertiser, target}, offer}
		if !wanted[row] {
			continue
		}
		delete(wanted, row)
		if _, err := t.Insert(row); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r targets) Get(ctx context.Context, offerID int64) ([]offers.Target, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	offer, _ := r.u.db.offers.offers.Find(offerID) // one that is not there has no targets
	t := r.u.db.offers.targets
	var out []offers.Target
	for _, id := range t.byOffer.Of(offer) {
		out = append(out, t.At(id).Target)
	}
	return out, nil
}

func (r targets) GetMany(ctx context.Context, offerIDs []int64) (map[int64][]offers.Target, error) {
	out := make(map[int64][]offers.Target, len(offerIDs))
	for _, id := range offerIDs {
		list, err := r.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			out[id] = list
		}
	}
	return out, r.u.Use(ctx)
}

func (r targets) Serving(ctx context.Context, from, until time.Time, asks []offers.Lookup) ([][]offers.Candidate, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.targets
	out := make([][]offers.Candidate, len(asks))
	var found []uint32
	for i, ask := range asks {
		found = found[:0]
		for _, target := range ask.Targets {
			for _, id := range t.byKey.Of(targetKey{ask.AdvertiserID, target}) {
				offer := t.At(id).offer
				if serves(r.u.db.offers.offers.At(offer), from, until) {
					found = append(found, offer)
				}
			}
		}
		ids := engine.Sorted(found)
		if len(ids) > 0 {
			out[i] = make([]offers.Candidate, len(ids))
		}
		for j, id := range ids {
			r.candidate(&out[i][j], id, ask.UserID)
		}
	}
	return out, nil
}

// candidate fills in an offer as a candidate for the user.
func (r targets) candidate(c *offers.Candidate, id uint32, user int64) {
	db := &r.u.db.offers
	c.Conditions, c.Targeted = db.offers.At(id).Conditions(), true
	if p, ok := db.participants.byPart.Find(offers.Part{OfferID: int64(id), UserID: user}); ok {
		c.Participant = affiliate.Some(db.participants.At(p).Participation())
	}
	if b, ok := db.budgets.Find(c.SharedBudgetID); ok {
		c.Shared = affiliate.Some(offers.Shared{Amount: db.budgets.At(b).Amount})
	}
}

// serves is Serving's condition on an offer.
func serves(o *offers.Offer, from, until time.Time) bool {
	return o.DeletedAt.IsZero() && o.PausedAt.IsZero() && !until.Before(o.ValidFrom) && (o.ValidUntil.IsZero() || from.Before(o.ValidUntil))
}
