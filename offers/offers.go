package offers

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// OfferInput is what CreateOffer makes an offer of. Of the Offer the id, the
// currency, the token, the priority and the times of creation, pause and
// deletion are not looked at.
type OfferInput struct {
	Offer   Offer
	Targets Targets // none: everyone
	// After is the offer right behind which the new one ranks; 0: first.
	After int64
	// Priority ranks instead of After, when it is set: see V1Priority.
	Priority affiliate.Optional[int64]
	// Budget makes a shared budget for the offer, of this title and amount.
	Budget affiliate.Optional[SharedBudgetInput]
	// Fill completes the input in the unit, where the advertiser is known whose
	// currency the amounts are in. It may run again; nil changes nothing.
	Fill   func(in *OfferInput, a affiliate.Advertiser) error
	Paused bool // it begins paused
}

// SharedBudgetInput is what a shared budget is made of.
type SharedBudgetInput struct {
	Title  string // 1..255 characters
	Amount int64  // minor units of the advertiser's currency
}

// Saved is an offer as it is after a change, and what of the targets was left
// out: unknown, banned or blocked (warnings.skipped_targets).
type Saved struct {
	View
	Skipped Targets
}

// CreateOffer adds an offer (campaign-create). Users, e-mails and identifiers
// among its targets become participants at once; those that no user has yet
// are pre-registered.
func (s *Service) CreateOffer(ctx context.Context, n OfferInput) (Saved, error) {
	token, err := s.text(tokenLength)
	if err != nil {
		return Saved{}, err
	}
	image, err := s.Adopt(ctx, n.Offer.AdvertiserID, n.Offer.ImageKey)
	if err != nil {
		return Saved{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Saved, error) {
		n := n
		n.Offer.ImageKey = image
		return s.create(ctx, tx, token, n)
	})
}

// create adds an offer within a unit.
func (s *Service) create(ctx context.Context, tx Tx, token string, n OfferInput) (Saved, error) {
	now := s.clock.Now()
	if !s.viewer.ActsFor(n.Offer.AdvertiserID) {
		return Saved{}, affiliate.NotFound("advertiser", n.Offer.AdvertiserID)
	}
	advertiser, err := tx.Advertisers().Get(ctx, n.Offer.AdvertiserID)
	if err != nil {
		return Saved{}, err
	}
	image := n.Offer.ImageKey
	if n.Fill != nil {
		if err := n.Fill(&n, advertiser); err != nil {
			return Saved{}, err
		}
	}
	o := n.Offer
	o.AdvertiserID, o.ImageKey = advertiser.ID, image
	o.Token, o.CreatedAt, o.UpdatedAt = token, now, now
	o.PausedAt, o.DeletedAt = time.Time{}, time.Time{}
	if n.Paused {
		o.PausedAt = now
	}
	o.Currency = advertiser.Currency
	if n.Budget.Set {
		o.SharedBudgetID = 0
	}
	if err := s.checkReferences(ctx, tx, o, Offer{}); err != nil {
		return Saved{}, err
	}
	if n.Budget.Set {
		if o.SharedBudgetID, err = addSharedBudget(ctx, tx, now, advertiser, n.Budget.Value); err != nil {
			return Saved{}, err
		}
	}
	if o.Priority = n.Priority.Value; !n.Priority.Set {
		if o.Priority, err = rankAfter(ctx, tx, o, n.After); err != nil {
			return Saved{}, err
		}
	}
	if o, err = tx.Offers().Add(ctx, o); err != nil {
		return Saved{}, err
	}
	if err := UseImage(ctx, tx, o.AdvertiserID, "", o.ImageKey, now); err != nil {
		return Saved{}, err
	}
	if err := tx.Events().Add(ctx, o.event(EventCampaignCreated, now)); err != nil {
		return Saved{}, err
	}
	skipped, err := s.aim(ctx, tx, now, o, n.Targets, nil)
	if err != nil {
		return Saved{}, err
	}
	v, err := view(ctx, tx, now, o)
	return Saved{v, skipped}, err
}

// OfferChange is what UpdateOffer changes.
type OfferChange struct {
	// Change is applied to the offer as it is now, and may complete the change
	// by it. It may run again; nil changes nothing. Id, image, advertiser, currency,
	// token, priority, author and the times of creation, pause and deletion are
	// not its to change.
	Change   func(o *Offer, c *OfferChange) error
	Targets  affiliate.Optional[Targets] // replace all
	After    affiliate.Optional[int64]   // see OfferInput.After
	Priority affiliate.Optional[int64]   // see OfferInput.Priority
	ImageKey affiliate.Optional[string]  // of an upload or of another image that is kept; "": none
	// Budget changes title and amount of the offer's shared budget, or makes
	// one when it has none.
	Budget affiliate.Optional[SharedBudgetInput]
	Paused affiliate.Optional[bool] // pause or unpause it
	// Retarget returns the targets that replace those that it is given; nil
	// leaves them. Targets goes before it.
	Retarget func(Targets) Targets
}

