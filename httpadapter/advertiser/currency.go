package advertiser

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// currency says how amounts of a currency are written.
type currency struct {
	Code       string       `json:"code"`
	Name       string       `json:"name"`
	Symbol     string       `json:"symbol"`
	Subunit    string       `json:"subunit"`
	IsBefore   int          `json:"is_before"`    // 1: the symbol stands before the amount
	RatioToEUR *json.Number `json:"ratio_to_eur"` // euros for one unit; null: not known
}

// currencies are the currencies whose names are known. Others are written with
// their code.
var currencies = map[affiliate.Currency]currency{
	"AUD": {Name: "Australian dollar", Symbol: "A$", Subunit: "cent", IsBefore: 1},
	"BGN": {Name: "Bulgarian lev", Symbol: "лв.", Subunit: "stotinka"},
	"BRL": {Name: "Brazilian real", Symbol: "R$", Subunit: "centavo", IsBefore: 1},
	"CAD": {Name: "Canadian dollar", Symbol: "CA$", Subunit: "cent", IsBefore: 1},
	"CHF": {Name: "Swiss franc", Symbol: "CHF", Subunit: "rappen", IsBefore: 1},
	"CNY": {Name: "Chinese yuan", Symbol: "CN¥", Subunit: "fen", IsBefore: 1},
	"CZK": {Name: "Czech koruna", Symbol: "Kč", Subunit: "haléř"},
	"DKK": {Name: "Danish krone", Symbol: "kr.", Subunit: "øre"},
	"EUR": {Name: "Euro", Symbol: "€", Subunit: "cent"},
	"GBP": {Name: "Pound sterling", Symbol: "£", Subunit: "penny", IsBefore: 1},
	"HUF": {Name: "Hungarian forint", Symbol: "Ft", Subunit: "fillér"},
	"INR": {Name: "Indian rupee", Symbol: "₹", Subunit: "paisa", IsBefore: 1},
	"ISK": {Name: "Icelandic króna", Symbol: "kr.", Subunit: "eyrir"},
	"JPY": {Name: "Japanese yen", Symbol: "¥", Subunit: "yen", IsBefore: 1},
	"KWD": {Name: "Kuwaiti dinar", Symbol: "KD", Subunit: "fils", IsBefore: 1},
	"MXN": {Name: "Mexican peso", Symbol: "MX$", Subunit: "centavo", IsBefore: 1},
	"NOK": {Name: "Norwegian krone", Symbol: "kr", Subunit: "øre"},
	"NZD": {Name: "New Zealand dollar", Symbol: "NZ$", Subunit: "cent", IsBefore: 1},
	"PLN": {Name: "Polish zloty", Symbol: "zł", Subunit: "grosz"},
	"RON": {Name: "Romanian leu", Symbol: "lei", Subunit: "ban"},
	"SEK": {Name: "Swedish krona", Symbol: "kr", Subunit: "öre"},
	"TRY": {Name: "Turkish lira", Symbol: "₺", Subunit: "kuruş", IsBefore: 1},
	"UAH": {Name: "Ukrainian hryvnia", Symbol: "₴", Subunit: "kopiyka"},
	"USD": {Name: "US dollar", Symbol: "$", Subunit: "cent", IsBefore: 1},
	"ZAR": {Name: "South African rand", Symbol: "R", Subunit: "cent", IsBefore: 1},
}

// written is a currency without its ratio.
func written(c affiliate.Currency) currency {
	w, ok := currencies[c]
	if !ok {
		w = currency{Name: string(c), Symbol: string(c), Subunit: string(c)}
	}
	w.Code = string(c)
	return w
}

// showCurrency is a currency with the ratio that the service of orders knows.
func (s *server) showCurrency(ctx context.Context, c affiliate.Currency) currency {
	shown := written(c)
	if s.orders == nil {
		return shown
	}
	if rate := s.orders.Rate(ctx, c, "EUR"); rate.Set {
		ratio := json.Number(rate.Value.String())
		shown.RatioToEUR = &ratio
	}
	return shown
}

// formatted writes minor units as major ones with the symbol: "24 866.71 kr".
// Whole amounts have no decimals: "0 kr".
func formatted(minor int64, c affiliate.Currency) string {
	amount := affiliate.NewMoney(minor, c).Decimal()
	number := amount.String()
	if !amount.IsInteger() {
		number = amount.StringFixed(int32(c.Digits()))
	}
	number, negative := strings.CutPrefix(number, "-")
	whole, fraction, cut := strings.Cut(number, ".")
	var out strings.Builder
	if negative {
		out.WriteByte('-')
	}
	w := written(c)
	if w.IsBefore == 1 {
		out.WriteString(w.Symbol)
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(digit)
	}
	if cut {
		out.WriteString("." + fraction)
	}
	if w.IsBefore == 0 {
		out.WriteString(" " + w.Symbol)
	}
	return out.String()
}

// formated is formatted for the fields that the document spells so: there zero
// is written in the subunit, "0 öre".
func formated(minor int64, c affiliate.Currency) string {
	if minor == 0 {
		return "0 " + written(c).Subunit
	}
	return formatted(minor, c)
}
