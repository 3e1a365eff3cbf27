package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

func accountScenarios() []scenario[identityStore] {
	all := append(accounts().scenarios(), agencies().scenarios()...)
	all = append(all, invites().scenarios()...)
	return append(all,
		scenario[identityStore]{"accounts/found by subject and user", testAccountLookups},
		scenario[identityStore]{"accounts/one for a user", testAccountUser},
		scenario[identityStore]{"accounts/of unknown agencies are refused", testAccountAgencies},
		scenario[identityStore]{"invites/found by hash, unique", testInviteHash},
		scenario[identityStore]{"invites/pending", testInvitesPending},
	)
}

func sampleAccount(n int) identity.Account {
	return identity.Account{Subject: fmt.Sprint("subject ", n)}
}

func accounts() table[identityTx, identity.Account] {
	type V = identity.Account
	return table[identityTx, V]{
		name:   "accounts",
		sample: func(_ world, n int) V { return sampleAccount(n) },
		full: func(w world) V {
			return V{
				Subject: "ory_identity", Email: "anna@example.com", Name: "Anna", Role: affiliate.RoleCreator, UserID: w.users[0].ID,
				UTM: identity.UTM{Source: "s", Medium: "m", Campaign: "c", Term: "t", Content: "x"}, CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		unset:  []string{"AgencyIDs"}, // an account of an agency has no user
		add:    addAccount,
		fetch:  func(ctx context.Context, tx identityTx, v V) (V, error) { return tx.Accounts().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx identityTx, v V) error { return tx.Accounts().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"subject", 1, 255, func(v *V) *string { return &v.Subject }, false},
			{"name", 0, 255, func(v *V) *string { return &v.Name }, false},
			{"utm.source", 0, 255, func(v *V) *string { return &v.UTM.Source }, false},
			{"utm.medium", 0, 255, func(v *V) *string { return &v.UTM.Medium }, false},
			{"utm.campaign", 0, 255, func(v *V) *string { return &v.UTM.Campaign }, false},
			{"utm.term", 0, 255, func(v *V) *string { return &v.UTM.Term }, false},
			{"utm.content", 0, 255, func(v *V) *string { return &v.UTM.Content }, false},
		},
		broken: []broken[V]{
			{"email", "not_normalized", func(v *V) { v.Email = "A@example.com" }},
			{"role", "unknown_role", func(v *V) { v.Role = affiliate.RoleAdmin }},
			{"user_id", "role_mismatch", func(v *V) { v.Role = affiliate.RoleCreator }},
			{"agency_ids", "role_mismatch", func(v *V) { v.Role = affiliate.RoleAgency }},
			{"agency_ids", "not_ascending", func(v *V) { v.Role, v.AgencyIDs = affiliate.RoleAgency, []int64{2, 1} }},
		},
		references: []reference[V]{
			{"user_id", func(v *V, id int64) { v.Role, v.UserID = affiliate.RoleCreator, id }},
			{"agency_ids", func(v *V, id int64) { v.Role, v.AgencyIDs = affiliate.RoleAgency, []int64{id} }},
		},
		unique: []uniqueText[V]{{field: "subject", at: func(v *V) *string { return &v.Subject }}},
	}
}

func addAccount(ctx context.Context, tx identityTx, v identity.Account) (identity.Account, error) {
	return tx.Accounts().Add(ctx, v)
}

func agencies() table[identityTx, identity.Agency] {
	type V = identity.Agency
	return table[identityTx, V]{
		name:   "agencies",
		sample: func(_ world, n int) V { return sampleAgency(n) },
		full:   func(world) V { return V{Name: "Agency", CreatedAt: at(1)} },
		add:    addAgency,
		fetch: func(ctx context.Context, tx identityTx, v V) (V, error) {
			return oneOf(tx.Agencies().GetMany(ctx, []int64{v.ID}))
		},
		getMany: func(ctx context.Context, tx identityTx, ids []int64) ([]V, error) {
			return tx.Agencies().GetMany(ctx, ids)
		},
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"name", 1, 255, func(v *V) *string { return &v.Name }, false}},
	}
}

func sampleAgency(n int) identity.Agency { return identity.Agency{Name: fmt.Sprint("agency ", n)} }

func addAgency(ctx context.Context, tx identityTx, v identity.Agency) (identity.Agency, error) {
	return tx.Agencies().Add(ctx, v)
}

func sampleInvite(w world, n int) identity.Invite {
	return identity.Invite{
		Role: affiliate.RoleRepresentative, AdvertiserID: w.advertisers[0].ID, Email: fmt.Sprintf("guest%d@example.com", n),
		Hash: hash(n), ExpiresAt: at(3600),
	}
}

