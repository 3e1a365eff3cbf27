package affiliate_test

import (
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// An order of 199.95 SEK pays a creator 12.5 %, rounded half-even once.
func Example() {
	order, err := affiliate.ParseMoney("199.95", "SEK")
	if err != nil {
		fmt.Println(err)
		return
	}
	cpa, err := affiliate.ParseRate("cpa", "0.125")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(order.MulRate(cpa))

	_, err = order.Add(affiliate.NewMoney(1, "EUR"))
	fmt.Println("two currencies:", err != nil)
	// Output:
	// 24.99 SEK
	// two currencies: true
}
