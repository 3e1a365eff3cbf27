package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type syncCampaignTable struct {
	*engine.Table[adsync.Campaign]
	byID        *engine.Unique[adsync.Campaign, uuid.UUID]
	byReference *engine.Unique[adsync.Campaign, accountReference]
	byAccount   *engine.Groups[adsync.Campaign, string]
	inOrder     *engine.Ordered[adsync.Campaign]
}

func placeOfCampaign(c *adsync.Campaign) adsync.Cursor {
	return adsync.Cursor{At: c.CreatedAt, ID: c.ID}
}

func newSyncCampaignTable(db *DB) syncCampaignTable {
	t := engine.NewTable[adsync.Campaign](&db.store)
	return syncCampaignTable{t,
		engine.NewUnique(t, func(c *adsync.Campaign) (uuid.UUID, bool) { return c.ID, true }),
		engine.NewUnique(t, func(c *adsync.Campaign) (accountReference, bool) {
			return accountReference{c.AccountID, c.ReferenceID}, c.ReferenceID != "" && c.State != adsync.Removed
		}),
		engine.NewGroups(t, func(c *adsync.Campaign) (string, bool) { return c.AccountID, c.State != adsync.Removed }, byPlace(placeOfCampaign)),
		engine.NewOrdered(t, byPlace(placeOfCampaign)),
	}
}

func copyCampaign(_ uint32, c *adsync.Campaign) adsync.Campaign {
	out := *c
	out.Configuration = copyConfiguration(c.Configuration)
	return out
}

func copyConfiguration(c adsync.Configuration) adsync.Configuration {
	c.Geo.Value.Places, c.Geo.Value.Excluded = copyPlaces(c.Geo.Value.Places), copyPlaces(c.Geo.Value.Excluded)
	return c
}

func copyPlaces(p adsync.Places) adsync.Places {
	return adsync.Places{
		Countries: engine.Copied(p.Countries), Regions: engine.Copied(p.Regions), Cities: engine.Copied(p.Cities), Zips: engine.Copied(p.Zips),
		CustomLocations: engine.Copied(p.CustomLocations), CriteriaIDs: engine.Copied(p.CriteriaIDs),
	}
}

type syncCampaigns struct{ u *unit }

func (r syncCampaigns) Put(ctx context.Context, campaigns ...adsync.Campaign) error {
	t := r.u.db.sync.campaigns
	return putAll(ctx, r.u, t.Table, t.byID, func(c *adsync.Campaign) uuid.UUID { return c.ID }, campaigns, func(c adsync.Campaign) adsync.Campaign {
		c = copyCampaign(0, &c)
		keptTimes(&c.CreatedAt, &c.UpdatedAt, &c.RemovedAt)
		return c
	}, func(c *adsync.Campaign, row uint32) error {
		var f engine.Refusal
		_, ok := r.u.db.sync.adAccounts.byID.Find(accountAdAccount{c.AccountID, c.AdAccountID})
		f.Refers(ok, "ad_account")
		f.Unique(t.byReference.Taken(c, row), "reference_id")
		return f.Err("campaign")
	})
}

func (r syncCampaigns) Get(ctx context.Context, id uuid.UUID) (adsync.Campaign, error) {
	t := r.u.db.sync.campaigns
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "campaign", copyCampaign)
}

func (r syncCampaigns) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.Campaign, error) {
	t := r.u.db.sync.campaigns
	return getAll(ctx, r.u, t.Table, t.byID, ids, copyCampaign)
}

func (r syncCampaigns) ByReference(ctx context.Context, accountID, referenceID string) (adsync.Campaign, error) {
	t := r.u.db.sync.campaigns
	return byReference(ctx, r.u, t.Table, t.byReference, accountID, referenceID, "campaign", copyCampaign)
}

func (r syncCampaigns) List(ctx context.Context, f adsync.CampaignFilter, after adsync.Cursor, limit int) ([]adsync.Campaign, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.campaigns
	keep := func(c *adsync.Campaign) bool {
		return c.State != adsync.Removed && (f.AdAccountID == "" || c.AdAccountID == f.AdAccountID) && (f.Service == "" || c.Service == f.Service) &&
			(f.State == "" || c.State == f.State) && (f.ReferenceID == "" || c.ReferenceID == f.ReferenceID)
	}
	if f.AccountID == "" {
		return allBehind(t.Table, t.inOrder, placeOfCampaign, after, limit, keep, copyCampaign), nil
	}
	rows := t.byAccount.Of(f.AccountID)
	if f.ReferenceID != "" {
		rows = referenced(t.byReference, f.AccountID, f.ReferenceID)
	}
	return behind(t.Table, rows, placeOfCampaign, after, limit, keep, copyCampaign), nil
}

