package adsync

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Driver speaks to one service. It keeps no state that matters: two processes
// with two drivers are as good as one. It is safe for concurrent use.
//
// The package adsynctest has the suite that every driver passes.
type Driver interface {
	// Service returns the service that the driver speaks to.
	Service() AdService
	// Object returns what a record is to be at the service. It makes no call.
	// When the record cannot be synced as it is, the error is a *Blocked; the
	// driver returns the fields that there are beside it.
	Object(t Target) (Fields, error)
	// Apply sends operations of one ad account. It returns a result for each, in
	// their order. No two operations are about one record or about a record and
	// its parent. When the context ends, the operations that were not sent fail
	// with CodeNotSent.
	Apply(ctx context.Context, a AdAccount, ops []Operation) []Result
	// Validate has the service check operations and changes nothing. The failure
	// of an operation that the service cannot check has the code
	// CodeNotValidated.
	Validate(ctx context.Context, a AdAccount, ops []Operation) []Result
	// Read returns objects as they are at the service, in any order; those that
	// are gone are missing. It says only what the service tells: a field that
	// Found lacks is not compared. The error is a *Failure, if the service failed.
	Read(ctx context.Context, a AdAccount, k Kind, remoteIDs []string) ([]Found, error)
}

// Target is a record with what a driver needs beside it.
type Target struct {
	Account   Account
	AdAccount AdAccount
	Kind      Kind
	Item      Item     // of KindItem
	Campaign  Campaign // of KindCampaign, and the parent of KindAdSet
	AdSet     AdSet    // of KindAdSet, and the parent of KindAd
	Ad        Ad       // of KindAd
	// Marker is a text of 32 hexadecimal digits that this record alone has. It
	// is part of the object, so that the object can be found by it.
	Marker string
}

// Marker returns the marker of a record.
func Marker(recordID uuid.UUID) string { return hex.EncodeToString(recordID[:]) }

// State returns the state of the record; items have the state Active.
func (t Target) State() State {
	switch t.Kind {
	case KindCampaign:
		return t.Campaign.State
	case KindAdSet:
		return t.AdSet.State
	case KindAd:
		return t.Ad.State
	}
	return Active
}

// RecordID returns the id of the record.
func (t Target) RecordID() uuid.UUID {
	switch t.Kind {
	case KindCampaign:
		return t.Campaign.ID
	case KindAdSet:
		return t.AdSet.ID
	case KindAd:
		return t.Ad.ID
	}
	return t.Item.ID
}

// Name returns what a person calls the record; it may be empty.
func (t Target) Name() string {
	switch t.Kind {
	case KindCampaign:
		return firstText(t.Campaign.Title, t.Campaign.ReferenceID)
	case KindAdSet:
		return firstText(t.AdSet.Title, t.AdSet.ReferenceID)
	case KindAd:
		return firstText(t.Ad.ReferenceID, t.Ad.Creative.HeadlinePart1, t.Ad.Creative.Message)
	}
	return firstText(t.Item.Title, t.Item.ReferenceID)
}

func firstText(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// Blocked is the error of a record that a person must complete first.
type Blocked struct {
	Reason string // stable, at most MaxReason characters: "location_required"
	Field  string // of the record, in wire spelling
	Detail string // a sentence
}

func (b *Blocked) Error() string { return b.Reason + ": " + b.Detail }

// The reasons why a record is parked before anything is sent. The other reasons
// are the codes of failures.
const (
	ReasonLocationRequired      = "location_required"
	ReasonLocationUnsupported   = "location_unsupported"
	ReasonBudgetRequired        = "budget_required"
	ReasonAdTypeUnsupported     = "ad_type_unsupported"
	ReasonPageRequired          = "page_required" // a Facebook ad without a page that it speaks for
	ReasonFieldRequired         = "field_required"
	ReasonDisconnected          = "ad_account_disconnected"
	ReasonNoDriver              = "no_driver"
	ReasonTooLarge              = "too_large"
	ReasonParentNotSynced       = "parent_not_synced" // queued, not parked
	ReasonServiceWorks          = "service_works"     // queued: the service works on it
	ReasonAttemptsWithoutResult = "attempts_exhausted"
)

// Fields is an object at a service, flat: the names of the service's fields,
// nested ones with dots, and their values as text. An empty text is the same as
// a field that is absent.
type Fields map[string]string

// Encode returns the fields as JSON, sorted by name.
func (f Fields) Encode() string {
	// A map of strings always marshals.
	text, _ := json.Marshal(f.compact())
	return string(text)
}

func (f Fields) compact() Fields {
	out := make(Fields, len(f))
	for name, value := range f {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// ParseFields reads what Encode returns; the empty text has no fields.
func ParseFields(text string) (Fields, error) {
	if text == "" {
		return Fields{}, nil
	}
	var f Fields
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("adsync: fields: %w", err)
	}
	if f == nil {
		f = Fields{}
	}
	return f, nil
}

// Names returns the names of the fields that have a value, sorted.
func (f Fields) Names() []string { return slices.Sorted(maps.Keys(f.compact())) }

// Change is a field that is to be another one.
type Change struct {
	Field  string
	Before string // empty: absent
	After  string // empty: absent
}

// Diff returns what must change to make before into after, sorted by field.
func Diff(before, after Fields) []Change {
	all := maps.Clone(before)
	if all == nil {
		all = Fields{}
	}
	maps.Copy(all, after)
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if before[name] != after[name] {
			out = append(out, Change{name, before[name], after[name]})
		}
	}
	return out
}

// Action is what is to be done with an object.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Remove Action = "remove"
)

