package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

type paymentSystemRow struct {
	bun.BaseModel `bun:"table:affiliate_payment_systems,alias:t"`

	ID         int64     `bun:"id,pk,autoincrement"`
	Date       time.Time `bun:"date"`
	ClientID   int64     `bun:"client_id,nullzero"`
	UserID     int64     `bun:"user_id,nullzero"`
	System     int64     `bun:"system"`
	IgnoreLock bool      `bun:"ignore_lock"`
	UpdatedAt  time.Time `bun:"updated_at,nullzero"`
}

var paymentSystemTable = table[payouts.SystemConfig, paymentSystemRow]{
	name: "affiliate_payment_systems", resource: "payment_system", entity: paymentSystemRow.config,
}

func (r paymentSystemRow) config() payouts.SystemConfig {
	return payouts.SystemConfig{
		ID: r.ID, Date: utc(r.Date), ClientID: r.ClientID, UserID: r.UserID,
		System: r.System, IgnoreLock: r.IgnoreLock, UpdatedAt: utc(r.UpdatedAt),
	}
}

type paymentSystems struct{ u *unit }

func (r paymentSystems) Put(ctx context.Context, c payouts.SystemConfig) (payouts.SystemConfig, error) {
	return change(ctx, r.u, "payment_system", func(ctx context.Context) (payouts.SystemConfig, error) {
		if err := c.Validate(); err != nil {
			return payouts.SystemConfig{}, err
		}
		row := paymentSystemRow{
			Date: c.Date, ClientID: c.ClientID, UserID: c.UserID,
			System: c.System, IgnoreLock: c.IgnoreLock, UpdatedAt: c.UpdatedAt,
		}
		_, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from(paymentSystemTable.name)).
			On(`CONFLICT (date, coalesce(client_id, 0), coalesce(user_id, 0)) DO UPDATE SET (system, ignore_lock, updated_at) =
				(excluded.system, excluded.ignore_lock, excluded.updated_at)`).Exec(ctx)
		return row.config(), err
	})
}

func (r paymentSystems) Scan(ctx context.Context, f payouts.SystemFilter, after int64, limit int) ([]payouts.SystemConfig, error) {
	return paymentSystemTable.many(ctx, r.u, func(q filter) {
		q.none(limit <= 0)
		if !f.Date.IsZero() {
			q.Where("t.date = ?", f.Date)
		}
		q.equal("t.client_id", f.ClientID)
		q.equal("t.user_id", f.UserID)
		q.Where("t.id > ?", after).Limit(int64(limit))
	})
}

func (r paymentSystems) Holding(ctx context.Context, before time.Time, clientIDs, userIDs []int64) ([]payouts.SystemConfig, error) {
	return paymentSystemTable.many(ctx, r.u, func(q filter) {
		q.Where("t.date < ?", ceil(before))
		q.Where("t.user_id = ANY(?::bigint[]) OR t.user_id IS NULL AND coalesce(t.client_id, 0) = ANY(?::bigint[])",
			pgdialect.Array(userIDs), pgdialect.Array(append(distinct(clientIDs), 0)))
	})
}

type paymentSetupRow struct {
	bun.BaseModel `bun:"table:affiliate_payment_setups,alias:t"`

	AdvertiserID int64               `bun:"advertiser_id,pk"`
	SetupID      string              `bun:"payment_setup_id"`
	Status       payouts.SetupStatus `bun:"status"`
	UpdatedAt    time.Time           `bun:"updated_at,nullzero"`
}

var paymentSetupTable = table[payouts.PaymentSetup, paymentSetupRow]{
	name: "affiliate_payment_setups", resource: "payment_setup",
	entity: func(r paymentSetupRow) payouts.PaymentSetup {
		return payouts.PaymentSetup{AdvertiserID: r.AdvertiserID, SetupID: r.SetupID, Status: r.Status, UpdatedAt: utc(r.UpdatedAt)}
	},
}

type paymentSetups struct{ u *unit }

func (r paymentSetups) Put(ctx context.Context, s payouts.PaymentSetup) error {
	return exec(ctx, r.u, "payment_setup", func(ctx context.Context) error {
		if err := s.Validate(); err != nil {
			return err
		}
		row := paymentSetupRow{AdvertiserID: s.AdvertiserID, SetupID: s.SetupID, Status: s.Status, UpdatedAt: s.UpdatedAt}
		_, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from(paymentSetupTable.name)).
			On(`CONFLICT (advertiser_id) DO UPDATE SET (payment_setup_id, status, updated_at) =
				(excluded.payment_setup_id, excluded.status, excluded.updated_at)`).Exec(ctx)
		return err
	})
}

func (r paymentSetups) Get(ctx context.Context, advertiserID int64) (payouts.PaymentSetup, error) {
	return paymentSetupTable.one(ctx, r.u, advertiserID, func(q filter) { q.Where("t.advertiser_id = ?", advertiserID) })
}
