// Command quickstart follows one shop URL from a creator to the ledger, in memory.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{Links: links.Options{PublicURL: "https://go.example"}})
	if err != nil {
		return err
	}
	acme, err4 := kit.Links.RegisterAdvertiser(ctx, links.Registration{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"}})
	anna, err5 := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	cpa, err3 := affiliate.ParseRate("cpa", "0.05") // an order earns 5 %; a click earns 0.10 and costs 0.12. "large" draws on a shared budget; "small" ranks before it and has 0.20 to spend.
	offer := offers.Offer{AdvertiserID: acme.ID, Type: offers.Standard, Name: "large", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12), CPA: affiliate.Some(cpa)}}}}
	large, err6 := kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offer, Budget: affiliate.Some(offers.SharedBudgetInput{Title: "Season", Amount: 100_000})})
	offer.Name, offer.BudgetLimit = "small", affiliate.Some[int64](20)
	small, err7 := kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offer})
	names := map[int64]string{large.ID: " of large", small.ID: " of small"}
	link, _, err8 := kit.Links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://www.acme.example/shoes?size=38"})
	fmt.Fprintf(out, "link     %s -> %s\n", kit.Links.ShortURL(link.Link.ID), link.Link.TrackingURL())
	sale := orders.Report{AdvertiserID: acme.ID, Number: "1001", Value: affiliate.NewMoney(499_50, "SEK").Decimal()}
	for _, reader := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		to, errClick := kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: reader, UserAgent: "Firefox"})
		fmt.Fprintf(out, "click    %-9s earns %s%s\n", to.Click.Value.Verdict, to.Click.Value.Earning, names[to.Click.Value.OfferID])
		err, sale.ClickIDs = cmp.Or(err, errClick), append(sale.ClickIDs, to.Click.Value.ID) // the shop gets it as mtpc_cid
	}
	order, _, err11 := kit.Orders.Report(ctx, sale)
	fmt.Fprintf(out, "order    %s earns %s%s\n", order.Number, order.Earning, names[order.OfferID])
	entries, err9 := kit.Core.Entries(ctx, affiliate.EntryFilter{}, affiliate.PageRequest{Number: 1, Size: 20})
	for _, e := range entries.Items {
		fmt.Fprintf(out, "ledger   %s: %s earns %s, %s pays %s\n", e.Kind, anna.Username, e.Earning, acme.Name, e.Cost)
	}
	why, err10 := kit.Offers.Explain(ctx, acme.ID, anna.ID, affiliate.SourceGeneral)
	for _, w := range why { // where the next click would go, and why not elsewhere
		fmt.Fprintf(out, "next     %s%s\n", cmp.Or(w.Reason, "chosen"), names[w.OfferID])
	}
	return cmp.Or(err, err3, err4, err5, err6, err7, err8, err9, err10, err11)
}
