package adsync_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A service in memory stands in for Google here; adsync/google has the driver.
func ExampleEngine() {
	ctx := context.Background()
	store := memory.New().AdSync()
	operator, err := adsync.NewService(store, adsync.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := operator.RegisterAccount(ctx, adsync.AccountInput{ID: "acme", Name: "Acme"}); err != nil {
		log.Fatal(err)
	}
	acme := operator.ForAccount("acme")
	if _, err := acme.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: "Search"}); err != nil {
		log.Fatal(err)
	}
	_, _, err = acme.SaveCampaign(ctx, adsync.CampaignInput{
		AdAccount: "1234567890", Service: adsync.Sent(adsync.GoogleAds), State: adsync.Sent(adsync.Active), Title: adsync.Sent("Summer"),
		Configuration: adsync.Sent(adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299})}),
	})
	if err != nil {
		log.Fatal(err)
	}

	service := adsynctest.NewDriver(adsync.GoogleAds)
	engine, err := adsync.NewEngine(store, adsync.EngineOptions{Drivers: []adsync.Driver{service}})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := engine.Plan(ctx, "acme", "1234567890")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("to create:", plan.Creates)
	report, err := engine.Apply(ctx, "acme", "1234567890") // a server calls engine.Run instead
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created:", report.Created)

	service.Edit("1", "name", "Fire sale", "jo@example.com", time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	drift, err := engine.Refresh(ctx, "acme", "1234567890")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range drift.Entries[0].Changes {
		fmt.Printf("%s: we sent %q, the service has %q, changed by %s\n", c.Field, c.Before, c.After, drift.Entries[0].ChangedBy)
	}
	if _, err := engine.Apply(ctx, "acme", "1234567890"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("again:", service.Objects()[0].Fields["name"])
	// Output:
	// to create: 1
	// created: 1
	// name: we sent "Summer", the service has "Fire sale", changed by jo@example.com
	// again: Summer
}
