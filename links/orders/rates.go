package orders

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of an exchange rate.
const (
	MaxRate       = 1_000_000_000
	MaxRateDigits = 18 // after the point
)

const rateBounds = "must be between 0 and 1000000000, with at most 18 digits after the point"

// Rates knows what currencies are worth. It is asked outside of units of work,
// so it may be a remote service. It must be safe for concurrent use.
type Rates interface {
	// Rate returns how many units of to one unit of from was worth at the time:
	// more than 0, at most MaxRate, with at most MaxRateDigits digits after the
	// point. An error means that none is known; the order is kept without money
	// then, until Service.Reprice.
	Rate(ctx context.Context, from, to affiliate.Currency, at time.Time) (decimal.Decimal, error)
}

// NoRates knows no rate: orders in another currency than that of their terms
// are kept without money.
type NoRates struct{}

// Rate is always ErrNotFound.
func (NoRates) Rate(_ context.Context, from, to affiliate.Currency, _ time.Time) (decimal.Decimal, error) {
	return decimal.Decimal{}, affiliate.NotFound("rate", string(from+"/"+to))
}

// FixedRates are rates that do not change, by the pair of currencies: of
// [2]affiliate.Currency{"EUR", "SEK"} how many kronor a euro is worth. It is
// only read.
type FixedRates map[[2]affiliate.Currency]decimal.Decimal

// Rate returns the rate of the pair, or ErrNotFound.
func (r FixedRates) Rate(_ context.Context, from, to affiliate.Currency, _ time.Time) (decimal.Decimal, error) {
	if d, ok := r[[2]affiliate.Currency{from, to}]; ok {
		return d, nil
	}
	return decimal.Decimal{}, affiliate.NotFound("rate", string(from+"/"+to))
}

// usableRate reports whether a rate is within its bounds.
func usableRate(d decimal.Decimal) bool {
	return bounded(d) && d.IsPositive() &&
		Exact(d).Exponent() >= -MaxRateDigits && d.LessThanOrEqual(decimal.NewFromInt(MaxRate))
}

// Rate returns what one unit of a currency is worth now in another one; it is
// absent when Options.Rates knows no usable rate. It may ask a remote service,
// so it must not be called within a unit of work.
func (s *Service) Rate(ctx context.Context, from, to affiliate.Currency) affiliate.Optional[decimal.Decimal] {
	if from == to {
		return affiliate.Some(decimal.NewFromInt(1))
	}
	rate, err := s.opts.Rates.Rate(ctx, from, to, s.clock.Now())
	if err != nil || !usableRate(rate) {
		return affiliate.Optional[decimal.Decimal]{}
	}
	return affiliate.Some(rate)
}
