package adsync

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of an item. Lengths are in characters.
const (
	MaxReferenceID      = 255
	MaxAdTemplateType   = 64
	MaxText             = 255 // brand, model and title
	MaxDescription      = 5000
	MaxURL              = 2048
	MaxLanguage         = 16
	MaxCustomAttributes = 100
	MaxIdentifier       = 64
	MaxAttributeValue   = 1000
	MaxImages           = 50
)

// CustomAttribute is a further detail of an item.
type CustomAttribute struct {
	Identifier string // 1..MaxIdentifier letters, digits, hyphens and underscores; each once on an item
	Label      string // what people call it; at most MaxText characters
	Value      string // at most MaxAttributeValue characters
}

// Image is a picture of an item.
type Image struct {
	URL   string // http or https
	Order int    // from 1; the lowest one is the cover
}

// Item is a product that an account advertises.
type Item struct {
	ID        uuid.UUID
	AccountID string
	// ReferenceID is the account's own id, unique within the account; it may be
	// empty.
	ReferenceID string
	// AdTemplateType says which ad templates make ads of the item.
	AdTemplateType   string // letters, digits, hyphens and underscores
	Available        bool
	ContentLanguage  string
	Brand            string
	Model            string
	Year             int // four digits; 0: not told
	Condition        Condition
	Title            string
	Description      string
	Link             string // http or https
	Images           []Image
	CustomAttributes []CustomAttribute
	Price            affiliate.Money // above zero; the zero Money is no price
	// Fingerprint is the keyed hash of brand, model, year and reference id;
	// empty when the item has none of the four.
	Fingerprint string
	SoldOutAt   time.Time // when it became unavailable; zero while it is available
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

var identifierForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Validate checks what every backend refuses.
func (i Item) Validate() error {
	var v affiliate.Validation
	v.Check(i.ID != uuid.Nil, "id", "required", "is required")
	v.Text("account_id", i.AccountID, 1, MaxAccountID)
	v.Text("reference_id", i.ReferenceID, 0, MaxReferenceID)
	checkIdentifier(&v, "ad_template_type", i.AdTemplateType, MaxAdTemplateType)
	v.Text("content_language", i.ContentLanguage, 1, MaxLanguage)
	v.Text("brand", i.Brand, 0, MaxText)
	v.Text("model", i.Model, 0, MaxText)
	v.Check(i.Year == 0 || i.Year >= 1000 && i.Year <= 9999, "year", "out_of_range", "must have 4 digits")
	v.Check(i.Condition == "" || oneOf(i.Condition, Conditions()), "condition", "invalid", listed(Conditions()))
	v.Text("title", i.Title, 0, MaxText)
	v.Text("description", i.Description, 0, MaxDescription)
	checkURL(&v, "link", i.Link, false)
	checkImages(&v, i.Images)
	checkCustomAttributes(&v, i.CustomAttributes)
	if i.Price != (affiliate.Money{}) {
		v.Check(i.Price.Minor() > 0, "price.amount", "out_of_range", "must be above 0; leave the price null for none")
		v.Check(i.Price.Currency().Valid(), "price.currency", "unknown_currency", "must be an ISO 4217 currency")
	}
	v.Text("fingerprint", i.Fingerprint, 0, 2*sha256.Size)
	v.Check(!i.CreatedAt.IsZero(), "created_at", "required", "is required")
	return v.Err("item")
}

func checkIdentifier(v *affiliate.Validation, field, s string, max int) {
	v.Text(field, s, 1, max)
	v.Check(s == "" || identifierForm.MatchString(s), field, "invalid", "must have letters, digits, hyphens and underscores alone")
}

func checkImages(v *affiliate.Validation, images []Image) {
	v.Check(len(images) <= MaxImages, "images", "too_many", "must have at most 50 images")
	for n, image := range images {
		at := "images." + strconv.Itoa(n)
		checkURL(v, at+".url", image.URL, true)
		v.Check(image.Order >= 1 && image.Order <= 1_000_000, at+".order", "out_of_range", "must be between 1 and 1000000")
	}
}

func checkCustomAttributes(v *affiliate.Validation, attributes []CustomAttribute) {
	v.Check(len(attributes) <= MaxCustomAttributes, "custom_attributes", "too_many", "must have at most 100 attributes")
	seen := make(map[string]bool, len(attributes))
	for n, a := range attributes {
		at := "custom_attributes." + strconv.Itoa(n)
		checkIdentifier(v, at+".identifier", a.Identifier, MaxIdentifier)
		v.Check(!seen[a.Identifier], at+".identifier", "duplicate", "must be on the item once")
		seen[a.Identifier] = true
		v.Text(at+".label", a.Label, 0, MaxText)
		v.Text(at+".value", a.Value, 0, MaxAttributeValue)
	}
}

// checkURL takes absolute http and https addresses with a host.
func checkURL(v *affiliate.Validation, field, s string, required bool) {
	min := 0
	if required {
		min = 1
	}
	var text affiliate.Validation
	text.Text(field, s, min, MaxURL)
	if err := text.Err(""); err != nil {
		v.Merge("", err)
		return
	}
	v.Check(s == "" || isWebURL(s), field, "invalid_url", "must be a URL that begins with http:// or https://")
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.ContainsAny(s, " \t\r\n")
}

// Fingerprint returns the fingerprint of an item under an account's key: HMAC
// with SHA-256 over brand, model, year and reference id, in hex. An item that
// has none of the four has none.
func Fingerprint(key [32]byte, brand, model string, year int, referenceID string) string {
	if brand == "" && model == "" && year == 0 && referenceID == "" {
		return ""
	}
	// As a JSON list, so that no two sets of values make the same text.
	text, err := json.Marshal([]string{brand, model, strconv.Itoa(year), referenceID})
	if err != nil { // strings always marshal
		text = []byte(fmt.Sprintf("%q", []string{brand, model, strconv.Itoa(year), referenceID}))
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// Cover returns the image with the lowest order; empty without images.
func (i Item) Cover() string {
	cover := Image{}
	for n, image := range i.Images {
		if n == 0 || image.Order < cover.Order {
			cover = image
		}
	}
	return cover.URL
}
