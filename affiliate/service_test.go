package affiliate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func newService(t *testing.T, b storagetest.Backend, clock affiliate.Clock) *affiliate.Service {
	t.Helper()
	s, err := affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func atNoon() time.Time { return noon }

// heard is the last event that events has returned, by test.
var heard sync.Map

// events are the status changes since the last call.
func events(t *testing.T, store affiliate.Store[affiliate.Tx]) string {
	t.Helper()
	last, _ := heard.LoadOrStore(t.Name(), int64(0))
	list, err := affiliate.Read(t.Context(), store, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Event, error) {
		return tx.Events().Scan(ctx, last.(int64), 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, e := range list {
		heard.Store(t.Name(), e.ID)
		if slices.Contains([]string{affiliate.EventUserApproved.Name, affiliate.EventUserBanned.Name, affiliate.EventAdvertiserDeactivated.Name}, e.Kind) {
			seen = append(seen, e.Kind+" "+e.Object.String())
		}
	}
	return strings.Join(seen, ", ")
}

func TestApproveAndBanWalkTheStatesAndTellOnlyChanges(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		u, err := s.CreateUser(t.Context(), affiliate.User{Username: "anna"})
		is.NoErr(err)
		is.Equal(u.Status(), affiliate.UserUndecided)
		approve := func() affiliate.UserChanges {
			c, err := s.ApproveUsers(t.Context(), []int64{u.ID, u.ID, 999}, 0)
			is.NoErr(err)
			return c
		}
		ban := func() affiliate.UserChanges {
			c, err := s.BanUsers(t.Context(), []int64{u.ID}, 0)
			is.NoErr(err)
			return c
		}
		status := func() affiliate.UserStatus {
			got, err := s.User(t.Context(), u.ID)
			is.NoErr(err)
			return got.Status()
		}
		is.Equal(approve(), affiliate.UserChanges{Changed: []int64{u.ID}, NotFound: []int64{999}})
		is.Equal(status(), affiliate.UserAccepted)
		is.Equal(approve(), affiliate.UserChanges{Unchanged: []int64{u.ID}, NotFound: []int64{999}})
		is.Equal(events(t, b.Core), "user.approved user:1")
		is.Equal(ban(), affiliate.UserChanges{Changed: []int64{u.ID}})
		is.Equal(status(), affiliate.UserSuspended)
		is.Equal(ban(), affiliate.UserChanges{Unchanged: []int64{u.ID}})
		is.Equal(approve().Changed, []int64{u.ID}) // lifts the ban
		is.Equal(status(), affiliate.UserAccepted)
		is.Equal(events(t, b.Core), "user.banned user:1, user.approved user:1")
		is.Equal(events(t, b.Core), "") // delivered once

		_, err = s.ApproveUsers(t.Context(), make([]int64, affiliate.MaxBatch+1), 0)
		is.True(errors.Is(err, affiliate.ErrInvalid))
		_, err = s.BanUsers(t.Context(), nil, 0)
		is.True(errors.Is(err, affiliate.ErrInvalid))
	})
}

func TestClientsReachOnlyTheirOwnUsers(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		g, err := s.CreateAdvertiserGroup(t.Context(), affiliate.AdvertiserGroup{Name: "g", Key: "g", Currency: "SEK"})
		is.NoErr(err)
		mine, _, err := s.CreateClient(t.Context(), affiliate.Client{Name: "mine", GroupID: g.ID})
		is.NoErr(err)
		other, _, err := s.CreateClient(t.Context(), affiliate.Client{Name: "other"})
		is.NoErr(err)
		a, err := s.CreateUser(t.Context(), affiliate.User{Username: "a", ClientID: mine.ID, Email: " A@X.example "})
		is.NoErr(err)
		c, err := s.CreateUser(t.Context(), affiliate.User{Username: "c", ClientID: other.ID, Email: "c@x.example"})
		is.NoErr(err)
		changes, err := s.BanUsers(t.Context(), []int64{a.ID, c.ID}, mine.ID)
		is.NoErr(err)
		is.Equal(changes, affiliate.UserChanges{Changed: []int64{a.ID}, NotFound: []int64{c.ID}})

		keys := []affiliate.UserKey{{ID: c.ID}, {Email: "a@x.EXAMPLE"}, {ID: a.ID}, {Email: "nobody@x.example"}}
		for _, m := range []struct {
			client, group int64
			want          string
		}{{0, 0, "c a a -"}, {mine.ID, 0, "- a a -"}, {0, g.ID, "- a a -"}, {other.ID, g.ID, "- - - -"}} {
			matches, err := s.MatchUsers(t.Context(), keys, m.client, m.group)
			is.NoErr(err)
			var got []string
			for _, r := range matches {
				name := r.User.Username
				if !r.Found {
					name = "-"
				}
				got = append(got, name)
			}
			is.Equal(strings.Join(got, " "), m.want)
		}
	})
}

