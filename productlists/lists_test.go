package productlists_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// newService is a service over a store that knows the products 0 to known-1.
func newService(tb testing.TB, store productlists.Store, known int) *productlists.Service {
	tb.Helper()
	is := is.New(tb)
	s, err := productlists.NewService(store, productlists.Options{Clock: func() time.Time { return noon }})
	is.NoErr(err)
	var products []productlists.Product
	for _, id := range ids(0, known) {
		products = append(products, product(id))
	}
	for batch := range slices.Chunk(products, productlists.MaxBatch) {
		is.NoErr(s.PutProducts(tb.Context(), batch...))
	}
	return s
}

func product(id string) productlists.Product {
	return productlists.Product{
		ID: id, Name: "Product " + id, DirectURL: "https://shop.example/" + id, Availability: productlists.InStock,
		RegularPrice: affiliate.NewMoney(12999, "USD"), FinalPrice: affiliate.NewMoney(9999, "USD"),
	}
}

// ids are the numbers from..until-1 as product ids.
func ids(from, until int) []string {
	var out []string
	for i := from; i < until; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

func onEachBackend(t *testing.T, known int, test func(t *testing.T, s *productlists.Service)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		test(t, newService(t, b.ProductLists, known))
	})
}

// create is a new list of an account.
func create(tb testing.TB, s *productlists.Service, account string, ids ...string) productlists.Content {
	tb.Helper()
	c, _, err := s.CreateList(tb.Context(), account, productlists.ListInput{Name: "list", ProductIDs: ids})
	is.New(tb).NoErr(err)
	return c
}

// shown are the product ids of a list as it is read.
func shown(tb testing.TB, s *productlists.Service, account string, id uuid.UUID) []string {
	tb.Helper()
	is := is.New(tb)
	c, err := s.List(tb.Context(), account, id)
	is.NoErr(err)
	is.Equal(c.Size, len(c.Items)) // the count is that of the products
	var out []string
	for _, item := range c.Items {
		out = append(out, item.ProductID)
	}
	return out
}

func TestCreateListKeepsOrderAndIgnoresWhatIsUnknown(t *testing.T) {
	onEachBackend(t, 5, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		c, ignored, err := s.CreateList(t.Context(), "acme", productlists.ListInput{
			Name: "Lampor", Metadata: map[string]string{"b": "2", "a": "1"}, PoolID: affiliate.Some[int64](456), OwnerIdentifier: "anna",
			ProductIDs: []string{"3", "none", "0", "3", "4", "none", "nothing"},
		})
		is.NoErr(err)
		is.Equal(ignored, []string{"none", "nothing"})
		is.Equal(c.Metadata, []productlists.Pair{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}})
		is.Equal(c.ID.Version(), uuid.Version(7))
		is.Equal(c.CreatedAt, noon)
		is.Equal(c.Size, 3)
		read, err := s.List(t.Context(), "acme", c.ID)
		is.NoErr(err)
		is.Equal(read, c) // what create returns is what a read returns
		is.Equal(shown(t, s, "acme", c.ID), []string{"3", "0", "4"})
		is.Equal(c.Items[0].Product, affiliate.Some(product("3")))
		is.Equal(c.Items[0].CommissionURL, "https://shop.example/3")
	})
}

func TestEachIDIsAnsweredOnce(t *testing.T) {
	onEachBackend(t, 10, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme", "1", "2")
		added, err := s.AddProducts(t.Context(), "acme", l.ID, []string{"9", "2", "none", "3", "9", "none"})
		is.NoErr(err)
		is.Equal(added, productlists.Changes{Done: []string{"9", "3"}, Ignored: []string{"2", "none"}})
		is.Equal(shown(t, s, "acme", l.ID), []string{"1", "2", "9", "3"})
		removed, err := s.RemoveProducts(t.Context(), "acme", l.ID, []string{"3", "none", "2", "5", "3"})
		is.NoErr(err)
		is.Equal(removed, productlists.Changes{Done: []string{"3", "2"}, Ignored: []string{"none", "5"}})
		is.Equal(shown(t, s, "acme", l.ID), []string{"1", "9"})
		nothing, err := s.AddProducts(t.Context(), "acme", l.ID, nil)
		is.NoErr(err)
		is.Equal(nothing, productlists.Changes{})
	})
}

