package affiliate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	maxDecimalText = 40   // bytes of a decimal number
	maxWireText    = 1024 // bytes of a JSON value that is money or a rate
)

// ParseMoney reads an amount of major units: "1.2" is 1.20 EUR.
//
// The grammar is JSON's number without an exponent: an optional minus, no
// leading zeros, digits on both sides of a point, no spaces, at most 40 bytes.
// More digits after the point than the currency has are an error even when they
// are zeros; nothing is rounded. The errors are on the field "amount" with code
// "invalid_decimal", "too_long", "too_precise" or "out_of_range", or on
// "currency".
func ParseMoney(major string, c Currency) (Money, error) {
	if !c.Valid() {
		return Money{}, invalidMoney(unknownCurrency)
	}
	minor, problem := parseFixed(major, c.Digits())
	if problem != nil {
		return Money{}, invalidMoney(*problem)
	}
	return Money{minor, c}, nil
}

// String is for people and logs: "1.20 EUR"; the zero value is "no money".
func (m Money) String() string {
	if m.currency == "" && m.minor == 0 {
		return "no money"
	}
	return m.MajorString() + " " + string(m.currency)
}

// MajorString is the amount in major units with all digits of the currency:
// "1.20" in EUR, "120" in JPY. [ParseMoney] reads it back.
func (m Money) MajorString() string {
	return string(appendFixed(nil, m.minor, m.currency.Digits()))
}

// AppendWireMinor appends the amount as a JSON integer of minor units: 120 is
// 1.20 EUR. The zero Money is null.
func (m Money) AppendWireMinor(b []byte) []byte {
	if m == (Money{}) {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, m.minor, 10)
}

// AppendWireMajor appends the amount as a JSON object of major units in the
// fewest digits: {"amount":"1.2","currency":"EUR"}. The zero Money is null.
func (m Money) AppendWireMajor(b []byte) []byte {
	if m == (Money{}) {
		return append(b, "null"...)
	}
	b = append(b, `{"amount":"`...)
	b = appendFixedShort(b, m.minor, m.currency.Digits())
	b = append(b, `","currency":"`...)
	b = append(b, m.currency...)
	return append(b, `"}`...)
}

// ParseWireMoney reads money from a JSON value of at most 1024 bytes:
//
//   - 10000 or "10000", a whole number, is minor units of the fallback currency;
//   - {"amount": "1.2", "currency": "EUR"} is major units of the currency it
//     names, whatever the fallback; the amount is a string as in [ParseMoney]
//     (a number there could mean either unit), the currency as in
//     [ParseCurrency].
//
// Everything else is ErrInvalid and names "amount", "currency" or both: a bare
// number with a point or an exponent, null (an optional amount is the caller's
// to recognise first), other types, a missing key, a key given twice, anything
// after the value. Other keys of the object are ignored.
func ParseWireMoney(raw []byte, fallback Currency) (Money, error) {
	value, kind := wireValue(raw)
	switch kind {
	case wireNumber, wireString:
		return parseMinor(value, fallback)
	case wireObject:
		return parseWireObject(value)
	case wireNull:
		return Money{}, invalidMoney(FieldError{"amount", "required", "is required"})
	}
	return Money{}, invalidMoney(FieldError{"amount", "invalid_type",
		`must be a whole number of minor units or an object such as {"amount": "1.20", "currency": "EUR"}`})
}

// parseMinor reads a whole number of minor units.
func parseMinor(s string, c Currency) (Money, error) {
	var v Validation
	switch {
	case c == "":
		v.Add("currency", noCurrency.Code, noCurrency.Message)
	case !c.Valid():
		v.Add("currency", unknownCurrency.Code, unknownCurrency.Message)
	}
	minor, problem := parseFixed(s, 0)
	if problem != nil {
		if problem.Code == "invalid_decimal" || problem.Code == "too_precise" {
			problem = &FieldError{"amount", "invalid_integer", "must be a whole number of minor units"}
		}
		v.Add(problem.Field, problem.Code, problem.Message)
	}
	if err := v.Err("money"); err != nil {
		return Money{}, err
	}
	return Money{minor, c}, nil
}

