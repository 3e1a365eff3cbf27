package memory

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// maxKept bounds the memory that one unit leaves to the next, in records.
const maxKept = 1 << 16

// unit is one unit of work. It is also the context of its callback, which saves
// an allocation. Not safe for concurrent use.
type unit struct {
	context.Context // of the caller
	db              *DB
	err             error  // what every further call answers: the unit is doomed, or over
	words           uint32 // the last word before the unit
	readOnly        bool
}

// change is a step that can be taken back.
type change struct {
	target interface {
		// undo takes back the latest change that is not taken back yet: this one.
		undo(change)
		// keep says that the change will never be taken back.
		keep(change)
	}
	what    uint32 // a number of the target's own
	id, old uint32
}

// Value says to which store the unit belongs; see DB.admit.
func (u *unit) Value(key any) any {
	if key == (unitKey{u.db}) {
		return u
	}
	return u.Context.Value(key)
}

// use is called first by every method of every repository.
func (u *unit) use(ctx context.Context) error {
	if u.err != nil {
		return u.err
	}
	if err := ctx.Err(); err != nil {
		return u.fail(affiliate.Unavailable(err))
	}
	return nil
}

// change is use for a method that changes something.
func (u *unit) change(ctx context.Context) error {
	if err := u.use(ctx); err != nil {
		return err
	}
	if u.readOnly {
		return u.fail(affiliate.ErrReadOnly)
	}
	return nil
}

// fail dooms the unit. Every error of a method goes through it, but for a
// read's ErrNotFound.
func (u *unit) fail(err error) error {
	if u.err == nil {
		u.err = err
	}
	return u.err
}

func (u *unit) note(c change) { u.db.log = append(u.db.log, c) }

// result is what the unit answers when its callback returned err.
func (u *unit) result(err error) error {
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
func (u *unit) commit() {
	for _, c := range u.db.log {
		c.target.keep(c)
	}
	u.db.log = u.db.log[:0]
	u.words = u.db.words.texts.last
}

// endWrite takes back what was not committed, and lets the next unit in.
func (u *unit) endWrite() {
	log := u.db.log
	for i := len(log) - 1; i >= 0; i-- {
		log[i].target.undo(log[i])
	}
	u.db.words.truncate(u.words)
	if cap(log) > maxKept {
		log = nil
	}
	u.db.log = log[:0]
	u.err = errEnded
	u.db.mu.Unlock()
}

func (u *unit) endRead() {
	u.err = errEnded
	u.db.mu.RUnlock()
}
