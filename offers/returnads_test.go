package offers_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

func TestReturnAdsCountExactly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ad, err := w.offers.CreateReturnAd(t.Context(), offers.ReturnAd{
			Name: "ad", AdvertiserID: w.acme.ID, ReturnLink: "https://acme.example", DisplayForAll: true, ViewLimit: affiliate.Some[int64](5),
		})
		w.NoErr(err)
		shop, err := w.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "shop", Country: "SE", Currency: "SEK"})
		w.NoErr(err)
		counted, err := w.offers.CountReturnAdView(t.Context(), ad.ID, w.acme.ID)
		w.NoErr(err)
		w.True(!counted) // never at its own
		shown, err := w.offers.ReturnAdsFor(t.Context(), shop.ID)
		w.NoErr(err)
		w.Equal(len(shown), 1)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				for {
					_, err := w.offers.CountReturnAdView(t.Context(), ad.ID, shop.ID)
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
		after, err := w.offers.ReturnAd(t.Context(), ad.ID)
		w.NoErr(err)
		w.Equal(after.Counts, offers.ReturnAdCounts{Views: 5})
		w.Equal(after.Status, offers.Ended)
		shown, err = w.offers.ReturnAdsFor(t.Context(), shop.ID)
		w.NoErr(err)
		w.Equal(len(shown), 0)
	})
}
