package links

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ruleIndex holds the compiled rules of a store and keeps them fresh: after a
// change by this process at the next match, after one by another process once
// the snapshot is maxAge old. There is no goroutine behind it; the match that
// finds the snapshot too old asks for what changed since.
type ruleIndex struct {
	store  Store
	maxAge time.Duration

	current atomic.Pointer[compiledRules]
	changes atomic.Int64 // how often this process has changed rules
	mu      sync.Mutex   // one refresh at a time
}

// compiledRules is one state of the rules. Its age is measured on the
// machine's monotonic clock, not on the service's: it is about the process.
type compiledRules struct {
	matcher *Matcher
	cursor  Cursor
	changes int64 // of this process that it shows
	read    time.Time
}

// outdated makes the next match look for changes.
func (x *ruleIndex) outdated() { x.changes.Add(1) }

func (x *ruleIndex) fresh() *compiledRules {
	c := x.current.Load()
	if c != nil && c.changes == x.changes.Load() && time.Since(c.read) < x.maxAge {
		return c
	}
	return nil
}

// matcher returns the rules as they are, or were at most maxAge ago.
func (x *ruleIndex) matcher(ctx context.Context) (*Matcher, error) {
	if c := x.fresh(); c != nil {
		return c.matcher, nil
	}
	if x.store.Nested(ctx) {
		// A part of affiliate.Join. Whoever refreshes for all may wait for this unit's
		// lock, or for a connection. What this unit reads may be old, or be undone.
		next, err := x.read(ctx)
		if err != nil {
			return nil, err
		}
		return next.matcher, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.fresh(); c != nil {
		return c.matcher, nil
	}
	next, err := x.read(ctx)
	if err != nil {
		return nil, err
	}
	x.current.Store(next)
	return next.matcher, nil
}

// read reads the rules as a unit of the context sees them.
func (x *ruleIndex) read(ctx context.Context) (*compiledRules, error) {
	next := &compiledRules{changes: x.changes.Load(), read: time.Now()}
	err := x.store.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
		if next.cursor, err = tx.Rules().Cursor(ctx); err != nil {
			return err
		}
		if old := x.current.Load(); old != nil {
			next.matcher, err = replaceChanged(ctx, tx, old)
		} else {
			next.matcher, err = compileAll(ctx, tx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

func replaceChanged(ctx context.Context, tx Tx, old *compiledRules) (*Matcher, error) {
	advertisers, err := tx.Rules().Changed(ctx, old.cursor)
	if err != nil || len(advertisers) == 0 {
		return old.matcher, err
	}
	rules, err := tx.Rules().ByAdvertisers(ctx, advertisers)
	if err != nil {
		return nil, err
	}
	return old.matcher.Replace(advertisers, rules), nil
}

// scanPage is how many rows a scan asks for at a time.
const scanPage = 5000

func compileAll(ctx context.Context, tx Tx) (*Matcher, error) {
	var all []Rule
	for after := int64(0); ; {
		page, err := tx.Rules().Scan(ctx, after, scanPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < scanPage {
			return Compile(slices.Values(all)), nil
		}
		after = page[len(page)-1].ID
	}
}
