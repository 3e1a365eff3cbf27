package links

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Retained says what retention has taken out, so that Verify knows from where
// on clicks are complete. Package links/retention writes it.
type Retained struct {
	// ClicksThrough is the last click that was given up: it and all before it may
	// be gone, and are counted below. uuid.Nil: none was.
	ClicksThrough uuid.UUID
	ClicksFrom    time.Time // midnight UTC: the clicks of this day and later are all there; zero: all are
	Clicks        int64     // how many were given up
	Entries       int64     // how many of those have an entry in the ledger
	// VisitorsThrough is the last click whose visitor key was erased, with those
	// of all before it. VisitorsFrom is as ClicksFrom.
	VisitorsThrough uuid.UUID
	VisitorsFrom    time.Time
	EventsThrough   int64 // the sequence of the last event that is in the archive
}

// Validate checks what every backend refuses.
func (r Retained) Validate() error {
	var v affiliate.Validation
	v.Check(r.Clicks >= 0, "clicks", "negative", "must not be negative")
	v.Check(r.Entries >= 0, "entries", "negative", "must not be negative")
	v.Check(r.EventsThrough >= 0, "events_through", "negative", "must not be negative")
	v.Check(r.ClicksFrom.Equal(DayOf(r.ClicksFrom)), "clicks_from", "not_midnight", "must be midnight in UTC")
	v.Check(r.VisitorsFrom.Equal(DayOf(r.VisitorsFrom)), "visitors_from", "not_midnight", "must be midnight in UTC")
	return v.Err("retained")
}

// RetentionRepository keeps what retention has done, and what budgets have
// counted of clicks that it gave up.
type RetentionRepository interface {
	// Get returns the zero Retained before the first Put.
	Get(ctx context.Context) (Retained, error)
	// Put replaces it. ErrInvalid when Validate fails.
	Put(ctx context.Context, r Retained) error
	// Add adds counts to those of the clicks that were given up, by counter. A sum
	// beyond 64 bits is ErrInvalid "overflow".
	Add(ctx context.Context, gone ...offers.Usage) error
	// Scan returns the counts of at most limit counters behind a key, in the
	// order of Compare.
	Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error)
}

// ClickParts is a store that keeps the clicks of each month in a part of its
// own, which goes as a whole. It is for package links/retention.
type ClickParts interface {
	// ClicksByMonth reports whether it does.
	ClicksByMonth(ctx context.Context) (bool, error)
	// DropClicks removes every part without a click behind the given one, outside
	// of units, and has parts ready for the clicks of the coming months. It does
	// not wait for others longer than a moment: what it cannot do now stays for
	// the next call.
	DropClicks(ctx context.Context, through uuid.UUID, now time.Time) error
}
