package storagetest

import (
	"context"
	"slices"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

type (
	identityTx    = identity.Tx
	identityStore = identity.Store
)

// RunIdentity runs the cases of package identity on Backend.Identity.
func RunIdentity(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) identityStore { return open(t).Identity }, identityScenarios())
}

func identityScenarios() []scenario[identityStore] {
	return slices.Concat(
		writeScenarios[identityTx](),
		tokenScenarios(),
		accountScenarios(),
		personScenarios(),
	)
}

func tokenScenarios() []scenario[identityStore] {
	return append(tokens().scenarios(),
		scenario[identityStore]{"access tokens/found by hash and subject, until deleted", testTokenLookups},
		scenario[identityStore]{"access tokens/hash is unique", testTokenHash},
		scenario[identityStore]{"memberships/added, listed and removed", testMemberships},
		scenario[identityStore]{"memberships/refused", testMembershipsRefused},
	)
}

func sampleToken(n int) identity.AccessToken {
	return identity.AccessToken{Hash: hash(n), Role: affiliate.RoleAdmin, Subject: "root"}
}

func tokens() table[identityTx, identity.AccessToken] {
	type V = identity.AccessToken
	return table[identityTx, V]{
		name:   "access tokens",
		sample: func(w world, n int) V { return sampleToken(n) },
		full: func(w world) V {
			return V{
				Hash: hash(1000), Role: affiliate.RoleClient, Subject: "17", Name: "The network", UserID: w.users[0].ID,
				ClientID: w.clients[0].ID, Test: true, CreatedAt: at(1), ExpiresAt: at(2),
			}
		},
		add:   addToken,
		fetch: func(ctx context.Context, tx identityTx, v V) (V, error) { return tx.Tokens().ByHash(ctx, v.Hash) },
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"subject", 1, 64, func(v *V) *string { return &v.Subject }, false},
			{"name", 0, 255, func(v *V) *string { return &v.Name }, false},
		},
		broken: []broken[V]{
			{"role", "unknown_role", func(v *V) { v.Role = "king" }},
			{"role", "unknown_role", func(v *V) { v.Role = affiliate.RoleSession }},
			{"client_id", "role_mismatch", func(v *V) { v.Role = affiliate.RoleClient }},
			{"user_id", "required", func(v *V) { v.Role = affiliate.RoleCreator }},
		},
		references: []reference[V]{
			{"user_id", func(v *V, id int64) { v.UserID = id }},
			{"client_id", func(v *V, id int64) { v.Role, v.ClientID = affiliate.RoleClient, id }},
		},
	}
}

func addToken(ctx context.Context, tx identityTx, v identity.AccessToken) (identity.AccessToken, error) {
	return tx.Tokens().Add(ctx, v)
}

func testTokenHash(t *testing.T, s identityStore) {
	addAll(t, s, addToken, sampleToken(1), sampleToken(2))
	refused(t, s, taken("hash"), func(ctx context.Context, tx identityTx) error {
		if _, err := tx.Tokens().Add(ctx, sampleToken(3)); err != nil {
			return err
		}
		again := sampleToken(1)
		again.Subject = "somebody else"
		return second(tx.Tokens().Add(ctx, again))
	})
	unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Tokens().ByHash(ctx, hash(3))) })
	unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Tokens().ByHash(ctx, [32]byte{})) })
}

func testTokenLookups(t *testing.T, s identityStore) {
	token := func(n int, role affiliate.Role, subject string) identity.AccessToken {
		return identity.AccessToken{Hash: hash(n), Role: role, Subject: subject, ExpiresAt: at(-1_000_000)}
	}
	kept := addAll(t, s, addToken,
		token(3, affiliate.RoleAgency, "a"), token(2, affiliate.RoleAgency, "A"),
		token(1, affiliate.RoleAgency, "a"), token(4, affiliate.RoleAdmin, "a"),
	)
	bySubject := func(role affiliate.Role, subject string) []identity.AccessToken {
		return see(t, s, func(ctx context.Context, tx identityTx) ([]identity.AccessToken, error) {
			return tx.Tokens().BySubject(ctx, role, subject)
		})
	}
	equal(t, "of an agency", bySubject(affiliate.RoleAgency, "a"), []identity.AccessToken{kept[0], kept[2]})
	equal(t, "of another", bySubject(affiliate.RoleAgency, "A"), kept[1:2])
	for _, subject := range append(unkeepable(), "", "%", "aa") {
		equal(t, "of nobody", bySubject(affiliate.RoleAgency, subject), []identity.AccessToken(nil))
	}

	remove := func(id int64) func(ctx context.Context, tx identityTx) error {
		return func(ctx context.Context, tx identityTx) error { return tx.Tokens().Delete(ctx, id) }
	}
	last := kept[3]
	write(t, s, remove(last.ID))
	refused(t, s, missing, remove(last.ID))
	refused(t, s, missing, remove(nowhere))
	refused(t, s, missing, func(ctx context.Context, tx identityTx) error {
		if err := tx.Tokens().Delete(ctx, kept[0].ID); err != nil {
			return err
		}
		if _, err := tx.Tokens().ByHash(ctx, kept[0].Hash); err == nil {
			t.Error("a deleted token is still seen by its own unit")
		}
		return tx.Tokens().Delete(ctx, 0)
	})
	equal(t, "after an undone delete", bySubject(affiliate.RoleAgency, "a"), []identity.AccessToken{kept[0], kept[2]})
	unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Tokens().ByHash(ctx, last.Hash)) })

	// The hash is free again; the id is never used twice.
	again := put(t, s, func(ctx context.Context, tx identityTx) (identity.AccessToken, error) {
		return tx.Tokens().Add(ctx, token(4, affiliate.RoleAdmin, "a"))
	})
	if again.ID <= last.ID {
		t.Errorf("id %d after %d was deleted: want it to grow", again.ID, last.ID)
	}
}

