package storagetest

import (
	"context"
	"testing"

	"github.com/affiliatekit/affiliatekit/links/orders"
)

func testOrderLockDue(t *testing.T, s ordersStore) {
	w := newWorld(t, s)
	held := func(n, until int) orders.Order {
		o := sampleOrder(w, n)
		o.HoldUntil = at(until)
		return o
	}
	told, declined := held(4, 1), held(5, 1)
	told.ApprovedAt, declined.DeclinedAt = at(1), at(2)
	kept := addAll(t, s, addOrder, held(1, 9), held(2, 3), held(3, 3), told, declined, held(6, 10))
	due := func(now, limit int) []orders.Order {
		return put(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Order, error) {
			return tx.Orders().LockDue(ctx, at(now), limit)
		})
	}
	equal(t, "before the first", due(2, 10), []orders.Order(nil))
	equal(t, "earliest first", due(9, 10), []orders.Order{kept[1], kept[2], kept[0]})
	equal(t, "at most two", due(9, 2), kept[1:3])
	equal(t, "at most none", due(9, 0), []orders.Order(nil))

	first := kept[1]
	first.ApprovedAt = first.HoldUntil
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Orders().Update(ctx, first) })
	equal(t, "once told of", due(9, 1), kept[2:3])
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Orders().Update(ctx, kept[1]) })
	equal(t, "put back", due(9, 1), kept[1:2])
}
