package storagetest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

func testJobList(t *testing.T, s adsync.Store) {
	type F = adsync.JobFilter
	job := func(n int, account, adAccount string, kind adsync.Kind) adsync.Job {
		return adsync.Job{AccountID: account, AdAccountID: adAccount, Kind: kind, RecordID: syncID(n)}
	}
	enqueue(t, s, 9, job(1, "account", "act_1", adsync.KindAd))
	enqueue(t, s, 3, job(2, "other", "act_1", adsync.KindItem))
	enqueue(t, s, 7, job(3, "account", "act_2", adsync.KindAd), job(4, "account", "act_1", adsync.KindCampaign))
	l := sampleLease(8)
	l.Except = []string{"act_2"}
	held := lease(t, s, l)
	park := outcomeOf(held[0], adsync.JobParked)
	park.Reason = "policy"
	settle(t, s, 8, park)
	listing[syncTx, adsync.Job, F]{
		items: allJobs(t, s),
		label: func(j adsync.Job) string { r := records([]adsync.Job{j}); return r[:len(r)-1] },
		list: func(ctx context.Context, tx syncTx, f F, p affiliate.PageRequest) (affiliate.Page[adsync.Job], error) {
			return tx.SyncJobs().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "1 3 4"},
			{F{AccountID: "a\x00"}, ""},
			{F{AdAccountID: "act_1"}, "1 2 4"},
			{F{Kind: adsync.KindAd}, "1 3"},
			{F{State: adsync.JobQueued}, "1 3"},
			{F{State: adsync.JobLeased}, "4"},
			{F{Reason: "policy"}, "2"},
		},
		columns: map[string]func(a, b adsync.Job) int{
			"due_at": func(a, b adsync.Job) int { return a.DueAt.Compare(b.DueAt) },
		},
	}.check(t, s)
}

func testJobsBehind(t *testing.T, s adsync.Store) {
	elsewhere, foreign := sampleJob(2), sampleJob(4)
	elsewhere.AdAccountID, foreign.AccountID = "act_2", "other"
	enqueue(t, s, 9, sampleJob(1), elsewhere, sampleJob(3), foreign)
	enqueue(t, s, 5, sampleJob(5))
	enqueue(t, s, 20, sampleJob(6), sampleJob(1)) // changes no id
	jobs := allJobs(t, s)
	behind := func(f adsync.JobFilter, id int64, limit int) string {
		return records(see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Job, error) {
			return tx.SyncJobs().After(ctx, f, id, limit)
		}))
	}
	of := adsync.JobFilter{AccountID: "account", AdAccountID: "act_1"}
	equal(t, "the first", behind(of, 0, 2), "1 3 ")
	equal(t, "the next", behind(of, jobs[2].ID, 2), "5 6 ")
	equal(t, "behind the last", behind(of, jobs[5].ID, 2), "")
	equal(t, "behind any id", behind(of, math.MaxInt64, 2)+behind(of, nowhere, 2), "")
	equal(t, "before any id", behind(of, -7, 1), "1 ")
	equal(t, "none", behind(of, 0, 0), "")
	equal(t, "all", behind(adsync.JobFilter{}, 0, 9), "1 2 3 4 5 6 ")
	equal(t, "of nobody", behind(adsync.JobFilter{AccountID: "a\x00"}, 0, 9), "")
	settle(t, s, 6, outcomeOf(lease(t, s, sampleLease(5))[0], ""))
	equal(t, "one is gone", behind(of, jobs[0].ID, 9), "3 6 ")
	equal(t, "by state", behind(adsync.JobFilter{State: adsync.JobLeased}, 0, 9), "")
	found := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Job, error) {
		return tx.SyncJobs().After(ctx, of, jobs[0].ID, 1)
	})
	equal(t, "the job", found, jobs[2:3])
}

func testNextDue(t *testing.T, s adsync.Store) {
	next := func(adAccount string, behind time.Time) time.Time {
		return see(t, s, func(ctx context.Context, tx syncTx) (time.Time, error) {
			return tx.SyncJobs().NextDue(ctx, "account", adAccount, behind)
		})
	}
	equal(t, "without jobs", next("act_1", time.Time{}), time.Time{})
	foreign, elsewhere := sampleJob(8), sampleJob(9)
	foreign.AccountID, elsewhere.AdAccountID = "other", "act_2"
	enqueue(t, s, 1, foreign, elsewhere)
	enqueue(t, s, 4, sampleJob(1), sampleJob(2))
	enqueue(t, s, 3, sampleJob(3))
	equal(t, "the first", next("act_1", time.Time{}), at(3))
	equal(t, "behind it", next("act_1", at(3)), at(4))
	equal(t, "just before it", next("act_1", at(3).Add(-time.Microsecond)), at(3))
	equal(t, "behind all", next("act_1", at(4)), time.Time{})
	equal(t, "of nobody", next("a\x00", time.Time{}), time.Time{})

	l := sampleLease(5)
	l.AdAccountID = "act_1"
	held := lease(t, s, l)
	equal(t, "leased", records(held), "8 3 1 2 ")
	equal(t, "the end of the lease", next("act_1", at(5)), at(65))
	waits, parked, again := outcomeOf(held[1], adsync.JobQueued), outcomeOf(held[2], adsync.JobParked), outcomeOf(held[3], adsync.JobQueued)
	waits.DueAt, waits.Reason = at(10), adsync.ReasonParentNotSynced
	parked.Reason = "policy"
	again.DueAt, again.Reason = at(20), "rate_limited"
	equal(t, "settled", settle(t, s, 6, outcomeOf(held[0], ""), waits, parked, again), 4)
	equal(t, "neither parked nor without its parent", next("act_1", at(5)), at(20))
}
