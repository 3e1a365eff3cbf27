package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func eur(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "EUR") }

func sampleAdvertiser(name string) affiliate.Advertiser {
	return affiliate.Advertiser{
		Name: name, Country: "SE", Currency: "SEK", Status: affiliate.AdvertiserActive, Provider: affiliate.ProviderDirect,
		TrackingTemplate: affiliate.DefaultTrackingTemplate, CreatedAt: epoch, UpdatedAt: epoch,
	}
}

func sampleLink(user, advertiser, n int64) links.Link {
	url := fmt.Sprintf("https://shop.example/product/%d", n)
	l := links.Link{UserID: user, AdvertiserID: advertiser, OriginalURL: url, TargetURL: url, Template: ":TARGET_URL", CreatedAt: epoch}
	l.Key[0], l.Key[1] = byte(n), byte(n>>8)
	return l
}

// operation is one call that changes something, with arguments that may or may
// not be accepted in the state that it meets.
type operation struct {
	name string
	run  func(ctx context.Context, tx links.Tx) error
}

func dropValue[T any](_ T, err error) error { return err }

func drawOperation(t *rapid.T) operation {
	n := func(name string, most int64) int64 { return rapid.Int64Range(1, most).Draw(t, name) }
	a, b, c, d := n("a", 6), n("b", 4), n("c", 5), n("d", 40)
	at := epoch.Add(time.Duration(d) * time.Hour)
	id := uuid.UUID{byte(d), byte(a), 2: byte(c), 15: 1}
	ops := []operation{
		{"advertiser", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Advertisers().Add(ctx, sampleAdvertiser(fmt.Sprint("shop ", d))))
		}},
		{"change advertiser", func(ctx context.Context, tx links.Tx) error {
			v := sampleAdvertiser(fmt.Sprint("renamed ", d))
			v.ID, v.GroupID = a, b%2
			return tx.Advertisers().Update(ctx, v)
		}},
		{"group", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.AdvertiserGroups().Add(ctx, affiliate.AdvertiserGroup{Name: "g", Key: fmt.Sprint("k", d), Currency: "EUR"}))
		}},
		{"client", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Clients().Add(ctx, affiliate.Client{Name: "c", PublicID: fmt.Sprint("p", a), GroupID: b % 2}))
		}},
		{"user", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Users().Add(ctx, sampleUser(d)))
		}},
		{"change user", func(ctx context.Context, tx links.Tx) error {
			u := sampleUser(d + 100)
			u.ID = a
			return tx.Users().Update(ctx, u)
		}},
		{"relate", func(ctx context.Context, tx links.Tx) error { return tx.Users().Relate(ctx, a, b, false) }},
		{"token", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Tokens().Add(ctx, identity.AccessToken{Hash: [32]byte{byte(d)}, Role: affiliate.RoleAdmin, Subject: fmt.Sprint(c)}))
		}},
		{"revoke", func(ctx context.Context, tx links.Tx) error { return tx.Tokens().Delete(ctx, a) }},
		{"member", func(ctx context.Context, tx links.Tx) error {
			return tx.Memberships().Add(ctx, identity.Membership{Role: affiliate.RoleAgency, Subject: fmt.Sprint(b), AdvertiserID: a})
		}},
		{"no member", func(ctx context.Context, tx links.Tx) error {
			return tx.Memberships().Remove(ctx, identity.Membership{Role: affiliate.RoleAgency, Subject: fmt.Sprint(b), AdvertiserID: a})
		}},
		{"append", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Ledger().Append(ctx, affiliate.Entry{
				Kind: affiliate.EntryClick, Account: affiliate.UserAccount(a), AdvertiserID: b % 2, Earning: eur(c), Cost: eur(d),
				OccurredAt: epoch, PayableAt: at, Cause: "click:" + id.String(), Terms: fmt.Sprint(b),
			}, affiliate.Entry{
				Kind: affiliate.EntryPayout, Account: affiliate.UserAccount(b), Earning: eur(-c), Cost: eur(0),
				OccurredAt: epoch, PayableAt: at, Cause: fmt.Sprint("payout:", d),
			}))
		}},
		{"event", func(ctx context.Context, tx links.Tx) error {
			return tx.Events().Add(ctx, affiliate.EventUserApproved.On(d, at))
		}},
		{"reserve", func(ctx context.Context, tx links.Tx) error {
			_, _, err := tx.IdempotencyKeys().Reserve(ctx, affiliate.IdempotencyKey{Principal: "p", Key: fmt.Sprint(a), Token: "t", ExpiresAt: at}, epoch.Add(20*time.Hour), 100)
			return err
		}},
		{"expire", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.IdempotencyKeys().Expire(ctx, at, 2))
		}},
		{"rule", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Rules().Add(ctx, links.Rule{AdvertiserID: a, Type: links.RuleAllow, URL: "shop.example", IsMain: d > 20}))
		}},
		{"change rule", func(ctx context.Context, tx links.Tx) error {
			return tx.Rules().Update(ctx, links.Rule{ID: c, AdvertiserID: a, Type: links.RuleAllow, URL: "new.example", IsMain: d > 20})
		}},
		{"no rule", func(ctx context.Context, tx links.Tx) error { return tx.Rules().Delete(ctx, c) }},
		{"block", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.Blocklist().AddMissing(ctx, affiliate.BlocklistEntry{AdvertiserID: a, UserID: b}, affiliate.BlocklistEntry{AdvertiserID: b, ClientID: a}))
		}},
		{"unblock", func(ctx context.Context, tx links.Tx) error { return tx.Blocklist().Delete(ctx, c) }},
		{"link", func(ctx context.Context, tx links.Tx) error {
			_, _, err := tx.Links().AddOrGet(ctx, sampleLink(a, b, d))
			return err
		}},
		{"change link", func(ctx context.Context, tx links.Tx) error {
			l := sampleLink(a, b, d)
			l.ID, l.DeletedAt = c, at
			return tx.Links().Update(ctx, l)
		}},
		{"click", func(ctx context.Context, tx links.Tx) error {
			return tx.Clicks().Add(ctx, links.Click{
				ID: id, LinkID: c, UserID: a, AdvertiserID: b, At: at, Visitor: links.VisitorKey{byte(b)},
				Verdict: links.Verdicts()[a%2], Earning: eur(0), Cost: eur(0),
			})
		}},
		{"day", func(ctx context.Context, tx links.Tx) error {
			e := stats.Fact{Kind: stats.ClickValid, Day: links.DayOf(at), AdvertiserID: a, OfferID: b, UserID: b, LinkID: c, Reader: stats.Reader{byte(c)}}
			return stats.Record(ctx, tx, e)
		}},
		{"forget readers", func(ctx context.Context, tx links.Tx) error { return tx.Stats().Forget(ctx, at) }},
		{"secret", func(ctx context.Context, tx links.Tx) error {
			return dropValue(tx.VisitorSecrets().AddOrGet(ctx, links.VisitorSecret{Date: at}))
		}},
		{"forget", func(ctx context.Context, tx links.Tx) error { return tx.VisitorSecrets().RemoveBefore(ctx, at) }},
	}
	return rapid.SampledFrom(ops).Draw(t, "operation")
}

