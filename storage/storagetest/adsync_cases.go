package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// placed describes a list in the order of creation.
type placed[V, F any] struct {
	items   []V // in the order of the list: at least four
	label   func(V) string
	place   func(V) adsync.Cursor
	list    func(ctx context.Context, tx syncTx, f F, after adsync.Cursor, limit int) ([]V, error)
	filters []filterRow[F]
}

// check tries each filter, every two fields together, and walks what each leaves
// in pages of every size.
func (l placed[V, F]) check(t *testing.T, s syncStore) {
	t.Helper()
	every := listing[syncTx, V, F]{items: l.items, label: l.label, filters: l.filters,
		list: func(ctx context.Context, tx syncTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			found, err := l.list(ctx, tx, f, adsync.Cursor{}, p.Size)
			return affiliate.Page[V]{Items: found, Total: len(found)}, err
		}}
	everything := ""
	for _, label := range every.labels(l.items) {
		everything += label + " "
	}
	every.checkFilters(t, s, everything[:len(everything)-1])
	for _, row := range append([]filterRow[F]{{want: everything}}, l.filters...) {
		read(t, s, func(ctx context.Context, tx syncTx) error { return l.walk(t, ctx, tx, row) })
	}
	var none F
	read(t, s, func(ctx context.Context, tx syncTx) error {
		// Times between two microseconds, and ids that nothing has.
		first := l.place(l.items[0])
		for _, c := range []struct {
			after adsync.Cursor
			want  []V
		}{
			{adsync.Cursor{At: first.At}, l.items},
			{adsync.Cursor{At: first.At.Add(-time.Nanosecond), ID: uuid.Max}, l.items},
			{adsync.Cursor{At: first.At.Add(time.Nanosecond)}, l.items[1:]},
			{adsync.Cursor{At: at(1 << 30)}, nil},
		} {
			got, err := l.list(ctx, tx, none, c.after, 100)
			if err != nil {
				return err
			}
			equal(t, fmt.Sprintf("behind %v", c.after), every.labels(got), every.labels(c.want))
		}
		return nil
	})
}

// walk turns the pages of what a filter leaves.
func (l placed[V, F]) walk(t *testing.T, ctx context.Context, tx syncTx, row filterRow[F]) error {
	t.Helper()
	for size := 1; size <= len(l.items)+1; size++ {
		got := []string{}
		for after := (adsync.Cursor{}); ; {
			page, err := l.list(ctx, tx, row.filter, after, size)
			if err != nil {
				return err
			}
			if len(page) > size {
				t.Errorf("a page of %d by %+v has %d", size, row.filter, len(page))
			}
			if len(page) == 0 {
				break
			}
			for _, v := range page {
				got = append(got, l.label(v))
			}
			after = l.place(page[len(page)-1])
		}
		equal(t, fmt.Sprintf("pages of %d by %+v", size, row.filter), got, strings.Fields(row.want))
	}
	for _, limit := range []int{0, -1} {
		got, err := l.list(ctx, tx, row.filter, adsync.Cursor{}, limit)
		if err != nil || len(got) > 0 {
			t.Errorf("limit %d by %+v: got %d and %v", limit, row.filter, len(got), err)
		}
	}
	return nil
}

func testAdAccountList(t *testing.T, s syncStore) {
	type F = adsync.AdAccountFilter
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return errors.Join(tx.SyncAccounts().Put(ctx, adsync.Account{ID: "account", FingerprintKey: hash(1)}),
			tx.SyncAccounts().Put(ctx, adsync.Account{ID: "other", FingerprintKey: hash(2)}))
	})
	row := func(n int, account, id, catalog string, gone bool) adsync.AdAccount {
		a := adsync.AdAccount{RecordID: syncID(10 - n), ID: id, AccountID: account, Name: strconv.Itoa(n), CatalogID: catalog, CreatedAt: at(n)}
		if gone {
			a.DisconnectedAt = at(9)
		}
		return a
	}
	add := func(ctx context.Context, tx syncTx, a adsync.AdAccount) (adsync.AdAccount, error) {
		return a, tx.AdAccounts().Put(ctx, a)
	}
	last := addAll(t, s, add, row(6, "account", "act_6", "c", false))
	kept := addAll(t, s, add,
		row(1, "account", "act_2", "", false), row(2, "other", "act_2", "c", false), row(3, "account", "1234567890", "c", false),
		row(4, "account", "act_1", "c", true), row(5, "other", "0234567890", "", true),
	)
	placed[adsync.AdAccount, F]{
		items: append(kept, last...),
		label: func(a adsync.AdAccount) string { return a.Name },
		place: func(a adsync.AdAccount) adsync.Cursor { return adsync.Cursor{At: a.CreatedAt, ID: a.RecordID} },
		list: func(ctx context.Context, tx syncTx, f F, after adsync.Cursor, limit int) ([]adsync.AdAccount, error) {
			return tx.AdAccounts().List(ctx, f, after, limit)
		},
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "1 3 4 6"},
			{F{AccountID: "nobody"}, ""},
			{F{AccountID: "a\x00"}, ""},
			{F{Service: adsync.GoogleAds}, "3 5"},
			{F{Service: "adwords"}, ""},
			{F{Connected: affiliate.Some(true)}, "1 2 3 6"},
			{F{Connected: affiliate.Some(false)}, "4 5"},
			{F{WithCatalog: true}, "2 3 4 6"},
			{F{Connected: affiliate.Some(true), WithCatalog: true}, "2 3 6"},
			{F{AccountID: "account", Connected: affiliate.Some(true), WithCatalog: true}, "3 6"},
		},
	}.check(t, s)
	again := kept[0]
	again.Name = "renamed"
	write(t, s, func(ctx context.Context, tx syncTx) error { return second(add(ctx, tx, again)) })
	equal(t, "put again", see(t, s, func(ctx context.Context, tx syncTx) (adsync.AdAccount, error) {
		return tx.AdAccounts().Get(ctx, "account", "act_2")
	}), again)
	again.ID = "act_3"
	refused(t, s, taken("record_id"), func(ctx context.Context, tx syncTx) error { return second(add(ctx, tx, again)) })
	for _, id := range append(unkeepable(), "", "act_3", "0234567890") {
		unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(tx.AdAccounts().Get(ctx, "account", id)) })
	}
}