func TestNewUsersAreNormalisedAndGetTheirClientsTier(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		c, secret, err := s.CreateClient(t.Context(), affiliate.Client{Name: "network"})
		is.NoErr(err)
		is.Equal(c.SecretHash, affiliate.HashSecret(secret))
		tier, err := s.CreateRevenueTier(t.Context(), affiliate.RevenueTier{ClientID: c.ID, Name: "gold"})
		is.NoErr(err)
		is.NoErr(b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
			c.DefaultTierID = tier.ID
			return tx.Clients().Update(ctx, c)
		}))
		u, err := s.CreateUser(t.Context(), affiliate.User{
			ClientID: c.ID, Username: "anna", Email: " Anna@X.Example ",
			SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: "https://tiktok.com/@Anna?x=1"}},
		})
		is.NoErr(err)
		is.Equal(u.TierID, tier.ID)
		is.Equal(u.Email, "anna@x.example")
		is.Equal(u.SocialMedia[0].Identifier, "anna")
		u, err = s.UpdateUser(t.Context(), u.ID, func(u *affiliate.User) { u.ID, u.CreatedAt, u.DisplayName = 77, time.Time{}, "Anna" })
		is.NoErr(err)
		is.Equal(u.CreatedAt, noon) // not the callback's to change
		got, err := s.User(t.Context(), u.ID)
		is.NoErr(err)
		is.Equal(got.DisplayName, "Anna")
	})
}

func TestNormalizeHandle(t *testing.T) {
	for in, want := range map[string]string{
		"Anna": "anna", "@Anna": "anna", " @anna ": "anna",
		"https://instagram.com/Anna/":     "anna",
		"HTTP://www.tiktok.com/@anna?x=1": "anna",
		"https://instagram.com":           "instagram.com",
		"youtube.com":                     "youtube.com",
	} {
		if got := affiliate.NormalizeHandle(in); got != want {
			t.Errorf("NormalizeHandle(%q) = %q, want %q", in, got, want)
		}
		if again := affiliate.NormalizeHandle(affiliate.NormalizeHandle(in)); again != want {
			t.Errorf("NormalizeHandle is not idempotent on %q: %q", in, again)
		}
	}
}

