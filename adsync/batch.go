package adsync

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// batch is the jobs of one lease.
type batch struct {
	token string
	tasks []task
}

// task is one job with what it needs.
type task struct {
	job    Job
	driver Driver
	step   step
	result Result
	before Remote // as it was before the job was leased; zero: none
}

// step is what is to be done about a record.
type step struct {
	target  Target
	parent  string // the service's id of the parent
	desired Fields // nil of what is to be removed
	op      *Operation
	// Of what cannot be sent: why not. Parked when a person is needed, else it
	// waits for wait.
	reason, detail, field string
	wait                  time.Duration
	coming                bool // in a plan: waits for a parent that the plan creates
}

// parentPoll is how often a record is looked at whose parent is not at the
// service. It is queued at once when the parent comes.
const parentPoll = time.Hour

// lease takes jobs, decides what is to be done, and notes for each operation
// that it is about to be sent. All of this is one unit: when it is over, a crash
// at any later point leaves a note.
func (e *Engine) lease(ctx context.Context, adAccountID string) (*batch, error) {
	token, err := newToken()
	if err != nil {
		return nil, err
	}
	now := e.o.Clock.Now()
	l := Lease{Token: token, Now: now, Until: now.Add(e.o.Lease), Limit: e.o.Batch, Except: e.pausedAdAccounts(now), AdAccountID: adAccountID}
	b := &batch{token: token}
	err = e.store.Work(ctx, func(ctx context.Context, tx Tx) error {
		b.tasks = nil
		jobs, err := tx.SyncJobs().Lease(ctx, l)
		if err != nil || len(jobs) == 0 {
			return err
		}
		loaded, err := load(ctx, tx, jobs)
		if err != nil {
			return err
		}
		var notes []Remote
		for _, j := range jobs {
			t := task{job: j, driver: e.drivers[ServiceOf(j.AdAccountID)], before: loaded.remotes[keyOf(j)]}
			t.step = e.decide(loaded, j, t.driver)
			if op := t.step.op; op != nil && op.Handle == "" {
				notes = append(notes, note(t, now))
			}
			b.tasks = append(b.tasks, t)
		}
		return tx.Remotes().Put(ctx, notes...)
	})
	return b, err
}

// note is the remote of a record that is about to be sent.
func note(t task, now time.Time) Remote {
	r := t.before
	r.AdAccountID, r.RecordID, r.Kind = t.job.AdAccountID, t.job.RecordID, t.job.Kind
	r.SentAt = now
	if t.step.desired != nil {
		r.Sent = t.step.desired.Encode()
	}
	return r
}

// send hands the operations to their drivers, those of different ad accounts at
// the same time.
func (e *Engine) send(ctx context.Context, b *batch) {
	type group struct {
		driver Driver
		at     AdAccount
		tasks  []*task
	}
	var groups []*group
	index := map[[2]string]*group{} // by account and ad account
	for n := range b.tasks {
		t := &b.tasks[n]
		if t.step.op == nil {
			continue
		}
		key := [2]string{t.job.AccountID, t.job.AdAccountID}
		g := index[key]
		if g == nil {
			g = &group{driver: t.driver, at: t.step.target.AdAccount}
			index[key], groups = g, append(groups, g)
		}
		g.tasks = append(g.tasks, t)
	}
	// The lease must outlive the calls: a worker that takes the jobs over would
	// send them again.
	ctx, cancel := context.WithTimeout(ctx, e.o.Lease-e.o.Lease/5)
	defer cancel()
	var calls sync.WaitGroup
	for _, g := range groups {
		calls.Go(func() {
			ops := make([]Operation, len(g.tasks))
			for n, t := range g.tasks {
				ops[n] = *t.step.op
			}
			results := e.apply(ctx, g.driver, g.at, ops)
			for n, t := range g.tasks {
				t.result = resultOf(results, n)
			}
		})
	}
	calls.Wait()
}

// apply calls a driver, in a span if there is a tracer.
func (e *Engine) apply(ctx context.Context, d Driver, at AdAccount, ops []Operation) []Result {
	if e.o.Tracer == nil {
		return d.Apply(ctx, at, ops)
	}
	ctx, span := e.o.Tracer.Start(ctx, affiliate.SpanClient, "adsync.apply "+string(d.Service()), slog.Int("affiliatekit.operations", len(ops)))
	defer span.End()
	results := d.Apply(ctx, at, ops)
	failures := 0
	for n := range ops {
		if resultOf(results, n).Failure != nil {
			failures++
		}
	}
	span.Set(slog.Int("affiliatekit.failures", failures))
	if failures > 0 {
		span.Fail("failed")
	}
	return results
}

