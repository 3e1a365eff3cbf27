package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

func userScenarios() []scenario[coreStore] {
	return append(users().scenarios(),
		scenario[coreStore]{"users/found by e-mail and social media", testUserLookups},
		scenario[coreStore]{"users/relate", testUserRelate},
		scenario[coreStore]{"users/list", testUserList},
		scenario[coreStore]{"users/an empty e-mail is nobody's", testUserEmptyEmail},
		scenario[coreStore]{"users/a taken key comes before an unknown reference", testUserFaults},
	)
}

func users() table[coreTx, affiliate.User] {
	type V = affiliate.User
	var tooMany []affiliate.SocialMedia
	for i := range affiliate.MaxSocialMedia + 1 {
		tooMany = append(tooMany, affiliate.SocialMedia{Type: "x", Identifier: strconv.Itoa(i)})
	}
	return table[coreTx, V]{
		name:    "users",
		sample:  func(w world, n int) V { return sampleUser(n) },
		full:    fullUser,
		add:     addUser,
		fetch:   func(ctx context.Context, tx coreTx, v V) (V, error) { return tx.Users().Get(ctx, v.ID) },
		update:  func(ctx context.Context, tx coreTx, v V) error { return tx.Users().Update(ctx, v) },
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) { return tx.Users().GetMany(ctx, ids) },
		id:      func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"username", 1, 255, func(v *V) *string { return &v.Username }, false},
			{"display_name", 0, 255, func(v *V) *string { return &v.DisplayName }, false},
			{"email", 0, 254, func(v *V) *string { return &v.Email }, true},
			{"phone", 0, 32, func(v *V) *string { return &v.Phone }, false},
			{"preferred_locale", 0, 35, func(v *V) *string { return &v.Locale }, false},
			{"first_name", 0, 255, func(v *V) *string { return &v.Profile.FirstName }, false},
			{"surname", 0, 255, func(v *V) *string { return &v.Profile.Surname }, false},
			{"address", 0, 255, func(v *V) *string { return &v.Profile.Address }, false},
			{"postcode", 0, 255, func(v *V) *string { return &v.Profile.Postcode }, false},
			{"city", 0, 255, func(v *V) *string { return &v.Profile.City }, false},
			{"country", 0, 255, func(v *V) *string { return &v.Profile.Country }, false},
			{"social_media.0.type", 1, 32, func(v *V) *string { return &social(v).Type }, false},
			{"social_media.0.identifier", 1, 255, func(v *V) *string { return &social(v).Identifier }, true},
		},
		broken: []broken[V]{
			{"email", "not_normalized", func(v *V) { v.Email = "Anna@a.example" }},
			{"email", "not_normalized", func(v *V) { v.Email = "jose\u0301@a.example" }},
			{"email", "invalid_email", func(v *V) { v.Email = "anna" }},
			{"tag_ids", "not_ascending", func(v *V) { v.TagIDs = []int64{1, 1} }},
			{"social_media", "too_many", func(v *V) { v.SocialMedia = tooMany }},
			{"social_media.0.identifier", "not_normalized", func(v *V) { social(v).Identifier = "@Anna" }},
		},
		references: []reference[V]{
			{"client_id", func(v *V, id int64) { v.ClientID = id }},
			{"tier_id", func(v *V, id int64) { v.TierID = id }},
			{"tag_ids", func(v *V, id int64) { v.TagIDs = []int64{id} }},
		},
		unique: []uniqueText[V]{
			{
				field: "username", at: func(v *V) *string { return &v.Username },
				elsewhere: func(v *V, w world) { v.ClientID = w.clients[0].ID }, folded: true,
			},
			{field: "email", at: func(v *V) *string { return &v.Email }, narrow: true},
		},
	}
}

// social is the first account of a user, which gets one if it has none.
func social(u *affiliate.User) *affiliate.SocialMedia {
	if len(u.SocialMedia) == 0 {
		u.SocialMedia = []affiliate.SocialMedia{{Type: "instagram", Identifier: "anna"}}
	}
	return &u.SocialMedia[0]
}

func addUser(ctx context.Context, tx coreTx, v affiliate.User) (affiliate.User, error) {
	return tx.Users().Add(ctx, v)
}

func fullUser(w world) affiliate.User {
	return affiliate.User{
		ClientID: w.clients[1].ID, Username: "anna", DisplayName: "Anna Ö", Email: "anna@a.example", Phone: "+46 1", Locale: "sv-SE",
		SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: "zanna"}, {Type: "instagram", Identifier: "anna"}, {Type: "tiktok", Identifier: "zanna"}},
		TagIDs:      []int64{w.tags[0].ID, w.tags[2].ID}, TierID: w.tiers[1].ID,
		Profile:    affiliate.Profile{FirstName: "Anna", Surname: "Ö", Address: "Street 1", Postcode: "111 22", City: "Malmö", Country: "SE"},
		VerifiedAt: at(1), SuspendedAt: at(2), CreatedAt: at(3), UpdatedAt: at(4),
	}
}

