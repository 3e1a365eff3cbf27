package affiliatekit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx, db := context.Background(), memory.New()
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{})
	shop, err2 := links.NewService(db.Links(), links.Options{PublicURL: "https://go.example"})

	// A shop, the host that is its own, and what it pays: 0.10 SEK for a click.
	_, err3 := shop.CreateStore(ctx, links.NewStore{
		Domains: []string{"acme.example"},
		Advertiser: affiliate.Advertiser{
			Name: "Acme", Country: "SE", Currency: "SEK",
			DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}},
		},
	})
	anna, err4 := core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})

	// Anna's link, and a reader who follows it.
	link, _, err5 := shop.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	to, err6 := shop.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})

	balances, err7 := core.Balances(ctx, affiliate.UserAccount(anna.ID))
	fmt.Println(shop.ShortURL(link.Link.ID), "was a", to.Click.Value.Verdict, "click")
	fmt.Println("anna has", balances[0].Payable, errors.Join(err1, err2, err3, err4, err5, err6, err7))

	// Output:
	// https://go.example/c/1 was a valid click
	// anna has 0.10 SEK <nil>
}
