package storagetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// write runs a unit that must succeed.
func write[T any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) error) {
	t.Helper()
	if err := s.Write(t.Context(), fn); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// read runs a read-only unit that must succeed.
func read[T any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) error) {
	t.Helper()
	if err := s.Read(t.Context(), fn); err != nil {
		t.Fatalf("Read: %v", err)
	}
}

// put is the value that a Write of one call returns.
func put[T, V any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) (V, error)) V {
	t.Helper()
	var v V
	write(t, s, func(ctx context.Context, tx T) (err error) {
		v, err = fn(ctx, tx)
		return err
	})
	return v
}

// see is the value that a Read of one call returns.
func see[T, V any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) (V, error)) V {
	t.Helper()
	var v V
	read(t, s, func(ctx context.Context, tx T) (err error) {
		v, err = fn(ctx, tx)
		return err
	})
	return v
}

// refused runs a Write whose last call must fail like that. The unit keeps the error to itself:
// the call has doomed it.
func refused[T any](t *testing.T, s affiliate.Store[T], want failure, fn func(ctx context.Context, tx T) error) {
	t.Helper()
	err := s.Write(t.Context(), func(ctx context.Context, tx T) error {
		err := fn(ctx, tx)
		if again(err) {
			return err
		}
		if problem := want.problem(err); problem != "" {
			t.Errorf("the call: %s", problem)
		}
		return nil
	})
	if problem := want.problem(err); problem != "" {
		t.Errorf("Write: %s", problem)
	}
}

// notInRead runs a Read, which must refuse the change that fn is.
func notInRead[T any](t *testing.T, s affiliate.Store[T], fn func(ctx context.Context, tx T) error) {
	t.Helper()
	unreadable(t, s, readOnly, func(ctx context.Context, tx T) error {
		if problem := readOnly.problem(fn(ctx, tx)); problem != "" {
			t.Errorf("the call: %s", problem)
		}
		return nil
	})
}

// unreadable runs a Read that must fail like that.
func unreadable[T any](t *testing.T, s affiliate.Store[T], want failure, fn func(ctx context.Context, tx T) error) {
	t.Helper()
	if problem := want.problem(s.Read(t.Context(), fn)); problem != "" {
		t.Errorf("Read: %s", problem)
	}
}

// all runs functions in order until one fails: the calls of a unit, read as a list.
func all(calls ...func() error) error {
	for _, call := range calls {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

// writers is how many goroutines race in the cases about that.
const writers = 8

// together runs fn for 0..n-1 at once and waits; an error fails the test.
func together(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// insist runs a unit again while the backend is too busy to finish it.
func insist[T any](ctx context.Context, unit func(context.Context, func(ctx context.Context, tx T) error) error, fn func(ctx context.Context, tx T) error) error {
	var err error
	for range 200 {
		if err = unit(ctx, fn); !errors.Is(err, affiliate.ErrUnavailable) {
			return err
		}
	}
	return err
}
