package offers

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// userChanged is the hook of offers in every unit that adds or updates a user.
func (s *Service) userChanged(ctx context.Context, core affiliate.Tx, before, after affiliate.User) error {
	tx, ok := core.(Tx)
	if !ok {
		return errors.New("offers: the core's store must be of the backend of the offers' store, and its transactions give their repositories too")
	}
	banned := after.Status() == affiliate.UserSuspended
	if banned && before.Status() != affiliate.UserSuspended {
		return endParts(ctx, tx, s.clock, after.ID)
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
	offers, err := affiliate.Indexed(ctx, tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return err
	}
	takesPart := make(map[int64]bool)
	for _, p := range there {
		takesPart[p.OfferID] = true
	}
	for _, p := range promised {
		if takesPart[p.OfferID] {
			if err := tx.Participants().Delete(ctx, p.ID); err != nil {
				return err
			}
			continue
		}
		takesPart[p.OfferID] = true
		p.UserID, p.Email, p.Identifier, p.UpdatedAt = u.ID, "", "", clock.Now()
		if err := tx.Participants().Update(ctx, p); err != nil {
			return err
		}
		if err := tx.Users().Relate(ctx, u.ID, offers[p.OfferID].AdvertiserID); err != nil {
			return err
		}
	}
	return nil
}

// endParts ends the participations of a banned user: all but those that are
// done or denied go to store_denied, from where the advertiser may accept
// again when the ban is lifted.
func endParts(ctx context.Context, tx Tx, clock affiliate.Clock, userID int64) error {
	parts, err := tx.Participants().ByUser(ctx, userID)
	if err != nil {
		return err
	}
	var activities []Activity
	now := clock.Now()
	for _, p := range parts {
		if p.Status == Done || p.Status == Denied || p.Status == StoreDenied {
			continue
		}
		activities = append(activities, Activity{ParticipantID: p.ID, Type: ActivityStatus, From: string(p.Status), To: string(StoreDenied), CreatedAt: now})
		p.Status, p.UpdatedAt = StoreDenied, now
		if err := tx.Participants().Update(ctx, p); err != nil {
			return err
		}
	}
	return tx.Activities().Add(ctx, activities...)
}
