package adsync_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
)

var update = flag.Bool("update", false, "write the golden files")

var uuidForm = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}`)

// golden compares a text with a file; ids are numbered as they come.
func golden(t *testing.T, name, got string) {
	t.Helper()
	seen := map[string]string{}
	got = uuidForm.ReplaceAllStringFunc(got, func(id string) string {
		if seen[id] == "" {
			seen[id] = "ID" + strconv.Itoa(len(seen)+1)
		}
		return seen[id]
	})
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestAPlanReadsLikeADiffAndApplyEmptiesIt(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		plan := func() adsync.Plan {
			t.Helper()
			return must(w.engine.Plan(ctx, "acme", "1234567890"))(t)
		}
		is.True(plan().Empty())
		c, s, a := w.tree()
		kept(w.acme.SaveItem(ctx, vehicle("one")))(t)
		golden(t, "plan_create.txt", plan().String())
		is.Equal(len(w.google.Calls()), 0) // a plan makes no call
		r, err := w.engine.Apply(ctx, "acme", "1234567890")
		is.NoErr(err)
		is.Equal(r, adsync.Report{Leased: 4, Created: 4})
		is.True(plan().Empty())
		is.Equal(plan().Unchanged, 4)

		_, err = w.acme.UpdateCampaign(ctx, c.ID.String(), budgetOf(1500))
		is.NoErr(err)
		_, err = w.acme.UpdateAdSet(ctx, s.ID.String(), adsync.AdSetInput{Title: adsync.Sent("Set"), Bids: adsync.Sent(adsync.Bids{})})
		is.NoErr(err)
		_, err = w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{State: adsync.Sent(adsync.Removed)})
		is.NoErr(err)
		kept(w.acme.SaveCampaign(ctx, campaignAt("1234567890")))(t)
		p := plan()
		golden(t, "plan_change.txt", p.String())
		is.Equal([]int{p.Creates, p.Updates, p.Removes, p.Blocked, p.Unchanged}, []int{0, 2, 1, 1, 1})
		r, err = w.engine.Apply(ctx, "acme", "1234567890")
		is.NoErr(err)
		is.Equal(r, adsync.Report{Leased: 4, Updated: 2, Removed: 1, Parked: 1})
		is.Equal(plan().Blocked, 1)
		is.Equal(plan().Updates+plan().Removes+plan().Creates, 0)

		_, err = w.engine.Plan(ctx, "acme", "act_9")
		is.Equal(problem(err), "not_found")
		_, err = w.engine.Plan(ctx, "bolt", "1234567890") // acme's
		is.Equal(problem(err), "not_found")
	})
}

func budgetOf(amount int64) adsync.CampaignInput {
	in := budgeted("", "Summer")
	c := in.Configuration.Value
	c.DailyBudget.Value.Amount = amount
	return adsync.CampaignInput{Configuration: adsync.Sent(c)}
}

func TestDriftNamesWhatDiffersAndRefreshBringsItBack(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		c, s, a := w.tree()
		w.once()
		drift := func() adsync.DriftReport {
			t.Helper()
			return must(w.engine.Drift(ctx, "acme", "1234567890"))(t)
		}
		is.True(drift().Empty())
		is.Equal(drift().Same, 3)

		w.google.Edit(w.object(c.ID).ID, "name", "Fire sale", "jo@example.com", start.Add(time.Hour))
		w.google.Drop(w.object(a.ID).ID)
		d := drift()
		golden(t, "drift.txt", d.String())
		is.Equal(d.Entries[0].Changes, []adsync.Change{{Field: "name", Before: "Summer", After: "Fire sale"}})
		is.True(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Empty()) // a plan does not ask the service

		refreshed, err := w.engine.Refresh(ctx, "acme", "1234567890")
		is.NoErr(err)
		is.Equal(refreshed, d)
		p := must(w.engine.Plan(ctx, "acme", "1234567890"))(t)
		is.Equal([]int{p.Creates, p.Updates}, []int{1, 1})
		is.Equal(p.Entries[0].Changes, []adsync.Change{{Field: "name", Before: "Fire sale", After: "Summer"}})
		r, err := w.engine.Apply(ctx, "acme", "1234567890")
		is.NoErr(err)
		is.Equal(r, adsync.Report{Leased: 2, Created: 1, Updated: 1})
		is.Equal(w.object(c.ID).Fields["name"], "Summer")
		is.Equal(w.object(a.ID).ParentID, w.object(s.ID).ID)
		is.True(drift().Empty())
		is.True(must(w.engine.Plan(ctx, "acme", "1234567890"))(t).Empty())

		_, err = w.engine.Drift(ctx, "acme", "act_1")
		is.Equal(problem(err), "no_driver")
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		w.tree()
		kept(w.acme.SaveCampaign(ctx, budgeted("1234567890", "refused")))(t)
		jobs := w.jobs("acme")
		checked, err := w.engine.DryRun(ctx, "acme", "1234567890")
		is.NoErr(err)
		var codes []string
		for _, c := range checked {
			code := ""
			if c.Failure != nil {
				code = c.Failure.Code
			}
			codes = append(codes, string(c.Kind)+" "+code)
		}
		is.Equal(codes, []string{"campaign ", "campaign policy", "ad_set not_validated", "ad not_validated"})
		is.Equal(w.jobs("acme"), jobs)
		is.Equal(len(w.google.Objects()), 0)
	})
}

func TestApplyWaitsForWhatTheServiceAsks(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		w.tree()
		failed := false
		w.google.SetFault(func(op adsync.Operation) (f adsynctest.Fault) {
			if op.Kind == adsync.KindAdSet && !failed {
				failed = true
				f.Failure = &adsync.Failure{Code: adsync.CodeRateLimited, Throttled: true, RetryAfter: time.Hour, Unapplied: true}
			}
			return f
		})
		before := w.clock()
		r, err := w.engine.Apply(ctx, "acme", "1234567890")
		is.NoErr(err)
		is.Equal(r, adsync.Report{Leased: 4, Created: 3, Waiting: 1})
		is.Equal(w.clock().Sub(before), time.Hour)
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err = w.engine.Apply(ctx, "acme", "1234567890")
		is.True(err != nil)
	})
}

// A job may become due after a worker found none, and before it looks for the
// next: at one of these paces the first pause ends just then.
func TestApplyLeavesNoJobThatBecameDueMeanwhile(t *testing.T) {
	eachSynced(t, func(t *testing.T, w *synced) {
		is, ctx := is.New(t), t.Context()
		_, s, _ := w.tree()
		for pace := time.Second; pace <= 10*time.Second; pace += time.Second {
			engine, err := adsync.NewEngine(w.store, adsync.EngineOptions{
				Drivers: []adsync.Driver{w.google}, Jitter: func() float64 { return 0 },
				Clock: func() time.Time { w.pass(pace); return w.clock() },
				Wait:  func(ctx context.Context, d time.Duration) error { w.pass(d); return ctx.Err() },
			})
			is.NoErr(err)
			failed := false
			w.google.SetFault(func(adsync.Operation) (f adsynctest.Fault) {
				if !failed {
					failed = true
					f.Failure = &adsync.Failure{Code: adsync.CodeUnavailable, Retryable: true, Unapplied: true}
				}
				return f
			})
			a := kept(w.acme.SaveAd(ctx, textAd(s)))(t)
			_, err = engine.Apply(ctx, "acme", "1234567890")
			is.NoErr(err)
			is.True(failed)
			w.object(a.ID)
		}
	})
}
