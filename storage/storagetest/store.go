package storagetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// unitScenarios are what affiliate.Store promises of every unit of work. How
// is what the store's Write is.
func unitScenarios[T affiliate.Tx](how string) []scenario[affiliate.Store[T]] {
	how += "/"
	return []scenario[affiliate.Store[T]]{
		{how + "all or nothing", testAllOrNothing[T]},
		{how + "a panic rolls back and goes on", testPanic[T]},
		{how + "a failed call dooms the unit", testDoom[T]},
		{how + "only a read's not found leaves a unit alive", testAlive[T]},
		{how + "what finds nothing returns nil", testNothing[T]},
		{how + "a read refuses every change", testReadOnly[T]},
		{how + "a unit in a unit is refused", testNested[T]},
		{how + "a transaction ends with its callback", testEscaped[T]},
		{how + "units within one of Join are one", testJoin[T]},
		{how + "a cancelled context ends a unit", testCancelled[T]},
		{how + "a deadline ends a unit", testDeadline[T]},
		{how + "of units that wait for each other one runs again", testDeadlock[T]},
		{how + "a read sees one snapshot", testSnapshot[T]},
		{how + "the reads of Snapshot see one", testSnapshotOfReads[T]},
	}
}

// errMine is an error of a host's callback.
var errMine = errors.New("storagetest: an error of the callback")

// change does something in several repositories.
func change[T affiliate.Tx](ctx context.Context, tx T, n int) error {
	return all(
		func() error { return second(tx.AdvertiserGroups().Add(ctx, sampleGroup(n))) },
		func() error { return second(tx.Users().Add(ctx, sampleUser(n))) },
		func() error { return second(tx.Ledger().Append(ctx, sampleEntry(n))) },
		func() error { return tx.Events().Add(ctx, sampleEvent(n)) },
		func() error {
			_, _, err := tx.IdempotencyKeys().Reserve(ctx, sampleKey("a", fmt.Sprint(n)), at(0), 100)
			return err
		},
	)
}

// tally counts what change has done.
type tally struct{ Groups, Users, Entries, Earned, Events int }

func count[T affiliate.Tx](ctx context.Context, tx T) (c tally, err error) {
	one := affiliate.PageRequest{Number: 1, Size: 1}
	groups, err := tx.AdvertiserGroups().List(ctx, affiliate.AdvertiserGroupFilter{}, one)
	if err != nil {
		return c, err
	}
	users, err := tx.Users().List(ctx, affiliate.UserFilter{}, one)
	if err != nil {
		return c, err
	}
	entries, err := tx.Ledger().List(ctx, affiliate.EntryFilter{}, one)
	if err != nil {
		return c, err
	}
	totals, err := tx.Balances().Scan(ctx, "", "", 1)
	if err != nil {
		return c, err
	}
	pending, err := tx.Events().Scan(ctx, 0, 1000)
	if err != nil {
		return c, err
	}
	c = tally{Groups: groups.Total, Users: users.Total, Entries: entries.Total, Events: len(pending)}
	for _, total := range totals {
		c.Earned = int(total.Earned)
	}
	return c, nil
}

func times(n int) tally { return tally{n, n, n, n, n} }

// expectTally compares what is committed.
func expectTally[T affiliate.Tx](t *testing.T, s affiliate.Store[T], what string, want tally) {
	t.Helper()
	equal(t, what, see(t, s, count[T]), want)
}

func testAllOrNothing[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	expectTally(t, s, "an empty store", times(0))
	write(t, s, func(ctx context.Context, tx T) error {
		if err := change(ctx, tx, 1); err != nil {
			return err
		}
		got, err := count(ctx, tx)
		if err == nil {
			equal(t, "seen by its own unit", got, times(1))
		}
		return err
	})
	expectTally(t, s, "committed", times(1))
	err := s.Write(t.Context(), func(ctx context.Context, tx T) error {
		return errors.Join(change(ctx, tx, 2), change(ctx, tx, 3), fmt.Errorf("wrapped: %w", errMine))
	})
	if !errors.Is(err, errMine) {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	expectTally(t, s, "rolled back", times(1))
	if err := s.Read(t.Context(), func(context.Context, T) error { return errMine }); !errors.Is(err, errMine) {
		t.Errorf("Read: got %v, want the callback's error", err)
	}
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 2) })
	expectTally(t, s, "committed again", times(2))
}

