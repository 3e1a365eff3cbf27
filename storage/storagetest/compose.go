package storagetest

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Compose returns a store of one domain whose own repositories are a backend's,
// and whose core is another's, usually memory's. The author of a backend writes
// the repositories of one domain, and can run its cases:
//
//	storagetest.RunProductLists(t, func(t *testing.T) storagetest.Backend {
//		own := mystore.Open(t.TempDir())
//		return storagetest.Backend{ProductLists: storagetest.Compose(memory.New().Core(), own,
//			func(core affiliate.Tx, tx mystore.Tx) productlists.Tx { return both{core, tx} })}
//	})
//
// O is what the backend gives in a unit. Own keeps the promises of affiliate.Store
// by itself. A unit is one of the core with one of the backend's inside: both keep
// their changes, or none does, as long as the process lives. It is for tests and
// for trying things out: after a crash between the two commits one of them is
// there.
//
// A call of the core that failed dooms the whole unit. The backend's calls find that
// out by Failed.
//
// The units of memory's core come one after the other. What a backend does when
// writers meet is seen by the cases of the domain only when the core is its own.
func Compose[T affiliate.Tx, O any](core affiliate.Store[affiliate.Tx], own affiliate.Store[O], bind func(core affiliate.Tx, own O) T) affiliate.Store[T] {
	if core == nil || own == nil || bind == nil {
		return incomplete[T]{errors.New("storagetest: Compose needs the store of a core, the store of a backend, and a function that makes one transaction of both")}
	}
	return composed[T, O]{core, own, bind}
}

type composed[T affiliate.Tx, O any] struct {
	core affiliate.Store[affiliate.Tx]
	own  affiliate.Store[O]
	bind func(core affiliate.Tx, own O) T
}

func (s composed[T, O]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	return s.core.Read(ctx, func(ctx context.Context, core affiliate.Tx) error {
		return s.own.Read(ctx, func(ctx context.Context, own O) error { return s.run(ctx, core, own, fn) })
	})
}

func (s composed[T, O]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	return s.core.Write(ctx, func(ctx context.Context, core affiliate.Tx) error {
		return s.own.Write(ctx, func(ctx context.Context, own O) error { return s.run(ctx, core, own, fn) })
	})
}

func (s composed[T, O]) run(ctx context.Context, core affiliate.Tx, own O, fn func(context.Context, T) error) error {
	if err := fn(ctx, s.bind(core, own)); err != nil {
		return err
	}
	return Failed(ctx, core) // then the backend's part must not be kept either
}

// Failed returns the error of the call that doomed a unit of the core, and nil when
// none did.
func Failed(ctx context.Context, core affiliate.Tx) error {
	_, err := core.Categories().All(ctx) // in a doomed unit every call fails
	return err
}

// incomplete is a store that says what is missing.
type incomplete[T any] struct{ err error }

func (s incomplete[T]) Read(context.Context, func(context.Context, T) error) error  { return s.err }
func (s incomplete[T]) Write(context.Context, func(context.Context, T) error) error { return s.err }
