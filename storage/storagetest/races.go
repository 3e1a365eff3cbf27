package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

// serializableScenarios are what only a serializable Write gives.
func serializableScenarios[T affiliate.Tx]() []scenario[affiliate.Store[T]] {
	return []scenario[affiliate.Store[T]]{
		{"write/writers at once lose no update", testLostUpdate[T]},
		{"write/of writers at once that look first, one adds", testPhantom[T]},
		{"write/of writers at once one takes a unique key", testKeyRace[T]},
		{"write/readers see no half of a unit", testHalves[T]},
	}
}

func testLostUpdate[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	const rounds = 5
	g := put(t, s, func(ctx context.Context, tx T) (affiliate.AdvertiserGroup, error) {
		return tx.AdvertiserGroups().Add(ctx, sampleGroup(1))
	})
	together(t, writers, func(int) error {
		for range rounds {
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx T) error {
				g, err := tx.AdvertiserGroups().Get(ctx, g.ID)
				if err != nil {
					return err
				}
				g.PaymentLimit++
				return tx.AdvertiserGroups().Update(ctx, g)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	got := see(t, s, func(ctx context.Context, tx T) (affiliate.AdvertiserGroup, error) {
		return tx.AdvertiserGroups().Get(ctx, g.ID)
	})
	equal(t, "counted", got.PaymentLimit, int64(writers*rounds))
}

func testPhantom[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	for round := range 4 {
		f := affiliate.UserTagFilter{Name: fmt.Sprintf("round %d.", round)}
		together(t, writers, func(i int) error {
			return insist(t.Context(), s.Write, func(ctx context.Context, tx T) error {
				there, err := tx.UserTags().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 1})
				if err != nil || there.Total > 0 {
					return err
				}
				tag := sampleTag(100*round + i)
				tag.Name = f.Name
				return second(tx.UserTags().Add(ctx, tag))
			})
		})
		got := see(t, s, func(ctx context.Context, tx T) (affiliate.Page[affiliate.UserTag], error) {
			return tx.UserTags().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 10})
		})
		equal(t, "added", got.Total, 1)
	}
}

func testKeyRace[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	for round := range 4 {
		won := make([]bool, writers)
		together(t, writers, func(i int) error {
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx T) error {
				if err := change(ctx, tx, 100*round+i); err != nil {
					return err
				}
				return second(tx.Categories().Add(ctx, affiliate.Category{Name: fmt.Sprint(round)}))
			})
			won[i] = err == nil
			if err != nil && taken("name").problem(err) != "" {
				return err
			}
			return nil
		})
		winners := 0
		for _, w := range won {
			if w {
				winners++
			}
		}
		equal(t, "winners", winners, 1)
		expectTally(t, s, "after the race", times(round+1))
	}
}

// testHalves moves an amount between two rows while readers add them up.
func testHalves[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) {
	const sum, rounds = 1000, 10
	add := func(ctx context.Context, tx T, g affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
		return tx.AdvertiserGroups().Add(ctx, g)
	}
	a, b := sampleGroup(1), sampleGroup(2)
	a.PaymentLimit = sum
	kept := addAll(t, s, add, a, b)
	both := func(ctx context.Context, tx T) (a, b affiliate.AdvertiserGroup, err error) {
		if a, err = tx.AdvertiserGroups().Get(ctx, kept[0].ID); err == nil {
			b, err = tx.AdvertiserGroups().Get(ctx, kept[1].ID)
		}
		return a, b, err
	}
	move := func(ctx context.Context, tx T) error {
		a, b, err := both(ctx, tx)
		if err != nil {
			return err
		}
		a.PaymentLimit--
		b.PaymentLimit++
		return all(
			func() error { return tx.AdvertiserGroups().Update(ctx, a) },
			func() error { return tx.AdvertiserGroups().Update(ctx, b) },
		)
	}
	look := func(ctx context.Context, tx T) error {
		a, b, err := both(ctx, tx)
		if err == nil && a.PaymentLimit+b.PaymentLimit != sum {
			err = fmt.Errorf("got %d and %d, want a sum of %d", a.PaymentLimit, b.PaymentLimit, sum)
		}
		return err
	}
	together(t, writers, func(i int) error {
		for range rounds {
			unit, fn := s.Read, look
			if i < 2 {
				unit, fn = s.Write, move
			}
			if err := insist(t.Context(), unit, fn); err != nil {
				return err
			}
		}
		return nil
	})
	last := see(t, s, func(ctx context.Context, tx T) (affiliate.AdvertiserGroup, error) {
		return tx.AdvertiserGroups().Get(ctx, kept[1].ID)
	})
	equal(t, "moved", last.PaymentLimit, int64(2*rounds))
}

