package affiliate

import (
	"context"
	"time"
)

type jointKey struct{}

// commit is what waits for a commit.
type commit struct{ after []func() }

type commitKey struct{}

// Join runs fn in a Write of the store that the units inside its context join:
// with it they are one unit, whichever services and stores of the same backend
// they are of. Everything that they change is kept together with what fn itself
// changes, or nothing is. Like every Write it may run fn again, so that fn must
// not send e-mails or call other systems.
//
// A Write that fails dooms the whole, also when fn goes on after its error: what
// tries again after a failed Write cannot succeed in a Join. Reads inside see what
// was changed before them. A Join within a Join is a part of it.
func Join[T any](ctx context.Context, store Store[T], fn func(ctx context.Context, tx T) error) error {
	if Joins(ctx) { // a part of the outer one, which runs what is to come after
		return store.Write(ctx, fn)
	}
	var committed func()
	err := store.Write(context.WithValue(ctx, jointKey{}, true), func(ctx context.Context, tx T) error {
		ctx, committed = HoldAfterCommit(ctx) // anew in each attempt
		return fn(ctx, tx)
	})
	if err == nil {
		committed()
	}
	return err
}

// snapshot is what the reads of one Snapshot have in common beside the unit.
type snapshot struct{ now time.Time }

type snapshotKey struct{}

// Snapshot runs fn in a Read of the store that the units inside its context join:
// whatever they read, page by page, is from one snapshot and as of one instant,
// see Instant. Changes are refused. fn should not wait for others, such as who
// reads a response: the snapshot holds a connection or a lock.
func Snapshot[T any](ctx context.Context, store Store[T], clock Clock, fn func(ctx context.Context) error) error {
	ctx = context.WithValue(ctx, snapshotKey{}, snapshot{clock.Now()})
	return store.Read(context.WithValue(ctx, jointKey{}, true), func(ctx context.Context, _ T) error { return fn(ctx) })
}

// Instant returns the clock's time, and within a Snapshot the time when that
// began: what time decides does not change between its pages.
func Instant(ctx context.Context, clock Clock) time.Time {
	if s, ok := ctx.Value(snapshotKey{}).(snapshot); ok {
		return s.now
	}
	return clock.Now()
}

// Joins reports whether the units of a context are to be one. It is for
// backends: a unit with such a context that is in no other begins one that the
// units in its context join.
func Joins(ctx context.Context) bool { return ctx.Value(jointKey{}) != nil }

// AfterCommit calls f once what the context's units changed is kept: at once, or
// when the unit ends that they joined, or the transaction of the host that they
// are in. It is for what a process remembers of its store.
func AfterCommit(ctx context.Context, f func()) {
	if c, ok := ctx.Value(commitKey{}).(*commit); ok {
		c.after = append(c.after, f)
		return
	}
	f()
}

// HoldAfterCommit returns a context in which AfterCommit only notes what to call,
// and the function that calls it, or hands it on to what ctx itself waits for. It
// is for backends that run a transaction around units of work: they call committed
// after the commit, and never when there is none.
func HoldAfterCommit(ctx context.Context) (held context.Context, committed func()) {
	c := &commit{}
	return context.WithValue(ctx, commitKey{}, c), func() {
		for _, f := range c.after {
			AfterCommit(ctx, f)
		}
	}
}