func TestADeletedProductStaysUnavailable(t *testing.T) {
	onEachBackend(t, 3, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme", "0", "1", "2")
		n, err := s.DeleteProducts(t.Context(), []string{"1", "none"})
		is.NoErr(err)
		is.Equal(n, 1)
		c, err := s.List(t.Context(), "acme", l.ID)
		is.NoErr(err)
		is.Equal(c.Items[1], productlists.Item{ProductID: "1"})
		is.Equal(c.Size, 3)
		changes, err := s.AddProducts(t.Context(), "acme", create(t, s, "acme").ID, []string{"1", "2"})
		is.NoErr(err)
		is.Equal(changes.Ignored, []string{"1"}) // it is unknown now
		changes, err = s.RemoveProducts(t.Context(), "acme", l.ID, []string{"1"})
		is.NoErr(err)
		is.Equal(changes.Done, []string{"1"}) // and can be taken off
	})
}

func TestAnotherAccountsListIsNotFound(t *testing.T) {
	onEachBackend(t, 3, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme", "0")
		for _, account := range []string{"nordic", "", "acme\x00", "ACME"} {
			_, err := s.List(t.Context(), account, l.ID)
			is.True(errors.Is(err, affiliate.ErrNotFound))
			is.True(errors.Is(s.DeleteList(t.Context(), account, l.ID), affiliate.ErrNotFound))
			_, err = s.AddProducts(t.Context(), account, l.ID, []string{"1"})
			is.True(errors.Is(err, affiliate.ErrNotFound))
			_, err = s.RemoveProducts(t.Context(), account, l.ID, []string{"0"})
			is.True(errors.Is(err, affiliate.ErrNotFound))
		}
		is.Equal(shown(t, s, "acme", l.ID), []string{"0"})
		page, err := s.Lists(t.Context(), "nordic", nil, affiliate.PageRequest{Number: 1, Size: 100})
		is.NoErr(err)
		is.Equal(page.Total, 0)
		_, err = s.Lists(t.Context(), "", nil, affiliate.PageRequest{Number: 1, Size: 100})
		is.True(errors.Is(err, affiliate.ErrInvalid)) // no account is not everybody
	})
}

