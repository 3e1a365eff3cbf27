package postgres

import (
	"context"
	"slices"
	"time"
	_ "time/tzdata" // whichever machine reads a time zone knows it

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type advertiserRow struct {
	bun.BaseModel `bun:"table:affiliate_advertisers,alias:t"`

	ID                 int64                      `bun:"id,pk,autoincrement"`
	GroupID            int64                      `bun:"group_id,nullzero"`
	Name               string                     `bun:"name"`
	LogoURL            string                     `bun:"logo_url"`
	Country            string                     `bun:"country"`
	Currency           affiliate.Currency         `bun:"currency"`
	Language           string                     `bun:"language"`
	TimeZone           affiliate.TimeZone         `bun:"time_zone"`
	Status             affiliate.AdvertiserStatus `bun:"status"`
	Hidden             bool                       `bun:"hidden"`
	Provider           string                     `bun:"provider"`
	TrackingTemplate   string                     `bun:"tracking_template"`
	DefaultCosts       costsColumn                `bun:"default_costs"`
	BillingCompanyName string                     `bun:"billing_company_name"`
	BillingStreet      string                     `bun:"billing_street"`
	BillingPostalCode  string                     `bun:"billing_postal_code"`
	BillingCity        string                     `bun:"billing_city"`
	BillingVATNumber   string                     `bun:"billing_vat_number"`
	CreatedAt          time.Time                  `bun:"created_at,nullzero"`
	UpdatedAt          time.Time                  `bun:"updated_at,nullzero"`

	CategoryIDs []int64 `bun:"category_ids,array,scanonly"`
}

var advertiserTable = table[affiliate.Advertiser, advertiserRow]{
	name: "affiliate_advertisers", resource: "advertiser", decides: true,
	row: newAdvertiserRow, entity: advertiserRow.advertiser,
	refers: func(r *advertiserRow) []reference {
		return []reference{
			ref("group_id", "affiliate_advertiser_groups", r.GroupID),
			ref("categories", "affiliate_categories", r.CategoryIDs...),
		}
	},
	columns: `ARRAY(SELECT c.category_id FROM {schema}affiliate_advertiser_categories AS c
		WHERE c.advertiser_id = t.id ORDER BY c.category_id) AS category_ids`,
	sort: map[string]string{"name": "t.name", "created_at": "t.created_at"},
}

func newAdvertiserRow(a affiliate.Advertiser) advertiserRow {
	return advertiserRow{
		ID: a.ID, GroupID: a.GroupID, Name: a.Name, LogoURL: a.LogoURL, Country: a.Country,
		Currency: a.Currency, Language: a.Language, TimeZone: a.TimeZone, Status: a.Status, Hidden: a.Hidden,
		Provider: a.Provider, TrackingTemplate: a.TrackingTemplate, DefaultCosts: costsColumn{slices.Clone(a.DefaultCosts)},
		BillingCompanyName: a.Billing.CompanyName, BillingStreet: a.Billing.Street,
		BillingPostalCode: a.Billing.PostalCode, BillingCity: a.Billing.City, BillingVATNumber: a.Billing.VATNumber,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, CategoryIDs: slices.Clone(a.CategoryIDs),
	}
}

func (r advertiserRow) advertiser() affiliate.Advertiser {
	return affiliate.Advertiser{
		ID: r.ID, GroupID: r.GroupID, Name: r.Name, LogoURL: r.LogoURL, Country: r.Country,
		Currency: r.Currency, Language: r.Language, TimeZone: r.TimeZone, Status: r.Status, Hidden: r.Hidden,
		Provider: r.Provider, TrackingTemplate: r.TrackingTemplate, DefaultCosts: noneAsNil(r.DefaultCosts.costs),
		Billing: affiliate.Billing{
			CompanyName: r.BillingCompanyName, Street: r.BillingStreet,
			PostalCode: r.BillingPostalCode, City: r.BillingCity, VATNumber: r.BillingVATNumber,
		},
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt), CategoryIDs: noneAsNil(r.CategoryIDs),
	}
}

type advertisers struct {
	repo[affiliate.Advertiser, advertiserRow]
}

func (r advertisers) Add(ctx context.Context, a affiliate.Advertiser) (affiliate.Advertiser, error) {
	return change(ctx, r.u, "advertiser", func(ctx context.Context) (affiliate.Advertiser, error) {
		if err := a.Validate(); err != nil {
			return affiliate.Advertiser{}, err
		}
		row := newAdvertiserRow(a)
		if err := advertiserTable.insert(ctx, r.u, &row); err != nil {
			return affiliate.Advertiser{}, err
		}
		return row.advertiser(), advertiserCategories.add(ctx, r.u, row.ID, a.CategoryIDs)
	})
}

func (r advertisers) Update(ctx context.Context, a affiliate.Advertiser) error {
	return exec(ctx, r.u, "advertiser", func(ctx context.Context) error {
		if err := a.Validate(); err != nil {
			return err
		}
		row := newAdvertiserRow(a)
		if err := advertiserTable.replace(ctx, r.u, &row, a.ID); err != nil {
			return err
		}
		return advertiserCategories.replace(ctx, r.u, a.ID, a.CategoryIDs)
	})
}

func (r advertisers) List(ctx context.Context, f affiliate.AdvertiserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Advertiser], error) {
	return r.list(ctx, p, func(q filter) {
		q.query(f.Query, "t.id", part("t.name"))
		q.equal("t.group_id", f.GroupID)
		q.text("t.status", string(f.Status))
		q.flag("t.hidden", f.Hidden)
		q.among("t.id", f.IDs)
		q.notAmong("t.id", f.Excluded)
	})
}

// advertiserCategories are the categories of an advertiser.
var advertiserCategories = idList{table: "affiliate_advertiser_categories", owner: "advertiser_id", member: "category_id"}
