package memory

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// ownCode is a text that is unique within its owner: a code of a business
// partner, a name in a catalog.
type ownCode struct {
	owner uuid.UUID
	code  string
}

type catalogTable struct {
	*engine.Table[deals.Catalog]
	byID        *engine.Unique[deals.Catalog, uuid.UUID]
	byCode      *engine.Unique[deals.Catalog, ownCode]
	byShortCode *engine.Unique[deals.Catalog, string]
	bySeller    *engine.Groups[deals.Catalog, uuid.UUID]
}

func newCatalogTable(db *DB) catalogTable {
	t := engine.NewTable[deals.Catalog](&db.store)
	return catalogTable{t,
		engine.NewUnique(t, func(c *deals.Catalog) (uuid.UUID, bool) { return c.ID, true }),
		engine.NewUnique(t, func(c *deals.Catalog) (ownCode, bool) { return ownCode{c.BusinessPartnerID, c.Code}, true }),
		engine.NewUnique(t, func(c *deals.Catalog) (string, bool) { return c.ShortCode, true }),
		engine.NewGroups(t, func(c *deals.Catalog) (uuid.UUID, bool) { return c.BusinessPartnerID, true }, nil),
	}
}

func copyCatalog(_ uint32, c *deals.Catalog) deals.Catalog {
	out := *c
	out.Countries, out.Languages = engine.Copied(c.Countries), engine.Copied(c.Languages)
	return out
}

func keptCatalog(c deals.Catalog) deals.Catalog {
	c = copyCatalog(0, &c)
	c.CreatedAt, c.ModifiedAt = engine.Kept(c.CreatedAt), engine.Kept(c.ModifiedAt)
	return c
}

type catalogs struct{ u *unit }

func (r catalogs) check(c deals.Catalog, id uint32) error {
	t := r.u.db.deals.catalogs
	var f engine.Refusal
	f.Unique(t.byID.Taken(&c, id), "id")
	f.Unique(t.byCode.Taken(&c, id), "catalog_code")
	f.Unique(t.byShortCode.Taken(&c, id), "catalog_id")
	return f.Err("catalog")
}

func (r catalogs) Add(ctx context.Context, c deals.Catalog) (deals.Catalog, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.deals.catalogs.Table, c, keptCatalog, func(c deals.Catalog) error { return r.check(c, 0) }, copyCatalog)
}

func (r catalogs) Get(ctx context.Context, id uuid.UUID) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "catalog", copyCatalog)
}

func (r catalogs) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byCode, ownCode{businessPartnerID, code}, "catalog", copyCatalog)
}

func (r catalogs) ByShortCode(ctx context.Context, shortCode string) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byShortCode, shortCode, "catalog", copyCatalog)
}

func (r catalogs) Update(ctx context.Context, c deals.Catalog) error {
	t := r.u.db.deals.catalogs
	return engine.UpdateBy(ctx, &r.u.Unit, t.Table, t.byID, "catalog", c.ID, c, keptCatalog, r.check)
}

func (r catalogs) List(ctx context.Context, f deals.CatalogFilter, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[deals.Catalog]{}, err
	}
	t := r.u.db.deals.catalogs
	s := engine.Everything[deals.Catalog]()
	if f.BusinessPartnerID != uuid.Nil {
		s = engine.Only[deals.Catalog](t.bySeller.Of(f.BusinessPartnerID))
	}
	if f.Published.Set || f.Available.Set {
		s.Keep = func(_ uint32, c *deals.Catalog) bool {
			return (!f.Published.Set || f.Published.Value == c.Published) &&
				(!f.Available.Set || f.Available.Value == r.available(c))
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, nil, copyCatalog)
}

// available reports whether partners see the catalog.
func (r catalogs) available(c *deals.Catalog) bool {
	offers := r.u.db.deals.offers
	return c.Published && len(r.u.db.deals.landings.byCatalog.Of(c.ID)) > 0 &&
		slices.ContainsFunc(offers.byCatalog.Of(c.ID), func(id uint32) bool { return offers.At(id).Active })
}

type catalogOfferTable struct {
	*engine.Table[deals.Offer]
	byID      *engine.Unique[deals.Offer, uuid.UUID]
	byName    *engine.Unique[deals.Offer, ownCode]
	byCatalog *engine.Groups[deals.Offer, uuid.UUID]
}