func TestDeletingTwiceIsNotFound(t *testing.T) {
	onEachBackend(t, 1, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme", "0")
		is.NoErr(s.DeleteList(t.Context(), "acme", l.ID))
		is.True(errors.Is(s.DeleteList(t.Context(), "acme", l.ID), affiliate.ErrNotFound))
		_, err := s.List(t.Context(), "acme", l.ID)
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestListsAreFoundByAllOfTheirPairs(t *testing.T) {
	onEachBackend(t, 0, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		for i := range 250 {
			_, _, err := s.CreateList(t.Context(), "acme", productlists.ListInput{
				Name: strconv.Itoa(i), Metadata: map[string]string{"half": strconv.Itoa(i % 2), "third": strconv.Itoa(i % 3)},
			})
			is.NoErr(err)
		}
		names := func(number int, pairs ...productlists.Pair) (names []string, total int) {
			page, err := s.Lists(t.Context(), "acme", pairs, affiliate.PageRequest{Number: number, Size: 100})
			is.NoErr(err)
			for _, l := range page.Items {
				names = append(names, l.Name)
			}
			return names, page.Total
		}
		var all []string
		for number := 1; number <= 4; number++ {
			page, total := names(number)
			is.Equal(total, 250)
			all = append(all, page...)
		}
		is.Equal(all, ids(0, 250)) // in the order of creation, none lost, none twice
		half := productlists.Pair{Key: "half", Value: "1"}
		third := productlists.Pair{Key: "third", Value: "2"}
		_, total := names(1, half)
		is.Equal(total, 125)
		both, total := names(1, half, third)
		is.Equal(total, 41) // 5, 11, …, 245
		is.Equal(both[:3], []string{"5", "11", "17"})
		_, total = names(1, half, productlists.Pair{Key: "half", Value: "0"})
		is.Equal(total, 0)
	})
}

func TestBoundsNameTheirFieldAndNothingIsHalfApplied(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ä", n) }
	metadata := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[strconv.Itoa(i)] = "x"
		}
		return m
	}
	onEachBackend(t, 3, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		for _, ok := range []productlists.ListInput{
			{Name: long(255), Metadata: metadata(16), OwnerIdentifier: long(255), ProductIDs: slices.Repeat([]string{"1"}, 1000)},
			{Name: "x", Metadata: map[string]string{long(64): long(512)}, ProductIDs: []string{long(255)}},
		} {
			_, _, err := s.CreateList(t.Context(), "acme", ok)
			is.NoErr(err)
		}
		for _, tt := range []struct {
			in     productlists.ListInput
			fields string
		}{
			{productlists.ListInput{}, "name"},
			{productlists.ListInput{Name: long(256)}, "name"},
			{productlists.ListInput{Name: "x", OwnerIdentifier: long(256)}, "owner_identifier"},
			{productlists.ListInput{Name: "x", Metadata: metadata(17)}, "metadata"},
			{productlists.ListInput{Name: "x", Metadata: map[string]string{long(65): ""}}, "metadata"},
			{productlists.ListInput{Name: "x", Metadata: map[string]string{"": ""}}, "metadata"},
			{productlists.ListInput{Name: "x", Metadata: map[string]string{"k": long(513)}}, "metadata.k"},
			{productlists.ListInput{Name: "x", Metadata: map[string]string{"k": "\x00"}}, "metadata.k"},
			{productlists.ListInput{Name: "x", ProductIDs: slices.Repeat([]string{"1"}, 1001)}, "product_ids"},
			{productlists.ListInput{Name: "x", ProductIDs: []string{"1", ""}}, "product_ids.1"},
			{productlists.ListInput{Name: "x", ProductIDs: []string{long(256)}}, "product_ids.0"},
			{productlists.ListInput{Name: "", Metadata: metadata(17), OwnerIdentifier: "\xff", ProductIDs: []string{""}}, "name owner_identifier metadata product_ids.0"},
		} {
			_, _, err := s.CreateList(t.Context(), "acme", tt.in)
			is.Equal(fieldsOf(err), tt.fields) // every field at fault, and no other
		}
		page, err := s.Lists(t.Context(), "acme", nil, affiliate.PageRequest{Number: 1, Size: 100})
		is.NoErr(err)
		is.Equal(page.Total, 2) // what was refused left nothing
		_, err = s.Lists(t.Context(), "acme", productlists.MetadataOf(metadata(17)), affiliate.PageRequest{Number: 1, Size: 100})
		is.Equal(fieldsOf(err), "metadata")
		_, err = s.Lists(t.Context(), "acme", nil, affiliate.PageRequest{Number: -1, Size: 100})
		is.Equal(fieldsOf(err), "page")

		l := create(t, s, "acme", "0")
		for _, ids := range [][]string{slices.Repeat([]string{"1"}, 1001), {"1", ""}, {"1", "\x00"}} {
			_, err := s.AddProducts(t.Context(), "acme", l.ID, ids)
			is.True(strings.HasPrefix(fieldsOf(err), "product_ids"))
			_, err = s.RemoveProducts(t.Context(), "acme", l.ID, append(ids, "0"))
			is.True(strings.HasPrefix(fieldsOf(err), "product_ids"))
		}
		is.Equal(shown(t, s, "acme", l.ID), []string{"0"})
	})
}

// fieldsOf names the fields of a validation error.
func fieldsOf(err error) string {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || !errors.Is(err, affiliate.ErrInvalid) {
		return fmt.Sprintf("error %v", err)
	}
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Field)
	}
	return strings.Join(names, " ")
}

func TestAListHoldsTenThousandProductsAndNoMore(t *testing.T) {
	onEachBackend(t, productlists.MaxProducts+2, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme", "0")
		for from := 1; from < productlists.MaxProducts; from += productlists.MaxBatch {
			_, err := s.AddProducts(t.Context(), "acme", l.ID, ids(from, min(from+productlists.MaxBatch, productlists.MaxProducts)))
			is.NoErr(err)
		}
		full := ids(0, productlists.MaxProducts)
		is.Equal(shown(t, s, "acme", l.ID), full)
		_, err := s.AddProducts(t.Context(), "acme", l.ID, []string{"10000"})
		is.Equal(fieldsOf(err), "product_ids")
		changes, err := s.AddProducts(t.Context(), "acme", l.ID, []string{"5", "none"})
		is.NoErr(err) // what is ignored needs no room
		is.Equal(changes.Ignored, []string{"5", "none"})
		_, err = s.RemoveProducts(t.Context(), "acme", l.ID, []string{"7"})
		is.NoErr(err)
		_, err = s.AddProducts(t.Context(), "acme", l.ID, []string{"10000", "10001"})
		is.Equal(fieldsOf(err), "product_ids") // one of the two would fit: neither is added
		_, err = s.AddProducts(t.Context(), "acme", l.ID, []string{"10000"})
		is.NoErr(err)
		is.Equal(shown(t, s, "acme", l.ID), append(slices.Delete(full, 7, 8), "10000"))
	})
}

