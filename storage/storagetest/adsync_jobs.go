package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

func jobScenarios() []scenario[adsync.Store] {
	return []scenario[adsync.Store]{
		{"jobs/a record has one job for an ad account", testEnqueue},
		{"jobs/what is invalid is refused without a trace", testJobsRefused},
		{"jobs/lease in order, with limits and exceptions", testLease},
		{"jobs/parents before children", testParents},
		{"jobs/a lease that ended is leased again", testLeaseEnds},
		{"jobs/done, tried again, parked, queued again", testSettle},
		{"jobs/an uncounted outcome is no attempt", testUncounted},
		{"jobs/a change during a lease is not lost", testChangeDuringLease},
		{"jobs/list", testJobList},
		{"jobs/walk behind an id", testJobsBehind},
		{"jobs/when the next one is due", testNextDue},
		{"jobs/children wake when their parent comes", testWake},
		{"jobs/a unit that is undone leaves no lease", testJobsUndone},
		{"jobs/workers at once never have one record twice", testJobWorkers},
	}
}

func sampleJob(n int) adsync.Job {
	return adsync.Job{AccountID: "account", AdAccountID: "act_1", Kind: adsync.KindAd, RecordID: syncID(n)}
}

func sampleLease(now int) adsync.Lease {
	return adsync.Lease{Token: "token " + strconv.Itoa(now), Now: finer(at(now)), Until: finer(at(now + 60)), Limit: 100}
}

func enqueue(t *testing.T, s adsync.Store, when int, jobs ...adsync.Job) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return tx.SyncJobs().Enqueue(ctx, finer(at(when)), jobs...)
	})
}

// allJobs are the jobs as they are, by id.
func allJobs(t *testing.T, s adsync.Store) []adsync.Job {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Job, error) {
		p, err := tx.SyncJobs().List(ctx, adsync.JobFilter{}, affiliate.PageRequest{Number: 1, Size: 1000})
		return p.Items, err
	})
}

// work is the value that a Work of one call returns.
func work[V any](t *testing.T, s adsync.Store, fn func(ctx context.Context, tx syncTx) (V, error)) V {
	t.Helper()
	var v V
	if err := s.Work(t.Context(), func(ctx context.Context, tx syncTx) (err error) {
		v, err = fn(ctx, tx)
		return err
	}); err != nil {
		t.Fatalf("Work: %v", err)
	}
	return v
}

func lease(t *testing.T, s adsync.Store, l adsync.Lease) []adsync.Job {
	t.Helper()
	return work(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Job, error) { return tx.SyncJobs().Lease(ctx, l) })
}

func settle(t *testing.T, s adsync.Store, when int, outcomes ...adsync.Outcome) int {
	t.Helper()
	outcomes = slices.Clone(outcomes)
	for i, o := range outcomes {
		if !o.DueAt.IsZero() {
			outcomes[i].DueAt = finer(o.DueAt)
		}
	}
	return work(t, s, func(ctx context.Context, tx syncTx) (int, error) {
		return tx.SyncJobs().Settle(ctx, finer(at(when)), outcomes...)
	})
}

func outcomeOf(j adsync.Job, state adsync.JobState) adsync.Outcome {
	return adsync.Outcome{JobID: j.ID, Token: j.Token, Version: j.Version, State: state}
}

// records are the numbers of the jobs' records, as given to sampleJob.
func records(jobs []adsync.Job) string {
	out := ""
	for _, j := range jobs {
		for n := range 200 {
			if j.RecordID == syncID(n) {
				out += strconv.Itoa(n) + " "
			}
		}
	}
	return out
}

