package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Among are the live ones of ids, ascending, each once.
func (s *Slab[R]) Among(ids []int64) []uint32 {
	return s.amongIn(make([]uint32, 0, len(ids)), ids)
}

// amongIn is among in the memory of rows, which is empty, as far as that goes.
func (s *Slab[R]) amongIn(rows []uint32, ids []int64) []uint32 {
	for _, id := range ids {
		if row, ok := s.Find(id); ok {
			rows = append(rows, row)
		}
	}
	return Sorted(rows)
}

// Sorted brings ids to ascending order, each once, in place.
func Sorted(ids []uint32) []uint32 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Collect returns the rows as the caller gets them.
func Collect[R, E any](t *Table[R], ids []uint32, out func(id uint32, r *R) E) []E {
	if len(ids) == 0 {
		return nil
	}
	list := make([]E, len(ids))
	for i, id := range ids {
		list[i] = out(id, t.At(id))
	}
	return list
}

// Scan are at most limit live ids greater than after.
func (s *Slab[R]) Scan(after int64, limit int) []uint32 {
	if limit <= 0 || after >= int64(s.last) {
		return nil
	}
	var ids []uint32
	s.Each(uint32(max(after, 0)), func(id uint32) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return ids
}

// Selection are the rows that a list may show.
type Selection[R any] struct {
	All     bool        // every live row; ids is nil
	ids     []uint32    // in the order of the list's ids; not changed
	InOrder *Ordered[R] // with all: by this, when it is not by row
	Keep    func(id uint32, r *R) bool
}

// Everything selects all rows.
func Everything[R any]() Selection[R] { return Selection[R]{All: true} }

// Only selects rows by ids, which an index or among gave.
func Only[R any](ids []uint32) Selection[R] { return Selection[R]{ids: ids} }

// Columns are what a list can be sorted by, by name in wire spelling.
type Columns[R any] map[string]func(a, b *R) int

// names are for PageRequest.Validate.
func (c Columns[R]) names() []string {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	return names
}

// Page cuts the page out of the selection: filtered, sorted, counted.
func Page[R, E any](u *Unit, t *Table[R], s Selection[R], p affiliate.PageRequest, cols Columns[R], out func(id uint32, r *R) E) (affiliate.Page[E], error) {
	if err := p.Validate(cols.names()...); err != nil {
		return affiliate.Page[E]{}, u.Fail(err)
	}
	ids, total := picked(t, s, p, cols[p.Sort.Column])
	return affiliate.Page[E]{Items: Collect(t, ids, out), Total: total}, nil
}

// picked is pick, from the kept keys where the request has some.
func picked[R any](t *Table[R], s Selection[R], p affiliate.PageRequest, column func(a, b *R) int) (ids []uint32, total int) {
	if p.Keys == nil {
		return pick(t, s, p, column)
	}
	all, kept := p.Keys.Kept().([]uint32)
	if !kept {
		found, _ := pick(t, s, affiliate.PageRequest{Size: max(t.live, 1), Sort: p.Sort}, column)
		all = slices.Clone(found)
		p.Keys.Keep(all)
	}
	from := min(p.Offset(), len(all))
	return all[from:min(from+p.Limit(), len(all))], len(all)
}

func pick[R any](t *Table[R], s Selection[R], p affiliate.PageRequest, column func(a, b *R) int) (ids []uint32, total int) {
	if s.All && s.Keep == nil && column == nil {
		switch {
		case s.InOrder != nil:
			return s.InOrder.cut(t.live, p), t.live
		case t.gapless(): // ids are positions
			return dense(t.last, p), t.live
		}
	}
	ids = s.ids
	collect := func(id uint32) bool {
		if s.Keep == nil || s.Keep(id, t.At(id)) {
			ids = append(ids, id)
		}
		return true
	}
	switch {
	case s.InOrder != nil:
		s.InOrder.Each(0, 0, collect)
	case s.All:
		t.Each(0, collect)
	case s.Keep != nil:
		kept := make([]uint32, 0, len(ids))
		for _, id := range ids {
			if s.Keep(id, t.At(id)) {
				kept = append(kept, id)
			}
		}
		ids = kept
	}
	if column == nil {
		return cut(ids, p), len(ids)
	}
	return best(t, ids, p, column), len(ids)
}

// cut is the page of a list in the order of its ids, or backwards.
func cut(ids []uint32, p affiliate.PageRequest) []uint32 {
	from := min(p.Offset(), len(ids))
	until := min(from+p.Limit(), len(ids))
	if !p.Sort.Desc {
		return ids[from:until]
	}
	out := slices.Clone(ids[len(ids)-until : len(ids)-from])
	slices.Reverse(out)
	return out
}

// cut is the page of all n rows in the order of the index, or backwards.
func (x *Ordered[R]) cut(n int, p affiliate.PageRequest) []uint32 {
	from := min(p.Offset(), n)
	until := min(from+p.Limit(), n)
	if p.Sort.Desc {
		from, until = n-until, n-from
	}
	ids := make([]uint32, 0, until-from)
	skip := from
	for _, part := range x.parts {
		if len(ids) == cap(ids) {
			break
		}
		if skip >= len(part) {
			skip -= len(part)
			continue
		}
		part = part[skip:]
		skip = 0
		ids = append(ids, part[:min(len(part), cap(ids)-len(ids))]...)
	}
	if p.Sort.Desc {
		slices.Reverse(ids)
	}
	return ids
}

// dense is cut for the ids 1 to last.
func dense(last uint32, p affiliate.PageRequest) []uint32 {
	from := min(p.Offset(), int(last))
	until := min(from+p.Limit(), int(last))
	ids := make([]uint32, 0, until-from)
	for i := from; i < until; i++ {
		id := uint32(i) + 1
		if p.Sort.Desc {
			id = last - uint32(i)
		}
		ids = append(ids, id)
	}
	return ids
}

// best is the page of the ids sorted by a column, ties in the order that they
// are in. It sorts what is on the page and before it, not all.
func best[R any](t *Table[R], ids []uint32, p affiliate.PageRequest, column func(a, b *R) int) []uint32 {
	type item struct {
		row *R
		at  int // in ids
	}
	order := func(a, b item) int {
		c := column(a.row, b.row)
		if p.Sort.Desc {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.at, b.at))
	}
	want := min(p.Offset()+p.Limit(), len(ids))
	// The buffer holds the best so far; when it is full the worse half goes.
	buffer := make([]item, 0, min(len(ids), 2*want+64))
	var worst item
	for i, id := range ids {
		it := item{t.At(id), i}
		if worst.row != nil && order(it, worst) > 0 {
			continue
		}
		if buffer = append(buffer, it); len(buffer) == cap(buffer) && i < len(ids)-1 {
			slices.SortFunc(buffer, order)
			buffer = buffer[:want]
			worst = buffer[want-1]
		}
	}
	slices.SortFunc(buffer, order)
	from := min(p.Offset(), want)
	out := make([]uint32, 0, want-from)
	for _, it := range buffer[from:want] {
		out = append(out, ids[it.at])
	}
	return out
}

