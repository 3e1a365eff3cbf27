package storagetest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func blocklistScenarios() []scenario[affiliate.Store[affiliate.Tx]] {
	return append(blocklist().scenarios(),
		scenario[affiliate.Store[affiliate.Tx]]{"blocklist/only what is missing is added", testAddMissing},
		scenario[affiliate.Store[affiliate.Tx]]{"blocklist/found and deleted", testBlocklistDelete},
		scenario[affiliate.Store[affiliate.Tx]]{"blocklist/naming", testNaming},
		scenario[affiliate.Store[affiliate.Tx]]{"blocklist/list", testBlocklistList},
		scenario[affiliate.Store[affiliate.Tx]]{"blocklist/list of a store without users", testBlocklistNoUsers},
	)
}

// blocklist adds entries by advertiser i and user j for i, j of the world:
// the samples 1, 2 and 3, and hostile names, need one each.
func blocklist() table[affiliate.Tx, affiliate.BlocklistEntry] {
	type V = affiliate.BlocklistEntry
	return table[affiliate.Tx, V]{
		name: "blocklist",
		sample: func(w world, n int) V {
			v := V{AdvertiserID: w.advertisers[n/9%3].ID}
			switch i := n % 3; n / 3 % 3 {
			case 0:
				v.UserID = w.users[i].ID
			case 1:
				v.UserTagID = w.tags[i].ID
			default:
				v.ClientID = w.clients[i].ID
			}
			return v
		},
		full: func(w world) V {
			return V{
				AdvertiserID: w.advertisers[2].ID, UserID: w.users[0].ID, ValidateClicks: true,
				CreatedBy: affiliate.Actor{UserID: w.users[2].ID, Name: "Åsa"}, CreatedAt: at(1),
			}
		},
		unset: []string{"UserTagID", "ClientID"},
		add: func(ctx context.Context, tx affiliate.Tx, v V) (V, error) {
			return oneOf(tx.Blocklist().AddMissing(ctx, v))
		},
		fetch: func(ctx context.Context, tx affiliate.Tx, v V) (V, error) { return tx.Blocklist().Get(ctx, v.ID) },
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"created_by", 0, 255, func(v *V) *string { return &v.CreatedBy.Name }, false}},
		broken: []broken[V]{
			{"target", "not_one", func(v *V) { v.UserID, v.UserTagID, v.ClientID = 0, 0, 0 }},
			{"target", "not_one", func(v *V) { v.UserID, v.ClientID = 1, 1 }},
			{"validate_clicks", "not_a_user", func(v *V) { v.UserID, v.UserTagID, v.ValidateClicks = 0, 1, true }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"user_id", func(v *V, id int64) { v.UserID, v.UserTagID = id, 0 }},
			{"user_tag_id", func(v *V, id int64) { v.UserID, v.UserTagID = 0, id }},
			{"client_id", func(v *V, id int64) { v.UserID, v.UserTagID, v.ClientID = 0, 0, id }},
			{"created_by", func(v *V, id int64) { v.CreatedBy.UserID = id }},
		},
	}
}

func addMissing(t *testing.T, s affiliate.Store[affiliate.Tx], entries ...affiliate.BlocklistEntry) []affiliate.BlocklistEntry {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.BlocklistEntry, error) {
		return tx.Blocklist().AddMissing(ctx, entries...)
	})
}

// against is an entry of the i-th advertiser.
func against(w world, i int, e affiliate.BlocklistEntry) affiliate.BlocklistEntry {
	e.AdvertiserID = w.advertisers[i].ID
	return e
}

