package adsync

import (
	"context"
	"time"
)

// Apply does what Plan shows, and returns when every job of the ad account is
// done, parked, or waits for one that is parked. It queues all records of the
// plan, parked ones too. Pauses that the service asks for are waited for.
//
// Other workers may do a part of it; the report tells only of this one's.
// ErrNotFound when the account has no such ad account.
func (e *Engine) Apply(ctx context.Context, accountID, adAccountID string) (Report, error) {
	now := e.o.Clock.Now()
	err := e.walk(ctx, accountID, adAccountID, func(tasks []task) error {
		var jobs []Job
		for _, t := range tasks {
			if _, ok := planned(t); ok && !t.step.target.Account.Test {
				jobs = append(jobs, t.job)
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		return e.store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.SyncJobs().Enqueue(ctx, now, jobs...) })
	})
	if err != nil {
		return Report{}, err
	}
	return e.workOff(ctx, accountID, adAccountID)
}

// workOff works until no job of the ad account can be worked on.
func (e *Engine) workOff(ctx context.Context, accountID, adAccountID string) (Report, error) {
	var sum Report
	for {
		since := e.o.Clock.Now()
		r, err := e.drain(ctx, adAccountID)
		sum.add(r)
		if err != nil {
			return sum, err
		}
		due, ok, err := e.nextDue(ctx, accountID, adAccountID, since)
		if err != nil || !ok {
			return sum, err
		}
		if err := e.o.Wait(ctx, max(due.Sub(e.o.Clock.Now()), time.Millisecond)); err != nil {
			return sum, err
		}
	}
}

// nextDue returns when the next job of the ad account is due, the next lease
// ends or a pause of the ad account is over; false when there is nothing to wait
// for. Jobs that were due already since then, and were not leased, wait for their
// parents, or for the end of the pause.
func (e *Engine) nextDue(ctx context.Context, accountID, adAccountID string, since time.Time) (time.Time, bool, error) {
	now := e.o.Clock.Now()
	e.mu.Lock()
	until := e.paused[adAccountID]
	e.mu.Unlock()
	var next time.Time
	err := e.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		next = time.Time{} // the unit may run again
		if until.After(now) {
			queued, err := tx.SyncJobs().After(ctx, JobFilter{AccountID: accountID, AdAccountID: adAccountID, State: JobQueued}, 0, 1)
			if len(queued) > 0 {
				next = until
			}
			return err
		}
		var err error
		next, err = tx.SyncJobs().NextDue(ctx, accountID, adAccountID, since)
		return err
	})
	return next, !next.IsZero(), err
}

// Checked is a planned operation with what the service said about it.
type Checked struct {
	Planned
	Failure *Failure // nil: the service would take it
}

// DryRun has the service check what Plan shows, and changes nothing there or
// here. It returns at most MaxPlanEntries entries. Records whose parent is not at
// the service yet have a failure with CodeNotValidated.
//
// ErrNotFound when the account has no such ad account.
func (e *Engine) DryRun(ctx context.Context, accountID, adAccountID string) ([]Checked, error) {
	var out []Checked
	err := e.walk(ctx, accountID, adAccountID, func(tasks []task) error {
		var ops []Operation
		var asked []int // the entries of ops
		var at AdAccount
		var d Driver
		for _, t := range tasks {
			entry, ok := planned(t)
			if !ok || len(out) >= MaxPlanEntries {
				continue
			}
			c := Checked{Planned: entry}
			switch {
			case t.step.op != nil && t.step.op.Handle == "":
				at, d = t.step.target.AdAccount, t.driver
				ops, asked = append(ops, *t.step.op), append(asked, len(out))
			case entry.Action == "":
				c.Failure = &Failure{Code: entry.Reason, Field: entry.Field, Detail: entry.Detail}
			default:
				c.Failure = &Failure{Code: CodeNotValidated, Detail: "The service can check it once its parent is there."}
			}
			out = append(out, c)
		}
		if len(ops) == 0 {
			return nil
		}
		results := d.Validate(ctx, at, ops)
		for n, i := range asked {
			out[i].Failure = resultOf(results, n).Failure
		}
		return nil
	})
	return out, err
}
