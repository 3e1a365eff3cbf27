package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// testSnapshot lets a writer commit, as far as the backend lets it, while a
// Read looks again and again.
func testSnapshot[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
	done := make(chan error, 1)
	read(t, s, func(ctx context.Context, tx T) error {
		if got, err := count(ctx, tx); err != nil || got != times(1) {
			return fmt.Errorf("got %+v and error %v, want %+v", got, err, times(1))
		}
		go func() {
			done <- s.Write(t.Context(), func(ctx context.Context, tx T) error { return change(ctx, tx, 2) })
		}()
		return lookUntil(done, func() error {
			got, err := count(ctx, tx)
			if err == nil && got != times(1) {
				err = fmt.Errorf("the snapshot changed: got %+v, want %+v", got, times(1))
			}
			return err
		})
	})
	if err := <-done; err != nil {
		t.Fatalf("Write: %v", err)
	}
	expectTally(t, s, "after the read", times(2))
}

func testSnapshotOfReads[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	write(t, s, func(ctx context.Context, tx T) error { return change(ctx, tx, 1) })
	done := make(chan error, 1)
	now := at(0)
	clock := func() time.Time { return now }
	look := func(ctx context.Context) error {
		return s.Read(ctx, func(ctx context.Context, tx T) error {
			got, err := count(ctx, tx)
			if err == nil && got != times(1) {
				err = fmt.Errorf("the snapshot changed: got %+v, want %+v", got, times(1))
			}
			return err
		})
	}
	err := affiliate.Snapshot(t.Context(), s, clock, func(ctx context.Context) error {
		now = at(1)
		equal(t, "the time within", affiliate.Instant(ctx, clock), at(0))
		if err := look(ctx); err != nil {
			return err
		}
		go func() {
			done <- s.Write(t.Context(), func(ctx context.Context, tx T) error { return change(ctx, tx, 2) })
		}()
		return lookUntil(done, func() error { return look(ctx) })
	})
	if err != nil {
		t.Fatalf("Snapshot: %v", err)
	}
	equal(t, "the time outside", affiliate.Instant(t.Context(), clock), at(1))
	if err := <-done; err != nil {
		t.Fatalf("Write: %v", err)
	}
	expectTally(t, s, "after the snapshot", times(2))
	for name, unit := range map[string]func(context.Context, func(context.Context, T) error) error{"Read": s.Read, "Write": s.Write} {
		err := affiliate.Snapshot(t.Context(), s, clock, func(ctx context.Context) error {
			return unit(ctx, func(ctx context.Context, tx T) error { return change(ctx, tx, 3) })
		})
		if !errors.Is(err, affiliate.ErrReadOnly) {
			t.Errorf("a change in a %s: got %v, want ErrReadOnly", name, err)
		}
	}
	expectTally(t, s, "after refused changes", times(2))
}

// lookUntil looks until another goroutine is done and once more; or a few
// hundred times, where the backend makes the other one wait for this.
func lookUntil[E any](done chan E, look func() error) error {
	for range 300 {
		select {
		case e := <-done:
			done <- e
			return look()
		default:
			if err := look(); err != nil {
				return err
			}
		}
	}
	return nil
}
