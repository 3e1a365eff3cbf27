package offers

import (
	"context"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// For returns the service for a viewer. What the viewer may not see is
// ErrNotFound, as an unknown id is:
//
//   - The operator sees and may do everything.
//   - Who acts for advertisers has their campaigns, participants, shared budgets
//     and return ads.
//   - A creator sees campaigns that are for it, unless their advertiser is
//     deactivated, hidden (see Visibility) or keeps it away; it joins them itself.
//   - A client sees what its users see.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// owned returns an offer of an advertiser that the viewer acts for, deleted
// ones as well.
func (s *Service) owned(ctx context.Context, tx Tx, id int64) (Offer, error) {
	o, err := tx.Offers().Get(ctx, id)
	if err == nil && !s.viewer.ActsFor(o.AdvertiserID) {
		return Offer{}, affiliate.NotFound("offer", id)
	}
	return o, err
}

// live is owned for an offer that is not deleted.
func (s *Service) live(ctx context.Context, tx Tx, id int64) (Offer, error) {
	o, err := s.owned(ctx, tx, id)
	if err == nil && !o.DeletedAt.IsZero() {
		return Offer{}, affiliate.NotFound("offer", id)
	}
	return o, err
}

// locked is live for a change of what clicks are decided by: once it is
// committed, no click recorded later is decided by what was before.
func (s *Service) locked(ctx context.Context, tx Tx, id int64) (Offer, error) {
	if _, err := tx.Offers().Lock(ctx, []int64{id}); err != nil {
		return Offer{}, err
	}
	return s.live(ctx, tx, id)
}

// ownedPart returns a participant of an offer that owned returns.
func (s *Service) ownedPart(ctx context.Context, tx Tx, id int64) (Participant, Offer, error) {
	p, err := tx.Participants().Get(ctx, id)
	if err != nil {
		return Participant{}, Offer{}, err
	}
	o, err := tx.Offers().Get(ctx, p.OfferID)
	if err == nil && !s.viewer.ActsFor(o.AdvertiserID) {
		return Participant{}, Offer{}, affiliate.NotFound("participant", id)
	}
	return p, o, err
}

// sees checks that the viewer acts for the offer's advertiser, or is a creator
// whom the offer is for.
func (s *Service) sees(ctx context.Context, tx Tx, v View) error {
	if s.viewer.ActsFor(v.AdvertiserID) {
		return nil
	}
	hidden := affiliate.NotFound("offer", v.ID)
	p := s.viewer.Principal()
	if p.Role != affiliate.RoleCreator || v.Status == Deleted || !v.shown() {
		return hidden
	}
	u, err := tx.Users().Get(ctx, p.UserID)
	if err != nil {
		return err
	}
	blocking, err := affiliate.AdvertisersBlocking(ctx, tx, u, []int64{v.AdvertiserID})
	if err != nil {
		return err
	}
	if is, err := targeted(ctx, tx, v.ID, u.ID); err != nil {
		return err
	} else if !is || blocking[v.AdvertiserID] {
		return hidden
	}
	return nil
}

// shown reports whether creators are shown the offer, unless its advertiser keeps
// them away.
func (v View) shown() bool {
	a := v.Advertiser
	a.Hidden = v.Visibility == AlwaysHidden || a.Hidden && v.Visibility != AlwaysVisible
	return a.Listed()
}

// OfferQuery chooses offers among those that the viewer sees.
type OfferQuery struct {
	OfferFilter
	// AdvertiserID is the advertiser that the list is about. Who acts for
	// advertisers must name one of theirs.
	AdvertiserID int64
	// TargetUserID chooses the offers that are for this user.
	TargetUserID int64
}

// narrow returns the filter of a query for the viewer.
func (s *Service) narrow(ctx context.Context, tx Tx, q OfferQuery) (f OfferFilter, err error) {
	if err := affiliate.CheckAsked(ctx, tx, s.viewer, q.AdvertiserID); err != nil {
		return f, err
	}
	f = q.OfferFilter
	if q.AdvertiserID != 0 {
		if f.AdvertiserIDs != nil && !slices.Contains(f.AdvertiserIDs, q.AdvertiserID) {
			f.AdvertiserIDs = []int64{}
		} else {
			f.AdvertiserIDs = []int64{q.AdvertiserID}
		}
	}
	if f.OrID != 0 { // it goes around the other fields, and must not go around this
		if err := s.seesID(ctx, tx, f.OrID); affiliate.IsNotFound(err) {
			f.OrID = 0
		} else if err != nil {
			return f, err
		}
	}
	switch p := s.viewer.Principal(); p.Role {
	case affiliate.RoleAdmin:
		if q.TargetUserID != 0 {
			f.Targets, err = s.targetsOf(ctx, tx, q.TargetUserID)
		}
		return f, err
	case affiliate.RoleRepresentative, affiliate.RoleAgency:
		f.ShowForAdvertiser = affiliate.Optional[bool]{}
		if q.TargetUserID != 0 {
			f.Targets, err = s.targetsOf(ctx, tx, q.TargetUserID)
		}
		return f, err
	}
	f.ShowForAdvertiser = affiliate.Optional[bool]{}
	f.ShownAdvertisers, f.Statuses = true, undeleted(f.Statuses)
	return f, s.narrowToUser(ctx, tx, &f, q.TargetUserID)
}

// narrowToUser leaves the offers that are for a creator, for one user of a
// client, or for a client.
func (s *Service) narrowToUser(ctx context.Context, tx Tx, f *OfferFilter, userID int64) error {
	f.Targets = []Target{} // nothing
	p := s.viewer.Principal()
	switch {
	case p.Role == affiliate.RoleCreator && userID == 0:
		userID = p.UserID
	case p.Role == affiliate.RoleClient && userID == 0:
		c, err := tx.Clients().Get(ctx, p.ClientID)
		if err != nil {
			return err
		}
		f.Targets = []Target{{Kind: TargetEveryone}, {TargetClient, strconv.FormatInt(c.ID, 10)}}
		if c.GroupID != 0 {
			f.Targets = append(f.Targets, Target{TargetGroup, strconv.FormatInt(c.GroupID, 10)})
		}
		return nil
	}
	u, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID)
	if affiliate.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	targets, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
	if err != nil {
		return err
	}
	f.Targets = targets[u.ID]
	blocking, err := affiliate.AdvertisersBlocking(ctx, tx, u, nil)
	for id := range blocking {
		f.ExcludedAdvertisers = append(f.ExcludedAdvertisers, id)
	}
	return err
}