func testAddMissing(t *testing.T, s affiliate.Store[affiliate.Tx]) {
	w := newWorld(t, s)
	user := affiliate.BlocklistEntry{UserID: w.users[1].ID}
	tag := affiliate.BlocklistEntry{UserTagID: w.tags[1].ID}
	client := affiliate.BlocklistEntry{ClientID: w.clients[1].ID}
	paid := against(w, 0, user)
	paid.ValidateClicks, paid.CreatedAt = true, at(5)

	equal(t, "added nothing", addMissing(t, s), []affiliate.BlocklistEntry(nil))
	first := addMissing(t, s, against(w, 0, tag), against(w, 0, client), paid, against(w, 0, user), against(w, 1, user), against(w, 0, tag))
	want := []affiliate.BlocklistEntry{against(w, 0, tag), against(w, 0, client), paid, against(w, 1, user)}
	if len(first) != len(want) {
		t.Fatalf("added %+v, want %+v", first, want)
	}
	for i := range want {
		if first[i].ID <= 0 || i > 0 && first[i].ID <= first[i-1].ID {
			t.Errorf("ids of %+v: want them ascending in the order given", first)
		}
		want[i].ID = first[i].ID
	}
	equal(t, "added", first, want)
	more := addMissing(t, s, against(w, 0, user), against(w, 1, tag), against(w, 0, client))
	equal(t, "added later", len(more), 1)
	equal(t, "kept", see(t, s, func(ctx context.Context, tx affiliate.Tx) (affiliate.BlocklistEntry, error) {
		return tx.Blocklist().Get(ctx, first[2].ID)
	}), want[2])
}

func testBlocklistDelete(t *testing.T, s affiliate.Store[affiliate.Tx]) {
	w := newWorld(t, s)
	remove := func(id int64) func(ctx context.Context, tx affiliate.Tx) error {
		return func(ctx context.Context, tx affiliate.Tx) error { return tx.Blocklist().Delete(ctx, id) }
	}
	get := func(id int64) func(ctx context.Context, tx affiliate.Tx) error {
		return func(ctx context.Context, tx affiliate.Tx) error { return second(tx.Blocklist().Get(ctx, id)) }
	}
	user := func(i int) affiliate.BlocklistEntry {
		return against(w, 0, affiliate.BlocklistEntry{UserID: w.users[i].ID})
	}
	kept := addMissing(t, s, user(0), user(1))
	write(t, s, remove(kept[1].ID))
	for _, id := range []int64{kept[1].ID, nowhere, 0, -1} {
		unreadable(t, s, missing, get(id))
		refused(t, s, missing, func(ctx context.Context, tx affiliate.Tx) error {
			if err := remove(kept[0].ID)(ctx, tx); err != nil {
				return err
			}
			return remove(id)(ctx, tx)
		})
	}
	read(t, s, get(kept[0].ID))
	again := addMissing(t, s, user(0), user(1))
	if len(again) != 1 || again[0].UserID != w.users[1].ID || again[0].ID <= kept[1].ID {
		t.Errorf("added %+v, want the deleted one under a new id", again)
	}
}

func testNaming(t *testing.T, s affiliate.Store[affiliate.Tx]) {
	w := newWorld(t, s)
	kept := addMissing(t, s,
		against(w, 1, affiliate.BlocklistEntry{UserID: w.users[0].ID}),
		against(w, 0, affiliate.BlocklistEntry{UserTagID: w.tags[0].ID}),
		against(w, 0, affiliate.BlocklistEntry{ClientID: w.clients[0].ID}),
		against(w, 2, affiliate.BlocklistEntry{UserID: w.users[1].ID}),
		against(w, 1, affiliate.BlocklistEntry{ClientID: w.clients[1].ID}),
	)
	shop := func(i ...int) []int64 {
		return idsOf(w.advertisers[:], func(a affiliate.Advertiser) int64 { return a.ID }, i...)
	}
	users := idsOf(w.users[:], func(u affiliate.User) int64 { return u.ID }, 1, 0, 1)
	tags := idsOf(w.tags[:], func(u affiliate.UserTag) int64 { return u.ID }, 0, 1)
	clients := idsOf(w.clients[:], func(c affiliate.Client) int64 { return c.ID }, 1, 0)
	for _, c := range []struct {
		name                          string
		advertisers, user, tag, group []int64
		want                          []affiliate.BlocklistEntry
	}{
		{"everything", nil, users, tags, clients, kept},
		{"users", nil, users, nil, nil, []affiliate.BlocklistEntry{kept[0], kept[3]}},
		{"tags", nil, nil, tags, []int64{}, kept[1:2]},
		{"clients", nil, nil, nil, clients, []affiliate.BlocklistEntry{kept[2], kept[4]}},
		{"nothing", nil, nil, nil, nil, nil},
		{"nothing of one", shop(0), []int64{}, []int64{}, []int64{}, nil},
		{"everything of one", shop(1), users, tags, clients, []affiliate.BlocklistEntry{kept[0], kept[4]}},
		{"everything of two", shop(2, 0, 2), users, tags, clients, kept[1:4]},
		{"everything of none", []int64{}, users, tags, clients, nil},
		{"what is not named", nil, []int64{w.users[2].ID, 0}, []int64{w.tags[2].ID, 0}, []int64{w.clients[2].ID, 0}, nil},
	} {
		got := see(t, s, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.BlocklistEntry, error) {
			return tx.Blocklist().Naming(ctx, c.advertisers, c.user, c.tag, c.group)
		})
		equal(t, "naming "+c.name, got, c.want)
	}
}

