package storagetest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// listing describes a list: what is in it, and what its filters and sort
// columns make of that.
type listing[T, V, F any] struct {
	items   []V // as kept, ascending by id: at least four
	label   func(V) string
	list    func(ctx context.Context, tx T, f F, p affiliate.PageRequest) (affiliate.Page[V], error)
	filters []filterRow[F]
	// modify names fields that filter nothing by themselves: they change what
	// others mean, and their rows stand beside those.
	modify  []string
	or      string // the field that lets one item in, whatever the others say
	columns map[string]func(a, b V) int
}

// filterRow says which items a filter leaves, by label, in ascending order of id.
type filterRow[F any] struct {
	filter F
	want   string
}

// check tries each filter, every two and three fields together, every order and the
// edges of pages. The data must be able to show a mistake: each field of the
// filter has a row by itself that leaves some items and not all, and each
// column an order that is not the one of ids.
func (l listing[T, V, F]) check(t *testing.T, s affiliate.Store[T]) {
	t.Helper()
	everything := strings.Join(l.labels(l.items), " ")
	l.checkFilters(t, s, everything)
	l.checkOrders(t, s)
	l.checkPages(t, s)
}

func (l listing[T, V, F]) labels(items []V) []string {
	out := []string{}
	for _, v := range items {
		out = append(out, l.label(v))
	}
	return out
}

// page is one page of a list, in a unit of its own.
func (l listing[T, V, F]) page(t *testing.T, s affiliate.Store[T], f F, p affiliate.PageRequest) affiliate.Page[V] {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx T) (affiliate.Page[V], error) { return l.list(ctx, tx, f, p) })
}

func (l listing[T, V, F]) checkFilters(t *testing.T, s affiliate.Store[T], everything string) {
	t.Helper()
	rows := append([]filterRow[F]{{want: everything}}, l.filters...)
	alone := map[string]filterRow[F]{} // by field
	for _, row := range l.filters {
		if set := setFields(row.filter); len(set) == 1 && row.want != "" && row.want != everything {
			alone[set[0]] = row
		}
	}
	fields := reflect.TypeFor[F]()
	for f := range fields.Fields() {
		if _, ok := alone[f.Name]; !ok && !slices.Contains(l.modify, f.Name) {
			t.Errorf("the suite has no telling row for %s.%s alone", fields, f.Name)
		}
	}
	names := slices.Sorted(maps.Keys(alone))
	for i, a := range names {
		for j, b := range names[i+1:] {
			pair := both(alone[a], alone[b], b)
			rows = append(rows, pair)
			for _, c := range names[i+j+2:] {
				rows = append(rows, both(pair, alone[c], c))
			}
		}
	}
	if l.or != "" {
		rows = append(rows, l.orRows(slices.Collect(maps.Values(alone)))...)
	}
	read(t, s, func(ctx context.Context, tx T) error {
		for _, row := range rows {
			got, err := l.list(ctx, tx, row.filter, affiliate.PageRequest{Number: 1, Size: 100})
			if err != nil {
				return fmt.Errorf("list %+v: %w", row.filter, err)
			}
			want := strings.Fields(row.want)
			equal(t, fmt.Sprintf("labels by %+v", row.filter), l.labels(got.Items), want)
			equal(t, fmt.Sprintf("total by %+v", row.filter), got.Total, len(want))
		}
		return nil
	})
}

// orRows are the rows with each item let in besides.
func (l listing[T, V, F]) orRows(rows []filterRow[F]) []filterRow[F] {
	var out []filterRow[F]
	for _, row := range rows {
		left := strings.Fields(row.want)
		for _, item := range l.items {
			with := row.filter
			reflect.ValueOf(&with).Elem().FieldByName(l.or).Set(reflect.ValueOf(item).FieldByName("ID"))
			var want []string
			for _, label := range l.labels(l.items) {
				if label == l.label(item) || slices.Contains(left, label) {
					want = append(want, label)
				}
			}
			out = append(out, filterRow[F]{with, strings.Join(want, " ")})
		}
	}
	return out
}

