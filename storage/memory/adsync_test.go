package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// syncOperation is a step of a unit over the tables of adsync, most of which
// some state or other refuses.
type syncOperation struct {
	name string
	run  func(context.Context, adsync.Tx) error
}

func (o syncOperation) String() string { return o.name }

func drawSyncOperation(t *rapid.T) syncOperation {
	n := func(name string) int { return rapid.IntRange(1, 5).Draw(t, name) }
	a, b, c := n("a"), n("b"), n("c")
	id := func(n int) uuid.UUID { return uuid.UUID{byte(n)} }
	when := epoch.Add(time.Duration(b) * time.Second)
	account := func(n int) string { return fmt.Sprint("account ", n%2) }
	state := adsync.States()[c%3]
	ops := []syncOperation{
		{"account", func(ctx context.Context, tx adsync.Tx) error {
			return tx.SyncAccounts().Put(ctx, adsync.Account{ID: account(a), Name: fmt.Sprint(b), FingerprintKey: [32]byte{1}})
		}},
		{"ad account", func(ctx context.Context, tx adsync.Tx) error {
			return tx.AdAccounts().Put(ctx, adsync.AdAccount{RecordID: id(a), ID: fmt.Sprint("act_", b%2), AccountID: account(a), CreatedAt: when})
		}},
		{"items", func(ctx context.Context, tx adsync.Tx) error {
			item := func(n int) adsync.Item {
				return adsync.Item{
					ID: id(n), AccountID: account(a), ReferenceID: fmt.Sprint("r", c), AdTemplateType: fmt.Sprint("t", b), ContentLanguage: "pt-br",
					Fingerprint: fmt.Sprint("f", b), CreatedAt: when, Images: []adsync.Image{{URL: "http://a.example/", Order: a}},
				}
			}
			other := item(b)
			other.ReferenceID = ""
			return tx.InventoryItems().Put(ctx, item(a), other)
		}},
		{"campaign", func(ctx context.Context, tx adsync.Tx) error {
			return tx.SyncCampaigns().Put(ctx, adsync.Campaign{
				ID: id(a), AccountID: account(a), AdAccountID: fmt.Sprint("act_", b%2), Service: adsync.FacebookAds, State: state,
				ReferenceID: fmt.Sprint("r", b), CreatedVia: adsync.ViaAPI, CreatedAt: when,
			})
		}},
		{"ad set", func(ctx context.Context, tx adsync.Tx) error {
			return tx.AdSets().Put(ctx, adsync.AdSet{
				ID: id(a), AccountID: account(a), CampaignID: id(b), AdAccountID: "act_1", Service: adsync.FacebookAds, State: state,
				ReferenceID: fmt.Sprint("r", b), CreatedVia: adsync.ViaAPI, CreatedAt: when,
			})
		}},
		{"ad", func(ctx context.Context, tx adsync.Tx) error {
			return tx.Ads().Put(ctx, adsync.Ad{
				ID: id(a), AccountID: account(a), AdSetID: id(b), AdAccountID: "act_1", Service: adsync.FacebookAds, State: state, ReferenceID: fmt.Sprint("r", b),
				Type: adsync.ExpandedTextAd, Creative: adsync.Creative{HeadlinePart1: "a", HeadlinePart2: "b", Description: "c"}, DestinationURL: "http://a.example/",
				ItemID: id(b), TemplateID: id(c), CreatedVia: adsync.ViaAPI, CreatedAt: when,
			})
		}},
		{"template", func(ctx context.Context, tx adsync.Tx) error {
			return tx.AdTemplates().Put(ctx, adsync.Template{
				ID: id(a), AccountID: account(a), AdTemplateType: fmt.Sprint("t", c), AdSetID: id(b), Type: adsync.ExpandedTextAd,
				Creative: adsync.Creative{HeadlinePart1: "a", HeadlinePart2: "b", Description: "c"}, DestinationURL: "<link>",
			})
		}},
		{"no template", func(ctx context.Context, tx adsync.Tx) error {
			return tx.AdTemplates().Delete(ctx, []uuid.UUID{id(a), id(b)})
		}},
		{"enqueue", func(ctx context.Context, tx adsync.Tx) error {
			job := func(n int) adsync.Job {
				return adsync.Job{AccountID: account(a), AdAccountID: "act_1", Kind: adsync.KindAd, RecordID: id(n), ParentID: id(c)}
			}
			return tx.SyncJobs().Enqueue(ctx, when, job(a), job(b))
		}},
		{"lease", func(ctx context.Context, tx adsync.Tx) error {
			return dropValue(tx.SyncJobs().Lease(ctx, adsync.Lease{Token: fmt.Sprint(c), Now: when, Until: when.Add(time.Second), Limit: 2}))
		}},
		{"settle", func(ctx context.Context, tx adsync.Tx) error {
			return dropValue(tx.SyncJobs().Settle(ctx, when, adsync.Outcome{JobID: int64(a), Token: fmt.Sprint(c), Version: int64(b), State: []adsync.JobState{"", adsync.JobQueued, adsync.JobParked}[c%3], Reason: "r", DueAt: when}))
		}},
		{"requeue", func(ctx context.Context, tx adsync.Tx) error {
			return dropValue(tx.SyncJobs().Requeue(ctx, when, []int64{int64(a), int64(b)}))
		}},
		{"remote", func(ctx context.Context, tx adsync.Tx) error {
			return tx.Remotes().Put(ctx, adsync.Remote{AdAccountID: "act_1", RecordID: id(a), Kind: adsync.KindAd, RemoteID: fmt.Sprint(b)})
		}},
		{"no remote", func(ctx context.Context, tx adsync.Tx) error {
			return tx.Remotes().Delete(ctx, "act_1", []uuid.UUID{id(a), id(b)})
		}},
	}
	return rapid.SampledFrom(ops).Draw(t, "operation")
}

// synced is a store with what the drawn operations refer to.
func synced(t *rapid.T) *DB {
	db := New()
	err := db.AdSync().Write(context.Background(), func(ctx context.Context, tx adsync.Tx) error {
		for n := range 2 {
			account := fmt.Sprint("account ", n)
			err := errors.Join(
				tx.SyncAccounts().Put(ctx, adsync.Account{ID: account, FingerprintKey: [32]byte{1}}),
				tx.AdAccounts().Put(ctx, adsync.AdAccount{RecordID: uuid.UUID{byte(90 + n)}, ID: "act_1", AccountID: account, CreatedAt: epoch}),
				tx.SyncCampaigns().Put(ctx, adsync.Campaign{
					ID: uuid.UUID{byte(n + 1)}, AccountID: account, AdAccountID: "act_1", Service: adsync.FacebookAds, State: adsync.Active, CreatedVia: adsync.ViaAPI, CreatedAt: epoch,
				}),
				tx.AdSets().Put(ctx, adsync.AdSet{
					ID: uuid.UUID{byte(n + 1)}, AccountID: account, CampaignID: uuid.UUID{byte(n + 1)}, AdAccountID: "act_1", Service: adsync.FacebookAds,
					State: adsync.Active, CreatedVia: adsync.ViaAPI, CreatedAt: epoch,
				}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRolledBackUnitsOfAdSyncLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leavesNoTrace(t, synced(t), synced(t), func(db *DB) affiliate.Store[adsync.Tx] { return db.AdSync() }, drawSyncOperation,
			func(ctx context.Context, tx adsync.Tx, op syncOperation) error { return op.run(ctx, tx) })
	})
}
