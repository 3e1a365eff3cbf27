package productlists_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx := context.Background()
	lists, err := productlists.NewService(memory.New().ProductLists(), productlists.Options{
		CommissionURL: "https://network.example/click-17?url=:TARGET_URL_ENCODED&sub=:ACCOUNT_ID",
	})
	if err != nil {
		log.Fatal(err)
	}

	feed := `id,name,direct_url,currency,regular_price,final_price
1001,Smart thermostat,https://shop.example/thermostat,USD,129.99,99.99
1002,Security camera,https://shop.example/camera,USD,89.99,
1003,Broken,not an address,USD,1.00,
`
	report, err := lists.Import(ctx, strings.NewReader(feed), productlists.ImportOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("imported", report.Imported)
	for _, r := range report.Rejections {
		fmt.Printf("line %d: %s\n", r.Line, r.Reason)
	}

	list, ignored, err := lists.CreateList(ctx, "acme", productlists.ListInput{
		Name: "Smart home", Metadata: map[string]string{"page": "start"}, ProductIDs: []string{"1002", "1001", "9999"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ignored", ignored)
	for _, item := range list.Items {
		p := item.Product.Value
		fmt.Println(p.Name, p.FinalPrice, p.SaleDiscount(), "%", item.CommissionURL)
	}

	page, err := lists.Lists(ctx, "acme", []productlists.Pair{{Key: "page", Value: "start"}}, affiliate.PageRequest{Number: 1, Size: 100})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Total, "list:", page.Items[0].Name)
	// Output:
	// imported 2
	// line 4: direct_url must be an http or https address of at most 2048 bytes
	// ignored [9999]
	// Security camera 89.99 USD 0 % https://network.example/click-17?url=https%3A%2F%2Fshop.example%2Fcamera&sub=acme
	// Smart thermostat 99.99 USD 23 % https://network.example/click-17?url=https%3A%2F%2Fshop.example%2Fthermostat&sub=acme
	// 1 list: Smart home
}
