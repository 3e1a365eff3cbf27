// Command adsync keeps a campaign and a car in step with an ad service, a fake of
// Google's within this process: a plan, its apply, and what somebody else changed.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/google"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

const (
	account   = "acme"
	adAccount = "1234567890"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	service := adsynctest.NewGoogle(adsynctest.GoogleOptions{})
	driver, err := google.New(google.Options{Token: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "demo"}), HTTP: adsynctest.Client(service)})
	if err != nil {
		return err
	}
	var o affiliatekit.Options
	o.AdSyncEngine.Drivers = []adsync.Driver{driver}
	kit, err := affiliatekit.New(memory.New(), o)
	if err != nil {
		return err
	}
	if err := advertise(ctx, kit.AdSync); err != nil {
		return err
	}

	engine := kit.AdSyncEngine
	show := func() error {
		plan, err := engine.Plan(ctx, account, adAccount)
		fmt.Fprintln(out, plan)
		return err
	}
	if err := show(); err != nil { // what a sync would change
		return err
	}
	report, err := engine.Apply(ctx, account, adAccount)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "applied: %d jobs done\n\n", report.Done())
	if err := show(); err != nil { // nothing
		return err
	}

	campaign := service.Objects("campaigns")[0]
	service.Edit(campaign.Resource, "status", "PAUSED", "bo@agency.example")
	drift, err := engine.Refresh(ctx, account, adAccount) // a Drift after which the plan knows what the service has
	if err != nil {
		return err
	}
	fmt.Fprintln(out, drift)
	if err := show(); err != nil { // the records are right, so the campaign runs again
		return err
	}
	if _, err := engine.Apply(ctx, account, adAccount); err != nil {
		return err
	}
	drift, err = engine.Drift(ctx, account, adAccount)
	fmt.Fprint(out, drift)
	return err
}

// advertise makes a campaign with an ad that follows a car.
func advertise(ctx context.Context, operator *adsync.Service) error {
	if _, err := operator.RegisterAccount(ctx, adsync.AccountInput{ID: account, Name: "Acme"}); err != nil {
		return err
	}
	acme := operator.ForAccount(account)
	if _, err := acme.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: adAccount, Name: "Search"}); err != nil {
		return err
	}
	acme = operator.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleSync, Subject: account}))
	campaign, _, err := acme.SaveCampaign(ctx, adsync.CampaignInput{
		AdAccount: adAccount, Service: adsync.Sent(adsync.GoogleAds), State: adsync.Sent(adsync.Active), Title: adsync.Sent("Cars"),
		Configuration: adsync.Sent(adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299})}),
	})
	if err != nil {
		return err
	}
	set, _, err := acme.SaveAdSet(ctx, adsync.AdSetInput{
		Campaign: campaign.ID.String(), State: adsync.Sent(adsync.Active), Title: adsync.Sent("Used"),
		Bids: adsync.Sent(adsync.Bids{CPC: affiliate.Some(int64(50))}), Configuration: adsync.Sent(adsync.Configuration{}),
	})
	if err != nil {
		return err
	}
	if _, err := acme.SaveTemplate(ctx, adsync.TemplateInput{
		AdTemplateType: "vehicle", AdSet: set.ID.String(), Type: adsync.ExpandedTextAd, DestinationURL: "<link>",
		Creative: adsync.Creative{HeadlinePart1: "<brand> <model>", HeadlinePart2: "Only <price> <currency>", Description: "Come and see it"},
	}); err != nil {
		return err
	}
	_, _, err = acme.SaveItem(ctx, adsync.ItemInput{
		AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), Brand: adsync.Sent("Volkswagen"), Model: adsync.Sent("Jetta"),
		Year: adsync.Sent(2018), ContentLanguage: adsync.Sent("pt-br"), Link: adsync.Sent("https://acme.example/jetta"), Price: adsync.Sent(affiliate.NewMoney(2117990, "BRL")),
	})
	return err
}
