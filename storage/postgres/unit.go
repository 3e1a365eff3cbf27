package postgres

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// laneWait is how long a unit waits at most for its turn to run again.
const laneWait = time.Second

// unitKind says how a unit of work is isolated.
type unitKind int

const (
	readUnit   unitKind = iota // one snapshot, no change
	writeUnit                  // serializable
	recordUnit                 // each statement sees what is committed; the unit takes locks
)

func (k unitKind) options() *sql.TxOptions {
	switch k {
	case readUnit:
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	case recordUnit:
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return &sql.TxOptions{Isolation: sql.LevelSerializable}
}

// handle is where units begin.
type handle interface {
	// key is equal for handles on the same connections.
	key() any
	begin(ctx context.Context, kind unitKind) (bun.Tx, error)
}

// pool begins a transaction for each unit.
type pool struct{ db *bun.DB }

func (p pool) key() any { return p.db.DB }

// begin tells the server how long the context lasts, so that no statement and
// no wait for a lock outlives it there: a driver that gives up may leave both
// behind.
func (p pool) begin(ctx context.Context, kind unitKind) (bun.Tx, error) {
	tx, err := p.db.BeginTx(ctx, kind.options())
	deadline, ok := ctx.Deadline()
	if err != nil || !ok {
		return tx, err
	}
	left := min(max(time.Until(deadline).Milliseconds(), 1), math.MaxInt32)
	if _, err := tx.ExecContext(ctx, "SET LOCAL statement_timeout = ?; SET LOCAL lock_timeout = ?", left, left); err != nil {
		_ = tx.Rollback() // what failed before is the error to tell
		return tx, err
	}
	return tx, nil
}

// hostTx begins a savepoint for each unit in the transaction of the host.
type hostTx struct{ tx bun.Tx }

func (h hostTx) key() any { return h.tx.Tx }

func (h hostTx) begin(ctx context.Context, _ unitKind) (bun.Tx, error) {
	// Without the cancellation: bun rolls back to the savepoint with this
	// context, and a cancelled unit must be rolled back all the more.
	return h.tx.BeginTx(context.WithoutCancel(ctx), nil)
}

// unitKey marks a context that belongs to a unit of the store: with the unit
// where others join it, else with true.
type unitKey struct {
	handle any
	prefix string
}

var errEnded = errors.New("postgres: transaction used after its unit of work ended")

// unit is one unit of work. The mutex keeps a callback that uses its
// transaction from several goroutines, or after the end, from doing harm.
type unit struct {
	db   *DB
	kind unitKind
	ctx  context.Context // of the unit: when it ends, the driver has rolled back
	tx   session

	mu   sync.Mutex
	err  error                         // what doomed the unit, or errEnded
	seen map[string]map[int64]struct{} // ids that the unit has read, by table

	foreign bool // a foreign key failed the unit
	looksUp bool // it runs again for that, and looks references up before it writes them

	numbersRules bool // it has seen changes of rules without a number
}

// saw notes ids that the unit has read: batches that refer to them need not
// ask whether they exist, since what they refer to is never deleted.
func (u *unit) saw(table string, ids []int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seen == nil {
		u.seen = make(map[string]map[int64]struct{})
	}
	if u.seen[table] == nil {
		u.seen[table] = make(map[int64]struct{}, len(ids))
	}
	for _, id := range ids {
		u.seen[table][id] = struct{}{}
	}
}

func (db *DB) unitKey() unitKey { return unitKey{db.handle.key(), db.prefix} }

// nested reports whether a unit with this context would be inside another one, or
// beside a transaction of the host's that it should be in.
func (db *DB) nested(ctx context.Context) bool {
	return ctx.Value(db.unitKey()) != nil || db.outside(ctx)
}

// run runs a unit of work, again when the database asks for it.
func (db *DB) run(ctx context.Context, kind unitKind, fn func(context.Context, *unit) error) error {
	switch outer := ctx.Value(db.unitKey()).(type) {
	case *unit:
		return outer.join(ctx, kind, fn)
	case bool:
		return affiliate.ErrNested
	}
	if db.outside(ctx) {
		return affiliate.ErrNested
	}
	if db.reader != nil && kind == readUnit && affiliate.StalenessOf(ctx) != nil {
		if served, err := db.reader.serve(ctx, fn); served {
			return err
		}
	}
	return db.again(ctx, func() error { return db.runTelling(ctx, kind, fn) })
}

// runTelling runs a unit once, and once more when a foreign key fails it: that
// tells of one reference to nothing, and the unit that looks them up before it
// writes tells of all. So the good case pays nothing for the bad one.
func (db *DB) runTelling(ctx context.Context, kind unitKind, fn func(context.Context, *unit) error) error {
	u := &unit{db: db, kind: kind}
	err := db.runOnce(ctx, u, fn)
	if u.foreign {
		err = db.runOnce(ctx, &unit{db: db, kind: kind, looksUp: true}, fn)
	}
	return err
}

// again runs a transaction until the database no longer asks to run it again.
func (db *DB) again(ctx context.Context, once func() error) error {
	inLane := false
	defer func() {
		if inLane {
			<-db.lane
		}
	}()
	for attempt := 1; ; attempt++ {
		err := once()
		if err == nil || !retryable(err) || !db.mayRunAgain(ctx, attempt) {
			return err
		}
		if !inLane {
			inLane = db.enterLane(ctx)
		} else if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// mayRunAgain reports whether a unit that ran so often may run once more: as
// often as the host says, and if it does not say, until the context ends.
func (db *DB) mayRunAgain(ctx context.Context, attempts int) bool {
	if db.attempts > 0 {
		return attempts < db.attempts
	}
	_, ok := ctx.Deadline()
	return ok || attempts < defaultMaxAttempts
}

// enterLane waits until no other unit of this process runs again, and takes the
// lane for this one. Units that collided would collide once more if all of them
// ran again at once: with 64 of them most attempts are in vain, one after the
// other each needs one or two. It returns false when the wait takes longer than
// a second, because the unit in the lane waits for something else.
func (db *DB) enterLane(ctx context.Context) bool {
	timer := time.NewTimer(laneWait)
	defer timer.Stop()
	select {
	case db.lane <- struct{}{}:
		return true
	case <-ctx.Done(): // the next attempt returns its error
	case <-timer.C:
	}
	return false
}

// pause waits before the next attempt: half to all of 1, 2, 4 … 128 ms, at
// random, so that those who collided do not meet again.
func pause(ctx context.Context, attempt int) error {
	limit := time.Millisecond << min(attempt-1, 7)
	timer := time.NewTimer(limit/2 + rand.N(limit/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return affiliate.Unavailable(ctx.Err())
	case <-timer.C:
		return nil
	}
}

// passingOver makes a lock pass over rows that are locked, where it may. A serializable
// unit waits for them: not every engine that speaks PostgreSQL's protocol has it
// pass over them.
func (u *unit) passingOver() string {
	if u.kind == recordUnit {
		return " SKIP LOCKED"
	}
	return ""
}

// join runs a unit as a part of this one, which is of affiliate.Join.
func (u *unit) join(ctx context.Context, kind unitKind, fn func(context.Context, *unit) error) error {
	u.mu.Lock()
	doom, whole := u.err, u.kind
	if kind == readUnit {
		u.kind = readUnit
	}
	u.mu.Unlock()
	if doom != nil {
		return doom
	}
	err := fn(context.WithValue(ctx, u.db.unitKey(), true), u)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.kind = whole
	if err != nil && (kind != readUnit || u.err != nil) && !errors.Is(u.err, affiliate.ErrUnavailable) {
		u.err = err // the whole fails with what this part's caller is told
	}
	if err == nil {
		err = u.err
	}
	return err
}

func (db *DB) runOnce(ctx context.Context, u *unit, fn func(context.Context, *unit) error) error {
	if err := ctx.Err(); err != nil {
		return affiliate.Unavailable(err)
	}
	tx, err := db.handle.begin(ctx, u.kind)
	if err != nil {
		return connectionError(ctx, err)
	}
	u.ctx, u.tx = ctx, db.newSession(tx)
	ctx = db.markHosted(ctx)
	if affiliate.Joins(ctx) {
		ctx = context.WithValue(ctx, db.unitKey(), u)
	} else {
		ctx = context.WithValue(ctx, db.unitKey(), true)
	}
	committed := false
	defer func() { // also when fn panics or ends its goroutine
		if u.end(); !committed {
			_ = tx.Rollback() // what failed before is the error to tell
		}
	}()
	err = outcome(ctx, fn(ctx, u), u.end())
	if err == nil {
		if err = tx.Commit(); err == nil {
			committed = true
			if u.numbersRules {
				db.numberRulesAfter(ctx, u)
			}
			return nil
		}
		err = translate(ctx, err, "")
	}
	tellHost(ctx, db, err)
	return err
}

// outcome is the error of a unit whose callback returned err, and which doom
// has doomed, if anything: the callback's own words, unless they hide that the
// database is to be asked again.
func outcome(ctx context.Context, err, doom error) error {
	switch {
	case ctx.Err() != nil && !(errors.Is(err, ctx.Err()) && errors.Is(err, affiliate.ErrUnavailable)):
		return affiliate.Unavailable(ctx.Err())
	case err == nil, errors.Is(doom, affiliate.ErrUnavailable) && !errors.Is(err, doom):
		return doom
	}
	return err
}

// end returns what doomed the unit; from now on its transaction is refused.
func (u *unit) end() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	doom := u.err
	u.err = errEnded
	return doom
}

// read runs statements that change nothing. Its ErrNotFound leaves the unit alive.
func read[T any](ctx context.Context, u *unit, resource string, fn func(ctx context.Context) (T, error)) (T, error) {
	return do(ctx, u, resource, false, fn)
}

// change runs statements of which a failure dooms the unit.
func change[T any](ctx context.Context, u *unit, resource string, fn func(ctx context.Context) (T, error)) (T, error) {
	return do(ctx, u, resource, true, fn)
}

// exec is change without an answer.
func exec(ctx context.Context, u *unit, resource string, fn func(ctx context.Context) error) error {
	_, err := change(ctx, u, resource, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

func do[T any](ctx context.Context, u *unit, resource string, changes bool, fn func(ctx context.Context) (T, error)) (T, error) {
	var zero T
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return zero, u.err
	}
	if u.ctx.Err() != nil {
		ctx = u.ctx
	}
	switch {
	case ctx.Err() != nil:
		u.err = affiliate.Unavailable(ctx.Err())
	case changes && u.kind == readUnit:
		u.err = affiliate.ErrReadOnly
	}
	if u.err != nil {
		return zero, u.err
	}
	v, err := fn(ctx)
	if err == nil {
		return v, nil
	}
	if u.ctx.Err() != nil {
		ctx = u.ctx
	}
	if e, ok := serverErrorIn(err); ok && e.state == stateForeignKey {
		u.foreign = true
	}
	err = translate(ctx, err, resource)
	if changes || !errors.Is(err, affiliate.ErrNotFound) {
		u.err = err
	}
	return zero, err
}
