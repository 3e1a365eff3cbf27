package affiliatekit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx := context.Background()
	kit, err1 := affiliatekit.New(memory.New(), affiliatekit.Options{Links: links.Options{PublicURL: "https://go.example"}})

	// A shop, the host that is its own, and what it pays: 0.10 SEK for a click.
	_, err2 := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains: []string{"acme.example"},
		Advertiser: affiliate.Advertiser{
			Name: "Acme", Country: "SE", Currency: "SEK",
			DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}},
		},
	})
	anna, err3 := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})

	// Anna's link, and a reader who follows it.
	link, _, err4 := kit.Links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	to, err5 := kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})

	balances, err6 := kit.Core.Balances(ctx, affiliate.UserAccount(anna.ID))
	fmt.Println(kit.Links.ShortURL(link.Link.ID), "was a", to.Click.Value.Verdict, "click")
	fmt.Println("anna has", balances[0].Payable, errors.Join(err1, err2, err3, err4, err5, err6))

	// Output:
	// https://go.example/c/1 was a valid click
	// anna has 0.10 SEK <nil>
}
