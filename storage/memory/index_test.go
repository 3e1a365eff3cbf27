package memory

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// pair is a row for tests of the engine alone.
type pair struct{ key, place int }

type pairTable struct {
	table[pair]
	byKey   *unique[pair, int]
	byPlace *groups[pair, int]
	inOrder *ordered[pair]
}

func newPairTable() *pairTable {
	t := &pairTable{}
	t.byKey = newUnique(&t.table, func(p *pair) (int, bool) { return p.key, p.key >= 0 })
	t.byPlace = newGroups(&t.table, func(p *pair) (int, bool) { return p.place % 10, true }, func(a, b *pair) int { return cmp.Compare(a.key, b.key) })
	t.inOrder = newOrdered(&t.table, func(a, b *pair) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.key, b.key)) })
	return t
}

// Enough rows that segments and parts split, in an order that is all but theirs.
func TestIndexesHoldWhileTheyGrowAndShrink(t *testing.T) {
	is := is.New(t)
	r := rand.New(rand.NewPCG(1, 2))
	table, u := newPairTable(), &unit{db: New()}
	keys := r.Perm(20_000)
	for _, k := range keys {
		_, err := table.insert(u, pair{k, r.IntN(5_000)})
		is.NoErr(err)
	}
	is.NoErr(table.check())
	is.True(table.byKey.hash.depth > 0)   // segments split
	is.True(len(table.inOrder.parts) > 1) // parts split
	for n := range table.last {
		switch id := n + 1; r.IntN(3) {
		case 0:
			table.delete(u, id)
		case 1:
			table.replace(u, id, pair{30_000 + int(id), r.IntN(5_000)})
		}
	}
	is.NoErr(table.check())
	for i := len(u.db.log) - 1; i >= 0; i-- {
		u.db.log[i].target.undo(u.db.log[i])
	}
	is.NoErr(table.check())
	is.Equal(table.live, 0)
	is.Equal(table.last, uint32(0))
	is.Equal(len(table.before), 0)
	is.Equal(len(table.inOrder.parts), 0)
	is.Equal(len(table.byKey.hash.ids()), 0)
}

// Hashes that crowd together split their segments again and again, beside
// segments that never split.
func TestHashTableHoldsUnevenHashes(t *testing.T) {
	is := is.New(t)
	r := rand.New(rand.NewPCG(3, 4))
	var h hashTable
	hashes := make([]uint32, 60_000)
	found := func(id uint32) bool {
		slots := h.slots(hashes[id])
		for i := int(hashes[id]) & (len(slots) - 1); slots[i] != 0; i = (i + 1) & (len(slots) - 1) {
			if slots[i] == uint64(hashes[id])<<32|uint64(id) {
				return true
			}
		}
		return false
	}
	for id := range hashes {
		hashes[id] = r.Uint32()
		if id%3 != 0 {
			hashes[id] = hashes[id]>>5 | 0xe8000000
		}
		h.insert(hashes[id], uint32(id))
		if !found(uint32(id) / 2) {
			t.Fatalf("of %d the one at %d was lost", id, id/2)
		}
	}
	depths := map[uint]bool{}
	for _, e := range h.dir {
		depths[e.segment.depth] = true
	}
	is.True(len(depths) > 2)
	for id := range uint32(len(hashes)) {
		is.True(found(id))
		h.remove(hashes[id], id)
		is.True(!found(id))
	}
	is.Equal(len(h.ids()), 0)
}

func TestRowsThatComeInOrderFillTheirParts(t *testing.T) {
	is := is.New(t)
	table, u := newPairTable(), &unit{db: New()}
	for n := range 3 * partIDs {
		_, err := table.insert(u, pair{n, n})
		is.NoErr(err)
	}
	is.Equal(len(table.inOrder.parts), 3)
}

func TestChunksOfDeletedRowsAreReleased(t *testing.T) {
	is := is.New(t)
	table, u := newPairTable(), &unit{db: New()}
	for n := range 3 * chunkRows {
		_, err := table.insert(u, pair{n, n})
		is.NoErr(err)
	}
	remove := func(from, until uint32) {
		for id := from; id < until; id++ {
			table.delete(u, id)
		}
		u.commit()
	}
	remove(1, pieceRows)
	is.True(table.pieces[0] == nil)
	is.True(table.pieces[1] != nil)
	remove(pieceRows, 2*chunkRows)
	is.Equal(table.pieces, make([][]pair, chunkRows/pieceRows))
	is.True(table.chunks[1] == nil)
	is.True(table.chunks[2] != nil)
	is.NoErr(table.check())
	is.Equal(table.scan(0, 1), []uint32{2 * chunkRows})
}

