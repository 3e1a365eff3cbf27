package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// table describes an aggregate, so that what all of them promise is tested by
// the same scenarios. The optional functions are nil where the aggregate has
// no such method.
type table[T affiliate.Tx, V any] struct {
	name   string
	world  func(t *testing.T, s affiliate.Store[T]) world // optional: more than newWorld
	sample func(w world, n int) V                         // valid and small; different n share no unique key
	full   func(w world) V                                // every field set, but for the ones that unset names
	unset  []string

	add     func(ctx context.Context, tx T, v V) (V, error)
	fetch   func(ctx context.Context, tx T, v V) (V, error) // the kept value, by id or key
	update  func(ctx context.Context, tx T, v V) error      // optional
	getMany func(ctx context.Context, tx T, ids []int64) ([]V, error)
	id      func(v *V) *int64  // optional: where ids are not counted
	adopt   func(v *V, kept V) // optional: where ids come from outside, gives v that of kept
	timed   bool               // times must be set

	texts      []text[V]
	broken     []broken[V]
	references []reference[V]
	unique     []uniqueText[V]
}

// text is a field that keeps any text between bounds, in characters.
type text[V any] struct {
	field    string
	min, max int
	at       func(v *V) *string
	narrow   bool // has a form of its own: hostile text is not valid in it
}

// broken is a way to be invalid.
type broken[V any] struct {
	field, code string
	spoil       func(v *V)
}

// reference is a field that must name something there is.
type reference[V any] struct {
	field string
	set   func(v *V, id int64)
}

// uniqueText is a unique key with a text in it. elsewhere, if there is one,
// moves a value to where the same text is free.
type uniqueText[V any] struct {
	field     string
	at        func(v *V) *string
	elsewhere func(v *V, w world)
	narrow    bool   // the text is kept in lower case, composed
	folded    bool   // texts that affiliate.Fold makes one are one
	within    string // the reference that is a part of the key
	after     bool   // what the value refers to is looked at first, as in a batch
}

func (tb table[T, V]) scenarios() []scenario[affiliate.Store[T]] {
	all := []scenario[affiliate.Store[T]]{
		{tb.name + "/what was added comes back", tb.testAdd},
		{tb.name + "/text and times are kept to the letter", tb.testText},
		{tb.name + "/what is invalid is refused without a trace", tb.testRefused},
		{tb.name + "/empty lists come out as nil", tb.testEmpty},
	}
	if tb.update != nil {
		all = append(all, scenario[affiliate.Store[T]]{tb.name + "/an update replaces every field", tb.testUpdate})
	}
	if len(tb.unique) > 0 {
		all = append(all, scenario[affiliate.Store[T]]{tb.name + "/a unique key is taken once", tb.testUnique})
	}
	return all
}

func (tb table[T, V]) newWorld(t *testing.T, s affiliate.Store[T]) world {
	t.Helper()
	if tb.world != nil {
		return tb.world(t, s)
	}
	return newWorld(t, s)
}

// adding and the others are the calls of the table as the units want them.
func (tb table[T, V]) adding(v V) func(ctx context.Context, tx T) (V, error) {
	return func(ctx context.Context, tx T) (V, error) { return tb.add(ctx, tx, v) }
}

func (tb table[T, V]) fetching(v V) func(ctx context.Context, tx T) (V, error) {
	return func(ctx context.Context, tx T) (V, error) { return tb.fetch(ctx, tx, v) }
}

func (tb table[T, V]) updating(v V) func(ctx context.Context, tx T) error {
	return func(ctx context.Context, tx T) error { return tb.update(ctx, tx, v) }
}

// withID is v with the id of kept.
func (tb table[T, V]) withID(v, kept V) V {
	switch {
	case tb.id != nil:
		*tb.id(&v) = *tb.id(&kept)
	case tb.adopt != nil:
		tb.adopt(&v, kept)
	}
	return v
}