func invites() table[identityTx, identity.Invite] {
	type V = identity.Invite
	return table[identityTx, V]{
		name:   "invites",
		sample: sampleInvite,
		full: func(w world) V {
			return V{
				Role: affiliate.RoleRepresentative, AdvertiserID: w.advertisers[1].ID, Email: "guest@example.com", Hash: hash(2000),
				By: affiliate.Actor{UserID: w.users[0].ID, Name: "Anna"}, CreatedAt: at(1), ExpiresAt: at(2), AcceptedAt: at(3), RevokedAt: at(4),
			}
		},
		unset:  []string{"AgencyID", "AcceptedBy"}, // an invite is to one of the two; no account is in the world
		timed:  true,
		add:    addInvite,
		fetch:  func(ctx context.Context, tx identityTx, v V) (V, error) { return tx.Invites().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx identityTx, v V) error { return tx.Invites().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		broken: []broken[V]{
			{"role", "unknown_role", func(v *V) { v.Role = affiliate.RoleAdmin }},
			{"advertiser_id", "role_mismatch", func(v *V) { v.AdvertiserID = 0 }},
			{"agency_id", "role_mismatch", func(v *V) { v.AgencyID = 1 }},
			{"email", "invalid_email", func(v *V) { v.Email = "guest" }},
			{"email", "not_normalized", func(v *V) { v.Email = "Guest@example.com" }},
			{"email", "too_long", func(v *V) { v.Email = longEmail() }},
			{"expires_at", "required", func(v *V) { v.ExpiresAt = time.Time{} }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"agency_id", func(v *V, id int64) { v.Role, v.AdvertiserID, v.AgencyID = affiliate.RoleAgency, 0, id }},
			{"by", func(v *V, id int64) { v.By.UserID = id }},
			{"accepted_by", func(v *V, id int64) { v.AcceptedBy = id }},
		},
	}
}

func longEmail() string {
	name := make([]byte, 254)
	for i := range name {
		name[i] = 'a'
	}
	return string(name) + "@b"
}

func addInvite(ctx context.Context, tx identityTx, v identity.Invite) (identity.Invite, error) {
	return tx.Invites().Add(ctx, v)
}

func testAccountLookups(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	linked := func(n, user int) identity.Account {
		a := sampleAccount(n)
		a.Role, a.UserID = affiliate.RoleCreator, w.users[user].ID
		return a
	}
	kept := addAll(t, s, addAccount, linked(1, 1), sampleAccount(2), linked(3, 0))
	equal(t, "by subject", see(t, s, func(ctx context.Context, tx identityTx) (identity.Account, error) {
		return tx.Accounts().BySubject(ctx, "subject 3")
	}), kept[2])
	for _, subject := range append(unkeepable(), "", "Subject 3", "subject", "%") {
		unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Accounts().BySubject(ctx, subject)) })
	}
	for _, id := range []int64{nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Accounts().Get(ctx, id)) })
	}
	byUsers := func(ids ...int64) []identity.Account {
		return see(t, s, func(ctx context.Context, tx identityTx) ([]identity.Account, error) {
			return tx.Accounts().ByUsers(ctx, ids)
		})
	}
	equal(t, "by users", byUsers(w.users[0].ID, nowhere, w.users[1].ID, w.users[2].ID, w.users[0].ID), []identity.Account{kept[0], kept[2]})
	equal(t, "by no user", byUsers(), []identity.Account(nil))
	equal(t, "by user 0", byUsers(0), []identity.Account(nil))
}

func testAccountUser(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	mine := func(n int) identity.Account {
		a := sampleAccount(n)
		a.Role, a.UserID = affiliate.RoleCreator, w.users[0].ID
		return a
	}
	kept := addAll(t, s, addAccount, mine(1), sampleAccount(2))
	third := mine(3)
	third.ID = kept[0].ID // an id that is given to Add says nothing
	for want, a := range map[string]identity.Account{"user_id": third, "subject": kept[1]} {
		refused(t, s, taken(want), func(ctx context.Context, tx identityTx) error { return second(tx.Accounts().Add(ctx, a)) })
	}
	second := mine(2)
	second.ID = kept[1].ID
	refused(t, s, taken("user_id"), func(ctx context.Context, tx identityTx) error { return tx.Accounts().Update(ctx, second) })
	write(t, s, func(ctx context.Context, tx identityTx) error { return tx.Accounts().Update(ctx, kept[0]) }) // to itself
}

