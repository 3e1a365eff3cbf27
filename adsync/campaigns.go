package adsync

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// CampaignInput is what a caller says about a campaign. What is not sent stays
// as it is; Service, State and AdAccount are required of a new campaign. The
// service and the ad account never change.
type CampaignInput struct {
	ID            string // of the campaign to change, as SaveCampaign finds it; empty: not sent
	ReferenceID   Field[string]
	Service       Field[AdService] // must be the ad account's
	State         Field[State]
	Title         Field[string]
	Description   Field[string]
	Configuration Field[Configuration]
	AdAccount     string // the service's id; empty: not sent
}

// SaveCampaign changes the campaign that the input names, or adds one; it
// reports whether it was added (campaign-create). The campaign is found by the
// id (unknown: ErrNotFound), else by the reference id.
func (s *Service) SaveCampaign(ctx context.Context, in CampaignInput) (Campaign, bool, error) {
	return save(ctx, s, campaigns, in.ID, in.ReferenceID.given(), func(ctx context.Context, tx Tx, owner Account, c Campaign, creating bool) (Campaign, error) {
		return s.changeCampaign(ctx, tx, owner, c, in, creating)
	})
}

// UpdateCampaign changes the campaign with an id or reference id
// (campaign-update). An input that names another id is ErrConflict "id_mismatch".
func (s *Service) UpdateCampaign(ctx context.Context, key string, in CampaignInput) (Campaign, error) {
	return update(ctx, s, campaigns, key, in.ID, func(ctx context.Context, tx Tx, owner Account, c Campaign) (Campaign, error) {
		return s.changeCampaign(ctx, tx, owner, c, in, false)
	})
}

// Campaign returns the campaign with an id or reference id (campaign-get). A
// removed one is ErrState with CodeRemoved.
func (s *Service) Campaign(ctx context.Context, key string) (Campaign, error) {
	return fetch(ctx, s, campaigns, key)
}

// Campaigns returns a page of the campaigns that the viewer sees
// (campaign-index, campaign-index-by-ad-account). A filter's ad account must be
// one that is connected: else ErrNotFound.
func (s *Service) Campaigns(ctx context.Context, f CampaignFilter, p PageRequest) (Page[Campaign], error) {
	if err := s.admit(); err != nil {
		return Page[Campaign]{}, err
	}
	if err := errors.Join(checkFilter("service", f.Service, AdServices()), checkFilter("state", f.State, States())); err != nil {
		return Page[Campaign]{}, first(err)
	}
	if s.who.account != "" {
		f.AccountID = s.who.account
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[Campaign], error) {
		if f.AdAccountID != "" && f.AccountID != "" {
			if _, err := connected(ctx, tx, f.AccountID, f.AdAccountID); err != nil {
				return Page[Campaign]{}, err
			}
		}
		return page(p, func(c Campaign) Cursor { return Cursor{c.CreatedAt, c.ID} },
			func(after Cursor, limit int) ([]Campaign, error) {
				return tx.SyncCampaigns().List(ctx, f, after, limit)
			})
	})
}

// changeCampaign brings an input into a campaign and keeps it.
func (s *Service) changeCampaign(ctx context.Context, tx Tx, owner Account, before Campaign, in CampaignInput, creating bool) (Campaign, error) {
	now := s.clock.Now()
	r := before
	c := changes{creating: creating}
	optional(&r.ReferenceID, in.ReferenceID)
	optional(&r.Title, in.Title)
	optional(&r.Description, in.Description)
	optional(&r.Configuration, in.Configuration)
	c.state(&r.State, in.State)
	if creating {
		required(&c, "service", &r.Service, in.Service)
		if err := c.adAccount(ctx, tx, owner, &r, in.AdAccount); err != nil {
			return r, err
		}
	} else {
		c.fixed("service", string(in.Service.given()), string(r.Service))
		c.fixed("ad_account", in.AdAccount, r.AdAccountID)
	}
	if r.State == Removed {
		r.RemovedAt = now
	}
	if err := c.err("campaign", r.Validate()); err != nil {
		return r, err
	}
	if !creating && reflect.DeepEqual(r, before) {
		return r, nil
	}
	r.UpdatedAt = now
	if err := tx.SyncCampaigns().Put(ctx, r); err != nil {
		return r, err
	}
	if err := tx.Events().Add(ctx, recordEvent(EventCampaignSaved, r.ID, owner.ID, r.State, now)); err != nil {
		return r, err
	}
	if err := enqueue(ctx, tx, owner, now, campaignJob(r)); err != nil || r.State != Removed {
		return r, err
	}
	return r, removeAdSets(ctx, tx, owner, AdSetFilter{AccountID: owner.ID, CampaignID: r.ID}, now)
}

// adAccount takes the ad account of a new campaign, which must be connected and
// of the campaign's service.
func (c *changes) adAccount(ctx context.Context, tx Tx, owner Account, r *Campaign, id string) error {
	if id == "" {
		c.bad.Add("ad_account", "required", "is required")
		c.missing = append(c.missing, "ad_account")
		return nil
	}
	r.AdAccountID = id
	a, err := connected(ctx, tx, owner.ID, id)
	if errors.Is(err, affiliate.ErrNotFound) {
		c.bad.Add("ad_account", "unknown_reference", "must be an ad account that is connected")
		c.missing = append(c.missing, "ad_account")
		return nil
	}
	if err == nil && r.Service != "" && a.Service() != r.Service && oneOf(r.Service, AdServices()) {
		c.bad.Add("service", "service_mismatch", "must be the service of the ad account, "+string(a.Service()))
	}
	return err
}