func testPutItems(t *testing.T, s syncStore) {
	syncWorld(t, s)
	a, b := sampleItem(1), sampleItem(2)
	later := a
	later.Title, later.ReferenceID = "later", ""
	write(t, s, func(ctx context.Context, tx syncTx) error {
		if err := tx.InventoryItems().Put(ctx); err != nil {
			return err
		}
		if err := tx.InventoryItems().Put(ctx, a, b); err != nil {
			return err
		}
		moved := b
		moved.AccountID, moved.Images, moved.UpdatedAt = "other", []adsync.Image{{URL: "http://a.example/", Order: 1}}, at(9)
		b = moved
		return tx.InventoryItems().Put(ctx, a, moved, later)
	})
	ids := []uuid.UUID{syncID(2), syncID(9), syncID(1), uuid.Nil, syncID(2)}
	get := func(ctx context.Context, tx syncTx) ([]adsync.Item, error) {
		return tx.InventoryItems().GetMany(ctx, ids)
	}
	got := see(t, s, get)
	equal(t, "items", got, []adsync.Item{later, b})
	scribble(&got[1])
	equal(t, "items again", see(t, s, get), []adsync.Item{later, b})
	none := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Item, error) {
		return tx.InventoryItems().GetMany(ctx, nil)
	})
	equal(t, "no items", none, []adsync.Item(nil))
	bad := sampleItem(4)
	bad.Year = 1
	refused(t, s, invalid("year", "out_of_range"), func(ctx context.Context, tx syncTx) error {
		return tx.InventoryItems().Put(ctx, sampleItem(3), bad)
	})
	twice := sampleItem(4)
	twice.ReferenceID = sampleItem(3).ReferenceID
	refused(t, s, taken("reference_id"), func(ctx context.Context, tx syncTx) error {
		return tx.InventoryItems().Put(ctx, sampleItem(3), twice)
	})
	unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(tx.InventoryItems().Get(ctx, syncID(3))) })
	// Of what a later one replaces, only that it is valid counts.
	nobodys, namesake := sampleItem(3), sampleItem(3)
	nobodys.AccountID, namesake.AccountID, namesake.ReferenceID = "nobody", "other", b.ReferenceID
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return tx.InventoryItems().Put(ctx, nobodys, namesake, sampleItem(3))
	})
	equal(t, "the last of three", see(t, s, func(ctx context.Context, tx syncTx) (adsync.Item, error) {
		return tx.InventoryItems().Get(ctx, syncID(3))
	}), sampleItem(3))
}

