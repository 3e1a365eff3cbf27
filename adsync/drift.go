package adsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Drifted is an object that differs at its service from what was sent last.
type Drifted struct {
	Kind     Kind
	RecordID uuid.UUID
	Name     string
	RemoteID string
	Missing  bool // the object is gone
	// Changes are the fields that differ: Before is what was sent, After what the
	// service has.
	Changes []Change
	// ChangedBy and ChangedAt say who changed the object last, where the service
	// tells.
	ChangedBy string
	ChangedAt time.Time
}

// DriftReport is what differs at the service.
type DriftReport struct {
	AccountID   string
	AdAccountID string
	Entries     []Drifted // at most MaxPlanEntries
	Differing   int
	Missing     int
	Same        int
}

// Empty reports whether the service has what was sent.
func (d DriftReport) Empty() bool { return d.Differing+d.Missing == 0 }

// Drift asks the service for all objects of an ad account and returns what
// differs from what was sent last. It changes nothing. Records that wait to be
// sent are compared with what was sent, not with what they are now.
//
// ErrNotFound when the account has no such ad account, ErrState "no_driver"
// when there is no driver. What the service fails with is a *Failure within
// ErrUnavailable.
func (e *Engine) Drift(ctx context.Context, accountID, adAccountID string) (DriftReport, error) {
	d := DriftReport{AccountID: accountID, AdAccountID: adAccountID}
	same, err := e.EachDrifted(ctx, accountID, adAccountID, func(entry Drifted) error {
		d.add(entry)
		return nil
	})
	d.Same = same
	return d, err
}

// add counts an object that differs.
func (d *DriftReport) add(entry Drifted) {
	if entry.Missing {
		d.Missing++
	} else {
		d.Differing++
	}
	if len(d.Entries) < MaxPlanEntries {
		d.Entries = append(d.Entries, entry)
	}
}

// EachDrifted calls fn for each object that differs and returns how many do not.
// It holds a few hundred records at a time. It stops at the first error of fn
// and returns it.
func (e *Engine) EachDrifted(ctx context.Context, accountID, adAccountID string, fn func(Drifted) error) (same int, err error) {
	return e.compare(ctx, accountID, adAccountID, func(_ task, entry Drifted, _ *Found) error { return fn(entry) })
}

// Refresh is Drift that takes down what the service has, so that the next Plan
// shows what brings it back to the records, and a sync does it.
func (e *Engine) Refresh(ctx context.Context, accountID, adAccountID string) (DriftReport, error) {
	d := DriftReport{AccountID: accountID, AdAccountID: adAccountID}
	now := e.o.Clock.Now()
	same, err := e.compare(ctx, accountID, adAccountID, func(t task, entry Drifted, found *Found) error {
		d.add(entry)
		return e.adopt(ctx, t, found, now)
	})
	d.Same = same
	return d, err
}

// adopt takes down what the service has of a record, unless the record was sent
// in the meantime, and queues the record.
func (e *Engine) adopt(ctx context.Context, t task, found *Found, now time.Time) error {
	return e.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		ids := []uuid.UUID{t.job.RecordID}
		kept, err := tx.Remotes().GetMany(ctx, t.job.AdAccountID, ids)
		if err != nil || len(kept) == 0 || kept[0] != t.before {
			return err
		}
		if found == nil {
			err = tx.Remotes().Delete(ctx, t.job.AdAccountID, ids)
		} else {
			r := t.before
			applied, broken := ParseFields(r.Applied)
			if broken != nil {
				applied = Fields{}
			}
			for name, value := range found.Fields {
				applied[name] = value
			}
			r.Applied = applied.Encode()
			err = tx.Remotes().Put(ctx, r)
		}
		if err != nil {
			return err
		}
		return tx.SyncJobs().Enqueue(ctx, now, t.job)
	})
}

// compare calls fn for each object that differs, with what was found of it; nil
// when it is gone.
func (e *Engine) compare(ctx context.Context, accountID, adAccountID string, fn func(task, Drifted, *Found) error) (same int, err error) {
	d := e.drivers[ServiceOf(adAccountID)]
	if d == nil {
		return 0, &affiliate.Error{Kind: affiliate.ErrState, Code: ReasonNoDriver, Resource: "ad_account", ID: adAccountID, Message: "There is no driver for this service."}
	}
	err = e.walk(ctx, accountID, adAccountID, func(tasks []task) error {
		var at AdAccount
		byKind := map[Kind][]task{}
		for _, t := range tasks {
			if t.before.RemoteID != "" && t.before.SentAt.IsZero() && t.step.target.State() != Removed { // what is under way is not compared
				at = t.step.target.AdAccount
				byKind[t.job.Kind] = append(byKind[t.job.Kind], t)
			}
		}
		for _, k := range Kinds() {
			n, err := compareKind(ctx, d, at, k, byKind[k], fn)
			same += n
			if err != nil {
				return err
			}
		}
		return nil
	})
	return same, err
}

func compareKind(ctx context.Context, d Driver, at AdAccount, k Kind, tasks []task, fn func(task, Drifted, *Found) error) (same int, err error) {
	if len(tasks) == 0 {
		return 0, nil
	}
	ids := make([]string, len(tasks))
	for n, t := range tasks {
		ids[n] = t.before.RemoteID
	}
	found, err := d.Read(ctx, at, k, ids)
	if err != nil {
		var f *Failure
		if errors.As(err, &f) {
			err = affiliate.Unavailable(f)
		}
		return 0, err
	}
	byID := make(map[string]*Found, len(found))
	for n := range found {
		byID[found[n].RemoteID] = &found[n]
	}
	for _, t := range tasks {
		entry := Drifted{Kind: k, RecordID: t.job.RecordID, Name: t.step.target.Name(), RemoteID: t.before.RemoteID}
		f := byID[t.before.RemoteID]
		switch {
		case f == nil:
			entry.Missing = true
		default:
			entry.Changes = drift(t.before.Applied, f.Fields)
			entry.ChangedBy, entry.ChangedAt = f.ChangedBy, f.ChangedAt
			if len(entry.Changes) == 0 {
				same++
				continue
			}
		}
		if err := fn(t, entry, f); err != nil {
			return same, err
		}
	}
	return same, nil
}

// drift compares what was sent with what the service tells of.
func drift(applied string, found Fields) []Change {
	sent, err := ParseFields(applied)
	if err != nil {
		sent = Fields{}
	}
	told := Fields{}
	for name := range found {
		told[name] = sent[name]
	}
	return Diff(told, found)
}

// String returns the report as text that reads like a diff: lines with - are
// what was sent, lines with + what the service has.
func (d DriftReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "drift of ad account %s: %d differ, %d missing, %d the same\n", d.AdAccountID, d.Differing, d.Missing, d.Same)
	for _, entry := range d.Entries {
		sign := "~"
		if entry.Missing {
			sign = "-"
		}
		fmt.Fprintf(&b, "\n%s %s", sign, headline(entry.Kind, entry.RecordID, entry.Name, entry.RemoteID))
		if entry.ChangedBy != "" {
			fmt.Fprintf(&b, ", changed by %s", entry.ChangedBy)
		}
		if !entry.ChangedAt.IsZero() {
			fmt.Fprintf(&b, " at %s", entry.ChangedAt.UTC().Format(time.RFC3339))
		}
		b.WriteString("\n")
		for _, c := range entry.Changes {
			writeChange(&b, c)
		}
	}
	if more := d.Differing + d.Missing - len(d.Entries); more > 0 {
		fmt.Fprintf(&b, "\n… and %d more\n", more)
	}
	return b.String()
}
