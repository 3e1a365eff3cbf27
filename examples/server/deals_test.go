package main

import (
	"context"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestTheDemoCatalogSells(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		var loading sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs { // several processes start at once
			loading.Go(func() { errs[i] = loadDemoDeals(t.Context(), b.Deals) })
		}
		loading.Wait()
		for _, err := range errs {
			is.NoErr(err)
		}
		service, err := deals.NewService(b.Deals, deals.Options{})
		is.NoErr(err)
		sell := func(id, code, data string) deals.DealDetails {
			t.Helper()
			d, err := service.Post(t.Context(), demoSeller(), deals.Posting{
				ExternalID: id, Status: deals.Created, CatalogCode: demoCatalogCode, Offer: demoCatalogOffer, Cost: affiliate.NewMoney(100_00, "USD"),
				PromoCode: code, AnotherData: data,
			})
			is.NoErr(err)
			return d
		}
		is.Equal(sell("1", demoPromoCode, "").PartnerID, demoPromoter())
		is.Equal(sell("2", "", "uid="+demoUID).Reward, affiliate.NewMoney(20_00, "USD"))
		page, err := service.Catalogs(t.Context(), deals.CatalogFilter{Available: affiliate.Some(true)}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 1) // once, however often it was loaded

		// A catalog that is created in a demo comes with the code.
		demo, err := deals.NewService(demoDeals{b.Deals}, deals.Options{})
		is.NoErr(err)
		c := deals.NewCatalog()
		c.Code, c.Title = "mine", "Mine"
		mine, err := demo.CreateCatalog(t.Context(), demoSeller(), c)
		is.NoErr(err)
		_, err = affiliate.Read(t.Context(), b.Deals, func(ctx context.Context, tx deals.Tx) (deals.PromoCode, error) {
			return tx.PromoCodes().Get(ctx, mine.ID, demoPromoCode)
		})
		is.NoErr(err)
	})
}
