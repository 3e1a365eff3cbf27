package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type accessRow struct {
	bun.BaseModel `bun:"table:affiliate_catalog_access,alias:t"`

	ID          int64              `bun:"id,pk,autoincrement"`
	CatalogID   uuid.UUID          `bun:"catalog_id"`
	PartnerID   uuid.UUID          `bun:"partner_id"`
	Status      deals.AccessStatus `bun:"status"`
	RequestedAt time.Time          `bun:"requested_at,nullzero"`
	DecidedAt   time.Time          `bun:"decided_at,nullzero"`
}

func (r accessRow) access() deals.Access {
	return deals.Access{
		CatalogID: r.CatalogID, PartnerID: r.PartnerID, Status: r.Status,
		RequestedAt: utc(r.RequestedAt), DecidedAt: utc(r.DecidedAt),
	}
}

var accessTable = table[deals.Access, accessRow]{
	name: "affiliate_catalog_access", resource: "access", entity: accessRow.access,
}

type accesses struct{ repo[deals.Access, accessRow] }

func (r accesses) Put(ctx context.Context, a deals.Access) error {
	return exec(ctx, r.u, "access", func(ctx context.Context) error {
		if err := a.Validate(); err != nil {
			return err
		}
		row := accessRow{
			CatalogID: a.CatalogID, PartnerID: a.PartnerID, Status: a.Status,
			RequestedAt: a.RequestedAt, DecidedAt: a.DecidedAt,
		}
		_, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from(accessTable.name)).
			On(`CONFLICT (catalog_id, partner_id) DO UPDATE SET (status, requested_at, decided_at) =
				(excluded.status, excluded.requested_at, excluded.decided_at)`).Exec(ctx)
		return err
	})
}

func (r accesses) Get(ctx context.Context, catalogID, partnerID uuid.UUID) (deals.Access, error) {
	return r.one(ctx, partnerID, func(q filter) {
		q.Where("t.catalog_id = ? AND t.partner_id = ?", catalogID, partnerID)
	})
}

func (r accesses) List(ctx context.Context, f deals.AccessFilter, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
	return r.list(ctx, p, func(q filter) {
		q.equalID("t.catalog_id", f.CatalogID)
		q.equalID("t.partner_id", f.PartnerID)
		q.text("t.status", string(f.Status))
	})
}
