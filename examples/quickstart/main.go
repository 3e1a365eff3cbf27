// Command quickstart follows one shop URL from a creator to the ledger, in memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	db := memory.New()
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{})
	shop, err2 := links.NewService(db.Links(), links.Options{PublicURL: "https://go.example"})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	// An advertiser pays 0.10 for a click and is invoiced 0.12. All of acme.example is its own, but for the sale.
	acme, err1 := shop.CreateStore(ctx, links.NewStore{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{
		Name: "Acme", Country: "SE", Currency: "SEK",
		DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12)}},
	}})
	_, err2 = shop.AddRule(ctx, acme.ID, links.RuleInput{Type: links.RuleBlock, URL: "acme.example/sale"})
	anna, err3 := core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	link, _, err4 := shop.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://www.acme.example/shoes?size=38"})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	fmt.Fprintf(out, "link     %s -> %s\n", shop.ShortURL(link.Link.ID), link.Link.TrackingURL())
	for _, reader := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		to, err := shop.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: reader, UserAgent: "Firefox"})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "click    %-9s by %s earns %s\n", to.Click.Value.Verdict, reader, to.Click.Value.Earning)
	}
	entries, err1 := core.Entries(ctx, affiliate.EntryFilter{}, affiliate.PageRequest{Number: 1, Size: 20})
	balances, err2 := core.Balances(ctx, affiliate.UserAccount(anna.ID))
	for _, e := range entries.Items {
		fmt.Fprintf(out, "ledger   %s: %s earns %s, %s pays %s\n", e.Kind, anna.Username, e.Earning, acme.Name, e.Cost)
	}
	for _, b := range balances {
		fmt.Fprintf(out, "balance  payable %s, pending %s, paid %s\n", b.Payable, b.Pending, b.Paid)
	}
	return errors.Join(err1, err2)
}
