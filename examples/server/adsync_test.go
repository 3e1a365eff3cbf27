package main

import (
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestTheDemoConnectsAdAccounts(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		var loading sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs { // several processes start at once
			loading.Go(func() { errs[i] = loadDemoSync(t.Context(), b.AdSync) })
		}
		loading.Wait()
		for _, err := range errs {
			is.NoErr(err)
		}
		service, err := adsync.NewService(b.AdSync, adsync.Options{})
		is.NoErr(err)
		for _, a := range demoSyncAccounts() {
			page, err := service.ForAccount(a.ID).AdAccounts(t.Context(), adsync.AdAccountFilter{}, adsync.PageRequest{})
			is.NoErr(err)
			is.Equal(len(page.Items), 2) // once, however often it was loaded
			is.Equal(page.Items[0].Service(), adsync.FacebookAds)
			is.Equal(page.Items[1].Service(), adsync.GoogleAds)
			kept, err := service.Account(t.Context(), a.ID)
			is.NoErr(err)
			is.Equal(kept.Test, a.Test)
		}
	})
}
