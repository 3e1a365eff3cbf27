package storagetest

import (
	"context"
	"slices"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// manyRows is how many rows checkMany makes: more than a page has, and more than a part
// of an index in memory.
const manyRows = 1100

// checkMany adds the items again and again, which again tells apart by what must be
// unique and by their label, and walks the list in every order. Most rows tie with
// many others then, also across pages; ties stay by id.
func (l listing[T, V, F]) checkMany(t *testing.T, s affiliate.Store[T], add func(ctx context.Context, tx T, v V) (V, error), again func(v V, n int) V) {
	t.Helper()
	var more []V
	for n := range manyRows - len(l.items) {
		more = append(more, again(l.items[n%len(l.items)], n))
	}
	items := slices.Concat(l.items, addAll(t, s, add, more...))
	backwards := slices.Clone(items)
	slices.Reverse(backwards)
	var none F
	walk := func(ctx context.Context, tx T, sort affiliate.Sort, want []V) error {
		return all(
			func() error {
				return l.walkWith(t, ctx, tx, none, affiliate.PageRequest{Size: 100, Sort: sort}, want)
			},
			func() error {
				return l.walkWith(t, ctx, tx, none, affiliate.PageRequest{Size: 64, Sort: sort, Keys: &affiliate.PageKeys{}}, want)
			},
		)
	}
	read(t, s, func(ctx context.Context, tx T) error {
		for name, order := range l.columns {
			up, down := slices.Clone(items), slices.Clone(items)
			slices.SortStableFunc(up, order)
			slices.SortStableFunc(down, func(a, b V) int { return order(b, a) })
			err := all(
				func() error { return walk(ctx, tx, affiliate.Sort{Column: name}, up) },
				func() error { return walk(ctx, tx, affiliate.Sort{Column: name, Desc: true}, down) },
			)
			if err != nil {
				return err
			}
		}
		return all(
			func() error { return walk(ctx, tx, affiliate.Sort{}, items) },
			func() error { return walk(ctx, tx, affiliate.Sort{Desc: true}, backwards) },
		)
	})
}