func testEnqueue(t *testing.T, s adsync.Store) {
	child := sampleJob(2)
	child.ParentID, child.Kind, child.AccountID = syncID(1), adsync.KindAdSet, "other"
	elsewhere := sampleJob(1)
	elsewhere.AdAccountID = "1234567890"
	ignored := sampleJob(1)
	ignored.ID, ignored.Version, ignored.State, ignored.Attempts, ignored.Token, ignored.Reason = 77, 5, adsync.JobParked, 3, "x", "y"
	enqueue(t, s, 1)
	enqueue(t, s, 1, ignored, child, elsewhere)
	want := func(id int64, j adsync.Job, version int64, when int) adsync.Job {
		j.ID, j.Version, j.State, j.DueAt, j.QueuedAt, j.Attempts, j.Token, j.Reason = id, version, adsync.JobQueued, at(when), at(when), 0, "", ""
		return j
	}
	jobs := allJobs(t, s)
	if len(jobs) != 3 || jobs[0].ID <= 0 || jobs[0].ID >= jobs[1].ID || jobs[1].ID >= jobs[2].ID {
		t.Fatalf("got %+v, want three jobs in order", jobs)
	}
	a, b, c := jobs[0].ID, jobs[1].ID, jobs[2].ID
	equal(t, "queued", jobs, []adsync.Job{want(a, sampleJob(1), 1, 1), want(b, child, 1, 1), want(c, elsewhere, 1, 1)})
	changed := sampleJob(2)
	enqueue(t, s, 2, sampleJob(1), sampleJob(1), changed)
	equal(t, "queued again", allJobs(t, s), []adsync.Job{want(a, sampleJob(1), 2, 2), want(b, changed, 2, 2), want(c, elsewhere, 1, 1)})
	many := func(ids ...int64) []adsync.Job {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Job, error) { return tx.SyncJobs().GetMany(ctx, ids) })
	}
	equal(t, "get many", many(c, nowhere, a, 0, -1, c, math.MaxInt64), []adsync.Job{want(a, sampleJob(1), 2, 2), want(c, elsewhere, 1, 1)})
	equal(t, "get none", many(), []adsync.Job(nil))
}

func testJobsRefused(t *testing.T, s adsync.Store) {
	for field, spoil := range map[string]func(*adsync.Job){
		"account_id":    func(j *adsync.Job) { j.AccountID = "" },
		"ad_account_id": func(j *adsync.Job) { j.AdAccountID = "" },
		"record_id":     func(j *adsync.Job) { j.RecordID = uuid.Nil },
	} {
		bad := sampleJob(2)
		spoil(&bad)
		refused(t, s, invalid(field, "required"), func(ctx context.Context, tx syncTx) error {
			return tx.SyncJobs().Enqueue(ctx, at(1), sampleJob(1), bad)
		})
	}
	bad := sampleJob(2)
	bad.Kind = "link"
	refused(t, s, invalid("kind", "invalid"), func(ctx context.Context, tx syncTx) error { return tx.SyncJobs().Enqueue(ctx, at(1), bad) })
	bad = sampleJob(2)
	bad.AccountID = "a\x00"
	refused(t, s, invalid("account_id", "nul"), func(ctx context.Context, tx syncTx) error { return tx.SyncJobs().Enqueue(ctx, at(1), bad) })
	equal(t, "jobs", allJobs(t, s), []adsync.Job(nil))

	enqueue(t, s, 1, sampleJob(1))
	for _, c := range []struct {
		want  failure
		spoil func(*adsync.Lease)
	}{
		{invalid("token", "required"), func(l *adsync.Lease) { l.Token = "" }},
		{invalid("token", "nul"), func(l *adsync.Lease) { l.Token = "\x00" }},
		{invalid("until", "invalid"), func(l *adsync.Lease) { l.Until = l.Now }},
		{invalid("ad_account_id", "nul"), func(l *adsync.Lease) { l.AdAccountID = "\x00" }},
		{invalid("limit", "out_of_range"), func(l *adsync.Lease) { l.Limit = 0 }},
		{invalid("limit", "out_of_range"), func(l *adsync.Lease) { l.Limit = adsync.MaxLease + 1 }},
	} {
		l := sampleLease(2)
		c.spoil(&l)
		refused(t, s, c.want, func(ctx context.Context, tx syncTx) error { return second(tx.SyncJobs().Lease(ctx, l)) })
	}
	held := lease(t, s, sampleLease(2))
	for _, c := range []struct {
		want  failure
		spoil func(*adsync.Outcome)
	}{
		{invalid("token", "required"), func(o *adsync.Outcome) { o.Token = "" }},
		{invalid("state", "invalid"), func(o *adsync.Outcome) { o.State = adsync.JobLeased }},
		{invalid("reason", "required"), func(o *adsync.Outcome) { o.State = adsync.JobParked }},
		{invalid("reason", "too_long"), func(o *adsync.Outcome) { o.Reason = fmt.Sprintf("%065d", 1) }},
		{invalid("detail", "invalid_utf8"), func(o *adsync.Outcome) { o.Detail = "\xff" }},
	} {
		o := outcomeOf(held[0], "")
		c.spoil(&o)
		refused(t, s, c.want, func(ctx context.Context, tx syncTx) error { return second(tx.SyncJobs().Settle(ctx, at(3), o)) })
	}
	equal(t, "the job", allJobs(t, s), held)
}