// Matches reports whether the text has the part, when both are folded; see
// affiliate.Fold.
func Matches(text, part string) bool { return matches(text, affiliate.Fold(part)) }

// matches is Matches for a part that is folded already.
func matches(text, part string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return strings.Contains(affiliate.Fold(text), part)
		}
	}
	for i := 0; i+len(part) <= len(text); i++ { // without a copy of the text
		j := 0
		for j < len(part) && lower(text[i+j]) == part[j] {
			j++
		}
		if j == len(part) {
			return true
		}
	}
	return false
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func isID(text string, id int64) bool { return text == strconv.FormatInt(id, 10) }

// IsID is isID for a row.
func IsID(text string, id uint32) bool { return isID(text, int64(id)) }

// Text compares a column of text by code point, which is by byte.
func Text[R any](column func(*R) string) func(a, b *R) int {
	return func(a, b *R) int { return strings.Compare(column(a), column(b)) }
}

// Flag compares a column that is true or false; false comes first.
func Flag[R any](column func(*R) bool) func(a, b *R) int {
	return Number(func(r *R) int {
		if column(r) {
			return 1
		}
		return 0
	})
}

// Number compares a column of numbers.
func Number[R any, N cmp.Ordered](column func(*R) N) func(a, b *R) int {
	return func(a, b *R) int { return cmp.Compare(column(a), column(b)) }
}

// Time compares a column of times.
func Time[R any](column func(*R) time.Time) func(a, b *R) int {
	return func(a, b *R) int { return column(a).Compare(column(b)) }
}