// betweenStores are what holds between the stores of one backend.
func betweenStores() []scenario[Backend] {
	return []scenario[Backend]{
		{"stores/see the same data", testSameData},
		{"stores/a person is taken out of all of them", testPersonOfAllStores},
		{"stores/a unit of the core gives the repositories of offers", testCoreGivesOffers},
		{"stores/a unit within one of another store of the backend is refused", testNestedStores},
		{"stores/a call leaves what it is given, and fails with its request", testEveryMethod},
	}
}

func testSameData(t *testing.T, b Backend) {
	c := put(t, b.Core, func(ctx context.Context, tx affiliate.Tx) (affiliate.Category, error) {
		return tx.Categories().Add(ctx, sampleCategory(1))
	})
	got := see(t, b.Links, func(ctx context.Context, tx links.Tx) ([]affiliate.Category, error) { return tx.Categories().All(ctx) })
	equal(t, "seen by links", got, []affiliate.Category{c})
	refused(t, b.Links, taken("name"), func(ctx context.Context, tx links.Tx) error {
		return second(tx.Categories().Add(ctx, sampleCategory(1)))
	})
}

// A change of a user is also one of its participations, in the same unit.
func testCoreGivesOffers(t *testing.T, b Backend) {
	write(t, b.Core, func(ctx context.Context, core affiliate.Tx) error {
		tx, ok := core.(offers.Tx)
		if !ok {
			t.Fatalf("got a %T, want an offers.Tx", core)
		}
		_, err := tx.Participants().ByUser(ctx, 1)
		return err
	})
}

func testNestedStores(t *testing.T, b Backend) {
	units := map[string]func(context.Context, func(context.Context) error) error{
		"Core.Read": func(c context.Context, fn func(context.Context) error) error {
			return b.Core.Read(c, func(c context.Context, _ affiliate.Tx) error { return fn(c) })
		},
		"Core.Write": func(c context.Context, fn func(context.Context) error) error {
			return b.Core.Write(c, func(c context.Context, _ affiliate.Tx) error { return fn(c) })
		},
		"Links.Read": func(c context.Context, fn func(context.Context) error) error {
			return b.Links.Read(c, func(c context.Context, _ links.Tx) error { return fn(c) })
		},
		"Links.Write": func(c context.Context, fn func(context.Context) error) error {
			return b.Links.Write(c, func(c context.Context, _ links.Tx) error { return fn(c) })
		},
		"Links.Record": func(c context.Context, fn func(context.Context) error) error {
			return b.Links.Record(c, func(c context.Context, _ links.Tx) error { return fn(c) })
		},
	}
	equal(t, "outside of units", b.Links.Nested(t.Context()) || b.Orders.Nested(t.Context()), false)
	for outerName, outer := range units {
		for innerName, inner := range units {
			err := outer(t.Context(), func(c context.Context) error {
				equal(t, outerName+" is a unit", b.Links.Nested(c) && b.Orders.Nested(c), true)
				return inner(c, func(context.Context) error { return errMine })
			})
			if !errors.Is(err, affiliate.ErrNested) || errors.Is(err, errMine) {
				t.Errorf("%s in %s: got %v, want ErrNested", innerName, outerName, err)
			}
		}
	}
}
