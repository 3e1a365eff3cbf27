package postgres

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// RunInTx runs fn in one transaction of the host's, as a unit of work runs:
// serializable, and again when the database asks for it, as often as db's units
// do. fn's own statements on tx and the units of services over db.In(tx) commit
// together, or not at all.
//
//	err := postgres.RunInTx(ctx, db, func(ctx context.Context, tx bun.Tx) error {
//		backend, err := db.In(tx)
//		if err != nil {
//			return err
//		}
//		kit, err := kit.In(backend)
//		if err != nil {
//			return err
//		}
//		link, _, err := kit.Links.Convert(ctx, conversion)
//		if err != nil {
//			return err
//		}
//		_, err = tx.ExecContext(ctx, "INSERT INTO reviews (link_id) VALUES (?)", link.Link.ID)
//		return err
//	})
//
// Because fn may run more than once it does no I/O of another kind and sets, and
// never adds to, what is outside of it. The error of fn is returned as it is; it
// may wrap what a statement or a unit failed with. A unit that the database gave
// up is run again with all of fn, also when fn went on after its error.
//
// fn's context belongs to the transaction: a service over db itself, used with it,
// would commit by itself, and is refused with affiliate.ErrNested. So is RunInTx
// inside of RunInTx or of a unit.
//
// Code of the host's that takes a *sql.Tx gets tx.Tx.
func RunInTx(ctx context.Context, db *DB, fn func(ctx context.Context, tx bun.Tx) error) error {
	p, ok := db.handle.(pool)
	if !ok || db.nested(ctx) {
		return affiliate.ErrNested
	}
	return db.again(ctx, func() error { return db.runHost(ctx, p, fn) })
}

func (db *DB) runHost(ctx context.Context, p pool, fn func(context.Context, bun.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return affiliate.Unavailable(err)
	}
	tx, err := p.begin(ctx, writeUnit)
	if err != nil {
		return connectionError(ctx, err)
	}
	done := false
	defer func() { // also when fn panics or ends its goroutine
		if !done {
			_ = tx.Rollback() // what failed before is the error to tell
		}
	}()
	h := &hostMark{tx: tx.Tx}
	inside, committed := affiliate.HoldAfterCommit(context.WithValue(ctx, hostKey{db.pool}, h))
	if err := outcome(ctx, fn(inside, tx), h.failure()); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return translate(ctx, err, "")
	}
	done = true
	if h.numbersRules.Load() {
		db.numberRules(ctx)
	}
	committed()
	return nil
}

// In returns the backend in a transaction of the host's, which was begun on the
// handle that db has: by RunInTx, or by the host. Its units are savepoints, as New
// says. Like the transaction it is for one goroutine, and ends with it.
func (db *DB) In(tx bun.Tx) (*DB, error) {
	if tx.Tx == nil || poolOf(tx) != db.pool {
		return nil, errors.New("postgres: In takes a bun.Tx that was begun on the handle of the DB")
	}
	in := *db
	in.handle, in.attempts, in.reader = hostTx{tx}, 1, nil
	return &in, nil
}

// WithTx returns a context that belongs to a transaction which the host began
// without RunInTx: a service outside of it that is used with this context would
// commit by itself, and is refused with affiliate.ErrNested.
func WithTx(ctx context.Context, tx bun.Tx) context.Context {
	return context.WithValue(ctx, hostKey{poolOf(tx)}, &hostMark{tx: tx.Tx})
}

// poolOf returns where the connection of a transaction is from.
func poolOf(tx bun.Tx) *sql.DB { return tx.NewSelect().DB().DB }

// hostKey marks a context that belongs to a transaction of the host's on a
// connection from this pool.
type hostKey struct{ pool *sql.DB }

// hostMark is the transaction.
type hostMark struct {
	tx *sql.Tx

	mu  sync.Mutex
	err error // with which a unit in it asked to run the transaction again

	numbersRules atomic.Bool // as that of a unit
}

func (h *hostMark) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// outside reports whether a unit of db with this context would commit by itself
// although the context belongs to a transaction of the host's on the database.
func (db *DB) outside(ctx context.Context) bool {
	h, ok := ctx.Value(hostKey{db.pool}).(*hostMark)
	if !ok {
		return false
	}
	in, ok := db.handle.(hostTx)
	return !ok || in.tx.Tx != h.tx
}

// hosted reports whether units are in a transaction of the host's.
func (db *DB) hosted() bool {
	_, ok := db.handle.(hostTx)
	return ok
}

// markHosted marks the context of a unit that is in a transaction of the host's.
func (db *DB) markHosted(ctx context.Context) context.Context {
	in, ok := db.handle.(hostTx)
	if !ok || ctx.Value(hostKey{db.pool}) != nil {
		return ctx
	}
	return WithTx(ctx, in.tx)
}

// tellHost notes in the host's transaction that a unit in it failed in a way that
// asks to run the transaction again.
func tellHost(ctx context.Context, db *DB, err error) {
	h, ok := ctx.Value(hostKey{db.pool}).(*hostMark)
	if !ok || !retryable(err) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
}
