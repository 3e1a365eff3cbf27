package adsync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// synced is a world with an engine whose services are in memory.
type synced struct {
	*world
	store  adsync.Store
	engine *adsync.Engine
	google *adsynctest.Driver
}

// eachSynced runs a test with an engine over every backend. Waiting moves the clock.
func eachSynced(t *testing.T, test func(t *testing.T, w *synced)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := &synced{world: newWorld(t, b), store: b.AdSync, google: adsynctest.NewDriver(adsync.GoogleAds)}
		w.engine = w.another(b.AdSync)
		test(t, w)
	})
}

// another is one more engine over the same services.
func (w *synced) another(store adsync.Store) *adsync.Engine {
	w.t.Helper()
	e, err := adsync.NewEngine(store, adsync.EngineOptions{
		Drivers: []adsync.Driver{w.google}, Clock: w.clock, Attempts: 3, Jitter: func() float64 { return 0 },
		Wait: func(ctx context.Context, d time.Duration) error { w.pass(d); return ctx.Err() },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func budgeted(adAccount, title string) adsync.CampaignInput {
	in := campaignAt(adAccount)
	in.Title = adsync.Sent(title)
	in.Configuration = adsync.Sent(adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299})})
	return in
}

// tree is a campaign with a budget, an ad set and an ad of acme, at Google.
func (w *synced) tree() (adsync.Campaign, adsync.AdSet, adsync.Ad) {
	w.t.Helper()
	ctx := w.t.Context()
	c := kept(w.acme.SaveCampaign(ctx, budgeted("1234567890", "Summer")))(w.t)
	s := kept(w.acme.SaveAdSet(ctx, adSetIn(c)))(w.t)
	return c, s, kept(w.acme.SaveAd(ctx, textAd(s)))(w.t)
}

func (w *synced) once() adsync.Report {
	w.t.Helper()
	return must(w.engine.RunOnce(w.t.Context()))(w.t)
}

// calls are the operations since the last call of it: "create campaign".
func (w *synced) calls(since int) string {
	var out []string
	for _, op := range w.google.Calls()[since:] {
		out = append(out, fmt.Sprintf("%s %s", op.Action, op.Kind))
	}
	return strings.Join(out, ", ")
}

func (w *synced) object(id uuid.UUID) adsynctest.Object {
	w.t.Helper()
	var found []adsynctest.Object
	for _, o := range w.google.Objects() {
		if o.Marker == adsync.Marker(id) {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%d objects of record %s, want one", len(found), id)
	}
	return found[0]
}

func (w *synced) parked() string {
	w.t.Helper()
	p := must(w.operator.Jobs(w.t.Context(), adsync.JobFilter{State: adsync.JobParked}, affiliate.PageRequest{Number: 1, Size: 100}))(w.t)
	var out []string
	for _, j := range p.Items {
		out = append(out, string(j.Kind)+" "+j.Reason)
	}
	return strings.Join(out, ", ")
}

func TestParentsComeBeforeChildrenAndChangesFollow(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		c, s, a := w.tree()
		r := w.once()
		is.Equal(w.calls(0), "create campaign, create ad_set, create ad")
		is.Equal(r, adsync.Report{Leased: 3, Created: 3})
		is.Equal(w.object(a.ID).ParentID, w.object(s.ID).ID)
		is.Equal(w.object(s.ID).ParentID, w.object(c.ID).ID)
		is.Equal(w.jobs("acme"), "")

		_, err := w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{Title: adsync.Sent("Winter")})
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 1, Updated: 1})
		update := w.google.Calls()[3]
		is.Equal(update.Changes, []adsync.Change{{Field: "name", Before: "Summer", After: "Winter"}}) // what changed alone
		is.Equal(w.object(c.ID).Fields["name"], "Winter")

		_, err = w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{ReferenceID: adsync.Sent("ours")})
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 1, Unchanged: 1}) // a change that the service does not see

		_, err = w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Removed)})
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 3, Removed: 3})
		is.Equal(w.calls(4), "remove campaign, remove ad_set, remove ad")
		is.Equal(len(w.google.Objects()), 0)
		is.Equal(w.engine.Totals(), adsync.Report{Leased: 8, Created: 3, Updated: 1, Unchanged: 1, Removed: 3})
	})
}

func TestACreateOfUnknownResultIsLookedUp(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is := is.New(t)
		c := kept(w.acme.SaveCampaign(t.Context(), budgeted("1234567890", "Summer")))(t)
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault {
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodeUnknownResult, Retryable: true}, Applied: true}
		})
		is.Equal(w.once(), adsync.Report{Leased: 1, Retried: 1})
		w.google.SetFault(nil)
		w.pass(time.Hour)
		is.Equal(w.once(), adsync.Report{Leased: 1, Created: 1})
		is.True(!w.google.Calls()[0].Repeated)
		is.True(w.google.Calls()[1].Repeated)
		is.Equal(w.object(c.ID).Fields["name"], "Summer") // once

		// The same of an update: the record goes back to what it was, and the
		// service must too.
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault {
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodeUnknownResult, Retryable: true}, Applied: true}
		})
		for _, title := range []string{"Winter", "Summer"} {
			_, err := w.acme.UpdateCampaign(t.Context(), c.ID.String(), adsync.CampaignInput{Title: adsync.Sent(title)})
			is.NoErr(err)
			if title == "Winter" {
				w.once()
				w.google.SetFault(nil)
			}
		}
		is.Equal(w.once(), adsync.Report{Leased: 1, Updated: 1})
		is.Equal(w.object(c.ID).Fields["name"], "Summer")
	})
}

