package memory

import "math/bits"

const (
	chunkBits = 8
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1
)

// slab keeps rows by a dense id, from 1. It grows by whole chunks, so that a
// row never moves and growth never copies rows; finding one is arithmetic.
type slab[R any] struct {
	chunks []chunk[R]
	last   uint32 // the newest id ever given, live or not
	live   int    // how many rows are there
}

type chunk[R any] struct {
	rows *[chunkRows]R // nil when the chunk was released
	live [chunkRows / 64]uint64
}

// at is the row of a live id. It is valid until the unit ends.
func (s *slab[R]) at(id uint32) *R { return &s.chunks[id>>chunkBits].rows[id&chunkMask] }

// has reports whether the id is that of a live row.
func (s *slab[R]) has(id uint32) bool {
	if id > s.last || id == 0 {
		return false
	}
	return s.chunks[id>>chunkBits].live[(id&chunkMask)/64]>>(id%64)&1 != 0
}

// find is has for an id from outside.
func (s *slab[R]) find(id int64) (uint32, bool) {
	if id <= 0 || id > int64(s.last) {
		return 0, false
	}
	return uint32(id), s.has(uint32(id))
}

// push keeps the row under the next id.
func (s *slab[R]) push(r R) uint32 {
	s.last++
	s.put(s.last, r)
	return s.last
}

// pop takes back the latest push.
func (s *slab[R]) pop() {
	s.drop(s.last)
	s.last--
}

// put makes a dead id live, with this row.
func (s *slab[R]) put(id uint32, r R) {
	if int(id>>chunkBits) == len(s.chunks) {
		s.chunks = append(s.chunks, chunk[R]{})
	}
	c := &s.chunks[id>>chunkBits]
	if c.rows == nil {
		c.rows = new([chunkRows]R)
	}
	c.rows[id&chunkMask] = r
	c.live[(id&chunkMask)/64] |= 1 << (id % 64)
	s.live++
}

// drop makes a live id dead and forgets what its row referred to.
func (s *slab[R]) drop(id uint32) {
	c := &s.chunks[id>>chunkBits]
	var none R
	c.rows[id&chunkMask] = none
	c.live[(id&chunkMask)/64] &^= 1 << (id % 64)
	s.live--
}

// release gives the memory of the id's chunk back when no row of it is live
// and none will be added to it.
func (s *slab[R]) release(id uint32) {
	full := id|chunkMask <= s.last
	if c := &s.chunks[id>>chunkBits]; full && c.live == [chunkRows / 64]uint64{} {
		c.rows = nil
	}
}

// each calls f with the live ids greater than after, ascending, until it
// answers false.
func (s *slab[R]) each(after uint32, f func(id uint32) bool) {
	from := after + 1
	if from == 0 {
		return
	}
	for ci := from >> chunkBits; int(ci) < len(s.chunks); ci++ {
		for w, word := range s.chunks[ci].live {
			base := ci<<chunkBits + uint32(w)*64
			if base+64 <= from {
				continue
			}
			if from > base {
				word &= ^uint64(0) << (from - base)
			}
			for ; word != 0; word &= word - 1 {
				if !f(base + uint32(bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}
