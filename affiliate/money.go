package affiliate

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/shopspring/decimal"
)

// Money is an exact amount in one currency: a whole number of minor units
// (cents), from math.MinInt64 to math.MaxInt64. It is a value: compare with ==,
// copy freely.
//
// The zero value is "no money": it has no currency, and arithmetic refuses it,
// so that a forgotten currency is an error and not a silent zero. To add up
// from nothing, start with NewMoney(0, currency) or use [Sum].
//
// Every error of this type is ErrInvalid on the field "amount" (code
// "out_of_range": the result does not fit) or "currency" (codes
// "currency_mismatch", "required", "unknown_currency").
type Money struct {
	minor    int64
	currency Currency
}

// NewMoney is an amount of minor units: NewMoney(120, "EUR") is 1.20 EUR. The
// currency is taken as it is; see [ParseCurrency].
func NewMoney(minor int64, c Currency) Money { return Money{minor: minor, currency: c} }

// MoneyFromDecimal is an amount of major units, rounded half-even to minor
// units: 1.205 EUR is 1.20 EUR. The decimal is bounded as in [Money.Mul].
func MoneyFromDecimal(d decimal.Decimal, c Currency) (Money, error) {
	if !c.Valid() {
		return Money{}, invalidMoney(unknownCurrency)
	}
	coef, ok := boundedCoefficient(d)
	if !ok {
		return Money{}, invalidMoney(decimalTooLarge)
	}
	return roundMoney(coef, int(d.Exponent())+c.Digits(), c)
}

// Sum adds up amounts that are all in the currency c; of nothing it is zero c.
// The partial sums, from left to right, must fit as well.
func Sum(c Currency, amounts ...Money) (Money, error) {
	total := NewMoney(0, c)
	for _, m := range amounts {
		var err error
		if total, err = total.Add(m); err != nil {
			return Money{}, err
		}
	}
	return total, nil
}

// Minor is the amount in minor units.
func (m Money) Minor() int64 { return m.minor }

// Currency is the currency, empty for the zero value.
func (m Money) Currency() Currency { return m.currency }

// IsZero reports whether the amount is 0, in whichever currency or in none.
func (m Money) IsZero() bool { return m.minor == 0 }

// Sign is -1, 0 or 1.
func (m Money) Sign() int { return cmp.Compare(m.minor, 0) }

// Decimal is the exact amount in major units.
func (m Money) Decimal() decimal.Decimal {
	return decimal.New(m.minor, -int32(m.currency.Digits()))
}

// Neg is -m; the smallest amount has no opposite.
func (m Money) Neg() (Money, error) {
	if m.minor == math.MinInt64 {
		return Money{}, invalidMoney(moneyOverflow)
	}
	return Money{-m.minor, m.currency}, nil
}

// Add is m + o, both in the same currency.
func (m Money) Add(o Money) (Money, error) {
	if err := sameCurrency(m, o); err != nil {
		return Money{}, err
	}
	sum := m.minor + o.minor
	if (sum > m.minor) != (o.minor > 0) {
		return Money{}, invalidMoney(moneyOverflow)
	}
	return Money{sum, m.currency}, nil
}

// Sub is m - o, both in the same currency.
func (m Money) Sub(o Money) (Money, error) {
	if err := sameCurrency(m, o); err != nil {
		return Money{}, err
	}
	diff := m.minor - o.minor
	if (diff < m.minor) != (o.minor > 0) {
		return Money{}, invalidMoney(moneyOverflow)
	}
	return Money{diff, m.currency}, nil
}

// Cmp is -1 when m < o, 0 when they are equal, 1 when m > o, both in the same
// currency.
func (m Money) Cmp(o Money) (int, error) {
	if err := sameCurrency(m, o); err != nil {
		return 0, err
	}
	return cmp.Compare(m.minor, o.minor), nil
}

// Mul is m × factor: the exact product, rounded half-even once to minor units.
// The factor may be negative or above 1; its exponent is between -64 and 64 and
// its coefficient at most 256 bits (77 digits), so that a hostile "1e999999999"
// costs nothing: beyond that it is out of range.
func (m Money) Mul(factor decimal.Decimal) (Money, error) {
	if m.currency == "" {
		return Money{}, invalidMoney(noCurrency)
	}
	coef, ok := boundedCoefficient(factor)
	if !ok {
		return Money{}, invalidMoney(decimalTooLarge)
	}
	product := coef.Mul(coef, big.NewInt(m.minor))
	return roundMoney(product, int(factor.Exponent()), m.currency)
}

