package offers_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// bounded is the world with a service that keeps few images.
func bounded(w *world, blobs affiliate.Blobs) *offers.Service {
	s, err := offers.NewService(w.core, w.b.Offers, offers.Options{
		Blobs: blobs, Clock: func() time.Time { return w.now }, MaxImages: 3, MaxImageBytes: 4000,
	})
	w.NoErr(err)
	return s
}

func TestImagesOfAnOwnerAreBoundedAndThoseNobodyUsesAreRemoved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		blobs := affiliate.NewMemoryBlobs()
		s := bounded(w, blobs)
		small, large := striped(t, 1, 1, true), append(striped(t, 1, 1, true), make([]byte, 4000)...)
		refusal := func(err error) string {
			e, ok := errors.AsType[*affiliate.Error](err)
			if !ok || e.Kind != affiliate.ErrInvalid || len(e.Fields) != 1 {
				return ""
			}
			return e.Fields[0].Field + " " + e.Fields[0].Code
		}
		there := func(key string) bool {
			_, err := blobs.Get(t.Context(), key)
			return err == nil
		}
		swept := func(want int) {
			t.Helper()
			n, err := s.SweepImages(t.Context())
			w.NoErr(err)
			w.Equal(n, want)
		}
		first, second := w.offer(nil), w.offer(nil)
		set := func(id int64) string {
			t.Helper()
			v, err := s.SetImage(t.Context(), id, small)
			w.NoErr(err)
			return v.ImageKey
		}
		one, two, three := set(first.ID), set(first.ID), set(second.ID)
		_, err := s.SetImage(t.Context(), first.ID, small)
		w.Equal(refusal(err), "image too_many")
		upload, err := s.Upload(t.Context(), small) // counts for who uploads it
		w.NoErr(err)
		_, err = s.UpdateOffer(t.Context(), first.ID, offers.OfferChange{ImageKey: affiliate.Some(upload)})
		w.Equal(refusal(err), "image_key too_many")
		_, err = s.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{AdvertiserID: w.acme.ID, Type: offers.Standard, Name: "n", ImageKey: upload}})
		w.Equal(refusal(err), "image_key too_many")
		other, err := w.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "other", Country: "SE", Currency: "SEK"})
		w.NoErr(err)
		foreign, err := s.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{AdvertiserID: other.ID, Type: offers.Standard, Name: "n", ImageKey: two}})
		w.NoErr(err)
		w.True(foreign.ImageKey != two) // a copy of its own

		_, err = s.ScaledImage(t.Context(), one, offers.CampaignSize)
		w.NoErr(err)
		w.now = w.now.Add(offers.UploadTime - time.Second)
		swept(0) // the first one lost its campaign a moment after it was made
		w.now = w.now.Add(time.Second)
		swept(2) // that, and the upload
		w.True(!there(one) && !there(offers.CampaignSize.String()+"-"+one) && !there(upload))
		w.True(there(two) && there(three) && there(foreign.ImageKey))

		four := set(first.ID) // room again
		_, err = s.UpdateOffer(t.Context(), first.ID, offers.OfferChange{ImageKey: affiliate.Some(two)})
		w.NoErr(err) // back to the one before
		w.NoErr(s.DeleteOffer(t.Context(), second.ID))
		w.now = w.now.Add(offers.UploadTime)
		swept(2)
		w.True(there(two) && !there(three) && !there(four))
		_, err = s.UpdateOffer(t.Context(), first.ID, offers.OfferChange{ImageKey: affiliate.Some(four)})
		w.Equal(refusal(err), "image_key unknown_image")

		_, err = s.SaveImage(t.Context(), w.acme.ID, "logo", large)
		w.Equal(refusal(err), "logo too_large_in_all")
		logo, err := s.SaveImage(t.Context(), w.acme.ID, "logo", small)
		w.NoErr(err)
		_, err = w.core.UpdateAdvertiser(t.Context(), w.acme.ID, func(a *affiliate.Advertiser) { a.LogoURL = "https://api.example/media/" + logo })
		w.NoErr(err)
		ads, err := returnads.NewService(w.b.ReturnAds, s, returnads.Options{Clock: func() time.Time { return w.now }})
		w.NoErr(err)
		ad, err := ads.Create(t.Context(), returnads.Ad{AdvertiserID: w.acme.ID, Name: "Back", ReturnLink: "https://acme.example/", ImageKey: two})
		w.NoErr(err)
		w.Equal(ad.ImageKey, two)
		w.NoErr(s.DeleteOffer(t.Context(), first.ID))
		w.now = w.now.Add(2 * offers.UploadTime)
		swept(0) // the ad and the store use them
		w.NoErr(ads.Delete(t.Context(), ad.ID))
		w.now = w.now.Add(offers.UploadTime)
		swept(1)
		w.True(!there(two) && there(logo) && there(foreign.ImageKey))
	})
}

// The image of a removal that did not come to its end cannot be used again, and
// goes with the next one.
func TestAnImageThatIsBeingRemovedIsNotUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		blobs := &failing{Blobs: affiliate.NewMemoryBlobs()}
		s := bounded(w, blobs)
		o := w.offer(nil)
		v, err := s.SetImage(t.Context(), o.ID, striped(t, 1, 1, true))
		w.NoErr(err)
		_, err = s.UpdateOffer(t.Context(), o.ID, offers.OfferChange{ImageKey: affiliate.Some("")})
		w.NoErr(err)
		w.now = w.now.Add(offers.UploadTime)
		blobs.err = affiliate.Unavailable(errors.New("no disk"))
		_, err = s.SweepImages(t.Context())
		w.True(errors.Is(err, affiliate.ErrUnavailable))
		_, err = s.UpdateOffer(t.Context(), o.ID, offers.OfferChange{ImageKey: affiliate.Some(v.ImageKey)})
		w.True(fails(err, affiliate.ErrInvalid, "validation_failed"))
		blobs.err = nil
		n, err := s.SweepImages(t.Context())
		w.NoErr(err)
		w.Equal(n, 1)
	})
}

func TestTheTotalOfImagesHoldsForManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := bounded(w, affiliate.NewMemoryBlobs())
		picture := striped(t, 1, 1, true)
		var all sync.WaitGroup
		var kept, refused atomic.Int64
		for range 16 {
			all.Go(func() {
				switch _, err := s.Upload(t.Context(), picture); {
				case err == nil:
					kept.Add(1)
				case fails(err, affiliate.ErrInvalid, "validation_failed"):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.Equal(kept.Load(), int64(3))
		w.Equal(refused.Load(), int64(13))
	})
}

// failing are blobs that cannot be deleted while there is an error.
type failing struct {
	affiliate.Blobs
	err error
}

func (f *failing) Delete(ctx context.Context, key string) error {
	if f.err != nil {
		return f.err
	}
	return f.Blobs.Delete(ctx, key)
}
