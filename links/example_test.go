package links_test

import (
	"fmt"
	"slices"

	"github.com/affiliatekit/affiliatekit/links"
)

// A URL belongs to the advertiser of the most specific rule. What looks like
// that advertiser's host to a reader does not fool the matcher.
func ExampleMatcher() {
	rule := func(advertiser int64, url string) links.Rule {
		host, path, err := links.ParseRuleURL(url)
		if err != nil {
			fmt.Println(err)
		}
		return links.Rule{ID: advertiser, AdvertiserID: advertiser, Type: links.RuleAllow, URL: host + path}
	}
	matcher := links.Compile(slices.Values([]links.Rule{rule(1, "mall.example"), rule(2, "mall.example/shoes")}))
	for _, raw := range []string{"https://www.mall.example/shoes/38", "https://mall.example/hats", "https://mall.example@evil.example/"} {
		url, err := links.Normalize(raw)
		if err != nil {
			fmt.Println(err)
			continue
		}
		var advertisers []int64
		for _, m := range matcher.Match(url, nil) {
			advertisers = append(advertisers, m.AdvertiserID)
		}
		fmt.Println(advertisers)
	}
	// Output:
	// [2 1]
	// [1]
	// []
}