func testPanic[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	for name, unit := range map[string]func(context.Context, func(ctx context.Context, tx T) error) error{"Write": s.Write, "Read": s.Read} {
		got := func() (got any) {
			defer func() { got = recover() }()
			err := unit(t.Context(), func(ctx context.Context, tx T) error {
				if name == "Write" {
					if err := change(ctx, tx, 1); err != nil {
						return err
					}
				}
				panic("mine")
			})
			return err
		}()
		equal(t, name+" panics with", got, any("mine"))
	}
	expectTally(t, s, "rolled back", times(0))
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
}

// again reports whether the backend asks to run a unit again. A callback that
// expects another error then returns this one.
func again(err error) bool { return errors.Is(err, affiliate.ErrUnavailable) }

func testDoom[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
	for name, fail := range map[string]struct {
		want failure
		call func(ctx context.Context, tx T) error
	}{
		"taken":   {taken("key"), func(ctx context.Context, tx T) error { return second(tx.AdvertiserGroups().Add(ctx, sampleGroup(1))) }},
		"unknown": {unknown("user_id"), func(ctx context.Context, tx T) error { return tx.Users().Relate(ctx, nowhere, nowhere-1, false) }},
		"invalid": {invalid("name", "required"), func(ctx context.Context, tx T) error { return second(tx.Categories().Add(ctx, affiliate.Category{})) }},
		"not found": {missing, func(ctx context.Context, tx T) error {
			return tx.Users().Update(ctx, affiliate.User{ID: nowhere, Username: "nobody"})
		}},
		"bad page": {invalid("size", "out_of_range"), func(ctx context.Context, tx T) error {
			return second(tx.Users().List(ctx, affiliate.UserFilter{}, affiliate.PageRequest{Number: 1, Size: -1}))
		}},
	} {
		ran := 0
		refused(t, s, fail.want, func(ctx context.Context, tx T) error {
			if err := change(ctx, tx, 2); err != nil {
				return err
			}
			err := fail.call(ctx, tx)
			if !again(err) {
				ran++
				expectDoomed(t, ctx, tx, name, fail.want)
			}
			return err
		})
		if ran > 1 && name != "unknown" { // which may run again, to name all that refers to nothing
			t.Errorf("after %s the unit ran %d times, want once", name, ran)
		}
		expectTally(t, s, "after "+name, times(1))
	}
	unreadable(t, s, invalid("page", "out_of_range"), func(ctx context.Context, tx T) error {
		_, err := tx.Users().List(ctx, affiliate.UserFilter{}, affiliate.PageRequest{Number: -1, Size: 1})
		if err == nil {
			t.Error("page -1: no error")
		}
		expectDoomed(t, ctx, tx, "in a read", invalid("page", "out_of_range"))
		return nil
	})
}

// expectDoomed calls every method of a doomed unit.
func expectDoomed[T affiliate.Tx](t *testing.T, ctx context.Context, tx T, what string, want failure) {
	t.Helper()
	for _, m := range methodsOf(reflect.TypeFor[T]()) {
		if problem := want.problem(m.call(ctx, tx, world{})); problem != "" {
			t.Errorf("%s, then %s: %s", what, m, problem)
		}
	}
}

func testAlive[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	w := newWorld(t, s)
	everyRead := func(ctx context.Context, tx T) error {
		for _, m := range methodsOf(reflect.TypeFor[T]()) {
			if m.changes() {
				continue
			}
			if err := m.call(ctx, tx, w); err != nil && !errors.Is(err, affiliate.ErrNotFound) {
				return fmt.Errorf("%s: %w", m, err)
			}
		}
		return second(count(ctx, tx))
	}
	read(t, s, everyRead)
	write(t, s, func(ctx context.Context, tx T) error {
		if err := everyRead(ctx, tx); err != nil {
			return err
		}
		return change(ctx, tx, 1)
	})
}