type adSetTable struct {
	*engine.Table[adsync.AdSet]
	byID        *engine.Unique[adsync.AdSet, uuid.UUID]
	byReference *engine.Unique[adsync.AdSet, accountReference]
	byAccount   *engine.Groups[adsync.AdSet, string]
	byCampaign  *engine.Groups[adsync.AdSet, uuid.UUID]
	inOrder     *engine.Ordered[adsync.AdSet]
}

func placeOfAdSet(a *adsync.AdSet) adsync.Cursor { return adsync.Cursor{At: a.CreatedAt, ID: a.ID} }

func newAdSetTable(db *DB) adSetTable {
	t := engine.NewTable[adsync.AdSet](&db.store)
	return adSetTable{t,
		engine.NewUnique(t, func(a *adsync.AdSet) (uuid.UUID, bool) { return a.ID, true }),
		engine.NewUnique(t, func(a *adsync.AdSet) (accountReference, bool) {
			return accountReference{a.AccountID, a.ReferenceID}, a.ReferenceID != "" && a.State != adsync.Removed
		}),
		engine.NewGroups(t, func(a *adsync.AdSet) (string, bool) { return a.AccountID, a.State != adsync.Removed }, byPlace(placeOfAdSet)),
		engine.NewGroups(t, func(a *adsync.AdSet) (uuid.UUID, bool) { return a.CampaignID, a.State != adsync.Removed }, byPlace(placeOfAdSet)),
		engine.NewOrdered(t, byPlace(placeOfAdSet)),
	}
}

func copyAdSet(_ uint32, a *adsync.AdSet) adsync.AdSet {
	out := *a
	out.Configuration = copyConfiguration(a.Configuration)
	return out
}

type adSets struct{ u *unit }

func (r adSets) Put(ctx context.Context, list ...adsync.AdSet) error {
	t := r.u.db.sync.adSets
	return putAll(ctx, r.u, t.Table, t.byID, func(a *adsync.AdSet) uuid.UUID { return a.ID }, list, func(a adsync.AdSet) adsync.AdSet {
		a = copyAdSet(0, &a)
		keptTimes(&a.CreatedAt, &a.UpdatedAt, &a.RemovedAt)
		return a
	}, func(a *adsync.AdSet, row uint32) error {
		var f engine.Refusal
		_, ok := r.u.db.sync.campaigns.byID.Find(a.CampaignID)
		f.Refers(ok, "campaign")
		f.Unique(t.byReference.Taken(a, row), "reference_id")
		return f.Err("ad_set")
	})
}

func (r adSets) Get(ctx context.Context, id uuid.UUID) (adsync.AdSet, error) {
	t := r.u.db.sync.adSets
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "ad_set", copyAdSet)
}

func (r adSets) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.AdSet, error) {
	t := r.u.db.sync.adSets
	return getAll(ctx, r.u, t.Table, t.byID, ids, copyAdSet)
}

func (r adSets) ByReference(ctx context.Context, accountID, referenceID string) (adsync.AdSet, error) {
	t := r.u.db.sync.adSets
	return byReference(ctx, r.u, t.Table, t.byReference, accountID, referenceID, "ad_set", copyAdSet)
}

func (r adSets) List(ctx context.Context, f adsync.AdSetFilter, after adsync.Cursor, limit int) ([]adsync.AdSet, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.adSets
	keep := func(a *adsync.AdSet) bool {
		return a.State != adsync.Removed && (f.AccountID == "" || a.AccountID == f.AccountID) &&
			(f.AdAccountID == "" || a.AdAccountID == f.AdAccountID) && (f.Service == "" || a.Service == f.Service) &&
			(f.State == "" || a.State == f.State) && (f.ReferenceID == "" || a.ReferenceID == f.ReferenceID)
	}
	var rows []uint32
	switch {
	case f.CampaignID != uuid.Nil:
		rows = t.byCampaign.Of(f.CampaignID)
	case f.AccountID == "":
		return allBehind(t.Table, t.inOrder, placeOfAdSet, after, limit, keep, copyAdSet), nil
	case f.ReferenceID != "":
		rows = referenced(t.byReference, f.AccountID, f.ReferenceID)
	default:
		rows = t.byAccount.Of(f.AccountID)
	}
	return behind(t.Table, rows, placeOfAdSet, after, limit, keep, copyAdSet), nil
}
