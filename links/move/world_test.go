package move_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// backend is a store of everything, and one to move advertisers by.
type backend interface {
	affiliatekit.Backend
	Moves() move.Store
}

// place is a database with its services.
type place struct {
	*affiliatekit.Kit
	db    backend
	blobs affiliate.Blobs
	now   time.Time
}

func (p *place) clock() time.Time { return p.now }

func newPlace(t testing.TB, db backend) *place {
	t.Helper()
	p := &place{db: db, blobs: affiliate.NewMemoryBlobs(), now: time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)}
	o := affiliatekit.Options{Clock: p.clock, Random: rand.NewChaCha8([32]byte{7})}
	o.Links.Clicks, o.Links.RuleRefresh, o.Links.PublicURL = links.Sync, time.Nanosecond, "https://go.example"
	o.Offers.Blobs = p.blobs
	var err error
	p.Kit, err = affiliatekit.New(db, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func inMemory(t testing.TB) *place { return newPlace(t, memory.New()) }

func onPostgres(t testing.TB) *place {
	t.Helper()
	sqldb := must(postgres.Open(backends.Database(t)))
	t.Cleanup(func() { must(0, sqldb.Close()) })
	return newPlace(t, must(postgres.New(sqldb, postgres.Options{})))
}

// market is a shop with something of everything, and a neighbour that shares its
// creators.
type market struct {
	*place
	is        *is.I
	shop      affiliate.Advertiser
	other     affiliate.Advertiser
	group     affiliate.AdvertiserGroup
	client    affiliate.Client
	users     []affiliate.User // three creators; the last is of the client
	offers    []offers.Offer
	links     []links.Link
	clicks    []links.Click
	orders    []orders.Order
	reported  []orders.Report
	budget    offers.SharedBudget
	collector orders.Collector
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func rate(s string) affiliate.Rate { return must(affiliate.ParseRate("rate", s)) }

func newMarket(t testing.TB, p *place) *market {
	t.Helper()
	m := &market{place: p, is: is.New(t)}
	ctx := t.Context()
	m.people(ctx)
	m.campaigns(ctx)
	m.traffic(ctx)
	m.sales(ctx)
	m.money(ctx)
	return m
}

func (m *market) people(ctx context.Context) {
	m.group = must(m.Core.CreateAdvertiserGroup(ctx, affiliate.AdvertiserGroup{Name: "Sweden", Key: "sv_SE", Currency: "SEK", ReturnAdEnabled: true}))
	shoes := must(m.Core.CreateCategory(ctx, affiliate.Category{Name: "Shoes"}))
	m.client, _, _ = m.Core.CreateClient(ctx, affiliate.Client{Name: "Agency", PublicID: "agency", GroupID: m.group.ID})
	tier := must(m.Core.CreateRevenueTier(ctx, affiliate.RevenueTier{ClientID: m.client.ID, Name: "gold", Share: rate("0.5")}))
	m.other = must(m.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Nordic", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](7)}}}, Domains: []string{"nordic.example"},
	}))
	m.shop = must(m.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{
			Name: "Acme", Country: "SE", Currency: "SEK", GroupID: m.group.ID, CategoryIDs: []int64{shoes.ID}, TimeZone: "Europe/Stockholm",
			DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12), CPA: affiliate.Some(rate("0.1"))}},
		}, Domains: []string{"acme.example", "acme.test"},
	}))
	for n, u := range []affiliate.User{{Username: "anna", Email: "anna@creators.example"}, {Username: "bo"}, {Username: "carla", ClientID: m.client.ID, TierID: tier.ID}, {Username: "dora"}} {
		u.VerifiedAt = m.now.Add(-time.Hour * time.Duration(n+1))
		u.SocialMedia = []affiliate.SocialMedia{{Type: "instagram", Identifier: u.Username}}
		m.users = append(m.users, must(m.Core.CreateUser(ctx, u)))
	}
	shared := must(m.Core.CreateUserTag(ctx, affiliate.UserTag{Name: "Everywhere", Slug: "everywhere", AccessLevel: affiliate.AccessAll}))
	own := must(m.Core.CreateUserTag(ctx, affiliate.UserTag{Name: "Friends", Slug: "friends", AccessLevel: affiliate.AccessStore, AdvertiserID: m.shop.ID}))
	must(m.Core.UpdateUser(ctx, m.users[0].ID, func(u *affiliate.User) { u.TagIDs = []int64{shared.ID, own.ID} }))
	must(m.Core.Block(ctx, m.shop.ID, affiliate.Actor{UserID: m.users[1].ID, Name: "bo"}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: m.users[3].ID}}}))
	must(m.Stats.CreateConfig(ctx, stats.Config{AdvertiserID: m.shop.ID, Name: "mine", TagIDs: []int64{shared.ID, own.ID}, Default: true}))
	must(m.Links.AddRule(ctx, m.shop.ID, links.RuleInput{Type: links.RuleBlock, URL: "acme.example/sale"}))
	must(m.Payouts.SetSetup(ctx, m.shop.ID, "setup-7"))
}

