package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

var (
	_ deals.BusinessPartnerRepository = dealSellers{}
	_ deals.CatalogRepository         = catalogs{}
	_ deals.OfferRepository           = catalogOffers{}
	_ deals.LandingRepository         = landings{}
	_ deals.UIDRepository             = partnerUIDs{}
	_ deals.PromoCodeRepository       = promoCodes{}
	_ deals.AccessRepository          = catalogAccess{}
	_ deals.DealRepository            = dealRepository{}
)

// Deals returns the store of package deals.
func (db *DB) Deals() deals.Store {
	return view[deals.Tx]{db, func(u *unit) deals.Tx { return dealTx{coreTx{u}} }}
}

// dealTx gives the repositories of deals beside those of the core.
type dealTx struct{ coreTx }

func (t dealTx) BusinessPartners() deals.BusinessPartnerRepository { return dealSellers(t.coreTx) }
func (t dealTx) Catalogs() deals.CatalogRepository                 { return catalogs(t.coreTx) }
func (t dealTx) CatalogOffers() deals.OfferRepository              { return catalogOffers(t.coreTx) }
func (t dealTx) Landings() deals.LandingRepository                 { return landings(t.coreTx) }
func (t dealTx) UIDs() deals.UIDRepository                         { return partnerUIDs(t.coreTx) }
func (t dealTx) PromoCodes() deals.PromoCodeRepository             { return promoCodes(t.coreTx) }
func (t dealTx) CatalogAccess() deals.AccessRepository             { return catalogAccess(t.coreTx) }
func (t dealTx) Deals() deals.DealRepository                       { return dealRepository(t.coreTx) }

// equalID asks for an id from outside; the nil one does not filter.
func (f filter) equalID(column string, id uuid.UUID) {
	if id != uuid.Nil {
		f.Where(column+" = ?", id)
	}
}

// amongIDs asks for one of the ids; nil and empty find nothing.
func (f filter) amongIDs(column string, ids []uuid.UUID) {
	f.Where(column+" = ANY(?::uuid[])", idArray(ids))
}

// idArray is a list of ids as an array.
func idArray(ids []uuid.UUID) any {
	return column(ids, func(id *uuid.UUID) string { return id.String() })
}

// updateBy updates all columns of the row that an id from outside names.
func (t table[E, R]) updateBy(ctx context.Context, u *unit, e E, id any) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		if err := e.Validate(); err != nil {
			return err
		}
		row := t.row(e)
		res, err := u.tx.NewUpdate().Model(&row).ModelTableExpr(u.from(t.name)).ExcludeColumn("id").Where("t.public_id = ?", id).Exec(ctx)
		return foundOne(res, err, t.resource, id)
	})
}

// getBy answers the row that an id from outside names.
func (t table[E, R]) getBy(ctx context.Context, u *unit, id any) (E, error) {
	return t.one(ctx, u, id, func(q filter) { q.Where("t.public_id = ?", id) })
}

type dealSellerRow struct {
	bun.BaseModel `bun:"table:affiliate_deal_sellers,alias:t"`

	ID      uuid.UUID `bun:"id,pk"`
	Name    string    `bun:"name"`
	LogoURL string    `bun:"logo_url"`
}

var dealSellerTable = table[deals.BusinessPartner, dealSellerRow]{
	name: "affiliate_deal_sellers", resource: "business_partner",
	entity: func(r dealSellerRow) deals.BusinessPartner {
		return deals.BusinessPartner{ID: r.ID, Name: r.Name, LogoURL: r.LogoURL}
	},
}

type dealSellers struct{ u *unit }