// Operation is one change at a service.
type Operation struct {
	Action   Action
	Kind     Kind
	RecordID uuid.UUID
	Marker   string
	// RemoteID is the service's id of the object: of Update, and of Remove
	// unless the object was only maybe created.
	RemoteID string
	ParentID string   // the service's id of the parent, of what has one
	Fields   Fields   // the object as it is to be; of Remove as it was, if that is known
	Changes  []Change // of Create and Update
	// Repeated says that the operation may have been sent and applied before. A
	// Create then first looks for the object by its marker; an Update has all
	// fields as changes; a Remove without a RemoteID looks for it too.
	Repeated bool
	// Handle is the service's asynchronous job of an operation that was sent:
	// the driver asks what became of it and sends nothing.
	Handle string
}

// Result is what came of an operation.
type Result struct {
	RemoteID string // of a Create and an Update that were applied
	// Handle is set when the service works on the operation: it is asked again
	// after RetryAfter.
	Handle     string
	RetryAfter time.Duration
	RequestID  string   // the service's name of the call, for its support
	Failure    *Failure // nil: applied, or the service works on it
}

// Failure is why a service did not do what it was asked.
type Failure struct {
	Code      string // stable, at most MaxReason characters; see CodeRateLimited and its neighbours
	Field     string // that the service blames, in its own spelling
	Detail    string // the service's sentence
	Retryable bool   // the same may succeed later
	// RetryAfter is how long the service asks to wait; 0: it does not say.
	RetryAfter time.Duration
	// Throttled says that the whole ad account must wait. It is no attempt.
	Throttled bool
	// Unapplied says that the service surely did not apply the operation.
	Unapplied bool
	RequestID string
}

func (f *Failure) Error() string {
	text := f.Code
	if f.Field != "" {
		text += " (" + f.Field + ")"
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// The codes of failures that all drivers share.
const (
	CodeRateLimited   = "rate_limited"   // Throttled
	CodeUnavailable   = "unavailable"    // the service or the way to it failed; Retryable
	CodeUnknownResult = "unknown_result" // the answer was lost; Retryable
	CodeNotSent       = "not_sent"       // the time of the lease ended; Retryable
	CodeConflict      = "conflict"       // somebody changes the same; Retryable
	CodeCredentials   = "credentials"    // the token is not accepted
	CodePermission    = "permission"     // the token may not do it
	CodeVersionGone   = "version_gone"   // the service dropped the API version
	CodeInvalid       = "invalid_field"
	CodePolicy        = "policy" // against the service's advertising policies
	CodeDuplicate     = "duplicate"
	CodeGone          = "gone" // the object or its parent is not there
	CodeInvalidItem   = "invalid_item"
	CodeNotValidated  = "not_validated"
	CodeBadAnswer     = "bad_answer" // the service answered what the driver does not understand; Retryable
)

// Found is an object as it is at its service.
type Found struct {
	RemoteID string
	Fields   Fields
	// ChangedBy and ChangedAt say who changed it last, where the service tells.
	ChangedBy string
	ChangedAt time.Time
}
