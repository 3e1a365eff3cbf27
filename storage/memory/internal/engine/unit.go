package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// maxKept bounds the memory that one unit leaves to the next, in records.
const maxKept = 1 << 16

// errEnded is the error of every call after the unit ended.
var ErrEnded = errors.New("memory: the transaction was used after its unit ended")

// Store is what the tables of one backend share: the lock, the log of the unit
// that writes, and the texts that repeat. The zero Store is empty.
type Store struct {
	mu    sync.RWMutex // held by a unit from its start to its end
	log   []Step       // of the unit that writes: what it did so far
	words Words        // what a rolled back unit brought is forgotten
}

// Words are the texts that repeat. Those that a rolled back unit brought are
// forgotten.
func (s *Store) Words() *Words { return &s.words }

// Note takes a step of the running unit down, to be taken back or kept.
func (s *Store) Note(c Step) { s.log = append(s.log, c) }

// Step is a change that can be taken back.
type Step struct {
	Target interface {
		// Undo takes back the latest step that is not taken back yet: this one.
		Undo(Step)
		// Keep says that the step will never be taken back.
		Keep(Step)
	}
	What    uint32 // a number of the target's own
	ID, Old uint32
}

// Unit is one unit of work. It is also the context of its callback, which saves
// an allocation. Not safe for concurrent use.
type Unit struct {
	context.Context // of the caller
	store           *Store
	err             error // what every further call returns: the unit is doomed, or over
	readOnly        bool
	whole           bool // of affiliate.Join: units in its context are parts of it
}

// unitKey is where a unit's context says that it belongs to a unit of the store.
type unitKey struct{ store *Store }

// Value says to which store the unit belongs; see Store.Nested.
func (u *Unit) Value(key any) any {
	if key == (unitKey{u.store}) {
		return u
	}
	return u.Context.Value(key)
}

// Nested reports whether the context belongs to a unit of the store.
func (s *Store) Nested(ctx context.Context) bool { return ctx.Value(unitKey{s}) != nil }

// admit refuses a context that is over, or belongs to a unit already. It returns
// the unit that one of this context is a part of, if any.
func (s *Store) admit(ctx context.Context) (whole *Unit, err error) {
	if outer, ok := ctx.Value(unitKey{s}).(*Unit); ok {
		if !outer.whole {
			return nil, affiliate.ErrNested
		}
		return outer, outer.Use(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, affiliate.Unavailable(err)
	}
	return nil, nil
}

// join runs fn as u, a part of the unit, which holds the lock.
func (whole *Unit) join(ctx context.Context, u *Unit, readOnly bool, fn func(context.Context) error) error {
	u.Context, u.store, u.readOnly = ctx, whole.store, readOnly || whole.readOnly
	err := u.result(fn(u))
	if u.err != nil || err != nil && !readOnly {
		_ = whole.Fail(err) // it is what the caller is told as well
	}
	u.err = ErrEnded
	return err
}

// Read runs fn as the unit u, a zero Unit, while no writer runs, beside other
// readers.
func (s *Store) Read(ctx context.Context, u *Unit, fn func(context.Context) error) error {
	if whole, err := s.admit(ctx); err != nil {
		return err
	} else if whole != nil {
		return whole.join(ctx, u, true, fn)
	}
	s.mu.RLock()
	u.Context, u.store, u.readOnly, u.whole = ctx, s, true, affiliate.Joins(ctx)
	defer u.endRead()
	if err := u.Use(ctx); err != nil { // the wait may have been long
		return err
	}
	return u.result(fn(u))
}

// Write runs fn as the unit u, a zero Unit, alone and once.
func (s *Store) Write(ctx context.Context, u *Unit, fn func(context.Context) error) error {
	if whole, err := s.admit(ctx); err != nil {
		return err
	} else if whole != nil {
		return whole.join(ctx, u, false, fn)
	}
	s.mu.Lock()
	u.Context, u.store, u.whole = ctx, s, affiliate.Joins(ctx)
	words := s.words.texts.last
	defer func() { u.endWrite(words) }() // also when fn panics or ends its goroutine
	if err := u.Use(ctx); err != nil {
		return err
	}
	if err := u.result(fn(u)); err != nil {
		return err
	}
	s.commit()
	words = s.words.texts.last
	return nil
}

// Use is called first by every method of every repository.
func (u *Unit) Use(ctx context.Context) error {
	if u.err != nil {
		return u.err
	}
	if err := ctx.Err(); err != nil {
		return u.Fail(affiliate.Unavailable(err))
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

// commit keeps what the unit did.
func (s *Store) commit() {
	for _, c := range s.log {
		c.Target.Keep(c)
	}
	s.log = s.log[:0]
}

// rollback takes back what the unit did and did not commit, newest first, and
// forgets the words above the given one.
func (s *Store) rollback(words uint32) {
	for i := len(s.log) - 1; i >= 0; i-- {
		s.log[i].Target.Undo(s.log[i])
	}
	s.words.truncate(words)
	if cap(s.log) > maxKept {
		s.log = nil
	}
	s.log = s.log[:0]
}

// endWrite takes back what was not committed, and lets the next unit in.
func (u *Unit) endWrite(words uint32) {
	u.store.rollback(words)
	u.err = ErrEnded
	u.store.mu.Unlock()
}

func (u *Unit) endRead() {
	u.err = ErrEnded
	u.store.mu.RUnlock()
}