func picture(n int) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 20+n, 20))); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func (m *market) campaigns(ctx context.Context) {
	for n := range 3 {
		o := offers.Offer{AdvertiserID: m.shop.ID, Type: offers.Standard, Name: fmt.Sprint("campaign ", n), CreatedBy: affiliate.Actor{UserID: m.users[0].ID, Name: "anna"}}
		o.Costs = []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some(int64(20 + n)), CPA: affiliate.Some(rate("0.05"))}}}
		in := offers.OfferInput{Offer: o}
		switch n {
		case 0:
			in.Offer.BudgetLimit, in.Offer.HasOneTimePayment, in.Offer.OneTimePayment = affiliate.Some[int64](5000), true, 300
			in.Targets.UserIDs = []int64{m.users[0].ID, m.users[1].ID}
		case 1:
			in.Budget = affiliate.Some(offers.SharedBudgetInput{Title: "spring", Amount: 900})
			in.Targets.ClientIDs, in.Targets.TagIDs = []int64{m.client.ID}, nil
		case 2:
			in.Offer.MaxClicks, in.Targets.Emails = affiliate.Some[int64](1), []string{"nobody@creators.example"}
		}
		saved := must(m.Offers.CreateOffer(ctx, in))
		m.offers = append(m.offers, saved.Offer)
	}
	budgets := must(m.Offers.SharedBudgets(ctx, offers.SharedBudgetFilter{AdvertiserID: m.shop.ID}, affiliate.PageRequest{}))
	m.budget = budgets.Items[0].SharedBudget
	must(m.Offers.SetImage(ctx, m.offers[0].ID, picture(1)))
	for range 2 {
		m.now = m.now.Add(time.Minute)
		must(m.Orders.SetRates(ctx, m.offers[0].ID, []orders.LineRate{{SKU: "boot", CPA: rate("0.2")}}))
	}
	part := must(m.Offers.Enroll(ctx, m.offers[0].ID, m.users[0].ID))
	by := affiliate.Actor{UserID: m.users[1].ID, Name: "bo"}
	for _, to := range []offers.ParticipantStatus{offers.Accepted, offers.HavePosted, offers.Done} {
		if part.Status != to {
			part = must(m.Offers.MoveParticipant(ctx, m.offers[0].ID, part.ID, to, by))
		}
	}
	must(m.Offers.AddComment(ctx, part.ID, "well done"))
	carla := must(m.Offers.Enroll(ctx, m.offers[1].ID, m.users[2].ID))
	if carla.Status != offers.Accepted {
		must(m.Offers.MoveParticipant(ctx, m.offers[1].ID, carla.ID, offers.Accepted, by))
	}
	ad := must(m.ReturnAds.Create(ctx, returnads.Ad{
		Name: "come back", AdvertiserID: m.shop.ID, AdvertiserGroupID: m.group.ID, ReturnLink: "https://acme.example/", AdvertiserIDs: []int64{m.other.ID},
		StartsAt: m.now.Add(-time.Hour), Styles: []returnads.Style{{Name: "color", Value: "#ffffff"}}, Author: by,
	}))
	for range 3 {
		must(m.ReturnAds.CountView(ctx, ad.Ad.ID, m.other.ID))
	}
	must(m.ReturnAds.CountClick(ctx, ad.Ad.ID, m.other.ID))
}