func TestReversalsNeverExceedTheEntry(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		sek := func(n int64) affiliate.Money { return affiliate.NewMoney(n, "SEK") }
		var e affiliate.Entry
		is.NoErr(b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
			entries, err := tx.Ledger().Append(ctx, affiliate.Entry{Kind: affiliate.EntryOrder, Account: "user:1", Earning: sek(100), Cost: sek(120),
				OccurredAt: noon, PayableAt: noon.Add(time.Hour), Cause: "order:1", Terms: `{"cpa":"0.1"}`})
			if err == nil {
				e = entries[0]
			}
			return err
		}))
		r, err := s.Reverse(t.Context(), affiliate.Reversal{EntryID: e.ID, Earning: sek(60), Cost: sek(120), Cause: "refund:1"})
		is.NoErr(err)
		is.Equal(r.Earning, sek(-60))
		is.Equal(r.PayableAt, e.PayableAt) // what is pending shrinks first
		is.Equal(r.Terms, e.Terms)
		balances, err := s.Balances(t.Context(), "user:1")
		is.NoErr(err)
		is.Equal(balances[0].Pending, sek(40))
		for name, bad := range map[string]affiliate.Reversal{
			"more than is left":     {EntryID: e.ID, Earning: sek(41), Cost: sek(0), Cause: "refund:2"},
			"more cost than left":   {EntryID: e.ID, Earning: sek(0), Cost: sek(1), Cause: "refund:2"},
			"negative":              {EntryID: e.ID, Earning: sek(-1), Cost: sek(0), Cause: "refund:2"},
			"another currency":      {EntryID: e.ID, Earning: affiliate.NewMoney(1, "EUR"), Cost: sek(0), Cause: "refund:2"},
			"reversal of reversal":  {EntryID: r.ID, Earning: sek(1), Cost: sek(0), Cause: "refund:2"},
			"no cause":              {EntryID: e.ID, Earning: sek(1), Cost: sek(0)},
			"no currency":           {EntryID: e.ID, Cause: "refund:2"},
			"cause with a NUL byte": {EntryID: e.ID, Earning: sek(1), Cost: sek(0), Cause: "a\x00b"},
		} {
			if _, err := s.Reverse(t.Context(), bad); !errors.Is(err, affiliate.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = s.Reverse(t.Context(), affiliate.Reversal{EntryID: e.ID, Earning: sek(1), Cost: sek(0), Cause: "refund:1"})
		is.True(errors.Is(err, affiliate.ErrConflict)) // booked already
		_, err = s.Reverse(t.Context(), affiliate.Reversal{EntryID: 999, Earning: sek(1), Cost: sek(0), Cause: "refund:2"})
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = s.Reverse(t.Context(), affiliate.Reversal{EntryID: e.ID, Earning: sek(40), Cost: sek(0), Cause: "refund:2"})
		is.NoErr(err)
		diffs, err := s.Verify(t.Context())
		is.NoErr(err)
		is.Equal(len(diffs), 0)
	})
}

func TestVerifyFindsAnOverReversedEntry(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		sek := func(n int64) affiliate.Money { return affiliate.NewMoney(n, "SEK") }
		is.NoErr(b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
			entry := affiliate.Entry{Kind: affiliate.EntryOrder, Account: "user:1", Earning: sek(1), Cost: sek(1), OccurredAt: noon, PayableAt: noon, Cause: "order:1"}
			kept, err := tx.Ledger().Append(ctx, entry)
			if err != nil {
				return err
			}
			entry.Kind, entry.Cause, entry.Reverses, entry.Earning = affiliate.EntryReversal, "around the rule", kept[0].ID, sek(-2)
			entry.Cost = sek(0)
			_, err = tx.Ledger().Append(ctx, entry)
			return err
		}))
		diffs, err := s.Verify(t.Context())
		is.NoErr(err)
		is.Equal(len(diffs), 1)
		is.Equal(diffs[0].String(), "entry 1: kept reversed 2/0, really earning 1 cost 1")
	})
}

func TestAdvertiserLifecycle(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		s := newService(t, b, atNoon)
		food, err := s.CreateCategory(t.Context(), affiliate.Category{Name: "Food"})
		is.NoErr(err)
		beauty, err := s.CreateCategory(t.Context(), affiliate.Category{Name: "Beauty"})
		is.NoErr(err)
		a, err := s.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "acme", Country: "SE", Currency: "SEK", CategoryIDs: []int64{beauty.ID, food.ID, food.ID}})
		is.NoErr(err)
		is.Equal(a.CategoryIDs, []int64{food.ID, beauty.ID})
		is.Equal(a.Status, affiliate.AdvertiserActive)
		is.Equal(a.Provider, affiliate.ProviderDirect)
		a, err = s.DeactivateAdvertiser(t.Context(), a.ID)
		is.NoErr(err)
		is.Equal(a.Status, affiliate.AdvertiserDeactivated)
		_, err = s.DeactivateAdvertiser(t.Context(), a.ID)
		is.NoErr(err)
		is.Equal(events(t, b.Core), "advertiser.deactivated advertiser:1") // once
		_, err = s.UpdateAdvertiser(t.Context(), a.ID, func(a *affiliate.Advertiser) { a.Name, a.Currency = "", "XXX" })
		var e *affiliate.Error
		is.True(errors.As(err, &e))
		is.Equal(len(e.Fields), 2) // all failing fields at once
		got, err := s.Advertiser(t.Context(), a.ID)
		is.NoErr(err)
		is.Equal(got, a)
	})
}
