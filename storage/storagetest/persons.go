package storagetest

import (
	"context"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

func personScenarios() []scenario[identityStore] {
	return []scenario[identityStore]{
		{"persons/taken out of every row", testPersonRemoved},
		{"persons/without an address", testPersonNoEmail},
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

// testPersonNoEmail removes a person of whom no address is known: what has none either
// is not theirs.
func testPersonNoEmail(t *testing.T, s identityStore) {
	w := newWorld(t, s)
	key := sampleKey("admin:1", "a")
	key.Body = []byte(`{"email":"stays@mail.example"}`)
	write(t, s, func(ctx context.Context, tx identityTx) error {
		_, _, err := tx.IdempotencyKeys().Reserve(ctx, key, at(0), 100)
		return err
	})
	another := sampleAccount(1)
	another.Name = "A name"
	another = addAll(t, s, addAccount, another)[0]
	write(t, s, func(ctx context.Context, tx identityTx) error {
		return tx.Persons().Remove(ctx, identity.Person{UserID: w.users[0].ID})
	})
	equal(t, "an account without an address", see(t, s, func(ctx context.Context, tx identityTx) (identity.Account, error) {
		return tx.Accounts().Get(ctx, another.ID)
	}), another)
	key.Token = "t2"
	equal(t, "the key is free", put(t, s, func(ctx context.Context, tx identityTx) (bool, error) {
		_, fresh, err := tx.IdempotencyKeys().Reserve(ctx, key, at(0), 100)
		return fresh, err
	}), false)
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

// What the person and another have written, in the rows of campaigns, return ads and
// media: of each the person's own changes, and nothing else.
func testPersonOfAllStores(t *testing.T, b Backend) {
	w := newWorldOfOffers(t, b.Offers)
	gone, stays := affiliate.Actor{UserID: w.users[0].ID, Name: "A name"}, affiliate.Actor{UserID: w.users[1].ID, Name: "A name"}
	p := identity.Person{UserID: gone.UserID, Email: "gone@mail.example", Handles: []string{"also", "gone", "group@mail.example"}}
	erased := affiliate.ErasedName(gone.UserID)
	type rows struct {
		offers     []offers.Offer
		comments   []offers.Comment
		activities []offers.Activity
		targets    []offers.Target
		ads        []returnads.Ad
		media      []media.Medium
	}
	comment := func(by affiliate.Actor) offers.Comment {
		return offers.Comment{ParticipantID: w.participant.ID, Text: "x", Author: by, AuthorKey: "user:7"}
	}
	activity := func(by affiliate.Actor) offers.Activity {
		return offers.Activity{ParticipantID: w.participant.ID, Type: "comment", Actor: by}
	}
	medium := func(n int, user int64, name string) media.Medium {
		m := sampleMedium(n)
		m.UserID, m.Username, m.ContentType, m.Href = user, name, "video/mp4", "https://media.example/1"
		return m
	}
	target := func(kind offers.TargetKind, value string) offers.Target {
		return offers.Target{Kind: kind, Value: value}
	}
	given := rows{
		offers:     []offers.Offer{sampleOffer(w, 1), sampleOffer(w, 2)},
		comments:   []offers.Comment{comment(gone), comment(stays), comment(affiliate.Actor{UserID: gone.UserID, Name: erased})},
		activities: []offers.Activity{activity(gone), activity(stays)},
		targets: []offers.Target{
			target(offers.TargetEmail, p.Email), target(offers.TargetEmail, "group@mail.example"), target(offers.TargetEmail, "stays@mail.example"),
			target(offers.TargetIdentifier, "gone"), target(offers.TargetIdentifier, p.Email), target(offers.TargetIdentifier, "stays"),
		},
		ads:   []returnads.Ad{sampleAd(w, 1), sampleAd(w, 2)},
		media: []media.Medium{medium(1, gone.UserID, "old"), medium(2, 0, "gone"), medium(3, stays.UserID, "stays")},
	}
	given.offers[0].CreatedBy, given.offers[1].CreatedBy = gone, stays
	given.ads[0].Author, given.ads[1].Author = gone, stays
	offerIDs := addAll(t, b.Offers, addOffer, given.offers...)
	addAll(t, b.Offers, addComment, given.comments...)
	ads := addAll(t, b.ReturnAds, addAd, given.ads...)
	kept := addAll(t, b.Media, addMedium, given.media...)
	write(t, b.Offers, func(ctx context.Context, tx offers.Tx) error {
		return all(
			func() error { return tx.Activities().Add(ctx, given.activities...) },
			func() error { return tx.Targets().Set(ctx, w.offer.ID, given.targets) },
		)
	})
	look := func() (r rows) {
		read(t, b.Offers, func(ctx context.Context, tx offers.Tx) error {
			return all(
				func() (err error) {
					r.offers, err = tx.Offers().GetMany(ctx, []int64{offerIDs[0].ID, offerIDs[1].ID})
					return err
				},
				func() (err error) { r.comments, err = tx.Comments().ByParticipant(ctx, w.participant.ID); return err },
				func() (err error) { r.targets, err = tx.Targets().Get(ctx, w.offer.ID); return err },
				func() error {
					page, err := tx.Activities().List(ctx, offers.ActivityFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
					r.activities = page.Items
					return err
				},
			)
		})
		read(t, b.ReturnAds, func(ctx context.Context, tx returnads.Tx) (err error) {
			for _, ad := range ads {
				got, err := tx.ReturnAds().Get(ctx, ad.ID)
				if err != nil {
					return err
				}
				r.ads = append(r.ads, got)
			}
			return nil
		})
		read(t, b.Media, func(ctx context.Context, tx media.Tx) error {
			for _, m := range kept {
				got, err := tx.Media().Get(ctx, m.ID)
				if err != nil {
					return err
				}
				r.media = append(r.media, got)
			}
			return nil
		})
		return r
	}
	want := look()
	want.offers[0].CreatedBy.Name, want.ads[0].Author.Name, want.activities[0].Actor.Name = erased, erased, erased
	want.comments[0].Author.Name, want.comments[0].AuthorKey = erased, ""
	want.comments[2].AuthorKey = ""
	want.targets = []offers.Target{
		target(offers.TargetEmail, p.ErasedEmail()), target(offers.TargetEmail, "group@mail.example"), target(offers.TargetEmail, "stays@mail.example"),
		target(offers.TargetIdentifier, erased+"-2"), target(offers.TargetIdentifier, p.Email), target(offers.TargetIdentifier, "stays"),
	}
	for i := range 2 {
		want.media[i].Username, want.media[i].ContentType, want.media[i].Href, want.media[i].UserID = erased, "", "", 0
	}
	for range 2 { // the second time changes nothing
		write(t, b.Identity, func(ctx context.Context, tx identityTx) error { return tx.Persons().Remove(ctx, p) })
		got := look()
		equal(t, "offers", got.offers, want.offers)
		equal(t, "comments", got.comments, want.comments)
		equal(t, "activities", got.activities, want.activities)
		equal(t, "targets", got.targets, want.targets)
		equal(t, "return ads", got.ads, want.ads)
		equal(t, "media", got.media, want.media)
	}
}
