package deals

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of what a deal is posted with, in characters.
const (
	MaxExternalID  = 255
	MaxAnotherData = 2048
	MaxComment     = 4000
)

// Source says by what a deal was attributed.
type Source string

// The sources. A deal without one earns nobody anything.
const (
	Unattributed Source = ""
	ByUID        Source = "uid"
	ByPromoCode  Source = "promo_code"
)

// Deal is a purchase that a business partner reports.
//
// What is kept is what was last written down. What the deal is at an instant is
// told by At; services never show it otherwise.
type Deal struct {
	ID                uuid.UUID
	BusinessPartnerID uuid.UUID
	ExternalID        string // the business partner's own, unique among its deals: 1..MaxExternalID characters
	CatalogID         uuid.UUID
	OfferID           uuid.UUID
	CatalogCode       string // as posted
	OfferName         string // as posted
	Status            Status
	Cost              affiliate.Money // not negative
	PromoCode         string          // as posted
	AnotherData       string          // as posted
	Source            Source
	PartnerID         uuid.UUID       // who earns; uuid.Nil for an unattributed deal
	Terms             Terms           // frozen when the deal was created; zero for an unattributed deal
	Reward            affiliate.Money // what the terms come to, in the currency of the cost
	EntryID           int64           // the ledger's entry of the reward, 0: none was booked
	Hold              time.Duration   // frozen when the deal was created
	Cancel            time.Duration   // frozen when the deal was created
	Returned          bool            // the customer got the money back; only when Canceled
	Comment           string
	CreatedAt         time.Time
	PaidAt            time.Time // zero: never
	ApprovedAt        time.Time // zero: not
	CanceledAt        time.Time // zero: not
	ModifiedAt        time.Time
}

// Validate checks what every backend refuses.
func (d Deal) Validate() error {
	var v affiliate.Validation
	v.Check(d.ID != uuid.Nil, "id", "required", "is required")
	v.Check(d.BusinessPartnerID != uuid.Nil, "business_partner_id", "required", "is required")
	v.Text("deal_id", d.ExternalID, 1, MaxExternalID)
	v.Check(d.CatalogID != uuid.Nil, "catalog_id", "required", "is required")
	v.Check(d.OfferID != uuid.Nil, "offer_id", "required", "is required")
	v.Text("catalog_code", d.CatalogCode, 1, MaxCode)
	v.Text("offer", d.OfferName, 1, MaxName)
	v.Check(slices.Contains(Statuses(), d.Status), "status", "not_in_list", "must be a known status")
	v.Check(d.Cost.Currency().Valid(), "currency", "unknown_currency", "must be an ISO 4217 currency")
	v.Check(d.Cost.Sign() >= 0, "cost", "out_of_range", "must not be negative")
	v.Text("promo_code", d.PromoCode, 0, MaxPromoCode)
	v.Text("another_data", d.AnotherData, 0, MaxAnotherData)
	v.Check(d.Source == Unattributed || d.Source == ByUID || d.Source == ByPromoCode, "source", "not_in_list", "must be a known source")
	v.Check((d.PartnerID == uuid.Nil) == (d.Source == Unattributed), "partner_id", "source_mismatch", "must be set for an attributed deal and only then")
	v.Check(d.Reward.Currency() == d.Cost.Currency(), "reward", "currency_mismatch", "must be in the currency of the cost")
	v.Check(d.Reward.Sign() >= 0, "reward", "out_of_range", "must not be negative")
	if d.Source != Unattributed {
		d.Terms.validate(&v)
	}
	validateDuration(&v, "hold_duration", d.Hold, 0)
	validateDuration(&v, "canceled_duration", d.Cancel, time.Second)
	v.Check(!d.Returned || d.Status == Canceled, "is_returned", "not_canceled", "must be true only for a Canceled deal")
	v.Text("comment", d.Comment, 0, MaxComment)
	v.Check(!d.CreatedAt.IsZero(), "created_at", "required", "is required")
	v.Check(d.Status != Paid && d.Status != Approved || !d.PaidAt.IsZero(), "paid_at", "required", "is required once the deal is Paid")
	v.Check(d.EntryID >= 0, "entry_id", "out_of_range", "must not be negative")
	return v.Err("deal")
}

// DueAt is when the clock decides about the deal as it is kept: a Created one
// is Canceled then, a Paid one Approved. Zero: never.
func (d Deal) DueAt() time.Time {
	switch d.Status {
	case Created:
		return d.CreatedAt.Add(d.Cancel)
	case Paid:
		return d.PaidAt.Add(d.Hold)
	}
	return time.Time{}
}

// At is the deal as it is at an instant, whether or not a sweep has written it
// down.
func (d Deal) At(now time.Time) Deal {
	due := d.DueAt()
	if due.IsZero() || now.Before(due) {
		return d
	}
	next, _ := d.Status.On(TimePasses) // what is due has such a move
	d.enter(next, due)
	return d
}

// enter notes a new status and since when.
func (d *Deal) enter(s Status, at time.Time) {
	d.Status = s
	switch s {
	case Paid:
		d.PaidAt = at
	case Approved:
		d.ApprovedAt = at
	case Canceled:
		d.CanceledAt = at
	}
	if at.After(d.ModifiedAt) {
		d.ModifiedAt = at
	}
}

// UsedPromoCode is the code that attributed the deal; empty when a mark did, or
// nothing.
func (d Deal) UsedPromoCode() string {
	if d.Source != ByPromoCode {
		return ""
	}
	return d.PromoCode
}

// cause is what the ledger knows the reward by.
func (d Deal) cause() string { return "deal:" + d.ID.String() }

// reversalCause is what the ledger knows the cancellation by.
func (d Deal) reversalCause() string { return "deal_canceled:" + d.ID.String() }
