package offers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// A store group narrows what the targets say: for clicks as for what creators see.
func TestACampaignOfAStoreGroupIsForItsCreatorsOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.user(affiliate.User{Username: "bo"}) // of no client
		of := func(group int64, targets offers.Targets) offers.Saved {
			return w.offer(func(n *offers.OfferInput) { n.Offer.StoreGroupID, n.Targets = group, targets })
		}
		v := of(w.group, offers.Targets{})
		w.Equal(v.StoreGroupID, w.group)
		w.Equal(w.chosen(w.anna), v.ID)
		w.Equal(w.chosen(bo), int64(0))
		seen := func(u affiliate.User) int {
			creator := affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, Subject: u.Username, UserID: u.ID})
			page, err := w.offers.For(creator).Search(t.Context(), offers.OfferQuery{}, affiliate.PageRequest{})
			w.NoErr(err)
			_, err = w.offers.For(creator).Offer(t.Context(), v.ID)
			w.Equal(err == nil, page.Total == 1)
			w.True(err == nil || affiliate.IsNotFound(err))
			return page.Total
		}
		w.Equal(seen(w.anna), 1)
		w.Equal(seen(bo), 0)
		paid := func(u affiliate.User) int64 {
			made, err := affiliate.Write(t.Context(), affiliate.Store[offers.Tx](w.b.Offers), func(ctx context.Context, tx offers.Tx) ([]offers.Decision, error) {
				return offers.Charge(ctx, tx, []offers.ClickCharge{{User: &u, Advertiser: &w.acme, At: w.now}})
			})
			w.NoErr(err)
			return made[0].OfferID
		}
		w.Equal(paid(w.anna), v.ID)
		w.Equal(paid(bo), int64(0))

		_, err := w.offers.UpdateOffer(t.Context(), v.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
			o.StoreGroupID = 0
			return nil
		}})
		w.NoErr(err)
		w.Equal(w.chosen(bo), v.ID)
		w.Equal(paid(bo), v.ID)
		w.NoErr(w.offers.DeleteOffer(t.Context(), v.ID))

		other, err := w.core.CreateAdvertiserGroup(t.Context(), affiliate.AdvertiserGroup{Name: "other", Key: "fi_FI", Currency: "EUR"})
		w.NoErr(err)
		v = of(other.ID, offers.Targets{UserIDs: []int64{w.anna.ID}}) // both must hold
		w.Equal(w.chosen(w.anna), int64(0))
		w.Equal(paid(w.anna), int64(0))

		_, err = w.offers.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{AdvertiserID: w.acme.ID, Type: offers.Standard, Name: "c", StoreGroupID: 999999}})
		w.True(errors.Is(err, affiliate.ErrInvalid))
		w.True(strings.Contains(err.Error(), "store_group_id"))
	})
}