// parseWireObject reads the object form; raw is one valid JSON object.
func parseWireObject(raw string) (Money, error) {
	var v Validation
	var c Currency
	keys, repeated, err := wireKeys(raw, "amount", "currency")
	if err != nil {
		return Money{}, err
	}
	for _, key := range repeated {
		v.Add(key, "duplicate", "must be given once")
	}
	code, kind := wireValue(keys["currency"])
	switch kind {
	case wireNull:
		v.Add("currency", noCurrency.Code, noCurrency.Message)
	case wireString:
		if c, err = ParseCurrency(code); err != nil {
			v.Merge("", err)
		}
	default:
		v.Add("currency", "invalid_type", "must be a string")
	}
	amount, kind := wireValue(keys["amount"])
	var m Money
	switch {
	case kind == wireNull:
		v.Add("amount", "required", "is required")
	case kind != wireString:
		v.Add("amount", "invalid_type", "must be a decimal number in a string")
	case c != "":
		if m, err = ParseMoney(amount, c); err != nil {
			v.Merge("", err)
		}
	}
	if err := v.Err("money"); err != nil {
		return Money{}, err
	}
	return m, nil
}

// wireKeys are the values of the named keys of a JSON object, and which of them
// it has more than once.
func wireKeys(raw string, names ...string) (values map[string][]byte, repeated []string, err error) {
	dec := json.NewDecoder(strings.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, nil, invalidMoney(FieldError{"amount", "invalid_type", "must be a JSON object"})
	}
	values = make(map[string][]byte, len(names))
	seen := make(map[string]int, len(names))
	for dec.More() {
		var value json.RawMessage
		key, err := dec.Token()
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return nil, nil, invalidMoney(FieldError{"amount", "invalid_type", "must be a JSON object"})
		}
		name, _ := key.(string)
		seen[name]++
		values[name] = value
	}
	for _, name := range names {
		if seen[name] > 1 {
			repeated = append(repeated, name)
		}
	}
	return values, repeated, nil
}

type wireKind int

const (
	wireInvalid wireKind = iota // not one JSON value, too long, or of another type
	wireNull                    // null, or nothing at all
	wireNumber
	wireString
	wireObject
)

// wireValue tells what the JSON value is, and gives the text of a number or an
// object, or what a string holds.
func wireValue(raw []byte) (string, wireKind) {
	if len(raw) == 0 {
		return "", wireNull
	}
	if len(raw) > maxWireText || !json.Valid(raw) {
		return "", wireInvalid
	}
	raw = bytes.Trim(raw, " \t\r\n")
	switch c := raw[0]; {
	case c == 'n':
		return "", wireNull
	case c == '-' || '0' <= c && c <= '9':
		return string(raw), wireNumber
	case c == '{':
		return string(raw), wireObject
	case c == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", wireInvalid
		}
		return s, wireString
	}
	return "", wireInvalid
}

// parseFixed reads a decimal number as a whole number of 10^-digits; the
// problem, if any, is on the field "amount".
func parseFixed(s string, digits int) (int64, *FieldError) {
	if len(s) > maxDecimalText {
		return 0, &FieldError{"amount", "too_long", "must be at most 40 characters"}
	}
	unsigned, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(unsigned, ".")
	if !allDigits(whole) || len(whole) > 1 && whole[0] == '0' || point && !allDigits(frac) {
		return 0, &FieldError{"amount", "invalid_decimal", "must be a decimal number such as 12.34"}
	}
	if len(frac) > digits {
		problem := tooPrecise(digits)
		return 0, &problem
	}
	// The whole number, without the point, is at most 40 digits long.
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", digits-len(frac)), 10, 64)
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if err != nil || n > limit {
		return 0, &FieldError{"amount", "out_of_range", fmt.Sprintf("must be between %s and %s",
			appendFixed(nil, math.MinInt64, digits), appendFixed(nil, math.MaxInt64, digits))}
	}
	return signed(n, negative), nil
}

func tooPrecise(digits int) FieldError {
	return FieldError{"amount", "too_precise", fmt.Sprintf("must have at most %d digits after the point", digits)}
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// appendFixed appends n × 10^-digits with exactly that many digits after the
// point.
func appendFixed(b []byte, n int64, digits int) []byte {
	if n < 0 {
		b = append(b, '-')
	}
	unit := uint64(1)
	for range digits {
		unit *= 10
	}
	b = strconv.AppendUint(b, magnitude(n)/unit, 10)
	if digits == 0 {
		return b
	}
	b = append(b, '.')
	for frac := magnitude(n) % unit; unit > 1; frac %= unit {
		unit /= 10
		b = append(b, '0'+byte(frac/unit))
	}
	return b
}

// appendFixedShort is appendFixed without trailing zeros after the point.
func appendFixedShort(b []byte, n int64, digits int) []byte {
	for digits > 0 && n%10 == 0 {
		n /= 10
		digits--
	}
	return appendFixed(b, n, digits)
}
