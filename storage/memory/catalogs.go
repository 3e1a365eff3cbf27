package memory

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

// ownCode is a text that is unique within its owner: a code of a business
// partner, a name in a catalog.
type ownCode struct {
	owner uuid.UUID
	code  string
}

type catalogTable struct {
	*table[deals.Catalog]
	byID        *unique[deals.Catalog, uuid.UUID]
	byCode      *unique[deals.Catalog, ownCode]
	byShortCode *unique[deals.Catalog, string]
	bySeller    *groups[deals.Catalog, uuid.UUID]
}

func newCatalogTable() catalogTable {
	t := &table[deals.Catalog]{}
	return catalogTable{t,
		newUnique(t, func(c *deals.Catalog) (uuid.UUID, bool) { return c.ID, true }),
		newUnique(t, func(c *deals.Catalog) (ownCode, bool) { return ownCode{c.BusinessPartnerID, c.Code}, true }),
		newUnique(t, func(c *deals.Catalog) (string, bool) { return c.ShortCode, true }),
		newGroups(t, func(c *deals.Catalog) (uuid.UUID, bool) { return c.BusinessPartnerID, true }, nil),
	}
}

func copyCatalog(_ uint32, c *deals.Catalog) deals.Catalog {
	out := *c
	out.Countries, out.Languages = copied(c.Countries), copied(c.Languages)
	return out
}

func keptCatalog(c deals.Catalog) deals.Catalog {
	c = copyCatalog(0, &c)
	c.CreatedAt, c.ModifiedAt = kept(c.CreatedAt), kept(c.ModifiedAt)
	return c
}

type catalogs struct{ u *unit }

func (r catalogs) check(c deals.Catalog, id uint32) error {
	t := r.u.db.deals.catalogs
	var f refusal
	f.frees(t.byID.taken(&c, id), "id")
	f.frees(t.byCode.taken(&c, id), "catalog_code")
	f.frees(t.byShortCode.taken(&c, id), "catalog_id")
	return f.err("catalog")
}

func (r catalogs) Add(ctx context.Context, c deals.Catalog) (deals.Catalog, error) {
	return add(ctx, r.u, r.u.db.deals.catalogs.table, c, keptCatalog, func(c deals.Catalog) error { return r.check(c, 0) }, copyCatalog)
}

func (r catalogs) Get(ctx context.Context, id uuid.UUID) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return findBy(ctx, r.u, t.table, t.byID, id, "catalog", copyCatalog)
}

func (r catalogs) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return findBy(ctx, r.u, t.table, t.byCode, ownCode{businessPartnerID, code}, "catalog", copyCatalog)
}

func (r catalogs) ByShortCode(ctx context.Context, shortCode string) (deals.Catalog, error) {
	t := r.u.db.deals.catalogs
	return findBy(ctx, r.u, t.table, t.byShortCode, shortCode, "catalog", copyCatalog)
}

func (r catalogs) Update(ctx context.Context, c deals.Catalog) error {
	t := r.u.db.deals.catalogs
	return updateBy(ctx, r.u, t.table, t.byID, "catalog", c.ID, c, keptCatalog, r.check)
}

func (r catalogs) List(ctx context.Context, f deals.CatalogFilter, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[deals.Catalog]{}, err
	}
	t := r.u.db.deals.catalogs
	s := everything[deals.Catalog]()
	if f.BusinessPartnerID != uuid.Nil {
		s = only[deals.Catalog](t.bySeller.of(f.BusinessPartnerID))
	}
	if f.Published.Set || f.Available.Set {
		s.keep = func(_ uint32, c *deals.Catalog) bool {
			return (!f.Published.Set || f.Published.Value == c.Published) &&
				(!f.Available.Set || f.Available.Value == r.available(c))
		}
	}
	return page(r.u, t.table, s, p, nil, copyCatalog)
}

// available reports whether partners see the catalog.
func (r catalogs) available(c *deals.Catalog) bool {
	offers := r.u.db.deals.offers
	return c.Published && len(r.u.db.deals.landings.byCatalog.of(c.ID)) > 0 &&
		slices.ContainsFunc(offers.byCatalog.of(c.ID), func(id uint32) bool { return offers.at(id).Active })
}

type catalogOfferTable struct {
	*table[deals.Offer]
	byID      *unique[deals.Offer, uuid.UUID]
	byName    *unique[deals.Offer, ownCode]
	byCatalog *groups[deals.Offer, uuid.UUID]
}