// Of two faults the key in use comes first.
func testUserFaults(t *testing.T, s coreStore) {
	kept := addAll(t, s, addUser, sampleUser(1), sampleUser(2))
	v := sampleUser(1)
	v.TierID = nowhere
	refused(t, s, taken("username"), func(ctx context.Context, tx coreTx) error { return second(addUser(ctx, tx, v)) })
	v.ID = kept[1].ID
	refused(t, s, taken("username"), func(ctx context.Context, tx coreTx) error { return tx.Users().Update(ctx, v) })
}

func testUserEmptyEmail(t *testing.T, s coreStore) {
	kept := addAll(t, s, addUser, sampleUser(1), sampleUser(2))
	for _, id := range []int64{nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.Users().Get(ctx, id)) })
	}
	// An address that was given up may be taken by another.
	write(t, s, func(ctx context.Context, tx coreTx) error {
		kept[0].Email = "a@a.example"
		if err := tx.Users().Update(ctx, kept[0]); err != nil {
			return err
		}
		kept[0].Email = ""
		if err := tx.Users().Update(ctx, kept[0]); err != nil {
			return err
		}
		kept[1].Email = "a@a.example"
		return tx.Users().Update(ctx, kept[1])
	})
}

func testUserLookups(t *testing.T, s coreStore) {
	user := func(name, email string, media ...affiliate.SocialMedia) affiliate.User {
		return affiliate.User{Username: name, Email: email, SocialMedia: media}
	}
	kept := addAll(t, s, addUser,
		user("a", "z@a.example", affiliate.SocialMedia{Type: "instagram", Identifier: "one"}, affiliate.SocialMedia{Type: "tiktok", Identifier: "one"}),
		user("b", "y@a.example", affiliate.SocialMedia{Type: "tiktok", Identifier: "two"}),
		user("c", "", affiliate.SocialMedia{Type: "youtube", Identifier: "one"}),
	)
	byEmails := func(emails []string) []affiliate.User {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.User, error) {
			return tx.Users().ByEmails(ctx, emails)
		})
	}
	bySocial := func(ids []string) []affiliate.User {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.User, error) {
			return tx.Users().BySocialMedia(ctx, ids)
		})
	}
	byUsername := func(clientID int64, name string) int64 {
		return see(t, s, func(ctx context.Context, tx coreTx) (int64, error) {
			u, err := tx.Users().ByUsername(ctx, clientID, name)
			if errors.Is(err, affiliate.ErrNotFound) {
				return 0, nil
			}
			return u.ID, err
		})
	}
	client := addAll(t, s, addClient, sampleClient(1))[0]
	own := addAll(t, s, addUser, affiliate.User{Username: "B", ClientID: client.ID})[0]
	equal(t, "by a username of no client", byUsername(0, "B"), kept[1].ID)
	equal(t, "by the same one of a client", byUsername(client.ID, "b"), own.ID)
	equal(t, "by one of another client", byUsername(client.ID, "a"), int64(0))
	for _, name := range append(unkeepable(), "", "%", "nobody") {
		equal(t, "by another username", byUsername(0, name), int64(0))
	}
	equal(t, "by e-mails", byEmails([]string{"y@a.example", "nobody@a.example", "z@a.example", "y@a.example"}), kept[:2])
	equal(t, "by other e-mails", byEmails(append(unkeepable(), "", "Z@A.EXAMPLE", "%")), []affiliate.User(nil))
	equal(t, "by no e-mails", byEmails(nil), []affiliate.User(nil))
	equal(t, "by handles", bySocial([]string{"two", "one", "one"}), kept)
	equal(t, "by one handle", bySocial([]string{"one"}), []affiliate.User{kept[0], kept[2]})
	equal(t, "by other handles", bySocial(append(unkeepable(), "one\x00", "two\xff", "", "ONE", "on", "o%", "instagram")), []affiliate.User(nil))
	equal(t, "by no handles", bySocial([]string{}), []affiliate.User(nil))

	moved := user("a", "new@a.example", affiliate.SocialMedia{Type: "instagram", Identifier: "three"})
	moved.ID = kept[0].ID
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Users().Update(ctx, moved) })
	equal(t, "by old e-mail", byEmails([]string{"z@a.example"}), []affiliate.User(nil))
	equal(t, "by new e-mail", byEmails([]string{"new@a.example"}), []affiliate.User{moved})
	equal(t, "by old handle", bySocial([]string{"one"}), kept[2:])
	equal(t, "by new handle", bySocial([]string{"three"}), []affiliate.User{moved})

	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("%d@a.example", i)
	}
	many[500] = "y@a.example"
	equal(t, "by a thousand e-mails", byEmails(many), kept[1:2])
}