// testNothing reads a store that has nothing but a world. A limit below one finds
// nothing too, and so does a text that cannot be kept.
func testNothing[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	w := newWorld(t, s)
	for _, m := range methodsOf(reflect.TypeFor[T]()) {
		if m.changes() {
			continue
		}
		read(t, s, func(ctx context.Context, tx T) error {
			for _, limit := range []int{10, 0, -1} {
				for _, v := range m.results(ctx, tx, w, limit) {
					equal(t, m.String()+": lists that are empty and not nil", emptyLists("", v), []string(nil))
					if err, ok := v.Interface().(error); ok && !errors.Is(err, affiliate.ErrNotFound) {
						t.Errorf("%s, of at most %d: %v", m, limit, err)
					}
				}
			}
			for _, unkept := range unkeepable() {
				for which := -1; ; which++ { // all texts, and each alone
					fn, args := m.prepare(ctx, tx, w, 10)
					if !setTexts(args[1:], unkept, which) {
						break
					}
					given := printed(args)
					out := fn(args)
					equal(t, "what "+m.String()+" was given", printed(args), given)
					for _, v := range out {
						equal(t, m.String()+": found by "+strconv.Quote(unkept), found(v), 0)
						if err, ok := v.Interface().(error); ok && !errors.Is(err, affiliate.ErrNotFound) {
							t.Errorf("%s, by %q: %v", m, unkept, err)
						}
					}
				}
			}
			return nil
		})
	}
}

func testReadOnly[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
	expectReadOnly(t, s, w)
	for _, m := range methodsOf(reflect.TypeFor[T]()) {
		if m.adds() { // not all of them can, here
			_ = s.Write(t.Context(), func(ctx context.Context, tx T) error { return m.call(ctx, tx, w) })
		}
	}
	expectReadOnly(t, s, w)
}

// expectReadOnly calls every method that changes something in a Read.
func expectReadOnly[T affiliate.Tx](t *testing.T, s affiliate.Store[T], w world) {
	t.Helper()
	before := see(t, s, count[T])
	for _, m := range methodsOf(reflect.TypeFor[T]()) {
		if !m.changes() {
			continue
		}
		unreadable(t, s, readOnly, func(ctx context.Context, tx T) error {
			if err := m.call(ctx, tx, w); !errors.Is(err, affiliate.ErrReadOnly) {
				t.Errorf("%s in a Read: got %v, want ErrReadOnly", m, err)
			}
			return nil // it dooms the unit like any failed call
		})
	}
	expectTally(t, s, "after what was refused", before)
}

