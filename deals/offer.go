package deals

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Offer is one kind of what a catalog sells: a rate of a course, a service of a
// workshop.
type Offer struct {
	ID                uuid.UUID
	CatalogID         uuid.UUID
	Name              string // unique in its catalog, 1..MaxName characters; deals name the offer by it
	Description       string
	PromoCodesAllowed bool
	Active            bool
	Prices            []affiliate.Money // 1..MaxPrices, at most one in each currency: what deals may be in
	Terms             Terms             // of deals that are created from now on
	CreatedAt         time.Time
	ModifiedAt        time.Time
}

// Validate checks what every backend refuses.
func (o Offer) Validate() error {
	var v affiliate.Validation
	v.Check(o.ID != uuid.Nil, "id", "required", "is required")
	v.Check(o.CatalogID != uuid.Nil, "catalog_id", "required", "is required")
	v.Text("name", o.Name, 1, MaxName)
	v.Text("description", o.Description, 0, MaxDescription)
	v.Check(len(o.Prices) > 0, "prices", "required", "is required")
	v.Check(len(o.Prices) <= MaxPrices, "prices", "too_many", "must not have more than 50 items")
	for i, p := range o.Prices {
		at := "prices." + strconv.Itoa(i)
		v.Check(p.Currency().Valid(), at+".currency", "unknown_currency", "must be an ISO 4217 currency")
		v.Check(p.Sign() >= 0, at+".cost", "out_of_range", "must not be negative")
		v.Check(!slices.ContainsFunc(o.Prices[:i], inCurrency(p.Currency())), at+".currency", "repeated", "must not be that of another price")
	}
	o.Terms.validate(&v)
	return v.Err("offer")
}

// SoldIn reports whether the offer has a price in the currency.
func (o Offer) SoldIn(c affiliate.Currency) bool { return slices.ContainsFunc(o.Prices, inCurrency(c)) }

func inCurrency(c affiliate.Currency) func(affiliate.Money) bool {
	return func(m affiliate.Money) bool { return m.Currency() == c }
}

// Landing is a page that partners send customers to.
type Landing struct {
	ID           string // six of 0-9 and A-Z
	CatalogID    uuid.UUID
	URL          string // http or https
	Title        string // at most MaxTitle characters
	Adaptability Device
	ImageURL     string // http or https URL, or empty
	CreatedAt    time.Time
	ModifiedAt   time.Time
}

// Validate checks what every backend refuses.
func (l Landing) Validate() error {
	var v affiliate.Validation
	v.Check(shortCode(l.ID, landingCodeLength), "id", "invalid", "must be six of 0-9 and A-Z")
	v.Check(l.CatalogID != uuid.Nil, "catalog_id", "required", "is required")
	validateURL(&v, "url", l.URL, 1)
	v.Text("title", l.Title, 0, MaxTitle)
	v.Check(slices.Contains(Devices(), l.Adaptability), "adaptability", "not_in_list", "must be All, Desktop or Mobile")
	validateURL(&v, "image_url", l.ImageURL, 0)
	return v.Err("landing")
}

// Lengths of the codes that are read out and typed.
const (
	catalogCodeLength = 5
	landingCodeLength = 6
	uidLength         = 10
)

// codeLetters leave out those that are taken for one another.
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// shortCode reports whether s is a code of that length.
func shortCode(s string, length int) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(s) == length
}
