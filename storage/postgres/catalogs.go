package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type catalogRow struct {
	bun.BaseModel `bun:"table:affiliate_catalogs,alias:t"`

	ID                int64            `bun:"id,pk,autoincrement"`
	PublicID          uuid.UUID        `bun:"public_id"`
	BusinessPartnerID uuid.UUID        `bun:"business_partner_id"`
	Code              string           `bun:"code"`
	ShortCode         string           `bun:"short_code"`
	Title             string           `bun:"title"`
	Description       string           `bun:"description"`
	Icon              string           `bun:"icon"`
	PreviewImage      string           `bun:"preview_image"`
	Category          string           `bun:"category"`
	Reward            rateColumn       `bun:"reward"`
	RewardType        deals.RewardType `bun:"reward_type"`
	Hold              int64            `bun:"hold_seconds"`
	Cancel            int64            `bun:"cancel_seconds"`
	PromoCodesAllowed bool             `bun:"promo_codes_allowed"`
	Published         bool             `bun:"published"`
	Moderation        deals.Moderation `bun:"moderation"`
	MinDiscount       rateColumn       `bun:"min_discount"`
	MaxDiscount       rateColumn       `bun:"max_discount"`
	Countries         []string         `bun:"countries,array"`
	Languages         []string         `bun:"languages,array"`
	Devices           deals.Device     `bun:"devices"`
	CookieDays        int              `bun:"cookie_days"`
	CreatedAt         time.Time        `bun:"created_at,nullzero"`
	ModifiedAt        time.Time        `bun:"modified_at,nullzero"`
}

var catalogTable = table[deals.Catalog, catalogRow]{
	name: "affiliate_catalogs", resource: "catalog", row: newCatalogRow, entity: catalogRow.catalog,
}

func newCatalogRow(c deals.Catalog) catalogRow {
	return catalogRow{
		PublicID: c.ID, BusinessPartnerID: c.BusinessPartnerID, Code: c.Code, ShortCode: c.ShortCode, Title: c.Title,
		Description: c.Description, Icon: c.Icon, PreviewImage: c.PreviewImage, Category: c.Category,
		Reward: rateColumn{c.Reward}, RewardType: c.RewardType, Hold: seconds(c.Hold), Cancel: seconds(c.Cancel),
		PromoCodesAllowed: c.PromoCodesAllowed, Published: c.Published, Moderation: c.Moderation,
		MinDiscount: rateColumn{c.MinDiscount}, MaxDiscount: rateColumn{c.MaxDiscount},
		Countries: append([]string{}, c.Countries...), Languages: append([]string{}, c.Languages...),
		Devices: c.Devices, CookieDays: c.CookieDays, CreatedAt: stamp(c.CreatedAt), ModifiedAt: stamp(c.ModifiedAt),
	}
}

