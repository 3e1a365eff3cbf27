package engine

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Where gathers the conditions of a list. Each of its verbs leaves out what is
// zero or nil in a filter. A verb with an index offers its rows: the shortest
// offer is what the list reads, all other conditions are tested on those rows.
type Where[R any] struct {
	table  *Table[R]
	picked bool
	ids    []uint32 // of the shortest offer
	offer  test[R]  // whether a row is in it
	tests  []test[R]
	or     int64
	order  *Ordered[R]
}

type test[R any] func(id uint32, r *R) bool

// List returns one page of the rows that where leaves.
func List[R, E any](ctx context.Context, u *Unit, t *Table[R], p affiliate.PageRequest, sort Columns[R], out func(uint32, *R) E, where func(*Where[R])) (affiliate.Page[E], error) {
	if err := u.Use(ctx); err != nil {
		return affiliate.Page[E]{}, err
	}
	w := Where[R]{table: t}
	where(&w)
	return Page(u, t, w.selection(), p, sort, out)
}

func (w *Where[R]) selection() Selection[R] {
	s, tests := Selection[R]{All: !w.picked, ids: w.ids}, w.tests
	if w.or != 0 && w.picked {
		s, tests = Everything[R](), append(tests, w.offer)
	}
	if s.All {
		s.InOrder = w.order
	}
	if len(tests) > 0 {
		or := w.or
		s.Keep = func(id uint32, r *R) bool {
			if or != 0 && int64(id) == or {
				return true
			}
			for _, is := range tests {
				if !is(id, r) {
					return false
				}
			}
			return true
		}
	}
	return s
}

// pick offers rows; in says whether a row is among them.
func (w *Where[R]) pick(ids []uint32, in test[R]) {
	switch {
	case !w.picked:
		w.picked, w.ids, w.offer = true, ids, in
	case len(ids) < len(w.ids):
		w.tests = append(w.tests, w.offer)
		w.ids, w.offer = ids, in
	default:
		w.tests = append(w.tests, in)
	}
}

// Rows asks for some of the given rows, which are ascending.
func (w *Where[R]) Rows(asked bool, ids func() []uint32) {
	if asked {
		rows := ids()
		w.pick(rows, func(id uint32, _ *R) bool { _, ok := slices.BinarySearch(rows, id); return ok })
	}
}

// OrID lets the row with the id in, whatever the other conditions say.
func (w *Where[R]) OrID(id int64) { w.or = id }

// By has the list in an order of its own instead of by id.
func (w *Where[R]) By(x *Ordered[R]) { w.order = x }

// None leaves nothing.
func (w *Where[R]) None(asked bool) {
	if asked {
		w.pick(nil, func(uint32, *R) bool { return false })
	}
}

// That asks for what the test says.
func (w *Where[R]) That(asked bool, is func(*R) bool) {
	if asked {
		w.tests = append(w.tests, func(_ uint32, r *R) bool { return is(r) })
	}
}

// Among asks for one of the ids.
func (w *Where[R]) Among(ids []int64) {
	w.Rows(ids != nil, func() []uint32 { return w.table.Among(ids) })
}

// NotAmong leaves the ids out.
func (w *Where[R]) NotAmong(ids []int64) {
	if len(ids) > 0 {
		out := w.table.Among(ids)
		w.tests = append(w.tests, func(id uint32, _ *R) bool { _, is := slices.BinarySearch(out, id); return !is })
	}
}

// Flag asks for a boolean, if it is set.
func (w *Where[R]) Flag(o affiliate.Optional[bool], of func(*R) bool) {
	w.That(o.Set, func(r *R) bool { return of(r) == o.Value })
}

// Query asks for the id in decimal form, unless id is nil, or for the query as a
// part of one of the texts.
func (w *Where[R]) Query(query string, id func(*R) int64, texts ...func(*R) string) {
	if query == "" {
		return
	}
	if strings.IndexByte(query, 0) >= 0 || !utf8.ValidString(query) {
		w.None(true) // no text that is kept has such a part
		return
	}
	folded := affiliate.Fold(query)
	w.That(true, func(r *R) bool {
		return id != nil && id(r) != 0 && isID(query, id(r)) || slices.ContainsFunc(texts, func(text func(*R) string) bool { return matches(text(r), folded) })
	})
}

// Texts makes one text of several for Query, which finds no part that crosses
// from one to the next.
func Texts(texts ...string) string { return strings.Join(texts, "\x00") }

// Equal asks for a value.
func Equal[R any, V comparable](w *Where[R], v V, of func(*R) V) {
	w.That(v != *new(V), func(r *R) bool { return of(r) == v })
}

// EqualIn is Equal by an index.
func EqualIn[R any, V comparable](w *Where[R], v V, x *Groups[R, V]) {
	if v != *new(V) {
		w.pick(x.Of(v), func(_ uint32, r *R) bool { k, ok := x.key(r); return ok && k == v })
	}
}

// Among asks for one of the values; nil leaves all, and empty none.
func Among[R any, V comparable](w *Where[R], values []V, of func(*R) V) {
	w.That(values != nil, func(r *R) bool { return slices.Contains(values, of(r)) })
}

// NotAmong leaves the values out.
func NotAmong[R any, V comparable](w *Where[R], values []V, of func(*R) V) {
	w.That(len(values) > 0, func(r *R) bool { return !slices.Contains(values, of(r)) })
}

// AmongIn is Among by an index.
func AmongIn[R any, V comparable](w *Where[R], values []V, x *Groups[R, V]) {
	if values != nil {
		w.pick(ByKeys(x.Of, values), func(_ uint32, r *R) bool { k, ok := x.key(r); return ok && slices.Contains(values, k) })
	}
}

// HasIn asks for a value among several of the row, by an index.
func HasIn[R any, V comparable](w *Where[R], v V, x *Tags[R, V]) {
	w.pick(x.Of(v), func(_ uint32, r *R) bool { return slices.Contains(x.keys(r), v) })
}

// Through returns the rows that have one of the ids as their key, ascending.
func Through[R any](ids []uint32, x *Groups[R, int64]) []uint32 {
	var rows []uint32
	for _, id := range ids {
		rows = append(rows, x.Of(int64(id))...)
	}
	return Sorted(rows)
}

// Positive returns the ids that are above 0, for Among of a field that is 0 when
// it is absent; nil stays nil.
func Positive(ids []int64) []int64 {
	if ids == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id <= 0 })
}

// Refers is EqualIn for a key that is a row of another table, asked for by its
// id from outside.
func Refers[R, S any](w *Where[R], id int64, to *Slab[S], x *Groups[R, uint32]) {
	if id == 0 {
		return
	}
	row, ok := to.Find(id)
	w.None(!ok)
	EqualIn(w, row, x)
}
