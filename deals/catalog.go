package deals

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of what a business partner writes. Lengths are in characters.
const (
	MaxTitle       = 255
	MaxCode        = 255 // of a catalog
	MaxName        = 255 // of an offer, a category, a company
	MaxDescription = 20_000
	MaxURL         = 2048
	MaxPrices      = 50
	MaxCookieDays  = 3650
	MaxDuration    = 3650 * 24 * time.Hour
)

// How long a deal waits, where a catalog does not say.
const (
	DefaultHold   = 30 * 24 * time.Hour
	DefaultCancel = 14 * 24 * time.Hour
)

// Moderation says how partners are let into a catalog.
type Moderation string

// The types of moderation.
const (
	FreeEntry        Moderation = "FREE_ENTRY"        // everybody, at once
	AutoModeration   Moderation = "AUTO_MODERATION"   // whom the Moderator lets in
	ManualModeration Moderation = "MANUAL_MODERATION" // whom the business partner lets in
)

// Moderations lists every type.
func Moderations() []Moderation { return []Moderation{FreeEntry, AutoModeration, ManualModeration} }

// RewardType is what a catalog says about its rewards; nothing is computed from it.
type RewardType string

// RewardTypes lists every type.
func RewardTypes() []RewardType {
	return []RewardType{"RevShare", "CPA", "CPS", "CPL", "COD", "CPV", "CPO", "CPC"}
}

// Device is where something can be used: a catalog, a landing.
type Device string

// Devices lists them; the first is the default.
func Devices() []Device { return []Device{"All", "Desktop", "Mobile"} }

// Catalog is a product or service that a business partner sells.
type Catalog struct {
	ID                uuid.UUID
	BusinessPartnerID uuid.UUID
	Code              string // the business partner's own, unique among its catalogs; 1..MaxCode characters
	ShortCode         string // for people and for promo code checks: five of 0-9A-Z, unique
	Title             string // 1..MaxTitle characters
	Description       string
	Icon              string         // http or https URL, or empty
	PreviewImage      string         // http or https URL, or empty
	Category          string         // its name, 1..MaxName characters
	Reward            affiliate.Rate // the main share of a deal's cost, as told to partners: MinPercent..MaxPercent, or 0 for none
	RewardType        RewardType
	Hold              time.Duration // from Paid to Approved: whole seconds, 0..MaxDuration
	Cancel            time.Duration // from Created to Canceled: whole seconds, 1 s..MaxDuration
	PromoCodesAllowed bool
	Published         bool
	Moderation        Moderation
	MinDiscount       affiliate.Rate // of a promo code
	MaxDiscount       affiliate.Rate // of a promo code, not below MinDiscount
	Countries         []string       // of Countries(), ascending, each once
	Languages         []string       // of Languages(), ascending, each once
	Devices           Device
	CookieDays        int // how long a partner's link is remembered, 0..MaxCookieDays
	CreatedAt         time.Time
	ModifiedAt        time.Time
}

// Validate checks what every backend refuses.
func (c Catalog) Validate() error {
	var v affiliate.Validation
	v.Check(c.ID != uuid.Nil, "id", "required", "is required")
	v.Check(c.BusinessPartnerID != uuid.Nil, "business_partner_id", "required", "is required")
	v.Text("catalog_code", c.Code, 1, MaxCode)
	v.Check(shortCode(c.ShortCode, catalogCodeLength), "catalog_id", "invalid", "must be five of 0-9 and A-Z")
	v.Text("title", c.Title, 1, MaxTitle)
	v.Text("description", c.Description, 0, MaxDescription)
	validateURL(&v, "icon", c.Icon, 0)
	validateURL(&v, "preview_image", c.PreviewImage, 0)
	v.Text("category", c.Category, 1, MaxName)
	v.Check(c.Reward.IsZero() || percentInBounds(c.Reward), "reward_percent", "out_of_range", percentBounds)
	v.Check(slices.Contains(RewardTypes(), c.RewardType), "reward_type", "not_in_list", "must be a known type of reward")
	validateDuration(&v, "hold_duration", c.Hold, 0)
	validateDuration(&v, "canceled_duration", c.Cancel, time.Second)
	v.Check(slices.Contains(Moderations(), c.Moderation), "moderation_type", "not_in_list", "must be a known type of moderation")
	v.Check(!less(c.MaxDiscount, c.MinDiscount), "max_promo_code_percent", "out_of_range", "must not be below min_promo_code_percent")
	validateCodes(&v, "offer_geo", c.Countries, knownCountries)
	validateCodes(&v, "localizations", c.Languages, knownLanguages)
	v.Check(slices.Contains(Devices(), c.Devices), "devices", "not_in_list", "must be All, Desktop or Mobile")
	v.Check(c.CookieDays >= 0 && c.CookieDays <= MaxCookieDays, "cookies_storage_days", "out_of_range", "must be between 0 and 3650")
	return v.Err("catalog")
}

// withDefaults fills in what a new catalog does not say.
func (c Catalog) withDefaults() Catalog {
	c.Category = or(c.Category, "Other")
	c.RewardType = or(c.RewardType, RewardTypes()[0])
	c.Moderation = or(c.Moderation, FreeEntry)
	c.Devices = or(c.Devices, Devices()[0])
	return c
}

// NewCatalog is a catalog as it is before anything is said about it: the
// documented defaults. Codes of any discount are allowed once codes are.
func NewCatalog() Catalog {
	whole, _ := affiliate.ParseRate("percent", "1") // within 0..1: there is nothing to refuse
	return Catalog{
		Hold: DefaultHold, Cancel: DefaultCancel, Published: true, MaxDiscount: whole,
		Countries: []string{Worldwide}, Languages: []string{"EN"}, CookieDays: 30,
	}.withDefaults()
}

// CategoryID identifies a category by its name: the same for every catalog in it.
func (c Catalog) CategoryID() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("category:"+c.Category))
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Codes brings a list to the form that a catalog's lists have: ascending, each
// once. The list itself stays as it is.
func Codes(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func validateCodes(v *affiliate.Validation, field string, list []string, known map[string]bool) {
	for i, code := range list {
		if !known[code] {
			v.Add(field, "not_in_list", `must be known codes of two capital letters`)
			return
		}
		if i > 0 && list[i-1] >= code {
			v.Add(field, "not_sorted", "must have each code once, in ascending order")
			return
		}
	}
}

func validateURL(v *affiliate.Validation, field, s string, min int) {
	var text affiliate.Validation
	text.Text(field, s, min, MaxURL)
	if err := text.Err(""); err != nil {
		v.Merge("", err)
		return
	}
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	v.Check(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", field, "invalid_url", "must be an http or https URL")
}

func validateDuration(v *affiliate.Validation, field string, d, min time.Duration) {
	v.Check(d >= min && d <= MaxDuration, field, "out_of_range", "must be between "+strconv.Itoa(int(min.Seconds()))+" seconds and 3650 days")
	v.Check(d%time.Second == 0, field, "too_precise", "must be whole seconds")
}
