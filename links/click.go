package links

import (
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Verdict is what became of a click. Only valid ones are paid; all are kept.
type Verdict string

// The verdicts.
const (
	VerdictValid     Verdict = "valid"
	VerdictDuplicate Verdict = "duplicate" // same visitor and link within the window
	VerdictBot       Verdict = "bot"
	VerdictBlocked   Verdict = "blocked" // creator, link or advertiser takes no part; see Click.Reason
	VerdictCapped    Verdict = "capped"  // no budget had room for it
)

// Verdicts lists every verdict, in the order above.
func Verdicts() []Verdict {
	return []Verdict{VerdictValid, VerdictDuplicate, VerdictBot, VerdictBlocked, VerdictCapped}
}

// VisitorKey stands for a reader on one day: a keyed hash of IP address and
// user agent. The key of the hash rotates daily and is forgotten after two
// days, so that nobody can go back from it to the reader.
type VisitorKey [16]byte

// Click is one reader following a link.
type Click struct {
	ID           uuid.UUID // version 7
	LinkID       int64
	UserID       int64 // the link's creator
	AdvertiserID int64 // the link's advertiser
	OfferID      int64 // the offer that it was charged to, 0: none
	At           time.Time
	Source       affiliate.TrafficSource
	Visitor      VisitorKey
	Verdict      Verdict
	// Repeats is the valid click that a duplicate repeats: an order after the
	// duplicate is paid by it. uuid.Nil for every other click, and for duplicates
	// that were kept before this was.
	Repeats uuid.UUID
	Reason  string          // why the verdict is not valid, stable snake_case, at most 64 characters; empty when it is
	Earning affiliate.Money // of the creator, zero unless valid
	Cost    affiliate.Money // of the advertiser, in the same currency, zero unless valid
	// Terms are the rates of the moment, as JSON, frozen: what the click was
	// priced by, and what an order that follows it will be. At most 4096 characters.
	Terms string
}

// Cause is what the click's ledger entry is booked under.
func (c Click) Cause() string { return "click:" + c.ID.String() }

// CountedIn returns the counters of budgets that the click counts in.
func (c Click) CountedIn() ([]offers.UsageKey, error) {
	if c.OfferID == 0 || c.Verdict != VerdictValid {
		return nil, nil
	}
	return offers.CountedIn(c.Terms, c.UserID)
}

// Validate checks what every backend refuses.
func (c Click) Validate() error {
	var v affiliate.Validation
	v.Check(c.ID != uuid.Nil, "id", "required", "is required")
	v.Check(!c.At.IsZero(), "at", "required", "is required")
	v.Check(c.Source < affiliate.TrafficSources, "source", "unknown_source", "must be between 0 and 4")
	known := false
	for _, w := range Verdicts() {
		known = known || w == c.Verdict
	}
	v.Check(known, "verdict", "unknown_verdict", "must be a known verdict")
	v.Check(c.Repeats == uuid.Nil || c.Verdict == VerdictDuplicate, "repeats", "not_duplicate", "must be set for a duplicate only")
	v.Text("reason", c.Reason, 0, 64)
	v.Check(c.Earning.Currency().Valid(), "earning", "unknown_currency", "must have an ISO 4217 currency")
	v.Check(c.Earning.Currency() == c.Cost.Currency(), "cost", "currency_mismatch", "must be in the currency of the earning")
	v.Check(c.Earning.Sign() >= 0, "earning", "negative", "must not be negative")
	v.Check(c.Cost.Sign() >= 0, "cost", "negative", "must not be negative")
	v.Check(c.Verdict == VerdictValid || c.Earning.IsZero() && c.Cost.IsZero(), "earning", "not_valid", "must be zero unless the click is valid")
	v.Text("terms", c.Terms, 0, 4096)
	return v.Err("click")
}

// Visit names a reader of a link, for finding duplicates: the reader has
// another key every day.
type Visit struct {
	LinkID   int64
	Visitor  VisitorKey // of the day
	Previous VisitorKey // of the day before
}

// LastVisit is the newest valid click of a visit; zero when there was none.
type LastVisit struct {
	At      time.Time
	ClickID uuid.UUID
}

// clickKinds is what the clicks of each verdict count as.
var clickKinds = map[Verdict]stats.Kind{
	VerdictValid: stats.ClickValid, VerdictDuplicate: stats.ClickDuplicate, VerdictBot: stats.ClickBot,
	VerdictBlocked: stats.ClickBlocked, VerdictCapped: stats.ClickCapped,
}

// event is what statistics count of the click.
func (c *Click) event(a *affiliate.Advertiser) stats.Fact {
	return stats.Fact{
		Kind: clickKinds[c.Verdict], Day: stats.DayOf(c.At, a), AdvertiserID: c.AdvertiserID, OfferID: c.OfferID, UserID: c.UserID,
		LinkID: c.LinkID, Source: c.Source, Reader: stats.Reader(c.Visitor), Earning: c.Earning, Cost: c.Cost,
	}
}

// reversal is what the ledger entry that takes the click back is booked under.
func (c *Click) reversal() string { return "reversal:" + c.Cause() }

// reversed is what statistics count when the click is taken back, on its day.
func (c *Click) reversed(a *affiliate.Advertiser) (stats.Fact, error) {
	e := c.event(a)
	e.Kind = stats.ClickReversed
	var err error
	if e.Earning, err = c.Earning.Neg(); err != nil {
		return e, err
	}
	e.Cost, err = c.Cost.Neg()
	return e, err
}

// DayOf is midnight UTC of the day that t falls on in UTC. The days of statistics
// are those of the advertiser: see stats.DayOf.
func DayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
