package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

type (
	listsTx    = productlists.Tx
	listsStore = affiliate.Store[productlists.Tx]
)

// RunProductLists runs the cases of package productlists on Backend.ProductLists.
func RunProductLists(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) listsStore { return open(t).ProductLists }, productListsScenarios())
}

func productListsScenarios() []scenario[listsStore] {
	return slices.Concat(
		writeScenarios[listsTx](),
		productListTable().scenarios(),
		productTable().scenarios(),
		[]scenario[listsStore]{
			{"product lists/an id is taken once", testListID},
			{"product lists/metadata is kept to the letter", testMetadata},
			{"product lists/list", testListList},
			{"product lists/delete", testListDelete},
			{"items/append, all, among, remove", testItems},
			{"items/what is invalid is refused without a trace", testItemsRefused},
			{"items/of ten thousand", testManyItems},
			{"items/writers at once add each product once", testItemRace},
			{"products/put replaces, the later of two counts", testPut},
			{"products/scan", testScanProducts},
			{"products/put thousands", testPutMany},
			{"products/get many, delete", testProductLookups},
			{"products/of writers at once one counts", testPutRace},
		},
	)
}

// listID is an id that n alone has; they do not grow with n.
func listID(n int) uuid.UUID {
	h := hash(n)
	return uuid.NewSHA1(uuid.NameSpaceURL, h[:])
}

func sampleList(n int) productlists.List {
	return productlists.List{ID: listID(n), AccountID: "account", Name: "list " + strconv.Itoa(n)}
}

func productListTable() table[listsTx, productlists.List] {
	type V = productlists.List
	pairs := func(n int) (pairs []productlists.Pair) {
		for i := range n {
			pairs = append(pairs, productlists.Pair{Key: fmt.Sprintf("k%02d", i)})
		}
		return pairs
	}
	return table[listsTx, V]{
		name:   "product lists",
		sample: func(_ world, n int) V { return sampleList(n) },
		full: func(world) V {
			return V{
				ID: listID(5000), AccountID: "other", Name: "Lampor", Metadata: []productlists.Pair{{Key: "a", Value: "b"}, {Key: "c"}},
				PoolID: affiliate.Some(int64(456)), OwnerIdentifier: "anna", CreatedAt: at(1),
			}
		},
		unset: []string{"Size"},
		add:   addList,
		fetch: func(ctx context.Context, tx listsTx, v V) (V, error) { return tx.ProductLists().Get(ctx, v.ID) },
		texts: []text[V]{
			{"account_id", 1, productlists.MaxAccountID, func(v *V) *string { return &v.AccountID }, false},
			{"name", 1, productlists.MaxName, func(v *V) *string { return &v.Name }, false},
			{"owner_identifier", 0, productlists.MaxOwner, func(v *V) *string { return &v.OwnerIdentifier }, false},
		},
		broken: []broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"metadata", "too_many", func(v *V) { v.Metadata = pairs(productlists.MaxPairs + 1) }},
			{"metadata", "not_sorted", func(v *V) { v.Metadata = []productlists.Pair{{Key: "b"}, {Key: "a"}} }},
			{"metadata", "not_sorted", func(v *V) { v.Metadata = []productlists.Pair{{Key: "a"}, {Key: "a", Value: "b"}} }},
			{"metadata", "invalid_key", func(v *V) { v.Metadata = []productlists.Pair{{Value: "x"}} }},
			{"metadata", "invalid_key", func(v *V) { v.Metadata = []productlists.Pair{{Key: strings.Repeat("k", 65)}} }},
			{"metadata", "invalid_key", func(v *V) { v.Metadata = []productlists.Pair{{Key: "a\x00"}} }},
			{"metadata.k", "too_long", func(v *V) { v.Metadata = []productlists.Pair{{Key: "k", Value: strings.Repeat("v", 513)}} }},
			{"metadata.k", "nul", func(v *V) { v.Metadata = []productlists.Pair{{Key: "k", Value: "\x00"}} }},
			{"metadata.k", "invalid_utf8", func(v *V) { v.Metadata = []productlists.Pair{{Key: "k", Value: "\xff"}} }},
		},
	}
}

func addList(ctx context.Context, tx listsTx, l productlists.List) (productlists.List, error) {
	return tx.ProductLists().Add(ctx, l)
}

func getList(n int) func(ctx context.Context, tx listsTx) (productlists.List, error) {
	return func(ctx context.Context, tx listsTx) (productlists.List, error) {
		return tx.ProductLists().Get(ctx, listID(n))
	}
}

