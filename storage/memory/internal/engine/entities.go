package engine

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// valid is what every entity of the domains has.
type valid interface{ Validate() error }

// Entities is a table whose rows are the entities of a plain aggregate. Its
// fields describe E, and its methods do what the repository of E does.
type Entities[E valid] struct {
	*Table[E]
	Resource string                            // in errors
	ID       func(*E) *int64                   // nil when the key comes from outside; see Keyed
	Own      func(E) E                         // gives E lists of its own; nil when it has none
	Times    func(*E) []*time.Time             // nil when it has none
	Refuses  func(f *Refusal, e *E, id uint32) // notes what SQL refuses beyond Validate; id is that of an update, or 0
	Sort     Columns[E]                        // what a list can be sorted by
}

// Out returns the entity as it leaves the table.
func (t *Entities[E]) Out(_ uint32, e *E) E {
	if t.Own == nil {
		return *e
	}
	return t.Own(*e)
}

// keep brings a valid entity to the form that is kept, unless it is refused.
func (t *Entities[E]) keep(e *E, id uint32) error {
	if t.Refuses != nil {
		var f Refusal
		t.Refuses(&f, e, id)
		if err := f.Err(t.Resource); err != nil {
			return err
		}
	}
	if t.Own != nil {
		*e = t.Own(*e)
	}
	if t.Times != nil {
		for _, at := range t.Times(e) {
			*at = Kept(*at)
		}
	}
	return nil
}

// Add keeps a new entity and returns it as it is kept.
func (t *Entities[E]) Add(ctx context.Context, u *Unit, e E) (E, error) {
	var none E
	if err := u.Change(ctx); err != nil {
		return none, err
	}
	if err := e.Validate(); err != nil {
		return none, u.Fail(err)
	}
	if t.ID != nil {
		*t.ID(&e) = int64(t.last) + 1
	}
	if err := t.keep(&e, 0); err != nil {
		return none, u.Fail(err)
	}
	id, err := t.Insert(e)
	if err != nil {
		return none, u.Fail(err)
	}
	return t.Out(id, t.At(id)), nil
}

// AddAll keeps new entities, in their order, unless one of them is not valid.
func (t *Entities[E]) AddAll(ctx context.Context, u *Unit, list []E) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return u.Fail(err)
		}
	}
	for i := range list {
		if _, err := t.Add(ctx, u, list[i]); err != nil {
			return err
		}
	}
	return nil
}

// AddMissing keeps those of new entities that nothing is in the way of, and
// returns them as they are kept.
func (t *Entities[E]) AddMissing(ctx context.Context, u *Unit, list []E, taken func(*E) bool) ([]E, error) {
	if err := u.Change(ctx); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return nil, u.Fail(err)
		}
	}
	var added []E
	for i := range list {
		if taken(&list[i]) {
			continue
		}
		e, err := t.Add(ctx, u, list[i])
		if err != nil {
			return nil, err
		}
		added = append(added, e)
	}
	return added, nil
}

// Get returns the entity with the id.
func (t *Entities[E]) Get(ctx context.Context, u *Unit, id int64) (E, error) {
	row, err := LookUp(ctx, u, t.Table, t.Resource, id)
	if err != nil {
		var none E
		return none, err
	}
	return t.Out(uint32(id), row), nil
}

// GetMany returns the entities with the ids, ascending, each once.
func (t *Entities[E]) GetMany(ctx context.Context, u *Unit, ids []int64) ([]E, error) {
	return GetMany(ctx, u, t.Table, ids, t.Out)
}

// Update replaces the entity with the id.
func (t *Entities[E]) Update(ctx context.Context, u *Unit, e E) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	id := *t.ID(&e)
	row, ok := t.Find(id)
	return t.replace(u, row, ok, id, e)
}

// replace is Update for the row that was found by the key, or not.
func (t *Entities[E]) replace(u *Unit, row uint32, ok bool, key any, e E) error {
	if err := e.Validate(); err != nil {
		return u.Fail(err)
	}
	if !ok {
		return u.Fail(affiliate.NotFound(t.Resource, key))
	}
	if err := t.keep(&e, row); err != nil {
		return u.Fail(err)
	}
	t.Replace(row, e)
	return nil
}

// Remove deletes the entity with the id.
func (t *Entities[E]) Remove(ctx context.Context, u *Unit, id int64) error {
	return Remove(ctx, u, t.Table, t.Resource, id)
}

// List returns one page of the rows that where leaves.
func (t *Entities[E]) List(ctx context.Context, u *Unit, p affiliate.PageRequest, where func(*Where[E])) (affiliate.Page[E], error) {
	return List(ctx, u, t.Table, p, t.Sort, t.Out, where)
}

// Rows returns the entities of the rows that an index gives, in their order.
func (t *Entities[E]) Rows(ctx context.Context, u *Unit, rows func() []uint32) ([]E, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	return Collect(t.Table, rows(), t.Out), nil
}

// Keyed are entities that are found by a key from outside.
type Keyed[E valid, K comparable] struct {
	Entities[E]
	Key *Unique[E, K]
}

// Get returns the entity with the key.
func (t *Keyed[E, K]) Get(ctx context.Context, u *Unit, k K) (E, error) {
	return FindBy(ctx, u, t.Table, t.Key, k, t.Resource, t.Out)
}

// find returns the row with the key of the entity.
func (t *Keyed[E, K]) find(e E) (row uint32, k K, ok bool) {
	k, _ = t.Key.key(&e)
	row, ok = t.Key.Find(k)
	return row, k, ok
}

// Update replaces the entity with the key.
func (t *Keyed[E, K]) Update(ctx context.Context, u *Unit, e E) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	row, k, ok := t.find(e)
	return t.replace(u, row, ok, k, e)
}

// Put adds the entity, or replaces the one with its key.
func (t *Keyed[E, K]) Put(ctx context.Context, u *Unit, e E) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	if row, k, ok := t.find(e); ok {
		return t.replace(u, row, ok, k, e)
	}
	_, err := t.Add(ctx, u, e)
	return err
}

// AddOrGet adds the entity, or returns the one with its key, and says whether it
// was added.
func (t *Keyed[E, K]) AddOrGet(ctx context.Context, u *Unit, e E) (E, bool, error) {
	var none E
	if err := u.Change(ctx); err != nil {
		return none, false, err
	}
	if err := e.Validate(); err != nil {
		return none, false, u.Fail(err)
	}
	if row, _, ok := t.find(e); ok {
		return t.Out(row, t.At(row)), false, nil
	}
	added, err := t.Add(ctx, u, e)
	return added, err == nil, err
}

// Remove deletes the entity with the key.
func (t *Keyed[E, K]) Remove(ctx context.Context, u *Unit, k K) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	row, ok := t.Key.Find(k)
	if !ok {
		return u.Fail(affiliate.NotFound(t.Resource, k))
	}
	t.Delete(row)
	return nil
}
