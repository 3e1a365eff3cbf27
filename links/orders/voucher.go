package orders

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of a voucher's code, in characters.
const (
	MinVoucher = 3
	MaxVoucher = 255
)

// Voucher is a discount code that belongs to a creator: who uses it in the
// advertiser's shop brings the creator an order.
type Voucher struct {
	ID           int64
	AdvertiserID int64
	UserID       int64
	Code         string // as given: MinVoucher..MaxVoucher characters, unique per advertiser in the form of FoldCode
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// FoldCode brings a code to the form that it is compared in: people type codes
// in any case, and keyboards send letters with marks in two forms. What is no UTF-8
// stays as it is: no code is equal to it.
func FoldCode(code string) string {
	if !utf8.ValidString(code) {
		return code
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(strings.TrimSpace(code))))
}

// Validate checks what every backend refuses.
func (c Voucher) Validate() error {
	var v affiliate.Validation
	v.Text("voucher_code", c.Code, MinVoucher, MaxVoucher)
	v.Check(c.Code == strings.TrimSpace(c.Code), "voucher_code", "invalid", "must not begin or end with a space")
	v.Check(!strings.ContainsFunc(c.Code, func(r rune) bool { return unicode.IsControl(r) }), "voucher_code", "invalid", "must not contain control characters")
	return v.Err("voucher")
}
