package engine

import (
	"context"
	"sync"

	"github.com/affiliatekit/affiliatekit/storage/unit"
)

// maxKept bounds the memory that one unit leaves to the next, in records.
const maxKept = 1 << 16

// Unit is one unit of work.
type Unit = unit.Unit

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

// Nested reports whether the context belongs to a unit of the store.
func (s *Store) Nested(ctx context.Context) bool { return unit.Nested(ctx, s) }

// Read runs fn as the unit u, a zero Unit, while no writer runs, beside other
// readers.
func (s *Store) Read(ctx context.Context, u *Unit, fn func(context.Context) error) error {
	if done, err := u.Enter(ctx, s, true, fn); done {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return u.Run(fn)
}

// Write runs fn as the unit u, a zero Unit, alone and once.
func (s *Store) Write(ctx context.Context, u *Unit, fn func(context.Context) error) error {
	if done, err := u.Enter(ctx, s, false, fn); done {
		return err
	}
	s.mu.Lock()
	words := s.words.texts.last
	defer func() { // also when fn panics or ends its goroutine
		s.rollback(words)
		s.mu.Unlock()
	}()
	if err := u.Run(fn); err != nil {
		return err
	}
	s.commit()
	words = s.words.texts.last
	return nil
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