// setFields names the fields of a filter that are not zero. An empty list
// is not a zero field.
func setFields(filter any) []string {
	zero := zeroFields(filter)
	var set []string
	for f := range reflect.TypeOf(filter).Fields() {
		if !slices.Contains(zero, f.Name) {
			set = append(set, f.Name)
		}
	}
	return set
}

// both is row a with the field of row b set too.
func both[F any](a, b filterRow[F], field string) filterRow[F] {
	reflect.ValueOf(&a.filter).Elem().FieldByName(field).Set(reflect.ValueOf(b.filter).FieldByName(field))
	right := strings.Fields(b.want)
	var want []string
	for _, label := range strings.Fields(a.want) {
		if slices.Contains(right, label) {
			want = append(want, label)
		}
	}
	return filterRow[F]{a.filter, strings.Join(want, " ")}
}

// checkOrders walks the whole list, and what each filter with a few matches
// leaves of it, in every order: backends take different ways for the two.
func (l listing[T, V, F]) checkOrders(t *testing.T, s affiliate.Store[T]) {
	t.Helper()
	for name, order := range l.columns {
		if slices.IsSortedFunc(l.items, order) {
			t.Errorf("the suite's own items cannot show an order by %s", name)
		}
	}
	var none F
	l.checkOrdersOf(t, s, none, l.items)
	for _, row := range l.filters {
		labels := strings.Fields(row.want)
		if len(labels) < 3 || len(labels) == len(l.items) {
			continue
		}
		l.checkOrdersOf(t, s, row.filter, slices.DeleteFunc(slices.Clone(l.items), func(v V) bool {
			return !slices.Contains(labels, l.label(v))
		}))
	}
}

// checkOrdersOf knows the items that the filter leaves, ascending by id.
func (l listing[T, V, F]) checkOrdersOf(t *testing.T, s affiliate.Store[T], f F, items []V) {
	t.Helper()
	backwards := slices.Clone(items)
	slices.Reverse(backwards)
	read(t, s, func(ctx context.Context, tx T) error {
		for name, order := range l.columns { // ties stay by id both ways
			up, down := slices.Clone(items), slices.Clone(items)
			slices.SortStableFunc(up, order)
			slices.SortStableFunc(down, func(a, b V) int { return order(b, a) })
			err := all(
				func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{Column: name}, up) },
				func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{Column: name, Desc: true}, down) },
			)
			if err != nil {
				return err
			}
		}
		return all(
			func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{}, items) },
			func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{Column: "id"}, items) },
			func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{Column: "id", Desc: true}, backwards) },
			func() error { return l.walk(t, ctx, tx, f, affiliate.Sort{Desc: true}, backwards) },
		)
	})
}

// walk turns the pages of a list, two items on each: by their numbers alone, and
// with the keys of the list kept from one page to the next.
func (l listing[T, V, F]) walk(t *testing.T, ctx context.Context, tx T, f F, sort affiliate.Sort, want []V) error {
	t.Helper()
	return all(
		func() error { return l.walkWith(t, ctx, tx, f, affiliate.PageRequest{Size: 2, Sort: sort}, want) },
		func() error {
			return l.walkWith(t, ctx, tx, f, affiliate.PageRequest{Size: 2, Sort: sort, Keys: &affiliate.PageKeys{}}, want)
		},
	)
}

func (l listing[T, V, F]) walkWith(t *testing.T, ctx context.Context, tx T, f F, p affiliate.PageRequest, want []V) error {
	t.Helper()
	sort := p.Sort
	var got []V
	for n := 1; len(got) < len(want); n++ {
		p.Number = n
		page, err := l.list(ctx, tx, f, p)
		if err != nil {
			return fmt.Errorf("list %+v by %+v: %w", f, sort, err)
		}
		if page.Total != len(want) || len(page.Items) == 0 {
			t.Errorf("page %d of %+v by %+v: %d items of %d, want %d in all", n, f, sort, len(page.Items), page.Total, len(want))
			return nil
		}
		got = append(got, page.Items...)
	}
	equal(t, fmt.Sprintf("labels of %+v by %+v", f, sort), l.labels(got), l.labels(want))
	p.Number++
	page, err := l.list(ctx, tx, f, p)
	equal(t, "items behind the last page", len(page.Items), 0)
	equal(t, "total behind the last page", page.Total, len(want))
	return err
}

