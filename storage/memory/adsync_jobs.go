package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// jobKey is what a job is about: a record, as an ad account's.
type jobKey struct {
	adAccount string
	record    uuid.UUID
}

type syncJobTable struct {
	*engine.Table[adsync.Job]
	byKey *engine.Unique[adsync.Job, jobKey]
	// Parked jobs are behind all others, so that a lease never sees them.
	byDue *engine.Ordered[adsync.Job]
	// byDue for each ad account.
	byAdAccount *engine.Ordered[adsync.Job]
	byParent    *engine.Groups[adsync.Job, jobKey]
}

func keyOfJob(j *adsync.Job) jobKey { return jobKey{j.AdAccountID, j.RecordID} }

func newSyncJobTable(db *DB) syncJobTable {
	t := engine.NewTable[adsync.Job](&db.store)
	return syncJobTable{t,
		engine.NewUnique(t, func(j *adsync.Job) (jobKey, bool) { return keyOfJob(j), true }),
		engine.NewOrdered(t, compareDue),
		engine.NewOrdered(t, func(a, b *adsync.Job) int { return cmp.Or(cmp.Compare(a.AdAccountID, b.AdAccountID), compareDue(a, b)) }),
		engine.NewGroups(t, func(j *adsync.Job) (jobKey, bool) { return jobKey{j.AdAccountID, j.ParentID}, j.ParentID != uuid.Nil }, nil),
	}
}

func compareDue(a, b *adsync.Job) int {
	return cmp.Or(cmp.Compare(rankOfJob(a), rankOfJob(b)), a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
}

// ofAdAccount calls f with the jobs of an ad account that are not parked and are
// due behind a time, the first one due first, until it returns false.
func (t syncJobTable) ofAdAccount(id string, behind time.Time, f func(row uint32, j *adsync.Job) bool) {
	part, i := t.byAdAccount.Search(func(j *adsync.Job) bool {
		return j.AdAccountID > id || j.AdAccountID == id && (rankOfJob(j) > 0 || j.DueAt.After(behind))
	})
	t.byAdAccount.Each(part, i, func(row uint32) bool {
		j := t.At(row)
		return j.AdAccountID == id && rankOfJob(j) == 0 && f(row, j)
	})
}

func rankOfJob(j *adsync.Job) int {
	if j.State == adsync.JobParked {
		return 1
	}
	return 0
}

type syncJobs struct{ u *unit }

func (r syncJobs) Enqueue(ctx context.Context, at time.Time, jobs ...adsync.Job) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for n := range jobs {
		if err := jobs[n].Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	t := r.u.db.sync.jobs
	at = engine.Kept(at)
	last := make(map[jobKey]int, len(jobs))
	for n := range jobs {
		last[keyOfJob(&jobs[n])] = n
	}
	for n, j := range jobs {
		if last[keyOfJob(&j)] != n {
			continue
		}
		next := adsync.Job{
			ID: int64(t.Last()) + 1, AccountID: j.AccountID, AdAccountID: j.AdAccountID, Kind: j.Kind, RecordID: j.RecordID, ParentID: j.ParentID,
			Version: 1, State: adsync.JobQueued, DueAt: at, QueuedAt: at,
		}
		row, there := t.byKey.Find(keyOfJob(&j))
		if !there {
			if _, err := t.Insert(next); err != nil {
				return r.u.Fail(err)
			}
			continue
		}
		t.again(row, next, at)
	}
	return nil
}

// again queues the job of a record that changed, with what it is about now.
func (t syncJobTable) again(row uint32, about adsync.Job, at time.Time) {
	j := *t.At(row)
	j.AccountID, j.Kind, j.ParentID = about.AccountID, about.Kind, about.ParentID
	j.Version++
	j.Attempts, j.Reason, j.Detail, j.QueuedAt = 0, "", "", at
	if j.State != adsync.JobLeased {
		j.State, j.DueAt = adsync.JobQueued, at
	}
	t.Replace(row, j)
}

func (r syncJobs) Lease(ctx context.Context, l adsync.Lease) ([]adsync.Job, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	if err := l.Validate(); err != nil {
		return nil, r.u.Fail(err)
	}
	t := r.u.db.sync.jobs
	now := engine.Kept(l.Now)
	var rows []uint32
	take := func(row uint32, j *adsync.Job) bool {
		if rankOfJob(j) > 0 || j.DueAt.After(now) {
			return false
		}
		if slices.Contains(l.Except, j.AdAccountID) {
			return true
		}
		if _, waits := t.byKey.Find(jobKey{j.AdAccountID, j.ParentID}); !waits {
			rows = append(rows, row)
		}
		return len(rows) < l.Limit
	}
	if l.AdAccountID != "" {
		t.ofAdAccount(l.AdAccountID, time.Time{}, take)
	} else {
		t.byDue.Each(0, 0, func(row uint32) bool { return take(row, t.At(row)) })
	}
	var leased []adsync.Job
	for _, row := range rows {
		j := *t.At(row)
		j.State, j.Token, j.DueAt = adsync.JobLeased, l.Token, engine.Kept(l.Until)
		j.Attempts++
		t.Replace(row, j)
		leased = append(leased, j)
	}
	return leased, nil
}

func (r syncJobs) Settle(ctx context.Context, at time.Time, outcomes ...adsync.Outcome) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	for n := range outcomes {
		if err := outcomes[n].Validate(); err != nil {
			return 0, r.u.Fail(err)
		}
	}
	t := r.u.db.sync.jobs
	held := 0
	for _, o := range outcomes {
		row, ok := t.Find(o.JobID)
		if !ok {
			continue
		}
		j := *t.At(row)
		if j.Token != o.Token { // only a leased job has one
			continue
		}
		held++
		changed := j.Version != o.Version
		j.Token = ""
		switch {
		case o.State == adsync.JobQueued:
			j.State, j.DueAt, j.Reason, j.Detail = adsync.JobQueued, engine.Kept(o.DueAt), o.Reason, o.Detail
			if o.Uncounted {
				j.Attempts = max(j.Attempts-1, 0)
			}
		case changed:
			j.State, j.DueAt = adsync.JobQueued, engine.Kept(at)
		case o.State == adsync.JobParked:
			j.State, j.DueAt, j.Reason, j.Detail = adsync.JobParked, time.Time{}, o.Reason, o.Detail
		default:
			t.Delete(row)
			continue
		}
		t.Replace(row, j)
	}
	return held, nil
}

