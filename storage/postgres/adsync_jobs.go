package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Jobs are written by hand: they are queued and settled by the batch, and
// leased by many workers at once, none of which waits for another.

type syncJobRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_jobs,alias:t"`

	ID          int64           `bun:"id,pk,autoincrement"`
	AccountID   string          `bun:"account_id"`
	AdAccountID string          `bun:"ad_account_id"`
	Kind        adsync.Kind     `bun:"kind"`
	RecordID    uuid.UUID       `bun:"record_id"`
	ParentID    uuid.NullUUID   `bun:"parent_id"`
	Version     int64           `bun:"version"`
	State       adsync.JobState `bun:"state"`
	Attempts    int             `bun:"attempts"`
	DueAt       time.Time       `bun:"due_at,nullzero"`
	Token       string          `bun:"token"`
	Reason      string          `bun:"reason"`
	Detail      string          `bun:"detail"`
	QueuedAt    time.Time       `bun:"queued_at,nullzero"`
}

func (r syncJobRow) job() adsync.Job {
	return adsync.Job{
		ID: r.ID, AccountID: r.AccountID, AdAccountID: r.AdAccountID, Kind: r.Kind, RecordID: r.RecordID, ParentID: r.ParentID.UUID,
		Version: r.Version, State: r.State, Attempts: r.Attempts, DueAt: utc(r.DueAt), Token: r.Token, Reason: r.Reason, Detail: r.Detail,
		QueuedAt: utc(r.QueuedAt),
	}
}

var syncJobTable = table[adsync.Job, syncJobRow]{
	name: "affiliate_sync_jobs", resource: "sync_job", entity: syncJobRow.job,
	sort: map[string]string{"due_at": "t.due_at"},
}

type syncJobs struct{ u *unit }

func (r syncJobs) Enqueue(ctx context.Context, at time.Time, jobs ...adsync.Job) error {
	return exec(ctx, r.u, "sync_job", func(ctx context.Context) error {
		type key struct {
			record    uuid.UUID
			adAccount string
		}
		last := make(map[key]int, len(jobs))
		for n, j := range jobs {
			if err := j.Validate(); err != nil {
				return err
			}
			last[key{j.RecordID, j.AdAccountID}] = n
		}
		var list []adsync.Job
		for n, j := range jobs {
			if last[key{j.RecordID, j.AdAccountID}] == n {
				list = append(list, j)
			}
		}
		_, err := r.u.prepared(`INSERT INTO {schema}affiliate_sync_jobs AS t
				(account_id, ad_account_id, kind, record_id, parent_id, version, state, attempts, due_at, token, reason, detail, queued_at)
			SELECT account_id, ad_account_id, kind, record_id::uuid, nullif(parent_id, '')::uuid, 1, 'queued', 0, ?0::timestamptz, '', '', '', ?0::timestamptz
			FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::text[], ?5::text[]) WITH ORDINALITY AS b (account_id, ad_account_id, kind, record_id, parent_id, n)
			ORDER BY n
			ON CONFLICT (record_id, ad_account_id) DO UPDATE SET
				account_id = excluded.account_id, kind = excluded.kind, parent_id = excluded.parent_id, `+queuedAgain,
			at,
			values(list, func(j *adsync.Job) string { return j.AccountID }),
			values(list, func(j *adsync.Job) string { return j.AdAccountID }),
			values(list, func(j *adsync.Job) string { return string(j.Kind) }),
			values(list, func(j *adsync.Job) string { return j.RecordID.String() }),
			values(list, func(j *adsync.Job) string {
				if j.ParentID == uuid.Nil {
					return ""
				}
				return j.ParentID.String()
			})).Exec(ctx)
		return err
	})
}

// leasedRow is a job with the time that it was due.
type leasedRow struct {
	syncJobRow
	WasDue time.Time `bun:"was_due"`
}

