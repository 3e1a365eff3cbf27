package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

const (
	defaultMaxLag = 5 * time.Second
	// probeTimeout bounds how long a read waits to learn how far the replica is.
	probeTimeout = time.Second
)

// reader is a read-only replica.
//
// How old it is at most follows from the log alone, not from clocks or from the
// time of its last transaction: once the replica has replayed what the primary had
// written at an instant, it has every write before. So a replica that hears nothing
// any more gets older, and one of an idle primary does not.
type reader struct {
	db      *DB // over the replica's handle
	primary *bun.DB
	maxLag  time.Duration

	probing sync.Mutex // held by the one who asks

	mu       sync.Mutex
	complete time.Time // every write before this is in the replica; zero: not known
	mark     string    // of the primary's log at markAt, which the replica did not have yet
	markAt   time.Time
}

// readerHandle begins units on the replica that count as units of the primary's
// handle, so that one inside the other is noticed.
type readerHandle struct {
	pool
	primary handle
}

func (r readerHandle) key() any { return r.primary.key() }

// newReader is the reader of d, whose handle is the primary's.
func newReader(d *DB, primary *bun.DB, o Options) *reader {
	over := *d
	over.handle, over.statements = readerHandle{pool{o.Reader}, d.handle}, &statements{}
	r := &reader{db: &over, primary: primary, maxLag: o.MaxLag}
	if r.maxLag == 0 {
		r.maxLag = defaultMaxLag
	}
	return r
}

// serve runs a read on the replica. It returns false when the primary is to run
// it: the replica is too old, or does not work.
func (r *reader) serve(ctx context.Context, fn func(context.Context, *unit) error) (bool, error) {
	complete, ok := r.fresh(ctx)
	if !ok {
		return false, nil
	}
	err := r.db.again(ctx, func() error { return r.db.runOnce(ctx, &unit{db: r.db, kind: readUnit}, fn) })
	if errors.Is(err, affiliate.ErrUnavailable) && ctx.Err() == nil {
		r.forget()
		return false, nil
	}
	affiliate.StalenessOf(ctx).Note(time.Since(complete))
	return true, err
}

// fresh returns an instant before which the replica has all writes, and whether
// that is recent enough. It asks when half of MaxLag is over; meanwhile others go
// by what is known.
func (r *reader) fresh(ctx context.Context) (time.Time, bool) {
	r.mu.Lock()
	complete := r.complete
	r.mu.Unlock()
	if time.Since(complete) <= r.maxLag/2 {
		return complete, true
	}
	if r.probing.TryLock() {
		complete = r.probe(ctx, complete)
		r.probing.Unlock()
	}
	return complete, time.Since(complete) <= r.maxLag
}

// probe asks the primary where its log is, and the replica whether it is there.
func (r *reader) probe(ctx context.Context, known time.Time) time.Time {
	ctx, cancel := context.WithTimeout(ctx, min(probeTimeout, r.maxLag))
	defer cancel()
	r.mu.Lock()
	mark, markAt := r.mark, r.markAt
	r.mu.Unlock()
	if mark == "" || time.Since(markAt) > r.maxLag/2 { // else the replica is on its way there
		markAt = time.Now()
		if err := r.primary.NewRaw("SELECT pg_current_wal_lsn()::text").Scan(ctx, &mark); err != nil {
			return known // the replica may still be recent enough
		}
	}
	var there bool
	err := r.db.handle.(readerHandle).db.NewRaw("SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= ?::pg_lsn", mark).Scan(ctx, &there)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || !there {
		r.mark, r.markAt = mark, markAt
		return known
	}
	r.complete, r.mark = markAt, ""
	return markAt
}

// forget makes the next read ask again: the replica failed.
func (r *reader) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complete = time.Time{}
}
