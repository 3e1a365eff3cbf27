package offers

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// NewOffer is what CreateOffer makes an offer of. Of the Offer the id, the
// currency, the token, the priority and the times of creation, pause and
// deletion are not looked at.
type NewOffer struct {
	Offer   Offer
	Targets Targets // none: everyone
	// After is the offer right behind which the new one ranks; 0: first.
	After int64
	// Priority ranks instead of After, when it is set: see V1Priority.
	Priority affiliate.Optional[int64]
	// Budget makes a shared budget for the offer, of this title and amount.
	Budget affiliate.Optional[NewSharedBudget]
	Paused bool // it begins paused
}

// NewSharedBudget is what a shared budget is made of.
type NewSharedBudget struct {
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
func (s *Service) CreateOffer(ctx context.Context, n NewOffer) (Saved, error) {
	token, err := s.text(tokenLength)
	if err != nil {
		return Saved{}, err
	}
	image, err := s.adopt(ctx, n.Offer.ImageKey)
	if err != nil {
		return Saved{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Saved, error) {
		n.Offer.ImageKey = image
		return s.create(ctx, tx, token, n)
	})
}

// create adds an offer within a unit.
func (s *Service) create(ctx context.Context, tx Tx, token string, n NewOffer) (Saved, error) {
	now := s.clock.Now()
	o := n.Offer
	o.Token, o.CreatedAt, o.UpdatedAt = token, now, now
	o.PausedAt, o.DeletedAt = time.Time{}, time.Time{}
	if n.Paused {
		o.PausedAt = now
	}
	advertiser, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
	if err != nil {
		return Saved{}, err
	}
	o.Currency = advertiser.Currency
	if n.Budget.Set {
		if o.SharedBudgetID, err = addSharedBudget(ctx, tx, now, advertiser, n.Budget.Value); err != nil {
			return Saved{}, err
		}
	} else if err := ownBudget(ctx, tx, o); err != nil {
		return Saved{}, err
	}
	if o.Priority = n.Priority.Value; !n.Priority.Set {
		if o.Priority, err = rankAfter(ctx, tx, o, n.After); err != nil {
			return Saved{}, err
		}
	}
	if o, err = tx.Offers().Add(ctx, o); err != nil {
		return Saved{}, err
	}
	skipped, err := s.aim(ctx, tx, now, o, n.Targets, nil)
	if err != nil {
		return Saved{}, err
	}
	v, err := view(ctx, tx, now, o)
	return Saved{v, skipped}, err
}

// ChangeOffer is what UpdateOffer changes.
type ChangeOffer struct {
	// Change is applied to the offer as it is now and may run again; nil
	// changes nothing. Id, image, advertiser, currency, token, priority, author and
	// the times of creation, pause and deletion are not its to change.
	Change   func(*Offer)
	Targets  affiliate.Optional[Targets] // replace all
	After    affiliate.Optional[int64]   // see NewOffer.After
	Priority affiliate.Optional[int64]   // see NewOffer.Priority
	ImageKey affiliate.Optional[string]  // of an upload or of another image that is kept; "": none
	// Budget changes title and amount of the offer's shared budget, or makes
	// one when it has none.
	Budget affiliate.Optional[NewSharedBudget]
	Paused affiliate.Optional[bool] // pause or unpause it
	// Retarget returns the targets that replace those that it is given; nil
	// leaves them. Targets goes before it.
	Retarget func(Targets) Targets
}

// UpdateOffer changes an offer (campaign-update). ErrNotFound when it is deleted.
// Limits may be set below what is used: the offer has then ended.
func (s *Service) UpdateOffer(ctx context.Context, id int64, c ChangeOffer) (Saved, error) {
	image, err := s.adopt(ctx, c.ImageKey.Value)
	if err != nil {
		return Saved{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Saved, error) {
		before, err := live(ctx, tx, id)
		if err != nil {
			return Saved{}, err
		}
		c.ImageKey.Value = image
		return s.update(ctx, tx, before, c)
	})
}

// update changes an offer within a unit.
func (s *Service) update(ctx context.Context, tx Tx, before Offer, c ChangeOffer) (out Saved, err error) {
	now, o := s.clock.Now(), before
	if c.Change != nil {
		o.Costs, o.Todo = slices.Clone(o.Costs), slices.Clone(o.Todo)
		c.Change(&o)
	}
	if o.ImageKey = before.ImageKey; c.ImageKey.Set {
		o.ImageKey = c.ImageKey.Value
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
	if err := save(ctx, tx, before, o); err != nil {
		return Saved{}, err
	}
	var skipped Targets
	if c.Retarget != nil && !c.Targets.Set {
		had, err := tx.Targets().Get(ctx, o.ID)
		if err != nil {
			return Saved{}, err
		}
		c.Targets = affiliate.Some(c.Retarget(gather(had)))
	}
	if c.Targets.Set {
		if skipped, err = s.aim(ctx, tx, now, o, c.Targets.Value, nil); err != nil {
			return Saved{}, err
		}
	}
	v, err := view(ctx, tx, now, o)
	return Saved{v, skipped}, err
}

// save keeps a changed offer. The counters that its limits are held against
// are locked first: whoever charges a click to the offer has then either
// committed or will see the change.
func save(ctx context.Context, tx Tx, before, o Offer) error {
	keys := []UsageKey{OfferUsage(o.ID)}
	for _, id := range affiliate.SortedIDs([]int64{before.SharedBudgetID, o.SharedBudgetID}) {
		if id != 0 {
			keys = append(keys, SharedUsage(id))
		}
	}
	if _, err := tx.Usage().Lock(ctx, keys); err != nil {
		return err
	}
	return tx.Offers().Update(ctx, o)
}

// live is the offer, unless it is deleted.
func live(ctx context.Context, tx Tx, id int64) (Offer, error) {
	o, err := tx.Offers().Get(ctx, id)
	if err == nil && !o.DeletedAt.IsZero() {
		return Offer{}, affiliate.NotFound("offer", id)
	}
	return o, err
}

// stamp changes the times of an offer.
func (s *Service) stamp(ctx context.Context, id int64, change func(o *Offer, now time.Time)) (View, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		now := s.clock.Now()
		before, err := live(ctx, tx, id)
		if err != nil {
			return View{}, err
		}
		o := before
		change(&o, now)
		if !o.PausedAt.Equal(before.PausedAt) || !o.DeletedAt.Equal(before.DeletedAt) || o.ImageKey != before.ImageKey {
			o.UpdatedAt = now
			if err := save(ctx, tx, before, o); err != nil {
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

// Offer answers one offer, deleted ones as well.
func (s *Service) Offer(ctx context.Context, id int64) (View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		o, err := tx.Offers().Get(ctx, id)
		if err != nil {
			return View{}, err
		}
		return view(ctx, tx, s.clock.Now(), o)
	})
}

// OfferByToken answers the offer with the token (campaign-get-by-token).
func (s *Service) OfferByToken(ctx context.Context, token string) (View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (View, error) {
		o, err := tx.Offers().ByToken(ctx, token)
		if err != nil {
			return View{}, err
		}
		return view(ctx, tx, s.clock.Now(), o)
	})
}

// OffersByID answers the offers with the ids, by id; missing ones are left out.
func (s *Service) OffersByID(ctx context.Context, ids []int64) (map[int64]View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (map[int64]View, error) {
		found, err := tx.Offers().GetMany(ctx, ids)
		if err != nil {
			return nil, err
		}
		all, err := views(ctx, tx, s.clock.Now(), found)
		out := make(map[int64]View, len(all))
		for _, v := range all {
			out[v.ID] = v
		}
		return out, err
	})
}

// Offers lists offers at this instant (campaigns-list): the filter's At is
// set here.
func (s *Service) Offers(ctx context.Context, f OfferFilter, p affiliate.PageRequest) (affiliate.Page[View], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[View], error) {
		f.At = s.clock.Now()
		page, err := tx.Offers().List(ctx, f, p)
		if err != nil {
			return affiliate.Page[View]{}, err
		}
		items, err := views(ctx, tx, f.At, page.Items)
		return affiliate.Page[View]{Items: items, Total: page.Total}, err
	})
}

// TargetsOfUser are the targets that name a user: for OfferFilter.Targets
// (target_user_id). An unknown user is ErrNotFound.
func (s *Service) TargetsOfUser(ctx context.Context, userID int64) ([]Target, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Target, error) {
		u, err := tx.Users().Get(ctx, userID)
		if err != nil {
			return nil, err
		}
		targets, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
		return targets[u.ID], err
	})
}

// targetsOfUsers are the targets that name each of the users.
func targetsOfUsers(ctx context.Context, tx Tx, users map[int64]affiliate.User) (map[int64][]Target, error) {
	var clientIDs []int64
	for _, u := range users {
		if u.ClientID != 0 {
			clientIDs = append(clientIDs, u.ClientID)
		}
	}
	clients, err := affiliate.Indexed(ctx, tx.Clients().GetMany, clientIDs, func(c affiliate.Client) int64 { return c.ID })
	out := make(map[int64][]Target, len(users))
	for id, u := range users {
		out[id] = TargetsOf(u, clients[u.ClientID].GroupID)
	}
	return out, err
}
