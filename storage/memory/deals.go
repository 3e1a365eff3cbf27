package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
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

func newDealTables(db *DB) dealTables {
	return dealTables{
		partners: newDealPartnerTable(db),
		catalogs: newCatalogTable(db),
		offers:   newCatalogOfferTable(db),
		landings: newLandingTable(db),
		uids:     newUIDTable(db),
		codes:    newPromoCodeTable(db),
		access:   newAccessTable(db),
		deals:    newDealTable(db),
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

type dealPartnerTable struct {
	*engine.Table[deals.BusinessPartner]
	byID *engine.Unique[deals.BusinessPartner, uuid.UUID]
}

func newDealPartnerTable(db *DB) dealPartnerTable {
	t := engine.NewTable[deals.BusinessPartner](&db.store)
	return dealPartnerTable{t, engine.NewUnique(t, func(b *deals.BusinessPartner) (uuid.UUID, bool) { return b.ID, true })}
}

type dealPartners struct{ u *unit }

func (r dealPartners) Put(ctx context.Context, b deals.BusinessPartner) error {
	t := r.u.db.deals.partners
	return engine.PutBy(ctx, &r.u.Unit, t.Table, t.byID, b.ID, b, engine.AsGiven, engine.NoCheck)
}

func (r dealPartners) Get(ctx context.Context, id uuid.UUID) (deals.BusinessPartner, error) {
	t := r.u.db.deals.partners
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "business_partner", engine.AsKept)
}

type uidTable struct {
	*engine.Table[deals.UID]
	byUID *engine.Unique[deals.UID, string]
}

func newUIDTable(db *DB) uidTable {
	t := engine.NewTable[deals.UID](&db.store)
	return uidTable{t, engine.NewUnique(t, func(u *deals.UID) (string, bool) { return u.UID, true })}
}

type uids struct{ u *unit }

func (r uids) AddOrGet(ctx context.Context, u deals.UID) (deals.UID, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return deals.UID{}, false, err
	}
	if err := u.Validate(); err != nil {
		return deals.UID{}, false, r.u.Fail(err)
	}
	t := r.u.db.deals.uids
	if id, ok := t.byUID.Find(u.UID); ok {
		return *t.At(id), false, nil
	}
	u.CreatedAt = engine.Kept(u.CreatedAt)
	if _, err := t.Insert(u); err != nil {
		return deals.UID{}, false, r.u.Fail(err)
	}
	return u, true, nil
}

func (r uids) GetMany(ctx context.Context, list []string) ([]deals.UID, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.deals.uids
	var ids []uint32
	for _, uid := range deals.Codes(list) {
		if id, ok := t.byUID.Find(uid); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, ids, engine.AsKept), nil
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
	*engine.Table[deals.PromoCode]
	byCode   *engine.Unique[deals.PromoCode, codeKey]
	bySeller *engine.Groups[deals.PromoCode, sellerCode]
}

func newPromoCodeTable(db *DB) promoCodeTable {
	t := engine.NewTable[deals.PromoCode](&db.store)
	return promoCodeTable{t,
		engine.NewUnique(t, func(p *deals.PromoCode) (codeKey, bool) { return codeKey{p.CatalogID, p.Key()}, true }),
		engine.NewGroups(t, func(p *deals.PromoCode) (sellerCode, bool) { return sellerCode{p.BusinessPartnerID, p.Key()}, true }, nil),
	}
}

type promoCodes struct{ u *unit }

func (r promoCodes) check(p deals.PromoCode) error {
	var f engine.Refusal
	_, known := r.u.db.deals.catalogs.byID.Find(p.CatalogID)
	f.Refers(known, "catalog_id")
	f.Unique(r.u.db.deals.codes.byCode.Taken(&p, 0), "code")
	return f.Err("promo_code")
}

func (r promoCodes) Add(ctx context.Context, p deals.PromoCode) (deals.PromoCode, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.deals.codes.Table, p, func(p deals.PromoCode) deals.PromoCode {
		p.CreatedAt = engine.Kept(p.CreatedAt)
		return p
	}, r.check, engine.AsKept)
}

func (r promoCodes) Get(ctx context.Context, catalogID uuid.UUID, code string) (deals.PromoCode, error) {
	t := r.u.db.deals.codes
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byCode, codeKey{catalogID, deals.FoldCode(code)}, "promo_code", engine.AsKept)
}

func (r promoCodes) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.PromoCode, error) {
	if err := r.u.Use(ctx); err != nil {
		return deals.PromoCode{}, err
	}
	t := r.u.db.deals.codes
	ids := t.bySeller.Of(sellerCode{businessPartnerID, deals.FoldCode(code)})
	if len(ids) == 0 {
		return deals.PromoCode{}, affiliate.NotFound("promo_code", code)
	}
	return *t.At(ids[0]), nil
}

type accessKey struct{ catalog, partner uuid.UUID }

type accessTable struct {
	*engine.Table[deals.Access]
	byKey     *engine.Unique[deals.Access, accessKey]
	byCatalog *engine.Groups[deals.Access, uuid.UUID]
	byPartner *engine.Groups[deals.Access, uuid.UUID]
}

func newAccessTable(db *DB) accessTable {
	t := engine.NewTable[deals.Access](&db.store)
	return accessTable{t,
		engine.NewUnique(t, func(a *deals.Access) (accessKey, bool) { return accessKey{a.CatalogID, a.PartnerID}, true }),
		engine.NewGroups(t, func(a *deals.Access) (uuid.UUID, bool) { return a.CatalogID, true }, nil),
		engine.NewGroups(t, func(a *deals.Access) (uuid.UUID, bool) { return a.PartnerID, true }, nil),
	}
}

type accesses struct{ u *unit }

func (r accesses) Put(ctx context.Context, a deals.Access) error {
	t := r.u.db.deals.access
	return engine.PutBy(ctx, &r.u.Unit, t.Table, t.byKey, accessKey{a.CatalogID, a.PartnerID}, a, func(a deals.Access) deals.Access {
		a.RequestedAt, a.DecidedAt = engine.Kept(a.RequestedAt), engine.Kept(a.DecidedAt)
		return a
	}, func(a deals.Access) error {
		var f engine.Refusal
		_, known := r.u.db.deals.catalogs.byID.Find(a.CatalogID)
		f.Refers(known, "catalog_id")
		return f.Err("access")
	})
}

func (r accesses) Get(ctx context.Context, catalogID, partnerID uuid.UUID) (deals.Access, error) {
	t := r.u.db.deals.access
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byKey, accessKey{catalogID, partnerID}, "access", engine.AsKept)
}

func (r accesses) List(ctx context.Context, f deals.AccessFilter, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[deals.Access]{}, err
	}
	t := r.u.db.deals.access
	s := engine.Everything[deals.Access]()
	switch {
	case f.CatalogID != uuid.Nil:
		s = engine.Only[deals.Access](t.byCatalog.Of(f.CatalogID))
	case f.PartnerID != uuid.Nil:
		s = engine.Only[deals.Access](t.byPartner.Of(f.PartnerID))
	}
	if f.PartnerID != uuid.Nil || f.Status != "" {
		s.Keep = func(_ uint32, a *deals.Access) bool {
			return (f.PartnerID == uuid.Nil || a.PartnerID == f.PartnerID) && (f.Status == "" || a.Status == f.Status)
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, nil, engine.AsKept)
}