func newCatalogOfferTable(db *DB) catalogOfferTable {
	t := engine.NewTable[deals.Offer](&db.store)
	return catalogOfferTable{t,
		engine.NewUnique(t, func(o *deals.Offer) (uuid.UUID, bool) { return o.ID, true }),
		engine.NewUnique(t, func(o *deals.Offer) (ownCode, bool) { return ownCode{o.CatalogID, o.Name}, true }),
		engine.NewGroups(t, func(o *deals.Offer) (uuid.UUID, bool) { return o.CatalogID, true }, nil),
	}
}

func copyCatalogOffer(_ uint32, o *deals.Offer) deals.Offer {
	out := *o
	out.Prices = engine.Copied(o.Prices)
	return out
}

func keptCatalogOffer(o deals.Offer) deals.Offer {
	o = copyCatalogOffer(0, &o)
	o.CreatedAt, o.ModifiedAt = engine.Kept(o.CreatedAt), engine.Kept(o.ModifiedAt)
	return o
}

type catalogOffers struct{ u *unit }

func (r catalogOffers) check(o deals.Offer, id uint32) error {
	t := r.u.db.deals.offers
	var f engine.Refusal
	_, known := r.u.db.deals.catalogs.byID.Find(o.CatalogID)
	f.Refers(known, "catalog_id")
	f.Unique(t.byID.Taken(&o, id), "id")
	f.Unique(t.byName.Taken(&o, id), "name")
	return f.Err("offer")
}

func (r catalogOffers) Add(ctx context.Context, o deals.Offer) (deals.Offer, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.deals.offers.Table, o, keptCatalogOffer, func(o deals.Offer) error { return r.check(o, 0) }, copyCatalogOffer)
}

func (r catalogOffers) Get(ctx context.Context, id uuid.UUID) (deals.Offer, error) {
	t := r.u.db.deals.offers
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "offer", copyCatalogOffer)
}

func (r catalogOffers) ByName(ctx context.Context, catalogID uuid.UUID, name string) (deals.Offer, error) {
	t := r.u.db.deals.offers
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byName, ownCode{catalogID, name}, "offer", copyCatalogOffer)
}

func (r catalogOffers) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Offer, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.offers
	return engine.Collect(t.Table, engine.ByKeys(t.byCatalog.Of, catalogIDs), copyCatalogOffer), nil
}

func (r catalogOffers) Update(ctx context.Context, o deals.Offer) error {
	t := r.u.db.deals.offers
	return engine.UpdateBy(ctx, &r.u.Unit, t.Table, t.byID, "offer", o.ID, o, keptCatalogOffer, r.check)
}

type landingTable struct {
	*engine.Table[deals.Landing]
	byID      *engine.Unique[deals.Landing, string]
	byCatalog *engine.Groups[deals.Landing, uuid.UUID]
}

func newLandingTable(db *DB) landingTable {
	t := engine.NewTable[deals.Landing](&db.store)
	return landingTable{t,
		engine.NewUnique(t, func(l *deals.Landing) (string, bool) { return l.ID, true }),
		engine.NewGroups(t, func(l *deals.Landing) (uuid.UUID, bool) { return l.CatalogID, true }, nil),
	}
}

func keptLanding(l deals.Landing) deals.Landing {
	l.CreatedAt, l.ModifiedAt = engine.Kept(l.CreatedAt), engine.Kept(l.ModifiedAt)
	return l
}

type landings struct{ u *unit }

func (r landings) check(l deals.Landing, id uint32) error {
	var f engine.Refusal
	_, known := r.u.db.deals.catalogs.byID.Find(l.CatalogID)
	f.Refers(known, "catalog_id")
	f.Unique(r.u.db.deals.landings.byID.Taken(&l, id), "id")
	return f.Err("landing")
}

func (r landings) Add(ctx context.Context, l deals.Landing) (deals.Landing, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.deals.landings.Table, l, keptLanding, func(l deals.Landing) error { return r.check(l, 0) }, engine.AsKept)
}

func (r landings) Get(ctx context.Context, id string) (deals.Landing, error) {
	t := r.u.db.deals.landings
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "landing", engine.AsKept)
}

func (r landings) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Landing, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.landings
	return engine.Collect(t.Table, engine.ByKeys(t.byCatalog.Of, catalogIDs), engine.AsKept), nil
}

func (r landings) Update(ctx context.Context, l deals.Landing) error {
	t := r.u.db.deals.landings
	return engine.UpdateBy(ctx, &r.u.Unit, t.Table, t.byID, "landing", l.ID, l, keptLanding, r.check)
}

func (r landings) Delete(ctx context.Context, id string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.deals.landings
	row, ok := t.byID.Find(id)
	if !ok {
		return r.u.Fail(affiliate.NotFound("landing", id))
	}
	t.Delete(row)
	return nil
}
