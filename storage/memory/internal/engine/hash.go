package engine

import "hash/maphash"

const (
	segmentSlots = 1 << 12 // a segment of this size splits instead of growing
	minSlots     = 8
	maxDepth     = 20 // bits of the hash that choose a segment; the rest place within it
)

// hashTable maps hashes to ids: open addressing in segments of at most 4096
// slots, which split when they are full, so that growing never stops the world
// for longer than it takes to move one segment. A slot is the hash in the high
// half and the id in the low; 0 is an empty slot.
type hashTable struct {
	dir   []entry // by the highest depth bits of the hash
	depth uint
}

// entry is a segment and, one step nearer to those who search, its slots.
type entry struct {
	slots   []uint64
	segment *segment
}

type segment struct {
	slots []uint64 // a power of two
	used  int
	depth uint // the bits that all its hashes share
}

// slots are those of the hash's segment. There must be one.
func (h *hashTable) slots(hash uint32) []uint64 { return h.dir[uint64(hash)>>(32-h.depth)].slots }

func (h *hashTable) segment(hash uint32) *segment {
	if h.dir == nil {
		h.dir = make([]entry, 1)
		h.place(0, &segment{slots: make([]uint64, minSlots)})
	}
	return h.dir[uint64(hash)>>(32-h.depth)].segment
}

// place enters the segment wherever a hash with the prefix is looked for. The
// prefix has as many bits as the segment's hashes share.
func (h *hashTable) place(prefix uint32, s *segment) {
	n := 1 << (h.depth - s.depth)
	from := int(prefix) * n
	for i := range h.dir[from : from+n] {
		h.dir[from+i] = entry{s.slots, s}
	}
}

// insert adds a slot; the caller made sure that it is not there.
func (h *hashTable) insert(hash, id uint32) {
	s := h.segment(hash)
	for (s.used+1)*5 > len(s.slots)*4 {
		if len(s.slots) < segmentSlots || s.depth == maxDepth {
			s.grow()
			h.place(prefix(hash, s.depth), s)
		} else {
			h.split(hash)
		}
		s = h.segment(hash)
	}
	s.insert(uint64(hash)<<32 | uint64(id))
}

func prefix(hash uint32, bits uint) uint32 { return uint32(uint64(hash) >> (32 - bits)) }

func (s *segment) insert(slot uint64) {
	mask := len(s.slots) - 1
	i := int(slot>>32) & mask
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = slot
	s.used++
}

func (s *segment) grow() {
	old := s.slots
	s.slots, s.used = make([]uint64, 2*len(old)), 0
	for _, slot := range old {
		if slot != 0 {
			s.insert(slot)
		}
	}
}

// split divides the segment of the hash by one more bit.
func (h *hashTable) split(hash uint32) {
	old := h.segment(hash)
	if old.depth == h.depth {
		dir := make([]entry, 0, 2*len(h.dir))
		for _, e := range h.dir {
			dir = append(dir, e, e)
		}
		h.dir = dir
		h.depth++
	}
	depth := old.depth + 1
	halves := [2]*segment{
		{slots: make([]uint64, len(old.slots)), depth: depth},
		{slots: make([]uint64, len(old.slots)), depth: depth},
	}
	for _, slot := range old.slots {
		if slot != 0 {
			halves[slot>>(64-depth)&1].insert(slot)
		}
	}
	left := prefix(hash, old.depth) << 1
	h.place(left, halves[0])
	h.place(left|1, halves[1])
}

// remove takes the slot out, if it is there, and closes the gap, so that no
// slot is behind an empty one on its way from where its hash starts.
func (h *hashTable) remove(hash, id uint32) {
	s := h.segment(hash)
	mask := len(s.slots) - 1
	slot := uint64(hash)<<32 | uint64(id)
	gap := int(hash) & mask
	for s.slots[gap] != slot {
		if s.slots[gap] == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		start := int(s.slots[i]>>32) & mask
		if (i-start)&mask >= (i-gap)&mask {
			s.slots[gap] = s.slots[i]
			gap = i
		}
	}
	s.slots[gap] = 0
	s.used--
}

// Unique finds a row by a key that no two rows share. It keeps ids only: the
// key is read from the row. A row whose key is not ok is left out.
type Unique[R any, K comparable] struct {
	Rows *Slab[R]
	key  func(*R) (K, bool)
	seed maphash.Seed
	hash hashTable
}

func NewUnique[R any, K comparable](t *Table[R], key func(*R) (K, bool)) *Unique[R, K] {
	x := NewKeys(&t.Slab, key)
	t.indexes = append(t.indexes, x)
	return x
}

// NewKeys returns a unique that its owner keeps in place, not a table.
func NewKeys[R any, K comparable](rows *Slab[R], key func(*R) (K, bool)) *Unique[R, K] {
	return &Unique[R, K]{Rows: rows, key: key, seed: maphash.MakeSeed()}
}

func (x *Unique[R, K]) hashOf(k K) uint32 { return uint32(maphash.Comparable(x.seed, k) >> 32) }

// Find is the id of the row with the key.
func (x *Unique[R, K]) Find(k K) (uint32, bool) {
	if x.hash.dir == nil { // a find must not write: readers share the index
		return 0, false
	}
	hash := x.hashOf(k)
	slots := x.hash.slots(hash)
	mask := len(slots) - 1
	for i := int(hash) & mask; slots[i] != 0; i = (i + 1) & mask {
		if uint32(slots[i]>>32) != hash {
			continue
		}
		id := uint32(slots[i])
		if other, _ := x.key(x.Rows.At(id)); other == k {
			return id, true
		}
	}
	return 0, false
}

// Taken reports whether a row other than id has the key of r.
func (x *Unique[R, K]) Taken(r *R, id uint32) bool {
	k, ok := x.key(r)
	if !ok {
		return false
	}
	other, found := x.Find(k)
	return found && other != id
}

func (x *Unique[R, K]) Add(id uint32) {
	if k, ok := x.key(x.Rows.At(id)); ok {
		x.hash.insert(x.hashOf(k), id)
	}
}

func (x *Unique[R, K]) Remove(id uint32) {
	if k, ok := x.key(x.Rows.At(id)); ok {
		x.hash.remove(x.hashOf(k), id)
	}
}

func (x *Unique[R, K]) same(a, b *R) bool {
	ka, oka := x.key(a)
	kb, okb := x.key(b)
	return oka == okb && ka == kb
}

// Has reports whether a row has the key.
func (x *Unique[R, K]) Has(k K) bool {
	_, ok := x.Find(k)
	return ok
}

// InOrder returns the ids of the rows with the keys, in their order.
func (x *Unique[R, K]) InOrder(keys []K) []uint32 {
	var ids []uint32
	for _, k := range keys {
		if id, ok := x.Find(k); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Among returns the ids of the rows with the keys, ascending, each once.
func (x *Unique[R, K]) Among(keys []K) []uint32 { return Sorted(x.InOrder(keys)) }
