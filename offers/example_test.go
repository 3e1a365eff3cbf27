package offers_test

import (
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Two campaigns are for a creator. The first in rank has 0.20 left of its
// budget, and a click on it costs 0.24: the second serves the click.
func ExampleExplain() {
	rates := func(cpc, invoice int64) []offers.Costs {
		return []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some(cpc), InvoiceCPC: affiliate.Some(invoice)}}}
	}
	candidates := []offers.Candidate{
		{Targeted: true, Conditions: offers.Conditions{OfferID: 1, Currency: "SEK", Type: offers.Standard, Priority: 10, Costs: rates(10, 12)}},
		{Targeted: true, Used: offers.Counts{Clicks: 20, Spent: 480}, Conditions: offers.Conditions{
			OfferID: 2, Currency: "SEK", Type: offers.Standard, Priority: 20, Costs: rates(20, 24), BudgetLimit: affiliate.Some[int64](500),
		}},
	}
	click := offers.Request{Advertiser: &affiliate.Advertiser{Currency: "SEK"}, At: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)}
	for _, judged := range offers.Explain(candidates, click) {
		fmt.Println(judged.OfferID, judged.Chosen, judged.Reason, judged.Earning, judged.Cost)
	}
	// Output:
	// 2 false budget_limit 20 24
	// 1 true  10 12
}