// resultOf is the driver's result for its nth operation, whose result is not known
// when the driver returned too few.
func resultOf(results []Result, n int) Result {
	if n < len(results) {
		return results[n]
	}
	return Result{Failure: &Failure{Code: CodeUnknownResult, Detail: "The driver returned no result.", Retryable: true}}
}

// settle writes down what became of a batch, also when the context has ended.
func (e *Engine) settle(ctx context.Context, b *batch) (Report, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.o.Lease/10+time.Second)
	defer cancel()
	now := e.o.Clock.Now()
	ends := make([]ending, len(b.tasks))
	for n := range b.tasks {
		ends[n] = e.end(&b.tasks[n], now)
	}
	for n, end := range ends {
		if f := b.tasks[n].result.Failure; f != nil && f.Throttled {
			e.pauseAdAccount(b.tasks[n].job.AdAccountID, end.outcome.DueAt)
		}
	}
	err := e.write(ctx, now, ends)
	if !errors.Is(err, errLost) {
		return sumOf(ends, err), err
	}
	// Some leases had ended. Only those of jobs that are still held may say what
	// the service has: whoever took the others knows better.
	var sum Report
	for _, end := range ends {
		err := e.write(ctx, now, []ending{end})
		if errors.Is(err, errLost) {
			sum.Lost++
			continue
		}
		if err != nil {
			return sum, err
		}
		sum.add(end.report)
	}
	return sum, nil
}

func sumOf(ends []ending, err error) Report {
	var sum Report
	if err == nil {
		for _, end := range ends {
			sum.add(end.report)
		}
	}
	return sum
}

// errLost undoes a unit in which a job was not held any more.
var errLost = errors.New("adsync: a lease has ended")

func (e *Engine) write(ctx context.Context, now time.Time, ends []ending) error {
	return e.store.Work(ctx, func(ctx context.Context, tx Tx) error {
		outcomes := make([]Outcome, len(ends))
		for n, end := range ends {
			outcomes[n] = end.outcome
		}
		held, err := tx.SyncJobs().Settle(ctx, now, outcomes...)
		if err != nil {
			return err
		}
		if held < len(ends) {
			return errLost
		}
		var put []Remote
		gone := map[string][]uuid.UUID{}
		born := map[string][]uuid.UUID{}
		for _, end := range ends {
			if end.put != nil {
				put = append(put, *end.put)
			}
			if end.forget {
				gone[end.job.AdAccountID] = append(gone[end.job.AdAccountID], end.job.RecordID)
			}
			if end.report.Created > 0 && (end.job.Kind == KindCampaign || end.job.Kind == KindAdSet) {
				born[end.job.AdAccountID] = append(born[end.job.AdAccountID], end.job.RecordID)
			}
		}
		if err := tx.Remotes().Put(ctx, put...); err != nil {
			return err
		}
		for at, ids := range gone {
			if err := tx.Remotes().Delete(ctx, at, ids); err != nil {
				return err
			}
		}
		for at, ids := range born {
			if err := tx.SyncJobs().Wake(ctx, now, at, ids); err != nil {
				return err
			}
		}
		return nil
	})
}

// ending is what is written down about a task.
type ending struct {
	job     Job
	outcome Outcome
	put     *Remote
	forget  bool // the record has no remote any more
	report  Report
}

// end says what became of a task.
func (e *Engine) end(t *task, now time.Time) ending {
	out := ending{job: t.job, outcome: Outcome{JobID: t.job.ID, Token: t.job.Token, Version: t.job.Version}}
	s, op, r := &t.step, t.step.op, t.result.checked(t.step.op)
	t.result = r
	switch {
	case op == nil && s.wait > 0:
		out.queue(now.Add(s.wait), s.reason, s.detail, true)
		out.report.Waiting = 1
	case op == nil && s.reason != "":
		out.park(s.reason, withField(s.field, s.detail))
	case op == nil:
		out.report.Unchanged = 1
	case r.Failure != nil:
		e.fail(&out, t, *r.Failure, now)
	case r.Handle != "":
		kept := note(*t, now)
		if op.Handle != "" {
			kept.Sent, kept.SentAt = t.before.Sent, t.before.SentAt
		}
		kept.Handle = r.Handle
		out.put = &kept
		out.queue(now.Add(r.RetryAfter), ReasonServiceWorks, "", true)
		out.report.Pending = 1
	default:
		out.succeed(t, now)
	}
	return out
}