func (r syncJobs) Requeue(ctx context.Context, at time.Time, ids []int64) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.sync.jobs
	n := 0
	for _, row := range t.Among(ids) {
		j := *t.At(row)
		if j.State != adsync.JobParked {
			continue
		}
		j.State, j.DueAt, j.Attempts, j.Reason, j.Detail = adsync.JobQueued, engine.Kept(at), 0, "", ""
		t.Replace(row, j)
		n++
	}
	return n, nil
}

func (r syncJobs) GetMany(ctx context.Context, ids []int64) ([]adsync.Job, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.sync.jobs.Table, ids, engine.AsKept)
}

var syncJobColumns = engine.Columns[adsync.Job]{
	"due_at": func(a, b *adsync.Job) int { return a.DueAt.Compare(b.DueAt) },
}

func (r syncJobs) List(ctx context.Context, f adsync.JobFilter, p affiliate.PageRequest) (affiliate.Page[adsync.Job], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[adsync.Job]{}, err
	}
	s := engine.Everything[adsync.Job]()
	if f != (adsync.JobFilter{}) {
		s.Keep = func(_ uint32, j *adsync.Job) bool { return matchesJob(f, j) }
	}
	return engine.Page(&r.u.Unit, r.u.db.sync.jobs.Table, s, p, syncJobColumns, engine.AsKept)
}

func matchesJob(f adsync.JobFilter, j *adsync.Job) bool {
	return (f.AccountID == "" || j.AccountID == f.AccountID) && (f.AdAccountID == "" || j.AdAccountID == f.AdAccountID) &&
		(f.Kind == "" || j.Kind == f.Kind) && (f.State == "" || j.State == f.State) && (f.Reason == "" || j.Reason == f.Reason)
}

func (r syncJobs) After(ctx context.Context, f adsync.JobFilter, id int64, limit int) ([]adsync.Job, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.jobs
	var list []adsync.Job
	if limit <= 0 || id >= int64(t.Last()) {
		return nil, nil
	}
	t.Each(uint32(max(id, 0)), func(row uint32) bool {
		if j := t.At(row); matchesJob(f, j) {
			list = append(list, *j)
		}
		return len(list) < limit
	})
	return list, nil
}

func (r syncJobs) NextDue(ctx context.Context, accountID, adAccountID string, behind time.Time) (time.Time, error) {
	if err := r.u.Use(ctx); err != nil {
		return time.Time{}, err
	}
	var due time.Time
	r.u.db.sync.jobs.ofAdAccount(adAccountID, behind, func(_ uint32, j *adsync.Job) bool {
		if j.AccountID == accountID && j.Reason != adsync.ReasonParentNotSynced {
			due = j.DueAt
		}
		return due.IsZero()
	})
	return due, nil
}

func (r syncJobs) Wake(ctx context.Context, at time.Time, adAccountID string, parentIDs []uuid.UUID) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.sync.jobs
	for _, parent := range parentIDs {
		for _, row := range t.byParent.Of(jobKey{adAccountID, parent}) {
			if j := t.At(row); j.Reason == adsync.ReasonParentNotSynced || j.State == adsync.JobLeased {
				t.again(row, *j, engine.Kept(at))
			}
		}
	}
	return nil
}

type remoteTable struct {
	*engine.Table[adsync.Remote]
	byKey *engine.Unique[adsync.Remote, jobKey]
}

func keyOfRemote(r *adsync.Remote) jobKey { return jobKey{r.AdAccountID, r.RecordID} }

func newRemoteTable(db *DB) remoteTable {
	t := engine.NewTable[adsync.Remote](&db.store)
	return remoteTable{t, engine.NewUnique(t, func(r *adsync.Remote) (jobKey, bool) { return keyOfRemote(r), true })}
}

type remotes struct{ u *unit }

func (r remotes) Put(ctx context.Context, list ...adsync.Remote) error {
	t := r.u.db.sync.remotes
	return putAll(ctx, r.u, t.Table, t.byKey, keyOfRemote, list, func(v adsync.Remote) adsync.Remote {
		v.SyncedAt, v.SentAt = engine.Kept(v.SyncedAt), engine.Kept(v.SentAt)
		return v
	}, func(*adsync.Remote, uint32) error { return nil })
}

func (r remotes) GetMany(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) ([]adsync.Remote, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.remotes
	list := engine.Collect(t.Table, r.rows(adAccountID, recordIDs), engine.AsKept)
	slices.SortFunc(list, func(a, b adsync.Remote) int { return compareIDs(a.RecordID, b.RecordID) })
	return list, nil
}

func (r remotes) Delete(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, row := range r.rows(adAccountID, recordIDs) {
		r.u.db.sync.remotes.Delete(row)
	}
	return nil
}

func (r remotes) rows(adAccountID string, recordIDs []uuid.UUID) []uint32 {
	var rows []uint32
	for _, id := range recordIDs {
		if row, ok := r.u.db.sync.remotes.byKey.Find(jobKey{adAccountID, id}); ok {
			rows = append(rows, row)
		}
	}
	return engine.Sorted(rows)
}