func (o operation) String() string { return o.name }

func sampleUser(n int64) affiliate.User {
	return affiliate.User{
		Username: fmt.Sprint("user ", n), Email: fmt.Sprintf("u%d@mail.example", n%7), ClientID: n % 2,
		SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: fmt.Sprint("h", n%3)}, {Type: "instagram", Identifier: "all"}},
		CreatedAt:   epoch,
	}
}

// populated is a store with a few of everything, so that drawn ids are there.
func populated(t *rapid.T) *DB {
	db := New()
	for _, code := range []string{"EUR", string(affiliate.EntryClick), string(affiliate.EntryPayout)} {
		db.codes.Number(code)
	}
	err := db.Links().Write(context.Background(), func(ctx context.Context, tx links.Tx) error {
		for n := int64(1); n <= 6; n++ {
			_, err := tx.Advertisers().Add(ctx, sampleAdvertiser("first"))
			u := sampleUser(n)
			u.ClientID = 0
			_, errUser := tx.Users().Add(ctx, u)
			_, errClient := tx.Clients().Add(ctx, affiliate.Client{Name: "c", PublicID: fmt.Sprint("first", n)})
			_, _, errLink := tx.Links().AddOrGet(ctx, sampleLink(n, 1, n))
			_, errGroup := tx.AdvertiserGroups().Add(ctx, affiliate.AdvertiserGroup{Name: "g", Key: fmt.Sprint("first", n), Currency: "EUR"})
			if err := errors.Join(err, errUser, errClient, errLink, errGroup); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// leavesNoTrace draws units on a store and on one that never sees those that are
// rolled back: the two must be the same, byte for byte, and the indexes what the
// rows alone say.
func leavesNoTrace[T, E any](t *rapid.T, db, innocent *DB, domain func(*DB) affiliate.Store[T], draw func(*rapid.T) E, run func(context.Context, T, E) error) {
	errStop := errors.New("stop")
	for range rapid.IntRange(1, 12).Draw(t, "units") {
		ops := rapid.SliceOfN(rapid.Custom(draw), 1, 8).Draw(t, "unit")
		stop := rapid.Bool().Draw(t, "stop")
		unit := func(ctx context.Context, tx T) error {
			for _, op := range ops {
				if run(ctx, tx, op) != nil {
					return nil // swallowed: the unit is doomed all the same
				}
			}
			if stop {
				return errStop
			}
			return nil
		}
		before, last := db.Dump(), *db.links.ruleChanges.last
		if err := domain(db).Write(context.Background(), unit); err != nil {
			if after := db.Dump(); after != before {
				t.Fatalf("rolled back by %v, before:\n%s\nafter:\n%s", err, before, after)
			}
			continue
		}
		*innocent.links.ruleChanges.last = last
		if err := domain(innocent).Write(context.Background(), unit); err != nil {
			t.Fatalf("the store that saw no rollback refuses: %v", err)
		}
		if got, want := db.Dump(), innocent.Dump(); got != want {
			t.Fatalf("got:\n%s\nwant:\n%s", got, want)
		}
		if err := db.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRolledBackUnitsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leavesNoTrace(t, populated(t), populated(t), func(db *DB) affiliate.Store[links.Tx] { return db.Links() }, drawOperation,
			func(ctx context.Context, tx links.Tx, op operation) error { return op.run(ctx, tx) })
	})
}

func TestAPanicRollsBackAndGoesOn(t *testing.T) {
	is := is.New(t)
	db := New()
	before := db.Dump()
	func() {
		defer func() { is.Equal(recover(), "oh") }()
		_ = db.Core().Write(context.Background(), func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Food"})
			is.NoErr(err)
			panic("oh")
		})
	}()
	is.Equal(db.Dump(), before)
	is.NoErr(db.Core().Write(context.Background(), func(context.Context, affiliate.Tx) error { return nil })) // nothing is locked
}

func TestUnitsOfTwoStoresNest(t *testing.T) {
	is := is.New(t)
	one, two := New(), New()
	nothing := func(context.Context, affiliate.Tx) error { return nil }
	is.NoErr(one.Core().Write(context.Background(), func(ctx context.Context, _ affiliate.Tx) error {
		return two.Core().Write(ctx, func(ctx context.Context, _ affiliate.Tx) error {
			is.True(errors.Is(one.Core().Read(ctx, nothing), affiliate.ErrNested))
			is.True(errors.Is(two.Links().Read(ctx, func(context.Context, links.Tx) error { return nil }), affiliate.ErrNested))
			return nil
		})
	}))
}

// A click takes the place of an older one of the same visit, and gives it back.
func TestTheNewestValidClickComesBackAfterARollback(t *testing.T) {
	is := is.New(t)
	ctx := context.Background()
	db := New()
	click := func(n int, v links.Verdict) links.Click {
		return links.Click{
			ID: uuid.UUID{byte(n)}, LinkID: 1, UserID: 1, AdvertiserID: 1, At: epoch.Add(time.Duration(n) * time.Minute),
			Visitor: links.VisitorKey{7}, Verdict: v, Earning: eur(0), Cost: eur(0),
		}
	}
	is.NoErr(db.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
		_, err := tx.Advertisers().Add(ctx, sampleAdvertiser("shop"))
		_, errUser := tx.Users().Add(ctx, affiliate.User{Username: "anna"})
		_, _, errLink := tx.Links().AddOrGet(ctx, sampleLink(1, 1, 1))
		return errors.Join(err, errUser, errLink)
	}))
	last := func() time.Time {
		visit := links.Visit{LinkID: 1, Visitor: links.VisitorKey{7}}
		var at time.Time
		is.NoErr(db.Links().Read(ctx, func(ctx context.Context, tx links.Tx) error {
			found, err := tx.Clicks().LastValid(ctx, []links.Visit{visit}, epoch)
			if err == nil {
				at = found[0].At
			}
			return err
		}))
		return at
	}
	errStop := errors.New("stop")
	add := func(result error, clicks ...links.Click) {
		err := db.Links().Record(ctx, func(ctx context.Context, tx links.Tx) error {
			if err := tx.Clicks().Add(ctx, clicks...); err != nil {
				return err
			}
			return result
		})
		is.Equal(err, result)
		is.NoErr(db.Check())
	}
	add(errStop, click(5, links.VerdictValid))
	is.True(last().IsZero())
	add(nil, click(5, links.VerdictValid), click(9, links.VerdictBot))
	is.Equal(last(), epoch.Add(5*time.Minute))
	add(errStop, click(6, links.VerdictValid), click(7, links.VerdictValid), click(3, links.VerdictValid))
	is.Equal(last(), epoch.Add(5*time.Minute))
	add(nil, click(6, links.VerdictValid), click(4, links.VerdictValid))
	is.Equal(last(), epoch.Add(6*time.Minute))
}
