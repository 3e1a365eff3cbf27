package engine

import "math/bits"

const (
	pieceRows = 1 << 8  // what the first rows of a table are allocated by
	chunkRows = 1 << 12 // what all others are: never more than are there already
)

// Slab keeps rows by a dense id, from 1. It grows by whole chunks, so that a
// row never moves and growth never copies rows. Finding one is arithmetic, and
// at millions of rows the pointers to their chunks still stay in the cache.
type Slab[R any] struct {
	// Slices, not pointers to arrays: Go would look at the first row of an array
	// to see that it is there, which is one more cache miss.
	pieces [][]R    // the rows below chunkRows
	chunks [][]R    // the others; the chunk at 0 is nil
	alive  []uint64 // a bit for each id
	last   uint32   // the newest id ever given, live or not
	live   int      // how many rows are there
}

// At is the row of a live id. It is valid until the unit ends.
func (s *Slab[R]) At(id uint32) *R {
	if id < chunkRows {
		return &s.pieces[id/pieceRows][id%pieceRows]
	}
	return &s.chunks[id/chunkRows][id%chunkRows]
}

// Len returns how many rows are there.
func (s *Slab[R]) Len() int { return s.live }

// Last returns the newest id ever given, live or not.
func (s *Slab[R]) Last() uint32 { return s.last }

// gapless reports whether every id ever given is live: nothing was deleted.
func (s *Slab[R]) gapless() bool { return s.live == int(s.last) }

// has reports whether the id is that of a live row.
func (s *Slab[R]) has(id uint32) bool {
	return id != 0 && id <= s.last && (s.gapless() || s.alive[id/64]>>(id%64)&1 != 0)
}

// Find is has for an id from outside.
func (s *Slab[R]) Find(id int64) (uint32, bool) {
	if id <= 0 || id > int64(s.last) {
		return 0, false
	}
	return uint32(id), s.has(uint32(id))
}

// push keeps the row under the next id.
func (s *Slab[R]) push(r R) uint32 {
	s.last++
	s.put(s.last, r)
	return s.last
}

// pop takes back the latest push.
func (s *Slab[R]) pop() {
	s.drop(s.last)
	s.last--
}

// put makes a dead id live, with this row.
func (s *Slab[R]) put(id uint32, r R) {
	s.reserve(id)
	*s.At(id) = r
	s.alive[id/64] |= 1 << (id % 64)
	s.live++
}

// reserve has memory for the row of the id. Ids without rows before it cost a bit
// each, and a pointer for each chunk.
func (s *Slab[R]) reserve(id uint32) {
	for int(id/64) >= len(s.alive) {
		s.alive = append(s.alive, 0)
	}
	if id < chunkRows {
		s.pieces = room(s.pieces, int(id/pieceRows), pieceRows)
	} else {
		s.chunks = room(s.chunks, int(id/chunkRows), chunkRows)
	}
}

// room returns the parts with memory for the rows of one.
func room[R any](parts [][]R, part, rows int) [][]R {
	for part >= len(parts) {
		parts = append(parts, nil)
	}
	if parts[part] == nil {
		parts[part] = make([]R, rows)
	}
	return parts
}

// drop makes a live id dead and forgets what its row referred to.
func (s *Slab[R]) drop(id uint32) {
	var none R
	*s.At(id) = none
	s.alive[id/64] &^= 1 << (id % 64)
	s.live--
}

// release gives the memory around the id back when no row of it is live and
// none will be added to it.
func (s *Slab[R]) release(id uint32) {
	rows := uint32(chunkRows)
	if id < chunkRows {
		rows = pieceRows
	}
	from := id &^ (rows - 1)
	if s.last-from < rows-1 || !s.allDead(from, rows) {
		return
	}
	if id < chunkRows {
		s.pieces[id/pieceRows] = nil
	} else {
		s.chunks[id/chunkRows] = nil
	}
}

// allDead reports whether none of n ids is live; both numbers are multiples of 64.
func (s *Slab[R]) allDead(from, n uint32) bool {
	for _, word := range s.alive[from/64 : from/64+n/64] {
		if word != 0 {
			return false
		}
	}
	return true
}

// Each calls f with the live ids greater than after, ascending, until it
// returns false.
func (s *Slab[R]) Each(after uint32, f func(id uint32) bool) {
	from := after + 1
	if from == 0 {
		return
	}
	for w := from / 64; int(w) < len(s.alive); w++ {
		word := s.alive[w]
		if w == from/64 {
			word &= ^uint64(0) << (from % 64)
		}
		for ; word != 0; word &= word - 1 {
			if !f(w*64 + uint32(bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}
