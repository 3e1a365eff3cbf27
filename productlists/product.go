package productlists

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Availability says whether a product can be bought, in the words that clients
// are shown.
type Availability string

// The availabilities.
const (
	InStock     Availability = "In Stock"
	OutOfStock  Availability = "Out of Stock"
	Preorder    Availability = "Preorder"
	Backorder   Availability = "Backorder"
	Unavailable Availability = "Unavailable" // also what a list shows of a product that is gone
)

// ParseAvailability reads what product feeds write: "in stock", "in_stock",
// "InStock", "https://schema.org/InStock". Case, spaces, _ and - do not count.
func ParseAvailability(s string) (Availability, bool) {
	for _, prefix := range [...]string{"https://schema.org/", "http://schema.org/"} {
		s = strings.TrimPrefix(s, prefix)
	}
	for _, a := range [...]Availability{InStock, OutOfStock, Preorder, Backorder, Unavailable} {
		if squeeze(s) == squeeze(string(a)) {
			return a, true
		}
	}
	switch squeeze(s) {
	case "soldout":
		return OutOfStock, true
	case "discontinued":
		return Unavailable, true
	}
	return "", false
}

// squeeze leaves the letters that count.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '_' || r == '-':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Party is a network or a merchant. The zero Party is none.
type Party struct {
	ID      int64  // as the feed has it; at least 0
	Name    string // at most 255 characters
	LogoURL string // empty, or http(s)
}

// Product is what the product table knows of one product. The lengths that
// Validate checks are in characters, those of addresses in bytes.
type Product struct {
	ID          string // opaque, 1..MaxProductID characters
	Barcode     string // at most 18 digits: GTIN, EAN, UPC; may be empty
	Name        string // 1..1000
	Description string // at most 20000
	// CommissionURL is the product's own template of its tracked link, see
	// validateTemplate; empty: that of the service.
	CommissionURL string
	DirectURL     string          // the product at its shop: http(s), at most MaxURLBytes
	ImageURL      string          // empty, or http(s)
	RegularPrice  affiliate.Money // at least 0
	FinalPrice    affiliate.Money // at least 0, in the same currency
	Availability  Availability
	SKU           string // at most 255
	Brand         string // at most 255
	Category      string // a path, "Home > Climate", at most 1000
	Network       Party
	Merchant      Party
}

// OnSale reports whether the final price is below the regular one.
func (p Product) OnSale() bool {
	return p.FinalPrice.Minor() < p.RegularPrice.Minor()
}

// SaleDiscount is by how many percent of the regular price the final one is
// lower, rounded down, so that it promises no more than it gives; 0 when the
// product is not on sale.
func (p Product) SaleDiscount() int {
	regular, final := p.RegularPrice.Minor(), p.FinalPrice.Minor()
	if !p.OnSale() || regular <= 0 || final < 0 {
		return 0
	}
	percent := new(big.Int).Mul(big.NewInt(regular-final), big.NewInt(100))
	return int(percent.Quo(percent, big.NewInt(regular)).Int64())
}

// MaxURLBytes bounds the addresses of a product.
const MaxURLBytes = 2048

// Validate checks what every backend refuses.
func (p Product) Validate() error {
	var v affiliate.Validation
	v.Text("id", p.ID, 1, MaxProductID)
	v.Text("name", p.Name, 1, 1000)
	v.Text("description", p.Description, 0, 20_000)
	v.Text("sku", p.SKU, 0, 255)
	v.Text("brand", p.Brand, 0, 255)
	v.Text("category", p.Category, 0, 1000)
	v.Check(validBarcode(p.Barcode), "barcode", "invalid_barcode", "must be at most 18 digits")
	validateURL(&v, "direct_url", p.DirectURL, true)
	validateURL(&v, "image_url", p.ImageURL, false)
	if p.CommissionURL != "" {
		if code, message := checkTemplate(p.CommissionURL); code != "" {
			v.Add("commission_url", code, message)
		}
	}
	p.validatePrices(&v)
	known, ok := ParseAvailability(string(p.Availability))
	v.Check(ok && known == p.Availability, "availability", "unknown_availability",
		"must be In Stock, Out of Stock, Preorder, Backorder or Unavailable")
	p.Network.validate(&v, "network")
	p.Merchant.validate(&v, "merchant")
	return v.Err("product")
}

func (p Product) validatePrices(v *affiliate.Validation) {
	currency := p.RegularPrice.Currency()
	v.Check(currency.Valid(), "currency", "unknown_currency", "must be an active ISO 4217 code with a minor unit, such as EUR")
	v.Check(p.FinalPrice.Currency() == currency, "final_price", "currency_mismatch", "must be in the currency of regular_price")
	v.Check(p.RegularPrice.Minor() >= 0, "regular_price", "out_of_range", "must be at least 0")
	v.Check(p.FinalPrice.Minor() >= 0, "final_price", "out_of_range", "must be at least 0")
}

func (p Party) validate(v *affiliate.Validation, field string) {
	if p == (Party{}) {
		return
	}
	v.Check(p.ID >= 0, field+".id", "out_of_range", "must be at least 0")
	v.Text(field+".name", p.Name, 0, 255)
	validateURL(v, field+".logo_url", p.LogoURL, false)
}

func validBarcode(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) <= 18
}

func validateURL(v *affiliate.Validation, field, s string, required bool) {
	if s == "" && !required {
		return
	}
	if s == "" {
		v.Add(field, "required", "is required")
		return
	}
	before := v.Err("")
	v.Text(field, s, 1, MaxURLBytes)
	if before == nil && v.Err("") != nil {
		return // said already what is wrong
	}
	v.Check(len(s) <= MaxURLBytes && isWebAddress(s), field, "not_a_url", "must be an http or https address of at most 2048 bytes")
}

// isWebAddress reports whether s is absolute, http or https, with a host and
// without what no address may have in it. It is all that matters for something
// that is shown and never fetched.
func isWebAddress(s string) bool {
	rest, ok := cutScheme(s)
	if !ok {
		return false
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	if host == "" || host[0] == ':' || !validPort(host) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' {
			return false
		}
	}
	return true
}

// validPort reports whether the port of a host, if it has one, is one.
func validPort(host string) bool {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") || strings.Contains(host, "@") && colon < strings.LastIndexByte(host, '@') {
		return true
	}
	port, err := strconv.ParseUint(host[colon+1:], 10, 16)
	return err == nil && port > 0
}

func cutScheme(s string) (rest string, ok bool) {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return s[len(scheme):], true
		}
	}
	return "", false
}
