package offers

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// offersTx returns the core's transaction as one of offers.
func offersTx(core affiliate.Tx) (Tx, error) {
	tx, ok := core.(Tx)
	if !ok {
		return nil, errors.New("offers: the core's store must be of the backend of the offers' store, and its transactions give their repositories too")
	}
	return tx, nil
}

// pricedIn reports whether the advertiser has campaigns or shared budgets.
func pricedIn(ctx context.Context, core affiliate.Tx, a affiliate.Advertiser) (bool, error) {
	tx, err := offersTx(core)
	if err != nil {
		return false, err
	}
	// Ranked leaves the deleted ones out.
	campaigns, err := tx.Offers().Ranked(ctx, a.ID, math.MaxInt64, 1)
	if err != nil || len(campaigns) > 0 {
		return len(campaigns) > 0, err
	}
	budgets, err := tx.SharedBudgets().List(ctx, SharedBudgetFilter{AdvertiserID: a.ID}, affiliate.PageRequest{Number: 1, Size: 1})
	return budgets.Total > 0, err
}

// countedFor reports whether statistics have anything of the advertiser.
func countedFor(ctx context.Context, core affiliate.Tx, a affiliate.Advertiser) (bool, error) {
	tx, err := offersTx(core)
	if err != nil {
		return false, err
	}
	return stats.Counted(ctx, tx, a.ID)
}

// userChanged is the hook of offers in every unit that adds or updates a user.
func (s *Service) userChanged(ctx context.Context, core affiliate.Tx, before, after affiliate.User) error {
	tx, err := offersTx(core)
	if err != nil {
		return err
	}
	banned := after.Status() == affiliate.UserSuspended
	if banned && before.Status() != affiliate.UserSuspended {
		return endParts(ctx, tx, s.clock.Now(), after.ID)
	}
	if banned {
		return nil
	}
	var emails, identifiers []string
	if after.Email != "" {
		emails = []string{after.Email}
	}
	for _, m := range after.SocialMedia {
		identifiers = append(identifiers, m.Identifier)
	}
	if len(emails) == 0 && len(identifiers) == 0 {
		return nil
	}
	promised, err := tx.Participants().PreRegistered(ctx, emails, identifiers)
	if err != nil || len(promised) == 0 {
		return err
	}
	return keepPromises(ctx, tx, s.clock, after, promised)
}

// keepPromises makes pre-registrations the user's own. Where the user takes
// part already they are only taken out.
func keepPromises(ctx context.Context, tx Tx, clock affiliate.Clock, u affiliate.User, promised []Participant) error {
	parts, offerIDs := make([]Part, len(promised)), make([]int64, len(promised))
	for i, p := range promised {
		parts[i], offerIDs[i] = Part{p.OfferID, u.ID}, p.OfferID
	}
	there, err := tx.Participants().ByParts(ctx, parts)
	if err != nil {
		return err
	}
	offers, err := idset.Index(ctx, tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return err
	}
	takesPart := make(map[int64]bool)
	for _, p := range there {
		takesPart[p.OfferID] = true
	}
	for _, p := range promised {
		if takesPart[p.OfferID] {
			if err := removeParticipant(ctx, tx, clock.Now(), offers[p.OfferID], p); err != nil {
				return err
			}
			continue
		}
		takesPart[p.OfferID] = true
		p.UserID, p.Email, p.Identifier, p.UpdatedAt = u.ID, "", "", clock.Now()
		if err := saveParticipant(ctx, tx, offers[p.OfferID], p, p.Status); err != nil {
			return err
		}
		if err := tx.Users().Relate(ctx, u.ID, offers[p.OfferID].AdvertiserID, false); err != nil {
			return err
		}
	}
	return nil
}

// endParts deletes the participations of a banned user, with their tasks and
// overrides. What was earned stays. After an approval the user starts afresh.
func endParts(ctx context.Context, tx Tx, now time.Time, userID int64) error {
	parts, err := tx.Participants().ByUser(ctx, userID)
	if err != nil || len(parts) == 0 {
		return err
	}
	offerIDs := make([]int64, len(parts))
	for i, p := range parts {
		offerIDs[i] = p.OfferID
	}
	offers, err := idset.Index(ctx, tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := removeParticipant(ctx, tx, now, offers[p.OfferID], p); err != nil {
			return err
		}
	}
	return nil
}
