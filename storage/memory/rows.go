package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// valid is what every entity of the domains has.
type valid interface{ Validate() error }

// add is what the Add methods of entities kept as they are have in common.
// keep brings the value to the form that is kept, check refuses what SQL would.
func add[E valid](ctx context.Context, u *unit, t *table[E], e E, keep func(E) E, check func(E) error, out func(id uint32, e *E) E) (E, error) {
	var none E
	if err := u.change(ctx); err != nil {
		return none, err
	}
	if err := e.Validate(); err != nil {
		return none, u.fail(err)
	}
	if err := check(e); err != nil {
		return none, u.fail(err)
	}
	id, err := t.insert(u, keep(e))
	if err != nil {
		return none, u.fail(err)
	}
	return out(id, t.at(id)), nil
}

// update is what the Update methods of entities kept as they are have in common.
func update[E valid](ctx context.Context, u *unit, t *table[E], resource string, id int64, e E, keep func(E) E, check func(E) error) error {
	if err := u.change(ctx); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return u.fail(err)
	}
	row, ok := t.find(id)
	if !ok {
		return u.fail(affiliate.NotFound(resource, id))
	}
	if err := check(e); err != nil {
		return u.fail(err)
	}
	t.replace(u, row, keep(e))
	return nil
}

// remove is what the Delete methods have in common.
func remove[R any](ctx context.Context, u *unit, t *table[R], resource string, id int64) error {
	if err := u.change(ctx); err != nil {
		return err
	}
	row, ok := t.find(id)
	if !ok {
		return u.fail(affiliate.NotFound(resource, id))
	}
	t.delete(u, row)
	return nil
}

// lookUp is the row of an id from outside.
func lookUp[R any](ctx context.Context, u *unit, t *table[R], resource string, id int64) (*R, error) {
	if err := u.use(ctx); err != nil {
		return nil, err
	}
	row, ok := t.find(id)
	if !ok {
		return nil, affiliate.NotFound(resource, id)
	}
	return t.at(row), nil
}

// getRow is what the Get methods have in common.
func getRow[R, E any](ctx context.Context, u *unit, t *table[R], resource string, id int64, out func(id uint32, r *R) E) (E, error) {
	row, err := lookUp(ctx, u, t, resource, id)
	if err != nil {
		var none E
		return none, err
	}
	return out(uint32(id), row), nil
}

// getRows is what the GetMany methods have in common.
func getRows[R, E any](ctx context.Context, u *unit, t *table[R], ids []int64, out func(id uint32, r *R) E) ([]E, error) {
	if err := u.use(ctx); err != nil {
		return nil, err
	}
	var few [8]uint32 // on the stack: most calls ask for one
	return answer(t, t.amongIn(few[:0], ids), out), nil
}

// byKeys are the ids that an index has for any of the keys, ascending, each once.
func byKeys[K comparable](of func(K) []uint32, keys []K) []uint32 {
	var ids []uint32
	for _, k := range keys {
		ids = append(ids, of(k)...)
	}
	return sorted(ids)
}
