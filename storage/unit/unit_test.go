package unit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

// numbers is a backend: one number, which a unit that fails leaves as it was.
type numbers struct{ n int }

func (s *numbers) Read(ctx context.Context, fn func(context.Context, *tx) error) error {
	return s.run(ctx, true, fn)
}

func (s *numbers) Write(ctx context.Context, fn func(context.Context, *tx) error) error {
	return s.run(ctx, false, fn)
}

func (s *numbers) run(ctx context.Context, reads bool, fn func(context.Context, *tx) error) error {
	t := &tx{}
	call := func(ctx context.Context) error { return fn(ctx, t) }
	if done, err := t.Enter(ctx, s, reads, call); done {
		return err
	}
	t.Own = s
	before := s.n
	err := t.Run(call)
	if err != nil {
		s.n = before
	}
	return err
}

type tx struct{ unit.Unit }

func (t *tx) get(ctx context.Context, fails error) (int, error) {
	return unit.Read(ctx, &t.Unit, func() (int, error) { return t.Own.(*numbers).n, fails })
}

func (t *tx) add(ctx context.Context, n int, fails error) error {
	return unit.Change(ctx, &t.Unit, func() error {
		t.Own.(*numbers).n += n
		return fails
	})
}

var errFull = errors.New("full")

func TestAFailedCallDoomsItsUnit(t *testing.T) {
	is := is.New(t)
	s := &numbers{}
	for name, fails := range map[string]func(ctx context.Context, t *tx) error{
		"a change": func(ctx context.Context, t *tx) error { return t.add(ctx, 5, errFull) },
		"a read":   func(ctx context.Context, t *tx) error { _, err := t.get(ctx, errFull); return err },
		"a change that found nothing": func(ctx context.Context, t *tx) error {
			if err := t.add(ctx, 5, affiliate.NotFound("number", 1)); !affiliate.IsNotFound(err) {
				return nil
			}
			return errFull
		},
	} {
		err := s.Write(t.Context(), func(ctx context.Context, t *tx) error {
			is.NoErr(t.add(ctx, 1, nil))
			is.True(errors.Is(fails(ctx, t), errFull)) // name
			_, err := t.get(ctx, nil)
			is.True(err != nil) // every later call
			return nil          // the callback keeps it back
		})
		is.True(err != nil) // name
		is.Equal(s.n, 0)
		_ = name
	}
	is.NoErr(s.Write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.get(ctx, affiliate.NotFound("number", 1)) // a read that found nothing does not
		is.True(affiliate.IsNotFound(err))
		return t.add(ctx, 1, nil)
	}))
	is.Equal(s.n, 1)
}

func TestAUnitInAUnitIsRefusedOrAPartOfIt(t *testing.T) {
	is := is.New(t)
	s := &numbers{}
	is.NoErr(s.Write(t.Context(), func(ctx context.Context, _ *tx) error {
		is.True(unit.Nested(ctx, s))
		is.True(!unit.Nested(ctx, &numbers{}))
		is.True(errors.Is(s.Write(ctx, func(context.Context, *tx) error { return nil }), affiliate.ErrNested))
		return (&numbers{}).Write(ctx, func(context.Context, *tx) error { return nil }) // of another store
	}))
	is.NoErr(affiliate.Join(t.Context(), s, func(ctx context.Context, whole *tx) error {
		is.NoErr(s.Write(ctx, func(ctx context.Context, part *tx) error { return part.add(ctx, 2, nil) }))
		err := s.Read(ctx, func(ctx context.Context, part *tx) error { return affiliate.NotFound("number", 7) })
		is.True(affiliate.IsNotFound(err)) // and the whole lives on
		return whole.add(ctx, 1, nil)
	}))
	is.Equal(s.n, 3)
	err := affiliate.Join(t.Context(), s, func(ctx context.Context, whole *tx) error {
		is.True(errors.Is(s.Write(ctx, func(context.Context, *tx) error { return errFull }), errFull))
		return nil
	})
	is.True(errors.Is(err, errFull)) // a Write that failed dooms the whole
	err = affiliate.Join(t.Context(), s, func(ctx context.Context, _ *tx) error {
		return s.Read(ctx, func(ctx context.Context, part *tx) error { return part.add(ctx, 1, nil) })
	})
	is.True(errors.Is(err, affiliate.ErrReadOnly))
	is.Equal(s.n, 3)
}

func TestNothingIsDoneOutsideOfALivingUnit(t *testing.T) {
	is := is.New(t)
	s := &numbers{}
	var kept *tx
	is.NoErr(s.Write(t.Context(), func(_ context.Context, t *tx) error { kept = t; return nil }))
	is.True(errors.Is(kept.add(t.Context(), 1, nil), unit.ErrEnded))

	ctx, cancel := context.WithCancel(t.Context())
	err := s.Write(ctx, func(ctx context.Context, t *tx) error {
		cancel()
		return t.add(ctx, 1, nil)
	})
	is.True(errors.Is(err, affiliate.ErrUnavailable))
	is.True(errors.Is(s.Read(ctx, func(context.Context, *tx) error { return nil }), affiliate.ErrUnavailable))
	err = s.Write(t.Context(), func(ctx context.Context, t *tx) error {
		t.Beside = func(context.Context) error { return errFull }
		return t.add(ctx, 1, nil)
	})
	is.True(errors.Is(err, errFull))
	is.Equal(s.n, 0)
}