func TestRefusedOperationsLeaveNoTrace(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is := is.New(t)
		kept(w.acme.SaveCampaign(t.Context(), budgeted("1234567890", "Summer")))(t)
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault {
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodePolicy, Field: "name", Detail: "No \x00\xff.", Unapplied: true, RequestID: "r1"}}
		})
		is.Equal(w.once(), adsync.Report{Leased: 1, Parked: 1})
		is.Equal(w.parked(), "campaign policy")
		jobs := must(w.operator.Jobs(t.Context(), adsync.JobFilter{Reason: "policy"}, affiliate.PageRequest{Number: 1, Size: 9}))(t)
		is.Equal(jobs.Items[0].Detail, "name: No \uFFFD. (request r1)")

		w.google.SetFault(nil)
		n, err := w.operator.RequeueJobs(t.Context(), []int64{jobs.Items[0].ID})
		is.NoErr(err)
		is.Equal(n, 1)
		is.Equal(w.once(), adsync.Report{Leased: 1, Created: 1})
		is.True(!w.google.Calls()[1].Repeated) // it was surely not applied: nothing to look for
	})
}

func TestFailuresAreTriedAgainAndThenPark(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is := is.New(t)
		kept(w.acme.SaveCampaign(t.Context(), budgeted("1234567890", "Summer")))(t)
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault {
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodeUnavailable, Retryable: true}}
		})
		is.Equal(w.once(), adsync.Report{Leased: 1, Retried: 1})
		is.Equal(w.once(), adsync.Report{})
		w.pass(4999 * time.Millisecond)
		is.Equal(w.once(), adsync.Report{}) // half of MinBackoff, without jitter
		w.pass(time.Millisecond)
		is.Equal(w.once(), adsync.Report{Leased: 1, Retried: 1})
		w.pass(9 * time.Second)
		is.Equal(w.once(), adsync.Report{}) // twice as long
		w.pass(time.Second)
		is.Equal(w.once(), adsync.Report{Leased: 1, Parked: 1})
		is.Equal(w.parked(), "campaign unavailable")
		p, err := w.engine.Progress(t.Context(), "acme", "1234567890")
		is.NoErr(err)
		is.Equal(p, adsync.Progress{Parked: 1})
	})
}

func TestAThrottledAdAccountWaitsWithoutAttempts(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is := is.New(t)
		kept(w.acme.SaveCampaign(t.Context(), budgeted("1234567890", "Summer")))(t)
		stop := true
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault {
			if !stop {
				return adsynctest.Fault{}
			}
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodeRateLimited, Throttled: true, Retryable: true, RetryAfter: time.Minute, Unapplied: true}}
		})
		for range 5 { // more often than Attempts
			is.Equal(w.once(), adsync.Report{Leased: 1, Waiting: 1})
			is.Equal(w.once(), adsync.Report{})
			w.pass(time.Minute)
		}
		w.once()
		other := kept(w.acme.SaveCampaign(t.Context(), budgeted("1234567890", "Another")))(t)
		is.Equal(w.once(), adsync.Report{}) // the other records of the ad account wait too
		stop = false
		w.pass(time.Minute)
		is.Equal(w.once(), adsync.Report{Leased: 2, Created: 2})
		is.Equal(w.object(other.ID).Fields["name"], "Another")
		is.Equal(w.jobs("acme"), "")
		is.Equal(w.parked(), "")
	})
}

func TestWhatIsMissingBlocksActiveRecordsAlone(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		c := kept(w.acme.SaveCampaign(ctx, campaignAt("1234567890")))(t) // without a budget
		s := kept(w.acme.SaveAdSet(ctx, adSetIn(c)))(t)
		is.Equal(w.once(), adsync.Report{Leased: 1, Parked: 1})
		is.Equal(w.parked(), "campaign budget_required")

		_, err := w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Paused)})
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 2, Unchanged: 1, Waiting: 1}) // nothing to do, until it is active
		is.Equal(len(w.google.Calls()), 0)
		is.Equal(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Blocked, 1) // the ad set

		in := budgeted("1234567890", "Summer")
		in.AdAccount = ""
		_, err = w.acme.UpdateCampaign(ctx, c.ID.String(), in)
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 2, Created: 2}) // the ad set is woken by its campaign
		is.Equal(w.object(s.ID).ParentID, w.object(c.ID).ID)

		// Without its budget it still can be paused.
		_, err = w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Paused), Configuration: adsync.Null[adsync.Configuration]()})
		is.NoErr(err)
		is.Equal(w.once(), adsync.Report{Leased: 1, Updated: 1})
		is.Equal(w.object(c.ID).Fields["state"], "paused")
		is.Equal(w.object(c.ID).Fields["budget"], "1299")
		is.True(must(w.engine.Drift(ctx, "acme", "1234567890"))(t).Empty()) // the budget there is known, not strange
		is.True(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Updates == 0)
	})
}

