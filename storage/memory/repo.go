package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// entity is what the domains keep: it can say whether it may be kept.
type entity interface{ Validate() error }

// repo gives a repository of a plain aggregate its methods. It is one pointer,
// so that returning it as an interface allocates nothing: H, the type of the
// table, says where in a DB the entities are.
type repo[E entity, H interface {
	in(db *DB) *engine.Entities[E]
}] struct{ u *unit }

func (r repo[E, H]) all() *engine.Entities[E] {
	var h H
	return h.in(r.u.db)
}

func (r repo[E, H]) Add(ctx context.Context, e E) (E, error) { return r.all().Add(ctx, &r.u.Unit, e) }

func (r repo[E, H]) Get(ctx context.Context, id int64) (E, error) {
	return r.all().Get(ctx, &r.u.Unit, id)
}

func (r repo[E, H]) GetMany(ctx context.Context, ids []int64) ([]E, error) {
	return r.all().GetMany(ctx, &r.u.Unit, ids)
}

func (r repo[E, H]) Update(ctx context.Context, e E) error {
	return r.all().Update(ctx, &r.u.Unit, e)
}

func (r repo[E, H]) Delete(ctx context.Context, id int64) error {
	return r.all().Remove(ctx, &r.u.Unit, id)
}

func (r repo[E, H]) list(ctx context.Context, p affiliate.PageRequest, where func(*engine.Where[E])) (affiliate.Page[E], error) {
	return r.all().List(ctx, &r.u.Unit, p, where)
}

func (r repo[E, H]) rows(ctx context.Context, ids func() []uint32) ([]E, error) {
	return r.all().Rows(ctx, &r.u.Unit, ids)
}

// keyed is repo for entities that are found by a key from outside.
type keyed[E entity, K comparable, H interface {
	in(db *DB) *engine.Keyed[E, K]
}] struct{ u *unit }

func (r keyed[E, K, H]) all() *engine.Keyed[E, K] {
	var h H
	return h.in(r.u.db)
}

func (r keyed[E, K, H]) Add(ctx context.Context, e E) (E, error) {
	return r.all().Add(ctx, &r.u.Unit, e)
}

func (r keyed[E, K, H]) Get(ctx context.Context, k K) (E, error) {
	return r.all().Get(ctx, &r.u.Unit, k)
}

func (r keyed[E, K, H]) Update(ctx context.Context, e E) error {
	return r.all().Update(ctx, &r.u.Unit, e)
}

func (r keyed[E, K, H]) Put(ctx context.Context, e E) error { return r.all().Put(ctx, &r.u.Unit, e) }

func (r keyed[E, K, H]) Delete(ctx context.Context, k K) error {
	return r.all().Remove(ctx, &r.u.Unit, k)
}

func (r keyed[E, K, H]) list(ctx context.Context, p affiliate.PageRequest, where func(*engine.Where[E])) (affiliate.Page[E], error) {
	return r.all().List(ctx, &r.u.Unit, p, where)
}

func (r keyed[E, K, H]) rows(ctx context.Context, ids func() []uint32) ([]E, error) {
	return r.all().Rows(ctx, &r.u.Unit, ids)
}

// findBy returns the entity with a unique key; id stands for it in a NotFound.
func findBy[E entity, K comparable](ctx context.Context, u *unit, t *engine.Entities[E], x *engine.Unique[E, K], k K, id any) (E, error) {
	var none E
	if err := u.Use(ctx); err != nil {
		return none, err
	}
	row, ok := x.Find(k)
	if !ok {
		return none, affiliate.NotFound(t.Resource, id)
	}
	return t.Out(row, t.At(row)), nil
}