func withField(field, detail string) string {
	if field == "" {
		return detail
	}
	return field + ": " + detail
}

// succeed notes that the operation was applied.
func (o *ending) succeed(t *task, now time.Time) {
	op := t.step.op
	switch op.Action {
	case Remove:
		o.forget = true
		o.report.Removed = 1
		return
	case Create:
		o.report.Created = 1
	case Update:
		o.report.Updated = 1
	}
	id := firstText(t.result.RemoteID, t.before.RemoteID)
	o.put = &Remote{
		AdAccountID: t.job.AdAccountID, RecordID: t.job.RecordID, Kind: t.job.Kind, RemoteID: id, Applied: op.Fields.Encode(), SyncedAt: now,
	}
	// What a handle was for may not be what the record says now.
	if t.step.desired != nil && t.step.desired.Encode() != o.put.Applied {
		o.queue(now, ReasonServiceWorks, "", true)
	}
}

// fail notes a failure: the job is tried again, or parked.
func (e *Engine) fail(o *ending, t *task, f Failure, now time.Time) {
	op := t.step.op
	detail := withField(f.Field, f.Detail)
	if f.RequestID != "" {
		detail += " (request " + f.RequestID + ")"
	}
	switch {
	case op.Handle != "" && !f.Throttled && f.Code != CodeNotSent && f.Code != CodeUnavailable:
		kept := t.before // the service is done with it; what it did is not known
		kept.Handle = ""
		o.put = &kept
	case op.Handle == "" && f.Unapplied && !op.Repeated && t.before.RemoteID == "":
		o.forget = true // the note
	case op.Handle == "" && f.Unapplied && !op.Repeated:
		kept := t.before
		o.put = &kept
	}
	switch {
	case f.Code == CodeNotSent:
		o.queue(now, f.Code, detail, true)
		o.report.Waiting = 1
	case f.Throttled:
		o.queue(now.Add(max(f.RetryAfter, time.Millisecond)), clip(f.Code, MaxReason), detail, true)
		o.report.Waiting = 1
	case f.Retryable && t.job.Attempts < e.o.Attempts:
		o.queue(now.Add(max(f.RetryAfter, e.backoff(t.job.Attempts))), clip(f.Code, MaxReason), detail, false)
		o.report.Retried = 1
	default:
		o.park(firstText(f.Code, ReasonAttemptsWithoutResult), detail)
	}
}

func (o *ending) queue(due time.Time, reason, detail string, uncounted bool) {
	due = due.Add(time.Microsecond - 1).Truncate(time.Microsecond) // as it is kept, and not earlier
	o.outcome.State, o.outcome.DueAt, o.outcome.Uncounted = JobQueued, due, uncounted
	o.outcome.Reason, o.outcome.Detail = reason, clip(detail, MaxDetail)
}

func (o *ending) park(reason, detail string) {
	o.outcome.State, o.outcome.Reason, o.outcome.Detail = JobParked, clip(reason, MaxReason), clip(detail, MaxDetail)
	o.report = Report{Parked: 1}
}

// checked returns the result, or a failure in place of one that cannot be kept.
func (r Result) checked(op *Operation) Result {
	if r.Failure != nil || op == nil {
		return r
	}
	var v affiliate.Validation
	v.Text("remote_id", r.RemoteID, 0, MaxRemoteID)
	v.Text("handle", r.Handle, 0, MaxHandle)
	v.Check(r.RemoteID != "" || r.Handle != "" || op.Action != Create, "remote_id", "required", "is required")
	if err := v.Err("remote"); err != nil {
		r.Failure = &Failure{Code: CodeBadAnswer, Detail: "The service returned an id that cannot be kept.", Retryable: true, RequestID: r.RequestID}
	}
	return r
}

// clip returns text from outside as it can be kept.
func clip(text string, max int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	if utf8.RuneCountInString(text) > max {
		text = string([]rune(text)[:max])
	}
	return text
}