// first returns the first of joined errors.
func first(err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && len(joined.Unwrap()) > 0 {
		return joined.Unwrap()[0]
	}
	return err
}

// family is what campaigns, ad sets and ads have in common for the service.
type family[R any] struct {
	resource    string
	get         func(ctx context.Context, tx Tx, id uuid.UUID) (R, error)
	byReference func(ctx context.Context, tx Tx, accountID, referenceID string) (R, error)
	fresh       func(id uuid.UUID, accountID string, via Origin, now time.Time) R
	of          func(R) (id uuid.UUID, accountID string, state State)
}

var campaigns = family[Campaign]{
	resource: "campaign",
	get: func(ctx context.Context, tx Tx, id uuid.UUID) (Campaign, error) {
		return tx.SyncCampaigns().Get(ctx, id)
	},
	byReference: func(ctx context.Context, tx Tx, accountID, referenceID string) (Campaign, error) {
		return tx.SyncCampaigns().ByReference(ctx, accountID, referenceID)
	},
	fresh: func(id uuid.UUID, accountID string, via Origin, now time.Time) Campaign {
		return Campaign{ID: id, AccountID: accountID, CreatedVia: via, CreatedAt: now, UpdatedAt: now}
	},
	of: func(c Campaign) (uuid.UUID, string, State) { return c.ID, c.AccountID, c.State },
}

// byID returns the record with an id in text, if the viewer sees it: removed
// ones are gone.
func byID[R any](ctx context.Context, tx Tx, s *Service, f family[R], text string) (R, error) {
	var none R
	id, ok := parseID(text)
	if !ok {
		return none, affiliate.NotFound(f.resource, text)
	}
	r, err := f.get(ctx, tx, id)
	if err != nil {
		return none, err
	}
	switch _, account, state := f.of(r); {
	case !s.sees(account):
		return none, affiliate.NotFound(f.resource, text)
	case state == Removed:
		return none, gone(f.resource, id)
	}
	return r, nil
}

// by returns the record with an id or a reference id.
func by[R any](ctx context.Context, tx Tx, s *Service, f family[R], key string) (R, error) {
	r, err := byID(ctx, tx, s, f, key)
	if errors.Is(err, affiliate.ErrNotFound) {
		return f.byReference(ctx, tx, s.who.account, key)
	}
	return r, err
}

func fetch[R any](ctx context.Context, s *Service, f family[R], key string) (R, error) {
	if err := s.admit(); err != nil {
		var none R
		return none, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (R, error) { return by(ctx, tx, s, f, key) })
}

// save changes the record with the id, else the one with the reference id, else
// a new one.
func save[R any](ctx context.Context, s *Service, f family[R], id, referenceID string, change func(ctx context.Context, tx Tx, owner Account, r R, creating bool) (R, error)) (R, bool, error) {
	var none R
	if err := s.admit(); err != nil {
		return none, false, err
	}
	fresh, err := s.newID()
	if err != nil {
		return none, false, affiliate.Unavailable(err)
	}
	var created bool
	r, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (R, error) {
		created = false
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return none, err
		}
		var before R
		if id != "" {
			before, err = byID(ctx, tx, s, f, id)
		} else {
			before, err = f.byReference(ctx, tx, owner.ID, referenceID)
			if errors.Is(err, affiliate.ErrNotFound) {
				before, err, created = f.fresh(fresh, owner.ID, s.origin(), s.clock.Now()), nil, true
			}
		}
		if err != nil {
			return none, err
		}
		return change(ctx, tx, owner, before, created)
	})
	return r, created && err == nil, err
}

func update[R any](ctx context.Context, s *Service, f family[R], key, sent string, change func(ctx context.Context, tx Tx, owner Account, r R) (R, error)) (R, error) {
	var none R
	if err := s.admit(); err != nil {
		return none, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (R, error) {
		before, err := by(ctx, tx, s, f, key)
		if err != nil {
			return none, err
		}
		id, account, _ := f.of(before)
		owner, err := s.accountOf(ctx, tx, account)
		if err == nil {
			err = sameID(f.resource, id, key, sent)
		}
		if err != nil {
			return none, err
		}
		return change(ctx, tx, owner, before)
	})
}

// parent returns the record that a new one belongs to, named by its id or
// reference id; nil when there is none of the account, which is noted.
func parent[R any](ctx context.Context, tx Tx, s *Service, owner Account, c *changes, f family[R], name, key string) (*R, error) {
	if key == "" {
		c.bad.Add(name, "required", "is required")
		c.missing = append(c.missing, name)
		return nil, nil
	}
	r, err := by(ctx, tx, s, f, key)
	var account string
	if err == nil {
		_, account, _ = f.of(r)
	}
	switch {
	case errors.Is(err, affiliate.ErrNotFound), err == nil && account != owner.ID:
		c.bad.Add(name, "unknown_reference", "must refer to something that exists")
	case errors.Is(err, affiliate.ErrState):
		c.bad.Add(name, CodeRemoved, "must not be removed")
	default:
		return &r, err
	}
	c.missing = append(c.missing, name)
	return nil, nil
}

// sameParent refuses an update that names another parent, by its id or
// reference id.
func sameParent[R any](ctx context.Context, tx Tx, s *Service, c *changes, f family[R], name, key string, have uuid.UUID) error {
	if key == "" {
		return nil
	}
	r, err := by(ctx, tx, s, f, key)
	if errors.Is(err, affiliate.ErrNotFound) || errors.Is(err, affiliate.ErrState) {
		c.bad.Add(name, "unknown_reference", "must refer to something that exists")
		return nil
	}
	if err != nil {
		return err
	}
	id, _, _ := f.of(r)
	c.bad.Check(id == have, name, "fixed", "must not change")
	return nil
}