func (r syncJobs) Lease(ctx context.Context, l adsync.Lease) ([]adsync.Job, error) {
	return change(ctx, r.u, "sync_job", func(ctx context.Context) ([]adsync.Job, error) {
		if err := l.Validate(); err != nil {
			return nil, err
		}
		var rows []leasedRow
		// One of two statements, so that each has the index that is made for it.
		only := "?5::text = ''"
		if l.AdAccountID != "" {
			only = "j.ad_account_id = ?5::text"
		}
		// Materialized, so that the limit holds: joined, the choice might be made
		// again for each row.
		err := r.u.prepared(`WITH due AS MATERIALIZED (
				SELECT j.id, j.due_at FROM {schema}affiliate_sync_jobs AS j
				WHERE j.state <> 'parked' AND j.due_at <= ?0::timestamptz AND j.ad_account_id <> ALL(?1::text[])
					AND `+only+` AND NOT EXISTS (
					SELECT FROM {schema}affiliate_sync_jobs AS p WHERE p.record_id = j.parent_id AND p.ad_account_id = j.ad_account_id)
				ORDER BY j.due_at, j.id LIMIT ?2::bigint FOR UPDATE OF j`+r.u.passingOver()+`
			) UPDATE {schema}affiliate_sync_jobs AS t SET state = 'leased', token = ?3::text, due_at = ?4::timestamptz, attempts = t.attempts + 1
			FROM due WHERE t.id = due.id RETURNING t.*, due.due_at AS was_due`,
			l.Now, storableOf(l.Except), int64(l.Limit), l.Token, l.Until, l.AdAccountID).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(rows, func(a, b leasedRow) int { return cmp.Or(a.WasDue.Compare(b.WasDue), cmp.Compare(a.ID, b.ID)) })
		return converted(rows, func(r leasedRow) adsync.Job { return r.job() }), nil
	})
}

func (r syncJobs) Settle(ctx context.Context, at time.Time, outcomes ...adsync.Outcome) (int, error) {
	return change(ctx, r.u, "sync_job", func(ctx context.Context) (int, error) {
		type key struct {
			id    int64
			token string
		}
		seen := make(map[key]bool, len(outcomes))
		var list []adsync.Outcome
		for _, o := range outcomes {
			if err := o.Validate(); err != nil {
				return 0, err
			}
			if !seen[key{o.JobID, o.Token}] {
				seen[key{o.JobID, o.Token}] = true
				list = append(list, o)
			}
		}
		ids := values(list, func(o *adsync.Outcome) int64 { return o.JobID })
		// First the locks, so that the next statement sees the versions that the
		// records have while they are held.
		if _, err := r.u.prepared(`SELECT FROM {schema}affiliate_sync_jobs WHERE id = ANY(?0::bigint[]) ORDER BY id FOR UPDATE`, ids).Exec(ctx); err != nil {
			return 0, err
		}
		var held int
		err := r.u.prepared(`WITH o AS MATERIALIZED (
				SELECT * FROM unnest(?0::bigint[], ?1::text[], ?2::bigint[], ?3::text[], ?4::timestamptz[], ?5::text[], ?6::text[], ?8::bigint[])
					AS o (id, token, version, state, due_at, reason, detail, uncounted)
			), done AS (
				DELETE FROM {schema}affiliate_sync_jobs AS t USING o
				WHERE t.id = o.id AND t.state = 'leased' AND t.token = o.token AND o.state = '' AND t.version = o.version RETURNING 1
			), kept AS (
				UPDATE {schema}affiliate_sync_jobs AS t SET token = '',
					state = CASE WHEN o.state = 'parked' AND t.version = o.version THEN 'parked' ELSE 'queued' END,
					due_at = CASE WHEN o.state = 'queued' THEN nullif(o.due_at, `+zeroTime+`) WHEN t.version = o.version THEN NULL ELSE ?7::timestamptz END,
					attempts = CASE WHEN o.state = 'queued' THEN greatest(t.attempts - o.uncounted, 0) ELSE t.attempts END,
					reason = CASE WHEN o.state = 'queued' OR t.version = o.version THEN o.reason ELSE t.reason END,
					detail = CASE WHEN o.state = 'queued' OR t.version = o.version THEN o.detail ELSE t.detail END
				FROM o WHERE t.id = o.id AND t.state = 'leased' AND t.token = o.token AND NOT (o.state = '' AND t.version = o.version) RETURNING 1
			) SELECT (SELECT count(*) FROM done) + (SELECT count(*) FROM kept)`,
			ids,
			values(list, func(o *adsync.Outcome) string { return o.Token }),
			values(list, func(o *adsync.Outcome) int64 { return o.Version }),
			values(list, func(o *adsync.Outcome) string { return string(o.State) }),
			values(list, func(o *adsync.Outcome) time.Time { return o.DueAt }),
			values(list, func(o *adsync.Outcome) string { return o.Reason }),
			values(list, func(o *adsync.Outcome) string { return o.Detail }),
			at,
			values(list, func(o *adsync.Outcome) int64 {
				if o.Uncounted {
					return 1
				}
				return 0
			})).Scan(ctx, &held)
		return held, err
	})
}

