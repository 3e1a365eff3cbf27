package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// perUser is a table of which each user has at most one row.
type perUser[E entity, R any] struct{ table[E, R] }

// put keeps the row in place of the user's own.
func (t perUser[E, R]) put(ctx context.Context, u *unit, e E, columns string) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		if err := e.Validate(); err != nil {
			return err
		}
		row := t.row(e)
		_, err := u.tx.NewInsert().Model(&row).ModelTableExpr(u.from(t.name)).
			On("CONFLICT (user_id) DO UPDATE SET (" + columns + ") = ROW (excluded." + strings.ReplaceAll(columns, ", ", ", excluded.") + ")").Exec(ctx)
		return err
	})
}

func (t perUser[E, R]) getMany(ctx context.Context, u *unit, users []int64) ([]E, error) {
	return t.byUser(ctx, u, func(q filter) { q.among("t.user_id", nonNil(users)) })
}

func (t perUser[E, R]) byUser(ctx context.Context, u *unit, where func(filter)) ([]E, error) {
	return read(ctx, u, t.resource, func(ctx context.Context) ([]E, error) {
		var rows []R
		q := t.selectFrom(u, &rows)
		where(q)
		if err := q.OrderExpr("t.user_id").Scan(ctx); err != nil {
			return nil, err
		}
		return t.entities(rows), nil
	})
}

func (t perUser[E, R]) remove(ctx context.Context, u *unit, user int64) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		_, err := u.tx.ExecContext(ctx, `DELETE FROM ? WHERE user_id = ?`, u.name(t.name), user)
		return err
	})
}

type payoutDetailsRow struct {
	bun.BaseModel `bun:"table:affiliate_payout_details,alias:t"`

	UserID    int64     `bun:"user_id,pk"`
	KeyID     string    `bun:"key_id"`
	Details   []byte    `bun:"details"`
	UpdatedAt time.Time `bun:"updated_at,nullzero"`
}

var payoutDetailsTable = perUser[payouts.SealedDetails, payoutDetailsRow]{table[payouts.SealedDetails, payoutDetailsRow]{
	name: "affiliate_payout_details", resource: "payout_details",
	row: func(d payouts.SealedDetails) payoutDetailsRow {
		return payoutDetailsRow{UserID: d.UserID, KeyID: d.Sealed.KeyID, Details: nonNilBytes(d.Sealed.Data), UpdatedAt: d.UpdatedAt}
	},
	entity: func(r payoutDetailsRow) payouts.SealedDetails {
		return payouts.SealedDetails{UserID: r.UserID, Sealed: payouts.Sealed{KeyID: r.KeyID, Data: noneAsNil(r.Details)}, UpdatedAt: utc(r.UpdatedAt)}
	},
}}

type payoutDetails struct{ u *unit }

func (r payoutDetails) Put(ctx context.Context, d payouts.SealedDetails) error {
	return payoutDetailsTable.put(ctx, r.u, d, "key_id, details, updated_at")
}

func (r payoutDetails) GetMany(ctx context.Context, userIDs []int64) ([]payouts.SealedDetails, error) {
	return payoutDetailsTable.getMany(ctx, r.u, userIDs)
}

func (r payoutDetails) Scan(ctx context.Context, after int64, limit int) ([]payouts.SealedDetails, error) {
	return payoutDetailsTable.byUser(ctx, r.u, func(q filter) {
		q.none(limit <= 0)
		q.Where("t.user_id > ?", after).Limit(int64(limit))
	})
}

func (r payoutDetails) Remove(ctx context.Context, userID int64) error {
	return payoutDetailsTable.remove(ctx, r.u, userID)
}

type payoutHoldRow struct {
	bun.BaseModel `bun:"table:affiliate_payout_holds,alias:t"`

	UserID    int64     `bun:"user_id,pk"`
	Reason    string    `bun:"reason"`
	Until     time.Time `bun:"until,nullzero"`
	CreatedAt time.Time `bun:"created_at,nullzero"`
}

var payoutHoldTable = perUser[payouts.Hold, payoutHoldRow]{table[payouts.Hold, payoutHoldRow]{
	name: "affiliate_payout_holds", resource: "hold",
	row: func(h payouts.Hold) payoutHoldRow {
		return payoutHoldRow{UserID: h.UserID, Reason: h.Reason, Until: h.Until, CreatedAt: h.CreatedAt}
	},
	entity: func(r payoutHoldRow) payouts.Hold {
		return payouts.Hold{UserID: r.UserID, Reason: r.Reason, Until: utc(r.Until), CreatedAt: utc(r.CreatedAt)}
	},
}}

type payoutHolds struct{ u *unit }

func (r payoutHolds) Put(ctx context.Context, h payouts.Hold) error {
	return payoutHoldTable.put(ctx, r.u, h, "reason, until, created_at")
}

func (r payoutHolds) GetMany(ctx context.Context, userIDs []int64) ([]payouts.Hold, error) {
	return payoutHoldTable.getMany(ctx, r.u, userIDs)
}

func (r payoutHolds) Remove(ctx context.Context, userID int64) error {
	return payoutHoldTable.remove(ctx, r.u, userID)
}

type axIDRow struct {
	bun.BaseModel `bun:"table:affiliate_ax_ids,alias:t"`

	UserID int64  `bun:"user_id,pk"`
	AXID   string `bun:"ax_id"`
}

var axIDTable = perUser[payouts.AXID, axIDRow]{table[payouts.AXID, axIDRow]{
	name: "affiliate_ax_ids", resource: "ax_id",
	row:    func(m payouts.AXID) axIDRow { return axIDRow{UserID: m.UserID, AXID: m.AXID} },
	entity: func(r axIDRow) payouts.AXID { return payouts.AXID{UserID: r.UserID, AXID: r.AXID} },
}}

type axIDs struct{ u *unit }

func (r axIDs) Put(ctx context.Context, m payouts.AXID) error {
	return axIDTable.put(ctx, r.u, m, "ax_id")
}

func (r axIDs) GetMany(ctx context.Context, userIDs []int64) ([]payouts.AXID, error) {
	return axIDTable.getMany(ctx, r.u, userIDs)
}

func (r axIDs) ByAXIDs(ctx context.Context, numbers []string) ([]payouts.AXID, error) {
	return axIDTable.byUser(ctx, r.u, func(q filter) { q.amongTexts("t.ax_id", numbers) })
}

func (r axIDs) Remove(ctx context.Context, userID int64) error {
	return axIDTable.remove(ctx, r.u, userID)
}
