package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
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
	*table[targetRow]
	byRow   *unique[targetRow, targetRow]
	byOffer *groups[targetRow, uint32]
	byKey   *groups[targetRow, targetKey]
	// Most advertisers have no offers; see MayServe.
	byAdvertiser *groups[targetRow, int64]
}

func newTargetTable() targetTable {
	t := &table[targetRow]{}
	return targetTable{t,
		newUnique(t, func(r *targetRow) (targetRow, bool) { return *r, true }),
		newGroups(t, func(r *targetRow) (uint32, bool) { return r.offer, true }, func(a, b *targetRow) int {
			return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value))
		}),
		newGroups(t, func(r *targetRow) (targetKey, bool) { return r.targetKey, true }, nil),
		newGroups(t, func(r *targetRow) (int64, bool) { return r.advertiser, true }, nil),
	}
}

// any reports whether the offer, of the advertiser, has one of the targets.
func (t targetTable) any(offer uint32, advertiser int64, asked []offers.Target) bool {
	return slices.ContainsFunc(asked, func(target offers.Target) bool {
		_, ok := t.byRow.find(targetRow{targetKey{advertiser, target}, offer})
		return ok
	})
}

type targets struct{ u *unit }

func (r targets) Set(ctx context.Context, offerID int64, list []offers.Target) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	for _, target := range list {
		if err := target.Validate(); err != nil {
			return r.u.fail(err)
		}
	}
	db := r.u.db
	var f refusal
	offer, ok := db.offers.offers.find(offerID)
	f.refers(ok, "offer_id")
	if err := f.err("target"); err != nil {
		return r.u.fail(err)
	}
	advertiser := db.offers.offers.at(offer).AdvertiserID
	t := db.offers.targets
	wanted := make(map[targetRow]bool, len(list))
	for _, target := range list {
		wanted[targetRow{targetKey{advertiser, target}, offer}] = true
	}
	for _, id := range slices.Clone(t.byOffer.of(offer)) {
		if row := *t.at(id); wanted[row] {
			delete(wanted, row) // stays
		} else {
			t.delete(r.u, id)
		}
	}
	for _, target := range list {
		row := targetRow{targetKey{advertiser, target}, offer}
		if !wanted[row] {
			continue
		}
		delete(wanted, row)
		if _, err := t.insert(r.u, row); err != nil {
			return r.u.fail(err)
		}
	}
	return nil
}

func (r targets) Get(ctx context.Context, offerID int64) ([]offers.Target, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	offer, ok := r.u.db.offers.offers.find(offerID)
	if !ok {
		return nil, nil
	}
	t := r.u.db.offers.targets
	var out []offers.Target
	for _, id := range t.byOffer.of(offer) {
		out = append(out, t.at(id).Target)
	}
	return out, nil
}

func (r targets) MayServe(ctx context.Context, advertiserID int64) (bool, error) {
	if err := r.u.use(ctx); err != nil {
		return false, err
	}
	return len(r.u.db.offers.targets.byAdvertiser.of(advertiserID)) > 0, nil
}

func (r targets) Serving(ctx context.Context, from, until time.Time, asks []offers.Ask) ([][]offers.Candidate, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.targets
	out := make([][]offers.Candidate, len(asks))
	var found []uint32
	for i, ask := range asks {
		found = found[:0]
		for _, target := range ask.Targets {
			for _, id := range t.byKey.of(targetKey{ask.AdvertiserID, target}) {
				offer := t.at(id).offer
				if serves(r.u.db.offers.offers.at(offer), from, until) {
					found = append(found, offer)
				}
			}
		}
		ids := sorted(found)
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
	c.Conditions, c.Targeted = db.offers.at(id).Conditions(), true
	c.OfferID = int64(id)
	if p, ok := db.participants.byPart.find(offers.Part{OfferID: int64(id), UserID: user}); ok {
		c.Participant = affiliate.Some(db.participants.at(p).Standing())
		c.Participant.Value.ParticipantID = int64(p)
	}
	if b, ok := db.budgets.find(c.SharedBudgetID); ok {
		c.Shared = affiliate.Some(offers.Shared{Amount: db.budgets.at(b).Amount})
	}
}

// serves is Serving's condition on an offer.
func serves(o *offers.Offer, from, until time.Time) bool {
	return o.DeletedAt.IsZero() && o.PausedAt.IsZero() && !until.Before(o.ValidFrom) && (o.ValidUntil.IsZero() || from.Before(o.ValidUntil))
}
