package orders

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Preference says which of several clicks before an order is paid.
type Preference string

// The preferences.
const (
	LastClick  Preference = "last"
	FirstClick Preference = "first"
)

// The bounds of a collector.
const (
	MaxDays       = 365 // of a window or a hold
	MaxKey        = 64  // characters of an activation key
	MinKey        = 16
	MinHMACKey    = 16 // bytes
	MaxHMACKey    = 64
	DefaultWindow = 30 // days
	DefaultHold   = 30 // days
)

// Collector is how an advertiser's orders come in and are attributed.
type Collector struct {
	ID           int64
	AdvertiserID int64 // each advertiser has one collector
	// OrganizationID names the advertiser in a report, unique; EventID is what
	// it calls a sale; ProgramID is shown beside them. An advertiser that comes
	// from another network may keep the numbers that its shop sends.
	OrganizationID int64
	ProgramID      int64
	EventID        int64
	ActivationKey  string // the credential of the shop's plugin, unique: MinKey..MaxKey characters
	WindowDays     int    // how old a click may be: 1..MaxDays
	HoldDays       int    // how long an order is pending: 0..MaxDays
	Prefer         Preference
	VoucherFirst   bool   // a voucher's owner is paid before a click
	NetOfTax       bool   // commission without the tax, where a report says it
	NetOfShipping  bool   // commission without the shipping, where a report says it
	HMACKey        []byte // what signed reports are signed with; empty: signatures are refused
	SignedOnly     bool   // reports over HTTP without a signature are refused
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Window is how old a click may be.
func (c Collector) Window() time.Duration { return time.Duration(c.WindowDays) * 24 * time.Hour }

// Hold is how long an order is pending.
func (c Collector) Hold() time.Duration { return time.Duration(c.HoldDays) * 24 * time.Hour }

// Validate checks what every backend refuses.
func (c Collector) Validate() error {
	var v affiliate.Validation
	v.Check(c.OrganizationID > 0, "organization_id", "out_of_range", "must be at least 1")
	v.Check(c.ProgramID > 0, "program_id", "out_of_range", "must be at least 1")
	v.Check(c.EventID > 0, "event_id", "out_of_range", "must be at least 1")
	v.Text("activation_key", c.ActivationKey, MinKey, MaxKey)
	v.Check(c.WindowDays >= 1 && c.WindowDays <= MaxDays, "window_days", "out_of_range", "must be between 1 and 365")
	v.Check(c.HoldDays >= 0 && c.HoldDays <= MaxDays, "hold_days", "out_of_range", "must be between 0 and 365")
	v.Check(c.Prefer == LastClick || c.Prefer == FirstClick, "prefer", "not_in_list", "must be last or first")
	v.Check(len(c.HMACKey) == 0 || len(c.HMACKey) >= MinHMACKey && len(c.HMACKey) <= MaxHMACKey, "hmac_key", "out_of_range", "must be between 16 and 64 bytes")
	v.Check(!c.SignedOnly || len(c.HMACKey) > 0, "signed_only", "no_key", "needs a key to sign with")
	return v.Err("collector")
}