func TestAsynchronousJobsAreAskedFor(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		i := kept(w.acme.SaveItem(ctx, vehicle("one")))(t)
		w.google.SetFault(func(adsync.Operation) adsynctest.Fault { return adsynctest.Fault{Works: true} })
		is.Equal(w.once(), adsync.Report{Leased: 1, Pending: 1})
		is.True(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Empty())

		// The item changes while the service works on it: it is sent again then.
		in := vehicle("one")
		in.Title = adsync.Sent("Another title")
		kept(w.acme.SaveItem(ctx, in))(t)
		w.google.SetFault(nil)
		w.pass(time.Second)
		is.Equal(w.once(), adsync.Report{Leased: 2, Created: 1, Updated: 1})
		is.Equal(w.calls(0), "create item, create item, update item")
		is.Equal(w.object(i.ID).Fields["title"], "Another title")
		is.Equal(w.jobs("acme"), "")
	})
}

func TestAWorkerThatLostItsLeaseSaysNothing(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		c := kept(w.acme.SaveCampaign(ctx, budgeted("1234567890", "Summer")))(t)
		var second adsync.Report
		w.google.SetFault(func(op adsync.Operation) adsynctest.Fault {
			if op.Repeated {
				return adsynctest.Fault{}
			}
			w.pass(6 * time.Minute) // past the lease: another worker takes the job
			second = must(w.another(w.store).RunOnce(ctx))(t)
			return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodePolicy, Unapplied: true}}
		})
		is.Equal(w.once(), adsync.Report{Leased: 1, Lost: 1})
		is.Equal(second, adsync.Report{Leased: 1, Created: 1})
		is.Equal(w.object(c.ID).Fields["name"], "Summer")
		is.Equal(w.parked(), "")
		is.True(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Empty())
	})
}

func TestDisconnectedAndTestAccountsAreNotSynced(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		kept(w.acme.SaveCampaign(ctx, budgeted("1234567890", "Summer")))(t)
		kept(w.acme.SaveCampaign(ctx, budgeted("act_1", "Social")))(t)
		kept(w.tester.SaveCampaign(ctx, budgeted("act_1", "Test")))(t)
		is.NoErr(w.operator.ForAccount("acme").DisconnectAdAccount(ctx, "1234567890"))
		is.Equal(w.once(), adsync.Report{Leased: 2, Parked: 2})
		is.Equal(w.parked(), "campaign ad_account_disconnected, campaign no_driver")
		is.Equal(len(w.google.Calls()), 0)
		w.connect("acme", adsync.AdAccountInput{ID: "1234567890", Name: "Search"})
		is.Equal(w.once(), adsync.Report{Leased: 1, Created: 1})
		is.Equal(must(w.engine.Plan(ctx, "test", "act_1"))(t), adsync.Plan{AccountID: "test", AdAccountID: "act_1", Unchanged: 1})
	})
}

func TestRunGoesOnUntilItsContextEnds(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is := is.New(t)
		w.tree()
		ctx, cancel := context.WithCancel(t.Context())
		var seen []error
		e, err := adsync.NewEngine(brokenStore{}, adsync.EngineOptions{
			Failed: func(err error) { seen = append(seen, err) },
			Wait: func(ctx context.Context, d time.Duration) error {
				if len(seen) == 3 {
					cancel()
				}
				return ctx.Err()
			},
		})
		is.NoErr(err)
		is.NoErr(e.Run(ctx)) // a store that fails does not end it
		is.Equal(len(seen), 3)
		is.True(errors.Is(seen[0], affiliate.ErrUnavailable))
	})
}

type brokenStore struct{ adsync.Store }

func (brokenStore) Work(context.Context, func(context.Context, adsync.Tx) error) error {
	return affiliate.Unavailable(errors.New("down"))
}

func TestEnginesOfWrongOptionsAreRefused(t *testing.T) {
	is := is.New(t)
	driver := adsynctest.NewDriver(adsync.GoogleAds)
	for _, o := range []adsync.EngineOptions{
		{Drivers: []adsync.Driver{nil}},
		{Drivers: []adsync.Driver{driver, driver}},
		{Batch: adsync.MaxLease + 1},
		{Attempts: -1},
		{MinBackoff: time.Hour, MaxBackoff: time.Minute},
	} {
		_, err := adsync.NewEngine(brokenStore{}, o)
		is.True(err != nil)
	}
	_, err := adsync.NewEngine(nil, adsync.EngineOptions{})
	is.True(err != nil)
	is.True(slices.Equal(adsync.Diff(adsync.Fields{"a": "1", "b": ""}, adsync.Fields{"a": "1"}), nil))
}
