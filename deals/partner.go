package deals

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of what names partners, in characters.
const (
	MaxUID       = 64
	MaxPromoCode = 64
)

// BusinessPartner is how a company that sells wants to be shown. It need not
// be there: its id is that of its principal.
type BusinessPartner struct {
	ID      uuid.UUID
	Name    string // at most MaxName characters
	LogoURL string // http or https URL, or empty
}

// Validate checks what every backend refuses.
func (b BusinessPartner) Validate() error {
	var v affiliate.Validation
	v.Check(b.ID != uuid.Nil, "id", "required", "is required")
	v.Text("name", b.Name, 0, MaxName)
	validateURL(&v, "logo_url", b.LogoURL, 0)
	return v.Err("business_partner")
}

// UID is a mark in links by which a partner's customers are known. A partner
// may have several.
type UID struct {
	UID       string // unique, as it stands in links: 1..MaxUID printable characters without spaces
	PartnerID uuid.UUID
	CreatedAt time.Time
}

// Validate checks what every backend refuses.
func (u UID) Validate() error {
	var v affiliate.Validation
	validateCode(&v, "uid", u.UID, MaxUID)
	v.Check(u.PartnerID != uuid.Nil, "partner_id", "required", "is required")
	return v.Err("uid")
}

// PromoCode is a code by which customers name the partner that sent them, and
// get a discount.
type PromoCode struct {
	CatalogID         uuid.UUID
	BusinessPartnerID uuid.UUID // of the catalog
	PartnerID         uuid.UUID // who earns by it
	Code              string    // unique in its catalog, whatever the case: 1..MaxPromoCode printable characters without spaces
	Discount          affiliate.Rate
	CreatedAt         time.Time
}

// Validate checks what every backend refuses.
func (p PromoCode) Validate() error {
	var v affiliate.Validation
	v.Check(p.CatalogID != uuid.Nil, "catalog_id", "required", "is required")
	v.Check(p.BusinessPartnerID != uuid.Nil, "business_partner_id", "required", "is required")
	v.Check(p.PartnerID != uuid.Nil, "partner_id", "required", "is required")
	validateCode(&v, "code", p.Code, MaxPromoCode)
	return v.Err("promo_code")
}

// Key is what a code is unique by.
func (p PromoCode) Key() string { return FoldCode(p.Code) }

// FoldCode brings a promo code to the form that it is compared in: people type
// them in any case.
func FoldCode(code string) string { return affiliate.Fold(code) }

func validateCode(v *affiliate.Validation, field, s string, max int) {
	var text affiliate.Validation
	text.Text(field, s, 1, max)
	if err := text.Err(""); err != nil {
		v.Merge("", err)
		return
	}
	v.Check(!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }),
		field, "invalid", "must be printable characters without spaces")
}

// AccessStatus says whether a partner may work with a catalog.
type AccessStatus string

// The states of an access.
const (
	AccessRequested AccessStatus = "requested"
	AccessGranted   AccessStatus = "granted"
	AccessDenied    AccessStatus = "denied"
)

// AccessStatuses lists them.
func AccessStatuses() []AccessStatus {
	return []AccessStatus{AccessRequested, AccessGranted, AccessDenied}
}

// Access is what became of a partner's wish to work with a catalog.
type Access struct {
	CatalogID   uuid.UUID
	PartnerID   uuid.UUID // unique in its catalog
	Status      AccessStatus
	RequestedAt time.Time
	DecidedAt   time.Time // zero while requested
}

// Validate checks what every backend refuses.
func (a Access) Validate() error {
	var v affiliate.Validation
	v.Check(a.CatalogID != uuid.Nil, "catalog_id", "required", "is required")
	v.Check(a.PartnerID != uuid.Nil, "partner_id", "required", "is required")
	v.Check(slices.Contains(AccessStatuses(), a.Status), "status", "not_in_list", "must be a known status")
	return v.Err("access")
}

// admits reports whether a partner with this access, or with none, may earn by
// a catalog: who was let in, and with free entry all who were not turned away.
func (c Catalog) admits(a affiliate.Optional[Access]) bool {
	if a.Set && a.Value.Status != AccessRequested {
		return a.Value.Status == AccessGranted
	}
	return c.Moderation == FreeEntry
}
