package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type dealRow struct {
	bun.BaseModel `bun:"table:affiliate_deals,alias:t"`

	ID                int64              `bun:"id,pk,autoincrement"`
	PublicID          uuid.UUID          `bun:"public_id"`
	BusinessPartnerID uuid.UUID          `bun:"business_partner_id"`
	ExternalID        string             `bun:"external_id"`
	CatalogID         uuid.UUID          `bun:"catalog_id"`
	OfferID           uuid.UUID          `bun:"offer_id"`
	CatalogCode       string             `bun:"catalog_code"`
	OfferName         string             `bun:"offer_name"`
	Status            deals.Status       `bun:"status"`
	DueAt             time.Time          `bun:"due_at,nullzero"`
	Currency          affiliate.Currency `bun:"currency"`
	Cost              int64              `bun:"cost"`
	Reward            int64              `bun:"reward"`
	PromoCode         string             `bun:"promo_code"`
	AnotherData       string             `bun:"another_data"`
	Source            deals.Source       `bun:"source"`
	PartnerID         uuid.UUID          `bun:"partner_id,nullzero"`
	Fixed             exactColumn        `bun:"fixed"`
	Share             rateColumn         `bun:"share"`
	EntryID           int64              `bun:"entry_id,nullzero"`
	Hold              int64              `bun:"hold_seconds"`
	Cancel            int64              `bun:"cancel_seconds"`
	Returned          bool               `bun:"returned"`
	Comment           string             `bun:"comment"`
	CreatedAt         time.Time          `bun:"created_at"`
	PaidAt            time.Time          `bun:"paid_at,nullzero"`
	ApprovedAt        time.Time          `bun:"approved_at,nullzero"`
	CanceledAt        time.Time          `bun:"canceled_at,nullzero"`
	ModifiedAt        time.Time          `bun:"modified_at,nullzero"`
}

var dealTable = table[deals.Deal, dealRow]{
	name: "affiliate_deals", resource: "deal", row: newDealRow, entity: dealRow.deal,
	refers: func(r *dealRow) []reference {
		return []reference{
			refKey("catalog_id", "affiliate_catalogs", r.CatalogID), refKey("offer_id", "affiliate_catalog_offers", r.OfferID),
			ref("entry_id", "affiliate_entries", r.EntryID),
		}
	},
	sort: map[string]string{"created_at": "t.created_at", "modified_at": "t.modified_at", "cost": "t.cost"},
}

func newDealRow(d deals.Deal) dealRow {
	return dealRow{
		PublicID: d.ID, BusinessPartnerID: d.BusinessPartnerID, ExternalID: d.ExternalID, CatalogID: d.CatalogID, OfferID: d.OfferID,
		CatalogCode: d.CatalogCode, OfferName: d.OfferName, Status: d.Status, DueAt: d.DueAt(),
		Currency: d.Cost.Currency(), Cost: d.Cost.Minor(), Reward: d.Reward.Minor(),
		PromoCode: d.PromoCode, AnotherData: d.AnotherData, Source: d.Source, PartnerID: d.PartnerID,
		Fixed: exactColumn{d.Terms.Fixed}, Share: rateColumn{d.Terms.Share}, EntryID: d.EntryID,
		Hold: seconds(d.Hold), Cancel: seconds(d.Cancel), Returned: d.Returned, Comment: d.Comment,
		CreatedAt: d.CreatedAt, PaidAt: d.PaidAt, ApprovedAt: d.ApprovedAt,
		CanceledAt: d.CanceledAt, ModifiedAt: d.ModifiedAt,
	}
}

