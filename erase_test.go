package affiliatekit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// secrets are what says who the person of these tests is.
var secrets = []string{"quentina", "zwickelmann", "+46701234567", "quellenweg", "98765-q", "quedlinburg", "SE4550000000058398257466", "quarantel ab", "quentina-on-video"}

// person is a creator who left traces everywhere, and where its world is.
type person struct {
	kit   *affiliatekit.Kit
	blobs affiliate.Blobs
	user  affiliate.User
	acme  affiliate.Advertiser
}

func newPerson(t *testing.T, backend affiliatekit.Backend) person {
	t.Helper()
	is, ctx := is.New(t), t.Context()
	now := time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC)
	p := person{blobs: affiliate.NewMemoryBlobs()}
	var err error
	p.kit, err = affiliatekit.New(backend, affiliatekit.Options{
		Clock:   func() time.Time { return now },
		Media:   media.Options{Blobs: p.blobs},
		Payouts: payouts.Options{Keys: []payouts.Key{{ID: "k1", Secret: bytes.Repeat([]byte{7}, 32)}}},
	})
	is.NoErr(err)
	kit := p.kit
	p.acme, err = kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](500)}}},
	})
	is.NoErr(err)
	handle := affiliate.SocialMedia{Type: "instagram", Identifier: "quentina-on-video"}
	// What waits for her before she is there, by a handle on another network.
	_, err = kit.Offers.CreateOffer(ctx, offers.OfferInput{
		Offer:   offers.Offer{AdvertiserID: p.acme.ID, Type: offers.StoreAccept, Name: "waits", Title: "Waits", Text: "Text"},
		Targets: offers.Targets{Emails: []string{"quentina@zwickelmann.example"}, Identifiers: []string{"quentina-on-video"}},
	})
	is.NoErr(err)
	p.user, err = kit.Core.CreateUser(ctx, affiliate.User{
		Username: "quentina", DisplayName: "Quentina Zwickelmann", Email: "Quentina@Zwickelmann.example", Phone: "+46701234567", VerifiedAt: now,
		SocialMedia: []affiliate.SocialMedia{handle},
		Profile:     affiliate.Profile{FirstName: "Quentina", Surname: "Zwickelmann", Address: "Quellenweg 1", Postcode: "98765-Q", City: "Quedlinburg", Country: "DE"},
	})
	is.NoErr(err)
	creator := affiliate.Principal{Role: affiliate.RoleCreator, Subject: "quentina-subject", Name: "Quentina Zwickelmann", UserID: p.user.ID}
	_, err = kit.Identity.AddToken(ctx, "a secret of her own", identity.AccessToken{Role: creator.Role, Subject: creator.Subject, Name: creator.Name, UserID: p.user.ID})
	is.NoErr(err)
	_, err = kit.Identity.LinkUser(ctx, "quentina-at-the-provider", p.user.ID)
	is.NoErr(err)
	_, _, err = kit.Identity.Invite(ctx, identity.InviteInput{AdvertiserID: p.acme.ID, Email: p.user.Email})
	is.NoErr(err)
	offer, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{
		Offer: offers.Offer{AdvertiserID: p.acme.ID, Type: offers.UserApply, Name: "run", Title: "Run", Text: "Text"},
	})
	is.NoErr(err)
	_, err = kit.Offers.For(affiliate.ViewerOf(creator)).Join(ctx, offer.Token, p.user.ID)
	is.NoErr(err)
	// She works for the shop too, and comments on somebody else who takes part.
	bo, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "bo", VerifiedAt: now})
	is.NoErr(err)
	part, err := kit.Offers.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, Subject: "bo", UserID: bo.ID})).Join(ctx, offer.Token, bo.ID)
	is.NoErr(err)
	colleague := affiliate.Principal{Role: affiliate.RoleRepresentative, Subject: "quentina-at-work", Name: creator.Name, UserID: p.user.ID, AdvertiserIDs: []int64{p.acme.ID}}
	_, err = kit.Offers.For(affiliate.ViewerOf(colleague)).AddComment(ctx, part.ID, "A good one.")
	is.NoErr(err)
	m, _, err := kit.Media.Add(ctx, media.Medium{
		Type: "instagram", ExternalID: "77", Username: handle.Identifier, UserID: p.user.ID, ContentType: "image/png",
		Href: "https://media.example/quentina-on-video/77.png", Visibility: media.Shown, PublishedAt: now,
	})
	is.NoErr(err)
	is.NoErr(kit.Media.SetFile(ctx, m.ID, []byte("\x89PNG\r\n\x1a\n and more")))

	// She earned by clicks in March, and was paid with an invoice.
	now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	link, _, err := kit.Links.Convert(ctx, links.Conversion{UserID: p.user.ID, URL: "https://acme.example/shoes"})
	is.NoErr(err)
	for i := range 4 {
		_, err = kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, UserAgent: fmt.Sprint("reader ", i), IP: "192.0.2.1"})
		is.NoErr(err)
	}
	now = time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC)
	is.NoErr(kit.Payouts.SetDetails(ctx, payouts.PayoutDetails{
		UserID: p.user.ID, Name: "Quentina Zwickelmann", Company: "Quarantel AB", Street: "Quellenweg 1", City: "Quedlinburg", Country: "SE", IBAN: "SE45 5000 0000 0583 9825 7466",
	}))
	_, err = kit.Payouts.Run(ctx, payouts.RunInput{Period: "2026-03", Invoice: true})
	is.NoErr(err)
	return p
}