func testListID(t *testing.T, s listsStore) {
	kept := addAll(t, s, addList, sampleList(1), sampleList(2))
	again := sampleList(1)
	again.AccountID, again.Size = "other", 7
	refused(t, s, taken("id"), func(ctx context.Context, tx listsTx) error {
		return all(
			func() error { return second(addList(ctx, tx, sampleList(3))) },
			func() error { return second(addList(ctx, tx, again)) },
		)
	})
	equal(t, "the list", see(t, s, getList(1)), kept[0])
	unreadable(t, s, missing, func(ctx context.Context, tx listsTx) error { return second(getList(3)(ctx, tx)) })
	sized := sampleList(3)
	sized.Size = 12
	equal(t, "the size of a new list", put(t, s, func(ctx context.Context, tx listsTx) (productlists.List, error) {
		return addList(ctx, tx, sized)
	}).Size, 0)
}

func testMetadata(t *testing.T, s listsStore) {
	pairs := []productlists.Pair{{
		Key: strings.Repeat("😀", productlists.MaxMetadataKey), Value: strings.Repeat("😀", productlists.MaxMetadataValue),
	}}
	texts := hostile()
	for i, h := range texts {
		pairs = append(pairs, productlists.Pair{Key: h, Value: texts[len(texts)-1-i]})
	}
	slices.SortFunc(pairs, func(a, b productlists.Pair) int { return strings.Compare(a.Key, b.Key) })
	var kept []productlists.List
	for part := range slices.Chunk(pairs, productlists.MaxPairs) {
		l := sampleList(len(kept))
		l.AccountID, l.Metadata = `{"quoted": 'account'} \ ?`, part
		kept = append(kept, l)
	}
	addAll(t, s, addList, kept...)
	for n, l := range kept {
		equal(t, "the list", see(t, s, getList(n)), l)
		for _, p := range l.Metadata {
			for _, account := range []string{l.AccountID, ""} {
				got := see(t, s, listing[listsTx, productlists.List, productlists.ListFilter]{list: listLists}.one(
					productlists.ListFilter{AccountID: account, Metadata: []productlists.Pair{p}}))
				equal(t, fmt.Sprintf("found by %q", p.Key), got.Items, []productlists.List{l})
			}
		}
	}
}

// one is the first page of a list.
func (l listing[T, V, F]) one(f F) func(ctx context.Context, tx T) (affiliate.Page[V], error) {
	return func(ctx context.Context, tx T) (affiliate.Page[V], error) {
		return l.list(ctx, tx, f, affiliate.PageRequest{Number: 1, Size: 100})
	}
}

func listLists(ctx context.Context, tx listsTx, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return tx.ProductLists().List(ctx, f, p)
}

func testListList(t *testing.T, s listsStore) {
	type F = productlists.ListFilter
	pair := func(k, v string) productlists.Pair { return productlists.Pair{Key: k, Value: v} }
	named := func(name, account string, metadata ...productlists.Pair) productlists.List {
		l := sampleList(int(name[0]))
		l.Name, l.AccountID, l.Metadata = name, account, metadata
		return l
	}
	kept := addAll(t, s, addList,
		named("a", "one", pair("color", "red")),
		named("b", "one", pair("color", "red"), pair("size", "L")),
		named("c", "two", pair("color", "red"), pair("size", "L")),
		named("d", "one", pair("color", "blue"), pair("size", "L")),
		named("e", "one"),
		named("f", "two", pair("size", "color")),
		named("g", "one", pair("color", "")),
	)
	listing[listsTx, productlists.List, F]{
		items: kept,
		label: func(l productlists.List) string { return l.Name },
		list:  listLists,
		filters: []filterRow[F]{
			{F{AccountID: "one"}, "a b d e g"},
			{F{AccountID: "nobody"}, ""},
			{F{AccountID: "on"}, ""},
			{F{Metadata: []productlists.Pair{pair("color", "red")}}, "a b c"},
			{F{Metadata: []productlists.Pair{pair("size", "color")}}, "f"},
			{F{Metadata: []productlists.Pair{pair("color", "")}}, "g"},
			{F{Metadata: []productlists.Pair{pair("color", "re")}}, ""},
			{F{Metadata: []productlists.Pair{pair("red", "color")}}, ""},
			{F{Metadata: []productlists.Pair{pair("size", "L"), pair("color", "red")}}, "b c"},
			{F{AccountID: "one", Metadata: []productlists.Pair{pair("size", "L"), pair("color", "red")}}, "b"},
			{F{AccountID: "one", Metadata: []productlists.Pair{pair("color", "red"), pair("color", "blue")}}, ""},
			{F{AccountID: "one", Metadata: []productlists.Pair{pair("color", "red"), pair("color", "red")}}, "a b"},
			{F{AccountID: "two", Metadata: []productlists.Pair{pair("color", "blue")}}, ""},
		},
	}.check(t, s)
	for _, text := range unkeepable() {
		for _, f := range []F{
			{AccountID: text}, {Metadata: []productlists.Pair{pair(text, "red")}}, {Metadata: []productlists.Pair{pair("color", text)}},
			{AccountID: text, Metadata: []productlists.Pair{pair("color", "red")}},
			{AccountID: "one", Metadata: []productlists.Pair{pair("color", "red"), pair(text, "")}},
		} {
			got := see(t, s, listing[listsTx, productlists.List, F]{list: listLists}.one(f))
			equal(t, fmt.Sprintf("found by %+q", f), got.Total, 0)
		}
	}
}

