package adsync

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AdSetInput is what a caller says about an ad set. What is not sent stays as it
// is; State, Bids, Configuration and Campaign are required of a new ad set. The
// campaign never changes.
type AdSetInput struct {
	ID            string // of the ad set to change, as SaveAdSet finds it; empty: not sent
	ReferenceID   Field[string]
	State         Field[State]
	Title         Field[string]
	Bids          Field[Bids]
	Configuration Field[Configuration]
	Campaign      string // its id or reference id; empty: not sent
}

// SaveAdSet changes the ad set that the input names, or adds one; it reports
// whether it was added (ad-set-create). The ad set is found by the id (unknown:
// ErrNotFound), else by the reference id.
func (s *Service) SaveAdSet(ctx context.Context, in AdSetInput) (AdSet, bool, error) {
	return save(ctx, s, adSets, in.ID, in.ReferenceID.given(), func(ctx context.Context, tx Tx, owner Account, a AdSet, creating bool) (AdSet, error) {
		return s.changeAdSet(ctx, tx, owner, a, in, creating)
	})
}

// UpdateAdSet changes the ad set with an id or reference id (ad-set-update). An
// input that names another id is ErrConflict "id_mismatch".
func (s *Service) UpdateAdSet(ctx context.Context, key string, in AdSetInput) (AdSet, error) {
	return update(ctx, s, adSets, key, in.ID, func(ctx context.Context, tx Tx, owner Account, a AdSet) (AdSet, error) {
		return s.changeAdSet(ctx, tx, owner, a, in, false)
	})
}

// AdSet returns the ad set with an id or reference id (ad-set-get). A removed
// one is ErrState with CodeRemoved.
func (s *Service) AdSet(ctx context.Context, key string) (AdSet, error) {
	return fetch(ctx, s, adSets, key)
}

// AdSets returns a page of the ad sets that the viewer sees (ad-set-index).
func (s *Service) AdSets(ctx context.Context, f AdSetFilter, p PageRequest) (Page[AdSet], error) {
	return s.adSetsWithin(ctx, "", f, p)
}

// AdSetsOf is AdSets for the campaign with an id or reference id
// (ad-set-index-by-campaign): ErrNotFound for an unknown one, ErrState with
// CodeRemoved for a removed one.
func (s *Service) AdSetsOf(ctx context.Context, campaign string, f AdSetFilter, p PageRequest) (Page[AdSet], error) {
	return s.adSetsWithin(ctx, campaign, f, p)
}

func (s *Service) adSetsWithin(ctx context.Context, campaign string, f AdSetFilter, p PageRequest) (Page[AdSet], error) {
	if err := s.admit(); err != nil {
		return Page[AdSet]{}, err
	}
	if err := errors.Join(checkFilter("service", f.Service, AdServices()), checkFilter("state", f.State, States())); err != nil {
		return Page[AdSet]{}, first(err)
	}
	if s.who.account != "" {
		f.AccountID = s.who.account
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[AdSet], error) {
		if campaign != "" {
			c, err := by(ctx, tx, s, campaigns, campaign)
			if err != nil {
				return Page[AdSet]{}, err
			}
			f.CampaignID = c.ID
		}
		return page(p, func(a AdSet) Cursor { return Cursor{a.CreatedAt, a.ID} },
			func(after Cursor, limit int) ([]AdSet, error) { return tx.AdSets().List(ctx, f, after, limit) })
	})
}

var adSets = family[AdSet]{
	resource: "ad_set",
	get:      func(ctx context.Context, tx Tx, id uuid.UUID) (AdSet, error) { return tx.AdSets().Get(ctx, id) },
	byReference: func(ctx context.Context, tx Tx, accountID, referenceID string) (AdSet, error) {
		return tx.AdSets().ByReference(ctx, accountID, referenceID)
	},
	fresh: func(id uuid.UUID, accountID string, via Origin, now time.Time) AdSet {
		return AdSet{ID: id, AccountID: accountID, CreatedVia: via, CreatedAt: now, UpdatedAt: now}
	},
	of: func(a AdSet) (uuid.UUID, string, State) { return a.ID, a.AccountID, a.State },
}

