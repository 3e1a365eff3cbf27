package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

type (
	syncTx    = adsync.Tx
	syncStore = affiliate.Store[adsync.Tx]
)

// RunAdSync runs the cases of package adsync on Backend.AdSync.
func RunAdSync(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) adsync.Store { return open(t).AdSync }, adSyncScenarios())
}

func adSyncScenarios() []scenario[adsync.Store] {
	return slices.Concat(
		ofSync(writeScenarios[syncTx](), func(s adsync.Store) syncStore { return s }),
		ofSync(unitScenarios[syncTx]("work"), func(s adsync.Store) syncStore { return syncWorker{s} }),
		ofSync(slices.Concat(
			syncAccountTable().scenarios(),
			adAccountTable().scenarios(),
			itemTable().scenarios(),
			campaignTable().scenarios(),
			adSetTable().scenarios(),
			syncAdTable().scenarios(),
			templateTable().scenarios(),
			[]scenario[syncStore]{
				{"ad accounts/list", testAdAccountList},
				{"items/put replaces, the later of two counts", testPutItems},
				{"items/by reference and by fingerprint", testItemLookups},
				{"items/list", testItemList},
				{"items/of many in one microsecond none is lost or repeated", testItemTies},
				{"items/of writers at once one has a reference id", testSyncItemRace},
				{"campaigns/lookups and removal", testCampaignLookups},
				{"campaigns/list", testCampaignList},
				{"ad sets/lookups and removal", testAdSetLookups},
				{"ad sets/list", testAdSetList},
				{"ads/lookups and removal", testAdLookups},
				{"ads/list", testSyncAdList},
				{"ads/an item has one ad of a template", testAdOrigin},
				{"templates/lookups and delete", testTemplateLookups},
				{"remotes/put, get many, delete", testRemotes},
			},
		), func(s adsync.Store) syncStore { return s }),
		jobScenarios(),
	)
}

// syncWorker makes every Write a Work.
type syncWorker struct{ adsync.Store }

func (w syncWorker) Write(ctx context.Context, fn func(ctx context.Context, tx syncTx) error) error {
	return w.Work(ctx, fn)
}

// ofSync makes scenarios of a store of adsync out of those of any store.
func ofSync(all []scenario[syncStore], as func(adsync.Store) syncStore) []scenario[adsync.Store] {
	var out []scenario[adsync.Store]
	for _, c := range all {
		out = append(out, scenario[adsync.Store]{c.name, func(t *testing.T, s adsync.Store) { c.run(t, as(s)) }})
	}
	return out
}

// syncID is an id that n alone has; they grow with n.
func syncID(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("0190a5c4-7d1e-7abc-8def-%012x", n))
}

// The world of these cases has the accounts "account" and "other", each with the
// ad accounts act_1, act_2 and 1234567890, and in "account" the campaign 901 at
// act_1, and in it the ad set 901; in "other" the same with 902.

const seeded = 901

func syncWorld(t *testing.T, s syncStore) world {
	t.Helper()
	write(t, s, func(ctx context.Context, tx syncTx) error {
		for n, account := range []string{"account", "other"} {
			a := sampleSyncAccount(n + 1)
			a.ID = account
			if err := tx.SyncAccounts().Put(ctx, a); err != nil {
				return err
			}
			for k, id := range []string{"act_1", "act_2", "1234567890"} {
				connected := sampleAdAccount(10*n + k + 1)
				connected.AccountID, connected.ID = account, id
				if err := tx.AdAccounts().Put(ctx, connected); err != nil {
					return err
				}
			}
			c, set := sampleCampaign(seeded+n), sampleAdSet(seeded+n)
			c.AccountID, set.AccountID, set.CampaignID = account, account, c.ID
			if err := errors.Join(tx.SyncCampaigns().Put(ctx, c), tx.AdSets().Put(ctx, set)); err != nil {
				return err
			}
		}
		return nil
	})
	return world{}
}

func sampleSyncAccount(n int) adsync.Account {
	return adsync.Account{ID: "account " + strconv.Itoa(n), FingerprintKey: hash(n)}
}

func sampleAdAccount(n int) adsync.AdAccount {
	return adsync.AdAccount{RecordID: syncID(n), ID: "act_" + strconv.Itoa(1000+n), AccountID: "account", CreatedAt: at(n)}
}

func sampleItem(n int) adsync.Item {
	return adsync.Item{
		ID: syncID(n), AccountID: "account", ReferenceID: "ref " + strconv.Itoa(n), AdTemplateType: "vehicle", ContentLanguage: "pt-br", CreatedAt: at(n),
	}
}

func sampleCampaign(n int) adsync.Campaign {
	return adsync.Campaign{
		ID: syncID(n), AccountID: "account", AdAccountID: "act_1", Service: adsync.FacebookAds, State: adsync.Active,
		ReferenceID: "ref " + strconv.Itoa(n), CreatedVia: adsync.ViaAPI, CreatedAt: at(n),
	}
}

func sampleAdSet(n int) adsync.AdSet {
	return adsync.AdSet{
		ID: syncID(n), AccountID: "account", CampaignID: syncID(seeded), AdAccountID: "act_1", Service: adsync.FacebookAds, State: adsync.Active,
		ReferenceID: "ref " + strconv.Itoa(n), CreatedVia: adsync.ViaAPI, CreatedAt: at(n),
	}
}

func sampleSyncAd(n int) adsync.Ad {
	return adsync.Ad{
		ID: syncID(n), AccountID: "account", AdSetID: syncID(seeded), AdAccountID: "act_1", Service: adsync.FacebookAds, State: adsync.Active,
		ReferenceID: "ref " + strconv.Itoa(n), Type: adsync.ExpandedTextAd, Creative: sampleCreative(), DestinationURL: "https://shop.example/",
		CreatedVia: adsync.ViaAPI, CreatedAt: at(n),
	}
}

func sampleCreative() adsync.Creative {
	return adsync.Creative{HeadlinePart1: "one", HeadlinePart2: "two", Description: "three"}
}

func sampleTemplate(n int) adsync.Template {
	return adsync.Template{
		ID: syncID(n), AccountID: "account", AdTemplateType: "type-" + strconv.Itoa(n), AdSetID: syncID(seeded), Type: adsync.ExpandedTextAd,
		Creative: sampleCreative(), DestinationURL: "<link>",
	}
}

func sampleRemote(n int) adsync.Remote {
	return adsync.Remote{AdAccountID: "act_1", RecordID: syncID(n), Kind: adsync.KindAd, RemoteID: strconv.Itoa(n)}
}
