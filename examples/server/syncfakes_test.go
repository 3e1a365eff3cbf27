package main

import (
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func TestTheDemoSyncsWithItsFakes(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	store := memory.New().AdSync()
	is.NoErr(loadDemoSync(ctx, store))
	o, err := config{demo: true}.engineOptions(func(adsync.Report) {}, func(err error) { t.Error(err) })
	is.NoErr(err)
	engine, err := adsync.NewEngine(store, o)
	is.NoErr(err)
	service, err := adsync.NewService(store, adsync.Options{})
	is.NoErr(err)
	for _, a := range demoSyncAccounts() {
		for _, at := range a.adAccounts {
			_, _, err := service.ForAccount(a.ID).SaveCampaign(ctx, adsync.CampaignInput{
				AdAccount: at, Service: adsync.Sent(adsync.ServiceOf(at)), State: adsync.Sent(adsync.Active),
				Configuration: adsync.Sent(adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299})}),
			})
			is.NoErr(err)
		}
	}
	r, err := engine.RunOnce(ctx)
	is.NoErr(err)
	is.Equal(r, adsync.Report{Leased: 4, Created: 4}) // the test account's stay here
	for _, at := range demoSyncAccounts()[0].adAccounts {
		drift, err := engine.Drift(ctx, demoSyncAccounts()[0].ID, at)
		is.NoErr(err)
		is.Equal([]int{drift.Same, drift.Differing + drift.Missing}, []int{1, 0})
	}

	o, err = config{}.engineOptions(func(adsync.Report) {}, nil)
	is.NoErr(err)
	is.Equal(len(o.Drivers), 0) // without -demo nothing is sent anywhere
}
