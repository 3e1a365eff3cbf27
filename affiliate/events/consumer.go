package events

import (
	"fmt"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Channel says who serves a consumer.
type Channel = string

// ChannelProcess has the functions that a program subscribes with
// [Service.Subscribe].
const ChannelProcess Channel = "process"

// The bounds of what is kept, in characters unless they say otherwise.
const (
	MaxName   = 128
	MaxKinds  = 200 // kinds of one filter
	MaxReason = 64
	MaxDetail = 1000
	MaxToken  = 64
	MaxLease  = 1000 // consumers of one lease, outcomes of one settlement
)

// Filter chooses the events that a consumer wants. The zero Filter wants all.
type Filter struct {
	Kinds        []string // names of kinds, each once; empty: all
	AdvertiserID int64    // of this advertiser only
	ClientID     int64    // of this client only
}

// Wants reports whether the filter lets an event through.
func (f Filter) Wants(e affiliate.Event) bool {
	if f.AdvertiserID != 0 && f.AdvertiserID != e.AdvertiserID || f.ClientID != 0 && f.ClientID != e.ClientID {
		return false
	}
	for _, k := range f.Kinds {
		if k == e.Kind {
			return true
		}
	}
	return len(f.Kinds) == 0
}

// Equal reports whether two filters are written alike.
func (f Filter) Equal(o Filter) bool {
	return f.AdvertiserID == o.AdvertiserID && f.ClientID == o.ClientID && slices.Equal(f.Kinds, o.Kinds)
}

// Consumer is somebody who hears of events: a function of the program, or a
// webhook's endpoint. One process at a time serves it, under a lease.
type Consumer struct {
	ID      int64 // counted by the backend
	Channel Channel
	Name    string // unique in its channel
	Filter  Filter
	// Paused consumers are not served, and no delivery is queued for them.
	Paused    bool
	CreatedAt time.Time

	// What follows is the backend's; Put does not look at it.

	// DueAt is when the consumer is served next; zero when nothing waits. Of a
	// leased one it is when the lease ends.
	DueAt time.Time
	// HeldUntil is the time before which it is not served, whatever waits.
	HeldUntil time.Time
	// Token names the lease; empty unless it is leased.
	Token string
	// Takeovers counts the leases in a row that ended without a settlement:
	// whoever held them crashed or was too slow.
	Takeovers int
}

// Validate checks what every backend refuses.
func (c Consumer) Validate() error {
	var v affiliate.Validation
	v.Text("channel", c.Channel, 1, 32)
	v.Text("name", c.Name, 1, MaxName)
	v.Check(len(c.Filter.Kinds) <= MaxKinds, "kinds", "too_many", fmt.Sprintf("must have at most %d items", MaxKinds))
	seen := make(map[string]bool, len(c.Filter.Kinds))
	for n, k := range c.Filter.Kinds {
		v.Text(fmt.Sprintf("kinds.%d", n), k, 1, 64)
		v.Check(!seen[k], fmt.Sprintf("kinds.%d", n), "duplicate", "must not be named twice")
		seen[k] = true
	}
	v.Check(c.Filter.AdvertiserID >= 0, "advertiser_id", "out_of_range", "must not be negative")
	v.Check(c.Filter.ClientID >= 0, "client_id", "out_of_range", "must not be negative")
	return v.Err("event_consumer")
}

// State is where a delivery stands. One that is done is not there any more.
type State string

// The states of a delivery.
const (
	Waiting State = "waiting" // for its time, and for those before it
	Parked  State = "parked"  // given up: it waits for a person
)

// States lists every state.
func States() []State { return []State{Waiting, Parked} }

// Delivery is an event on its way to a consumer.
type Delivery struct {
	ID         int64 // counted by the backend
	ConsumerID int64
	Sequence   int64 // of the event
	Object     affiliate.Object
	State      State
	Attempts   int       // that failed
	DueAt      time.Time // when it is tried next; zero when it is parked
	// Reason and Detail say why the last attempt failed: a stable word for
	// programs ("failed") and a sentence.
	Reason   string
	Detail   string
	QueuedAt time.Time // when it was queued, or queued again
}

// Validate checks what every backend refuses.
func (d Delivery) Validate() error {
	var v affiliate.Validation
	v.Check(d.State == Waiting || d.State == Parked, "state", "invalid", "must be waiting or parked")
	return v.Err("event_delivery")
}

// Lease asks for consumers to serve.
type Lease struct {
	Channel Channel
	Names   []string // one of these; nil does not filter, empty matches nothing
	Token   string   // of this lease, 1..MaxToken characters, never used before
	Now     time.Time
	Until   time.Time // when the lease ends by itself; after Now
	Limit   int       // 1..MaxLease
}

// Validate checks what every backend refuses.
func (l Lease) Validate() error {
	var v affiliate.Validation
	v.Text("token", l.Token, 1, MaxToken)
	v.Check(l.Until.After(l.Now), "until", "invalid", "must be after now")
	v.Check(l.Limit >= 1 && l.Limit <= MaxLease, "limit", "out_of_range", fmt.Sprintf("must be between 1 and %d", MaxLease))
	return v.Err("event_consumer")
}

// Result is what came of an attempt to deliver.
type Result string

// The results.
const (
	Done   Result = "done"
	Later  Result = "later"   // tried again at the outcome's time
	GaveUp Result = "gave_up" // parked
)

// Outcome is the result of one delivery.
type Outcome struct {
	DeliveryID int64
	Result     Result
	DueAt      time.Time // of Later
	Reason     string    // of Later and GaveUp
	Detail     string    // of Later and GaveUp
}

// Settlement ends a lease.
type Settlement struct {
	ConsumerID int64
	Token      string // the consumer's, as leased
	// HeldUntil is the time before which the consumer is not served again; zero
	// when its deliveries alone decide.
	HeldUntil time.Time
	Outcomes  []Outcome // of this consumer's deliveries, each once; the others stay as they are
}

// Validate checks what every backend refuses.
func (s Settlement) Validate() error {
	var v affiliate.Validation
	v.Text("token", s.Token, 1, MaxToken)
	v.Check(len(s.Outcomes) <= MaxLease, "outcomes", "too_many", fmt.Sprintf("must have at most %d items", MaxLease))
	for n, o := range s.Outcomes {
		field := func(name string) string { return fmt.Sprintf("outcomes.%d.%s", n, name) }
		v.Check(o.Result == Done || o.Result == Later || o.Result == GaveUp, field("result"), "invalid", "must be done, later or gave_up")
		v.Check(o.Result != Later || !o.DueAt.IsZero(), field("due_at"), "required", "is required")
		v.Check(o.Result == Done || o.Reason != "", field("reason"), "required", "is required")
		v.Text(field("reason"), o.Reason, 0, MaxReason)
		v.Text(field("detail"), o.Detail, 0, MaxDetail)
	}
	return v.Err("event_consumer")
}

// Backlog is what waits for one consumer.
type Backlog struct {
	Consumer string // its name
	Waiting  int
	Parked   int
	Oldest   time.Time // when the first of those that wait was queued; zero when none waits
}