func (r dealSellers) Put(ctx context.Context, b deals.BusinessPartner) error {
	return exec(ctx, r.u, "business_partner", func(ctx context.Context) error {
		if err := b.Validate(); err != nil {
			return err
		}
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (id, name, logo_url) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET (name, logo_url) = (excluded.name, excluded.logo_url)`,
			r.u.name("affiliate_deal_sellers"), b.ID, b.Name, b.LogoURL)
		return err
	})
}

func (r dealSellers) Get(ctx context.Context, id uuid.UUID) (deals.BusinessPartner, error) {
	return dealSellerTable.one(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
}

type partnerUIDRow struct {
	bun.BaseModel `bun:"table:affiliate_partner_uids,alias:t"`

	UID       string    `bun:"uid,pk"`
	PartnerID uuid.UUID `bun:"partner_id"`
	CreatedAt time.Time `bun:"created_at,nullzero"`
}

func (r partnerUIDRow) uid() deals.UID {
	return deals.UID{UID: r.UID, PartnerID: r.PartnerID, CreatedAt: utc(r.CreatedAt)}
}

var partnerUIDTable = table[deals.UID, partnerUIDRow]{
	name: "affiliate_partner_uids", resource: "uid", entity: partnerUIDRow.uid,
}

type partnerUIDs struct{ u *unit }

func (r partnerUIDs) AddOrGet(ctx context.Context, u deals.UID) (deals.UID, bool, error) {
	return addOrGet(ctx, r.u, partnerUIDTable, u, partnerUIDRow{UID: u.UID, PartnerID: u.PartnerID, CreatedAt: stamp(u.CreatedAt)},
		"affiliate_partner_uids_uid_key", func(q filter) { q.exactly("t.uid", u.UID) })
}

// addOrGet inserts a row, or answers the one that is there with false. Only the
// named key is forgiven. When the row in the way is one that this snapshot does
// not show, the database asks to run again.
func addOrGet[E entity, R any](ctx context.Context, u *unit, t table[E, R], e E, row R, key string, there func(filter)) (E, bool, error) {
	type answer struct {
		kept  E
		added bool
	}
	a, err := change(ctx, u, t.resource, func(ctx context.Context) (answer, error) {
		if err := e.Validate(); err != nil {
			return answer{}, err
		}
		res, err := u.tx.NewInsert().Model(&row).ModelTableExpr(u.from(t.name)).
			On("CONFLICT ON CONSTRAINT ? DO NOTHING", bun.Ident(key)).Returning("NULL").Exec(ctx)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return answer{}, err
		}
		if err == nil {
			if n, err := res.RowsAffected(); err != nil || n == 1 {
				return answer{t.entity(row), true}, err
			}
		}
		found, err := t.find(ctx, u, "", there)
		return answer{found, false}, err
	})
	return a.kept, a.added, err
}

func (r partnerUIDs) GetMany(ctx context.Context, uids []string) ([]deals.UID, error) {
	return read(ctx, r.u, "uid", func(ctx context.Context) ([]deals.UID, error) {
		var rows []partnerUIDRow
		q := partnerUIDTable.selectFrom(r.u, &rows)
		q.amongTexts("t.uid", uids)
		if err := q.OrderExpr("t.uid").Scan(ctx); err != nil {
			return nil, err
		}
		return partnerUIDTable.entities(rows), nil
	})
}

type promoCodeRow struct {
	bun.BaseModel `bun:"table:affiliate_promo_codes,alias:t"`

	ID                int64      `bun:"id,pk,autoincrement"`
	CatalogID         uuid.UUID  `bun:"catalog_id"`
	BusinessPartnerID uuid.UUID  `bun:"business_partner_id"`
	PartnerID         uuid.UUID  `bun:"partner_id"`
	Code              string     `bun:"code"`
	Key               string     `bun:"key"`
	Discount          rateColumn `bun:"discount"`
	CreatedAt         time.Time  `bun:"created_at,nullzero"`
}

func newPromoCodeRow(p deals.PromoCode) promoCodeRow {
	return promoCodeRow{
		CatalogID: p.CatalogID, BusinessPartnerID: p.BusinessPartnerID, PartnerID: p.PartnerID,
		Code: p.Code, Key: p.Key(), Discount: rateColumn{p.Discount}, CreatedAt: stamp(p.CreatedAt),
	}
}

func (r promoCodeRow) promoCode() deals.PromoCode {
	return deals.PromoCode{
		CatalogID: r.CatalogID, BusinessPartnerID: r.BusinessPartnerID, PartnerID: r.PartnerID,
		Code: r.Code, Discount: r.Discount.Rate, CreatedAt: utc(r.CreatedAt),
	}
}

var promoCodeTable = table[deals.PromoCode, promoCodeRow]{
	name: "affiliate_promo_codes", resource: "promo_code", row: newPromoCodeRow, entity: promoCodeRow.promoCode,
}

type promoCodes struct{ u *unit }

func (r promoCodes) Add(ctx context.Context, p deals.PromoCode) (deals.PromoCode, error) {
	return promoCodeTable.add(ctx, r.u, p)
}

func (r promoCodes) Get(ctx context.Context, catalogID uuid.UUID, code string) (deals.PromoCode, error) {
	return promoCodeTable.one(ctx, r.u, code, func(q filter) {
		q.Where("t.catalog_id = ?", catalogID)
		q.exactly("t.key", foldCode(code))
	})
}

func (r promoCodes) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (deals.PromoCode, error) {
	return promoCodeTable.one(ctx, r.u, code, func(q filter) {
		q.Where("t.business_partner_id = ?", businessPartnerID)
		q.exactly("t.key", foldCode(code))
		q.OrderExpr("t.id").Limit(1)
	})
}

// foldCode leaves alone what cannot be kept: folding would repair its UTF-8.
func foldCode(code string) string {
	if !storable(code) {
		return code
	}
	return deals.FoldCode(code)
}

type catalogAccessRow struct {
	bun.BaseModel `bun:"table:affiliate_catalog_access,alias:t"`

	ID          int64              `bun:"id,pk,autoincrement"`
	CatalogID   uuid.UUID          `bun:"catalog_id"`
	PartnerID   uuid.UUID          `bun:"partner_id"`
	Status      deals.AccessStatus `bun:"status"`
	RequestedAt time.Time          `bun:"requested_at,nullzero"`
	DecidedAt   time.Time          `bun:"decided_at,nullzero"`
}

func (r catalogAccessRow) access() deals.Access {
	return deals.Access{
		CatalogID: r.CatalogID, PartnerID: r.PartnerID, Status: r.Status,
		RequestedAt: utc(r.RequestedAt), DecidedAt: utc(r.DecidedAt),
	}
}

var catalogAccessTable = table[deals.Access, catalogAccessRow]{
	name: "affiliate_catalog_access", resource: "access", entity: catalogAccessRow.access,
}

type catalogAccess struct{ u *unit }

func (r catalogAccess) Put(ctx context.Context, a deals.Access) error {
	return exec(ctx, r.u, "access", func(ctx context.Context) error {
		if err := a.Validate(); err != nil {
			return err
		}
		row := catalogAccessRow{
			CatalogID: a.CatalogID, PartnerID: a.PartnerID, Status: a.Status,
			RequestedAt: stamp(a.RequestedAt), DecidedAt: stamp(a.DecidedAt),
		}
		_, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from(catalogAccessTable.name)).
			On(`CONFLICT (catalog_id, partner_id) DO UPDATE SET (status, requested_at, decided_at) =
				(excluded.status, excluded.requested_at, excluded.decided_at)`).Exec(ctx)
		return err
	})
}

func (r catalogAccess) Get(ctx context.Context, catalogID, partnerID uuid.UUID) (deals.Access, error) {
	return catalogAccessTable.one(ctx, r.u, partnerID, func(q filter) {
		q.Where("t.catalog_id = ? AND t.partner_id = ?", catalogID, partnerID)
	})
}

func (r catalogAccess) List(ctx context.Context, f deals.AccessFilter, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
	return catalogAccessTable.list(ctx, r.u, p, func(q filter) {
		q.equalID("t.catalog_id", f.CatalogID)
		q.equalID("t.partner_id", f.PartnerID)
		q.text("t.status", string(f.Status))
	})
}