// UpdateOffer changes an offer (campaign-update). ErrNotFound when it is deleted.
// Limits may be set below what is used: the offer has then ended.
func (s *Service) UpdateOffer(ctx context.Context, id int64, c OfferChange) (Saved, error) {
	image, err := s.adoptFor(ctx, id, c.ImageKey.Value)
	if err != nil {
		return Saved{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Saved, error) {
		before, err := s.locked(ctx, tx, id)
		if err != nil {
			return Saved{}, err
		}
		c := c
		c.ImageKey.Value = image
		return s.update(ctx, tx, before, c)
	})
}

// adoptFor is Adopt for an offer's advertiser.
func (s *Service) adoptFor(ctx context.Context, id int64, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	o, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Offer, error) { return s.live(ctx, tx, id) })
	if err != nil {
		return "", err
	}
	return s.Adopt(ctx, o.AdvertiserID, key)
}

// update changes an offer within a unit that has locked it.
func (s *Service) update(ctx context.Context, tx Tx, before Offer, c OfferChange) (out Saved, err error) {
	now, o, image := s.clock.Now(), before, c.ImageKey
	if c.Change != nil {
		o.Costs, o.Todo = slices.Clone(o.Costs), slices.Clone(o.Todo)
		if err := c.Change(&o, &c); err != nil {
			return Saved{}, err
		}
	}
	if o.ImageKey = before.ImageKey; image.Set {
		o.ImageKey = image.Value
	}
	o.ID, o.AdvertiserID, o.Currency, o.Token, o.Priority = before.ID, before.AdvertiserID, before.Currency, before.Token, before.Priority
	o.CreatedBy, o.CreatedAt, o.PausedAt, o.DeletedAt, o.UpdatedAt = before.CreatedBy, before.CreatedAt, before.PausedAt, before.DeletedAt, now
	switch {
	case !c.Paused.Set:
	case !c.Paused.Value:
		o.PausedAt = time.Time{}
	case o.PausedAt.IsZero():
		o.PausedAt = now
	}
	if err := s.checkReferences(ctx, tx, o, before); err != nil {
		return Saved{}, err
	}
	if o.SharedBudgetID, err = changeBudget(ctx, tx, now, o, c.Budget); err != nil {
		return Saved{}, err
	}
	if c.Priority.Set {
		o.Priority = c.Priority.Value
	} else if c.After.Set {
		if o.Priority, err = rankAfter(ctx, tx, o, c.After.Value); err != nil {
			return Saved{}, err
		}
	}
	if err := tx.Offers().Update(ctx, o); err != nil {
		return Saved{}, err
	}
	if err := UseImage(ctx, tx, o.AdvertiserID, before.ImageKey, o.ImageKey, now); err != nil {
		return Saved{}, err
	}
	if err := tx.Events().Add(ctx, o.event(o.changed(before), now)); err != nil {
		return Saved{}, err
	}
	var skipped Targets
	var keep []Target // that the viewer does not see, and therefore cannot mean to take out
	if c.Retarget != nil && !c.Targets.Set {
		had, err := tx.Targets().Get(ctx, o.ID)
		if err != nil {
			return Saved{}, err
		}
		if had, keep, err = s.seenTargets(ctx, tx, had); err != nil {
			return Saved{}, err
		}
		c.Targets = affiliate.Some(c.Retarget(gather(had)))
	}
	if c.Targets.Set {
		if skipped, err = s.aim(ctx, tx, now, o, c.Targets.Value, keep); err != nil {
			return Saved{}, err
		}
	}
	v, err := view(ctx, tx, now, o)
	return Saved{v, skipped}, err
}

// stamp changes the times of an offer.
func (s *Service) stamp(ctx context.Context, id int64, change func(o *Offer, now time.Time)) (View, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		now := s.clock.Now()
		before, err := s.locked(ctx, tx, id)
		if err != nil {
			return View{}, err
		}
		o := before
		change(&o, now)
		if !o.PausedAt.Equal(before.PausedAt) || !o.DeletedAt.Equal(before.DeletedAt) || o.ImageKey != before.ImageKey {
			o.UpdatedAt = now
			if err := tx.Offers().Update(ctx, o); err != nil {
				return View{}, err
			}
			after := o.ImageKey
			if !o.DeletedAt.IsZero() {
				after = ""
			}
			if err := UseImage(ctx, tx, o.AdvertiserID, before.ImageKey, after, now); err != nil {
				return View{}, err
			}
			if err := tx.Events().Add(ctx, o.event(o.changed(before), now)); err != nil {
				return View{}, err
			}
		}
		return view(ctx, tx, now, o)
	})
}