// testBlocklistNoUsers looks for a name where there is none.
func testBlocklistNoUsers(t *testing.T, s affiliate.Store[affiliate.Tx]) {
	shop := addAll(t, s, addAdvertiser, sampleAdvertiser(1))[0]
	client := addAll(t, s, addClient, sampleClient(1))[0]
	addMissing(t, s, affiliate.BlocklistEntry{AdvertiserID: shop.ID, ClientID: client.ID})
	for query, want := range map[string]int{"": 1, "anna": 0, "0": 0} {
		page := see(t, s, func(ctx context.Context, tx affiliate.Tx) (affiliate.Page[affiliate.BlocklistEntry], error) {
			return tx.Blocklist().List(ctx, affiliate.BlocklistFilter{Query: query}, affiliate.PageRequest{Number: 1, Size: 10})
		})
		equal(t, "entries by "+query, page.Total, want)
	}
}

func testBlocklistList(t *testing.T, s affiliate.Store[affiliate.Tx]) {
	type V = affiliate.BlocklistEntry
	type F = affiliate.BlocklistFilter
	w := newWorld(t, s)
	named := func(name string) affiliate.User {
		return put(t, s, func(ctx context.Context, tx affiliate.Tx) (affiliate.User, error) {
			return tx.Users().Add(ctx, affiliate.User{Username: name, DisplayName: "hidden"})
		})
	}
	anna, joanna, bo := named("Anna_"), named("jo%anna"), named("böö")
	on := func(i int, e V, created int) V {
		e = against(w, i, e)
		e.CreatedAt = at(created)
		return e
	}
	items := addMissing(t, s,
		on(0, V{UserID: anna.ID}, 5),
		on(1, V{UserID: anna.ID}, 3),
		on(0, V{UserTagID: w.tags[0].ID}, 5),
		on(0, V{UserID: joanna.ID}, 1),
		on(1, V{ClientID: w.clients[0].ID}, 3),
		on(1, V{UserID: bo.ID}, 4),
	)
	label := map[int64]string{}
	for i, e := range items {
		label[e.ID] = string(rune('a' + i))
	}
	filters := []filterRow[F]{
		{F{AdvertiserID: w.advertisers[0].ID}, "a c d"},
		{F{AdvertiserID: w.advertisers[2].ID}, ""},
		{F{Query: strconv.FormatInt(anna.ID, 10)}, "a b"},
		{F{Query: "ANNA"}, "a b d"},
		{F{Query: "a_"}, "a b"},
		{F{Query: "%"}, "d"},
		{F{Query: "hidden"}, ""},
		{F{Query: "BÖÖ"}, "f"},
		{F{Query: "Bö"}, "f"},
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Query: q}, ""})
	}
	listing[affiliate.Tx, V, F]{
		items: items,
		label: func(v V) string { return label[v.ID] },
		list: func(ctx context.Context, tx affiliate.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Blocklist().List(ctx, f, p)
		},
		filters: filters,
		columns: map[string]func(a, b V) int{"created_at": byTime(func(v V) time.Time { return v.CreatedAt })},
	}.check(t, s)
}
