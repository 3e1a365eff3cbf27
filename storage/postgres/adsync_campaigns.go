package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// configurationJSON is an adsync.Configuration as it is kept. Decimals are text.
type configurationJSON struct {
	Budget *budgetJSON    `json:"budget,omitempty"`
	Geo    *targetingJSON `json:"geo,omitempty"`
}

type budgetJSON struct {
	Amount       int64  `json:"amount"`
	BillingEvent string `json:"billing_event,omitempty"`
}

type targetingJSON struct {
	placesJSON
	Excluded placesJSON `json:"excluded"`
}

type placesJSON struct {
	Countries       []string       `json:"countries,omitempty"`
	Regions         []string       `json:"regions,omitempty"`
	Cities          []string       `json:"cities,omitempty"`
	Zips            []string       `json:"zips,omitempty"`
	CustomLocations []locationJSON `json:"custom_locations,omitempty"`
	CriteriaIDs     []string       `json:"criteria_ids,omitempty"`
}

type locationJSON struct {
	Latitude  *decimal.Decimal `json:"latitude,omitempty"`
	Longitude *decimal.Decimal `json:"longitude,omitempty"`
	Address   string           `json:"address,omitempty"`
	Radius    decimal.Decimal  `json:"radius"`
	Unit      string           `json:"unit,omitempty"`
}

func configurationColumn(c adsync.Configuration) jsonColumn[configurationJSON] {
	var out configurationJSON
	if c.DailyBudget.Set {
		b := budgetJSON(c.DailyBudget.Value)
		out.Budget = &b
	}
	if c.Geo.Set {
		out.Geo = &targetingJSON{placesOut(c.Geo.Value.Places), placesOut(c.Geo.Value.Excluded)}
	}
	return jsonColumn[configurationJSON]{out}
}

func configuration(c jsonColumn[configurationJSON]) adsync.Configuration {
	var out adsync.Configuration
	if c.V.Budget != nil {
		out.DailyBudget = affiliate.Some(adsync.Budget(*c.V.Budget))
	}
	if c.V.Geo != nil {
		out.Geo = affiliate.Some(adsync.Targeting{Places: placesIn(c.V.Geo.placesJSON), Excluded: placesIn(c.V.Geo.Excluded)})
	}
	return out
}

func placesOut(p adsync.Places) placesJSON {
	pointer := func(o affiliate.Optional[decimal.Decimal]) *decimal.Decimal {
		if !o.Set {
			return nil
		}
		return &o.Value
	}
	return placesJSON{
		Countries: p.Countries, Regions: p.Regions, Cities: p.Cities, Zips: p.Zips, CriteriaIDs: p.CriteriaIDs,
		CustomLocations: converted(p.CustomLocations, func(l adsync.CustomLocation) locationJSON {
			return locationJSON{pointer(l.Latitude), pointer(l.Longitude), l.Address, l.Radius, l.Unit}
		}),
	}
}

func placesIn(p placesJSON) adsync.Places {
	optional := func(d *decimal.Decimal) affiliate.Optional[decimal.Decimal] {
		if d == nil {
			return affiliate.Optional[decimal.Decimal]{}
		}
		return affiliate.Some(*d)
	}
	return adsync.Places{
		Countries: p.Countries, Regions: p.Regions, Cities: p.Cities, Zips: p.Zips, CriteriaIDs: p.CriteriaIDs,
		CustomLocations: converted(p.CustomLocations, func(l locationJSON) adsync.CustomLocation {
			return adsync.CustomLocation{Latitude: optional(l.Latitude), Longitude: optional(l.Longitude), Address: l.Address, Radius: l.Radius, Unit: l.Unit}
		}),
	}
}

type syncCampaignRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_campaigns,alias:t"`

	ID            uuid.UUID                     `bun:"id,pk"`
	AccountID     string                        `bun:"account_id"`
	AdAccountID   string                        `bun:"ad_account_id"`
	Service       adsync.AdService              `bun:"service"`
	State         adsync.State                  `bun:"state"`
	ReferenceID   string                        `bun:"reference_id"`
	Title         string                        `bun:"title"`
	Description   string                        `bun:"description"`
	Configuration jsonColumn[configurationJSON] `bun:"configuration"`
	CreatedVia    adsync.Origin                 `bun:"created_via"`
	CreatedAt     time.Time                     `bun:"created_at"`
	UpdatedAt     time.Time                     `bun:"updated_at,nullzero"`
	RemovedAt     time.Time                     `bun:"removed_at,nullzero"`
}

var syncCampaignTable = table[adsync.Campaign, syncCampaignRow]{
	name: "affiliate_sync_campaigns", resource: "campaign",
	row: func(c adsync.Campaign) syncCampaignRow {
		return syncCampaignRow{
			ID: c.ID, AccountID: c.AccountID, AdAccountID: c.AdAccountID, Service: c.Service, State: c.State, ReferenceID: c.ReferenceID,
			Title: c.Title, Description: c.Description, Configuration: configurationColumn(c.Configuration), CreatedVia: c.CreatedVia,
			CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, RemovedAt: c.RemovedAt,
		}
	},
	entity: func(r syncCampaignRow) adsync.Campaign {
		return adsync.Campaign{
			ID: r.ID, AccountID: r.AccountID, AdAccountID: r.AdAccountID, Service: r.Service, State: r.State, ReferenceID: r.ReferenceID,
			Title: r.Title, Description: r.Description, Configuration: configuration(r.Configuration), CreatedVia: r.CreatedVia,
			CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt), RemovedAt: utc(r.RemovedAt),
		}
	},
}