func testAccountAgencies(t *testing.T, s identityStore) {
	agencies := addAll(t, s, addAgency, sampleAgency(1), sampleAgency(2))
	a := sampleAccount(1)
	a.Role, a.AgencyIDs = affiliate.RoleAgency, []int64{agencies[0].ID, agencies[1].ID}
	want := slices.Clone(a.AgencyIDs)
	kept := put(t, s, func(ctx context.Context, tx identityTx) (identity.Account, error) { return tx.Accounts().Add(ctx, a) })
	equal(t, "agencies", kept.AgencyIDs, want)
	scribble(&kept)
	scribble(&a)
	got := see(t, s, func(ctx context.Context, tx identityTx) (identity.Account, error) {
		return tx.Accounts().BySubject(ctx, a.Subject)
	})
	equal(t, "agencies, after the caller wrote into them", got.AgencyIDs, want)
	refused(t, s, unknown("agency_ids"), func(ctx context.Context, tx identityTx) error { // who looked for it has not found it
		looked := []int64{agencies[0].ID, nowhere}
		if _, err := tx.Agencies().GetMany(ctx, looked); err != nil {
			return err
		}
		of := sampleAccount(2)
		of.Role, of.AgencyIDs = affiliate.RoleAgency, looked
		return second(tx.Accounts().Add(ctx, of))
	})
}

func testInviteHash(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	kept := addAll(t, s, addInvite, sampleInvite(w, 1), sampleInvite(w, 2))
	equal(t, "by hash", see(t, s, func(ctx context.Context, tx identityTx) (identity.Invite, error) {
		return tx.Invites().ByHash(ctx, hash(2))
	}), kept[1])
	unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Invites().ByHash(ctx, hash(3))) })
	unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Invites().Get(ctx, nowhere)) })
	again := sampleInvite(w, 3)
	again.Hash, again.ID = hash(1), kept[0].ID // which says nothing
	refused(t, s, taken("hash"), func(ctx context.Context, tx identityTx) error { return second(tx.Invites().Add(ctx, again)) })
	again.ID = kept[1].ID
	refused(t, s, taken("hash"), func(ctx context.Context, tx identityTx) error { return tx.Invites().Update(ctx, again) })
}

func testInvitesPending(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	agency := put(t, s, func(ctx context.Context, tx identityTx) (identity.Agency, error) {
		return tx.Agencies().Add(ctx, sampleAgency(1))
	})
	n := 0
	invite := func(change func(*identity.Invite)) identity.Invite {
		n++
		i := sampleInvite(w, n)
		i.Email = "guest@example.com"
		change(&i)
		return i
	}
	kept := addAll(t, s, addInvite,
		invite(func(i *identity.Invite) {}),
		invite(func(i *identity.Invite) { i.AcceptedAt = at(1) }),
		invite(func(i *identity.Invite) { i.RevokedAt = at(1) }),
		invite(func(i *identity.Invite) { i.ExpiresAt = at(10) }),
		invite(func(i *identity.Invite) { i.Email = "other@example.com" }),
		invite(func(i *identity.Invite) { i.Role, i.AdvertiserID, i.AgencyID = affiliate.RoleAgency, 0, agency.ID }),
		invite(func(i *identity.Invite) { i.AdvertiserID = w.advertisers[1].ID }),
	)
	pending := func(role affiliate.Role, email string, now int) []identity.Invite {
		return see(t, s, func(ctx context.Context, tx identityTx) ([]identity.Invite, error) {
			return tx.Invites().Pending(ctx, role, email, at(now))
		})
	}
	equal(t, "pending", pending(affiliate.RoleRepresentative, "guest@example.com", 9), []identity.Invite{kept[0], kept[3], kept[6]})
	equal(t, "pending when one expires", pending(affiliate.RoleRepresentative, "guest@example.com", 10), []identity.Invite{kept[0], kept[6]})
	equal(t, "pending for an agency", pending(affiliate.RoleAgency, "guest@example.com", 0), kept[5:6])
	equal(t, "pending after all expired", pending(affiliate.RoleAgency, "guest@example.com", 3600), []identity.Invite(nil))
	for _, email := range append(unkeepable(), "", "Guest@example.com", "%") {
		equal(t, "of nobody", pending(affiliate.RoleRepresentative, email, 0), []identity.Invite(nil))
	}
	kept[0].AcceptedAt = at(5)
	write(t, s, func(ctx context.Context, tx identityTx) error { return tx.Invites().Update(ctx, kept[0]) })
	equal(t, "pending after one was accepted", pending(affiliate.RoleRepresentative, "guest@example.com", 0), []identity.Invite{kept[3], kept[6]})
}
