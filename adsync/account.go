package adsync

import (
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of an account and an ad account. Lengths are in characters.
const (
	MaxAccountID   = 64
	MaxAccountName = 255
	MaxAdAccountID = 64
	MaxCatalogID   = 255
)

// Account is a customer: the owner of all other records.
type Account struct {
	ID   string // the Subject of its principal, 1..MaxAccountID characters
	Name string // at most MaxAccountName characters
	// Test marks an account whose records never reach a service.
	Test bool
	// FingerprintKey is the secret key of the fingerprints of its items. It
	// never changes, because the fingerprints would.
	FingerprintKey [32]byte
	CreatedAt      time.Time
}

// Validate checks what every backend refuses.
func (a Account) Validate() error {
	var v affiliate.Validation
	v.Text("id", a.ID, 1, MaxAccountID)
	v.Text("name", a.Name, 0, MaxAccountName)
	v.Check(a.FingerprintKey != [32]byte{}, "fingerprint_key", "required", "is required")
	return v.Err("sync_account")
}

// AdAccount is an advertising account at a service, which an account has
// connected. Two accounts may connect the same one.
type AdAccount struct {
	RecordID  uuid.UUID // its place in lists; no service knows it
	ID        string    // the service's own id: "act_…" for Facebook, ten digits for Google
	AccountID string
	Name      string // at most MaxAccountName characters
	// CatalogID is where the account's items go: a product catalog of Facebook, a
	// data source of Google's Merchant API ("accounts/1/dataSources/2"). Items of
	// an account whose ad accounts have none are kept here alone.
	CatalogID      string    // at most MaxCatalogID characters
	CreatedAt      time.Time // when it was first connected
	DisconnectedAt time.Time // zero while it is connected
}

// Service returns the service that the ad account is at.
func (a AdAccount) Service() AdService { return ServiceOf(a.ID) }

// Connected reports whether records may be kept in step through it.
func (a AdAccount) Connected() bool { return a.DisconnectedAt.IsZero() }

// Validate checks what every backend refuses.
func (a AdAccount) Validate() error {
	var v affiliate.Validation
	v.Check(a.RecordID != uuid.Nil, "record_id", "required", "is required")
	v.Check(a.ID == "" || a.Service() != "", "id", "invalid", `must be "act_" and digits for Facebook, or ten digits for Google`)
	v.Text("id", a.ID, 1, MaxAdAccountID)
	v.Text("account_id", a.AccountID, 1, MaxAccountID)
	v.Text("name", a.Name, 0, MaxAccountName)
	v.Text("catalog_id", a.CatalogID, 0, MaxCatalogID)
	v.Check(!a.CreatedAt.IsZero(), "created_at", "required", "is required")
	return v.Err("ad_account")
}