// changeAdSet brings an input into an ad set and keeps it.
func (s *Service) changeAdSet(ctx context.Context, tx Tx, owner Account, before AdSet, in AdSetInput, creating bool) (AdSet, error) {
	now := s.clock.Now()
	r := before
	c := changes{creating: creating}
	optional(&r.ReferenceID, in.ReferenceID)
	optional(&r.Title, in.Title)
	c.state(&r.State, in.State)
	required(&c, "bids", &r.Bids, in.Bids)
	required(&c, "service_configurations", &r.Configuration, in.Configuration)
	if creating {
		p, err := parent(ctx, tx, s, owner, &c, campaigns, "campaign", in.Campaign)
		if err != nil {
			return r, err
		}
		if p != nil {
			r.CampaignID, r.AdAccountID, r.Service = p.ID, p.AdAccountID, p.Service
		} else {
			c.missing = append(c.missing, "service", "ad_account")
		}
	} else if err := sameParent(ctx, tx, s, &c, campaigns, "campaign", in.Campaign, r.CampaignID); err != nil {
		return r, err
	}
	if r.State == Removed {
		r.RemovedAt = now
	}
	if err := c.err("ad_set", r.Validate()); err != nil {
		return r, err
	}
	if !creating && reflect.DeepEqual(r, before) {
		return r, nil
	}
	r.UpdatedAt = now
	if err := tx.AdSets().Put(ctx, r); err != nil {
		return r, err
	}
	if err := tx.Events().Add(ctx, recordEvent(EventAdSetSaved, r.ID, owner.ID, r.State, now)); err != nil {
		return r, err
	}
	if err := enqueue(ctx, tx, owner, now, adSetJob(r)); err != nil || r.State != Removed {
		return r, err
	}
	return r, removeWithin(ctx, tx, owner, []uuid.UUID{r.ID}, now)
}

// removeAdSets removes the ad sets of a campaign and what is in them.
func removeAdSets(ctx context.Context, tx Tx, owner Account, f AdSetFilter, now time.Time) error {
	for {
		sets, err := tx.AdSets().List(ctx, f, Cursor{}, batchSize)
		if err != nil || len(sets) == 0 {
			return err
		}
		ids, jobs := make([]uuid.UUID, len(sets)), make([]Job, len(sets))
		for n := range sets {
			sets[n].State, sets[n].RemovedAt, sets[n].UpdatedAt = Removed, now, now
			ids[n], jobs[n] = sets[n].ID, adSetJob(sets[n])
		}
		if err := tx.AdSets().Put(ctx, sets...); err != nil {
			return err
		}
		events := make([]affiliate.Event, len(sets))
		for n, set := range sets {
			events[n] = recordEvent(EventAdSetSaved, set.ID, owner.ID, set.State, now)
		}
		if err := tx.Events().Add(ctx, events...); err != nil {
			return err
		}
		if err := enqueue(ctx, tx, owner, now, jobs...); err != nil {
			return err
		}
		if err := removeWithin(ctx, tx, owner, ids, now); err != nil {
			return err
		}
	}
}

// removeWithin removes the ads and the templates of ad sets.
func removeWithin(ctx context.Context, tx Tx, owner Account, adSetIDs []uuid.UUID, now time.Time) error {
	templates, err := tx.AdTemplates().ByAdSets(ctx, adSetIDs)
	if err != nil {
		return err
	}
	if len(templates) > 0 {
		ids, events := make([]uuid.UUID, len(templates)), make([]affiliate.Event, len(templates))
		for n, t := range templates {
			ids[n], events[n] = t.ID, recordEvent(EventTemplateRemoved, t.ID, owner.ID, "", now)
		}
		if err := tx.AdTemplates().Delete(ctx, ids); err != nil {
			return err
		}
		if err := tx.Events().Add(ctx, events...); err != nil {
			return err
		}
	}
	for {
		ads, err := tx.Ads().List(ctx, AdFilter{AccountID: owner.ID, AdSetIDs: adSetIDs}, Cursor{}, batchSize)
		if err != nil || len(ads) == 0 {
			return err
		}
		for n := range ads {
			ads[n] = removed(ads[n], now)
		}
		if err := putAds(ctx, tx, owner, ads, now); err != nil {
			return err
		}
	}
}

func removed(a Ad, now time.Time) Ad {
	a.State, a.Held, a.RemovedAt, a.UpdatedAt = Removed, false, now, now
	return a
}
