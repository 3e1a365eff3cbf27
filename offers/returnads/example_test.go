package returnads_test

import (
	"context"
	"fmt"
	"log"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx := context.Background()
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{})
	if err != nil {
		log.Fatal(err)
	}
	shoes, err1 := kit.Core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Shoes", Country: "SE", Currency: "SEK"})
	hats, err2 := kit.Core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Hats", Country: "SE", Currency: "SEK"})
	ad, err3 := kit.ReturnAds.Create(ctx, returnads.Ad{
		Name: "Back to Shoes", AdvertiserID: shoes.ID, ReturnLink: "https://shoes.example/sale", AdvertiserIDs: []int64{hats.ID},
		ClickLimit: affiliate.Some[int64](1),
	})

	// A customer of Hats sees the ad on the page after a purchase, and follows it.
	shown, err4 := kit.ReturnAds.ShownAt(ctx, hats.ID)
	_, err5 := kit.ReturnAds.CountView(ctx, ad.ID, hats.ID)
	first, err6 := kit.ReturnAds.CountClick(ctx, ad.ID, hats.ID)
	second, err7 := kit.ReturnAds.CountClick(ctx, ad.ID, hats.ID)
	after, err8 := kit.ReturnAds.Get(ctx, ad.ID)
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(len(shown), first, second)
	fmt.Println(after.Status, after.Counts.Views, after.Counts.Clicks)
	// Output:
	// 1 true false
	// ended 1 1
}
