package advertiser_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links"
)

// passwords is a registrar in memory.
type passwords map[string]string

// Register keeps the password of an address.
func (p passwords) Register(_ context.Context, email, password string) (string, error) {
	if kept, ok := p[email]; ok && kept != password {
		return "", affiliate.Conflict("identity", "taken", "The address has another password.")
	}
	p[email] = password
	return "subject of " + email, nil
}

func TestAStoreRegistersAndItsPasswordIsTheProviders(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		kept := passwords{}
		people, err := identity.NewService(w.Core, w.Backend.Identity, identity.Options{Clock: w.Clock, Registrar: kept})
		is.NoErr(err)
		handler, err := httpadapter.New(httpadapter.Services{
			Core: w.Core, Links: w.Links, Offers: w.Offers, Orders: w.Orders, Stats: w.Stats, Identity: people, Media: w.Media, Payouts: w.Payouts,
		}, httpadapter.Options{Clock: w.Clock, Authenticator: httpadapter.TokenAuthenticator(people)})
		is.NoErr(err)

		// What is refused does not reach the provider, nor does what the domains refuse.
		for _, bad := range []string{strings.Replace(newStore, "correct horse", "incorrect", 1), strings.Replace(newStore, "new.example", "com", 1)} {
			is.Equal(w.SendTo(handler, "nobody", "POST", "/advertiser/register-store", bad).Code, 422)
		}
		is.Equal(len(kept), 0)

		got := w.SendTo(handler, "nobody", "POST", "/advertiser/register-store", newStore)
		is.Equal(got.Code, 200)
		is.Equal(kept["new@shops.example"], "correct horse")
		is.Equal(market.Field(t, got, "feed_name"), "New")
		is.Equal(market.Field(t, got, "invoice_instagram_cpc"), 2.0)
		is.Equal(market.Field(t, got, "users.0.username"), "new")
		is.Equal(market.Field(t, got, "users.0.pivot.store_id"), market.Field(t, got, "id"))
		is.True(!strings.Contains(w.Dump(), "correct horse"))

		p, err := people.Session(t.Context(), affiliate.Session{Subject: "subject of new@shops.example"})
		is.NoErr(err)
		is.Equal(p.Role, affiliate.RoleRepresentative)
		is.Equal(float64(p.AdvertiserIDs[0]), market.Field(t, got, "id"))

		// Nobody has proven the domain: a store that the operator registers goes before.
		whose := func() links.Inspection {
			i, err := w.Links.Inspect(t.Context(), links.Conversion{UserID: w.ID["user anna"], URL: "https://new.example/"})
			is.NoErr(err)
			is.Equal(len(i.Advertisers), 1)
			return i
		}
		is.True(whose().Unverified)
		is.Equal(float64(whose().Advertisers[0].ID), market.Field(t, got, "id"))
		owner, err := w.Links.RegisterAdvertiser(t.Context(), links.Registration{Advertiser: affiliate.Advertiser{Name: "Owner", Country: "SE", Currency: "EUR"}, Domains: []string{"new.example"}})
		is.NoErr(err)
		is.True(!whose().Unverified)
		is.Equal(whose().Advertisers[0].ID, owner.ID)

		// Again: the address is somebody's now.
		is.Equal(w.SendTo(handler, "nobody", "POST", "/advertiser/register-store", newStore).Code, 409)
	})
}

func TestWithoutAProviderTheRegistrantIsInvited(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		got := w.Send("nobody", "POST", "/advertiser/register-store", newStore)
		is.Equal(got.Code, 200)
		session := affiliate.Session{Subject: "late", Email: "new@shops.example"}
		p, err := w.People.Session(t.Context(), session)
		is.NoErr(err)
		accepted, err := w.People.For(affiliate.ViewerOf(p)).AcceptInvites(t.Context(), affiliate.RoleRepresentative, "")
		is.NoErr(err)
		is.Equal(len(accepted), 1)
		is.Equal(float64(accepted[0].AdvertiserID), market.Field(t, got, "id"))
	})
}

func TestAStoreHasOneDefaultConfiguration(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const path = "/advertiser/stores/{advertiser acme}/stats-config"
		is.Equal(w.Send("advertiser", "POST", path+"?types=[clicks,order_value]", `{"name":"Second","default":1,"data":{"tags":"[‹tag vip›]","from":"2026-03-01"}}`).Code, 200)
		got := w.Send("advertiser", "GET", path, "").Body.String()
		w.Answers("advertiser", "GET", path, "", 200, `[{"id":‹config acme›,"store_id":‹advertiser acme›,"name":"Of acme","data":{"tags":[‹tag vip›],"types":[1,2,3,4]},"default":0,"created_at":"2026-03-18 11:42:10","updated_at":"2026-03-18 11:42:10"},`+
			got[strings.Index(got, `},{`)+2:])
		is.True(strings.Contains(got, `"name":"Second","data":{"from":"2026-03-01","tags":[`+w.Value("tag vip")+`],"types":[3,1]},"default":1`))
		// What an answer has can be sent back.
		changed := w.Send("advertiser", "PUT", path+"/{config acme}", `{"name":"First","default":1,"data":{"tags":[‹tag vip›,‹tag favourites›],"types":[2]}}`)
		is.Equal(changed.Code, 200)
		got = w.Send("advertiser", "GET", path, "").Body.String()
		is.Equal(strings.Count(got, `"default":1`), 1)
		is.True(strings.Contains(got, `"types":[2]},"default":1`))
		is.Equal(w.Send("advertiser", "DELETE", path+"/{config acme}", "").Code, 200)
		is.Equal(w.Send("advertiser", "DELETE", path+"/{config acme}", "").Code, 404)
	})
}

