package engine

import (
	"slices"
	"sort"
)

// partIDs bounds a part of an ordered index: an insertion moves at most as many.
const partIDs = 512

// Ordered keeps all rows of a table in an order other than by id, in parts that
// split when they are full. Rows that come in order fill the parts wholly.
type Ordered[R any] struct {
	rows  *Slab[R]
	cmp   func(a, b *R) int // over rows that are all different to it
	parts [][]uint32        // none is empty
}

func NewOrdered[R any](t *Table[R], cmp func(a, b *R) int) *Ordered[R] {
	x := &Ordered[R]{rows: &t.Slab, cmp: cmp}
	t.indexes = append(t.indexes, x)
	return x
}

// Search is the place of the first row for which reached is true; it must be
// false for all before and true for all after. Past the end it is
// (len(parts), 0).
func (x *Ordered[R]) Search(reached func(*R) bool) (part, i int) {
	n := len(x.parts)
	if n == 0 {
		return 0, 0
	}
	last := func(p int) *R { ids := x.parts[p]; return x.rows.At(ids[len(ids)-1]) }
	switch { // nearly always it is at the end
	case !reached(last(n - 1)):
		return n, 0
	case n == 1 || !reached(last(n-2)):
		part = n - 1
	default:
		part = sort.Search(n, func(p int) bool { return reached(last(p)) })
	}
	ids := x.parts[part]
	return part, sort.Search(len(ids), func(i int) bool { return reached(x.rows.At(ids[i])) })
}

func (x *Ordered[R]) place(r *R) (part, i int) {
	return x.Search(func(o *R) bool { return x.cmp(o, r) >= 0 })
}

// First is the id of the first row for which reached is true; see search.
func (x *Ordered[R]) First(reached func(*R) bool) (uint32, bool) {
	p, i := x.Search(reached)
	if p == len(x.parts) {
		return 0, false
	}
	return x.parts[p][i], true
}

// Each calls f with the ids from a place on, until it returns false.
func (x *Ordered[R]) Each(part, i int, f func(id uint32) bool) {
	for ; part < len(x.parts); part, i = part+1, 0 {
		for _, id := range x.parts[part][i:] {
			if !f(id) {
				return
			}
		}
	}
}

// Back calls f with the ids before a place, the nearest first, until it returns
// false.
func (x *Ordered[R]) Back(part, i int, f func(id uint32) bool) {
	for {
		for i > 0 {
			i--
			if !f(x.parts[part][i]) {
				return
			}
		}
		if part == 0 {
			return
		}
		part--
		i = len(x.parts[part])
	}
}

func (x *Ordered[R]) Add(id uint32) {
	p, i := x.place(x.rows.At(id))
	n := len(x.parts)
	switch {
	case p == n && (n == 0 || len(x.parts[n-1]) == partIDs):
		x.parts = append(x.parts, []uint32{id})
		return
	case p == n:
		p, i = n-1, len(x.parts[n-1])
	case len(x.parts[p]) == partIDs:
		x.parts = slices.Insert(x.parts, p+1, slices.Clone(x.parts[p][partIDs/2:]))
		x.parts[p] = x.parts[p][:partIDs/2]
		if i > partIDs/2 {
			p, i = p+1, i-partIDs/2
		}
	}
	x.parts[p] = insertAt(x.parts[p], i, id)
}

func (x *Ordered[R]) Remove(id uint32) {
	p, i := x.place(x.rows.At(id))
	if x.parts[p] = slices.Delete(x.parts[p], i, i+1); len(x.parts[p]) == 0 {
		x.parts = slices.Delete(x.parts, p, p+1)
	}
}

func (x *Ordered[R]) same(a, b *R) bool { return x.cmp(a, b) == 0 }
