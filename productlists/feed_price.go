package productlists

import (
	"strings"
	"time"
	"unicode"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// prices reads the prices; where the regular or the final one is missing it is
// the other. A sale price is the final one if it is above 0 and its time is now.
func (s *source) prices(f *feedRow, v *affiliate.Validation, p *Product, drop func(field, message string)) bool {
	regular, final, name := f.RegularPrice, f.FinalPrice, "regular_price"
	if final == "" && f.SalePrice != "" && s.onSale(f, drop) {
		final = f.SalePrice
	}
	switch {
	case regular == "" && final == "":
		if regular = f.SalePrice; regular == "" {
			v.Add("regular_price", "required", "is required")
			return false
		}
		final = regular
	case regular == "":
		regular, name = final, "final_price"
	case final == "":
		final = regular
	}
	currency, err := s.currencyOf(f, regular, final)
	if err != nil {
		v.Merge("", err)
		return false
	}
	p.RegularPrice, err = parsePrice(regular, currency)
	v.Merge("", renamed(err, name))
	if err != nil {
		return false
	}
	p.FinalPrice, err = parsePrice(final, currency)
	switch {
	case final == regular:
	case err != nil && final == f.SalePrice: // it is sold without it
		drop("sale_price", reasonOf(renamed(err, "sale_price"))[len("sale_price "):])
		p.FinalPrice = p.RegularPrice
	case err != nil:
		v.Merge("", renamed(err, "final_price"))
		return false
	}
	if final == f.SalePrice && p.FinalPrice.Sign() <= 0 { // a feed's way to say that there is no sale
		p.FinalPrice = p.RegularPrice
	}
	if p.RegularPrice.Sign() == 0 && p.FinalPrice.Sign() > 0 { // and that there was no other price
		p.RegularPrice = p.FinalPrice
	}
	return true
}

// onSale reports whether the time of a sale is now. A time that cannot be read is
// told, and no sale.
func (s *source) onSale(f *feedRow, drop func(field, message string)) bool {
	from, until := string(f.SaleFrom), string(f.SaleUntil)
	if f.SaleDates != "" {
		var ok bool
		if from, until, ok = strings.Cut(string(f.SaleDates), "/"); !ok {
			drop("sale_dates", "must be two times with a slash in between")
			return false
		}
	}
	start, _, okFrom := saleTime(from)
	_, end, okUntil := saleTime(until)
	if !okFrom || !okUntil {
		drop("sale_dates", "must be times such as 2026-11-27T00:00+01:00")
		return false
	}
	return (start.IsZero() || !s.now.Before(start)) && (end.IsZero() || s.now.Before(end))
}

// saleTime reads a time; as an end, a day lasts through it.
func saleTime(text string) (start, end time.Time, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return start, end, true
	}
	for _, layout := range []string{"2006-01-02", "01/02/2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.AddDate(0, 0, 1), true
		}
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04-0700", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"2006-01-02T15:04:05", "2006-01-02T15:04", "01/02/2006 15:04:05",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t, true
		}
	}
	return start, end, false
}

// currencySigns are the signs that are of one currency alone. Others, as $ and
// kr, are of several: the feed or the options must say which.
var currencySigns = map[string]affiliate.Currency{"€": "EUR", "£": "GBP", "zł": "PLN", "₽": "RUB", "₴": "UAH", "₺": "TRY", "₹": "INR", "₩": "KRW", "₪": "ILS"}

// currencyOf is the currency of the row, or what stands at a price, or the
// feed's.
func (s *source) currencyOf(f *feedRow, prices ...feedText) (affiliate.Currency, error) {
	if f.Currency != "" {
		return affiliate.ParseCurrency(string(f.Currency))
	}
	for _, price := range prices {
		_, unit := splitPrice(string(price))
		if c, ok := currencySigns[strings.ToLower(unit)]; ok {
			return c, nil
		}
		if len(unit) == 3 {
			if c, err := affiliate.ParseCurrency(unit); err == nil {
				return c, nil
			}
		}
	}
	if s.currency != "" {
		return s.currency, nil
	}
	return affiliate.ParseCurrency("")
}

// splitPrice takes the currency off either side of an amount.
func splitPrice(text string) (amount, unit string) {
	isUnit := func(r rune) bool {
		return !unicode.IsDigit(r) && r != '-' && r != '.' && r != ',' && r != '\'' && r != '’'
	}
	first := strings.IndexFunc(text, func(r rune) bool { return unicode.IsDigit(r) || r == '-' })
	last := strings.LastIndexFunc(text, unicode.IsDigit)
	if first < 0 || last < first {
		return text, ""
	}
	before, after := strings.TrimSpace(text[:first]), strings.TrimSpace(text[last+1:])
	if unit = before; unit == "" {
		unit = strings.TrimSuffix(after, ".")
	} else if after != "" {
		return text, ""
	}
	if strings.ContainsFunc(unit, func(r rune) bool { return !isUnit(r) }) && unit != "" {
		return text, ""
	}
	return text[first : last+1], strings.TrimSpace(unit)
}

// parsePrice reads major units with a point or a comma, with or without
// separators of thousands. Zeros that the currency has no digits for are no loss:
// "120.00" JPY.
func parsePrice(s feedText, c affiliate.Currency) (affiliate.Money, error) {
	amount, unit := splitPrice(string(s))
	if !unitFits(unit, c) || len(amount) > 40 {
		return affiliate.ParseMoney(string(s), c)
	}
	if whole, fraction, ok := strings.Cut(amount, ","); ok && c.Digits() > 2 && len(fraction) == 3 && !strings.ContainsAny(whole+fraction, ".,") {
		return affiliate.ParseMoney(string(s), c) // thousands or thousandths: refused
	}
	text := plainAmount(amount)
	if whole, fraction, ok := strings.Cut(text, "."); ok && len(fraction) > c.Digits() {
		fraction = fraction[:c.Digits()] + strings.TrimRight(fraction[c.Digits():], "0")
		if text = whole; fraction != "" {
			text += "." + fraction
		}
	}
	return affiliate.ParseMoney(text, c)
}

// unitFits reports whether a price may have that beside it: the currency's code,
// or a sign that is not another currency's.
func unitFits(unit string, c affiliate.Currency) bool {
	if other, ok := currencySigns[strings.ToLower(unit)]; ok {
		return other == c
	}
	if code, err := affiliate.ParseCurrency(unit); err == nil {
		return code == c
	}
	return len([]rune(unit)) <= 3
}

// plainAmount brings an amount to a point before its fraction and nothing else
// between its digits, where it is clear which mark is which: the last one of two
// kinds is the decimal mark, one that comes several times is none, and so is a
// single comma before three digits, which would be more than prices have.
func plainAmount(s string) string {
	s = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "", "’", "").Replace(s)
	point, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	switch {
	case point >= 0 && comma >= 0 && point > comma:
		return strings.ReplaceAll(s, ",", "")
	case point >= 0 && comma >= 0:
		return strings.Replace(strings.ReplaceAll(s, ".", ""), ",", ".", 1)
	case comma >= 0 && (strings.Count(s, ",") > 1 || len(s)-comma-1 == 3):
		return strings.ReplaceAll(s, ",", "")
	case comma >= 0:
		return strings.Replace(s, ",", ".", 1)
	case strings.Count(s, ".") > 1:
		return strings.ReplaceAll(s, ".", "")
	}
	return s
}
