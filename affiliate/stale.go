package affiliate

import (
	"context"
	"sync"
	"time"
)

type staleKey struct{}

// Staleness says how old what was read may have been. It is safe for concurrent use.
type Staleness struct {
	mu      sync.Mutex
	atMost  time.Duration
	replica bool
}

// AllowStale lets the reads of a context see what a read-only replica of the
// backend has, where the backend was given one: what was written within the last
// moments may be missing. It is for lists and statistics; a Write and what is read
// in it are never stale. How old the data was at most is told by the Staleness.
// Backends without replicas change nothing.
func AllowStale(ctx context.Context) (context.Context, *Staleness) {
	s := &Staleness{}
	return context.WithValue(ctx, staleKey{}, s), s
}

// Fresh undoes AllowStale for what is read with the context that it returns.
func Fresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, staleKey{}, (*Staleness)(nil))
}

// StalenessOf returns what AllowStale put into the context, nil when nothing did.
// It is for backends.
func StalenessOf(ctx context.Context) *Staleness {
	s, _ := ctx.Value(staleKey{}).(*Staleness)
	return s
}

// AtMost returns how old the oldest of the reads was at most, and whether a replica
// was read at all. Without one it is 0.
func (s *Staleness) AtMost() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.atMost, s.replica
}

// Note notes a read of a replica that had all writes but those of the last d. It is
// for backends.
func (s *Staleness) Note(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atMost, s.replica = max(s.atMost, d), true
}
