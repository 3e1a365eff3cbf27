package affiliate

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MarshalJSON writes major units with all digits of the currency:
// {"amount":"12.30","currency":"SEK"}. The zero Money is null. An amount in an
// unknown currency is an error, because nobody could read it back.
func (m Money) MarshalJSON() ([]byte, error) {
	if m == (Money{}) {
		return []byte("null"), nil
	}
	if !m.currency.Valid() {
		return nil, invalidMoney(unknownCurrency)
	}
	return fmt.Appendf(nil, `{"amount":"%s","currency":"%s"}`, m.MajorString(), m.currency), nil
}

// UnmarshalJSON reads what MarshalJSON writes; null is the zero Money. It is
// strict: the object has these two members, each once and nothing else, the
// currency is in upper case, and the amount is a string in the grammar of
// [ParseMoney]. A JSON number is refused, because other programs would have made
// a float of it; so are digits that the currency does not have, and amounts
// beyond 64 bits. The error is ErrInvalid and names every failing field.
//
// It differs from [ParseWireMoney], which takes what clients of the documented
// APIs send.
func (m *Money) UnmarshalJSON(raw []byte) error {
	value, kind := wireValue(raw)
	switch kind {
	case wireNull:
		*m = Money{}
		return nil
	case wireObject:
	default:
		return invalidMoney(FieldError{"amount", "invalid_type", `must be an object such as {"amount":"12.30","currency":"SEK"}`})
	}
	var v Validation
	keys, _, err := wireKeys(value, "amount", "currency")
	if err != nil {
		return err
	}
	for key := range keys {
		v.Check(key == "amount" || key == "currency", "", "unknown_field", "must have the members amount and currency alone")
	}
	if code, kind := wireValue(keys["currency"]); kind == wireString {
		v.Check(Currency(code).Valid(), "currency", unknownCurrency.Code, unknownCurrency.Message+", in upper case")
	}
	if err := v.Err("money"); err != nil {
		return err
	}
	read, err := parseWireObject(value)
	if err == nil {
		*m = read
	}
	return err
}

// MarshalText writes the rate in the fewest digits, so that in JSON it is a
// string: "0.125".
func (r Rate) MarshalText() ([]byte, error) { return r.AppendWire(nil), nil }

// UnmarshalText reads a rate in the grammar of [ParseRate]. In JSON that is a
// string: a number is refused, because other programs would have made a float of
// it.
func (r *Rate) UnmarshalText(text []byte) error {
	read, err := ParseRate("rate", string(text))
	if err == nil {
		*r = read
	}
	return err
}

// IsZero reports whether the value is absent. Package encoding/json asks for it
// where a field has the option omitzero.
func (o Optional[T]) IsZero() bool { return !o.Set }

// MarshalJSON writes the value as its type does, and null when it is absent. A
// present value that is null in JSON, such as a nil pointer or the zero Money,
// is an error, because it would be read back as an absent one.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return []byte("null"), nil
	}
	raw, err := json.Marshal(o.Value)
	if err == nil && string(raw) == "null" {
		return nil, fmt.Errorf("affiliate: Optional[%T]: a value that is present must not be null in JSON", o.Value)
	}
	return raw, err
}

// UnmarshalJSON reads what MarshalJSON writes: null is the absent value.
// Members that a struct does not have are refused.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	if string(bytes.TrimSpace(raw)) == "null" {
		*o = Optional[T]{}
		return nil
	}
	read := Optional[T]{Set: true}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read.Value); err != nil {
		return err
	}
	if decoder.More() {
		return fmt.Errorf("affiliate: Optional[%T]: more than one JSON value", o.Value)
	}
	*o = read
	return nil
}