func (m *market) traffic(ctx context.Context) {
	for _, u := range m.users[:3] {
		for _, url := range []string{"https://acme.example/shoes", "https://acme.test/boots?x=1#top"} {
			v, _, err := m.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: url, AdvertiserID: m.shop.ID})
			m.is.NoErr(err)
			m.links = append(m.links, v.Link)
		}
		v, _, err := m.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: "https://nordic.example/"})
		m.is.NoErr(err)
		must(m.Links.Follow(ctx, links.Hit{LinkID: v.Link.ID, IP: "192.0.2.9", UserAgent: "Firefox"}))
	}
	for n := range 40 {
		m.now = m.now.Add(37 * time.Minute)
		got := must(m.Links.Follow(ctx, links.Hit{
			LinkID: m.links[n%len(m.links)].ID, IP: fmt.Sprintf("192.0.2.%d", n%17), UserAgent: "Firefox", Source: affiliate.TrafficSource(n / 9 % 2), Bot: n%11 == 0,
		}))
		m.clicks = append(m.clicks, got.Click.Value)
	}
	m.is.NoErr(m.Links.DeleteLink(ctx, m.links[5].ID))
	i := slices.IndexFunc(m.clicks, func(c links.Click) bool { return c.Earning.Sign() > 0 })
	must(m.Links.ReverseClick(ctx, m.clicks[i].ID))
}

func (m *market) report(ctx context.Context, r orders.Report) orders.Order {
	r.AdvertiserID = m.shop.ID
	o, outcome, err := m.Orders.Report(ctx, r)
	m.is.NoErr(err)
	m.is.Equal(outcome, orders.Added)
	m.orders, m.reported = append(m.orders, o), append(m.reported, r)
	return o
}

func (m *market) idsOf(c links.Click) []uuid.UUID { return []uuid.UUID{c.ID} }

func (m *market) sales(ctx context.Context) {
	var err error
	m.collector, err = m.Orders.UpdateCollector(ctx, m.shop.ID, orders.CollectorChange{HMACKey: affiliate.Some([]byte("0123456789abcdef")), HoldDays: affiliate.Some(10)})
	m.is.NoErr(err)
	must(m.Orders.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: m.shop.ID, UserID: m.users[1].ID, Code: "BO10"}))
	amount := func(n int64) decimal.Decimal { return decimal.New(n, -2) }
	for n, c := range m.clicks {
		if n%5 == 0 {
			m.report(ctx, orders.Report{Number: fmt.Sprint("A-", n), Value: amount(int64(10_000 + n)), At: m.now.Add(-time.Duration(n) * time.Minute), ClickIDs: append(m.idsOf(c), m.idsOf(m.clicks[0])...)})
		}
	}
	m.report(ctx, orders.Report{Number: "V-1", Value: amount(5000), At: m.now, Voucher: "bo10", Tax: affiliate.Some(amount(1000))})
	m.report(ctx, orders.Report{Number: "N-1", Value: amount(5000), At: m.now})
	lines := m.report(ctx, orders.Report{Number: "L-1", Value: amount(9900), At: m.now, ClickIDs: m.idsOf(m.clicks[1]), Lines: []orders.LineInput{{SKU: "boot", Quantity: 3, Value: amount(9900)}}})
	_, _, err = m.Orders.Refund(ctx, lines.ID, orders.RefundInput{Reference: "R-1", Lines: []orders.RefundLineInput{{Line: 0, Quantity: 1}}})
	m.is.NoErr(err)
	_, _, err = m.Orders.Refund(ctx, m.orders[1].ID, orders.RefundInput{Reference: "R-2", Value: affiliate.Some(amount(1234))})
	m.is.NoErr(err)
	must(m.Orders.Decline(ctx, m.orders[2].ID))
	must(m.Orders.Correct(ctx, m.orders[3].ID, orders.Correction{Value: affiliate.Some(amount(7777))}))
}

func (m *market) money(ctx context.Context) {
	must(m.Orders.Pay(ctx, orders.PaymentInput{AdvertiserID: m.shop.ID, UserID: m.users[2].ID, Comment: "for the photos", Amount: 2500}))
	m.now = m.now.AddDate(0, 0, 5)
	must(m.Orders.Sweep(ctx))
	m.now = time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	must(m.Payouts.Run(ctx, payouts.RunInput{Period: "2026-03"}))
}
