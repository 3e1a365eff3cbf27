package returnads_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// world is the service over a store, with an ad of acme that shop shows.
type world struct {
	*is.I
	ads        *returnads.Service
	ad         returnads.View
	acme, shop affiliate.Advertiser
}

func newWorld(t *testing.T, b storagetest.Backend) *world {
	t.Helper()
	w := &world{I: is.New(t)}
	core, err := affiliate.NewService(b.Core, affiliate.Options{})
	w.NoErr(err)
	campaigns, err := offers.NewService(core, b.Offers, offers.Options{})
	w.NoErr(err)
	w.ads, err = returnads.NewService(b.ReturnAds, campaigns, returnads.Options{})
	w.NoErr(err)
	w.acme, err = core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "acme", Country: "SE", Currency: "SEK"})
	w.NoErr(err)
	w.shop, err = core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "shop", Country: "SE", Currency: "SEK"})
	w.NoErr(err)
	w.ad, err = w.ads.Create(t.Context(), returnads.Ad{
		Name: "ad", AdvertiserID: w.acme.ID, ReturnLink: "https://acme.example", DisplayForAll: true, ViewLimit: affiliate.Some[int64](5),
	})
	w.NoErr(err)
	return w
}

func TestReturnAdsCountExactly(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		counted, err := w.ads.CountView(t.Context(), w.ad.ID, w.acme.ID)
		w.NoErr(err)
		w.True(!counted) // never at its own
		shown, err := w.ads.ShownAt(t.Context(), w.shop.ID)
		w.NoErr(err)
		w.Equal(len(shown), 1)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				for {
					_, err := w.ads.CountView(t.Context(), w.ad.ID, w.shop.ID)
					if err == nil {
						return
					}
					if !errors.Is(err, affiliate.ErrUnavailable) {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		after, err := w.ads.Get(t.Context(), w.ad.ID)
		w.NoErr(err)
		w.Equal(after.Counts, returnads.Counts{Views: 5})
		w.Equal(after.Status, offers.Ended)
		shown, err = w.ads.ShownAt(t.Context(), w.shop.ID)
		w.NoErr(err)
		w.Equal(len(shown), 0)
		differences, err := w.ads.Verify(t.Context())
		w.NoErr(err)
		w.Equal(len(differences), 0)
	})
}

func TestVerifyTellsOfACountThatNoDayHas(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.NoErr(b.ReturnAds.Write(t.Context(), func(ctx context.Context, tx returnads.Tx) error {
			_, err := tx.ReturnAds().Count(ctx, w.ad.ID, returnads.Counts{Clicks: 1})
			return err
		}))
		differences, err := w.ads.Verify(t.Context())
		w.NoErr(err)
		w.Equal(len(differences), 1)
	})
}