func allItems(n int) func(ctx context.Context, tx listsTx) ([]string, error) {
	return func(ctx context.Context, tx listsTx) ([]string, error) {
		return tx.ProductListItems().All(ctx, listID(n))
	}
}

// appendTo is a unit that puts products on list n.
func appendTo(n int, ids ...string) func(ctx context.Context, tx listsTx) error {
	return func(ctx context.Context, tx listsTx) error { return tx.ProductListItems().Append(ctx, listID(n), ids) }
}

func testListDelete(t *testing.T, s listsStore) {
	addAll(t, s, addList, sampleList(1), sampleList(2))
	write(t, s, appendTo(1, "a", "b"))
	write(t, s, appendTo(2, "a"))
	remove := func(ctx context.Context, tx listsTx) error { return tx.ProductLists().Delete(ctx, listID(1)) }
	notInRead(t, s, remove)
	equal(t, "after a delete in a Read", see(t, s, allItems(1)), []string{"a", "b"})
	if err := s.Write(t.Context(), func(ctx context.Context, tx listsTx) error {
		return all(func() error { return remove(ctx, tx) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	equal(t, "after an undone delete", see(t, s, allItems(1)), []string{"a", "b"})
	write(t, s, remove)
	refused(t, s, missing, remove)
	unreadable(t, s, missing, func(ctx context.Context, tx listsTx) error { return second(getList(1)(ctx, tx)) })
	equal(t, "items of a deleted list", see(t, s, allItems(1)), []string(nil))
	equal(t, "items of the other", see(t, s, allItems(2)), []string{"a"})
	equal(t, "lists", see(t, s, listing[listsTx, productlists.List, productlists.ListFilter]{list: listLists}.one(productlists.ListFilter{AccountID: "account"})).Total, 1)
	addAll(t, s, addList, sampleList(1)) // its id is free
	equal(t, "items of a new list of that id", see(t, s, allItems(1)), []string(nil))
}

func testItems(t *testing.T, s listsStore) {
	write(t, s, func(ctx context.Context, tx listsTx) error { // before there is any list
		return tx.ProductListItems().Remove(ctx, listID(1), []string{"a"})
	})
	addAll(t, s, addList, sampleList(1), sampleList(2))
	among := func(ids ...string) []string {
		return see(t, s, func(ctx context.Context, tx listsTx) ([]string, error) {
			return tx.ProductListItems().Among(ctx, listID(1), ids)
		})
	}
	remove := func(ids ...string) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx listsTx) error {
			return tx.ProductListItems().Remove(ctx, listID(1), ids)
		})
	}
	expect := func(want ...string) {
		t.Helper()
		equal(t, "items", see(t, s, allItems(1)), want)
		equal(t, "size", see(t, s, getList(1)).Size, len(want))
	}
	expect()
	write(t, s, appendTo(1))
	write(t, s, appendTo(1, "c", "a", "B"))
	notInRead(t, s, appendTo(1, "d"))
	write(t, s, appendTo(2, "a", "x"))
	write(t, s, appendTo(1, "10", "9", "b", "ä"))
	expect("c", "a", "B", "10", "9", "b", "ä")
	equal(t, "among", among("9", "nothing", "c", "c", "x"), []string{"c", "9"})
	equal(t, "among none", among(), []string(nil))
	equal(t, "among what is not kept", among(unkeepable()...), []string(nil))
	remove("a", "9", "x", "a", "nothing")
	remove()
	remove("a")
	remove(append(unkeepable(), "c\x00")...)
	expect("c", "B", "10", "b", "ä")
	write(t, s, appendTo(1, "a"))
	expect("c", "B", "10", "b", "ä", "a")
	equal(t, "the other list", see(t, s, allItems(2)), []string{"a", "x"})
	equal(t, "size of the other list", see(t, s, getList(2)).Size, 2)

	var hard []string
	for _, h := range append(hostile(), strings.Repeat("😀", productlists.MaxProductID)) {
		hard = append(hard, "p"+h)
	}
	hard[len(hard)-1] = hard[len(hard)-1][1:]
	write(t, s, appendTo(2, hard...))
	equal(t, "hostile ids", see(t, s, allItems(2)), append([]string{"a", "x"}, hard...))
	write(t, s, func(ctx context.Context, tx listsTx) error { // of no list
		got, err := tx.ProductListItems().Among(ctx, listID(9), []string{"a"})
		equal(t, "among of no list", got, []string(nil))
		return all(func() error { return err }, func() error { return tx.ProductListItems().Remove(ctx, listID(9), []string{"a"}) })
	})
}

func testItemsRefused(t *testing.T, s listsStore) {
	addAll(t, s, addList, sampleList(1))
	write(t, s, appendTo(1, "a", "b"))
	for _, bad := range []struct {
		want failure
		unit func(ctx context.Context, tx listsTx) error
	}{
		{taken("product_ids"), appendTo(1, "x", "b")},
		{taken("product_ids"), appendTo(1, "x", "y", "x")},
		{missing, appendTo(9, "x")},
		{missing, appendTo(9)},
		{invalid("product_ids.1", "required"), appendTo(1, "x", "")},
		{invalid("product_ids.0", "too_long"), appendTo(1, strings.Repeat("x", productlists.MaxProductID+1))},
		{invalid("product_ids.0", "nul"), appendTo(1, "\x00")},
		{invalid("product_ids.0", "invalid_utf8"), appendTo(1, "\xff")},
	} {
		refused(t, s, bad.want, func(ctx context.Context, tx listsTx) error {
			return all(
				func() error { return tx.ProductListItems().Remove(ctx, listID(1), []string{"a"}) },
				func() error { return appendTo(1, "good")(ctx, tx) },
				func() error { return bad.unit(ctx, tx) },
			)
		})
		equal(t, "items", see(t, s, allItems(1)), []string{"a", "b"})
		equal(t, "size", see(t, s, getList(1)).Size, 2)
	}
}

func testManyItems(t *testing.T, s listsStore) {
	addAll(t, s, addList, sampleList(1))
	ids := make([]string, productlists.MaxProducts)
	for i := range ids {
		ids[i] = strconv.Itoa((i * 7919) % len(ids))
	}
	write(t, s, appendTo(1, ids...))
	equal(t, "items", see(t, s, allItems(1)), ids)
	equal(t, "size", see(t, s, getList(1)).Size, len(ids))
	write(t, s, func(ctx context.Context, tx listsTx) error {
		return tx.ProductListItems().Remove(ctx, listID(1), ids[5:])
	})
	equal(t, "items left", see(t, s, allItems(1)), ids[:5])
	equal(t, "size of what is left", see(t, s, getList(1)).Size, 5)
}

// testItemRace has writers look what is on the list and add the rest.
func testItemRace(t *testing.T, s listsStore) {
	addAll(t, s, addList, sampleList(1))
	together(t, writers, func(i int) error {
		ids := []string{"a", "b", strconv.Itoa(i)}
		return insist(t.Context(), s.Write, func(ctx context.Context, tx listsTx) error {
			there, err := tx.ProductListItems().Among(ctx, listID(1), ids)
			if err != nil {
				return err
			}
			missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(there, id) })
			return tx.ProductListItems().Append(ctx, listID(1), missing)
		})
	})
	got := see(t, s, allItems(1))
	if len(got) < 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("items: got %q, want a and b first", got)
	}
	slices.Sort(got)
	equal(t, "items, sorted", got, []string{"0", "1", "2", "3", "4", "5", "6", "7", "a", "b"})
	equal(t, "size", see(t, s, getList(1)).Size, writers+2)
}