func testLease(t *testing.T, s adsync.Store) {
	elsewhere := sampleJob(3)
	elsewhere.AdAccountID = "act_2"
	enqueue(t, s, 5, sampleJob(1), sampleJob(2))
	enqueue(t, s, 4, elsewhere, sampleJob(4))
	enqueue(t, s, 9, sampleJob(5))
	equal(t, "before they are due", lease(t, s, sampleLease(3)), []adsync.Job(nil))
	l := sampleLease(8)
	l.Limit, l.Except = 2, []string{"act_2", "a\x00"}
	first := lease(t, s, l)
	equal(t, "two", records(first), "4 1 ")
	for n, j := range first {
		want := sampleJob([]int{4, 1}[n])
		want.ID, want.Version, want.State, want.Attempts, want.DueAt, want.Token, want.QueuedAt = j.ID, 1, adsync.JobLeased, 1, at(68), l.Token, at([]int{4, 5}[n])
		equal(t, "leased", j, want)
	}
	l.Token = "next"
	equal(t, "the next", records(lease(t, s, l)), "2 ")
	l.Token, l.Except, l.AdAccountID = "act_1 alone", nil, "act_1"
	equal(t, "of another ad account alone", records(lease(t, s, l)), "")
	l.Token, l.AdAccountID = "act_2 alone", "act_2"
	equal(t, "of one ad account alone", records(lease(t, s, l)), "3 ")
	l.Token = "more"
	equal(t, "no more", lease(t, s, l), []adsync.Job(nil))
}

func testParents(t *testing.T, s adsync.Store) {
	job := func(n, parent int, kind adsync.Kind) adsync.Job {
		j := sampleJob(n)
		j.Kind = kind
		if parent > 0 {
			j.ParentID = syncID(parent)
		}
		return j
	}
	elsewhere := job(4, 1, adsync.KindAdSet)
	elsewhere.AdAccountID = "act_2" // where the parent has no job
	enqueue(t, s, 1, job(3, 2, adsync.KindAd), job(2, 1, adsync.KindAdSet), job(1, 0, adsync.KindCampaign), elsewhere, job(5, 99, adsync.KindAd))
	step := func(when int, want string, settled adsync.JobState) {
		t.Helper()
		held := lease(t, s, sampleLease(when))
		equal(t, "leased", records(held), want)
		for _, j := range held {
			o := outcomeOf(j, settled)
			if settled != "" {
				o.Reason, o.DueAt = "waits", at(when)
			}
			equal(t, "held", settle(t, s, when, o), 1)
		}
	}
	step(2, "1 4 5 ", "") // its own job, one whose parent is in step, one whose parent has none
	step(3, "2 ", adsync.JobParked)
	step(4, "", "") // a parked parent stops its children
	parked := allJobs(t, s)
	equal(t, "queued again", work(t, s, func(ctx context.Context, tx syncTx) (int, error) {
		return tx.SyncJobs().Requeue(ctx, finer(at(5)), []int64{parked[0].ID, parked[1].ID, nowhere})
	}), 1)
	for i, j := range allJobs(t, s) {
		if parked[i].State == adsync.JobParked {
			equal(t, "due", j.DueAt, at(5))
		}
	}
	step(6, "2 ", "")
	enqueue(t, s, 6, job(2, 1, adsync.KindAdSet)) // the parent changed again
	step(7, "2 ", "")
	step(8, "3 ", "")
	equal(t, "left", allJobs(t, s), []adsync.Job(nil))
}

