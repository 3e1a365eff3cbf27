package affiliatekit_test

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// optional are the services that a backend may have no store for.
var optional = []string{"Webhooks", "Media", "Orders", "Deals", "ProductLists", "AdSync", "Payouts"}

// linksAlone is a backend of links and campaigns.
type linksAlone struct{ *memory.DB }

func (linksAlone) Webhooks() webhooks.Store         { return nil }
func (linksAlone) Mailing() mailing.Store           { return nil }
func (linksAlone) Media() media.Store               { return nil }
func (linksAlone) Orders() orders.Store             { return nil }
func (linksAlone) Deals() deals.Store               { return nil }
func (linksAlone) ProductLists() productlists.Store { return nil }
func (linksAlone) AdSync() adsync.Store             { return nil }
func (linksAlone) Payouts() payouts.Store           { return nil }

type noSpans struct{}

func (noSpans) Start(ctx context.Context, _ affiliate.SpanKind, _ string, _ ...slog.Attr) (context.Context, affiliate.Span) {
	return ctx, noSpan{}
}

type noSpan struct{}

func (noSpan) Rename(string)    {}
func (noSpan) Set(...slog.Attr) {}
func (noSpan) Note(string)      {}
func (noSpan) Fail(string)      {}
func (noSpan) End()             {}

// A host of links and campaigns has only their tables, and all that it does works: a
// campaign with a budget, paid clicks, statistics, retention, the host's transaction,
// and the erasure of a person.
func TestAKitOfLinksAndCampaigns(t *testing.T) {
	for _, tracer := range []affiliate.Tracer{nil, noSpans{}} {
		t.Run("memory", func(t *testing.T) {
			backend := linksAlone{memory.New()}
			linksAndCampaigns(t, tracer, backend, func(kit *affiliatekit.Kit, in func(*affiliatekit.Kit) error) error {
				inner, err := kit.In(backend)
				if err != nil {
					return err
				}
				return in(inner)
			})
		})
		t.Run("postgres", func(t *testing.T) {
			is := is.New(t)
			dsn, schema := pgtest.Schema(t)
			handle, err := postgres.Open(dsn)
			is.NoErr(err)
			t.Cleanup(func() { _ = handle.Close() })
			o := postgres.Options{Schema: schema, Without: []postgres.Domain{
				postgres.AdSync, postgres.Deals, postgres.Mailing, postgres.Media, postgres.Orders, postgres.Payouts, postgres.ProductLists, postgres.Webhooks,
			}}
			is.NoErr(postgres.Migrate(t.Context(), handle, o))
			db, err := postgres.New(handle, o)
			is.NoErr(err)
			is.True(db.Moves() == nil)
			is.True(db.Mailing() == nil)
			linksAndCampaigns(t, tracer, db, func(kit *affiliatekit.Kit, in func(*affiliatekit.Kit) error) error {
				return postgres.RunInTx(t.Context(), db, func(_ context.Context, tx bun.Tx) error {
					backend, err := db.In(tx)
					if err != nil {
						return err
					}
					inner, err := kit.In(backend)
					if err != nil {
						return err
					}
					return in(inner)
				})
			})
			var tables int
			is.NoErr(handle.NewRaw(`SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename <> 'affiliate_migrations'`, schema).Scan(t.Context(), &tables))
			is.Equal(tables, 45) // of 83
		})
	}
}

func linksAndCampaigns(t *testing.T, tracer affiliate.Tracer, backend affiliatekit.Backend, inTx func(*affiliatekit.Kit, func(*affiliatekit.Kit) error) error) {
	is, ctx := is.New(t), t.Context()
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	kit, err := affiliatekit.New(backend, affiliatekit.Options{Tracer: tracer, Clock: func() time.Time { return now }})
	is.NoErr(err)
	for _, name := range optional {
		is.True(reflect.ValueOf(*kit).FieldByName(name).IsNil())
	}

	acme, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
	})
	is.NoErr(err)
	campaign, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{
		Offer: offers.Offer{AdvertiserID: acme.ID, Type: offers.Standard, Name: "all", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](300)}}}, BudgetLimit: affiliate.Some[int64](1000)},
	})
	is.NoErr(err)
	anna, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", Email: "anna@example.com", VerifiedAt: now})
	is.NoErr(err)
	link, _, err := kit.Links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	is.NoErr(err)
	for _, reader := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.4"} {
		_, err = kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: reader, UserAgent: "Firefox"})
		is.NoErr(err)
	}
	is.NoErr(inTx(kit, func(in *affiliatekit.Kit) error {
		for _, name := range optional {
			is.True(reflect.ValueOf(*in).FieldByName(name).IsNil())
		}
		_, err := in.Core.CreateUser(ctx, affiliate.User{Username: "bo", VerifiedAt: now})
		return err
	}))
	spent, err := kit.Offers.Offer(ctx, campaign.ID)
	is.NoErr(err)
	is.Equal(spent.Used.Spent, int64(900)) // three clicks; a fourth would pass the budget

	differences, err := kit.Links.Verify(ctx)
	is.NoErr(err)
	is.Equal(len(differences), 0)
	now = now.AddDate(2, 0, 0)
	report, err := kit.Retention.Retain(ctx, retention.Policy{
		Visitors: 48 * time.Hour, Clicks: 24 * time.Hour, Events: 24 * time.Hour, Attempts: 24 * time.Hour, Unarchived: true,
	})
	is.NoErr(err)
	is.Equal(report.Clicks, int64(5))

	_, err = kit.Identity.LinkUser(ctx, "anna-at-the-provider", anna.ID)
	is.NoErr(err)
	erased, err := kit.ErasePerson(ctx, anna.ID)
	is.NoErr(err)
	is.Equal(erased, affiliatekit.Erased{})
	gone, err := kit.Core.User(ctx, anna.ID)
	is.NoErr(err)
	is.Equal(gone.Username, affiliate.ErasedName(anna.ID))
	is.Equal(gone.Email, "")
}

// What cannot be left out is named.
func TestABackendWithoutLinksMakesNoKit(t *testing.T) {
	is := is.New(t)
	_, err := affiliatekit.New(noLinks{memory.New()}, affiliatekit.Options{})
	is.True(err != nil)
	is.Equal(err.Error(), "affiliatekit: links: the backend has no store for it")
	_, err = affiliatekit.New(linksAlone{memory.New()}, affiliatekit.Options{Mailing: mailing.Options{Mailer: mailer{}}})
	is.True(err != nil)
	is.Equal(err.Error(), "affiliatekit: mailing: the backend has no store for it")
}

type noLinks struct{ *memory.DB }

func (noLinks) Links() links.Store { return nil }

type mailer struct{}

func (mailer) Send(context.Context, mailing.Message) error { return nil }