func TestTheSameIDsFromFiftyGoroutinesAreAddedOnce(t *testing.T) {
	onEachBackend(t, 20, func(t *testing.T, s *productlists.Service) {
		is := is.New(t)
		l := create(t, s, "acme")
		var wg sync.WaitGroup
		start := make(chan struct{})
		var mu sync.Mutex
		var added []string
		var errs []error
		for n := range 50 {
			wg.Go(func() {
				<-start
				mine := ids(0, 20)
				slices.Reverse(mine[:n%20]) // each in an order of its own
				changes, err := s.AddProducts(t.Context(), "acme", l.ID, mine)
				for errors.Is(err, affiliate.ErrUnavailable) { // too busy: try again, as a client would
					changes, err = s.AddProducts(t.Context(), "acme", l.ID, mine)
				}
				mu.Lock()
				defer mu.Unlock()
				added = append(added, changes.Done...)
				if err != nil || len(changes.Done)+len(changes.Ignored) != 20 {
					errs = append(errs, fmt.Errorf("%+v, error %w", changes, err))
				}
			})
		}
		close(start)
		wg.Wait()
		is.NoErr(errors.Join(errs...))
		is.Equal(shown(t, s, "acme", l.ID), added) // each was added by one of them, in the list's order
		slices.Sort(added)
		want := ids(0, 20)
		slices.Sort(want)
		is.Equal(added, want)
	})
}

// Whatever is done to a list, it is what a plain slice would be.
func TestAListIsASliceWithoutDuplicates(t *testing.T) {
	s := newService(t, memory.New().ProductLists(), 12)
	rapid.Check(t, func(rt *rapid.T) {
		is := is.New(rt)
		some := rapid.SliceOfN(rapid.SampledFrom(append(ids(0, 12), "x", "y")), 0, 8)
		known := func(id string) bool { return id != "x" && id != "y" }
		c, _, err := s.CreateList(t.Context(), "acme", productlists.ListInput{Name: "list"})
		is.NoErr(err)
		var model []string
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			named := some.Draw(rt, "ids")
			var changes productlists.Changes
			var want productlists.Changes
			add := rapid.Bool().Draw(rt, "add")
			for i, id := range named {
				on := slices.Index(model, id)
				switch {
				case slices.Contains(named[:i], id):
				case add && known(id) && on < 0:
					model, want.Done = append(model, id), append(want.Done, id)
				case !add && on >= 0:
					model, want.Done = slices.Delete(model, on, on+1), append(want.Done, id)
				default:
					want.Ignored = append(want.Ignored, id)
				}
			}
			if add {
				changes, err = s.AddProducts(t.Context(), "acme", c.ID, named)
			} else {
				changes, err = s.RemoveProducts(t.Context(), "acme", c.ID, named)
			}
			is.NoErr(err)
			is.Equal(changes, want)
			got, err := s.List(t.Context(), "acme", c.ID)
			is.NoErr(err)
			is.Equal(got.Size, len(model))
			for i, item := range got.Items {
				is.Equal(item.ProductID, model[i])
			}
		}
	})
}

// catalog is a host's own, which counts how often it is asked.
type catalog struct {
	asked int
	err   error
}

func (c *catalog) Products(_ context.Context, ids []string) ([]productlists.Product, error) {
	c.asked++
	var found []productlists.Product
	for _, id := range ids {
		if id != "unknown" {
			found = append(found, product(id))
		}
	}
	return found, c.err
}

func TestAHostsCatalogIsAskedOnceForEachCall(t *testing.T) {
	is := is.New(t)
	c := &catalog{}
	s, err := productlists.NewService(memory.New().ProductLists(), productlists.Options{Catalog: c})
	is.NoErr(err)
	l := create(t, s, "acme", "1", "2", "unknown")
	is.Equal(c.asked, 1)
	is.Equal(shown(t, s, "acme", l.ID), []string{"1", "2"})
	is.Equal(c.asked, 2)
	c.err = affiliate.Unavailable(errors.New("down"))
	_, err = s.AddProducts(t.Context(), "acme", l.ID, []string{"3"})
	is.True(errors.Is(err, affiliate.ErrUnavailable))
	_, err = s.RemoveProducts(t.Context(), "acme", l.ID, []string{"1"})
	is.NoErr(err) // which needs no catalog
}

func TestOptionsAreChecked(t *testing.T) {
	is := is.New(t)
	_, err := productlists.NewService(nil, productlists.Options{})
	is.True(err != nil)
	_, err = productlists.NewService(memory.New().ProductLists(), productlists.Options{CommissionURL: "https://:ACCOUNT_ID.example/"})
	is.Equal(fieldsOf(err), "commission_url")
}
