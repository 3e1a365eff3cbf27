package offers

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// NewCore returns the core's service over a store of offers, so that what
// happens to users reaches the offers in the same unit: pre-registrations
// become the part of the user who comes to have their e-mail or identifier,
// and a ban ends the user's participations. A hook that o has already runs
// before.
func NewCore(store Store, o affiliate.Options) (*affiliate.Service, error) {
	if store == nil {
		return nil, errors.New("offers: NewCore needs a store")
	}
	o.OnUserChange = OnUserChange(o.Clock, o.OnUserChange)
	return affiliate.NewService(coreStore{store}, o)
}

// OnUserChange returns the hook of [NewCore], for the other services that add
// and change users. first, which may be nil, runs before.
func OnUserChange(clock affiliate.Clock, first affiliate.UserHook) affiliate.UserHook {
	return func(ctx context.Context, tx affiliate.Tx, before, after affiliate.User) error {
		if first != nil {
			if err := first(ctx, tx, before, after); err != nil {
				return err
			}
		}
		ours, ok := tx.(Tx)
		if !ok {
			return errors.New("offers: a transaction of another store")
		}
		return userChanged(ctx, ours, clock, before, after)
	}
}

// coreStore is a store of offers as one of the core.
type coreStore struct{ store Store }

func (c coreStore) Read(ctx context.Context, fn func(ctx context.Context, tx affiliate.Tx) error) error {
	return c.store.Read(ctx, func(ctx context.Context, tx Tx) error { return fn(ctx, tx) })
}

func (c coreStore) Write(ctx context.Context, fn func(ctx context.Context, tx affiliate.Tx) error) error {
	return c.store.Write(ctx, func(ctx context.Context, tx Tx) error { return fn(ctx, tx) })
}

// userChanged is an action for the unit that adds or updates a user; before is
// zero for a new one.
func userChanged(ctx context.Context, tx Tx, clock affiliate.Clock, before, after affiliate.User) error {
	banned := after.Status() == affiliate.UserSuspended
	if banned && before.Status() != affiliate.UserSuspended {
		return endParts(ctx, tx, clock, after.ID)
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
	return keepPromises(ctx, tx, clock, after, promised)
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
	offers, err := indexed(ctx, tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
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
