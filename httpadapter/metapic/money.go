package metapic

import (
	"encoding/json"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// amount is money as it is sent: a whole number of minor units, of the currency
// of what it belongs to, or an object of major units that names its own.
type amount struct {
	minor    int64
	currency affiliate.Currency // "" for a bare number
}

// UnmarshalWire takes both forms.
func (a *amount) UnmarshalWire(v wire.Value) error {
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

// in is the amount in minor units of a currency. Another one is noted as wrong.
func (a amount) in(c affiliate.Currency, field string, v *affiliate.Validation) int64 {
	if a.currency != "" && a.currency != c {
		v.Add(field+".currency", "currency_mismatch", "must be "+string(c))
	}
	return a.minor
}

// rate is a fraction between 0 and 1, as a number or a decimal string.
type rate struct{ affiliate.Rate }

// UnmarshalWire reads it exactly.
func (r *rate) UnmarshalWire(v wire.Value) error {
	parsed, err := affiliate.ParseWireRate("", v.JSON())
	r.Rate = parsed
	return err
}

// showRate is a rate as a number, or null.
func showRate(r affiliate.Optional[affiliate.Rate]) *json.Number {
	if !r.Set {
		return nil
	}
	n := json.Number(r.Value.String())
	return &n
}

// money prints as an object of major units in the fewest digits.
type money affiliate.Money

// MarshalJSON prints the object.
func (m money) MarshalJSON() ([]byte, error) {
	return affiliate.Money(m).AppendWireMajor(nil), nil
}

// optional is the domain's form of a pointer.
func optional[T any](p *T) affiliate.Optional[T] {
	if p == nil {
		return affiliate.Optional[T]{}
	}
	return affiliate.Some(*p)
}

// pointer is nil for an absent value.
func pointer[T any](o affiliate.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

// textOrNull is nil for an empty text.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// idOrNull is nil for no id.
func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
