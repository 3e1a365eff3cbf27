package offers_test

import (
	"errors"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

func TestVisibilityCountsOverWhatTheAdvertiserSaysOfItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		creator := w.offers.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, UserID: w.anna.ID}))
		for _, c := range []struct {
			visibility       offers.Visibility
			hidden, unlisted bool
			seen, listed     bool
		}{
			{offers.AsAdvertiser, false, false, true, true}, {offers.AsAdvertiser, true, false, false, false},
			{offers.AlwaysVisible, true, false, true, true}, {offers.AlwaysHidden, false, false, false, false},
			{offers.AsAdvertiser, false, true, true, false},
		} {
			_, err := w.core.UpdateAdvertiser(t.Context(), w.acme.ID, func(a *affiliate.Advertiser) { a.Hidden = c.hidden })
			w.NoErr(err)
			o := w.offer(func(n *offers.OfferInput) { n.Offer.Visibility, n.Offer.Unlisted = c.visibility, c.unlisted })
			_, err = creator.Offer(t.Context(), o.ID)
			w.Equal(err == nil, c.seen)
			if !c.seen {
				w.True(errors.Is(err, affiliate.ErrNotFound))
			}
			list, err := w.offers.UserOffers(t.Context(), w.anna.ID, offers.UserOffersFilter{})
			w.NoErr(err)
			listed := false
			for _, l := range list {
				listed = listed || l.ID == o.ID
			}
			w.Equal(listed, c.listed)
		}
	})
}

func TestHiddenTagsOfACampaignStayAndAreNotShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret, err := w.core.CreateUserTag(t.Context(), affiliate.UserTag{Name: "secret", Slug: "secret", AccessLevel: affiliate.AccessAdmin})
		w.NoErr(err)
		o := w.offer(func(n *offers.OfferInput) { n.Targets.TagIDs = []int64{secret.ID, w.tag} })
		shop := w.offers.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{w.acme.ID}}))
		seen, _, err := shop.Targets(t.Context(), o.ID)
		w.NoErr(err)
		w.Equal(seen.TagIDs, []int64{w.tag})
		_, err = shop.UpdateOffer(t.Context(), o.ID, offers.OfferChange{Retarget: func(had offers.Targets) offers.Targets {
			w.Equal(had.TagIDs, []int64{w.tag})
			return offers.Targets{UserIDs: []int64{w.anna.ID}}
		}})
		w.NoErr(err)
		all, _, err := w.offers.Targets(t.Context(), o.ID)
		w.NoErr(err)
		w.Equal(all.TagIDs, []int64{secret.ID})
		w.Equal(all.UserIDs, []int64{w.anna.ID})
	})
}

func TestAShopIsNotToldWhoACreatorIsThatItChose(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shop := w.offers.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{w.acme.ID}}))
		o := w.offer(func(n *offers.OfferInput) { n.Offer.Type, n.Targets.UserIDs = offers.UserApply, []int64{w.anna.ID} })
		email := func() string {
			page, err := shop.Participants(t.Context(), offers.ParticipantFilter{OfferID: o.ID}, affiliate.PageRequest{Number: 1, Size: 5})
			w.NoErr(err)
			w.Equal(len(page.Items), 1)
			return page.Items[0].User.Value.Email
		}
		_, err := w.offers.Enroll(t.Context(), o.ID, w.anna.ID)
		w.NoErr(err)
		w.Equal(email(), "")
		_, err = w.offers.Join(t.Context(), o.Token, w.anna.ID)
		w.NoErr(err)
		w.Equal(email(), w.anna.Email)
	})
}