func testLeaseEnds(t *testing.T, s adsync.Store) {
	enqueue(t, s, 1, sampleJob(1))
	lost := lease(t, s, sampleLease(2))[0]
	equal(t, "while it is leased", lease(t, s, sampleLease(61)), []adsync.Job(nil))
	again := lease(t, s, sampleLease(62))
	equal(t, "after it ended", records(again), "1 ")
	equal(t, "attempts", again[0].Attempts, 2)
	equal(t, "settled by who lost it", settle(t, s, 63, outcomeOf(lost, "")), 0)
	equal(t, "the job", allJobs(t, s), again)
	equal(t, "settled by who has it, late", settle(t, s, 500, outcomeOf(again[0], "")), 1)
	equal(t, "left", allJobs(t, s), []adsync.Job(nil))
}

func testSettle(t *testing.T, s adsync.Store) {
	equal(t, "settled of no jobs", settle(t, s, 1, adsync.Outcome{JobID: 1, Token: "x"}), 0)
	enqueue(t, s, 1, sampleJob(1), sampleJob(2), sampleJob(3), sampleJob(4))
	held := lease(t, s, sampleLease(2))
	retry, park, foreign := outcomeOf(held[1], adsync.JobQueued), outcomeOf(held[2], adsync.JobParked), outcomeOf(held[3], "")
	retry.DueAt, retry.Reason, retry.Detail = at(30), "rate_limited", "Wait."
	park.Reason, park.Detail = "location_required", "Say where."
	foreign.Token = "other"
	ghost := outcomeOf(held[3], "")
	ghost.JobID = nowhere
	// Of two outcomes of a lease the first counts.
	equal(t, "settled", settle(t, s, 3, outcomeOf(held[0], ""), retry, park, foreign, ghost, outcomeOf(held[0], ""), outcomeOf(held[1], ""), outcomeOf(held[2], "")), 3)
	equal(t, "settled nothing", settle(t, s, 3), 0)
	want := slices.Clone(held[1:])
	want[0].State, want[0].DueAt, want[0].Token, want[0].Reason, want[0].Detail = adsync.JobQueued, at(30), "", "rate_limited", "Wait."
	want[1].State, want[1].DueAt, want[1].Token, want[1].Reason, want[1].Detail = adsync.JobParked, time.Time{}, "", "location_required", "Say where."
	equal(t, "the jobs", allJobs(t, s), want)
	equal(t, "settled twice", settle(t, s, 3, retry, park), 0)

	equal(t, "before its time", records(lease(t, s, sampleLease(29))), "")
	again := lease(t, s, sampleLease(30))
	equal(t, "at its time", records(again), "2 ")
	equal(t, "attempts", again[0].Attempts, 2)
	equal(t, "the last reason", again[0].Reason, "rate_limited")
	requeue := func(ids ...int64) int {
		return work(t, s, func(ctx context.Context, tx syncTx) (int, error) { return tx.SyncJobs().Requeue(ctx, at(31), ids) })
	}
	equal(t, "queued again", requeue(held[2].ID, held[2].ID, held[1].ID, nowhere, -1), 1)
	equal(t, "queued again twice", requeue(held[2].ID), 0)
	equal(t, "none queued again", requeue(), 0)
	fresh := want[1]
	fresh.State, fresh.DueAt, fresh.Attempts, fresh.Reason, fresh.Detail = adsync.JobQueued, at(31), 0, "", ""
	equal(t, "the job", allJobs(t, s)[1], fresh)
	// A change of its record queues a parked job too.
	parked := lease(t, s, sampleLease(32))
	o := outcomeOf(parked[0], adsync.JobParked)
	o.Reason = "policy"
	settle(t, s, 33, o)
	enqueue(t, s, 34, sampleJob(3))
	fresh.Version, fresh.DueAt, fresh.QueuedAt = 2, at(34), at(34)
	equal(t, "after a change", allJobs(t, s)[1], fresh)
}

