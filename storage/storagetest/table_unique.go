package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func (tb table[T, V]) testUnique(t *testing.T, s affiliate.Store[T]) {
	w := tb.newWorld(t, s)
	for i, u := range tb.unique {
		tb.testUniqueText(t, s, w, u, 100*(i+1))
	}
}

func (tb table[T, V]) testUniqueText(t *testing.T, s affiliate.Store[T], w world, u uniqueText[V], n int) {
	named := func(n int, text string) V {
		v := tb.sample(w, n)
		*u.at(&v) = text
		return v
	}
	names := []string{"Straße", "straße", "STRASSE", "Strasse", "Straße ", " Straße", "Strasse\u0301"}
	if u.narrow {
		names = []string{"straße@a.example", "strasse@a.example", "strassé@a.example", "ıx@a.example", "ix@a.example"}
	}
	var same []string // as names[0]
	if u.folded {
		names = []string{"Ängström", "Angstrom", "Ängström ", " Ängström", "Ängstrøm"}
		same = []string{"ängström", "ÄNGSTRÖM", "A\u0308ngstro\u0308m"}
	}
	kept := make([]V, len(names))
	write(t, s, func(ctx context.Context, tx T) (err error) {
		for i, name := range names {
			if kept[i], err = tb.add(ctx, tx, named(n+i, name)); err != nil {
				return fmt.Errorf("%q after %q: %w", name, names[:i], err)
			}
		}
		if u.elsewhere != nil {
			v := named(n+20, names[0])
			u.elsewhere(&v, w)
			_, err = tb.add(ctx, tx, v)
		}
		return err
	})
	for i, name := range names {
		tb.refuse(t, s, w, kept[(i+1)%len(names)], taken(u.field), func(v *V) { *u.at(v) = name })
	}
	if u.elsewhere == nil {
		for _, r := range tb.references {
			if r.field == u.within {
				continue
			}
			want := taken(u.field) // a taken key goes first
			if u.after {
				want = unknown(r.field)
			}
			tb.refuse(t, s, w, kept[1], want, func(v *V) {
				*u.at(v) = names[0]
				r.set(v, nowhere)
			})
		}
	}
	for _, name := range same {
		tb.refuse(t, s, w, kept[1], taken(u.field), func(v *V) { *u.at(v) = name })
	}
	refused(t, s, taken(u.field), func(ctx context.Context, tx T) error { // both in one unit
		_, err := tb.add(ctx, tx, named(n+30, "x"+names[0]))
		if err == nil {
			_, err = tb.add(ctx, tx, named(n+31, "x"+names[0]))
		}
		return err
	})
	if tb.update == nil {
		return
	}
	moved := tb.withID(named(n, "y"+names[0]), kept[0])
	undone := errors.New("undone")
	if err := s.Write(t.Context(), func(ctx context.Context, tx T) error {
		return errors.Join(tb.update(ctx, tx, moved), undone)
	}); !errors.Is(err, undone) || errors.Is(err, affiliate.ErrConflict) {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	// An update that is undone moves no key; one that is kept does.
	tb.refuse(t, s, w, kept[1], taken(u.field), func(v *V) { *u.at(v) = names[0] })
	write(t, s, func(ctx context.Context, tx T) error {
		if err := tb.update(ctx, tx, moved); err != nil {
			return err
		}
		_, err := tb.add(ctx, tx, named(n+40, names[0]))
		return err
	})
	tb.refuse(t, s, w, kept[1], taken(u.field), func(v *V) { *u.at(v) = "y" + names[0] })
}
