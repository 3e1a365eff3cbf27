package affiliate

import (
	"cmp"
	"math/big"

	"github.com/shopspring/decimal"
)

const (
	// RateDecimals is the most digits that a rate has after the point.
	RateDecimals = 9

	rateOne = 1_000_000_000 // 10^RateDecimals: the billionths in 1
)

// Rate is a fraction from 0 to 1 with at most 9 decimals: a share of an order's
// value (cpa, invoice_cpa) or of a commission (user_revenue, revenue_share);
// 0.2 is 20 %. The zero value is 0. It is a value: compare with ==.
//
// What breaks a bound is ErrInvalid on the field that the caller names, code
// "out_of_range", "too_precise", "invalid_decimal", "invalid_type" or
// "required".
type Rate struct{ billionths uint32 }

// RateFromDecimal is the rate of exactly d; it never rounds.
func RateFromDecimal(field string, d decimal.Decimal) (Rate, error) {
	coef, ok := boundedCoefficient(d)
	switch {
	case !ok && d.Sign() > 0 && d.Exponent() < -maxExponent:
		return Rate{}, invalidRate(field, tooPrecise(RateDecimals))
	case !ok:
		return Rate{}, invalidRate(field, rateOutOfRange)
	}
	rest := new(big.Int)
	if exp := int(d.Exponent()) + RateDecimals; exp >= 0 {
		coef.Mul(coef, pow10(exp))
	} else {
		coef.QuoRem(coef, pow10(-exp), rest)
	}
	one := coef.Cmp(big.NewInt(rateOne))
	switch {
	case d.Sign() < 0, one > 0, one == 0 && rest.Sign() > 0:
		return Rate{}, invalidRate(field, rateOutOfRange)
	case rest.Sign() > 0:
		return Rate{}, invalidRate(field, tooPrecise(RateDecimals))
	}
	return Rate{uint32(coef.Uint64())}, nil
}

// ParseRate reads a rate in the grammar of [ParseMoney]: "0.25".
func ParseRate(field, s string) (Rate, error) {
	n, problem := parseFixed(s, RateDecimals)
	switch {
	case problem != nil && problem.Code == "out_of_range", problem == nil && (n < 0 || n > rateOne):
		return Rate{}, invalidRate(field, rateOutOfRange)
	case problem != nil:
		return Rate{}, invalidRate(field, *problem)
	}
	return Rate{uint32(n)}, nil
}

// ParseWireRate reads a rate from a JSON value: a number (0.25) or a string
// ("0.25"), both in the grammar of [ParseRate]. Null is "required": an optional
// rate is the caller's to recognise first.
func ParseWireRate(field string, raw []byte) (Rate, error) {
	value, kind := wireValue(raw)
	switch kind {
	case wireNumber, wireString:
		return ParseRate(field, value)
	case wireNull:
		return Rate{}, invalidRate(field, FieldError{Code: "required", Message: "is required"})
	}
	return Rate{}, invalidRate(field, FieldError{Code: "invalid_type", Message: "must be a number between 0 and 1"})
}

// Decimal is the exact rate.
func (r Rate) Decimal() decimal.Decimal { return decimal.New(int64(r.billionths), -RateDecimals) }

// Compare is negative when r is less than other, positive when it is more.
func (r Rate) Compare(other Rate) int { return cmp.Compare(r.billionths, other.billionths) }

// IsZero reports whether the rate is 0.
func (r Rate) IsZero() bool { return r.billionths == 0 }

// String is the rate in the fewest digits: "0.25", "1".
func (r Rate) String() string { return string(r.AppendWire(nil)) }

// AppendWire appends the rate as a JSON number in the fewest digits: 0.25.
func (r Rate) AppendWire(b []byte) []byte {
	return appendFixedShort(b, int64(r.billionths), RateDecimals)
}

var rateOutOfRange = FieldError{Code: "out_of_range", Message: "must be between 0 and 1"}

func invalidRate(field string, f FieldError) error {
	f.Field = field
	return Invalid("rate", f)
}