func testUserRelate(t *testing.T, s coreStore) {
	w := newWorld(t, s)
	relate := func(user, advertiser int64) func(ctx context.Context, tx coreTx) error {
		return func(ctx context.Context, tx coreTx) error { return tx.Users().Relate(ctx, user, advertiser, false) }
	}
	related := func(advertisers ...int64) []affiliate.User {
		return see(t, s, func(ctx context.Context, tx coreTx) (affiliate.Page[affiliate.User], error) {
			return tx.Users().List(ctx, affiliate.UserFilter{AdvertiserIDs: advertisers}, affiliate.PageRequest{Number: 1, Size: 10})
		}).Items
	}
	anna, acme := w.users[0].ID, w.advertisers[0].ID
	for range 2 {
		write(t, s, relate(anna, acme))
	}
	write(t, s, func(ctx context.Context, tx coreTx) error {
		return all(
			func() error { return tx.Users().Relate(ctx, w.users[1].ID, acme, false) },
			func() error { return tx.Users().Relate(ctx, w.users[1].ID, acme, false) },
			func() error { return tx.Users().Relate(ctx, anna, w.advertisers[1].ID, false) },
		)
	})
	equal(t, "related to one", related(acme), w.users[:2])
	equal(t, "related to two", related(acme, w.advertisers[1].ID), w.users[:2])
	equal(t, "related to the last", related(w.advertisers[2].ID), []affiliate.User(nil))

	refused(t, s, unknown("user_id"), relate(nowhere, acme))
	refused(t, s, unknown("user_id"), relate(0, acme))
	refused(t, s, unknown("advertiser_id"), relate(anna, nowhere))
	refused(t, s, unknown("advertiser_id"), func(ctx context.Context, tx coreTx) error {
		if err := tx.Users().Relate(ctx, w.users[2].ID, acme, false); err != nil {
			return err
		}
		return tx.Users().Relate(ctx, w.users[2].ID, 0, false)
	})
	equal(t, "related, after that was undone", related(acme), w.users[:2])
	acting := func(users []int64, advertisers ...int64) []int64 {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]int64, error) {
			return tx.Users().ActingAt(ctx, users, advertisers)
		})
	}
	everybody := []int64{w.users[1].ID, anna, w.users[2].ID, nowhere}
	equal(t, "acting before anybody did", acting(everybody, acme, w.advertisers[1].ID), []int64(nil))
	write(t, s, func(ctx context.Context, tx coreTx) error {
		return all(
			func() error { return tx.Users().Relate(ctx, anna, acme, true) },
			func() error { return tx.Users().Relate(ctx, anna, acme, false) }, // it stays so
			func() error { return tx.Users().Relate(ctx, anna, w.advertisers[1].ID, true) },
			func() error { return tx.Users().Relate(ctx, w.users[2].ID, w.advertisers[1].ID, true) },
		)
	})
	equal(t, "acting at one", acting(everybody, acme), []int64{anna})
	equal(t, "acting at two", acting(everybody, acme, w.advertisers[1].ID), idset.Sorted([]int64{anna, w.users[2].ID}))
	equal(t, "acting in any order, each once", acting([]int64{w.users[2].ID, anna, w.users[2].ID}, acme, w.advertisers[1].ID), []int64{anna, w.users[2].ID})
	equal(t, "acting at what has other ids", acting(everybody, acme+1<<32, acme-1<<32), []int64(nil))
	equal(t, "acting among none", acting([]int64{}, acme), []int64(nil))
	equal(t, "acting nowhere", acting(everybody), []int64(nil))
	// Relations are not a field of the user: an update leaves them.
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Users().Update(ctx, w.users[0]) })
	equal(t, "related, after an update", related(acme), w.users[:2])
}

