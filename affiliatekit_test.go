package affiliatekit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

var (
	_ affiliatekit.Backend = (*memory.DB)(nil)
	_ affiliatekit.Backend = (*postgres.DB)(nil)
)

// each runs a test over a kit on every backend.
func each(t *testing.T, o affiliatekit.Options, test func(t *testing.T, kit *affiliatekit.Kit)) {
	t.Run("memory", func(t *testing.T) {
		kit, err := affiliatekit.New(memory.New(), o)
		is.New(t).NoErr(err)
		test(t, kit)
	})
	t.Run("postgres", func(t *testing.T) {
		is := is.New(t)
		dsn, schema := pgtest.Schema(t)
		handle, err := postgres.Open(dsn)
		is.NoErr(err)
		t.Cleanup(func() { _ = handle.Close() })
		is.NoErr(postgres.Migrate(t.Context(), handle, postgres.Options{Schema: schema}))
		db, err := postgres.New(handle, postgres.Options{Schema: schema})
		is.NoErr(err)
		kit, err := affiliatekit.New(db, o)
		is.NoErr(err)
		test(t, kit)
	})
}

func TestServicesOfAKitKnowOfEachOther(t *testing.T) {
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	each(t, affiliatekit.Options{Clock: func() time.Time { return now }}, func(t *testing.T, kit *affiliatekit.Kit) {
		is, ctx := is.New(t), t.Context()
		acme, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
			Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
		})
		is.NoErr(err)
		is.Equal(acme.CreatedAt, now) // one clock for all

		// A blocked user is left out of targets; an e-mail that nobody has yet is a promise.
		bo, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "bo", VerifiedAt: now})
		is.NoErr(err)
		_, err = kit.Core.Block(ctx, acme.ID, affiliate.Actor{}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: bo.ID}}})
		is.NoErr(err)
		campaign, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{
			Offer:   offers.Offer{AdvertiserID: acme.ID, Type: offers.Standard, Name: "friends"},
			Targets: offers.Targets{UserIDs: []int64{bo.ID}, Emails: []string{"anna@example.com"}},
		})
		is.NoErr(err)
		is.Equal(campaign.Skipped.UserIDs, []int64{bo.ID})

		// The promise is kept when she comes, and over when she is banned.
		anna, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", Email: "anna@example.com", VerifiedAt: now})
		is.NoErr(err)
		takesPart := func() bool {
			page, err := kit.Offers.Participants(ctx, offers.ParticipantFilter{OfferID: campaign.ID, UserID: anna.ID}, affiliate.PageRequest{Number: 1, Size: 1})
			is.NoErr(err)
			return page.Total == 1 && page.Items[0].Status == offers.Accepted
		}
		is.True(takesPart())
		_, err = kit.Core.BanUsers(ctx, []int64{anna.ID}, 0)
		is.NoErr(err)
		is.True(!takesPart())
	})
}

func TestAKitNamesWhatCannotBeMade(t *testing.T) {
	is := is.New(t)
	_, err := affiliatekit.New(nil, affiliatekit.Options{})
	is.True(err != nil)
	_, err = affiliatekit.New(memory.New(), affiliatekit.Options{Links: links.Options{PublicURL: "nowhere"}, Deals: deals.Options{SweepBatch: -1}})
	is.True(err != nil)
	is.True(errors.Unwrap(err) != nil)
	is.Equal(err.Error()[:len("affiliatekit: links: ")], "affiliatekit: links: ")
}