// referenced asks for the record of an account that has a reference id and is
// not removed.
func (f filter) referenced(accountID, referenceID string) {
	f.exactly("t.account_id", accountID)
	f.exactly("t.reference_id", referenceID)
	f.Where("t.reference_id <> ''").Where("t.state <> 'removed'")
}

type syncCampaigns struct{ u *unit }

func (r syncCampaigns) Put(ctx context.Context, campaigns ...adsync.Campaign) error {
	return putAll(ctx, r.u, syncCampaignTable, campaigns, func(c *adsync.Campaign) uuid.UUID { return c.ID }, "id")
}

func (r syncCampaigns) Get(ctx context.Context, id uuid.UUID) (adsync.Campaign, error) {
	return syncCampaignTable.one(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
}

func (r syncCampaigns) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.Campaign, error) {
	return syncCampaignTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.id", ids) })
}

func (r syncCampaigns) ByReference(ctx context.Context, accountID, referenceID string) (adsync.Campaign, error) {
	return syncCampaignTable.one(ctx, r.u, referenceID, func(q filter) { q.referenced(accountID, referenceID) })
}

func (r syncCampaigns) List(ctx context.Context, f adsync.CampaignFilter, after adsync.Cursor, limit int) ([]adsync.Campaign, error) {
	return syncCampaignTable.behind(ctx, r.u, after, limit, "id", func(q filter) {
		q.Where("t.state <> 'removed'")
		q.text("t.account_id", f.AccountID)
		q.text("t.ad_account_id", f.AdAccountID)
		q.text("t.service", string(f.Service))
		q.text("t.state", string(f.State))
		q.text("t.reference_id", f.ReferenceID)
	})
}

type adSetRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_ad_sets,alias:t"`

	ID             uuid.UUID                     `bun:"id,pk"`
	AccountID      string                        `bun:"account_id"`
	CampaignID     uuid.UUID                     `bun:"campaign_id"`
	AdAccountID    string                        `bun:"ad_account_id"`
	Service        adsync.AdService              `bun:"service"`
	State          adsync.State                  `bun:"state"`
	ReferenceID    string                        `bun:"reference_id"`
	Title          string                        `bun:"title"`
	BidCPC         *int64                        `bun:"bid_cpc"`
	BidImpressions *int64                        `bun:"bid_impressions"`
	Configuration  jsonColumn[configurationJSON] `bun:"configuration"`
	CreatedVia     adsync.Origin                 `bun:"created_via"`
	CreatedAt      time.Time                     `bun:"created_at"`
	UpdatedAt      time.Time                     `bun:"updated_at,nullzero"`
	RemovedAt      time.Time                     `bun:"removed_at,nullzero"`
}

func amountOrNull(o affiliate.Optional[int64]) *int64 {
	if !o.Set {
		return nil
	}
	return &o.Value
}

func amountIn(n *int64) affiliate.Optional[int64] {
	if n == nil {
		return affiliate.Optional[int64]{}
	}
	return affiliate.Some(*n)
}

var adSetTable = table[adsync.AdSet, adSetRow]{
	name: "affiliate_sync_ad_sets", resource: "ad_set",
	row: func(a adsync.AdSet) adSetRow {
		return adSetRow{
			ID: a.ID, AccountID: a.AccountID, CampaignID: a.CampaignID, AdAccountID: a.AdAccountID, Service: a.Service, State: a.State,
			ReferenceID: a.ReferenceID, Title: a.Title, BidCPC: amountOrNull(a.Bids.CPC), BidImpressions: amountOrNull(a.Bids.Impressions),
			Configuration: configurationColumn(a.Configuration), CreatedVia: a.CreatedVia,
			CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, RemovedAt: a.RemovedAt,
		}
	},
	entity: func(r adSetRow) adsync.AdSet {
		return adsync.AdSet{
			ID: r.ID, AccountID: r.AccountID, CampaignID: r.CampaignID, AdAccountID: r.AdAccountID, Service: r.Service, State: r.State,
			ReferenceID: r.ReferenceID, Title: r.Title, Bids: adsync.Bids{CPC: amountIn(r.BidCPC), Impressions: amountIn(r.BidImpressions)},
			Configuration: configuration(r.Configuration), CreatedVia: r.CreatedVia,
			CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt), RemovedAt: utc(r.RemovedAt),
		}
	},
}

type adSets struct{ u *unit }

func (r adSets) Put(ctx context.Context, list ...adsync.AdSet) error {
	return putAll(ctx, r.u, adSetTable, list, func(a *adsync.AdSet) uuid.UUID { return a.ID }, "id")
}

func (r adSets) Get(ctx context.Context, id uuid.UUID) (adsync.AdSet, error) {
	return adSetTable.one(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
}

func (r adSets) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.AdSet, error) {
	return adSetTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.id", ids) })
}

func (r adSets) ByReference(ctx context.Context, accountID, referenceID string) (adsync.AdSet, error) {
	return adSetTable.one(ctx, r.u, referenceID, func(q filter) { q.referenced(accountID, referenceID) })
}

func (r adSets) List(ctx context.Context, f adsync.AdSetFilter, after adsync.Cursor, limit int) ([]adsync.AdSet, error) {
	return adSetTable.behind(ctx, r.u, after, limit, "id", func(q filter) {
		q.Where("t.state <> 'removed'")
		q.text("t.account_id", f.AccountID)
		q.equalID("t.campaign_id", f.CampaignID)
		q.text("t.ad_account_id", f.AdAccountID)
		q.text("t.service", string(f.Service))
		q.text("t.state", string(f.State))
		q.text("t.reference_id", f.ReferenceID)
	})
}
