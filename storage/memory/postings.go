package memory

import (
	"slices"
	"sort"
)

// groups finds the rows that share a key: for each key its ids, in the order
// of cmp, or ascending when that is nil. A row whose key is not ok is left out.
type groups[R any, K comparable] struct {
	rows *slab[R]
	key  func(*R) (K, bool)
	cmp  func(a, b *R) int // over rows that are all different to it
	ids  map[K][]uint32
}

func newGroups[R any, K comparable](t *table[R], key func(*R) (K, bool), cmp func(a, b *R) int) *groups[R, K] {
	x := &groups[R, K]{rows: &t.slab, key: key, cmp: cmp, ids: map[K][]uint32{}}
	t.indexes = append(t.indexes, x)
	return x
}

// of answers the ids of the key; the caller must not change or keep them.
func (x *groups[R, K]) of(k K) []uint32 { return x.ids[k] }

func (x *groups[R, K]) add(id uint32) {
	r := x.rows.at(id)
	if k, ok := x.key(r); ok {
		ids := x.ids[k]
		x.ids[k] = insertAt(ids, searchFromEnd(x.rows, ids, id, x.cmp), id)
	}
}

func (x *groups[R, K]) remove(id uint32) {
	r := x.rows.at(id)
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

func (x *groups[R, K]) same(a, b *R) bool {
	ka, oka := x.key(a)
	kb, okb := x.key(b)
	return oka == okb && ka == kb && (x.cmp == nil || x.cmp(a, b) == 0)
}

// tags finds the rows that have a key among several: for each key its ids,
// ascending.
type tags[R any, K comparable] struct {
	rows *slab[R]
	keys func(*R) []K // each once
	ids  map[K][]uint32
}

func newTags[R any, K comparable](t *table[R], keys func(*R) []K) *tags[R, K] {
	x := &tags[R, K]{rows: &t.slab, keys: keys, ids: map[K][]uint32{}}
	t.indexes = append(t.indexes, x)
	return x
}

func (x *tags[R, K]) of(k K) []uint32 { return x.ids[k] }

func (x *tags[R, K]) add(id uint32) {
	for _, k := range x.keys(x.rows.at(id)) {
		ids := x.ids[k]
		x.ids[k] = insertAt(ids, searchFromEnd(x.rows, ids, id, nil), id)
	}
}

func (x *tags[R, K]) remove(id uint32) {
	for _, k := range x.keys(x.rows.at(id)) {
		ids := x.ids[k]
		i := searchFromEnd(x.rows, ids, id, nil)
		if ids = slices.Delete(ids, i, i+1); len(ids) == 0 {
			delete(x.ids, k)
		} else {
			x.ids[k] = ids
		}
	}
}

func (x *tags[R, K]) same(a, b *R) bool { return slices.Equal(x.keys(a), x.keys(b)) }

// searchFromEnd is the place of the id, or where it belongs. It looks from the
// end in growing steps, because nearly all rows come in order.
func searchFromEnd[R any](rows *slab[R], ids []uint32, id uint32, cmp func(a, b *R) int) int {
	before := func(i int) bool { return ids[i] < id }
	if cmp != nil {
		r := rows.at(id)
		before = func(i int) bool { return cmp(rows.at(ids[i]), r) < 0 }
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