func (l listing[T, V, F]) checkPages(t *testing.T, s affiliate.Store[T]) {
	t.Helper()
	n := len(l.items)
	var none F
	for _, p := range []struct{ number, size, from, to int }{
		{1, 1, 0, 1},
		{n, 1, n - 1, n},
		{n + 1, 1, n, n},
		{1, n, 0, n},
		{2, n, n, n},
		{1, n + 1, 0, n},
		{2, n - 1, n - 1, n},
		{1, affiliate.MaxPageSize, 0, n},
		{affiliate.MaxPageNumber, affiliate.MaxPageSize, n, n},
	} {
		got := l.page(t, s, none, affiliate.PageRequest{Number: p.number, Size: p.size})
		what := fmt.Sprintf("page %d of size %d", p.number, p.size)
		equal(t, what, got.Items, l.items[p.from:p.to])
		equal(t, what+", total", got.Total, n)
		for i := range got.Items {
			scribble(&got.Items[i])
		}
	}
	for _, unset := range []affiliate.PageRequest{{}, {Number: 1}, {Size: n}} {
		got := l.page(t, s, none, unset)
		equal(t, fmt.Sprintf("first page, by %+v", unset), got.Items, l.items[:min(n, unset.Limit())])
		equal(t, "its total", got.Total, n)
	}
	equal(t, "items, after callers wrote into theirs", l.page(t, s, none, affiliate.PageRequest{Number: 1, Size: n}).Items, l.items)

	for _, bad := range []struct {
		page  affiliate.PageRequest
		field string
		code  string
	}{
		{affiliate.PageRequest{Number: -1, Size: 1}, "page", "out_of_range"},
		{affiliate.PageRequest{Number: affiliate.MaxPageNumber + 1, Size: 1}, "page", "out_of_range"},
		{affiliate.PageRequest{Number: 1, Size: -1}, "size", "out_of_range"},
		{affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize + 1}, "size", "out_of_range"},
		{affiliate.PageRequest{Number: 1, Size: 1, Sort: affiliate.Sort{Column: "shoe_size"}}, "sort_by", "unknown_column"},
		{affiliate.PageRequest{Number: 1, Size: 1, Sort: affiliate.Sort{Column: "ID"}}, "sort_by", "unknown_column"},
		{affiliate.PageRequest{Number: 1, Size: 1, Sort: affiliate.Sort{Column: "id; --"}}, "sort_by", "unknown_column"},
	} {
		unreadable(t, s, invalid(bad.field, bad.code), func(ctx context.Context, tx T) error {
			_, err := l.list(ctx, tx, none, bad.page)
			return err
		})
	}
}

// addAll keeps values in one unit.
func addAll[T, V any](t *testing.T, s affiliate.Store[T], add func(ctx context.Context, tx T, v V) (V, error), values ...V) []V {
	t.Helper()
	kept := make([]V, len(values))
	write(t, s, func(ctx context.Context, tx T) (err error) {
		for i, v := range values {
			if kept[i], err = add(ctx, tx, v); err != nil {
				return fmt.Errorf("add %+v: %w", v, err)
			}
		}
		return nil
	})
	return kept
}

// oneOf is the only value of a batch read, or what Get would say.
func oneOf[V any](values []V, err error) (V, error) {
	var none V
	switch {
	case err != nil:
		return none, err
	case len(values) == 0:
		return none, affiliate.NotFound("value", "of a batch")
	case len(values) > 1:
		return none, fmt.Errorf("got %d values, want one", len(values))
	}
	return values[0], nil
}

// unkeepable are texts that no backend keeps, so that no lookup finds them.
func unkeepable() []string { return []string{"\x00", "a\x00", "\xff", "\xed\xa0\x80"} }
