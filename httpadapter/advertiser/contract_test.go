package advertiser_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/advertiser"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// newWorld is the sample market with the adapter over it, a campaign as this
// API makes them, and more of anna.
func newWorld(t testing.TB, b storagetest.Backend) *market.World {
	t.Helper()
	w := market.New(t, market.Backend{Core: b.Core, Identity: b.Identity, Offers: b.Offers, ReturnAds: b.ReturnAds, Links: b.Links, Orders: b.Orders, Media: b.Media, Payouts: b.Payouts})
	w.Payouts = market.Must(payouts.NewService(w.Backend.Payouts, payouts.Options{Clock: w.Clock, Keys: []payouts.Key{{ID: "k1", Secret: bytes.Repeat([]byte{1}, 32)}}}))(t)
	w.Serve = func(o httpadapter.Options) http.Handler {
		if o.Authenticator == nil {
			o.Authenticator = httpadapter.TokenAuthenticator(w.People)
		}
		return market.Must(httpadapter.New(httpadapter.Services{
			Core: w.Core, Links: w.Links, Offers: w.Offers, ReturnAds: w.ReturnAds, Orders: w.Orders, Stats: w.Stats, Identity: w.People, Media: w.Media, Payouts: w.Payouts,
		}, o))(t)
	}
	w.Handler = w.Adapter(httpadapter.Options{})
	ctx := t.Context()
	some := affiliate.Some[int64]
	w.ID["offer v1"] = market.Must(w.Offers.CreateOffer(ctx, offers.OfferInput{
		Offer: offers.Offer{
			AdvertiserID: w.ID["advertiser acme"], CreatedBy: market.TheAdvertiser, Type: offers.Standard, Name: "internal v1", Title: "Of v1", Text: "Text",
			BudgetLimit: some(10_000), MaxClicks: some(30), ValidFrom: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
			Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: some(100)}}, {Costs: affiliate.Costs{Source: affiliate.SourceInstagram, CPC: some(120)}}},
		},
		Targets: offers.Targets{TagIDs: []int64{w.ID["tag vip"]}}, Priority: affiliate.Some(offers.V1Priority(10)), Paused: true,
	}))(t).ID
	w.ID["tier gold"] = market.Must(w.Core.CreateRevenueTier(ctx, affiliate.RevenueTier{ClientID: w.ID["client north"], Name: "Gold"}))(t).ID
	market.Must(w.Core.UpdateAdvertiser(ctx, w.ID["advertiser acme"], func(a *affiliate.Advertiser) { a.CategoryIDs = []int64{w.ID["category Food"]} }))(t)
	market.Must(w.Core.UpdateUser(ctx, w.ID["user anna"], func(u *affiliate.User) {
		u.TagIDs = []int64{w.ID["tag vip"]}
		u.SocialMedia = []affiliate.SocialMedia{{Type: "instagram", Identifier: "anna"}}
		u.Profile = affiliate.Profile{FirstName: "Anna", Surname: "A", City: "Malmö"}
	}))(t)
	acme, anna := w.ID["advertiser acme"], w.ID["user anna"]
	if err := w.Core.Unblock(ctx, acme, w.ID["entry vip"]); err != nil { // anna has the tag
		t.Fatal(err)
	}
	w.ID["voucher anna"] = market.Must(w.Orders.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: acme, UserID: anna, Code: "ANNA10"}))(t).ID
	w.ID["voucher bo"] = market.Must(w.Orders.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: w.ID["advertiser nordic"], UserID: w.ID["user bo"], Code: "BO10"}))(t).ID
	if _, _, err := w.Orders.Report(ctx, orders.Report{AdvertiserID: acme, Number: "1001", Value: decimal.RequireFromString("44974.6965"), Voucher: "anna10"}); err != nil {
		t.Fatal(err)
	}
	market.Must(w.Orders.Pay(ctx, orders.PaymentInput{AdvertiserID: acme, UserID: anna, Comment: "For the film", Amount: 500}))(t)
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
	for _, of := range [][2]string{{"acme", "vip"}, {"nordic", "norse"}} {
		w.ID["config "+of[0]] = market.Must(w.Stats.CreateConfig(ctx, stats.Config{
			AdvertiserID: w.ID["advertiser "+of[0]], Name: "Of " + of[0], TagIDs: []int64{w.ID["tag "+of[1]]}, Default: true,
		}))(t).ID
	}
	for _, m := range []media.Medium{
		{Type: "youtube", ExternalID: "97", Username: "carl", UserID: w.ID["user carl"], Visibility: media.Shown},
		{Type: "instagram", ExternalID: "99", ContentType: "image/png", Href: "https://media.example/99.png", Username: "anna", UserID: anna, Visibility: media.Shown},
		{Type: "tiktok", ExternalID: "98", ContentType: "video/mp4", Href: "https://media.example/98.mp4", Username: "anna", UserID: anna, Visibility: media.Shown},
		{Type: "instagram", ExternalID: "96", ContentType: "image/png", Href: "https://media.example/96.png", Username: "anna", UserID: anna, Visibility: media.Undecided},
		{Type: "instagram", ExternalID: "95", ContentType: "image/png", Href: "https://media.example/95.png", Username: "bo", UserID: w.ID["user bo"], Visibility: media.Shown},
	} {
		m.PublishedAt = w.Clock()
		kept, _, err := w.Media.Add(ctx, m)
		w.ID["medium "+m.ExternalID] = market.Must(kept, err)(t).ID
	}
	if err := w.Media.SetFile(ctx, w.ID["medium 99"], market.PNG(t)); err != nil {
		t.Fatal(err)
	}
	w.Token["media user"], w.Token["media file"] = "anna", "99.png"
	return w
}

// eachBackend runs a test in a world of its own on every backend.
func eachBackend(t *testing.T, test func(t *testing.T, w *market.World)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}

func routes(t *testing.T) []wire.Route {
	t.Helper()
	w := newWorld(t, backends.Memory())
	return market.Must(advertiser.New(advertiser.Services{
		Core: w.Core, Links: w.Links, Offers: w.Offers, Orders: w.Orders, Stats: w.Stats, Identity: w.People, Media: w.Media, Payouts: w.Payouts,
	}, advertiser.Options{}))(t).(*wire.Mux).Routes()
}

func TestContract(t *testing.T) {
	contract.Suite{
		Facts:      contract.Read(t, "../testdata/contract/metapic_advertiser.json"),
		Document:   "advertiser",
		Open:       []string{"store-register"},
		Routes:     routes(t),
		Principals: market.Principals,
		Memory:     func(t testing.TB) contract.World { return newWorld(t, backends.Memory()) },
		Postgres:   func(t testing.TB) contract.World { return newWorld(t, backends.Postgres(t, backends.Database(t))) },
		Replays:    replays,
		Tenancy:    contract.Rows(tenancy),
		Bad:        contract.BadCases(moreBadCases),
		Golden:     "testdata/badinput.golden",
		MinBad:     200,
		Partial:    true,
		Narrower:   []string{"offer-create type", "offer-update type", "store-register user.email", "store-register user.password"},
	}.Run(t)
}