func (r catalogRow) catalog() deals.Catalog {
	return deals.Catalog{
		ID: r.PublicID, BusinessPartnerID: r.BusinessPartnerID, Code: r.Code, ShortCode: r.ShortCode, Title: r.Title,
		Description: r.Description, Icon: r.Icon, PreviewImage: r.PreviewImage, Category: r.Category,
		Reward: r.Reward.Rate, RewardType: r.RewardType, Hold: duration(r.Hold), Cancel: duration(r.Cancel),
		PromoCodesAllowed: r.PromoCodesAllowed, Published: r.Published, Moderation: r.Moderation,
		MinDiscount: r.MinDiscount.Rate, MaxDiscount: r.MaxDiscount.Rate,
		Countries: noneAsNil(r.Countries), Languages: noneAsNil(r.Languages),
		Devices: r.Devices, CookieDays: r.CookieDays, CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

// seconds is a duration as it is kept; the domain has whole ones only.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func duration(seconds int64) time.Duration { return time.Duration(seconds) * time.Second }

type catalogs struct{ u *unit }

func (r catalogs) Add(ctx context.Context, c deals.Catalog) (deals.Catalog, error) {
	return catalogTable.add(ctx, r.u, c)
}

func (r catalogs) Get(ctx context.Context, id uuid.UUID) (deals.Catalog, error) {
	return catalogTable.getBy(ctx, r.u, id)
}

func (r catalogs) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.Catalog, error) {
	return catalogTable.one(ctx, r.u, code, func(q filter) {
		q.Where("t.business_partner_id = ?", businessPartnerID)
		q.exactly("t.code", code)
	})
}

func (r catalogs) ByShortCode(ctx context.Context, shortCode string) (deals.Catalog, error) {
	return catalogTable.one(ctx, r.u, shortCode, func(q filter) { q.exactly("t.short_code", shortCode) })
}

func (r catalogs) Update(ctx context.Context, c deals.Catalog) error {
	return catalogTable.updateBy(ctx, r.u, c, c.ID)
}

func (r catalogs) List(ctx context.Context, f deals.CatalogFilter, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
	return catalogTable.list(ctx, r.u, p, func(q filter) {
		q.equalID("t.business_partner_id", f.BusinessPartnerID)
		q.flag("t.published", f.Published)
		if f.Available.Set {
			q.Where(`(t.published
				AND EXISTS (SELECT FROM ? AS o WHERE o.catalog_id = t.public_id AND o.active)
				AND EXISTS (SELECT FROM ? AS l WHERE l.catalog_id = t.public_id)) = ?`,
				r.u.name("affiliate_catalog_offers"), r.u.name("affiliate_landings"), f.Available.Value)
		}
	})
}

type catalogOfferRow struct {
	bun.BaseModel `bun:"table:affiliate_catalog_offers,alias:t"`

	ID                int64        `bun:"id,pk,autoincrement"`
	PublicID          uuid.UUID    `bun:"public_id"`
	CatalogID         uuid.UUID    `bun:"catalog_id"`
	Name              string       `bun:"name"`
	Description       string       `bun:"description"`
	PromoCodesAllowed bool         `bun:"promo_codes_allowed"`
	Active            bool         `bun:"active"`
	Prices            pricesColumn `bun:"prices"`
	Fixed             exactColumn  `bun:"fixed"`
	Share             rateColumn   `bun:"share"`
	CreatedAt         time.Time    `bun:"created_at,nullzero"`
	ModifiedAt        time.Time    `bun:"modified_at,nullzero"`
}

var catalogOfferTable = table[deals.Offer, catalogOfferRow]{
	name: "affiliate_catalog_offers", resource: "offer", row: newCatalogOfferRow, entity: catalogOfferRow.offer,
}

func newCatalogOfferRow(o deals.Offer) catalogOfferRow {
	return catalogOfferRow{
		PublicID: o.ID, CatalogID: o.CatalogID, Name: o.Name, Description: o.Description,
		PromoCodesAllowed: o.PromoCodesAllowed, Active: o.Active, Prices: pricesColumn{o.Prices},
		Fixed: exactColumn{o.Terms.Fixed}, Share: rateColumn{o.Terms.Share},
		CreatedAt: stamp(o.CreatedAt), ModifiedAt: stamp(o.ModifiedAt),
	}
}

func (r catalogOfferRow) offer() deals.Offer {
	return deals.Offer{
		ID: r.PublicID, CatalogID: r.CatalogID, Name: r.Name, Description: r.Description,
		PromoCodesAllowed: r.PromoCodesAllowed, Active: r.Active, Prices: r.Prices.prices,
		Terms:     deals.Terms{Fixed: r.Fixed.Decimal, Share: r.Share.Rate},
		CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

// pricesColumn keeps prices as JSON: amounts as strings, which stay exact
// whoever reads them.
type pricesColumn struct{ prices []affiliate.Money }

type priceJSON struct {
	Minor    int64              `json:"minor,string"`
	Currency affiliate.Currency `json:"currency"`
}

// Value is for the driver.
func (c pricesColumn) Value() (driver.Value, error) {
	out := make([]priceJSON, len(c.prices))
	for i, p := range c.prices {
		out[i] = priceJSON{p.Minor(), p.Currency()}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *pricesColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []priceJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: prices: %w", errCorrupt, err)
	}
	c.prices = make([]affiliate.Money, len(in))
	for i, p := range in {
		c.prices[i] = affiliate.NewMoney(p.Minor, p.Currency)
	}
	return nil
}

// exactColumn keeps a decimal as a numeric, and reads it in its shortest form.
type exactColumn struct{ decimal.Decimal }

// Value is for the driver.
func (c exactColumn) Value() (driver.Value, error) { return c.String(), nil }

// Scan is for the driver.
func (c *exactColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("%w: decimal: %w", errCorrupt, err)
	}
	c.Decimal = deals.Exact(d)
	return nil
}

type catalogOffers struct{ u *unit }

func (r catalogOffers) Add(ctx context.Context, o deals.Offer) (deals.Offer, error) {
	return catalogOfferTable.add(ctx, r.u, o)
}

func (r catalogOffers) Get(ctx context.Context, id uuid.UUID) (deals.Offer, error) {
	return catalogOfferTable.getBy(ctx, r.u, id)
}

func (r catalogOffers) ByName(ctx context.Context, catalogID uuid.UUID, name string) (deals.Offer, error) {
	return catalogOfferTable.one(ctx, r.u, name, func(q filter) {
		q.Where("t.catalog_id = ?", catalogID)
		q.exactly("t.name", name)
	})
}

func (r catalogOffers) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Offer, error) {
	return catalogOfferTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.catalog_id", catalogIDs) })
}

func (r catalogOffers) Update(ctx context.Context, o deals.Offer) error {
	return catalogOfferTable.updateBy(ctx, r.u, o, o.ID)
}

type landingRow struct {
	bun.BaseModel `bun:"table:affiliate_landings,alias:t"`

	ID           int64        `bun:"id,pk,autoincrement"`
	PublicID     string       `bun:"public_id"`
	CatalogID    uuid.UUID    `bun:"catalog_id"`
	URL          string       `bun:"url"`
	Title        string       `bun:"title"`
	Adaptability deals.Device `bun:"adaptability"`
	ImageURL     string       `bun:"image_url"`
	CreatedAt    time.Time    `bun:"created_at,nullzero"`
	ModifiedAt   time.Time    `bun:"modified_at,nullzero"`
}

var landingTable = table[deals.Landing, landingRow]{
	name: "affiliate_landings", resource: "landing", row: newLandingRow, entity: landingRow.landing,
}

func newLandingRow(l deals.Landing) landingRow {
	return landingRow{
		PublicID: l.ID, CatalogID: l.CatalogID, URL: l.URL, Title: l.Title, Adaptability: l.Adaptability, ImageURL: l.ImageURL,
		CreatedAt: stamp(l.CreatedAt), ModifiedAt: stamp(l.ModifiedAt),
	}
}

func (r landingRow) landing() deals.Landing {
	return deals.Landing{
		ID: r.PublicID, CatalogID: r.CatalogID, URL: r.URL, Title: r.Title, Adaptability: r.Adaptability, ImageURL: r.ImageURL,
		CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

type landings struct{ u *unit }

func (r landings) Add(ctx context.Context, l deals.Landing) (deals.Landing, error) {
	return landingTable.add(ctx, r.u, l)
}

func (r landings) Get(ctx context.Context, id string) (deals.Landing, error) {
	return landingTable.one(ctx, r.u, id, func(q filter) { q.exactly("t.public_id", id) })
}

func (r landings) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Landing, error) {
	return landingTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.catalog_id", catalogIDs) })
}

func (r landings) Update(ctx context.Context, l deals.Landing) error {
	return landingTable.updateBy(ctx, r.u, l, l.ID)
}

func (r landings) Delete(ctx context.Context, id string) error {
	return exec(ctx, r.u, "landing", func(ctx context.Context) error {
		if !storable(id) {
			return affiliate.NotFound("landing", id)
		}
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE public_id = ?`, r.u.name("affiliate_landings"), id)
		return foundOne(res, err, "landing", id)
	})
}
