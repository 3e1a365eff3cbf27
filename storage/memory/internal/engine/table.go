package engine

import (
	"math"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// index is kept in place with the rows of a table: the table tells it when a
// row came and before it goes.
type index[R any] interface {
	// Add notes the row of the id, which is in the slab.
	Add(id uint32)
	// Remove forgets the row of the id, which is still in the slab.
	Remove(id uint32)
	// same reports whether the index places both versions of a row alike.
	same(a, b *R) bool
}

// Table is a slab with its indexes, and knows how to undo its changes.
type Table[R any] struct {
	Slab[R]
	store   *Store
	indexes []index[R]
	// before holds the rows that the running unit replaced or deleted, as they
	// were, oldest first.
	before []R
}

func NewTable[R any](s *Store) *Table[R] { return &Table[R]{store: s} }

// The steps of a table.
const (
	inserted = iota
	replaced
	deleted
	moved  // from Old to ID
	raised // the newest id, from Old
)

// Insert keeps the row under a new id.
func (t *Table[R]) Insert(r R) (uint32, error) {
	if t.last == math.MaxUint32 {
		return 0, &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "full", Message: "the table has no ids left"}
	}
	id := t.push(r)
	for _, x := range t.indexes {
		x.Add(id)
	}
	t.store.Note(Step{Target: t, What: inserted, ID: id})
	return id, nil
}

// Replace gives a live row new content.
func (t *Table[R]) Replace(id uint32, r R) {
	t.before = append(t.before, *t.At(id))
	t.swap(id, r)
	t.store.Note(Step{Target: t, What: replaced, ID: id})
}

// Touch is replace for a change that no index sees: the caller writes to the
// row that it returns, before it calls anything else.
func (t *Table[R]) Touch(id uint32) *R {
	r := t.At(id)
	t.before = append(t.before, *r)
	t.store.Note(Step{Target: t, What: replaced, ID: id})
	return r
}

// Move gives a live row another id, and set the row that id where it has it. It
// reports whether the id was free. Ids that are given later are greater than it.
func (t *Table[R]) Move(id, to uint32, set func(*R)) bool {
	if t.has(to) {
		return false
	}
	r := *t.At(id)
	t.before = append(t.before, r)
	set(&r)
	if to > t.last {
		t.store.Note(Step{Target: t, What: raised, Old: t.last})
		t.last = to
	}
	t.carry(id, to, r)
	t.store.Note(Step{Target: t, What: moved, ID: to, Old: id})
	return true
}

// carry takes the row out at one id and keeps it at another as r.
func (t *Table[R]) carry(from, to uint32, r R) {
	for _, x := range t.indexes {
		x.Remove(from)
	}
	t.drop(from)
	t.put(to, r)
	for _, x := range t.indexes {
		x.Add(to)
	}
}

// Delete takes a live row out.
func (t *Table[R]) Delete(id uint32) {
	t.before = append(t.before, *t.At(id))
	for _, x := range t.indexes {
		x.Remove(id)
	}
	t.drop(id)
	t.store.Note(Step{Target: t, What: deleted, ID: id})
}

func (t *Table[R]) swap(id uint32, r R) {
	row := t.At(id)
	var moved uint64 // by index; no table has 64
	for i, x := range t.indexes {
		if !x.same(row, &r) {
			x.Remove(id)
			moved |= 1 << i
		}
	}
	*row = r
	for i, x := range t.indexes {
		if moved>>i&1 != 0 {
			x.Add(id)
		}
	}
}

// Undo takes back the table's latest change, which is this one.
func (t *Table[R]) Undo(c Step) {
	switch c.What {
	case inserted:
		for _, x := range t.indexes {
			x.Remove(c.ID)
		}
		t.pop()
	case replaced:
		t.swap(c.ID, t.popBefore())
	case deleted:
		t.put(c.ID, t.popBefore())
		for _, x := range t.indexes {
			x.Add(c.ID)
		}
	case moved:
		t.carry(c.ID, c.Old, t.popBefore())
	case raised:
		t.last = c.Old
	}
}

func (t *Table[R]) popBefore() R {
	n := len(t.before) - 1
	r := t.before[n]
	t.before = t.before[:n]
	return r
}

func (t *Table[R]) Keep(c Step) {
	if c.What == deleted {
		t.release(c.ID)
	}
	if len(t.before) > 0 {
		clear(t.before) // so that old rows hold nothing alive
		t.before = t.before[:0]
		if cap(t.before) > maxKept {
			t.before = nil
		}
	}
}
