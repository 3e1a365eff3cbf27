package adsync

import (
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// JobState is where a job stands.
type JobState string

// The states of a job. A job that is done is not there any more.
const (
	JobQueued JobState = "queued" // waits for its time and for its parent
	JobLeased JobState = "leased" // a worker has it, until its lease ends
	JobParked JobState = "parked" // waits for a person, or for the next change of its record
)

// JobStates lists every state.
func JobStates() []JobState { return []JobState{JobQueued, JobLeased, JobParked} }

// The bounds of what a worker says about a job, in characters.
const (
	MaxReason = 64
	MaxDetail = 1000
	MaxToken  = 64
)

// Job says that a record is to be brought in step with its service. It tells
// not what changed: whoever works on it reads the record as it is then.
//
// A record has at most one job for each ad account, so that two changes of one
// record are never out of order and no worker has a record that another one
// has. A change while the job is leased makes the version grow: the job is not
// done then when that worker is, but queued again.
type Job struct {
	ID        int64 // counted by the backend
	AccountID string
	// AdAccountID is the ad account through which the record is synced.
	AdAccountID string
	Kind        Kind
	RecordID    uuid.UUID
	// ParentID is the record that must be in step before this one: a campaign's
	// id for an ad set, an ad set's for an ad, nil for the others.
	ParentID uuid.UUID
	Version  int64 // from 1; grows with each change of the record
	State    JobState
	// Attempts is how often the job was leased since the record changed last,
	// the present lease included.
	Attempts int
	// DueAt is when it may be leased. Of a leased job it is when the lease ends.
	DueAt time.Time
	// Token names the lease; empty unless it is leased.
	Token string
	// Reason and Detail say why the last attempt failed, or why it is parked:
	// a stable word for programs ("ad_account_disconnected") and a sentence.
	Reason   string
	Detail   string
	QueuedAt time.Time // when the record changed last
}

// Validate checks what every backend refuses of a job to be queued.
func (j Job) Validate() error {
	var v affiliate.Validation
	v.Text("account_id", j.AccountID, 1, MaxAccountID)
	v.Text("ad_account_id", j.AdAccountID, 1, MaxAdAccountID)
	v.Check(oneOf(j.Kind, Kinds()), "kind", "invalid", listed(Kinds()))
	v.Check(j.RecordID != uuid.Nil, "record_id", "required", "is required")
	return v.Err("sync_job")
}

// Lease asks for jobs to work on.
type Lease struct {
	Token string // of this lease, 1..MaxToken characters, never used before
	Now   time.Time
	Until time.Time // when the lease ends by itself; after Now
	Limit int       // 1..MaxLease
	// Except are ad accounts whose jobs are left alone, because their service
	// said to wait.
	Except []string
	// AdAccountID takes the jobs of one ad account alone; empty: of all.
	AdAccountID string
}

// MaxLease bounds how many jobs one lease takes.
const MaxLease = 1000

// Validate checks what every backend refuses.
func (l Lease) Validate() error {
	var v affiliate.Validation
	v.Text("token", l.Token, 1, MaxToken)
	v.Check(l.Until.After(l.Now), "until", "invalid", "must be after now")
	v.Text("ad_account_id", l.AdAccountID, 0, MaxAdAccountID)
	v.Check(l.Limit >= 1 && l.Limit <= MaxLease, "limit", "out_of_range", "must be between 1 and 1000")
	return v.Err("sync_job")
}

// Outcome is what came of a leased job.
type Outcome struct {
	JobID   int64
	Token   string    // the job's, as leased
	Version int64     // the job's, as leased
	State   JobState  // empty: done; JobQueued: to be tried again; JobParked: given up
	DueAt   time.Time // of JobQueued: when it is tried again
	Reason  string    // of JobQueued and JobParked; at most MaxReason characters
	Detail  string    // of JobQueued and JobParked; at most MaxDetail characters
	// Uncounted takes the lease out of the attempts of a job that is to be tried
	// again: nothing failed, the service only asked to wait.
	Uncounted bool
}

// Validate checks what every backend refuses.
func (o Outcome) Validate() error {
	var v affiliate.Validation
	v.Text("token", o.Token, 1, MaxToken)
	v.Check(o.State == "" || o.State == JobQueued || o.State == JobParked, "state", "invalid", "must be empty, queued or parked")
	v.Text("reason", o.Reason, 0, MaxReason)
	v.Text("detail", o.Detail, 0, MaxDetail)
	v.Check(o.State != JobParked || o.Reason != "", "reason", "required", "is required")
	return v.Err("sync_job")
}

// Remote is what is known of a record at its service.
type Remote struct {
	AdAccountID string
	RecordID    uuid.UUID
	Kind        Kind
	// RemoteID is the service's id, at most MaxRemoteID characters. It is empty
	// while nothing is known but that the record was sent.
	RemoteID string
	// Applied is what the service holds, as far as it was told: see [Fields].
	Applied  string // at most MaxApplied characters
	SyncedAt time.Time
	// SentAt is set before a change is sent, and cleared when its result is
	// known. While it is set, the service may or may not have applied Sent.
	SentAt time.Time
	Sent   string // at most MaxApplied characters
	// Handle names the service's asynchronous job for what was sent.
	Handle string // at most MaxHandle characters
}

// The bounds of a remote, in characters.
const (
	MaxRemoteID = 255
	MaxApplied  = 100_000
	MaxHandle   = 1000
)

// Validate checks what every backend refuses.
func (r Remote) Validate() error {
	var v affiliate.Validation
	v.Text("ad_account_id", r.AdAccountID, 1, MaxAdAccountID)
	v.Check(r.RecordID != uuid.Nil, "record_id", "required", "is required")
	v.Check(oneOf(r.Kind, Kinds()), "kind", "invalid", listed(Kinds()))
	v.Check(r.RemoteID != "" || !r.SentAt.IsZero(), "remote_id", "required", "is required of a record that was not just sent")
	v.Text("remote_id", r.RemoteID, 0, MaxRemoteID)
	v.Text("applied", r.Applied, 0, MaxApplied)
	v.Text("sent", r.Sent, 0, MaxApplied)
	v.Text("handle", r.Handle, 0, MaxHandle)
	return v.Err("remote")
}
