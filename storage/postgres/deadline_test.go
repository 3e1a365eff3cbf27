package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// deadlineOnly is a context that says when it ends and never does: what a driver
// that does not watch its context makes of every one.
type deadlineOnly struct {
	context.Context
	at time.Time
}

func (c deadlineOnly) Deadline() (time.Time, bool) { return c.at, true }

func TestTheServerEndsAUnitThatWaitsForALockAtItsDeadline(t *testing.T) {
	t.Parallel()
	db, handle := openInPath(t)
	list := func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Categories().All(ctx)
		return err
	}
	add := func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Food"})
		return err
	}
	holder, err := handle.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.ExecContext(t.Context(), `LOCK TABLE affiliate_categories`); err != nil {
		t.Fatal(err)
	}
	for name, unit := range map[string]func(context.Context) error{
		"read":  func(ctx context.Context) error { return db.Core().Read(ctx, list) },
		"write": func(ctx context.Context) error { return db.Core().Write(ctx, add) },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			guard, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := unit(deadlineOnly{guard, time.Now().Add(200 * time.Millisecond)})
			is.True(errors.Is(err, affiliate.ErrUnavailable))
			is.NoErr(guard.Err()) // the server ended it
		})
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	// The connections of those units have no timeout left on them.
	is := is.New(t)
	for range handle.Stats().OpenConnections {
		var timeouts string
		is.NoErr(handle.NewRaw(`SELECT current_setting('statement_timeout') || current_setting('lock_timeout')`).Scan(t.Context(), &timeouts))
		is.Equal(timeouts, "00")
	}
}

func TestAUnitWithADeadlineRunsAgainUntilThen(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	one, other := connect(t, dsn, schema), connect(t, dsn, schema)
	g := addGroup(t, one, "a")
	const collisions = 25 // more than the attempts without a deadline
	attempts := 0
	collide := func(ctx context.Context) error {
		if attempts++; attempts > collisions {
			return nil
		}
		return raiseLimit(ctx, other, g.ID, nothing)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	is.NoErr(raiseLimit(ctx, one, g.ID, collide))
	is.Equal(attempts, collisions+1)

	attempts = 0
	is.True(errors.Is(raiseLimit(t.Context(), one, g.ID, collide), affiliate.ErrUnavailable)) // without one
	is.Equal(attempts, 20)

	short, cancelShort := context.WithCancel(ctx)
	attempts = 0
	err := raiseLimit(short, one, g.ID, func(ctx context.Context) error {
		if attempts++; attempts == 5 {
			cancelShort()
		}
		return raiseLimit(context.WithoutCancel(ctx), other, g.ID, nothing)
	})
	is.True(errors.Is(err, context.Canceled))
	is.Equal(attempts, 5)
}

// Each of the units reads and changes the same row. Without an order among
// those that run again, some of so many fail at every attempt.
func TestNobodyFailsWhoMeetsOthersAtOneRow(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	handle := openHandle(t, dsn)
	handle.SetMaxOpenConns(32)
	is.NoErr(postgres.Migrate(t.Context(), handle, postgres.Options{Schema: schema}))
	db, err := postgres.New(handle, postgres.Options{Schema: schema})
	is.NoErr(err)
	g := addGroup(t, db, "a")
	const writers, each = 64, 4
	var runs, failed atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				err := raiseLimit(t.Context(), db, g.ID, func(context.Context) error { runs.Add(1); return nil })
				if err != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	is.Equal(failed.Load(), int64(0))
	t.Logf("%d units ran %d times", writers*each, runs.Load())
}
