package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

// dealTables are the tables of package deals.
type dealTables struct {
	partners dealPartnerTable
	catalogs catalogTable
	offers   catalogOfferTable
	landings landingTable
	uids     uidTable
	codes    promoCodeTable
	access   accessTable
	deals    dealTable
}

func newDealTables() dealTables {
	return dealTables{
		partners: newDealPartnerTable(),
		catalogs: newCatalogTable(),
		offers:   newCatalogOfferTable(),
		landings: newLandingTable(),
		uids:     newUIDTable(),
		codes:    newPromoCodeTable(),
		access:   newAccessTable(),
		deals:    newDealTable(),
	}
}

// Deals is the view for package deals.
func (db *DB) Deals() deals.Store {
	return view[deals.Tx]{db, func(u *unit) deals.Tx { return dealTx{coreTx{u}} }}
}

// dealTx is the transaction of package deals.
type dealTx struct{ coreTx }

var _ deals.Tx = dealTx{}

func (tx dealTx) BusinessPartners() deals.BusinessPartnerRepository { return dealPartners(tx.coreTx) }
func (tx dealTx) Catalogs() deals.CatalogRepository                 { return catalogs(tx.coreTx) }
func (tx dealTx) CatalogOffers() deals.OfferRepository              { return catalogOffers(tx.coreTx) }
func (tx dealTx) Landings() deals.LandingRepository                 { return landings(tx.coreTx) }
func (tx dealTx) UIDs() deals.UIDRepository                         { return uids(tx.coreTx) }
func (tx dealTx) PromoCodes() deals.PromoCodeRepository             { return promoCodes(tx.coreTx) }
func (tx dealTx) CatalogAccess() deals.AccessRepository             { return accesses(tx.coreTx) }
func (tx dealTx) Deals() deals.DealRepository                       { return dealRepository(tx.coreTx) }

// findBy is what the lookups by a unique key have in common.
func findBy[R any, K comparable, E any](ctx context.Context, u *unit, t *table[R], x *unique[R, K], k K, resource string, out func(id uint32, r *R) E) (E, error) {
	var none E
	if err := u.use(ctx); err != nil {
		return none, err
	}
	id, ok := x.find(k)
	if !ok {
		return none, affiliate.NotFound(resource, k)
	}
	return out(id, t.at(id)), nil
}

// updateBy is update for an entity with a key from outside.
func updateBy[E valid, K comparable](ctx context.Context, u *unit, t *table[E], x *unique[E, K], resource string, k K, e E, keep func(E) E, check func(e E, id uint32) error) error {
	if err := u.change(ctx); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return u.fail(err)
	}
	id, ok := x.find(k)
	if !ok {
		return u.fail(affiliate.NotFound(resource, k))
	}
	if err := check(e, id); err != nil {
		return u.fail(err)
	}
	t.replace(u, id, keep(e))
	return nil
}

// putBy keeps a valid entity in place of the one with its key, if there is one.
func putBy[E valid, K comparable](ctx context.Context, u *unit, t *table[E], x *unique[E, K], k K, e E, keep func(E) E, check func(E) error) error {
	if err := u.change(ctx); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return u.fail(err)
	}
	if err := check(e); err != nil {
		return u.fail(err)
	}
	if id, ok := x.find(k); ok {
		t.replace(u, id, keep(e))
		return nil
	}
	if _, err := t.insert(u, keep(e)); err != nil {
		return u.fail(err)
	}
	return nil
}

// asKept is an entity that goes out as it is kept.
func asKept[E any](_ uint32, e *E) E { return *e }

// asGiven is an entity that is kept as it comes in.
func asGiven[E any](e E) E { return e }

func noCheck[E any](E) error { return nil }

type dealPartnerTable struct {
	*table[deals.BusinessPartner]
	byID *unique[deals.BusinessPartner, uuid.UUID]
}

func newDealPartnerTable() dealPartnerTable {
	t := &table[deals.BusinessPartner]{}
	return dealPartnerTable{t, newUnique(t, func(b *deals.BusinessPartner) (uuid.UUID, bool) { return b.ID, true })}
}

type dealPartners struct{ u *unit }

func (r dealPartners) Put(ctx context.Context, b deals.BusinessPartner) error {
	t := r.u.db.deals.partners
	return putBy(ctx, r.u, t.table, t.byID, b.ID, b, asGiven, noCheck)
}

func (r dealPartners) Get(ctx context.Context, id uuid.UUID) (deals.BusinessPartner, error) {
	t := r.u.db.deals.partners
	return findBy(ctx, r.u, t.table, t.byID, id, "business_partner", asKept)
}

type uidTable struct {
	*table[deals.UID]
	byUID *unique[deals.UID, string]
}

func newUIDTable() uidTable {
	t := &table[deals.UID]{}
	return uidTable{t, newUnique(t, func(u *deals.UID) (string, bool) { return u.UID, true })}
}

type uids struct{ u *unit }

func (r uids) AddOrGet(ctx context.Context, u deals.UID) (deals.UID, bool, error) {
	if err := r.u.change(ctx); err != nil {
		return deals.UID{}, false, err
	}
	if err := u.Validate(); err != nil {
		return deals.UID{}, false, r.u.fail(err)
	}
	t := r.u.db.deals.uids
	if id, ok := t.byUID.find(u.UID); ok {
		return *t.at(id), false, nil
	}
	u.CreatedAt = kept(u.CreatedAt)
	if _, err := t.insert(r.u, u); err != nil {
		return deals.UID{}, false, r.u.fail(err)
	}
	return u, true, nil
}

