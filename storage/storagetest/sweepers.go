package storagetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// sweptRows is how many rows the sweepers of a case find, more than each takes at once.
const sweptRows = 60

// sweepAtOnce has writers sweep at once, a few rows in each unit, until they find
// nothing: each row is swept by one of them.
func sweepAtOnce[T affiliate.Tx](t *testing.T, unit unitOf[T], sweep func(ctx context.Context, tx T, limit int) (int, error)) {
	t.Helper()
	var swept atomic.Int64
	together(t, writers, func(int) error {
		for {
			n := 0
			err := insist(t.Context(), unit, func(ctx context.Context, tx T) (err error) {
				n, err = sweep(ctx, tx, 7)
				return err
			})
			if err != nil || n == 0 {
				return err
			}
			swept.Add(int64(n))
		}
	})
	equal(t, "rows swept", swept.Load(), int64(sweptRows))
	left := 0
	err := unit(t.Context(), func(ctx context.Context, tx T) (err error) {
		left, err = sweep(ctx, tx, sweptRows)
		return err
	})
	if err != nil {
		t.Errorf("the last sweep: %v", err)
	}
	equal(t, "rows left", left, 0)
}

func testKeySweepers(t *testing.T, s coreStore) {
	for n := range sweptRows {
		expectReservation(t, s, sampleKey("a", fmt.Sprint(n)), at(0), sampleKey("a", fmt.Sprint(n)), true)
	}
	sweepAtOnce(t, s.Write, func(ctx context.Context, tx coreTx, limit int) (int, error) {
		return tx.IdempotencyKeys().Expire(ctx, at(60), limit)
	})
}

func testMailSweepers(t *testing.T, s mailingStore) {
	for n := range sweptRows {
		addAll(t, s, addMail, sampleMail(n))
	}
	sweepAtOnce(t, s.Write, func(ctx context.Context, tx mailingTx, limit int) (int, error) {
		return tx.Mails().Expire(ctx, at(sweptRows), limit)
	})
}

func testOrderSweepers(t *testing.T, s orders.Store) {
	w := newWorld(t, s)
	sweepOrders(t, s, s.Write, w, 0)
	sweepOrders(t, s, s.Record, w, sweptRows)
}

func sweepOrders(t *testing.T, s ordersStore, unit unitOf[orders.Tx], w world, first int) {
	for n := range sweptRows {
		o := sampleOrder(w, first+n)
		o.HoldUntil = at(n % 3)
		addAll(t, s, addOrder, o)
	}
	sweepAtOnce(t, unit, func(ctx context.Context, tx orders.Tx, limit int) (int, error) {
		due, err := tx.Orders().LockDue(ctx, at(5), limit)
		for _, o := range due {
			if err == nil {
				o.ApprovedAt = o.HoldUntil
				err = tx.Orders().Update(ctx, o)
			}
		}
		return len(due), err
	})
}