func TestAStoreSeesShownMediaOfItsCreators(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		ids := func(query string) string {
			return market.Names(t, w.Send("advertiser", "GET", "/stores/{advertiser acme}/media"+query, ""), "url")
		}
		is.Equal(ids("?type=image"), "/instagramStorys/anna/99.png")
		is.Equal(ids("?type=instagram"), "/instagramStorys/anna/99.png")
		is.Equal(ids("?identifier=@Anna"), "/instagramStorys/anna/99.png /instagramStorys/anna/98.mp4")
		before, _, _ := strings.Cut(ids(""), " ")
		is.Equal(before, "https://www.youtube.com/watch?v=97") // carl's, of the same client
		first, _, _ := strings.Cut(ids("?order_by=clicks"), " ")
		is.Equal(first, "/instagramStorys/anna/99.png") // anna has a click, carl none
		got := w.Send("advertiser", "GET", "/stores/{advertiser acme}/media?type=instagram", "")
		is.Equal(market.Field(t, got, "data.0.clicks"), "1")
		is.Equal(market.Field(t, got, "data.0.cost"), 250.0)

		file := w.Send("advertiser", "GET", "/stores/{advertiser acme}/instagramStorys/anna/99.png", "")
		is.Equal(file.Header().Get("Content-Type"), "image/png")
		is.Equal(file.Body.Bytes(), market.PNG(t))
		moved := w.Send("advertiser", "GET", "/stores/{advertiser acme}/instagramStorys/anna/98.mp4", "")
		is.Equal(moved.Code, http.StatusFound)
		is.Equal(moved.Header().Get("Location"), "https://media.example/98.mp4")
		is.True(errors.Is(w.Media.SetFile(t.Context(), w.ID["medium 98"], market.PNG(t)), affiliate.ErrInvalid)) // no video
		hidden, err := w.Media.Update(t.Context(), w.ID["medium 99"], func(m *media.Medium) { m.Visibility = media.Hidden })
		is.NoErr(err)
		is.Equal(hidden.Visibility, media.Hidden)
		is.Equal(w.Send("advertiser", "GET", "/stores/{advertiser acme}/instagramStorys/anna/99.png", "").Code, 404)
	})
}

func TestBankDataIsKeptSealedAndShownMasked(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const path = "/advertiser/stores/{advertiser acme}/users/{user anna}"
		is.Equal(market.Field(t, w.Send("advertiser", "GET", path, ""), "bank_info"), nil)
		got := w.Send("advertiser", "PATCH", path, `{"SSNum":"19900101-1234","country":"se","bank_info":{"iban":"SE45 5000 0000 0583 9825 7466"},"company":{"name":"Anna AB","orginisation_id":"556677-8899"}}`)
		is.Equal(got.Code, 200)
		is.Equal(market.Field(t, got, "bank_info.iban"), "••••••••••••••••••••7466")
		is.Equal(market.Field(t, got, "company.name"), "A••••••")
		is.Equal(market.Field(t, got, "SSNum"), "•••••••••1234")
		is.True(!strings.Contains(w.Dump(), "7466"))

		// What is not sent stays; name and address come from the profile.
		is.Equal(w.Send("advertiser", "PUT", path, `{"bankType":"IBAN"}`).Code, 200)
		again := w.Send("advertiser", "GET", path, "")
		is.Equal(market.Field(t, again, "bank_info.iban"), "••••••••••••••••••••7466")
		is.Equal(market.Field(t, again, "bankType"), "IBAN")
		d, err := w.Payouts.Details(t.Context(), w.ID["user anna"])
		is.NoErr(err)
		is.Equal(d.Country, "SE")
		is.Equal(d.City, "Malmö")

		// A refused request changes neither the bank data nor the profile.
		is.Equal(w.Send("advertiser", "PATCH", path, `{"city":"Lund","vat_no":"`+strings.Repeat("1", 33)+`"}`).Code, 422)
		is.Equal(market.Field(t, w.Send("advertiser", "GET", path, ""), "city"), "Malmö")
		// Bank data of a creator of another client is not the store's to see.
		is.Equal(w.Send("advertiser_2", "GET", path, "").Code, 404)
	})
}