// A page is the same cut out of the whole list, sorted the slow way.
func TestPagesAreCutsOfTheSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, u := newPairTable(), &unit{db: New()}
		rows := rapid.IntRange(0, 700).Draw(t, "rows")
		gap := rapid.SampledFrom([]int{0, 2, 7}).Draw(t, "every so many deleted")
		for n := range rows {
			if _, err := table.insert(u, pair{n, n * 7919 % 13}); err != nil {
				t.Fatal(err)
			}
		}
		for id := uint32(1); gap > 0 && int(id) <= rows; id += uint32(gap) {
			table.delete(u, id)
		}
		s := rapid.SampledFrom([]selection[pair]{
			everything[pair](),
			{all: true, inOrder: table.inOrder},
			only[pair](table.byPlace.of(3)),
			only[pair](table.among([]int64{5, 3, 3, 900, -1, 40})),
		}).Draw(t, "selection")
		if rapid.Bool().Draw(t, "filtered") {
			s.keep = func(id uint32, p *pair) bool { return p.key%3 != 0 }
		}
		p := affiliate.PageRequest{
			Number: rapid.SampledFrom([]int{1, 2, 3, 50, affiliate.MaxPageNumber}).Draw(t, "number"),
			Size:   rapid.SampledFrom([]int{1, 2, 20, 1000}).Draw(t, "size"),
			Sort:   affiliate.Sort{Column: rapid.SampledFrom([]string{"", "place"}).Draw(t, "column"), Desc: rapid.Bool().Draw(t, "desc")},
		}
		cols := columns[pair]{"place": number(func(p *pair) int { return p.place })}

		want := s.ids
		switch {
		case s.inOrder != nil:
			want = slices.Concat(s.inOrder.parts...)
		case s.all:
			want = table.ids()
		}
		want = slices.Clone(want)
		want = slices.DeleteFunc(want, func(id uint32) bool { return s.keep != nil && !s.keep(id, table.at(id)) })
		total := len(want)
		switch {
		case p.Sort.Column != "":
			slices.SortStableFunc(want, func(a, b uint32) int {
				c := cmp.Compare(table.at(a).place, table.at(b).place)
				if p.Sort.Desc {
					c = -c
				}
				return c
			})
		case p.Sort.Desc:
			slices.Reverse(want)
		}
		from := min(p.Offset(), total)
		want = want[from:min(from+p.Size, total)]

		got, err := page(u, &table.table, s, p, cols, func(id uint32, _ *pair) uint32 { return id })
		if err != nil || got.Total != total || fmt.Sprint(got.Items) != fmt.Sprint(want) {
			t.Fatalf("got %v of %d, %v; want %v of %d", got.Items, got.Total, err, want, total)
		}
	})
}

func TestCausesComeBackAsTheyWere(t *testing.T) {
	const id = "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071"
	for _, tt := range []struct {
		cause  string
		packed bool
	}{
		{"click:" + id, true},
		{id, true},
		{"order:1", false},
		{"click:", false},
		{"click:0190A0B0-c0d0-7e0f-8a1b-2c3d4e5f6071", false},
		{"click:00000000-0000-0000-0000-000000000000", false},
		{"click:{0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f60}", false},
		{"click:" + id + " ", false},
	} {
		w := newWords()
		prefix, uuid := splitCause(tt.cause)
		if got := w.cause(cause{w.number(prefix), uuid}); got != tt.cause || (uuid != [16]byte{}) != tt.packed {
			t.Errorf("%q came back as %q with the id %v", tt.cause, got, uuid)
		}
	}
}

func TestMatchingIgnoresTheCaseOfAToZAlone(t *testing.T) {
	for _, tt := range []struct {
		text, part string
		want       bool
	}{
		{"Anna", "nN", true}, {"Anna", "ann a", false}, {"Åsa", "å", false}, {"Åsa", "Å", true}, {"a_b%", "_", true}, {"ab", "%", false},
		{"", "a", false}, {"aab", "AB", true}, {"[", "{", false}, {"@", "`", false},
	} {
		if got := matches(tt.text, tt.part); got != tt.want {
			t.Errorf("matches(%q, %q) = %v", tt.text, tt.part, got)
		}
	}
}
