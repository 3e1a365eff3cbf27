package verification_test

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/verification"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A store registers itself, publishes the text of its rule, and asks for a look.
func Example() {
	published := map[string][]string{} // what DNS has; a real service takes verification.Standard()
	shop, err := links.NewService(memory.New().Links(), links.Options{DomainVerifiers: []links.DomainVerifier{
		verification.NewDNS(verification.DNSOptions{Resolver: resolve(func(_ context.Context, name string) ([]string, error) { return published[name], nil })}),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	anybody := affiliate.ViewerOf(affiliate.Principal{})
	a, err := shop.For(anybody).RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Shop", Country: "SE", Currency: "SEK"}, Domains: []string{"shop.example"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := shop.Rules(ctx, a.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, _ := rules[0].Proof()
	fmt.Println("verified:", rules[0].Verified(), "- expected at", proof.DNSName(), "or", proof.FileURL())

	published[proof.DNSName()+"."] = []string{proof.Text()}
	rule, err := shop.VerifyRule(ctx, a.ID, rules[0].ID)
	fmt.Println("verified:", rule.Verified(), err)
	// Output:
	// verified: false - expected at _affiliatekit.shop.example or https://shop.example/.well-known/affiliatekit-verification.txt
	// verified: true <nil>
}
