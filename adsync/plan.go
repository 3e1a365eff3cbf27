package adsync

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxPlanEntries bounds how many entries a Plan and a DriftReport hold; the
// others are counted. [Engine.EachPlanned] and [Engine.EachDrifted] go through
// all of them.
const MaxPlanEntries = 1000

// Planned is a record that a sync would do something about.
type Planned struct {
	// Action is what would be done; empty for a record that is blocked.
	Action   Action
	Kind     Kind
	RecordID uuid.UUID
	Name     string // what a person calls the record; may be empty
	RemoteID string // the service's id; empty for what is not there yet
	Changes  []Change
	// Reason, Field and Detail say why the record is blocked.
	Reason, Field, Detail string
}

// Plan is what a sync of an ad account would change, by kind: items, campaigns,
// ad sets, ads, and then what is to be removed.
type Plan struct {
	AccountID   string
	AdAccountID string
	Entries     []Planned // at most MaxPlanEntries
	Creates     int
	Updates     int
	Removes     int
	Blocked     int
	Unchanged   int
}

// Empty reports whether there is nothing to do and nothing blocked.
func (p Plan) Empty() bool { return p.Creates+p.Updates+p.Removes+p.Blocked == 0 }

// Plan returns what a sync would change, compared with what was sent last. It
// makes no call: see Drift for what differs at the service. Records that were
// queued and those that were not are looked at alike.
//
// ErrNotFound when the account has no such ad account.
func (e *Engine) Plan(ctx context.Context, accountID, adAccountID string) (Plan, error) {
	p := Plan{AccountID: accountID, AdAccountID: adAccountID}
	unchanged, err := e.EachPlanned(ctx, accountID, adAccountID, func(entry Planned) error {
		switch entry.Action {
		case Create:
			p.Creates++
		case Update:
			p.Updates++
		case Remove:
			p.Removes++
		default:
			p.Blocked++
		}
		if len(p.Entries) < MaxPlanEntries {
			p.Entries = append(p.Entries, entry)
		}
		return nil
	})
	p.Unchanged = unchanged
	return p, err
}

// EachPlanned calls fn for each entry of a plan and returns how many records are
// as they should be. It holds a few hundred records at a time, however many
// there are. It stops at the first error of fn and returns it.
func (e *Engine) EachPlanned(ctx context.Context, accountID, adAccountID string, fn func(Planned) error) (unchanged int, err error) {
	err = e.walk(ctx, accountID, adAccountID, func(tasks []task) error {
		for _, t := range tasks {
			entry, ok := planned(t)
			if !ok {
				unchanged++
			} else if err := fn(entry); err != nil {
				return err
			}
		}
		return nil
	})
	return unchanged, err
}

// planned returns the entry of a task; false when there is nothing to do.
func planned(t task) (Planned, bool) {
	s := t.step
	p := Planned{Kind: t.job.Kind, RecordID: t.job.RecordID, Name: s.target.Name(), RemoteID: t.before.RemoteID}
	switch {
	case s.op == nil && s.reason == ReasonParentNotSynced && s.coming:
		p.Action, p.Changes = Create, Diff(nil, s.desired)
	case s.op == nil && s.reason != "":
		p.Reason, p.Field, p.Detail = s.reason, s.field, s.detail
	case s.op == nil:
		return p, false
	case s.op.Handle != "" && s.desired.Encode() == s.op.Fields.Encode():
		return p, false // it was sent, and the service works on it
	case s.op.Handle != "":
		p.Action, p.Changes = s.op.Action, Diff(s.op.Fields, s.desired)
	default:
		p.Action, p.Changes = s.op.Action, s.op.Changes
	}
	return p, true
}

// walk goes through all records of an ad account, a batch at a time, parents
// before children, each as if it had a job, and then through the removed ones
// that have one. Each batch is one snapshot.
func (e *Engine) walk(ctx context.Context, accountID, adAccountID string, fn func([]task) error) error {
	a, err := affiliate.Read(ctx, e.store, func(ctx context.Context, tx Tx) (AdAccount, error) {
		return tx.AdAccounts().Get(ctx, accountID, adAccountID)
	})
	if err != nil {
		return err
	}
	coming := map[uuid.UUID]bool{} // the parents that are to be created
	for _, list := range e.lists(a) {
		var after, next Cursor
		for {
			tasks, err := affiliate.Read(ctx, e.store, func(ctx context.Context, tx Tx) ([]task, error) {
				jobs, last, err := list(ctx, tx, after)
				if err != nil || len(jobs) == 0 {
					return nil, err
				}
				next = last // the unit may run again, from the same place
				return e.assess(ctx, tx, jobs)
			})
			if err != nil {
				return err
			}
			if len(tasks) == 0 {
				break
			}
			after = next
			for n := range tasks {
				t := &tasks[n]
				t.step.coming = t.step.reason == ReasonParentNotSynced && coming[t.job.ParentID]
				if t.job.Kind == KindCampaign || t.job.Kind == KindAdSet {
					if creates := t.step.op != nil && t.step.op.Action == Create; creates || t.step.coming {
						coming[t.job.RecordID] = true
					}
				}
			}
			if err := fn(tasks); err != nil {
				return err
			}
		}
	}
	return e.walkRemoved(ctx, a, fn)
}

