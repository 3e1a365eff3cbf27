package productlists

import (
	"context"
	"hash/maphash"
)

// retire makes the products of the feed's merchants that it no longer has
// Unavailable, and returns how many.
func (s *Service) retire(ctx context.Context, im *importer) (vanished int, err error) {
	for after := ""; ; {
		var page []Product
		n := 0
		err := s.store.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
			if page, err = tx.Products().Scan(ctx, after, feedBatch); err != nil {
				return err
			}
			var gone []Product
			for _, p := range page {
				_, ours := im.merchants[merchantOf(&p)]
				if ours && p.Availability != Unavailable && !im.seen.has(p.ID) && !im.refused.has(p.ID) {
					p.Availability = Unavailable
					gone = append(gone, p)
				}
			}
			n = len(gone)
			return tx.Products().Put(ctx, gone...)
		})
		if err != nil {
			return vanished, err
		}
		vanished += n
		if len(page) < feedBatch {
			return vanished, nil
		}
		after = page[len(page)-1].ID
	}
}

// idSet is a set of ids in eight bytes each: of their hashes, so that of many
// billions of pairs of ids one may be taken for the same. The zero idSet is empty.
type idSet struct {
	seed  maphash.Seed
	slots []uint64 // open addressing, at most three quarters full; 0: free
	n     int
}

// add puts an id in and reports whether it is new.
func (s *idSet) add(id string) bool {
	if 4*(s.n+1) > 3*len(s.slots) {
		s.grow()
	}
	slot, there := s.find(s.hash(id))
	if there {
		return false
	}
	s.slots[slot] = s.hash(id)
	s.n++
	return true
}

// has reports whether an id was put in.
func (s *idSet) has(id string) bool {
	if s.n == 0 {
		return false
	}
	_, there := s.find(s.hash(id))
	return there
}

func (s *idSet) hash(id string) uint64 { return max(maphash.String(s.seed, id), 1) }

// find is where a hash stands, or would.
func (s *idSet) find(hash uint64) (slot int, there bool) {
	mask := len(s.slots) - 1
	for slot = int(hash) & mask; ; slot = (slot + 1) & mask {
		if s.slots[slot] == 0 || s.slots[slot] == hash {
			return slot, s.slots[slot] == hash
		}
	}
}

func (s *idSet) grow() {
	if s.slots == nil {
		s.seed = maphash.MakeSeed()
	}
	old := s.slots
	s.slots = make([]uint64, max(1024, 2*len(old)))
	for _, hash := range old {
		if hash != 0 {
			slot, _ := s.find(hash)
			s.slots[slot] = hash
		}
	}
}