func testUncounted(t *testing.T, s adsync.Store) {
	enqueue(t, s, 1, sampleJob(1))
	for _, c := range []struct {
		when          int
		uncounted     bool
		leased, after int // attempts
	}{{2, true, 1, 0}, {102, false, 1, 1}, {202, true, 2, 1}} {
		held := lease(t, s, sampleLease(c.when))
		equal(t, "attempts, leased", held[0].Attempts, c.leased)
		o := outcomeOf(held[0], adsync.JobQueued)
		o.DueAt, o.Reason, o.Uncounted = at(c.when+1), "wait", c.uncounted
		equal(t, "settled", settle(t, s, c.when+1, o), 1)
		equal(t, "attempts, settled", allJobs(t, s)[0].Attempts, c.after)
	}
	// A change during the lease has cleared the attempts already.
	held := lease(t, s, sampleLease(302))
	enqueue(t, s, 303, sampleJob(1))
	o := outcomeOf(held[0], adsync.JobQueued)
	o.DueAt, o.Uncounted = at(304), true
	equal(t, "settled", settle(t, s, 304, o), 1)
	equal(t, "attempts after a change", allJobs(t, s)[0].Attempts, 0)
}

func testChangeDuringLease(t *testing.T, s adsync.Store) {
	for n, state := range []adsync.JobState{"", adsync.JobParked, adsync.JobQueued} {
		record := n + 1
		enqueue(t, s, 1, sampleJob(record))
		held := lease(t, s, sampleLease(100*record))[0]
		enqueue(t, s, 100*record+1, sampleJob(record))
		now := allJobs(t, s)[0]
		want := held
		want.Version, want.Attempts, want.QueuedAt = 2, 0, at(100*record+1)
		equal(t, "changed while leased", now, want)
		equal(t, "leased to nobody else", records(lease(t, s, sampleLease(100*record+2))), "")
		o := outcomeOf(held, state)
		o.Reason, o.DueAt = "x", at(100*record+50)
		equal(t, "settled", settle(t, s, 100*record+3, o), 1)
		want.State, want.Token, want.DueAt = adsync.JobQueued, "", at(100*record+3)
		if state == adsync.JobQueued {
			want.DueAt, want.Reason = at(100*record+50), "x"
		}
		equal(t, fmt.Sprintf("after %q", state), allJobs(t, s)[0], want)
		held = lease(t, s, sampleLease(100*record+51))[0]
		equal(t, "version", held.Version, int64(2))
		equal(t, "settled", settle(t, s, 100*record+52, outcomeOf(held, "")), 1)
		equal(t, "left", allJobs(t, s), []adsync.Job(nil))
	}
}

func testWake(t *testing.T, s adsync.Store) {
	child := func(n, parent int) adsync.Job {
		j := sampleJob(n)
		j.ParentID = syncID(parent)
		return j
	}
	elsewhere := child(5, 90)
	elsewhere.AdAccountID = "act_2"
	enqueue(t, s, 1, child(1, 90), child(2, 91), child(3, 90), child(4, 90), elsewhere, sampleJob(6))
	held := lease(t, s, sampleLease(2))
	equal(t, "leased", records(held), "1 2 3 4 5 6 ")
	outcome := func(n int, reason string) adsync.Outcome {
		o := outcomeOf(held[n], adsync.JobQueued)
		o.DueAt, o.Reason, o.Detail = at(60), reason, "Wait."
		return o
	}
	none := adsync.ReasonParentNotSynced
	settle(t, s, 3, outcome(0, none), outcome(1, none), outcome(2, "rate_limited"), outcome(4, none), outcome(5, none)) // 4 is leased
	before := allJobs(t, s)
	wake := func(adAccount string, parents ...uuid.UUID) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx syncTx) error {
			return tx.SyncJobs().Wake(ctx, finer(at(7)), adAccount, parents)
		})
	}
	wake("act_1")
	wake("act_1", syncID(92), uuid.Nil)
	wake("a\x00", syncID(90))
	equal(t, "nothing to wake", allJobs(t, s), before)
	wake("act_1", syncID(90), syncID(92))
	want := slices.Clone(before)
	want[0].Version, want[0].DueAt, want[0].QueuedAt, want[0].Attempts, want[0].Reason, want[0].Detail = 2, at(7), at(7), 0, "", ""
	want[3].Version, want[3].QueuedAt, want[3].Attempts = 2, at(7), 0 // it stays leased, and is queued again when it is settled
	equal(t, "awake", allJobs(t, s), want)
	equal(t, "settled", settle(t, s, 8, outcomeOf(held[3], "")), 1)
	equal(t, "due", records(lease(t, s, sampleLease(9))), "1 4 ")
}

