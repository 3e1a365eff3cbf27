package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/deals"
)

type uidRow struct {
	bun.BaseModel `bun:"table:affiliate_partner_uids,alias:t"`

	UID       string    `bun:"uid,pk"`
	PartnerID uuid.UUID `bun:"partner_id"`
	CreatedAt time.Time `bun:"created_at,nullzero"`
}

func (r uidRow) uid() deals.UID {
	return deals.UID{UID: r.UID, PartnerID: r.PartnerID, CreatedAt: utc(r.CreatedAt)}
}

var uidTable = table[deals.UID, uidRow]{
	name: "affiliate_partner_uids", resource: "uid", entity: uidRow.uid,
}

type uids struct{ u *unit }

func (r uids) AddOrGet(ctx context.Context, u deals.UID) (deals.UID, bool, error) {
	return addOrGet(ctx, r.u, uidTable, u, uidRow{UID: u.UID, PartnerID: u.PartnerID, CreatedAt: u.CreatedAt},
		"affiliate_partner_uids_uid_key", func(q filter) { q.exactly("t.uid", u.UID) })
}

func (r uids) GetMany(ctx context.Context, uids []string) ([]deals.UID, error) {
	return read(ctx, r.u, "uid", func(ctx context.Context) ([]deals.UID, error) {
		var rows []uidRow
		q := uidTable.selectFrom(r.u, &rows)
		q.amongTexts("t.uid", uids)
		if err := q.OrderExpr("t.uid").Scan(ctx); err != nil {
			return nil, err
		}
		return uidTable.entities(rows), nil
	})
}
