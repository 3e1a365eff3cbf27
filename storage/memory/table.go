package memory

import (
	"math"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// index is kept in place with the rows of a table: the table tells it when a
// row came and before it goes.
type index[R any] interface {
	// add notes the row of the id, which is in the slab.
	add(id uint32)
	// remove forgets the row of the id, which is still in the slab.
	remove(id uint32)
	// same reports whether the index places both versions of a row alike.
	same(a, b *R) bool
}

// table is a slab with its indexes, and knows how to undo its changes.
type table[R any] struct {
	slab[R]
	indexes []index[R]
	// before holds the rows that the running unit replaced or deleted, as they
	// were, oldest first.
	before []R
}

// The changes of a table.
const (
	inserted = iota
	replaced
	deleted
)

// insert keeps the row under a new id.
func (t *table[R]) insert(u *unit, r R) (uint32, error) {
	if t.last == math.MaxUint32 {
		return 0, &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "full", Message: "the table has no ids left"}
	}
	id := t.push(r)
	for _, x := range t.indexes {
		x.add(id)
	}
	u.note(change{target: t, what: inserted, id: id})
	return id, nil
}

// replace gives a live row new content.
func (t *table[R]) replace(u *unit, id uint32, r R) {
	t.before = append(t.before, *t.at(id))
	t.swap(id, r)
	u.note(change{target: t, what: replaced, id: id})
}

// touch is replace for a change that no index sees: the caller writes to the
// row that it answers, before it calls anything else.
func (t *table[R]) touch(u *unit, id uint32) *R {
	r := t.at(id)
	t.before = append(t.before, *r)
	u.note(change{target: t, what: replaced, id: id})
	return r
}

// delete takes a live row out.
func (t *table[R]) delete(u *unit, id uint32) {
	t.before = append(t.before, *t.at(id))
	for _, x := range t.indexes {
		x.remove(id)
	}
	t.drop(id)
	u.note(change{target: t, what: deleted, id: id})
}

func (t *table[R]) swap(id uint32, r R) {
	row := t.at(id)
	var moved uint64 // by index; no table has 64
	for i, x := range t.indexes {
		if !x.same(row, &r) {
			x.remove(id)
			moved |= 1 << i
		}
	}
	*row = r
	for i, x := range t.indexes {
		if moved>>i&1 != 0 {
			x.add(id)
		}
	}
}

// undo takes back the table's latest change, which is this one.
func (t *table[R]) undo(c change) {
	switch c.what {
	case inserted:
		for _, x := range t.indexes {
			x.remove(c.id)
		}
		t.pop()
	case replaced:
		t.swap(c.id, t.popBefore())
	case deleted:
		t.put(c.id, t.popBefore())
		for _, x := range t.indexes {
			x.add(c.id)
		}
	}
}

func (t *table[R]) popBefore() R {
	n := len(t.before) - 1
	r := t.before[n]
	t.before = t.before[:n]
	return r
}

func (t *table[R]) keep(c change) {
	if c.what == deleted {
		t.release(c.id)
	}
	if len(t.before) > 0 {
		clear(t.before) // so that old rows hold nothing alive
		t.before = t.before[:0]
		if cap(t.before) > maxKept {
			t.before = nil
		}
	}
}