func (r dealRow) deal() deals.Deal {
	return deals.Deal{
		ID: r.PublicID, BusinessPartnerID: r.BusinessPartnerID, ExternalID: r.ExternalID, CatalogID: r.CatalogID, OfferID: r.OfferID,
		CatalogCode: r.CatalogCode, OfferName: r.OfferName, Status: r.Status,
		Cost: affiliate.NewMoney(r.Cost, r.Currency), Reward: affiliate.NewMoney(r.Reward, r.Currency),
		PromoCode: r.PromoCode, AnotherData: r.AnotherData, Source: r.Source, PartnerID: r.PartnerID,
		Terms: deals.Terms{Fixed: r.Fixed.Decimal, Share: r.Share.Rate}, EntryID: r.EntryID,
		Hold: duration(r.Hold), Cancel: duration(r.Cancel), Returned: r.Returned, Comment: r.Comment,
		CreatedAt: utc(r.CreatedAt), PaidAt: utc(r.PaidAt), ApprovedAt: utc(r.ApprovedAt),
		CanceledAt: utc(r.CanceledAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

type dealRepository struct{ repo[deals.Deal, dealRow] }

func (r dealRepository) AddOrGet(ctx context.Context, d deals.Deal) (deals.Deal, bool, error) {
	return addOrGet(ctx, r.u, dealTable, d, newDealRow(d), "affiliate_deals_deal_id_key", byExternalID(d.BusinessPartnerID, d.ExternalID))
}

func byExternalID(businessPartnerID uuid.UUID, externalID string) func(filter) {
	return func(q filter) {
		q.Where("t.business_partner_id = ?", businessPartnerID)
		q.exactly("t.external_id", externalID)
	}
}

func (r dealRepository) Get(ctx context.Context, id uuid.UUID) (deals.Deal, error) {
	return dealTable.getBy(ctx, r.u, id)
}

func (r dealRepository) ByExternalID(ctx context.Context, businessPartnerID uuid.UUID, externalID string) (deals.Deal, error) {
	return r.one(ctx, externalID, byExternalID(businessPartnerID, externalID))
}

// updateDeals writes every column, in one statement for all deals.
const updateDeals = `UPDATE ? AS t SET
	(business_partner_id, external_id, catalog_id, offer_id, catalog_code, offer_name, status, due_at, currency, cost, reward,
		promo_code, another_data, source, partner_id, fixed, share, entry_id, hold_seconds, cancel_seconds, returned, comment,
		created_at, paid_at, approved_at, canceled_at, modified_at) =
	(n.business_partner_id, n.external_id, n.catalog_id, n.offer_id, n.catalog_code, n.offer_name, n.status, nullif(n.due_at, ` + zeroTime + `), n.currency, n.cost, n.reward,
		n.promo_code, n.another_data, n.source, nullif(n.partner_id, '00000000-0000-0000-0000-000000000000'), n.fixed, n.share, nullif(n.entry_id, 0), n.hold_seconds, n.cancel_seconds, n.returned, n.comment,
		n.created_at, nullif(n.paid_at, ` + zeroTime + `), nullif(n.approved_at, ` + zeroTime + `), nullif(n.canceled_at, ` + zeroTime + `), nullif(n.modified_at, ` + zeroTime + `))
	FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::text[], ?::bigint[], ?::bigint[],
		?::text[], ?::text[], ?::text[], ?::uuid[], ?::numeric[], ?::numeric[], ?::bigint[], ?::bigint[], ?::bigint[], ?::boolean[], ?::text[],
		?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[])
	AS n (public_id, business_partner_id, external_id, catalog_id, offer_id, catalog_code, offer_name, status, due_at, currency, cost, reward,
		promo_code, another_data, source, partner_id, fixed, share, entry_id, hold_seconds, cancel_seconds, returned, comment,
		created_at, paid_at, approved_at, canceled_at, modified_at)
	WHERE t.public_id = n.public_id
	RETURNING t.public_id`

// dealColumns is one array for each column, in the order of updateDeals.
func dealColumns(rows []dealRow) []any {
	type row = dealRow
	return []any{
		column(rows, func(r *row) string { return r.PublicID.String() }),
		column(rows, func(r *row) string { return r.BusinessPartnerID.String() }),
		column(rows, func(r *row) string { return r.ExternalID }),
		column(rows, func(r *row) string { return r.CatalogID.String() }),
		column(rows, func(r *row) string { return r.OfferID.String() }),
		column(rows, func(r *row) string { return r.CatalogCode }),
		column(rows, func(r *row) string { return r.OfferName }),
		column(rows, func(r *row) string { return string(r.Status) }),
		column(rows, func(r *row) time.Time { return r.DueAt }),
		column(rows, func(r *row) string { return string(r.Currency) }),
		column(rows, func(r *row) int64 { return r.Cost }),
		column(rows, func(r *row) int64 { return r.Reward }),
		column(rows, func(r *row) string { return r.PromoCode }),
		column(rows, func(r *row) string { return r.AnotherData }),
		column(rows, func(r *row) string { return string(r.Source) }),
		column(rows, func(r *row) string { return r.PartnerID.String() }),
		column(rows, func(r *row) string { return r.Fixed.String() }),
		column(rows, func(r *row) string { return r.Share.String() }),
		column(rows, func(r *row) int64 { return r.EntryID }),
		column(rows, func(r *row) int64 { return r.Hold }),
		column(rows, func(r *row) int64 { return r.Cancel }),
		column(rows, func(r *row) bool { return r.Returned }),
		column(rows, func(r *row) string { return r.Comment }),
		column(rows, func(r *row) time.Time { return r.CreatedAt }),
		column(rows, func(r *row) time.Time { return r.PaidAt }),
		column(rows, func(r *row) time.Time { return r.ApprovedAt }),
		column(rows, func(r *row) time.Time { return r.CanceledAt }),
		column(rows, func(r *row) time.Time { return r.ModifiedAt }),
	}
}

// keysFree refuses an external id that another deal has before the update, also
// when that deal gives it up in the same update: whether the statement would
// notice depends on the order in which it meets the two.
func (r dealRepository) keysFree(ctx context.Context, rows []dealRow) error {
	if len(rows) == 1 {
		return nil
	}
	var passed bool
	err := r.u.tx.NewRaw(`SELECT EXISTS (SELECT FROM unnest(?::uuid[], ?::uuid[], ?::text[]) AS n (public_id, business_partner_id, external_id)
		JOIN ? AS t ON t.business_partner_id = n.business_partner_id AND t.external_id = n.external_id AND t.public_id <> n.public_id)`,
		column(rows, func(r *dealRow) string { return r.PublicID.String() }),
		column(rows, func(r *dealRow) string { return r.BusinessPartnerID.String() }),
		column(rows, func(r *dealRow) string { return r.ExternalID }), r.u.name(dealTable.name)).Scan(ctx, &passed)
	if passed {
		return taken(dealTable.resource, "deal_id")
	}
	return err
}

func (r dealRepository) Update(ctx context.Context, list ...deals.Deal) error {
	return exec(ctx, r.u, "deal", func(ctx context.Context) error {
		at := make(map[uuid.UUID]int, len(list))
		rows := make([]dealRow, 0, len(list))
		for _, d := range list {
			if err := d.Validate(); err != nil {
				return err
			}
			if i, twice := at[d.ID]; twice { // a statement updates no row twice
				rows[i] = newDealRow(d)
				continue
			}
			at[d.ID] = len(rows)
			rows = append(rows, newDealRow(d))
		}
		if len(rows) == 0 {
			return nil
		}
		if err := r.keysFree(ctx, rows); err != nil {
			return err
		}
		var updated []uuid.UUID
		args := append([]any{r.u.name(dealTable.name)}, dealColumns(rows)...)
		if err := r.u.tx.NewRaw(updateDeals, args...).Scan(ctx, &updated); err != nil {
			return err
		}
		for _, d := range list {
			if !slices.Contains(updated, d.ID) {
				return affiliate.NotFound("deal", d.ID)
			}
		}
		return nil
	})
}

func (r dealRepository) List(ctx context.Context, f deals.KeptDealFilter, p affiliate.PageRequest) (affiliate.Page[deals.Deal], error) {
	return r.list(ctx, p, func(q filter) {
		q.equalID("t.business_partner_id", f.BusinessPartnerID)
		q.equalID("t.catalog_id", f.CatalogID)
		q.equalID("t.partner_id", f.PartnerID)
		if f.Statuses == nil {
			return
		}
		q.none(len(f.Statuses) == 0)
		q.WhereGroup(" AND ", func(any *bun.SelectQuery) *bun.SelectQuery {
			for _, s := range f.Statuses {
				any.WhereGroup(" OR ", func(one *bun.SelectQuery) *bun.SelectQuery {
					filter{one}.inRange(s)
					return one
				})
			}
			return any
		})
	})
}

// inRange asks for a status and for a due time after one and until another.
func (f filter) inRange(s deals.StatusRange) {
	f.exactly("t.status", string(s.Status))
	if !s.After.IsZero() {
		f.Where("t.due_at > ?", s.After)
	}
	if !s.Until.IsZero() {
		f.Where("t.due_at <= ?", s.Until)
	}
}

// LockDue passes over what is locked, where it may: that is another sweep's, or is
// being changed right now.
func (r dealRepository) LockDue(ctx context.Context, now time.Time, limit int) ([]deals.Deal, error) {
	return change(ctx, r.u, "deal", func(ctx context.Context) ([]deals.Deal, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []dealRow
		err := dealTable.selectFrom(r.u, &rows).Where("t.due_at <= ?", now).
			OrderExpr("t.due_at, t.id").Limit(int64(limit)).For("NO KEY UPDATE" + r.u.passingOver()).Scan(ctx)
		return dealTable.entities(rows), err
	})
}