// sums are what must be the same afterwards.
func (p person) sums(t *testing.T) string {
	t.Helper()
	is, ctx := is.New(t), t.Context()
	balances, err := p.kit.Core.Balances(ctx, affiliate.UserAccount(p.user.ID))
	is.NoErr(err)
	payments, err := p.kit.Payouts.Payments(ctx, payouts.PaymentFilter{UserID: p.user.ID}, 0, 10)
	is.NoErr(err)
	is.Equal(len(payments), 1)
	for _, verify := range []func() ([]affiliate.Difference, error){
		func() ([]affiliate.Difference, error) { return p.kit.Core.Verify(ctx) },
		func() ([]affiliate.Difference, error) { return p.kit.Links.Verify(ctx) },
		func() ([]affiliate.Difference, error) { return p.kit.Payouts.Verify(ctx) },
	} {
		differences, err := verify()
		is.NoErr(err)
		is.Equal(len(differences), 0)
	}
	return fmt.Sprintf("%+v %+v", balances, payments)
}

func (p person) erased(t *testing.T) {
	t.Helper()
	is, ctx := is.New(t), t.Context()
	before := p.sums(t)
	for range 2 { // again changes nothing
		kept, err := p.kit.ErasePerson(ctx, p.user.ID)
		is.NoErr(err)
		is.Equal(len(kept.Invoices), 1)
		is.Equal(kept.Invoices[0].KeepUntil, time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC))
		is.Equal(p.sums(t), before)
	}
	u, err := p.kit.Core.User(ctx, p.user.ID)
	is.NoErr(err)
	is.Equal(u.Username, affiliate.ErasedName(u.ID))
	is.Equal(u.Status(), affiliate.UserSuspended)
	_, err = p.kit.Identity.Authenticate(ctx, "a secret of her own")
	is.True(errors.Is(err, affiliate.ErrUnauthenticated))
	keys, err := p.blobs.Keys(ctx, "", "", 10)
	is.NoErr(err)
	is.Equal(len(keys), 0)
	_, err = p.kit.Payouts.Details(ctx, p.user.ID)
	is.True(errors.Is(err, affiliate.ErrNotFound))

	// Somebody else may have the address and the handle now, and is not her.
	other, err := p.kit.Core.CreateUser(ctx, affiliate.User{Username: "quentina", Email: p.user.Email, SocialMedia: p.user.SocialMedia})
	is.NoErr(err)
	parts, err := p.kit.Offers.Participants(ctx, offers.ParticipantFilter{UserID: other.ID}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(parts.Total, 0)
}

func TestAnErasedPersonKeepsItsSumsAndNothingElse(t *testing.T) {
	t.Run("memory", func(t *testing.T) { newPerson(t, memory.New()).erased(t) })
	t.Run("postgres", func(t *testing.T) {
		db, _ := openPostgres(t)
		newPerson(t, db).erased(t)
	})
}

// Every row of every table is read as text: what said who she was is in none.
func TestNoRowNamesAnErasedPerson(t *testing.T) {
	is := is.New(t)
	db, rows := openPostgres(t)
	p := newPerson(t, db)
	before := strings.ToLower(rows())
	for _, secret := range secrets {
		if sealed := secret == "SE4550000000058398257466" || secret == "quarantel ab"; strings.Contains(before, strings.ToLower(secret)) == sealed {
			t.Errorf("%q is in a row before: want %v", secret, !sealed)
		}
	}
	_, err := p.kit.ErasePerson(t.Context(), p.user.ID)
	is.NoErr(err)
	for row := range strings.SplitSeq(strings.ToLower(rows()), "\n") {
		for _, secret := range secrets {
			if strings.Contains(row, strings.ToLower(secret)) {
				t.Errorf("%q is still there: %s", secret, row)
			}
		}
	}
}

// openPostgres is a fresh database, and a function that returns all its rows.
func openPostgres(t *testing.T) (*postgres.DB, func() string) {
	t.Helper()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	handle, err := postgres.Open(dsn)
	is.NoErr(err)
	t.Cleanup(func() { _ = handle.Close() })
	is.NoErr(postgres.Migrate(t.Context(), handle, postgres.Options{Schema: schema}))
	db, err := postgres.New(handle, postgres.Options{Schema: schema})
	is.NoErr(err)
	return db, func() string {
		t.Helper()
		var tables []string
		is.NoErr(handle.NewRaw(`SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1`, schema).Scan(t.Context(), &tables))
		var out strings.Builder
		for _, table := range tables {
			var rows []string
			is.NoErr(handle.NewRaw(fmt.Sprintf(`SELECT t::text FROM %q.%q AS t`, schema, table)).Scan(t.Context(), &rows))
			for _, row := range rows {
				fmt.Fprintln(&out, table, row)
			}
		}
		return out.String()
	}
}
