package affiliate

// Currency is an ISO 4217 alphabetic code in upper case, such as "EUR". The
// zero value is "no currency".
//
// A conversion from string is not checked; [ParseCurrency] is.
type Currency string

type currencyRow struct {
	code   Currency
	digits uint8 // digits of the minor unit: 2 says that 100 minor units are 1 major unit
}

// currencyByCode indexes currencies. It is never written after it is built.
var currencyByCode = indexCurrencies()

func indexCurrencies() map[Currency]currencyRow {
	m := make(map[Currency]currencyRow, len(currencies))
	for _, row := range currencies {
		m[row.code] = row
	}
	return m
}

// ParseCurrency reads an ISO 4217 alphabetic code in upper, lower or mixed
// case. It trims nothing. A code that is not active, has no minor unit (XAU,
// XDR), or stands for none (XXX) or for tests (XTS) is ErrInvalid, field
// "currency", code "unknown_currency".
func ParseCurrency(s string) (Currency, error) {
	if len(s) == 3 {
		upper := [3]byte{upperASCII(s[0]), upperASCII(s[1]), upperASCII(s[2])}
		// The row's code, not s, which may pin a large input in memory.
		if row, ok := currencyByCode[Currency(upper[:])]; ok {
			return row.code, nil
		}
	}
	return "", invalidMoney(unknownCurrency)
}

func upperASCII(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

// Currencies lists every known currency by code, ascending.
func Currencies() []Currency {
	list := make([]Currency, len(currencies))
	for i, row := range currencies {
		list[i] = row.code
	}
	return list
}

// Digits is the number of digits of the minor unit, 0 to 4: JPY has 0, SEK 2,
// KWD 3. An unknown currency has 0.
func (c Currency) Digits() int { return int(currencyByCode[c].digits) }

// Valid reports whether the currency is a known one, in upper case.
func (c Currency) Valid() bool {
	_, ok := currencyByCode[c]
	return ok
}