func testItemLookups(t *testing.T, s syncStore) {
	syncWorld(t, s)
	item := func(n int, account, reference, fingerprint string, created int) adsync.Item {
		i := sampleItem(n)
		i.AccountID, i.ReferenceID, i.Fingerprint, i.CreatedAt = account, reference, fingerprint, at(created)
		return i
	}
	all := []adsync.Item{
		item(1, "account", "a", "f1", 5), item(2, "account", "", "f1", 4), item(3, "other", "a", "f1", 1), item(4, "account", "A", "", 2), item(5, "account", "", "f1", 4),
	}
	write(t, s, func(ctx context.Context, tx syncTx) error { return tx.InventoryItems().Put(ctx, all...) })
	byReference := func(account, reference string) func(ctx context.Context, tx syncTx) (adsync.Item, error) {
		return func(ctx context.Context, tx syncTx) (adsync.Item, error) {
			return tx.InventoryItems().ByReference(ctx, account, reference)
		}
	}
	equal(t, "by reference", see(t, s, byReference("account", "a")), all[0])
	equal(t, "by reference", see(t, s, byReference("account", "A")), all[3])
	equal(t, "by reference", see(t, s, byReference("other", "a")), all[2])
	type keys = adsync.ItemKeys
	among := func(account string, k keys) []adsync.Item {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Item, error) {
			return tx.InventoryItems().Among(ctx, account, k)
		})
	}
	for _, text := range append(unkeepable(), "", "f2", "nobody") {
		for _, get := range []func(ctx context.Context, tx syncTx) (adsync.Item, error){byReference("account", text), byReference(text, "a")} {
			unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(get(ctx, tx)) })
		}
		equal(t, "among the items of nobody", among(text, keys{IDs: []uuid.UUID{syncID(1), syncID(9)}, ReferenceIDs: []string{"a"}, Fingerprints: []string{"f1"}}), []adsync.Item(nil))
		equal(t, "among nothing", among("account", keys{ReferenceIDs: []string{text}, Fingerprints: []string{text}}), []adsync.Item(nil))
	}
	equal(t, "by no key", among("account", keys{}), []adsync.Item(nil))
	equal(t, "by ids", among("account", keys{IDs: []uuid.UUID{syncID(4), syncID(3), syncID(1), syncID(9), syncID(4)}}), []adsync.Item{all[0], all[3]})
	equal(t, "by reference ids", among("account", keys{ReferenceIDs: []string{"A", "a", "b", "a"}}), []adsync.Item{all[0], all[3]})
	equal(t, "by fingerprints", among("account", keys{Fingerprints: []string{"f1", "f2", "f1"}}), []adsync.Item{all[0], all[1], all[4]})
	equal(t, "by one of each", among("account", keys{IDs: []uuid.UUID{syncID(1), syncID(4)}, ReferenceIDs: []string{"a"}, Fingerprints: []string{"f1", "\xff"}}),
		[]adsync.Item{all[0], all[1], all[3], all[4]})
	equal(t, "another's", among("other", keys{ReferenceIDs: []string{"a", "A"}, Fingerprints: []string{"f1"}}), []adsync.Item{all[2]})
}

func listItems(ctx context.Context, tx syncTx, f adsync.ItemFilter, after adsync.Cursor, limit int) ([]adsync.Item, error) {
	return tx.InventoryItems().List(ctx, f, after, limit)
}

func placeOfItem(i adsync.Item) adsync.Cursor { return adsync.Cursor{At: i.CreatedAt, ID: i.ID} }

func testItemList(t *testing.T, s syncStore) {
	type F = adsync.ItemFilter
	syncWorld(t, s)
	row := func(n, created int, account, kind string, condition adsync.Condition, available bool) adsync.Item {
		i := sampleItem(n)
		i.CreatedAt, i.AccountID, i.AdTemplateType, i.Condition, i.Available, i.Title = at(created), account, kind, condition, available, strconv.Itoa(n)
		return i
	}
	kept := []adsync.Item{
		row(4, 1, "account", "vehicle", adsync.New, true), row(2, 2, "other", "vehicle", adsync.Used, true), row(3, 2, "account", "house", adsync.New, false),
		row(1, 3, "account", "vehicle", "", false), row(6, 4, "account", "vehicle", adsync.Used, true),
	}
	equal(t, "of none", see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Item, error) {
		return listItems(ctx, tx, F{AccountID: "account", ReferenceID: "ref 1"}, adsync.Cursor{}, 9)
	}), []adsync.Item(nil))
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return tx.InventoryItems().Put(ctx, kept[3], kept[1], kept[4], kept[0], kept[2])
	})
	placed[adsync.Item, F]{
		items: kept, label: func(i adsync.Item) string { return i.Title }, place: placeOfItem, list: listItems,
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "4 3 1 6"},
			{F{AccountID: "Account"}, ""},
			{F{AccountID: "\xff"}, ""},
			{F{ReferenceID: "ref 3"}, "3"},
			{F{ReferenceID: "ref"}, ""},
			{F{AccountID: "other", ReferenceID: "ref 3"}, ""},
			{F{AdTemplateType: "vehicle"}, "4 2 1 6"},
			{F{AccountID: "account", AdTemplateType: "vehicle"}, "4 1 6"},
			{F{Condition: adsync.New}, "4 3"},
			{F{Available: affiliate.Some(true)}, "4 2 6"},
			{F{Available: affiliate.Some(false)}, "3 1"},
		},
	}.check(t, s)
}

