package laravel

import (
	"encoding/json"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Amount is money as it is sent: a whole number of minor units, in the currency
// of the thing it belongs to, or an object of major units that names its own.
type Amount struct {
	minor    int64
	currency affiliate.Currency // "" for a bare number
}

// UnmarshalWire takes both forms.
func (a *Amount) UnmarshalWire(v wire.Value) error {
	// A bare number is read the same way whatever the currency.
	const placeholder = affiliate.Currency("EUR")
	m, err := affiliate.ParseWireMoney(v.JSON(), placeholder)
	if err != nil {
		return fieldsOf(err, v.Kind() == wire.Object)
	}
	a.minor = m.Minor()
	if v.Kind() == wire.Object {
		a.currency = m.Currency()
	}
	return nil
}

// fieldsOf is the error of a value, whose fields lie below it (nested), or are
// the value itself.
func fieldsOf(err error, nested bool) error {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || nested {
		return err
	}
	var v affiliate.Validation
	for _, f := range e.Fields {
		v.Add("", f.Code, f.Message)
	}
	return v.Err("")
}

// Money returns the amount in the currency that it names, or in none when it is
// a bare number.
func (a Amount) Money() affiliate.Money { return affiliate.NewMoney(a.minor, a.currency) }

// In returns the amount in minor units of a currency. Another one is noted in v
// as wrong.
func (a Amount) In(c affiliate.Currency, field string, v *affiliate.Validation) int64 {
	if a.currency != "" && a.currency != c {
		v.Add(field+".currency", "currency_mismatch", "must be "+string(c))
	}
	return a.minor
}

// Rate is a fraction between 0 and 1, as a number or a decimal string.
type Rate struct{ affiliate.Rate }

// UnmarshalWire reads it exactly.
func (r *Rate) UnmarshalWire(v wire.Value) error {
	parsed, err := affiliate.ParseWireRate("", v.JSON())
	r.Rate = parsed
	return err
}

// ShowRate is a rate as a number, or null.
func ShowRate(r affiliate.Optional[affiliate.Rate]) *json.Number {
	if !r.Set {
		return nil
	}
	n := json.Number(r.Value.String())
	return &n
}

// Money prints as an object of major units in the fewest digits.
type Money affiliate.Money

// MarshalJSON prints the object.
func (m Money) MarshalJSON() ([]byte, error) {
	return affiliate.Money(m).AppendWireMajor(nil), nil
}