func (tb table[T, V]) testAdd(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	unset := slices.DeleteFunc(zeroFields(tb.full(w)), func(f string) bool { return f == "ID" || slices.Contains(tb.unset, f) })
	equal(t, "fields that the suite's own full value leaves zero", unset, []string(nil))

	given := tb.filled(w)
	if tb.id != nil {
		*tb.id(&given) = nowhere
	}
	small := put(t, s, tb.adding(tb.sample(w, 1)))
	full := put(t, s, tb.adding(given))
	equal(t, "added, small", small, tb.withID(tb.sample(w, 1), small))
	equal(t, "added, full", full, tb.withID(tb.filled(w), full))

	wantSmall, wantFull := tb.withID(tb.sample(w, 1), small), tb.withID(tb.filled(w), full)
	scribble(&given)
	equal(t, "added, full, when what was given changes", full, wantFull)
	scribble(&full)
	for range 2 {
		got := see(t, s, tb.fetching(wantFull))
		equal(t, "fetched, full", got, wantFull)
		scribble(&got)
	}
	equal(t, "fetched, small", see(t, s, tb.fetching(wantSmall)), wantSmall)
	if tb.id != nil {
		tb.testIDs(t, s, w, wantSmall, wantFull)
	}
}

// testIDs looks at what ids promise, a and b being there, in that order.
func (tb table[T, V]) testIDs(t *testing.T, s affiliate.Store[T], w world, a, b V) {
	t.Helper()
	idA, idB := *tb.id(&a), *tb.id(&b)
	if idA <= 0 || idB <= idA || idB == nowhere {
		t.Errorf("ids %d, %d: want them counted upwards by the backend", idA, idB)
	}
	var lost, next V
	undone := errors.New("undone")
	if err := s.Write(t.Context(), func(ctx context.Context, tx T) (err error) {
		if lost, err = tb.add(ctx, tx, tb.sample(w, 2)); err != nil {
			return err
		}
		got, err := tb.fetch(ctx, tx, lost)
		if err == nil {
			equal(t, "seen by its own unit", got, lost)
		}
		return errors.Join(err, undone)
	}); !errors.Is(err, undone) {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	// The undone value left no trace: its keys are free.
	next = put(t, s, tb.adding(tb.sample(w, 2)))
	if *tb.id(&next) <= idB {
		t.Errorf("id %d after %d: want it to grow", *tb.id(&next), idB)
	}
	if tb.getMany == nil {
		return
	}
	many := func(ids []int64) []V {
		return see(t, s, func(ctx context.Context, tx T) ([]V, error) { return tb.getMany(ctx, tx, ids) })
	}
	asked := []int64{idB, nowhere, idA, 0, -1, idB, math.MaxInt64, math.MinInt64}
	got := many(asked)
	equal(t, "GetMany", got, []V{a, b})
	equal(t, "the caller's ids", asked, []int64{idB, nowhere, idA, 0, -1, idB, math.MaxInt64, math.MinInt64})
	for i := range got {
		scribble(&got[i])
	}
	equal(t, "GetMany again", many([]int64{idA, idB}), []V{a, b})
	equal(t, "GetMany of nil", many(nil), []V(nil))
	equal(t, "GetMany of none", many([]int64{}), []V(nil))
	large := make([]int64, 70_000)
	for i := range large {
		large[i] = nowhere + int64(i)
	}
	large[69_999] = idA
	equal(t, "GetMany of 70,000", many(large), []V{a})
}

func (tb table[T, V]) testUpdate(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	v := put(t, s, tb.adding(tb.sample(w, 1)))
	other := put(t, s, tb.adding(tb.sample(w, 2)))

	given := tb.withID(tb.filled(w), v)
	write(t, s, func(ctx context.Context, tx T) error {
		if err := tb.update(ctx, tx, given); err != nil {
			return err
		}
		got, err := tb.fetch(ctx, tx, given)
		if err != nil {
			return err
		}
		equal(t, "seen by its own unit", got, tb.withID(tb.filled(w), v))
		return nil
	})
	scribble(&given)
	equal(t, "updated", see(t, s, tb.fetching(v)), tb.withID(tb.filled(w), v))
	equal(t, "the other one", see(t, s, tb.fetching(other)), other)

	write(t, s, tb.updating(v))
	equal(t, "updated back", see(t, s, tb.fetching(v)), v)
	write(t, s, tb.updating(v)) // its own keys are not taken from it

	for _, id := range []int64{nowhere, 0, -1} {
		ghost := tb.sample(w, 3)
		if tb.id != nil {
			*tb.id(&ghost) = id
		}
		refused(t, s, missing, func(ctx context.Context, tx T) error {
			if err := tb.update(ctx, tx, tb.withID(tb.full(w), v)); err != nil {
				return err
			}
			return tb.update(ctx, tx, ghost)
		})
		for _, r := range tb.references { // whatever it refers to
			r.set(&ghost, nowhere)
			if v, ok := any(ghost).(interface{ Validate() error }); ok && v.Validate() != nil {
				break // two fields that go together
			}
			refused(t, s, missing, tb.updating(ghost))
		}
	}
	equal(t, "after refused updates", see(t, s, tb.fetching(v)), v)
}

// hostile are texts that have broken stores.
func hostile() []string {
	return []string{
		`O'Brien "quoted" ;--`, `100%_\`, `\x00 \u0000 %00`, "{\"a\": null}", "NULL",
		"İstanbul ı", "Straße ẞ", "e\u0301 decomposed", "\u00e9 composed", "\u05e9\u202e\u0627\u0644", "👩‍👩‍👧\U0010ffff",
		" leading and trailing ", "line\r\nbreak\ttab", "\x01\x1b\x7f\u0085\ufeff\ufffd\uffff", "?::int $1 @p :name ?0",
		"0190A5C4-7D1E-7ABC-8DEF-0123456789AB", "0190a5c4-7d1e-7abc-8def-0123456789ac", "x:00000000-0000-0000-0000-000000000000",
	}
}

func (tb table[T, V]) testText(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	var given []V
	for _, h := range hostile() {
		v := tb.sample(w, len(given)+1)
		for _, x := range tb.texts {
			if !x.narrow && len([]rune(h)) <= x.max {
				*x.at(&v) = h
			}
		}
		given = append(given, v)
	}
	longest := tb.sample(w, len(given)+1)
	for _, x := range tb.texts {
		if !x.narrow {
			*x.at(&longest) = strings.Repeat("😀", x.max)
		}
	}
	given = append(given, longest)

	far := []time.Time{
		{}, // unless it must be set
		time.Date(1, 1, 2, 0, 0, 0, 1000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2026, 6, 1, 2, 30, 0, 1000, time.FixedZone("", 5*3600+1800)),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 58, 999999999, time.UTC), // cut, not rounded
		time.Date(2026, 6, 1, 2, 30, 0, 1999, time.UTC),
	}
	if tb.timed {
		far = far[1:]
	}
	for _, when := range far {
		v := tb.sample(w, len(given)+1)
		setTimes(&v, when)
		given = append(given, v)
	}

	kept := make([]V, len(given))
	write(t, s, func(ctx context.Context, tx T) (err error) {
		for i, v := range given {
			if kept[i], err = tb.add(ctx, tx, v); err != nil {
				return fmt.Errorf("add %+v: %w", v, err)
			}
		}
		return nil
	})
	for i := range far {
		setTimes(&given[len(given)-len(far)+i], far[i].Truncate(time.Microsecond))
	}
	read(t, s, func(ctx context.Context, tx T) error {
		for i, v := range given {
			want := tb.withID(v, kept[i])
			equal(t, fmt.Sprintf("added %d", i), kept[i], want)
			got, err := tb.fetch(ctx, tx, want)
			if err != nil {
				return err
			}
			equal(t, fmt.Sprintf("fetched %d", i), got, want)
		}
		return nil
	})
}

// setTimes sets every time in *v.
func setTimes(v any, when time.Time) {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		if f, ok := s.Field(i).Addr().Interface().(*time.Time); ok {
			*f = when
		}
	}
}

func (tb table[T, V]) testRefused(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	kept := put(t, s, tb.adding(tb.sample(w, 1)))
	for _, x := range tb.texts {
		tb.refuse(t, s, w, kept, invalid(x.field, "nul"), func(v *V) { *x.at(v) = "a\x00b" })
		tb.refuse(t, s, w, kept, invalid(x.field, "invalid_utf8"), func(v *V) { *x.at(v) = "a\xffb" })
		tb.refuse(t, s, w, kept, invalid(x.field, "invalid_utf8"), func(v *V) { *x.at(v) = "\xed\xa0\x80" })
		tb.refuse(t, s, w, kept, invalid(x.field, "too_long"), func(v *V) { *x.at(v) = strings.Repeat("a", x.max+1) })
		if x.min == 1 {
			tb.refuse(t, s, w, kept, invalid(x.field, "required"), func(v *V) { *x.at(v) = "" })
		}
	}
	for _, b := range tb.broken {
		tb.refuse(t, s, w, kept, invalid(b.field, b.code), b.spoil)
	}
	for _, r := range tb.references {
		tb.refuse(t, s, w, kept, unknown(r.field), func(v *V) { r.set(v, nowhere) })
		tb.refuse(t, s, w, kept, unknown(r.field), func(v *V) { r.set(v, math.MaxInt64) })
	}
	// All that refer to nothing are named at once: two of them, each pair, and as many
	// as go together.
	var most []reference[V]
	for i, a := range tb.references {
		for _, b := range tb.references[i+1:] {
			tb.refuseReferences(t, s, w, a, b)
		}
		if _, ok := tb.referring(w, append(most, a)...); ok {
			most = append(most, a)
		}
	}
	tb.refuseReferences(t, s, w, most...)
}

// refuseReferences tries to add a value that refers to nothing by each of the
// fields, where a value can refer by all of them.
func (tb table[T, V]) refuseReferences(t *testing.T, s affiliate.Store[T], w world, by ...reference[V]) {
	t.Helper()
	bad, ok := tb.referring(w, by...)
	if !ok {
		return
	}
	var got, want []string
	err := s.Write(t.Context(), func(ctx context.Context, tx T) error { return second(tb.add(ctx, tx, bad)) })
	if e, ours := errors.AsType[*affiliate.Error](err); ours {
		for _, f := range e.Fields {
			got = append(got, f.Field)
		}
	}
	for _, r := range by {
		want = append(want, r.field)
	}
	slices.Sort(want)
	want = slices.Compact(want) // a field that is checked against two limits is named once
	slices.Sort(got)
	equal(t, "the fields that refer to nothing", got, want)
}

// referring is a value that refers to nothing by all of the fields; false when none
// can.
func (tb table[T, V]) referring(w world, by ...reference[V]) (V, bool) {
	bad := tb.sample(w, 3)
	for _, r := range by {
		r.set(&bad, nowhere)
	}
	for _, r := range by {
		other, same := bad, bad
		r.set(&other, nowhere-1)
		r.set(&same, nowhere)
		if !reflect.DeepEqual(same, bad) || reflect.DeepEqual(other, bad) {
			return bad, false
		}
	}
	v, checks := any(bad).(interface{ Validate() error })
	return bad, len(by) > 0 && (!checks || v.Validate() == nil)
}

// refuse tries to add a spoiled value, and to update the kept one to it, after
// a good change in the same unit: neither may leave anything.
func (tb table[T, V]) refuse(t *testing.T, s affiliate.Store[T], w world, kept V, want failure, spoil func(v *V)) {
	t.Helper()
	bad := tb.sample(w, 3)
	spoil(&bad)
	var lost V
	refused(t, s, want, func(ctx context.Context, tx T) (err error) {
		if lost, err = tb.add(ctx, tx, tb.sample(w, 2)); err != nil {
			return err
		}
		_, err = tb.add(ctx, tx, bad)
		return err
	})
	read(t, s, func(ctx context.Context, tx T) error {
		if problem := missing.problem(second(tb.fetch(ctx, tx, lost))); problem != "" {
			t.Errorf("after add was refused (%v): %s", want, problem)
		}
		return nil
	})
	if tb.update == nil {
		return
	}
	bad = tb.withID(bad, kept)
	refused(t, s, want, func(ctx context.Context, tx T) error {
		if err := tb.update(ctx, tx, tb.withID(tb.sample(w, 2), kept)); err != nil {
			return err
		}
		return tb.update(ctx, tx, bad)
	})
	equal(t, fmt.Sprintf("after update was refused (%v)", want), see(t, s, tb.fetching(kept)), kept)
}

func second[A any](_ A, err error) error { return err }