func testUserList(t *testing.T, s coreStore) {
	type V = affiliate.User
	type F = affiliate.UserFilter
	groups := newWorldOfGroups(t, s)
	clients := addAll(t, s, addClient,
		affiliate.Client{Name: "one", PublicID: "1", GroupID: groups[1].ID},
		affiliate.Client{Name: "two", PublicID: "2", GroupID: groups[0].ID},
		affiliate.Client{Name: "three", PublicID: "3", GroupID: groups[1].ID},
	)
	shops := addAll(t, s, addAdvertiser, sampleAdvertiser(1), sampleAdvertiser(2))
	items := addAll(t, s, addUser,
		V{Username: "maja", DisplayName: "same", Email: "x@a.example", ClientID: clients[1].ID, Locale: "sv-SE", CreatedAt: at(3)},
		V{Username: "Maja_", DisplayName: "Same", Email: "anna%@a.example", ClientID: clients[0].ID, CreatedAt: at(3), VerifiedAt: at(1)},
		V{Username: "å", DisplayName: "same", Locale: "de", CreatedAt: at(1), SuspendedAt: at(2)},
		V{Username: "emma", DisplayName: "", CreatedAt: at(2), VerifiedAt: at(1), SuspendedAt: at(1)},
		V{Username: "İda", DisplayName: "ärlig", Email: "ida@b.example", ClientID: clients[2].ID, CreatedAt: at(2), VerifiedAt: at(2)},
		V{Username: "b", DisplayName: "b", Email: "b@b.example", ClientID: clients[0].ID, CreatedAt: time.Time{}},
	)
	write(t, s, func(ctx context.Context, tx coreTx) error {
		return all(
			func() error { return tx.Users().Relate(ctx, items[0].ID, shops[0].ID, false) },
			func() error { return tx.Users().Relate(ctx, items[3].ID, shops[0].ID, false) },
			func() error { return tx.Users().Relate(ctx, items[3].ID, shops[1].ID, false) },
			func() error { return tx.Users().Relate(ctx, items[4].ID, shops[1].ID, false) },
		)
	})
	ids := func(i ...int) []int64 { return idsOf(items, func(v V) int64 { return v.ID }, i...) }
	filters := []filterRow[F]{
		{F{ClientID: clients[0].ID}, "Maja_ b"},
		{F{ClientID: nowhere}, ""},
		{F{GroupID: groups[1].ID}, "Maja_ İda b"},
		{F{GroupID: groups[0].ID}, "maja"},
		{F{GroupID: nowhere}, ""},
		{F{AdvertiserIDs: []int64{shops[1].ID}}, "emma İda"},
		{F{AdvertiserIDs: []int64{shops[1].ID, nowhere, shops[0].ID}}, "maja emma İda"},
		{F{AdvertiserIDs: []int64{}}, ""},
		{F{AdvertiserIDs: []int64{shops[1].ID + 1<<32, shops[1].ID - 1<<32}}, ""},
		{F{IDs: ids(4, 1, 2)}, "Maja_ å İda"},
		{F{IDs: []int64{}}, ""},
		{F{Status: affiliate.UserUndecided}, "maja b"},
		{F{Status: affiliate.UserSuspended}, "å emma"},
		{F{Status: affiliate.UserAccepted}, "Maja_ İda"},
		{F{Status: "asleep"}, ""},
		{F{Around: affiliate.Around{AdvertiserID: shops[0].ID}}, "maja emma"},
		{F{Around: affiliate.Around{ClientID: clients[0].ID}}, "Maja_ b"},
		{F{Around: affiliate.Around{AdvertiserID: shops[0].ID, ClientID: clients[0].ID}}, "maja Maja_ emma b"},
		{F{Around: affiliate.Around{AdvertiserID: nowhere, ClientID: nowhere}}, ""},
		{F{EmailPrefix: "a"}, "Maja_"},
		{F{EmailPrefix: "anna%@"}, "Maja_"},
		{F{EmailPrefix: "%"}, ""},
		{F{EmailPrefix: "b@b.example"}, "b"},
		{F{Query: strconv.FormatInt(items[3].ID, 10)}, "emma"},
		{F{Query: "MAJA"}, "maja Maja_"},
		{F{Query: "b.EX"}, "İda b"},
		{F{Query: "same"}, ""}, // the display name is not searched
		{F{Query: "a_"}, "Maja_"},
		{F{Query: "%"}, "Maja_"},
		{F{Query: "Å"}, "å"},
		{F{Query: "i̇da"}, ""},
		{F{Query: "DA"}, "İda"},
		{F{Query: strings.Repeat("%", 1000)}, ""},
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Query: q}, ""}, filterRow[F]{F{EmailPrefix: q}, ""})
	}
	listing[coreTx, V, F]{
		items: items,
		label: func(v V) string { return v.Username },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Users().List(ctx, f, p)
		},
		filters: filters,
		columns: map[string]func(a, b V) int{
			"username":         byText(func(v V) string { return v.Username }),
			"display_name":     byText(func(v V) string { return v.DisplayName }),
			"email":            byText(func(v V) string { return v.Email }),
			"client_id":        byNumber(func(v V) int64 { return v.ClientID }),
			"preferred_locale": byText(func(v V) string { return v.Locale }),
			"created_at":       byTime(func(v V) time.Time { return v.CreatedAt }),
		},
	}.check(t, s)
}