func testJobsUndone(t *testing.T, s adsync.Store) {
	enqueue(t, s, 1, sampleJob(1))
	before := allJobs(t, s)
	refused(t, s, invalid("token", "required"), func(ctx context.Context, tx syncTx) error {
		if _, err := tx.SyncJobs().Lease(ctx, sampleLease(2)); err != nil {
			return err
		}
		if err := tx.SyncJobs().Enqueue(ctx, at(3), sampleJob(1), sampleJob(2)); err != nil {
			return err
		}
		return second(tx.SyncJobs().Settle(ctx, at(3), adsync.Outcome{}))
	})
	equal(t, "the jobs", allJobs(t, s), before)
}

// testJobWorkers has eight workers bring forty records in step while others
// change them. A record is never with two workers, and at the end what was
// synced last is what was written last.
func testJobWorkers(t *testing.T, s adsync.Store) {
	syncWorld(t, s)
	const rounds, perRound = 12, 40
	var mu sync.Mutex
	busy := map[uuid.UUID]bool{}
	synced := map[uuid.UUID]int{}
	step := func(worker, round int) error {
		var held []adsync.Job
		l := adsync.Lease{Token: fmt.Sprintf("%d/%d", worker, round), Now: at(round), Until: at(1000), Limit: 5}
		if err := insist(t.Context(), s.Work, func(ctx context.Context, tx syncTx) (err error) {
			held, err = tx.SyncJobs().Lease(ctx, l)
			return err
		}); err != nil {
			return err
		}
		mu.Lock()
		for _, j := range held {
			if busy[j.RecordID] {
				mu.Unlock()
				return fmt.Errorf("record %s is with two workers", j.RecordID)
			}
			busy[j.RecordID] = true
		}
		mu.Unlock()
		var outcomes []adsync.Outcome
		var ids []uuid.UUID
		for _, j := range held {
			outcomes, ids = append(outcomes, outcomeOf(j, "")), append(ids, j.RecordID)
		}
		var items []adsync.Item
		if err := s.Read(t.Context(), func(ctx context.Context, tx syncTx) (err error) {
			items, err = tx.InventoryItems().GetMany(ctx, ids)
			return err
		}); err != nil {
			return err
		}
		mu.Lock()
		for _, i := range items {
			synced[i.ID] = i.Year
		}
		for _, id := range ids {
			delete(busy, id)
		}
		mu.Unlock()
		return insist(t.Context(), s.Work, func(ctx context.Context, tx syncTx) error {
			n, err := tx.SyncJobs().Settle(ctx, at(round), outcomes...)
			if err == nil && n != len(outcomes) {
				err = fmt.Errorf("%d of %d jobs were still held", n, len(outcomes))
			}
			return err
		})
	}
	change := func(n, year int) error {
		return insist(t.Context(), s.Write, func(ctx context.Context, tx syncTx) error {
			i := sampleItem(n + 1)
			i.Year = 1000 + year
			if err := tx.InventoryItems().Put(ctx, i); err != nil {
				return err
			}
			return tx.SyncJobs().Enqueue(ctx, at(year), adsync.Job{AccountID: "account", AdAccountID: "act_1", Kind: adsync.KindItem, RecordID: i.ID})
		})
	}
	together(t, writers+2, func(w int) error {
		for round := range rounds {
			if w < writers {
				if err := step(w, rounds); err != nil {
					return err
				}
				continue
			}
			for n := w - writers; n < perRound; n += 2 {
				if err := change(n, round); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for len(allJobs(t, s)) > 0 {
		if err := step(99, rounds); err != nil {
			t.Fatal(err)
		}
	}
	for n := range perRound {
		if got := synced[syncID(n+1)]; got != 1000+rounds-1 {
			t.Errorf("record %d: the last state synced is %d, want %d", n, got, 1000+rounds-1)
		}
	}
}
