package main

import (
	"context"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// demoSyncAccounts are the accounts of the sync tokens, each with an ad account
// at both services.
func demoSyncAccounts() []demoSyncAccount {
	return []demoSyncAccount{
		{adsync.AccountInput{ID: demoID(0x05).String(), Name: "Sync"}, [2]string{"act_1001", "1000000001"}},
		{adsync.AccountInput{ID: demoID(0x06).String(), Name: "Sync 2"}, [2]string{"act_1002", "1000000002"}},
		{adsync.AccountInput{ID: demoID(0x07).String(), Name: "Sync test", Test: true}, [2]string{"act_1003", "1000000003"}},
	}
}

type demoSyncAccount struct {
	adsync.AccountInput
	adAccounts [2]string // Facebook's, Google's
}

// loadDemoSync registers the accounts and connects their ad accounts. A second
// start finds them as they are.
func loadDemoSync(ctx context.Context, store adsync.Store) error {
	service, err := adsync.NewService(store, adsync.Options{})
	if err != nil {
		return err
	}
	for _, a := range demoSyncAccounts() {
		if _, err := service.RegisterAccount(ctx, a.AccountInput); err != nil {
			return err
		}
		account := service.ForAccount(a.ID)
		for _, in := range []adsync.AdAccountInput{
			{ID: a.adAccounts[0], Name: a.Name + " on Facebook", CatalogID: "2000" + a.adAccounts[1]},
			{ID: a.adAccounts[1], Name: a.Name + " on Google", CatalogID: "accounts/" + a.adAccounts[1] + "/dataSources/1"},
		} {
			if _, err := account.ConnectAdAccount(ctx, in); err != nil {
				return err
			}
		}
	}
	return nil
}
