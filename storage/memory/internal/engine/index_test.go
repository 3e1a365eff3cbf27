package engine

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
	Table[pair]
	byKey   *Unique[pair, int]
	byPlace *Groups[pair, int]
	inOrder *Ordered[pair]
}

func newPairTable(s *Store) *pairTable {
	t := &pairTable{Table: *NewTable[pair](s)}
	t.byKey = NewUnique(&t.Table, func(p *pair) (int, bool) { return p.key, p.key >= 0 })
	t.byPlace = NewGroups(&t.Table, func(p *pair) (int, bool) { return p.place % 10, true }, func(a, b *pair) int { return cmp.Compare(a.key, b.key) })
	t.inOrder = NewOrdered(&t.Table, func(a, b *pair) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.key, b.key)) })
	return t
}

// Enough rows that segments and parts split, in an order that is all but theirs.
func TestIndexesHoldWhileTheyGrowAndShrink(t *testing.T) {
	is := is.New(t)
	r := rand.New(rand.NewPCG(1, 2))
	store := &Store{}
	table := newPairTable(store)
	keys := r.Perm(20_000)
	for _, k := range keys {
		_, err := table.Insert(pair{k, r.IntN(5_000)})
		is.NoErr(err)
	}
	is.NoErr(table.Check())
	is.True(table.byKey.hash.depth > 0)   // segments split
	is.True(len(table.inOrder.parts) > 1) // parts split
	for n := range table.last {
		switch id := n + 1; r.IntN(3) {
		case 0:
			table.Delete(id)
		case 1:
			table.Replace(id, pair{30_000 + int(id), r.IntN(5_000)})
		}
	}
	is.NoErr(table.Check())
	store.rollback(0)
	is.NoErr(table.Check())
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
	store := &Store{}
	table := newPairTable(store)
	for n := range 3 * partIDs {
		_, err := table.Insert(pair{n, n})
		is.NoErr(err)
	}
	is.Equal(len(table.inOrder.parts), 3)
}

func TestChunksOfDeletedRowsAreReleased(t *testing.T) {
	is := is.New(t)
	store := &Store{}
	table := newPairTable(store)
	for n := range 3 * chunkRows {
		_, err := table.Insert(pair{n, n})
		is.NoErr(err)
	}
	remove := func(from, until uint32) {
		for id := from; id < until; id++ {
			table.Delete(id)
		}
		store.commit()
	}
	remove(1, pieceRows)
	is.True(table.pieces[0] == nil)
	is.True(table.pieces[1] != nil)
	remove(pieceRows, 2*chunkRows)
	is.Equal(table.pieces, make([][]pair, chunkRows/pieceRows))
	is.True(table.chunks[1] == nil)
	is.True(table.chunks[2] != nil)
	is.NoErr(table.Check())
	is.Equal(table.Scan(0, 1), []uint32{2 * chunkRows})
}

// A page is the same cut out of the whole list, sorted the slow way.
func TestPagesAreCutsOfTheSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &Store{}
		table := newPairTable(store)
		rows := rapid.IntRange(0, 700).Draw(t, "rows")
		gap := rapid.SampledFrom([]int{0, 2, 7}).Draw(t, "every so many deleted")
		for n := range rows {
			if _, err := table.Insert(pair{n, n * 7919 % 13}); err != nil {
				t.Fatal(err)
			}
		}
		for id := uint32(1); gap > 0 && int(id) <= rows; id += uint32(gap) {
			table.Delete(id)
		}
		s := rapid.SampledFrom([]Selection[pair]{
			Everything[pair](),
			{All: true, InOrder: table.inOrder},
			Only[pair](table.byPlace.Of(3)),
			Only[pair](table.Among([]int64{5, 3, 3, 900, -1, 40})),
		}).Draw(t, "selection")
		if rapid.Bool().Draw(t, "filtered") {
			s.Keep = func(id uint32, p *pair) bool { return p.key%3 != 0 }
		}
		p := affiliate.PageRequest{
			Number: rapid.SampledFrom([]int{1, 2, 3, 50, affiliate.MaxPageNumber}).Draw(t, "number"),
			Size:   rapid.SampledFrom([]int{1, 2, 20, 1000}).Draw(t, "size"),
			Sort:   affiliate.Sort{Column: rapid.SampledFrom([]string{"", "place"}).Draw(t, "column"), Desc: rapid.Bool().Draw(t, "desc")},
		}
		if rapid.Bool().Draw(t, "with keys") {
			p.Keys = &affiliate.PageKeys{}
		}
		cols := Columns[pair]{"place": Number(func(p *pair) int { return p.place })}

		want := s.ids
		switch {
		case s.InOrder != nil:
			want = slices.Concat(s.InOrder.parts...)
		case s.All:
			want = table.IDs()
		}
		want = slices.Clone(want)
		want = slices.DeleteFunc(want, func(id uint32) bool { return s.Keep != nil && !s.Keep(id, table.At(id)) })
		total := len(want)
		switch {
		case p.Sort.Column != "":
			slices.SortStableFunc(want, func(a, b uint32) int {
				c := cmp.Compare(table.At(a).place, table.At(b).place)
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

		got, err := Page(&Unit{}, &table.Table, s, p, cols, func(id uint32, _ *pair) uint32 { return id })
		if err != nil || got.Total != total || fmt.Sprint(got.Items) != fmt.Sprint(want) {
			t.Fatalf("got %v of %d, %v; want %v of %d", got.Items, got.Total, err, want, total)
		}
	})
}

// An export of n rows looks at n rows, and not at all of them for each page.
func TestPagesWithKeysLookAtEveryRowOnce(t *testing.T) {
	is := is.New(t)
	table := newPairTable(&Store{})
	for n := range 100 {
		_, err := table.Insert(pair{n, n * 7919 % 13})
		is.NoErr(err)
	}
	looks, pages := 0, affiliate.PageRequest{Size: 10, Sort: affiliate.Sort{Column: "place"}, Keys: &affiliate.PageKeys{}}
	s := Selection[pair]{All: true, Keep: func(uint32, *pair) bool { looks++; return true }}
	for pages.Number = 1; pages.Number <= 10; pages.Number++ {
		page, err := Page(&Unit{}, &table.Table, s, pages, Columns[pair]{"place": Number(func(p *pair) int { return p.place })}, AsKept)
		is.NoErr(err)
		is.Equal(len(page.Items), 10)
	}
	is.Equal(looks, 100)
}

func TestMatchingIgnoresCaseAndSpelling(t *testing.T) {
	for _, tt := range []struct {
		text, part string
		want       bool
	}{
		{"Anna", "nN", true}, {"Anna", "ann a", false}, {"Åsa", "å", true}, {"A\u030asa", "ÅS", true}, {"Åsa", "a\u030a", true}, {"Åsa", "a", true}, {"Åse", "a", false},
		{"a_b%", "_", true}, {"ab", "%", false}, {"", "a", false}, {"aab", "AB", true}, {"[", "{", false}, {"@", "`", false}, {"ab", "å", false},
	} {
		if got := Matches(tt.text, tt.part); got != tt.want {
			t.Errorf("Matches(%q, %q) = %v", tt.text, tt.part, got)
		}
	}
}