func (r syncJobs) Requeue(ctx context.Context, at time.Time, ids []int64) (int, error) {
	return change(ctx, r.u, "sync_job", func(ctx context.Context) (int, error) {
		res, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET state = 'queued', due_at = ?, attempts = 0, reason = '', detail = ''
			WHERE id = ANY(?::bigint[]) AND state = 'parked'`, r.u.name("affiliate_sync_jobs"), at, pgdialect.Array(ids))
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}

func (r syncJobs) GetMany(ctx context.Context, ids []int64) ([]adsync.Job, error) {
	return syncJobTable.getMany(ctx, r.u, ids)
}

func (r syncJobs) List(ctx context.Context, f adsync.JobFilter, p affiliate.PageRequest) (affiliate.Page[adsync.Job], error) {
	return syncJobTable.list(ctx, r.u, p, ofJobs(f))
}

func ofJobs(f adsync.JobFilter) func(filter) {
	return func(q filter) {
		q.text("t.account_id", f.AccountID)
		q.text("t.ad_account_id", f.AdAccountID)
		q.text("t.kind", string(f.Kind))
		q.text("t.state", string(f.State))
		q.text("t.reason", f.Reason)
	}
}

func (r syncJobs) After(ctx context.Context, f adsync.JobFilter, id int64, limit int) ([]adsync.Job, error) {
	return read(ctx, r.u, "sync_job", func(ctx context.Context) ([]adsync.Job, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []syncJobRow
		q := syncJobTable.selectFrom(r.u, &rows)
		ofJobs(f)(q)
		err := q.Where("t.id > ?", id).OrderExpr("t.id").Limit(int64(limit)).Scan(ctx)
		return syncJobTable.entities(rows), err
	})
}

func (r syncJobs) NextDue(ctx context.Context, accountID, adAccountID string, behind time.Time) (time.Time, error) {
	return read(ctx, r.u, "sync_job", func(ctx context.Context) (time.Time, error) {
		if !storable(accountID) || !storable(adAccountID) {
			return time.Time{}, nil
		}
		var due bun.NullTime
		err := r.u.prepared(`SELECT min(due_at) FROM {schema}affiliate_sync_jobs
			WHERE state <> 'parked' AND ad_account_id = ?0::text AND account_id = ?1::text AND due_at > ?2::timestamptz AND reason <> ?3::text`,
			adAccountID, accountID, behind, adsync.ReasonParentNotSynced).Scan(ctx, &due)
		return utc(due.Time), err
	})
}

func (r syncJobs) Wake(ctx context.Context, at time.Time, adAccountID string, parentIDs []uuid.UUID) error {
	return exec(ctx, r.u, "sync_job", func(ctx context.Context) error {
		if !storable(adAccountID) {
			return nil
		}
		_, err := r.u.prepared(`UPDATE {schema}affiliate_sync_jobs AS t SET `+queuedAgain+`
			WHERE t.parent_id = ANY(?1::uuid[]) AND t.ad_account_id = ?2::text AND (t.reason = ?3::text OR t.state = 'leased')`,
			at, texts(parentIDs), adAccountID, adsync.ReasonParentNotSynced).Exec(ctx)
		return err
	})
}

// queuedAgain are the columns of a job whose record changes at ?0.
const queuedAgain = `version = t.version + 1,
	state = CASE t.state WHEN 'leased' THEN 'leased' ELSE 'queued' END,
	due_at = CASE t.state WHEN 'leased' THEN t.due_at ELSE ?0::timestamptz END,
	attempts = 0, reason = '', detail = '', queued_at = ?0::timestamptz`

type remoteRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_remotes,alias:t"`

	AdAccountID string      `bun:"ad_account_id,pk"`
	RecordID    uuid.UUID   `bun:"record_id,pk"`
	Kind        adsync.Kind `bun:"kind"`
	RemoteID    string      `bun:"remote_id"`
	Applied     string      `bun:"applied"`
	SyncedAt    time.Time   `bun:"synced_at,nullzero"`
	SentAt      time.Time   `bun:"sent_at,nullzero"`
	Sent        string      `bun:"sent"`
	Handle      string      `bun:"handle"`
}

var remoteTable = table[adsync.Remote, remoteRow]{
	name: "affiliate_sync_remotes", resource: "remote",
	row: func(v adsync.Remote) remoteRow {
		return remoteRow{
			AdAccountID: v.AdAccountID, RecordID: v.RecordID, Kind: v.Kind, RemoteID: v.RemoteID, Applied: v.Applied, SyncedAt: v.SyncedAt,
			SentAt: v.SentAt, Sent: v.Sent, Handle: v.Handle,
		}
	},
	entity: func(r remoteRow) adsync.Remote {
		return adsync.Remote{
			AdAccountID: r.AdAccountID, RecordID: r.RecordID, Kind: r.Kind, RemoteID: r.RemoteID, Applied: r.Applied, SyncedAt: utc(r.SyncedAt),
			SentAt: utc(r.SentAt), Sent: r.Sent, Handle: r.Handle,
		}
	},
}

type remotes struct{ u *unit }

func (r remotes) Put(ctx context.Context, list ...adsync.Remote) error {
	type key struct {
		adAccount string
		record    uuid.UUID
	}
	return putAll(ctx, r.u, remoteTable, list, func(v *adsync.Remote) key { return key{v.AdAccountID, v.RecordID} }, "ad_account_id, record_id")
}

func (r remotes) GetMany(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) ([]adsync.Remote, error) {
	return read(ctx, r.u, "remote", func(ctx context.Context) ([]adsync.Remote, error) {
		if !storable(adAccountID) {
			return nil, nil
		}
		// By LATERAL, since for one ANY the planner may read all of the ad account.
		var rows []remoteRow
		err := r.u.prepared(`SELECT t.* FROM (SELECT DISTINCT v FROM unnest(?1::uuid[]) AS k (v)) AS k CROSS JOIN LATERAL (
				SELECT * FROM {schema}affiliate_sync_remotes WHERE ad_account_id = ?0::text AND record_id = k.v LIMIT 1
			) AS t ORDER BY t.record_id`, adAccountID, texts(recordIDs)).Scan(ctx, &rows)
		return remoteTable.entities(rows), err
	})
}

func (r remotes) Delete(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) error {
	return exec(ctx, r.u, "remote", func(ctx context.Context) error {
		if !storable(adAccountID) {
			return nil
		}
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE ad_account_id = ? AND record_id = ANY(?::uuid[])`,
			r.u.name("affiliate_sync_remotes"), adAccountID, idArray(recordIDs))
		return err
	})
}