// seesID is sees for an id.
func (s *Service) seesID(ctx context.Context, tx Tx, id int64) error {
	o, err := tx.Offers().Get(ctx, id)
	if err != nil {
		return err
	}
	v, err := view(ctx, tx, s.clock.Now(), o)
	if err != nil {
		return err
	}
	return s.sees(ctx, tx, v)
}

// targetsOf returns the targets that name a user, as far as the viewer sees
// both the user and its tags. A user that it does not see has none, as an
// unknown one.
func (s *Service) targetsOf(ctx context.Context, tx Tx, userID int64) ([]Target, error) {
	u, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID)
	if affiliate.IsNotFound(err) {
		return []Target{}, nil
	} else if err != nil {
		return nil, err
	}
	if !s.viewer.IsOperator() && len(u.TagIDs) > 0 {
		tags, err := tx.UserTags().GetMany(ctx, u.TagIDs)
		if err != nil {
			return nil, err
		}
		u.TagIDs = nil
		for _, t := range tags {
			if s.viewer.SeesTag(t) {
				u.TagIDs = append(u.TagIDs, t.ID)
			}
		}
	}
	targets, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
	return targets[u.ID], err
}

// undeleted returns the statuses, all of them for nil, without deleted.
func undeleted(statuses []Status) []Status {
	if statuses == nil {
		statuses = Statuses()
	}
	return slices.DeleteFunc(slices.Clone(statuses), func(st Status) bool { return st == Deleted })
}
