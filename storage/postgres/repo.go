package postgres

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// repo gives a repository of a plain aggregate its methods, by the description
// of its table.
type repo[E entity, R any] struct {
	u     *unit
	table *table[E, R]
}

// in returns the repository of a table in a transaction.
func in[E entity, R any](t coreTx, of *table[E, R]) repo[E, R] { return repo[E, R]{t.u, of} }

func (r repo[E, R]) Add(ctx context.Context, e E) (E, error) { return r.table.add(ctx, r.u, e) }

func (r repo[E, R]) Get(ctx context.Context, id int64) (E, error) { return r.table.get(ctx, r.u, id) }

func (r repo[E, R]) GetMany(ctx context.Context, ids []int64) ([]E, error) {
	return r.table.getMany(ctx, r.u, ids)
}

func (r repo[E, R]) Update(ctx context.Context, e E) error {
	return r.table.update(ctx, r.u, e, r.table.id(e))
}

func (r repo[E, R]) Delete(ctx context.Context, id int64) error { return r.table.delete(ctx, r.u, id) }

func (r repo[E, R]) list(ctx context.Context, p affiliate.PageRequest, where func(filter)) (affiliate.Page[E], error) {
	return r.table.list(ctx, r.u, p, where)
}

func (r repo[E, R]) many(ctx context.Context, where func(filter)) ([]E, error) {
	return r.table.many(ctx, r.u, where)
}

func (r repo[E, R]) one(ctx context.Context, id any, where func(filter)) (E, error) {
	return r.table.one(ctx, r.u, id, where)
}

func (r repo[E, R]) after(ctx context.Context, id any, limit int) ([]E, error) {
	return r.table.after(ctx, r.u, id, limit)
}