func (r uids) GetMany(ctx context.Context, list []string) ([]deals.UID, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.uids
	var ids []uint32
	for _, uid := range deals.Codes(list) {
		if id, ok := t.byUID.find(uid); ok {
			ids = append(ids, id)
		}
	}
	return answer(t.table, ids, asKept), nil
}

type codeKey struct {
	catalog uuid.UUID
	key     string
}

type sellerCode struct {
	seller uuid.UUID
	key    string
}

type promoCodeTable struct {
	*table[deals.PromoCode]
	byCode   *unique[deals.PromoCode, codeKey]
	bySeller *groups[deals.PromoCode, sellerCode]
}

func newPromoCodeTable() promoCodeTable {
	t := &table[deals.PromoCode]{}
	return promoCodeTable{t,
		newUnique(t, func(p *deals.PromoCode) (codeKey, bool) { return codeKey{p.CatalogID, p.Key()}, true }),
		newGroups(t, func(p *deals.PromoCode) (sellerCode, bool) { return sellerCode{p.BusinessPartnerID, p.Key()}, true }, nil),
	}
}

type promoCodes struct{ u *unit }

func (r promoCodes) check(p deals.PromoCode) error {
	var f refusal
	_, known := r.u.db.deals.catalogs.byID.find(p.CatalogID)
	f.refers(known, "catalog_id")
	f.frees(r.u.db.deals.codes.byCode.taken(&p, 0), "code")
	return f.err("promo_code")
}

func (r promoCodes) Add(ctx context.Context, p deals.PromoCode) (deals.PromoCode, error) {
	return add(ctx, r.u, r.u.db.deals.codes.table, p, func(p deals.PromoCode) deals.PromoCode {
		p.CreatedAt = kept(p.CreatedAt)
		return p
	}, r.check, asKept)
}

func (r promoCodes) Get(ctx context.Context, catalogID uuid.UUID, code string) (deals.PromoCode, error) {
	t := r.u.db.deals.codes
	return findBy(ctx, r.u, t.table, t.byCode, codeKey{catalogID, deals.FoldCode(code)}, "promo_code", asKept)
}

func (r promoCodes) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.PromoCode, error) {
	if err := r.u.use(ctx); err != nil {
		return deals.PromoCode{}, err
	}
	t := r.u.db.deals.codes
	ids := t.bySeller.of(sellerCode{businessPartnerID, deals.FoldCode(code)})
	if len(ids) == 0 {
		return deals.PromoCode{}, affiliate.NotFound("promo_code", code)
	}
	return *t.at(ids[0]), nil
}

type accessKey struct{ catalog, partner uuid.UUID }

type accessTable struct {
	*table[deals.Access]
	byKey     *unique[deals.Access, accessKey]
	byCatalog *groups[deals.Access, uuid.UUID]
	byPartner *groups[deals.Access, uuid.UUID]
}

func newAccessTable() accessTable {
	t := &table[deals.Access]{}
	return accessTable{t,
		newUnique(t, func(a *deals.Access) (accessKey, bool) { return accessKey{a.CatalogID, a.PartnerID}, true }),
		newGroups(t, func(a *deals.Access) (uuid.UUID, bool) { return a.CatalogID, true }, nil),
		newGroups(t, func(a *deals.Access) (uuid.UUID, bool) { return a.PartnerID, true }, nil),
	}
}

type accesses struct{ u *unit }

func (r accesses) Put(ctx context.Context, a deals.Access) error {
	t := r.u.db.deals.access
	return putBy(ctx, r.u, t.table, t.byKey, accessKey{a.CatalogID, a.PartnerID}, a, func(a deals.Access) deals.Access {
		a.RequestedAt, a.DecidedAt = kept(a.RequestedAt), kept(a.DecidedAt)
		return a
	}, func(a deals.Access) error {
		var f refusal
		_, known := r.u.db.deals.catalogs.byID.find(a.CatalogID)
		f.refers(known, "catalog_id")
		return f.err("access")
	})
}

func (r accesses) Get(ctx context.Context, catalogID, partnerID uuid.UUID) (deals.Access, error) {
	t := r.u.db.deals.access
	return findBy(ctx, r.u, t.table, t.byKey, accessKey{catalogID, partnerID}, "access", asKept)
}

func (r accesses) List(ctx context.Context, f deals.AccessFilter, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[deals.Access]{}, err
	}
	t := r.u.db.deals.access
	s := everything[deals.Access]()
	switch {
	case f.CatalogID != uuid.Nil:
		s = only[deals.Access](t.byCatalog.of(f.CatalogID))
	case f.PartnerID != uuid.Nil:
		s = only[deals.Access](t.byPartner.of(f.PartnerID))
	}
	if f.PartnerID != uuid.Nil || f.Status != "" {
		s.keep = func(_ uint32, a *deals.Access) bool {
			return (f.PartnerID == uuid.Nil || a.PartnerID == f.PartnerID) && (f.Status == "" || a.Status == f.Status)
		}
	}
	return page(r.u, t.table, s, p, nil, asKept)
}