// assess decides about jobs without leasing them.
func (e *Engine) assess(ctx context.Context, tx Tx, jobs []Job) ([]task, error) {
	loaded, err := load(ctx, tx, jobs)
	if err != nil {
		return nil, err
	}
	tasks := make([]task, len(jobs))
	for n, j := range jobs {
		tasks[n] = task{job: j, driver: e.drivers[ServiceOf(j.AdAccountID)], before: loaded.remotes[keyOf(j)]}
		tasks[n].step = e.decide(loaded, j, tasks[n].driver)
	}
	return tasks, nil
}

// walkRemoved goes through the removed records that still have a job.
func (e *Engine) walkRemoved(ctx context.Context, a AdAccount, fn func([]task) error) error {
	for last, more := int64(0), true; more; {
		var jobs []Job
		tasks, err := affiliate.Read(ctx, e.store, func(ctx context.Context, tx Tx) (_ []task, err error) {
			if jobs, err = tx.SyncJobs().After(ctx, JobFilter{AccountID: a.AccountID, AdAccountID: a.ID}, last, batchSize); err != nil {
				return nil, err
			}
			all, err := e.assess(ctx, tx, jobs)
			var removed []task
			for _, t := range all {
				if t.step.target.State() == Removed && t.step.op != nil {
					removed = append(removed, t)
				}
			}
			return removed, err
		})
		if err != nil {
			return err
		}
		if err := fn(tasks); err != nil {
			return err
		}
		if more = len(jobs) == batchSize; more {
			last = jobs[len(jobs)-1].ID
		}
	}
	return nil
}

// lists are the lists of an ad account's records, as jobs.
func (e *Engine) lists(a AdAccount) []func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error) {
	lists := []func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error){
		func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error) {
			found, err := tx.SyncCampaigns().List(ctx, CampaignFilter{AccountID: a.AccountID, AdAccountID: a.ID}, after, batchSize)
			return asJobs(found, err, func(c Campaign) (Job, Cursor) { return campaignJob(c), Cursor{c.CreatedAt, c.ID} })
		},
		func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error) {
			found, err := tx.AdSets().List(ctx, AdSetFilter{AccountID: a.AccountID, AdAccountID: a.ID}, after, batchSize)
			return asJobs(found, err, func(s AdSet) (Job, Cursor) { return adSetJob(s), Cursor{s.CreatedAt, s.ID} })
		},
		func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error) {
			found, err := tx.Ads().List(ctx, AdFilter{AccountID: a.AccountID, AdAccountID: a.ID}, after, batchSize)
			return asJobs(found, err, func(ad Ad) (Job, Cursor) { return adJob(ad), Cursor{ad.CreatedAt, ad.ID} })
		},
	}
	if a.CatalogID == "" {
		return lists
	}
	items := func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error) {
		found, err := tx.InventoryItems().List(ctx, ItemFilter{AccountID: a.AccountID}, after, batchSize)
		return asJobs(found, err, func(i Item) (Job, Cursor) { return itemJob(i, a.ID), placeOfItem(i) })
	}
	return append([]func(ctx context.Context, tx Tx, after Cursor) ([]Job, Cursor, error){items}, lists...)
}

func asJobs[R any](found []R, err error, job func(R) (Job, Cursor)) ([]Job, Cursor, error) {
	jobs := make([]Job, len(found))
	var last Cursor
	for n, r := range found {
		jobs[n], last = job(r)
	}
	return jobs, last, err
}

// String returns the plan as text that reads like a diff.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan for ad account %s: %d to create, %d to update, %d to remove, %d blocked, %d unchanged\n",
		p.AdAccountID, p.Creates, p.Updates, p.Removes, p.Blocked, p.Unchanged)
	for _, entry := range p.Entries {
		entry.write(&b)
	}
	if more := p.Creates + p.Updates + p.Removes + p.Blocked - len(p.Entries); more > 0 {
		fmt.Fprintf(&b, "\n… and %d more\n", more)
	}
	return b.String()
}

var signs = map[Action]string{Create: "+", Update: "~", Remove: "-", "": "!"}

// write writes the entry: a headline with a sign, and its fields below.
func (p Planned) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s %s\n", signs[p.Action], headline(p.Kind, p.RecordID, p.Name, p.RemoteID))
	if p.Action == "" {
		fmt.Fprintf(w, "!   %s: %s\n", p.Reason, withField(p.Field, p.Detail))
		return
	}
	for _, c := range p.Changes {
		writeChange(w, c)
	}
}

func headline(k Kind, id uuid.UUID, name, remoteID string) string {
	text := string(k) + " " + id.String()
	if name != "" {
		text += fmt.Sprintf(" %q", name)
	}
	if remoteID != "" {
		text += " (" + remoteID + ")"
	}
	return text
}

func writeChange(w io.Writer, c Change) {
	if c.Before != "" && c.Before != c.After {
		fmt.Fprintf(w, "-   %s: %q\n", c.Field, c.Before)
	}
	if c.After != "" {
		fmt.Fprintf(w, "+   %s: %q\n", c.Field, c.After)
	}
}
