package adsync

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// What all repositories of this package share:
//
//   - Ids come from outside. Put keeps values, each in place of the one with its
//     id, all fields of it; of two with one id in a call the later one counts.
//   - Put is ErrInvalid when Validate fails, with the fields of the first value
//     that does; ErrInvalid with the code "unknown_reference" and the field's
//     name when it refers to nothing; ErrConflict with the code "taken" and the
//     field's name when a unique key is in use.
//   - Get is ErrNotFound when there is none. GetMany leaves missing ones out and
//     returns the others in ascending order of id, each once.
//   - List returns at most limit values in the order in which they were created,
//     by CreatedAt and then by id, that are behind the cursor. In a filter the
//     zero value of a field does not filter; all set fields must match.
//   - Campaigns, ad sets and ads that are removed are in no List and have no
//     reference id that counts; Get and GetMany still return them.

// Cursor is a place in a list: behind the value that was created at At and has
// the id ID. The zero Cursor is the beginning.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// AccountRepository keeps accounts.
type AccountRepository interface {
	Put(ctx context.Context, a Account) error
	Get(ctx context.Context, id string) (Account, error)
}

// AdAccountFilter chooses ad accounts.
type AdAccountFilter struct {
	AccountID   string
	Service     AdService
	Connected   affiliate.Optional[bool]
	WithCatalog bool // those that have a catalog
}

// AdAccountRepository keeps ad accounts. ID is unique in an account, which must
// exist ("account_id"), and so is RecordID everywhere ("record_id").
type AdAccountRepository interface {
	// Put keeps an ad account in place of the one with its AccountID and ID.
	Put(ctx context.Context, a AdAccount) error
	Get(ctx context.Context, accountID, id string) (AdAccount, error)
	List(ctx context.Context, f AdAccountFilter, after Cursor, limit int) ([]AdAccount, error)
}

// ItemFilter chooses items.
type ItemFilter struct {
	AccountID      string
	ReferenceID    string
	AdTemplateType string
	Condition      Condition
	Available      affiliate.Optional[bool]
}

// ItemKeys names items by what callers know of them.
type ItemKeys struct {
	IDs          []uuid.UUID
	ReferenceIDs []string
	Fingerprints []string
}

// ItemRepository keeps items. ReferenceID is unique in an account unless it is
// empty ("reference_id"). The account must exist ("account_id").
type ItemRepository interface {
	Put(ctx context.Context, items ...Item) error
	Get(ctx context.Context, id uuid.UUID) (Item, error)
	GetMany(ctx context.Context, ids []uuid.UUID) ([]Item, error)
	// ByReference is ErrNotFound when no item of the account has the reference
	// id, as always for the empty one.
	ByReference(ctx context.Context, accountID, referenceID string) (Item, error)
	// Among returns the items of the account that have one of the keys, each
	// once, in ascending order of id. An empty reference id and an empty
	// fingerprint are no keys.
	Among(ctx context.Context, accountID string, k ItemKeys) ([]Item, error)
	List(ctx context.Context, f ItemFilter, after Cursor, limit int) ([]Item, error)
}

// CampaignFilter chooses campaigns that are not removed.
type CampaignFilter struct {
	AccountID   string
	AdAccountID string
	Service     AdService
	State       State
	ReferenceID string
}

// CampaignRepository keeps campaigns. ReferenceID is unique among those of an
// account that are not removed, unless it is empty ("reference_id"). The account
// must have the ad account ("ad_account").
type CampaignRepository interface {
	Put(ctx context.Context, campaigns ...Campaign) error
	Get(ctx context.Context, id uuid.UUID) (Campaign, error)
	GetMany(ctx context.Context, ids []uuid.UUID) ([]Campaign, error)
	// ByReference is ErrNotFound when no campaign of the account that is not
	// removed has the reference id, as always for the empty one.
	ByReference(ctx context.Context, accountID, referenceID string) (Campaign, error)
	List(ctx context.Context, f CampaignFilter, after Cursor, limit int) ([]Campaign, error)
}

// AdSetFilter chooses ad sets that are not removed.
type AdSetFilter struct {
	AccountID   string
	CampaignID  uuid.UUID
	AdAccountID string
	Service     AdService
	State       State
	ReferenceID string
}

// AdSetRepository keeps ad sets. ReferenceID is unique as that of campaigns is.
// The campaign must exist ("campaign").
type AdSetRepository interface {
	Put(ctx context.Context, adSets ...AdSet) error
	Get(ctx context.Context, id uuid.UUID) (AdSet, error)
	GetMany(ctx context.Context, ids []uuid.UUID) ([]AdSet, error)
	// ByReference is ErrNotFound when no ad set of the account that is not
	// removed has the reference id, as always for the empty one.
	ByReference(ctx context.Context, accountID, referenceID string) (AdSet, error)
	List(ctx context.Context, f AdSetFilter, after Cursor, limit int) ([]AdSet, error)
}

// AdFilter chooses ads that are not removed.
type AdFilter struct {
	AccountID   string
	AdSetIDs    []uuid.UUID // in one of these; nil does not filter, empty matches nothing
	AdAccountID string
	Service     AdService
	Type        AdType
	State       State
	ReferenceID string
}