// DeleteOffer ends an offer for good (campaign-delete); what it paid stays. A
// second time is ErrNotFound.
func (s *Service) DeleteOffer(ctx context.Context, id int64) error {
	_, err := s.stamp(ctx, id, func(o *Offer, now time.Time) { o.DeletedAt = now })
	return err
}

// PauseOffer stops an offer until UnpauseOffer; again changes nothing (campaign-pause).
func (s *Service) PauseOffer(ctx context.Context, id int64) (View, error) {
	return s.stamp(ctx, id, func(o *Offer, now time.Time) {
		if o.PausedAt.IsZero() {
			o.PausedAt = now
		}
	})
}

// UnpauseOffer undoes PauseOffer (campaign-unpause).
func (s *Service) UnpauseOffer(ctx context.Context, id int64) (View, error) {
	return s.stamp(ctx, id, func(o *Offer, _ time.Time) { o.PausedAt = time.Time{} })
}

// Offer returns one offer, deleted ones as well (campaign-get).
func (s *Service) Offer(ctx context.Context, id int64) (View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		o, err := tx.Offers().Get(ctx, id)
		if err != nil {
			return View{}, err
		}
		return s.detailed(ctx, tx, o)
	})
}

// OfferByToken returns the offer with the token (campaign-get-by-token).
func (s *Service) OfferByToken(ctx context.Context, token string) (View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		o, err := tx.Offers().ByToken(ctx, token)
		if err != nil {
			return View{}, err
		}
		return s.detailed(ctx, tx, o)
	})
}

// detailed is an offer that the viewer sees, with its targets for those who act
// for the advertiser.
func (s *Service) detailed(ctx context.Context, tx Tx, o Offer) (View, error) {
	v, err := view(ctx, tx, s.clock.Now(), o)
	if err != nil {
		return View{}, err
	}
	if err := s.sees(ctx, tx, v); err != nil {
		return View{}, err
	}
	if v.Status != Deleted && s.viewer.ActsFor(v.AdvertiserID) {
		list, err := tx.Targets().Get(ctx, v.ID)
		if err != nil {
			return View{}, err
		}
		v.Targets = affiliate.Some(gather(list))
	}
	return v, nil
}

// Offers lists offers at this instant: the filter's At is set here. Viewers
// other than the operator list by Search.
func (s *Service) Offers(ctx context.Context, f OfferFilter, p affiliate.PageRequest) (affiliate.Page[View], error) {
	return s.Search(ctx, OfferQuery{OfferFilter: f}, p)
}

// Search lists the offers that the viewer sees, at this instant
// (campaigns-list): the filter's At is set here.
func (s *Service) Search(ctx context.Context, q OfferQuery, p affiliate.PageRequest) (affiliate.Page[View], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[View], error) {
		f, err := s.narrow(ctx, tx, q)
		if err != nil {
			return affiliate.Page[View]{}, err
		}
		f.At = affiliate.Instant(ctx, s.clock)
		page, err := tx.Offers().List(ctx, f, p)
		if err != nil {
			return affiliate.Page[View]{}, err
		}
		items, err := views(ctx, tx, f.At, page.Items)
		return affiliate.Page[View]{Items: items, Total: page.Total}, err
	})
}

// Snapshot runs fn with a context in which all lists are of one instant, for an
// export that reads them page by page; see [affiliate.Snapshot].
func (s *Service) Snapshot(ctx context.Context, fn func(context.Context) error) error {
	return affiliate.Snapshot(ctx, s.store, s.clock, fn)
}

// targetsOfUsers are the targets that name each of the users.
func targetsOfUsers(ctx context.Context, tx Tx, users map[int64]affiliate.User) (map[int64][]Target, error) {
	var clientIDs []int64
	for _, u := range users {
		if u.ClientID != 0 {
			clientIDs = append(clientIDs, u.ClientID)
		}
	}
	clients, err := idset.Index(ctx, tx.Clients().GetMany, clientIDs, func(c affiliate.Client) int64 { return c.ID })
	out := make(map[int64][]Target, len(users))
	for id, u := range users {
		out[id] = targetsOf(u, clients[u.ClientID].GroupID)
	}
	return out, err
}
