package retention_test

import (
	"context"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	db := memory.New()
	s, err := retention.NewService(retention.Stores{Links: db.Links(), Orders: db.Orders(), Events: db.Events(), Webhooks: db.Webhooks()}, retention.Options{Blobs: affiliate.NewMemoryBlobs()})
	if err != nil {
		fmt.Println(err)
		return
	}
	const day = 24 * time.Hour
	report, err := s.Retain(context.Background(), retention.Policy{Visitors: 30 * day, Clicks: 400 * day, Events: 90 * day, Attempts: 30 * day})
	fmt.Println(report.Clicks, "clicks went", err)
	// Output: 0 clicks went <nil>
}
