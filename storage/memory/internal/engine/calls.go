package engine

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Add is what the Add methods of entities kept as they are have in common.
// keep brings the value to the form that is kept, check refuses what SQL would.
func Add[E valid](ctx context.Context, u *Unit, t *Table[E], e E, keep func(E) E, check func(E) error, out func(id uint32, e *E) E) (E, error) {
	var none E
	if err := u.Change(ctx); err != nil {
		return none, err
	}
	if err := e.Validate(); err != nil {
		return none, u.Fail(err)
	}
	if err := check(e); err != nil {
		return none, u.Fail(err)
	}
	id, err := t.Insert(keep(e))
	if err != nil {
		return none, u.Fail(err)
	}
	return out(id, t.At(id)), nil
}

// Update is what the Update methods of entities kept as they are have in common.
func Update[E valid](ctx context.Context, u *Unit, t *Table[E], resource string, id int64, e E, keep func(E) E, check func(E) error) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return u.Fail(err)
	}
	row, ok := t.Find(id)
	if !ok {
		return u.Fail(affiliate.NotFound(resource, id))
	}
	if err := check(e); err != nil {
		return u.Fail(err)
	}
	t.Replace(row, keep(e))
	return nil
}

// Remove is what the Delete methods have in common.
func Remove[R any](ctx context.Context, u *Unit, t *Table[R], resource string, id int64) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	row, ok := t.Find(id)
	if !ok {
		return u.Fail(affiliate.NotFound(resource, id))
	}
	t.Delete(row)
	return nil
}

// LookUp is the row of an id from outside.
func LookUp[R any](ctx context.Context, u *Unit, t *Table[R], resource string, id int64) (*R, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	row, ok := t.Find(id)
	if !ok {
		return nil, affiliate.NotFound(resource, id)
	}
	return t.At(row), nil
}

// getRow is what the Get methods have in common.
func Get[R, E any](ctx context.Context, u *Unit, t *Table[R], resource string, id int64, out func(id uint32, r *R) E) (E, error) {
	row, err := LookUp(ctx, u, t, resource, id)
	if err != nil {
		var none E
		return none, err
	}
	return out(uint32(id), row), nil
}

// getRows is what the GetMany methods have in common.
func GetMany[R, E any](ctx context.Context, u *Unit, t *Table[R], ids []int64, out func(id uint32, r *R) E) ([]E, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	var few [8]uint32 // on the stack: most calls ask for one
	return Collect(t, t.amongIn(few[:0], ids), out), nil
}

// ByKeys are the ids that an index has for any of the keys, ascending, each once.
func ByKeys[K comparable](of func(K) []uint32, keys []K) []uint32 {
	var ids []uint32
	for _, k := range keys {
		ids = append(ids, of(k)...)
	}
	return Sorted(ids)
}

// FindBy is what the lookups by a unique key have in common.
func FindBy[R any, K comparable, E any](ctx context.Context, u *Unit, t *Table[R], x *Unique[R, K], k K, resource string, out func(id uint32, r *R) E) (E, error) {
	var none E
	if err := u.Use(ctx); err != nil {
		return none, err
	}
	id, ok := x.Find(k)
	if !ok {
		return none, affiliate.NotFound(resource, k)
	}
	return out(id, t.At(id)), nil
}

// PutBy keeps a valid entity in place of the one with its key, if there is one.
func PutBy[E valid, K comparable](ctx context.Context, u *Unit, t *Table[E], x *Unique[E, K], k K, e E, keep func(E) E, check func(E) error) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return u.Fail(err)
	}
	if err := check(e); err != nil {
		return u.Fail(err)
	}
	if id, ok := x.Find(k); ok {
		t.Replace(id, keep(e))
		return nil
	}
	if _, err := t.Insert(keep(e)); err != nil {
		return u.Fail(err)
	}
	return nil
}

// AsKept is an entity that goes out as it is kept.
func AsKept[E any](_ uint32, e *E) E { return *e }

// AsGiven is an entity that is kept as it comes in.
func AsGiven[E any](e E) E { return e }

func NoCheck[E any](E) error { return nil }

// SetOf has the positive ones of ids, so that 0, which is none, is never in it.
func SetOf(ids []int64) map[int64]bool {
	set := make(map[int64]bool, len(ids))
	for _, id := range ids {
		if id > 0 {
			set[id] = true
		}
	}
	return set
}
