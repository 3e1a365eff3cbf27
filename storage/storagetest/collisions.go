package storagetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// writeScenarios are what every store's Write promises: those of units, and that it
// is serializable and runs again by itself.
func writeScenarios[T affiliate.Tx]() []scenario[affiliate.Store[T]] {
	return append(unitScenarios[T]("write"), scenario[affiliate.Store[T]]{"write/of units that collide one runs again", testCollision[T]})
}

// rivals are two rows, and a second unit that is started while the first is running.
type rivals[T affiliate.Tx] struct {
	a, b affiliate.AdvertiserGroup
	done chan error
}

func newRivals[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) rivals[T] {
	t.Helper()
	kept := addAll(t, s, func(ctx context.Context, tx T, g affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
		return tx.AdvertiserGroups().Add(ctx, g)
	}, sampleGroup(1), sampleGroup(2))
	return rivals[T]{kept[0], kept[1], make(chan error, 1)}
}

// limit sets the limit of a group.
func limit[T affiliate.Tx](ctx context.Context, tx T, g affiliate.AdvertiserGroup, to int64) error {
	g.PaymentLimit = to
	return tx.AdvertiserGroups().Update(ctx, g)
}

// limits are those of both groups.
func (r rivals[T]) limits(ctx context.Context, tx T) ([2]int64, error) {
	a, err := tx.AdvertiserGroups().Get(ctx, r.a.ID)
	if err != nil {
		return [2]int64{}, err
	}
	b, err := tx.AdvertiserGroups().Get(ctx, r.b.ID)
	return [2]int64{a.PaymentLimit, b.PaymentLimit}, err
}

// testCollision runs two units that look whether a group has a limit, and give each
// another group one if none has. One after the other, whichever goes first, set one.
func testCollision[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	r := newRivals(t, s)
	look := func(ctx context.Context, tx T) (set bool, err error) {
		limits, err := r.limits(ctx, tx)
		return limits != [2]int64{}, err
	}
	start := sync.OnceFunc(func() {
		go func() {
			r.done <- s.Write(t.Context(), func(ctx context.Context, tx T) error {
				if set, err := look(ctx, tx); err != nil || set {
					return err
				}
				return limit(ctx, tx, r.b, 1)
			})
		}()
	})
	write(t, s, func(ctx context.Context, tx T) error {
		set, err := look(ctx, tx)
		if err != nil || set {
			return err
		}
		start()
		if err := lookUntil(r.done, func() error { return second(look(ctx, tx)) }); err != nil {
			return err
		}
		return limit(ctx, tx, r.a, 1)
	})
	if err := <-r.done; err != nil {
		t.Fatalf("the other unit: %v", err)
	}
	got := see(t, s, r.limits)
	equal(t, "groups with a limit", got[0]+got[1], int64(1))
}

// testDeadlock runs two units that change two rows in opposite order.
func testDeadlock[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	r := newRivals(t, s)
	holds := make(chan error, 1)
	tell := sync.OnceFunc(func() { holds <- nil })
	inWords := func(err error) error { // of the callback's own: the unit must run again all the same
		if err != nil {
			err = errors.New(err.Error())
		}
		return err
	}
	start := sync.OnceFunc(func() {
		go func() {
			r.done <- s.Write(t.Context(), func(ctx context.Context, tx T) error {
				return inWords(all(
					func() error { return limit(ctx, tx, r.b, 2) },
					func() error { tell(); return nil },
					func() error { return limit(ctx, tx, r.a, 2) },
				))
			})
		}()
	})
	write(t, s, func(ctx context.Context, tx T) error {
		return inWords(all(
			func() error { return limit(ctx, tx, r.a, 1) },
			func() error {
				start()
				return lookUntil(holds, func() error { return second(r.limits(ctx, tx)) })
			},
			func() error { return limit(ctx, tx, r.b, 1) },
		))
	})
	if err := <-r.done; err != nil {
		t.Fatalf("the other unit: %v", err)
	}
	if got := see(t, s, r.limits); got != [2]int64{1, 1} && got != [2]int64{2, 2} {
		t.Errorf("limits %d: want both as the later unit left them", got)
	}
}
