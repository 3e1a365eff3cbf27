package deals

import (
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// percentBounds is the message for a share outside its bounds.
const percentBounds = "must be between 0.05 and 95"

// maxFixed bounds a fixed reward, in major units, and fixedDigits its digits
// after the point.
const (
	maxFixed    = 1_000_000_000
	fixedDigits = 4
)

// Terms are what a deal earns: a fixed sum, or a share of what was paid.
// Exactly one of the two is not zero.
type Terms struct {
	// Fixed is in major units of whatever currency the deal is in: more than 0,
	// at most 1,000,000,000, with at most 4 digits after the point. Its form is
	// the shortest one; see Exact.
	Fixed decimal.Decimal
	// Share of the cost, 0.0005 to 0.95: "reward_percent" 0.05 to 95.
	Share affiliate.Rate
}

// Exact is a decimal in its shortest form: 10.50 and 10.5 are the same value
// with one representation.
func Exact(d decimal.Decimal) decimal.Decimal {
	if d.IsZero() {
		return decimal.Decimal{}
	}
	short, err := decimal.NewFromString(d.String())
	if err != nil { // cannot be: it is a decimal's own text
		return d
	}
	return short
}

// Reward is what the terms come to for a cost: the exact amount, rounded half
// to even once to the minor units of the cost's currency.
func (t Terms) Reward(cost affiliate.Money) (affiliate.Money, error) {
	if !t.Fixed.IsZero() {
		return affiliate.MoneyFromDecimal(t.Fixed, cost.Currency())
	}
	return cost.MulRate(t.Share), nil
}

func (t Terms) validate(v *affiliate.Validation) {
	switch fixed, share := !t.Fixed.IsZero(), !t.Share.IsZero(); {
	case fixed && share:
		v.Add("fix_remuneration", "ambiguous", "must not be given together with reward_percent")
	case fixed:
		inBounds := t.Fixed.IsPositive() && t.Fixed.Exponent() <= maxFixedExponent && t.Fixed.Exponent() >= -fixedDigits &&
			t.Fixed.LessThanOrEqual(decimal.NewFromInt(maxFixed))
		v.Check(inBounds, "fix_remuneration", "out_of_range", "must be more than 0 and at most 1000000000, with at most 4 digits after the point")
	case share:
		v.Check(percentInBounds(t.Share), "reward_percent", "out_of_range", percentBounds)
	default:
		v.Add("reward_percent", "required", "is required if there is no fix_remuneration")
		v.Add("fix_remuneration", "required", "is required if there is no reward_percent")
	}
}

// maxFixedExponent keeps a hostile 1e999999999 from being written out.
const maxFixedExponent = 9

// Percent is a rate in hundredths: 0.05 is 5.
func Percent(r affiliate.Rate) decimal.Decimal { return r.Decimal().Shift(2) }

func percentInBounds(r affiliate.Rate) bool {
	d := r.Decimal()
	return !d.LessThan(decimal.New(5, -4)) && !d.GreaterThan(decimal.New(95, -2))
}

func less(a, b affiliate.Rate) bool { return a.Decimal().LessThan(b.Decimal()) }