// MulRate is m × rate, rounded half-even to minor units: the same as Mul with
// rate.Decimal(), in integers and without allocation. A rate is at most 1, so
// the result always fits.
func (m Money) MulRate(rate Rate) Money {
	// |m| ≤ 2⁶³ and the rate ≤ 10⁹ billionths: hi < 10⁹, as Div64 requires.
	hi, lo := bits.Mul64(magnitude(m.minor), uint64(rate.billionths))
	quo, rem := bits.Div64(hi, lo, rateOne)
	if rem > rateOne/2 || rem == rateOne/2 && quo%2 == 1 {
		quo++
	}
	return Money{signed(quo, m.minor < 0), m.currency}
}

// Split divides m in proportion to the weights. The parts, one per weight, add
// up to m exactly: each gets its share cut towards zero, and what is left goes
// one minor unit each to the largest remainders, ties to the lower index. A
// negative amount splits like its opposite.
//
// Weights are at least 0 and add up to 1 to math.MaxInt64; else ErrInvalid,
// field "weights".
func (m Money) Split(weights []int64) ([]Money, error) {
	var total int64
	for _, w := range weights {
		if w < 0 {
			return nil, invalidMoney(weightNegative)
		}
		if total > math.MaxInt64-w {
			return nil, invalidMoney(weightsTooLarge)
		}
		total += w
	}
	if total == 0 {
		return nil, invalidMoney(weightsZero)
	}

	whole := magnitude(m.minor)
	left := whole
	shares := make([]uint64, len(weights))
	remainders := make([]uint64, len(weights))
	byRemainder := make([]int, len(weights))
	for i, w := range weights {
		hi, lo := bits.Mul64(whole, uint64(w)) // w ≤ total, so the quotient is at most whole
		shares[i], remainders[i] = bits.Div64(hi, lo, uint64(total))
		left -= shares[i]
		byRemainder[i] = i
	}
	slices.SortStableFunc(byRemainder, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	for _, i := range byRemainder[:left] { // left is below the number of remainders that are not 0
		shares[i]++
	}

	parts := make([]Money, len(weights))
	for i, share := range shares {
		parts[i] = Money{signed(share, m.minor < 0), m.currency}
	}
	return parts, nil
}

func sameCurrency(m, o Money) error {
	switch {
	case m.currency == "" || o.currency == "":
		return invalidMoney(noCurrency)
	case m.currency != o.currency:
		return invalidMoney(FieldError{"currency", "currency_mismatch",
			"must be " + string(m.currency) + ", not " + string(o.currency)})
	}
	return nil
}

// magnitude is |n|, also for the smallest int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// signed undoes magnitude.
func signed(magnitude uint64, negative bool) int64 {
	if negative {
		return int64(-magnitude)
	}
	return int64(magnitude)
}

const (
	maxExponent        = 64  // of a decimal that meets money, either way
	maxCoefficientBits = 256 // 77 digits
)

// boundedCoefficient is a copy of the decimal's coefficient, unless computing
// with the decimal could be expensive.
func boundedCoefficient(d decimal.Decimal) (*big.Int, bool) {
	if e := d.Exponent(); e < -maxExponent || e > maxExponent {
		return nil, false
	}
	coef := d.Coefficient()
	return coef, coef.BitLen() <= maxCoefficientBits
}

// roundMoney is n × 10^exp minor units, rounded half-even. It may overwrite n.
func roundMoney(n *big.Int, exp int, c Currency) (Money, error) {
	if exp >= 0 {
		n.Mul(n, pow10(exp))
	} else {
		n = quoHalfEven(n, pow10(-exp))
	}
	if !n.IsInt64() {
		return Money{}, invalidMoney(moneyOverflow)
	}
	return Money{n.Int64(), c}, nil
}

// quoHalfEven is n / d rounded to the nearest integer, a tie to the even one; d
// is positive.
func quoHalfEven(n, d *big.Int) *big.Int {
	quo, rem := new(big.Int).QuoRem(n, d, new(big.Int))
	half := rem.Lsh(rem, 1).CmpAbs(d)
	if half > 0 || half == 0 && quo.Bit(0) == 1 {
		quo.Add(quo, big.NewInt(int64(n.Sign())))
	}
	return quo
}

func pow10(exp int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exp)), nil)
}

// What can be wrong with money.
var (
	unknownCurrency = FieldError{"currency", "unknown_currency", "must be an active ISO 4217 code with a minor unit, such as EUR"}
	noCurrency      = FieldError{"currency", "required", "is required"}
	moneyOverflow   = FieldError{"amount", "out_of_range", "must be between -9223372036854775808 and 9223372036854775807 minor units"}
	decimalTooLarge = FieldError{"amount", "out_of_range", "must have at most 77 digits and an exponent between -64 and 64"}
	weightNegative  = FieldError{"weights", "out_of_range", "must be at least 0"}
	weightsTooLarge = FieldError{"weights", "out_of_range", "must add up to at most 9223372036854775807"}
	weightsZero     = FieldError{"weights", "out_of_range", "must add up to more than 0"}
)

func invalidMoney(f FieldError) error { return Invalid("money", f) }