// AdRepository keeps ads. ReferenceID is unique as that of campaigns is. An item
// has one ad of a template, removed or not ("item_id"). The ad set must exist
// ("ad_set").
type AdRepository interface {
	Put(ctx context.Context, ads ...Ad) error
	Get(ctx context.Context, id uuid.UUID) (Ad, error)
	GetMany(ctx context.Context, ids []uuid.UUID) ([]Ad, error)
	// ByReference is ErrNotFound when no ad of the account that is not removed
	// has the reference id, as always for the empty one.
	ByReference(ctx context.Context, accountID, referenceID string) (Ad, error)
	// ByItems returns the autogenerated ads of the items, removed ones too, in
	// ascending order of id.
	ByItems(ctx context.Context, itemIDs []uuid.UUID) ([]Ad, error)
	List(ctx context.Context, f AdFilter, after Cursor, limit int) ([]Ad, error)
}

// TemplateRepository keeps ad templates. An ad set has one template for a type
// of items ("ad_template_type"). The ad set must exist ("ad_set").
type TemplateRepository interface {
	Put(ctx context.Context, t Template) error
	// Find is ErrNotFound when the ad set has no template for the type.
	Find(ctx context.Context, adSetID uuid.UUID, adTemplateType string) (Template, error)
	// ByAccount returns the templates of an account, those for the type unless
	// it is empty, in ascending order of id.
	ByAccount(ctx context.Context, accountID, adTemplateType string) ([]Template, error)
	// ByAdSets returns the templates of the ad sets in ascending order of id.
	ByAdSets(ctx context.Context, adSetIDs []uuid.UUID) ([]Template, error)
	// Delete takes templates out; those that are not there are no error.
	Delete(ctx context.Context, ids []uuid.UUID) error
}

// JobFilter chooses jobs. Sort columns: due_at.
type JobFilter struct {
	AccountID   string
	AdAccountID string
	Kind        Kind
	State       JobState
	Reason      string
}

// JobRepository keeps the sync jobs. A record has one job for an ad account.
type JobRepository interface {
	// Enqueue notes that records changed at a time. A record without a job gets
	// one, of version 1. That of one with a job becomes queued and due at once,
	// of the next version, without attempts, reason or detail; a leased one
	// stays leased, and its version grows. Of a job only AccountID, AdAccountID,
	// Kind, RecordID and ParentID are looked at. ErrInvalid when Validate fails.
	Enqueue(ctx context.Context, at time.Time, jobs ...Job) error
	// Lease takes jobs that are due and whose parent has no job for the same ad
	// account, earliest DueAt first, ties by id, and returns them as leased,
	// in that order; those of one ad account alone when the lease names it. A
	// lease that ended is as if the job were queued. Two calls at once never take
	// the same job, and neither waits for the other.
	// ErrInvalid when Validate fails.
	Lease(ctx context.Context, l Lease) ([]Job, error)
	// Settle writes down what came of leased jobs and returns how many of them
	// were still held under that token; the others are left alone. A job whose
	// record has changed since is queued again, due at once, unless it is to be
	// tried again later. An uncounted outcome takes the lease out of Attempts,
	// which are never below 0. ErrInvalid when Validate fails.
	Settle(ctx context.Context, at time.Time, outcomes ...Outcome) (int, error)
	// Requeue makes parked jobs queued, due at the time, without attempts, and
	// returns how many; others are no change.
	Requeue(ctx context.Context, at time.Time, ids []int64) (int, error)
	// GetMany returns the jobs with the ids by ascending id, each once.
	GetMany(ctx context.Context, ids []int64) ([]Job, error)
	List(ctx context.Context, f JobFilter, p affiliate.PageRequest) (affiliate.Page[Job], error)
	// After returns at most limit jobs with a higher id, in ascending order of
	// id. It is for walks: its cost does not grow with the jobs before.
	After(ctx context.Context, f JobFilter, id int64, limit int) ([]Job, error)
	// NextDue returns when the next job of an account's ad account is due, or the
	// next lease ends, behind a time; the zero time when there is none. Jobs with
	// ReasonParentNotSynced do not count.
	NextDue(ctx context.Context, accountID, adAccountID string, behind time.Time) (time.Time, error)
	// Wake is Enqueue for the jobs of an ad account that have one of the parents
	// and ReasonParentNotSynced, or are leased: those may be about to get it.
	Wake(ctx context.Context, at time.Time, adAccountID string, parentIDs []uuid.UUID) error
}

// RemoteRepository keeps what is known of records at their services: one value
// for an ad account and a record.
type RemoteRepository interface {
	Put(ctx context.Context, remotes ...Remote) error
	// GetMany returns what an ad account knows of the records, in ascending
	// order of record id.
	GetMany(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) ([]Remote, error)
	// Delete takes out what an ad account knows of the records; those it does
	// not know are no error.
	Delete(ctx context.Context, adAccountID string, recordIDs []uuid.UUID) error
}

// Tx gives the repositories of the package beside those of the core.
type Tx interface {
	affiliate.Tx
	SyncAccounts() AccountRepository
	AdAccounts() AdAccountRepository
	InventoryItems() ItemRepository
	SyncCampaigns() CampaignRepository
	AdSets() AdSetRepository
	Ads() AdRepository
	AdTemplates() TemplateRepository
	SyncJobs() JobRepository
	Remotes() RemoteRepository
}

// Store runs units of work of this package.
type Store interface {
	affiliate.Store[Tx]
	// Work runs a unit for a worker: it calls Lease and Settle, and Put and
	// Delete of remotes. Like Write it is all or nothing and may run its
	// callback again. It is isolated by the locks of the jobs that it touches
	// and not by more, so that many workers do not wait for each other: what it
	// reads beside them may change until it ends.
	Work(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Nested reports whether the context belongs to a unit of the store, in
	// which another one would be ErrNested.
	Nested(ctx context.Context) bool
}
