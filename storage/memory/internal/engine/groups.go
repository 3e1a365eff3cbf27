package engine

import (
	"slices"
	"sort"
)

// Groups finds the rows that share a key: for each key its ids, in the order
// of cmp, or ascending when that is nil. A row whose key is not ok is left out.
type Groups[R any, K comparable] struct {
	rows *Slab[R]
	key  func(*R) (K, bool)
	cmp  func(a, b *R) int // over rows that are all different to it
	ids  map[K][]uint32
}

func NewGroups[R any, K comparable](t *Table[R], key func(*R) (K, bool), cmp func(a, b *R) int) *Groups[R, K] {
	x := &Groups[R, K]{rows: &t.Slab, key: key, cmp: cmp, ids: map[K][]uint32{}}
	t.indexes = append(t.indexes, x)
	return x
}

// Of returns the ids of the key; the caller must not change or keep them.
func (x *Groups[R, K]) Of(k K) []uint32 { return x.ids[k] }

func (x *Groups[R, K]) Add(id uint32) {
	r := x.rows.At(id)
	if k, ok := x.key(r); ok {
		ids := x.ids[k]
		x.ids[k] = insertAt(ids, searchFromEnd(x.rows, ids, id, x.cmp), id)
	}
}

func (x *Groups[R, K]) Remove(id uint32) {
	r := x.rows.At(id)
	k, ok := x.key(r)
	if !ok {
		return
	}
	ids := x.ids[k]
	i := searchFromEnd(x.rows, ids, id, x.cmp)
	if ids = slices.Delete(ids, i, i+1); len(ids) == 0 {
		delete(x.ids, k)
	} else {
		x.ids[k] = ids
	}
}

func (x *Groups[R, K]) same(a, b *R) bool {
	ka, oka := x.key(a)
	kb, okb := x.key(b)
	return oka == okb && ka == kb && (x.cmp == nil || x.cmp(a, b) == 0)
}

// Tags finds the rows that have a key among several: for each key its ids,
// ascending.
type Tags[R any, K comparable] struct {
	rows *Slab[R]
	keys func(*R) []K // each once
	ids  map[K][]uint32
}

func NewTags[R any, K comparable](t *Table[R], keys func(*R) []K) *Tags[R, K] {
	x := &Tags[R, K]{rows: &t.Slab, keys: keys, ids: map[K][]uint32{}}
	t.indexes = append(t.indexes, x)
	return x
}

func (x *Tags[R, K]) Of(k K) []uint32 { return x.ids[k] }

func (x *Tags[R, K]) Add(id uint32) {
	for _, k := range x.keys(x.rows.At(id)) {
		ids := x.ids[k]
		x.ids[k] = insertAt(ids, searchFromEnd(x.rows, ids, id, nil), id)
	}
}

func (x *Tags[R, K]) Remove(id uint32) {
	for _, k := range x.keys(x.rows.At(id)) {
		ids := x.ids[k]
		i := searchFromEnd(x.rows, ids, id, nil)
		if ids = slices.Delete(ids, i, i+1); len(ids) == 0 {
			delete(x.ids, k)
		} else {
			x.ids[k] = ids
		}
	}
}

func (x *Tags[R, K]) same(a, b *R) bool { return slices.Equal(x.keys(a), x.keys(b)) }

// searchFromEnd is the place of the id, or where it belongs. It looks from the
// end in growing steps, because nearly all rows come in order.
func searchFromEnd[R any](rows *Slab[R], ids []uint32, id uint32, cmp func(a, b *R) int) int {
	before := func(i int) bool { return ids[i] < id }
	if cmp != nil {
		r := rows.At(id)
		before = func(i int) bool { return cmp(rows.At(ids[i]), r) < 0 }
	}
	low, high := 0, len(ids)
	for step := 1; high > 0; step *= 2 {
		if i := max(0, high-step); before(i) {
			low = i + 1
			break
		} else {
			high = i
		}
	}
	return low + sort.Search(high-low, func(i int) bool { return !before(low + i) })
}

// insertAt is slices.Insert that grows small lists less eagerly.
func insertAt(ids []uint32, i int, id uint32) []uint32 {
	if i == len(ids) {
		return append(ids, id)
	}
	return slices.Insert(ids, i, id)
}
