// Package unit keeps those promises of affiliate.Store that do not depend on how
// a backend keeps its rows: what a unit inside of another one is, that a call that
// failed dooms its unit, that a Read changes nothing, that an ended unit is refused
// and a cancelled one does nothing more. storage/memory is built on it; a backend of
// one's own may be. storage/postgres, whose units run again and may be used by several
// goroutines, has its own.
//
//	func (s *Store) Write(ctx context.Context, fn func(context.Context, Tx) error) error {
//		t := &tx{}
//		call := func(ctx context.Context) error { return fn(ctx, t) }
//		if done, err := t.Enter(ctx, s, false, call); done {
//			return err
//		}
//		return s.update(func(own *ownTx) error { // it commits when this returns nil, and rolls back otherwise
//			t.Own = own
//			return t.Run(call)
//		})
//	}
//
// Each method of a repository is a [Read] or a [Change].
package unit

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ErrEnded is the error of every call after the unit ended.
var ErrEnded = errors.New("storage: the transaction was used after its unit ended")

// Unit is one unit of work, which a backend's transaction embeds. It is also the
// context of its callback, which saves an allocation. Not safe for concurrent use.
type Unit struct {
	context.Context // of the caller
	// Own is what the backend works with in the unit. A part of another unit has
	// that one's.
	Own any
	// Beside says why the unit of another store that goes with this one has failed;
	// nil: there is none. Then this one fails too.
	Beside   func(context.Context) error
	store    any
	err      error // what every further call returns: the unit is doomed, or over
	readOnly bool
	whole    bool // of affiliate.Join: units in its context are parts of it
}

// Value implements context.Context. Under the pointer that stands for the store
// it has the unit itself; see Nested.
func (u *Unit) Value(key any) any {
	if key == u.store {
		return u
	}
	return u.Context.Value(key)
}

// Nested reports whether the context belongs to a unit of the store.
func Nested(ctx context.Context, store any) bool { return ctx.Value(store) != nil }

// Enter begins the zero Unit u in the store, which a pointer stands for. It is done
// when the unit is refused, and when it is a part of another one: then fn has run in
// that one, whose Own the part has. Otherwise Run runs it.
func (u *Unit) Enter(ctx context.Context, store any, readOnly bool, fn func(context.Context) error) (done bool, err error) {
	outer, inside := ctx.Value(store).(*Unit)
	switch {
	case inside && !outer.whole:
		return true, affiliate.ErrNested
	case inside:
		if err := outer.Use(ctx); err != nil {
			return true, err
		}
		return true, outer.join(ctx, u, readOnly, fn)
	case ctx.Err() != nil:
		return true, affiliate.Unavailable(ctx.Err())
	}
	u.Context, u.store, u.readOnly, u.whole = ctx, store, readOnly, affiliate.Joins(ctx)
	return false, nil
}

// Run runs fn as the unit, which ends with it. What the unit did is to be kept
// when it returns nil, and taken back otherwise, also when fn panics or ends its
// goroutine.
func (u *Unit) Run(fn func(context.Context) error) error {
	defer func() { u.err = ErrEnded }()
	if err := u.Use(u.Context); err != nil { // the wait for its turn may have been long
		return err
	}
	return u.result(fn(u))
}

// join runs fn as u, a part of the unit.
func (whole *Unit) join(ctx context.Context, u *Unit, readOnly bool, fn func(context.Context) error) error {
	u.Context, u.Own, u.store, u.readOnly = ctx, whole.Own, whole.store, readOnly || whole.readOnly
	err := u.result(fn(u))
	if u.err != nil || err != nil && !readOnly {
		_ = whole.Fail(err) // it is what the caller is told as well
	}
	u.err = ErrEnded
	return err
}

// Use is called first by every method that changes nothing.
func (u *Unit) Use(ctx context.Context) error {
	if u.err != nil {
		return u.err
	}
	if err := ctx.Err(); err != nil {
		return u.Fail(affiliate.Unavailable(err))
	}
	if u.Beside != nil {
		if err := u.Beside(ctx); err != nil {
			return u.Fail(err)
		}
	}
	return nil
}

// Change is Use for a method that changes something.
func (u *Unit) Change(ctx context.Context) error {
	if err := u.Use(ctx); err != nil {
		return err
	}
	if u.readOnly {
		return u.Fail(affiliate.ErrReadOnly)
	}
	return nil
}

// Fail dooms the unit. Every error of a method goes through it, but for a
// read's ErrNotFound.
func (u *Unit) Fail(err error) error {
	if u.err == nil {
		u.err = err
	}
	return u.err
}

// result is what the unit returns when its callback returned err.
func (u *Unit) result(err error) error {
	if over := u.Context.Err(); over != nil {
		if errors.Is(err, over) && errors.Is(err, affiliate.ErrUnavailable) {
			return err
		}
		return affiliate.Unavailable(over) // alone: an error is of one kind
	}
	if err != nil {
		return err
	}
	return u.err
}

// Read runs a method that changes nothing. Its error dooms the unit, unless
// nothing was found.
func Read[V any](ctx context.Context, u *Unit, method func() (V, error)) (V, error) {
	var none V
	if err := u.Use(ctx); err != nil {
		return none, err
	}
	v, err := method()
	if err != nil && !affiliate.IsNotFound(err) {
		return none, u.Fail(err)
	}
	return v, err
}

// Change runs a method that changes something. Its error dooms the unit.
func Change(ctx context.Context, u *Unit, method func() error) error {
	err := u.Change(ctx)
	if err == nil {
		err = method()
	}
	if err != nil {
		return u.Fail(err)
	}
	return nil
}
