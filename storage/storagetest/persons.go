package storagetest

import (
	"context"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

func personScenarios() []scenario[identityStore] {
	return []scenario[identityStore]{
		{"persons/taken out of every row", testPersonRemoved},
		{"persons/refused", testPersonRefused},
	}
}

func testPersonRemoved(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	gone, stays := w.users[0].ID, w.users[1].ID
	p := identity.Person{UserID: gone, Email: "gone@mail.example", Handles: []string{"gone"}}
	token := func(n int, user int64) identity.AccessToken {
		return identity.AccessToken{Hash: hash(n), Role: affiliate.RoleCreator, Subject: "any", Name: "A name", UserID: user}
	}
	tokens := addAll(t, s, addToken, token(1, gone), token(2, stays))
	account := func(n int, role affiliate.Role, user int64, email string) identity.Account {
		a := sampleAccount(n)
		a.Role, a.UserID, a.Email, a.Name, a.UTM.Source, a.UpdatedAt = role, user, email, "A name", "ad", at(1)
		return a
	}
	accounts := addAll(t, s, addAccount,
		account(1, affiliate.RoleCreator, gone, "old@mail.example"), account(2, affiliate.RoleRepresentative, 0, p.Email), account(3, affiliate.RoleCreator, stays, "stays@mail.example"))
	invite := func(n int, email string, by int64) identity.Invite {
		i := sampleInvite(w, n)
		i.Email, i.By = email, affiliate.Actor{UserID: by, Name: "A name"}
		return i
	}
	invites := addAll(t, s, addInvite, invite(1, p.Email, stays), invite(2, "stays@mail.example", gone))
	var entries []affiliate.BlocklistEntry
	write(t, s, func(ctx context.Context, tx identityTx) (err error) {
		entries, err = tx.Blocklist().AddMissing(ctx,
			affiliate.BlocklistEntry{AdvertiserID: w.advertisers[0].ID, UserID: stays, CreatedBy: affiliate.Actor{UserID: gone, Name: "A name"}},
			affiliate.BlocklistEntry{AdvertiserID: w.advertisers[0].ID, UserID: gone, CreatedBy: affiliate.Actor{UserID: stays, Name: "A name"}})
		return err
	})
	answer := func(key, body string) affiliate.IdempotencyKey {
		k := sampleKey("admin:1", key)
		k.Body = []byte(body)
		return k
	}
	write(t, s, func(ctx context.Context, tx identityTx) error {
		for _, k := range []affiliate.IdempotencyKey{answer("a", `{"email":"gone@mail.example"}`), answer("b", `{"email":"stays@mail.example"}`)} {
			if _, _, err := tx.IdempotencyKeys().Reserve(ctx, k, at(0), 100); err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 { // the second time changes nothing
		write(t, s, func(ctx context.Context, tx identityTx) error { return tx.Persons().Remove(ctx, p) })

		unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error { return second(tx.Tokens().ByHash(ctx, tokens[0].Hash)) })
		equal(t, "another's token", see(t, s, func(ctx context.Context, tx identityTx) (identity.AccessToken, error) {
			return tx.Tokens().ByHash(ctx, tokens[1].Hash)
		}), tokens[1])

		get := func(i int) identity.Account {
			return see(t, s, func(ctx context.Context, tx identityTx) (identity.Account, error) {
				return tx.Accounts().Get(ctx, accounts[i].ID)
			})
		}
		mine := get(0)
		unreadable(t, s, missing, func(ctx context.Context, tx identityTx) error {
			return second(tx.Accounts().BySubject(ctx, accounts[0].Subject))
		})
		equal(t, "the account", mine, identity.Account{ID: accounts[0].ID, Subject: mine.Subject, CreatedAt: accounts[0].CreatedAt, UpdatedAt: accounts[0].UpdatedAt})
		nameless := accounts[1]
		nameless.Email, nameless.Name = "", ""
		equal(t, "an account with the address", get(1), nameless)
		equal(t, "another's account", get(2), accounts[2])

		for i, change := range []func(*identity.Invite){
			func(i *identity.Invite) { i.Email = p.ErasedEmail() },
			func(i *identity.Invite) { i.By.Name = affiliate.ErasedName(gone) },
		} {
			want := invites[i]
			change(&want)
			equal(t, "an invite", see(t, s, func(ctx context.Context, tx identityTx) (identity.Invite, error) {
				return tx.Invites().Get(ctx, want.ID)
			}), want)
		}

		want := []affiliate.BlocklistEntry{entries[0], entries[1]}
		want[0].CreatedBy.Name = affiliate.ErasedName(gone)
		equal(t, "the blocklist", see(t, s, func(ctx context.Context, tx identityTx) ([]affiliate.BlocklistEntry, error) {
			page, err := tx.Blocklist().List(ctx, affiliate.BlocklistFilter{AdvertiserID: w.advertisers[0].ID}, affiliate.PageRequest{Number: 1, Size: 10})
			return page.Items, err
		}), want)
	}
	write(t, s, func(ctx context.Context, tx identityTx) error {
		for key, free := range map[string]bool{"a": true, "b": false} {
			again := answer(key, "again")
			again.Token = "t2"
			_, fresh, err := tx.IdempotencyKeys().Reserve(ctx, again, at(0), 100)
			if err != nil {
				return err
			}
			equal(t, "the key "+key+" is free", fresh, free)
		}
		return nil
	})
}

func testPersonRefused(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	for field, p := range map[string]identity.Person{
		"user_id": {}, "email": {UserID: w.users[0].ID, Email: "Gone@mail.example"}, "handles": {UserID: w.users[0].ID, Handles: []string{"b", "a"}},
	} {
		code := map[string]string{"user_id": "required", "email": "not_normalized", "handles": "not_ascending"}[field]
		refused(t, s, failure{affiliate.ErrInvalid, code, field}, func(ctx context.Context, tx identityTx) error { return tx.Persons().Remove(ctx, p) })
	}
}