func testMemberships(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	member := func(role affiliate.Role, subject string, i int) identity.Membership {
		return identity.Membership{Role: role, Subject: subject, AdvertiserID: w.advertisers[i].ID}
	}
	of := func(role affiliate.Role, subjects ...string) []int64 {
		return see(t, s, func(ctx context.Context, tx identityTx) ([]int64, error) {
			return tx.Memberships().Advertisers(ctx, role, subjects...)
		})
	}
	const agency, rep = affiliate.RoleAgency, affiliate.RoleRepresentative
	longest := "😀" + hostile()[0]
	write(t, s, func(ctx context.Context, tx identityTx) error {
		for _, m := range []identity.Membership{
			member(agency, "a", 2), member(agency, "a", 0), member(agency, "a", 2), member(agency, "A", 1), member(agency, "A", 2),
			member(rep, "a", 1), member(rep, longest, 1),
		} {
			if err := tx.Memberships().Add(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	write(t, s, func(ctx context.Context, tx identityTx) error {
		return tx.Memberships().Add(ctx, member(agency, "a", 0))
	})
	two := []int64{w.advertisers[0].ID, w.advertisers[2].ID}
	equal(t, "of the agency", of(agency, "a"), two)
	equal(t, "of the other agency", of(agency, "A"), []int64{w.advertisers[1].ID, w.advertisers[2].ID})
	equal(t, "of the representative", of(rep, longest), []int64{w.advertisers[1].ID})
	equal(t, "of both agencies", of(agency, "a", "A", "a", "b", "\x00"), []int64{w.advertisers[0].ID, w.advertisers[1].ID, w.advertisers[2].ID})
	equal(t, "of no member", of(agency), []int64(nil))
	for _, subject := range append(unkeepable(), "", "b") {
		equal(t, "of nobody", of(agency, subject), []int64(nil))
	}
	equal(t, "of no role", of("king", "a"), []int64(nil))

	for range 2 {
		write(t, s, func(ctx context.Context, tx identityTx) error {
			return all(
				func() error { return tx.Memberships().Remove(ctx, member(agency, "a", 0)) },
				func() error { return tx.Memberships().Remove(ctx, member(agency, "b", 0)) },
				func() error { return tx.Memberships().Remove(ctx, member(agency, "a\x00", 2)) },
				func() error { return tx.Memberships().Remove(ctx, member(agency+"\x00", "a", 2)) },
				func() error {
					return tx.Memberships().Remove(ctx, identity.Membership{Role: agency, Subject: "a", AdvertiserID: nowhere})
				},
			)
		})
		equal(t, "after removal", of(agency, "a"), two[1:]) // though it was added twice
	}
}

func testMembershipsRefused(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	for _, c := range []struct {
		want failure
		m    identity.Membership
	}{
		{unknown("advertiser_id"), identity.Membership{Role: affiliate.RoleAgency, Subject: "a", AdvertiserID: nowhere}},
		{unknown("advertiser_id"), identity.Membership{Role: affiliate.RoleAgency, Subject: "a"}},
		{invalid("role", "unknown_role"), identity.Membership{Role: affiliate.RoleAdmin, Subject: "a", AdvertiserID: w.advertisers[0].ID}},
		{invalid("subject", "required"), identity.Membership{Role: affiliate.RoleAgency, AdvertiserID: w.advertisers[0].ID}},
		{invalid("subject", "nul"), identity.Membership{Role: affiliate.RoleAgency, Subject: "\x00", AdvertiserID: w.advertisers[0].ID}},
	} {
		refused(t, s, c.want, func(ctx context.Context, tx identityTx) error {
			good := identity.Membership{Role: affiliate.RoleAgency, Subject: "a", AdvertiserID: w.advertisers[1].ID}
			if err := tx.Memberships().Add(ctx, good); err != nil {
				return err
			}
			return tx.Memberships().Add(ctx, c.m)
		})
	}
	equal(t, "memberships, after all was refused", see(t, s, func(ctx context.Context, tx identityTx) ([]int64, error) {
		return tx.Memberships().Advertisers(ctx, affiliate.RoleAgency, "a")
	}), []int64(nil))
}