func newCatalogOfferTable() catalogOfferTable {
	t := &table[deals.Offer]{}
	return catalogOfferTable{t,
		newUnique(t, func(o *deals.Offer) (uuid.UUID, bool) { return o.ID, true }),
		newUnique(t, func(o *deals.Offer) (ownCode, bool) { return ownCode{o.CatalogID, o.Name}, true }),
		newGroups(t, func(o *deals.Offer) (uuid.UUID, bool) { return o.CatalogID, true }, nil),
	}
}

func copyCatalogOffer(_ uint32, o *deals.Offer) deals.Offer {
	out := *o
	out.Prices = copied(o.Prices)
	return out
}

func keptCatalogOffer(o deals.Offer) deals.Offer {
	o = copyCatalogOffer(0, &o)
	o.CreatedAt, o.ModifiedAt = kept(o.CreatedAt), kept(o.ModifiedAt)
	return o
}

type catalogOffers struct{ u *unit }

func (r catalogOffers) check(o deals.Offer, id uint32) error {
	t := r.u.db.deals.offers
	var f refusal
	_, known := r.u.db.deals.catalogs.byID.find(o.CatalogID)
	f.refers(known, "catalog_id")
	f.frees(t.byID.taken(&o, id), "id")
	f.frees(t.byName.taken(&o, id), "name")
	return f.err("offer")
}

func (r catalogOffers) Add(ctx context.Context, o deals.Offer) (deals.Offer, error) {
	return add(ctx, r.u, r.u.db.deals.offers.table, o, keptCatalogOffer, func(o deals.Offer) error { return r.check(o, 0) }, copyCatalogOffer)
}

func (r catalogOffers) Get(ctx context.Context, id uuid.UUID) (deals.Offer, error) {
	t := r.u.db.deals.offers
	return findBy(ctx, r.u, t.table, t.byID, id, "offer", copyCatalogOffer)
}

func (r catalogOffers) ByName(ctx context.Context, catalogID uuid.UUID, name string) (deals.Offer, error) {
	t := r.u.db.deals.offers
	return findBy(ctx, r.u, t.table, t.byName, ownCode{catalogID, name}, "offer", copyCatalogOffer)
}

func (r catalogOffers) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Offer, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.offers
	return answer(t.table, byKeys(t.byCatalog.of, catalogIDs), copyCatalogOffer), nil
}

func (r catalogOffers) Update(ctx context.Context, o deals.Offer) error {
	t := r.u.db.deals.offers
	return updateBy(ctx, r.u, t.table, t.byID, "offer", o.ID, o, keptCatalogOffer, r.check)
}

type landingTable struct {
	*table[deals.Landing]
	byID      *unique[deals.Landing, string]
	byCatalog *groups[deals.Landing, uuid.UUID]
}

func newLandingTable() landingTable {
	t := &table[deals.Landing]{}
	return landingTable{t,
		newUnique(t, func(l *deals.Landing) (string, bool) { return l.ID, true }),
		newGroups(t, func(l *deals.Landing) (uuid.UUID, bool) { return l.CatalogID, true }, nil),
	}
}

func keptLanding(l deals.Landing) deals.Landing {
	l.CreatedAt, l.ModifiedAt = kept(l.CreatedAt), kept(l.ModifiedAt)
	return l
}

type landings struct{ u *unit }

func (r landings) check(l deals.Landing, id uint32) error {
	var f refusal
	_, known := r.u.db.deals.catalogs.byID.find(l.CatalogID)
	f.refers(known, "catalog_id")
	f.frees(r.u.db.deals.landings.byID.taken(&l, id), "id")
	return f.err("landing")
}

func (r landings) Add(ctx context.Context, l deals.Landing) (deals.Landing, error) {
	return add(ctx, r.u, r.u.db.deals.landings.table, l, keptLanding, func(l deals.Landing) error { return r.check(l, 0) }, asKept)
}

func (r landings) Get(ctx context.Context, id string) (deals.Landing, error) {
	t := r.u.db.deals.landings
	return findBy(ctx, r.u, t.table, t.byID, id, "landing", asKept)
}

func (r landings) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Landing, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.landings
	return answer(t.table, byKeys(t.byCatalog.of, catalogIDs), asKept), nil
}

func (r landings) Update(ctx context.Context, l deals.Landing) error {
	t := r.u.db.deals.landings
	return updateBy(ctx, r.u, t.table, t.byID, "landing", l.ID, l, keptLanding, r.check)
}

func (r landings) Delete(ctx context.Context, id string) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	t := r.u.db.deals.landings
	row, ok := t.byID.find(id)
	if !ok {
		return r.u.fail(affiliate.NotFound("landing", id))
	}
	t.delete(r.u, row)
	return nil
}