func testJoin[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	units := map[string]func(context.Context, func(ctx context.Context, tx T) error) error{"Read": s.Read, "Write": s.Write}
	kept := 0
	join := func(fn func(ctx context.Context) error) error {
		return affiliate.Join(t.Context(), s, func(ctx context.Context, tx T) error {
			if err := change(ctx, tx, 100+kept); err != nil {
				return err
			}
			return fn(ctx)
		})
	}
	inside := func(ctx context.Context) error {
		err := s.Write(ctx, func(ctx context.Context, tx T) error { return change(ctx, tx, 200+kept) })
		if err != nil {
			return err
		}
		return s.Read(ctx, func(ctx context.Context, tx T) error {
			got, err := count(ctx, tx)
			if err == nil {
				equal(t, "seen inside", got, times(kept+2))
			}
			return err
		})
	}
	if err := join(inside); err != nil {
		t.Fatalf("Join: %v", err)
	}
	kept = 2
	expectTally(t, s, "both kept", times(kept))
	if err := join(func(ctx context.Context) error { return errors.Join(inside(ctx), errMine) }); !errors.Is(err, errMine) {
		t.Errorf("Join: got %v, want the callback's error", err)
	}
	expectTally(t, s, "both undone", times(kept))

	for name, c := range map[string]struct {
		unit func(ctx context.Context) error
		want error
	}{
		"an error of the inner callback": {func(ctx context.Context) error {
			return s.Write(ctx, func(context.Context, T) error { return errMine })
		}, errMine},
		"a failed call": {func(ctx context.Context) error {
			return s.Write(ctx, func(ctx context.Context, tx T) error { return change(ctx, tx, 100) })
		}, affiliate.ErrConflict},
		"a failed call that is hidden": {func(ctx context.Context) error {
			return s.Write(ctx, func(ctx context.Context, tx T) error {
				_ = change(ctx, tx, 100)
				return nil
			})
		}, affiliate.ErrConflict},
		"a failed call that another error hides": {func(ctx context.Context) error {
			return s.Write(ctx, func(ctx context.Context, tx T) error {
				_ = change(ctx, tx, 100)
				return errMine
			})
		}, errMine},
		"a change in a read that another error hides": {func(ctx context.Context) error {
			return s.Read(ctx, func(ctx context.Context, tx T) error {
				_ = change(ctx, tx, 300)
				return errMine
			})
		}, errMine},
		"a change in a read": {func(ctx context.Context) error {
			return s.Read(ctx, func(ctx context.Context, tx T) error { return change(ctx, tx, 300) })
		}, affiliate.ErrReadOnly},
	} {
		err := join(func(ctx context.Context) error {
			switch err := c.unit(ctx); {
			case again(err):
				return err
			case !errors.Is(err, c.want):
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			if err := inside(ctx); !errors.Is(err, c.want) {
				t.Errorf("%s, then another unit: got %v, want %v", name, err, c.want)
			}
			_ = s.Write(ctx, func(context.Context, T) error {
				t.Errorf("%s, then another unit: its callback ran", name)
				return nil
			})
			return nil // swallowed
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: Join returned %v, want %v", name, err, c.want)
		}
		expectTally(t, s, "after "+name, times(kept))
	}

	// What is not there, and an error of a read's callback, leave the whole alive.
	err := join(func(ctx context.Context) error {
		err := s.Read(ctx, func(ctx context.Context, tx T) error { return second(tx.Users().Get(ctx, nowhere)) })
		if !errors.Is(err, affiliate.ErrNotFound) {
			t.Errorf("a read: got %v, want ErrNotFound", err)
		}
		for innerName, inner := range units {
			for innermostName, innermost := range units {
				err := inner(ctx, func(ctx context.Context, _ T) error {
					err := innermost(ctx, func(context.Context, T) error { return errMine })
					if !errors.Is(err, affiliate.ErrNested) {
						t.Errorf("%s in %s in Join: got %v, want ErrNested", innermostName, innerName, err)
					}
					return nil
				})
				if err != nil {
					t.Errorf("%s in Join: got %v", innerName, err)
				}
			}
		}
		return inside(ctx)
	})
	if err != nil {
		t.Fatalf("Join: %v", err)
	}
	kept += 2
	expectTally(t, s, "kept again", times(kept))

	committed := false
	err = join(func(ctx context.Context) error {
		affiliate.AfterCommit(ctx, func() { committed = true })
		if committed {
			t.Error("AfterCommit did not wait")
		}
		return errMine
	})
	if committed || !errors.Is(err, errMine) {
		t.Errorf("an undone Join: got %v, AfterCommit ran: %v", err, committed)
	}
	err = join(func(ctx context.Context) error {
		err := affiliate.Join(ctx, s, func(ctx context.Context, _ T) error {
			affiliate.AfterCommit(ctx, func() { committed = true })
			return nil
		})
		if err != nil || committed {
			t.Errorf("a Join in a Join: got %v, AfterCommit ran: %v", err, committed)
		}
		return errMine
	})
	if committed || !errors.Is(err, errMine) {
		t.Errorf("an undone Join with one inside: got %v, AfterCommit ran: %v", err, committed)
	}
	err = join(func(ctx context.Context) error {
		affiliate.AfterCommit(ctx, func() { committed = true })
		return nil
	})
	if !committed || err != nil {
		t.Errorf("a kept Join: got %v, AfterCommit ran: %v", err, committed)
	}
}

// What a callback lets out is of no use: it changes nothing any more, and tells nothing.
func testEscaped[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	w := newWorld(t, s)
	for name, unit := range map[string]func(context.Context, func(ctx context.Context, tx T) error) error{"Write": s.Write, "Read": s.Read} {
		before := see(t, s, count[T])
		var escaped T
		if err := unit(t.Context(), func(ctx context.Context, tx T) error {
			escaped = tx
			return second(count(ctx, tx))
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, m := range methodsOf(reflect.TypeFor[T]()) {
			if err := m.call(t.Context(), escaped, w); err == nil {
				t.Errorf("%s after its %s: no error", m, name)
			}
		}
		expectTally(t, s, "after calls too late", before)
	}
}

func testNested[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	units := map[string]func(context.Context, func(ctx context.Context, tx T) error) error{"Read": s.Read, "Write": s.Write}
	for outerName, outer := range units {
		for innerName, inner := range units {
			err := outer(t.Context(), func(ctx context.Context, tx T) error {
				child, cancel := context.WithCancel(ctx) // a context made of it belongs to the unit as well
				defer cancel()
				return inner(child, func(context.Context, T) error {
					t.Errorf("%s in %s: the inner callback ran", innerName, outerName)
					return nil
				})
			})
			if problem := nested.problem(err); problem != "" {
				t.Errorf("%s in %s: %s", innerName, outerName, problem)
			}
		}
	}
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
}

// expectCancelled is how a unit must end whose context did.
func expectCancelled(t *testing.T, what string, err, cause error) {
	t.Helper()
	if problem := (failure{kind: affiliate.ErrUnavailable}).problem(err); problem != "" {
		t.Errorf("%s: %s", what, problem)
	}
	if !errors.Is(err, cause) {
		t.Errorf("%s: got %v, want the context's own %v as well", what, err, cause)
	}
}

func testCancelled[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	before, cancel := context.WithCancel(t.Context())
	cancel()
	expectCancelled(t, "Write, cancelled before", s.Write(before, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) }), context.Canceled)
	expectCancelled(t, "Read, cancelled before", s.Read(before, func(ctx context.Context, tx T) error { return nil }), context.Canceled)

	within, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Write, cancelled within", s.Write(within, func(ctx context.Context, tx T) error {
		if err := change(ctx, tx, 1); err != nil {
			return err
		}
		cancel()
		for _, m := range methodsOf(reflect.TypeFor[T]()) {
			expectCancelled(t, "cancelled, then "+m.String(), m.call(ctx, tx, world{}), context.Canceled)
			expectCancelled(t, "cancelled, then with another context "+m.String(), m.call(t.Context(), tx, world{}), context.Canceled)
		}
		return nil
	}), context.Canceled)

	hidden, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Write, cancelled with an error of its own", s.Write(hidden, func(ctx context.Context, tx T) error {
		cancel()
		return errMine
	}), context.Canceled)

	other, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Write, cancelled while something else is unavailable", s.Write(other, func(ctx context.Context, tx T) error {
		cancel()
		return affiliate.Unavailable(errMine)
	}), context.Canceled)

	bare, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Write, cancelled with the error of its context", s.Write(bare, func(ctx context.Context, tx T) error {
		cancel()
		return ctx.Err()
	}), context.Canceled)

	told, cancel := context.WithCancel(t.Context())
	err := s.Write(told, func(ctx context.Context, tx T) error {
		cancel()
		return errors.Join(change(ctx, tx, 1), errMine)
	})
	expectCancelled(t, "Write, cancelled and told with more", err, context.Canceled)
	if !errors.Is(err, errMine) {
		t.Errorf("Write, cancelled and told with more: got %v, want the callback's own words", err)
	}

	atEnd, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Write, cancelled at its end", s.Write(atEnd, func(ctx context.Context, tx T) error {
		defer cancel()
		return change(ctx, tx, 1)
	}), context.Canceled)

	reading, cancel := context.WithCancel(t.Context())
	expectCancelled(t, "Read, cancelled within", s.Read(reading, func(ctx context.Context, tx T) error {
		cancel()
		return second(count(ctx, tx))
	}), context.Canceled)

	expectTally(t, s, "kept", times(0))
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
}

func testDeadline[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancel()
	expectCancelled(t, "Write", s.Write(late, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) }), context.DeadlineExceeded)
	expectCancelled(t, "Read", s.Read(late, func(ctx context.Context, tx T) error { return nil }), context.DeadlineExceeded)
	expectTally(t, s, "kept", times(0))

	inTime, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := s.Write(inTime, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) }); err != nil {
		t.Errorf("Write before its deadline: %v", err)
	}
	expectTally(t, s, "kept in time", times(1))
}
