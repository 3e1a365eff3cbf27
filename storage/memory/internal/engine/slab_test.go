package engine

import (
	"slices"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"
)

// A slab against a map, where its pieces and its chunks meet.
func TestSlabKeepsRowsAcrossItsBorders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type place struct {
			value int
			row   *int
		}
		var s Slab[int]
		var want map[uint32]place
		push := func(v int) {
			id := s.push(v)
			want[id] = place{v, s.At(id)}
		}
		border := rapid.SampledFrom([]int{64, pieceRows, 2 * pieceRows, chunkRows, 2 * chunkRows}).Draw(t, "border")
		want = make(map[uint32]place, border)
		for n := range border - 3 {
			push(n)
		}
		near := rapid.Custom(func(t *rapid.T) uint32 { return uint32(border + rapid.IntRange(-6, 6).Draw(t, "off")) })
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			switch id := near.Draw(t, "id"); rapid.SampledFrom([]string{"push", "push", "pop", "drop", "put"}).Draw(t, "step") {
			case "push":
				push(-int(s.last))
			case "pop":
				if s.has(s.last) {
					delete(want, s.last)
					s.pop()
				}
			case "drop":
				if s.has(id) {
					delete(want, id)
					s.drop(id)
				}
			case "put":
				if id <= s.last && !s.has(id) {
					s.put(id, int(id)*7)
					want[id] = place{int(id) * 7, s.At(id)}
				}
			}
		}

		var ids []uint32
		for id := range s.last + 3 {
			p, there := want[id]
			_, found := s.Find(int64(id))
			if s.has(id) != there || found != there {
				t.Fatalf("row %d of %d: has %v, found %v; want %v", id, s.last, s.has(id), found, there)
			}
			if !there {
				continue
			}
			ids = append(ids, id)
			if s.At(id) != p.row || *p.row != p.value {
				t.Fatalf("row %d moved, or is %d, want %d", id, *s.At(id), p.value)
			}
		}
		if !slices.Equal(s.IDs(), ids) || s.live != len(ids) || s.gapless() != (len(ids) == int(s.last)) {
			t.Fatalf("%d rows, gapless %v, each %v; want %v", s.live, s.gapless(), s.IDs(), ids)
		}
		after := near.Draw(t, "after")
		var rest []uint32
		s.Each(after, func(id uint32) bool { rest = append(rest, id); return len(rest) < 4 })
		i, _ := slices.BinarySearch(ids, after+1)
		if want := ids[i:min(i+4, len(ids))]; !slices.Equal(rest, want) {
			t.Fatalf("after %d come %v, want %v", after, rest, want)
		}
	})
}

func TestSmallSlabsStaySmall(t *testing.T) {
	is := is.New(t)
	var s Slab[int]
	for n := 1; n <= 3*chunkRows; n++ {
		s.push(n)
		room := 0
		for _, rows := range slices.Concat(s.pieces, s.chunks) {
			room += cap(rows)
		}
		is.True(room <= max(pieceRows, 2*n+1)) // id 0 has room, and no row
	}
}

func TestIDsFromOutsideMayBeAnything(t *testing.T) {
	is := is.New(t)
	var s Slab[int]
	for _, id := range []int64{-1 << 63, -1, 0, 1, 1 << 32, 1<<32 + 1, 1<<63 - 1} {
		is.True(!s.Knows(id))
	}
	s.push(1)
	for _, id := range []int64{-1 << 63, -1, 0, 2, 1 << 32, 1<<32 + 1, 1<<63 - 1} {
		is.True(!s.Knows(id))
	}
	is.True(s.Knows(1))
}
