package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type systemKey struct {
	date         int64
	client, user int64
}

type systemTable struct {
	*engine.Table[payouts.SystemConfig]
	byKey    *engine.Unique[payouts.SystemConfig, systemKey]
	byClient *engine.Groups[payouts.SystemConfig, int64] // of a client as a whole; 0: of everybody
	byUser   *engine.Groups[payouts.SystemConfig, int64]
}

func keyOfSystem(c *payouts.SystemConfig) systemKey {
	return systemKey{c.Date.UnixMicro(), c.ClientID, c.UserID}
}

func newSystemTable(db *DB) systemTable {
	t := engine.NewTable[payouts.SystemConfig](&db.store)
	return systemTable{t,
		engine.NewUnique(t, func(c *payouts.SystemConfig) (systemKey, bool) { return keyOfSystem(c), true }),
		engine.NewGroups(t, func(c *payouts.SystemConfig) (int64, bool) { return c.ClientID, c.UserID == 0 }, nil),
		engine.NewGroups(t, func(c *payouts.SystemConfig) (int64, bool) { return c.UserID, c.UserID != 0 }, nil),
	}
}

func copySystem(id uint32, c *payouts.SystemConfig) payouts.SystemConfig {
	out := *c
	out.ID = int64(id)
	return out
}

type paymentSystems struct{ u *unit }

func (r paymentSystems) Put(ctx context.Context, c payouts.SystemConfig) (payouts.SystemConfig, error) {
	t := r.u.db.payouts.systems
	k := keyOfSystem(&c)
	err := engine.PutBy(ctx, &r.u.Unit, t.Table, t.byKey, k, c, func(c payouts.SystemConfig) payouts.SystemConfig {
		c.Date, c.UpdatedAt = engine.Kept(c.Date), engine.Kept(c.UpdatedAt)
		return c
	}, func(c payouts.SystemConfig) error {
		var f engine.Refusal
		f.Refers(r.u.db.core.clients.KnowsOr0(c.ClientID), "client_id")
		f.Refers(r.u.db.core.users.KnowsOr0(c.UserID), "user_id")
		return f.Err("payment_system")
	})
	if err != nil {
		return payouts.SystemConfig{}, err
	}
	id, _ := t.byKey.Find(k)
	return copySystem(id, t.At(id)), nil
}

func (r paymentSystems) Scan(ctx context.Context, f payouts.SystemFilter, after int64, limit int) ([]payouts.SystemConfig, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.systems
	if limit <= 0 || after >= int64(t.Last()) {
		return nil, nil
	}
	var ids []uint32
	t.Each(uint32(max(after, 0)), func(id uint32) bool {
		c := t.At(id)
		if (f.Date.IsZero() || f.Date.Equal(c.Date)) && (f.ClientID == 0 || f.ClientID == c.ClientID) && (f.UserID == 0 || f.UserID == c.UserID) {
			ids = append(ids, id)
		}
		return len(ids) < limit
	})
	return engine.Collect(t.Table, ids, copySystem), nil
}

func (r paymentSystems) Holding(ctx context.Context, before time.Time, clientIDs, userIDs []int64) ([]payouts.SystemConfig, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.systems
	ids := append(engine.ByKeys(t.byUser.Of, userIDs), engine.ByKeys(t.byClient.Of, append(engine.Copied(clientIDs), 0))...)
	var held []uint32
	for _, id := range engine.Sorted(ids) {
		if t.At(id).Date.Before(before) {
			held = append(held, id)
		}
	}
	return engine.Collect(t.Table, held, copySystem), nil
}

type setupTable struct {
	*engine.Table[payouts.PaymentSetup]
	byAdvertiser *engine.Unique[payouts.PaymentSetup, int64]
}

func newSetupTable(db *DB) setupTable {
	t := engine.NewTable[payouts.PaymentSetup](&db.store)
	return setupTable{t, engine.NewUnique(t, func(s *payouts.PaymentSetup) (int64, bool) { return s.AdvertiserID, true })}
}

type paymentSetups struct{ u *unit }

func (r paymentSetups) Put(ctx context.Context, s payouts.PaymentSetup) error {
	t := r.u.db.payouts.setups
	return engine.PutBy(ctx, &r.u.Unit, t.Table, t.byAdvertiser, s.AdvertiserID, s, func(s payouts.PaymentSetup) payouts.PaymentSetup {
		s.UpdatedAt = engine.Kept(s.UpdatedAt)
		return s
	}, func(s payouts.PaymentSetup) error {
		var f engine.Refusal
		f.Refers(r.u.db.core.advertisers.Knows(s.AdvertiserID), "advertiser_id")
		return f.Err("payment_setup")
	})
}

func (r paymentSetups) Get(ctx context.Context, advertiserID int64) (payouts.PaymentSetup, error) {
	t := r.u.db.payouts.setups
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byAdvertiser, advertiserID, "payment_setup", engine.AsKept)
}
