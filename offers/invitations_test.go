package offers_test

import (
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestInvitedCreatorsGetAnEmail(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		is.Equal(mailing.EventInvitation, offers.EventInvited.Name)
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		campaigns, err := offers.NewService(core, b.Offers, offers.Options{})
		is.NoErr(err)
		box := &mailing.Recorder{}
		mail, err := mailing.NewService(b.Mailing, mailing.Options{Mailer: box})
		is.NoErr(err)
		acme, err := core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
		is.NoErr(err)
		var users []int64
		for _, name := range []string{"anna", "bo"} {
			u, err := core.CreateUser(t.Context(), affiliate.User{Username: name, Email: name + "@example.com"})
			is.NoErr(err)
			users = append(users, u.ID)
		}
		create := func(kind offers.Type, title string) offers.Saved {
			saved, err := campaigns.CreateOffer(t.Context(), offers.OfferInput{
				Offer:   offers.Offer{AdvertiserID: acme.ID, Type: kind, Name: "internal", Title: title},
				Targets: offers.Targets{UserIDs: users[:1]},
			})
			is.NoErr(err)
			return saved
		}
		create(offers.Standard, "Standard")
		saved := create(offers.StoreAccept, "Summer")
		_, err = campaigns.UpdateOffer(t.Context(), saved.ID, offers.OfferChange{Targets: affiliate.Some(offers.Targets{UserIDs: users})})
		is.NoErr(err)
		bus, err := events.NewService(b.Events, events.Options{})
		is.NoErr(err)
		is.NoErr(bus.Subscribe("mailing", mail.Delivers(), mail.Deliver))
		_, err = bus.Deliver(t.Context())
		is.NoErr(err)
		var sent []string
		for _, m := range box.Messages() {
			sent = append(sent, m.To+" "+m.Subject)
		}
		is.Equal(sent, []string{"anna@example.com Invitation to the campaign Summer", "bo@example.com Invitation to the campaign Summer"})
		q, err := mail.Quota(t.Context(), acme.ID)
		is.NoErr(err)
		is.Equal(q.Used, 2)
	})
}