func testItemTies(t *testing.T, s syncStore) {
	syncWorld(t, s)
	var want []string
	var items []adsync.Item
	for n := range 60 {
		i := sampleItem(100 + n)
		i.CreatedAt = at(0)
		items, want = append(items, i), append(want, i.ID.String())
	}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		for n := range items { // not in the order of their ids
			if err := tx.InventoryItems().Put(ctx, items[n*7%60]); err != nil {
				return err
			}
		}
		return nil
	})
	for _, f := range []adsync.ItemFilter{{}, {AccountID: "account"}, {AccountID: "account", AdTemplateType: "vehicle"}} {
		var got []string
		for after := (adsync.Cursor{}); ; {
			page := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Item, error) { return listItems(ctx, tx, f, after, 25) })
			if len(page) == 0 {
				break
			}
			for _, i := range page {
				got = append(got, i.ID.String())
			}
			after = placeOfItem(page[len(page)-1])
		}
		equal(t, fmt.Sprintf("by %+v", f), got, want)
	}
}

func testSyncItemRace(t *testing.T, s syncStore) {
	syncWorld(t, s)
	// Each looks for the reference id and adds an item if there is none.
	together(t, writers, func(n int) error {
		return insist(t.Context(), s.Write, func(ctx context.Context, tx syncTx) error {
			i, err := tx.InventoryItems().ByReference(ctx, "account", "shared")
			if errors.Is(err, affiliate.ErrNotFound) {
				i, err = sampleItem(n+1), nil
				i.ReferenceID = "shared"
			}
			if err != nil {
				return err
			}
			i.Year = max(1000, i.Year) + 1
			return tx.InventoryItems().Put(ctx, i)
		})
	})
	found := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Item, error) {
		return listItems(ctx, tx, adsync.ItemFilter{AccountID: "account"}, adsync.Cursor{}, 100)
	})
	if len(found) != 1 || found[0].Year != 1000+writers {
		t.Errorf("got %+v, want one item that each writer counted in", found)
	}
}

func testRemotes(t *testing.T, s syncStore) {
	a, b, other := sampleRemote(1), sampleRemote(2), sampleRemote(1)
	other.AdAccountID, other.RemoteID = "act_2", "elsewhere"
	again := a
	again.RemoteID, again.Applied, again.SyncedAt = "11", `{"name":"ä"}`, at(1)
	again.SentAt, again.Sent, again.Handle = at(2), `{"name":"ö"}`, "handle"
	b.RemoteID, b.SentAt = "", at(3) // sent, and no more is known
	given := again
	given.SyncedAt, given.SentAt = finer(again.SyncedAt), finer(again.SentAt)
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return all(
			func() error { return tx.Remotes().Put(ctx, b, a, other) },
			func() error { return tx.Remotes().Put(ctx, a, given) },
			func() error { return tx.Remotes().Put(ctx) },
		)
	})
	get := func(account string, ids ...uuid.UUID) []adsync.Remote {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Remote, error) {
			return tx.Remotes().GetMany(ctx, account, ids)
		})
	}
	equal(t, "remotes", get("act_1", syncID(2), syncID(1), syncID(3), syncID(2)), []adsync.Remote{again, b})
	equal(t, "another's", get("act_2", syncID(2), syncID(1)), []adsync.Remote{other})
	equal(t, "nobody's", get("a\x00", syncID(1)), []adsync.Remote(nil))
	equal(t, "none", get("act_1"), []adsync.Remote(nil))
	var many []adsync.Remote
	var mixed []uuid.UUID
	for n := range 40 {
		many, mixed = append(many, sampleRemote(100+n)), append(mixed, syncID(100+7*n%40))
	}
	write(t, s, func(ctx context.Context, tx syncTx) error { return tx.Remotes().Put(ctx, many...) })
	equal(t, "in order", get("act_1", mixed...), many)
	for field, spoil := range map[string]func(*adsync.Remote){
		"remote_id":     func(r *adsync.Remote) { r.RemoteID = "" },
		"record_id":     func(r *adsync.Remote) { r.RecordID = uuid.Nil },
		"ad_account_id": func(r *adsync.Remote) { r.AdAccountID = "" },
	} {
		bad := sampleRemote(9)
		spoil(&bad)
		refused(t, s, invalid(field, "required"), func(ctx context.Context, tx syncTx) error {
			return tx.Remotes().Put(ctx, sampleRemote(8), bad)
		})
	}
	equal(t, "after what was refused", get("act_1", syncID(8)), []adsync.Remote(nil))
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return errors.Join(tx.Remotes().Delete(ctx, "act_1", []uuid.UUID{syncID(1), syncID(7)}), tx.Remotes().Delete(ctx, "a\x00", []uuid.UUID{syncID(1)}))
	})
	equal(t, "after delete", get("act_1", syncID(1), syncID(2)), []adsync.Remote{b})
	equal(t, "another's after delete", get("act_2", syncID(1)), []adsync.Remote{other})
}
