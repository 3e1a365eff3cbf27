package adsync_test

import (
	"context"
	"fmt"
	"log"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx := context.Background()
	operator, err := adsync.NewService(memory.New().AdSync(), adsync.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := operator.RegisterAccount(ctx, adsync.AccountInput{ID: "acme", Name: "Acme"}); err != nil {
		log.Fatal(err)
	}
	acme := operator.ForAccount("acme")
	if _, err := acme.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: "Search", CatalogID: "accounts/1/dataSources/2"}); err != nil {
		log.Fatal(err)
	}

	// The account itself: a campaign, an ad set, and ads that follow the items.
	account := operator.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleSync, Subject: "acme"}))
	campaign, _, err := account.SaveCampaign(ctx, adsync.CampaignInput{
		AdAccount: "1234567890", Service: adsync.Sent(adsync.GoogleAds), State: adsync.Sent(adsync.Active),
		Configuration: adsync.Sent(adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299})}),
	})
	if err != nil {
		log.Fatal(err)
	}
	set, _, err := account.SaveAdSet(ctx, adsync.AdSetInput{
		Campaign: campaign.ID.String(), State: adsync.Sent(adsync.Active),
		Bids: adsync.Sent(adsync.Bids{CPC: affiliate.Some(int64(50))}), Configuration: adsync.Sent(adsync.Configuration{}),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = account.SaveTemplate(ctx, adsync.TemplateInput{
		AdTemplateType: "vehicle", AdSet: set.ID.String(), Type: adsync.ExpandedTextAd, DestinationURL: "<link>",
		Creative: adsync.Creative{HeadlinePart1: "<brand> <model>", HeadlinePart2: "Only <price> <currency>", Description: "In <city>"},
	})
	if err != nil {
		log.Fatal(err)
	}

	jetta := adsync.ItemInput{
		AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"),
		Brand: adsync.Sent("Volkswagen"), Model: adsync.Sent("Jetta"), Year: adsync.Sent(2018),
		Link: adsync.Sent("https://shop.example/jetta"), Price: adsync.Sent(affiliate.NewMoney(2117990, "BRL")),
		CustomAttributes: adsync.Sent([]adsync.CustomAttribute{{Identifier: "city", Value: "Recife"}}),
	}
	_, created, err := account.SaveItem(ctx, jetta)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created:", created)
	jetta.Available = adsync.Sent(false)
	_, created, err = account.SaveItem(ctx, jetta) // found by its fingerprint
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created again:", created)

	ads, err := account.AdsOf(ctx, set.ID.String(), adsync.AdFilter{}, adsync.PageRequest{})
	if err != nil {
		log.Fatal(err)
	}
	for _, ad := range ads.Items {
		fmt.Println(ad.State, ad.Creative.HeadlinePart1, "|", ad.Creative.HeadlinePart2, "|", ad.Creative.Description, "|", ad.DestinationURL)
	}
	jobs, err := account.Jobs(ctx, adsync.JobFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range jobs.Items {
		fmt.Println(job.State, job.Kind, "version", job.Version)
	}
	// Output:
	// created: true
	// created again: false
	// paused Volkswagen Jetta | Only 21179.90 BRL | In Recife | https://shop.example/jetta
	// queued campaign version 1
	// queued ad_set version 1
	// queued item version 2
	// queued ad version 2
}
