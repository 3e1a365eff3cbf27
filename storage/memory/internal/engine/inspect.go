package engine

import (
	"fmt"
	"slices"
	"strings"
)

// What follows is for the tests of a backend: everything that a table holds, as
// text, so that two states can be compared, and what must hold between rows and
// indexes, computed again from the rows alone.

// inspected is an index as the tests see it.
type inspected interface {
	Dump() string
	Check() error
}

func (t *Table[R]) Dump() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%T last %d live %d before %d\n", *new(R), t.last, t.live, len(t.before))
	t.Each(0, func(id uint32) bool {
		fmt.Fprintf(&b, " %d %+v\n", id, *t.At(id))
		return true
	})
	for _, x := range t.indexes {
		b.WriteString(" " + x.(inspected).Dump() + "\n")
	}
	return b.String()
}

func (t *Table[R]) Check() error {
	n := 0
	t.Each(0, func(uint32) bool { n++; return true })
	if n != t.live {
		return fmt.Errorf("%T: %d rows are live, counted %d", *new(R), n, t.live)
	}
	for _, x := range t.indexes {
		if err := x.(inspected).Check(); err != nil {
			return fmt.Errorf("%T: %w", *new(R), err)
		}
	}
	return nil
}

// IDs returns the ids of all rows, ascending.
func (s *Slab[R]) IDs() []uint32 {
	var ids []uint32
	s.Each(0, func(id uint32) bool { ids = append(ids, id); return true })
	return ids
}

func (h *hashTable) ids() []uint32 {
	var ids []uint32
	seen := map[*segment]bool{}
	for _, e := range h.dir {
		if seen[e.segment] {
			continue
		}
		seen[e.segment] = true
		for _, slot := range e.slots {
			if slot != 0 {
				ids = append(ids, uint32(slot))
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// IDs returns the ids of all rows that have a key, ascending.
func (x *Unique[R, K]) IDs() []uint32 { return x.hash.ids() }

func (x *Unique[R, K]) Dump() string { return fmt.Sprint(x.hash.ids()) }

func (x *Unique[R, K]) Check() error {
	var want []uint32
	for _, id := range x.Rows.IDs() {
		k, ok := x.key(x.Rows.At(id))
		if !ok {
			continue
		}
		want = append(want, id)
		if got, found := x.Find(k); !found || got != id {
			return fmt.Errorf("unique key %v of row %d finds %d", k, id, got)
		}
	}
	return Same("unique", x.hash.ids(), want)
}

func (x *Groups[R, K]) Dump() string { return fmt.Sprint(x.ids) }

func (x *Groups[R, K]) Check() error {
	want := map[K][]uint32{}
	for _, id := range x.rows.IDs() {
		if k, ok := x.key(x.rows.At(id)); ok {
			want[k] = append(want[k], id)
		}
	}
	if x.cmp != nil {
		for _, ids := range want {
			slices.SortFunc(ids, func(a, b uint32) int { return x.cmp(x.rows.At(a), x.rows.At(b)) })
		}
	}
	return Same("groups", x.ids, want)
}

func (x *Tags[R, K]) Dump() string { return fmt.Sprint(x.ids) }

func (x *Tags[R, K]) Check() error {
	want := map[K][]uint32{}
	for _, id := range x.rows.IDs() {
		for _, k := range x.keys(x.rows.At(id)) {
			want[k] = append(want[k], id)
		}
	}
	return Same("tags", x.ids, want)
}

func (x *Ordered[R]) Dump() string { return fmt.Sprint(slices.Concat(x.parts...)) }

func (x *Ordered[R]) Check() error {
	want := x.rows.IDs()
	slices.SortFunc(want, func(a, b uint32) int { return x.cmp(x.rows.At(a), x.rows.At(b)) })
	for _, part := range x.parts {
		if len(part) == 0 || len(part) > partIDs {
			return fmt.Errorf("a part has %d ids", len(part))
		}
	}
	return Same("ordered", slices.Concat(x.parts...), want)
}

func Same(what string, got, want any) error {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// Dump returns the texts and the length of the log.
func (s *Store) Dump() string {
	var b strings.Builder
	for _, id := range s.words.texts.IDs() {
		text := s.words.Text(id)
		fmt.Fprintf(&b, "word %d %q %d\n", id, text, s.words.numbers[text])
	}
	fmt.Fprintf(&b, "%d words, log %d\n", len(s.words.numbers), len(s.log))
	return b.String()
}
