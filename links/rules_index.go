package links

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// ruleIndex holds the compiled rules of a store and keeps them fresh: after a
// change by this process at the next match, after one by another process once
// the snapshot is maxAge old. There is no goroutine behind it; the match that
// finds the snapshot too old asks for what changed since.
type ruleIndex struct {
	store  Store
	maxAge time.Duration
	base   *ruleIndex // set in a transaction of the host's: whose rules are up to date but for it

	current atomic.Pointer[compiledRules]
	changes atomic.Int64 // how often this process has changed rules
	mu      sync.Mutex   // one refresh at a time
}

// compiledRules is one state of the rules. Its age is measured on the
// machine's monotonic clock, not on the service's: it is about the process.
type compiledRules struct {
	matcher *Matcher
	cursor  Cursor
	hosted  bool    // read in a transaction of the host's, which may be old and may not be kept
	suspect []int64 // then: advertisers whose rules that transaction may have changed
	changes int64   // of this process that it shows
	read    time.Time
}

// outdated makes the next match look for changes.
func (x *ruleIndex) outdated() {
	if x.base != nil {
		x = x.base
	}
	x.changes.Add(1)
}

func (x *ruleIndex) fresh() *compiledRules {
	c := x.current.Load()
	if c != nil && !c.hosted && c.changes == x.changes.Load() && time.Since(c.read) < x.maxAge {
		return c
	}
	return nil
}

// matcher returns the rules as they are, or were at most maxAge ago. Inside a
// unit or a transaction that is under way they are as it sees them.
func (x *ruleIndex) matcher(ctx context.Context) (*Matcher, error) {
	switch {
	case x.base != nil:
		return x.base.within(ctx, x.store)
	case x.store.Nested(ctx):
		// A part of affiliate.Join. Whoever refreshes for all may wait for this unit's
		// lock, or for a connection. What this unit reads may be old, or be undone.
		return x.within(ctx, x.store)
	}
	if c := x.fresh(); c != nil {
		return c.matcher, nil
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

// within returns the rules as a unit of store sees them, which may never be kept.
// In a transaction of the host's they are remembered for the next one, with the
// advertisers that must be looked at again; in a unit that others joined not.
func (x *ruleIndex) within(ctx context.Context, store Store) (*Matcher, error) {
	old := x.current.Load()
	aged := old == nil || time.Since(old.read) >= x.maxAge
	joined := affiliate.Joins(ctx)
	next := &compiledRules{changes: x.changes.Load(), read: time.Now(), hosted: true}
	err := store.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
		if !joined && !aged {
			if changed, err := changedSince(ctx, tx, old); err != nil || len(changed) == 0 {
				next = old
				return err
			}
		}
		if !joined { // first, because a transaction of the host's may have no snapshot
			if next.cursor, err = tx.Rules().Cursor(ctx); err != nil {
				return err
			}
			if next.suspect, err = tx.Rules().Changed(ctx, next.cursor); err != nil {
				return err
			}
		}
		if old != nil {
			next.matcher, err = replaceChanged(ctx, tx, old)
		} else {
			next.matcher, err = compileAll(ctx, tx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	// With the cursor where it was, the next transaction would find the same changes again.
	if !joined && (aged || next.cursor != old.cursor) {
		x.current.CompareAndSwap(old, next)
	}
	return next.matcher, nil
}

// changedSince returns the advertisers whose rules may be others than the compiled ones.
func changedSince(ctx context.Context, tx Tx, old *compiledRules) ([]int64, error) {
	advertisers, err := tx.Rules().Changed(ctx, old.cursor)
	return idset.Sorted(append(advertisers, old.suspect...)), err
}

func replaceChanged(ctx context.Context, tx Tx, old *compiledRules) (*Matcher, error) {
	advertisers, err := changedSince(ctx, tx, old)
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
