package orders_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A reader follows a creator's link and buys. The shop tells the sale twice,
// and later that a part of it came back.
func Example() {
	ctx := context.Background()
	clock := func() time.Time { return time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC) }
	db := memory.New()
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{Clock: clock})
	shop, err2 := links.NewService(db.Links(), links.Options{Clock: clock})
	sales, err3 := orders.NewService(db.Orders(), orders.Options{Clock: clock})
	orDie(err1, err2, err3)

	cpa, err := affiliate.ParseRate("cpa", "0.05")
	orDie(err)
	acme, err := shop.RegisterAdvertiser(ctx, links.Registration{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{
		Name: "Acme", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPA: affiliate.Some(cpa)}},
	}})
	orDie(err)
	anna, err := core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: clock()})
	orDie(err)
	link, _, err := shop.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	orDie(err)
	to, err := shop.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
	orDie(err)

	sale := orders.Report{
		AdvertiserID: acme.ID, Number: "1001", Value: decimal.RequireFromString("499.50"),
		ClickIDs: []uuid.UUID{to.Click.Value.ID}, // the shop got it as mtpc_cid
	}
	for range 2 {
		o, outcome, err := sales.Report(ctx, sale)
		orDie(err)
		fmt.Println(o.Number, outcome, "earns", o.Earning)
	}
	o, err := sales.OrderByNumber(ctx, acme.ID, "1001")
	orDie(err)
	refund, _, err := sales.Refund(ctx, o.ID, orders.RefundInput{Reference: "return-1", Value: affiliate.Some(decimal.NewFromInt(100))})
	orDie(err)
	fmt.Println("refund of", refund.Value, "takes back", refund.Earning)
	// Output:
	// 1001 added earns 24.98 SEK
	// 1001 known earns 24.98 SEK
	// refund of 100 takes back 5.00 SEK
}

func orDie(errs ...error) {
	for _, err := range errs {
		if err != nil {
			log.Fatal(err)
		}
	}
}
