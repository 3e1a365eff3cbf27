package payouts

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AdvertiserUser is a user as an advertiser sees it, with where it is paid to.
type AdvertiserUser struct {
	affiliate.AdvertiserUser
	Details affiliate.Optional[PayoutDetails] // masked; absent: none are kept
}

// AdvertiserUser returns a user that an advertiser sees (user-get). ErrNotFound
// unless the viewer acts for the advertiser. Only an advertiser that manages the
// user sees its details.
func (s *Service) AdvertiserUser(ctx context.Context, core *affiliate.Service, advertiserID, userID int64) (AdvertiserUser, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return AdvertiserUser{}, affiliate.NotFound("advertiser", advertiserID)
	}
	u, err := core.AdvertiserUser(ctx, advertiserID, userID)
	if err != nil || !u.Managed {
		return AdvertiserUser{AdvertiserUser: u}, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		return s.withDetails(ctx, tx, u)
	})
}

func (s *Service) withDetails(ctx context.Context, tx Tx, u affiliate.AdvertiserUser) (AdvertiserUser, error) {
	out := AdvertiserUser{AdvertiserUser: u}
	found, err := s.detailsOf(ctx, tx, []int64{u.ID})
	if d, ok := found[u.ID]; ok {
		out.Details = affiliate.Some(d.Masked())
	}
	return out, err
}

// UpdateAdvertiserUser changes a user of the advertiser's client, and where it
// is paid to, in one unit (user-update). details may be nil, and may run again.
// What it leaves may be incomplete, but within the bounds of PayoutDetails; it
// needs a key (Options.Keys): else ErrUnavailable. ErrNotFound unless the viewer
// acts for the advertiser, ErrForbidden for a user of another client.
func (s *Service) UpdateAdvertiserUser(ctx context.Context, core *affiliate.Service, advertiserID, userID int64, change func(*affiliate.User), details func(*PayoutDetails)) (AdvertiserUser, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return AdvertiserUser{}, affiliate.NotFound("advertiser", advertiserID)
	}
	if details != nil && s.keys.empty() {
		return AdvertiserUser{}, noKey()
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		u, err := core.ChangeAdvertiserUser(ctx, tx, advertiserID, userID, change)
		if err != nil {
			return AdvertiserUser{}, err
		}
		if details != nil {
			if err := s.changeDetails(ctx, tx, u.User, details); err != nil {
				return AdvertiserUser{}, err
			}
		}
		return s.withDetails(ctx, tx, u)
	})
}

// changeDetails changes the details of a user. What they lack of a name and an
// address is taken from the profile.
func (s *Service) changeDetails(ctx context.Context, tx Tx, u affiliate.User, change func(*PayoutDetails)) error {
	found, err := s.detailsOf(ctx, tx, []int64{u.ID})
	if err != nil {
		return err
	}
	kept := found[u.ID]
	d := kept
	change(&d)
	d.unmask(kept)
	d.UserID = u.ID
	d = d.normalized()
	for _, f := range []struct {
		to   *string
		from string
		most int
	}{
		{&d.Name, strings.TrimSpace(u.Profile.FirstName + " " + u.Profile.Surname), maxDetail}, {&d.Street, u.Profile.Address, maxDetail},
		{&d.PostalCode, u.Profile.Postcode, 16}, {&d.City, u.Profile.City, 70}, {&d.Country, strings.ToUpper(u.Profile.Country), 2},
	} {
		if *f.to == "" && utf8.RuneCountInString(f.from) <= f.most {
			*f.to = strings.TrimSpace(f.from)
		}
	}
	if err := d.validateBounds(); err != nil {
		return err
	}
	return s.putDetails(ctx, tx, u, d)
}

// putDetails seals details of the user and keeps them.
func (s *Service) putDetails(ctx context.Context, tx Tx, u affiliate.User, d PayoutDetails) error {
	d.UpdatedAt = s.clock.Now()
	sealed, err := s.keys.seal(detailsPlace(d.UserID), d)
	if err != nil {
		return err
	}
	if err := tx.PayoutDetails().Put(ctx, SealedDetails{UserID: d.UserID, Sealed: sealed, UpdatedAt: d.UpdatedAt}); err != nil {
		return err
	}
	return tx.Events().Add(ctx, EventDetailsSet.On(u.ID, d.UpdatedAt).Of(0, u.ClientID))
}
