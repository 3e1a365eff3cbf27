package affiliate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gomoney "github.com/Rhymond/go-money"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The table of currencies against an independent list. Where that list departs
// from ISO 4217, the departure stands here with its reason.
func TestCurrencyTableAgreesWithAnIndependentList(t *testing.T) {
	// In our table, not in the list.
	missing := map[affiliate.Currency]int{
		"BOV": 2, // funds code, Bolivia
		"CHE": 2, // funds code, WIR euro
		"CHW": 2, // funds code, WIR franc
		"COU": 2, // funds code, Colombia
		"MXV": 2, // funds code, Mexico
		"USN": 2, // funds code, US dollar next day
		"UYI": 0, // funds code, Uruguay indexed unit
		"UYW": 4, // unidad previsional, Uruguay
		"VED": 2, // digital bolívar, since 2021
		"XAD": 2, // Arab Monetary Fund, since 2025
		"ZWG": 2, // Zimbabwe gold, since 2024
	}
	// In the list, and not active ISO 4217 currencies with a minor unit.
	surplus := map[string]string{
		"ANG": "replaced by XCG in 2025",
		"BGN": "replaced by EUR in 2026",
		"BYR": "replaced by BYN in 2016",
		"CUC": "withdrawn in 2021",
		"EEK": "replaced by EUR in 2011",
		"GGP": "never in ISO 4217, Guernsey",
		"GHC": "replaced by GHS in 2007",
		"HRK": "replaced by EUR in 2023",
		"IMP": "never in ISO 4217, Isle of Man",
		"JEP": "never in ISO 4217, Jersey",
		"LTL": "replaced by EUR in 2015",
		"LVL": "replaced by EUR in 2014",
		"RUR": "replaced by RUB in 1998",
		"SKK": "replaced by EUR in 2009",
		"SLL": "replaced by SLE in 2022",
		"STD": "replaced by STN in 2018",
		"TRL": "replaced by TRY in 2005",
		"VEF": "replaced by VES in 2018",
		"XAG": "silver, no minor unit",
		"XAU": "gold, no minor unit",
		"XDR": "special drawing rights, no minor unit",
		"ZWD": "replaced by ZWR in 2008",
		"ZWL": "replaced by ZWG in 2024",
	}

	ours := affiliate.Currencies()
	if len(ours) != 165 || !slices.IsSorted(ours) || len(slices.Compact(slices.Clone(ours))) != len(ours) {
		t.Fatalf("got %d currencies, want 165, each once, sorted", len(ours))
	}
	for _, c := range ours {
		want, corrected := missing[c]
		if listed := gomoney.GetCurrency(string(c)); listed != nil {
			if corrected {
				t.Errorf("%s is in the list now: drop its correction", c)
			}
			want = listed.Fraction
		} else if !corrected {
			t.Errorf("%s is in no list", c)
		}
		if c.Digits() != want {
			t.Errorf("%s.Digits() = %d, want %d", c, c.Digits(), want)
		}
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				listed := gomoney.GetCurrency(code) != nil && surplus[code] == ""
				if listed && !affiliate.Currency(code).Valid() {
					t.Errorf("%s is in the list and not in ours", code)
				}
				if surplus[code] != "" && affiliate.Currency(code).Valid() {
					t.Errorf("%s is valid, and is: %s", code, surplus[code])
				}
			}
		}
	}
}

func TestCurrencyDigits(t *testing.T) {
	for c, want := range map[affiliate.Currency]int{
		"JPY": 0, "ISK": 0, "SEK": 2, "EUR": 2, "HUF": 2, "KWD": 3, "IQD": 3, "CLF": 4, "UYW": 4,
		"": 0, "ZZZ": 0, "eur": 0,
	} {
		if got := c.Digits(); got != want {
			t.Errorf("%q.Digits() = %d, want %d", c, got, want)
		}
	}
}

func TestParseCurrencyBringsToUpperCase(t *testing.T) {
	is := is.New(t)
	for _, s := range []string{"EUR", "eur", "eUr"} {
		c, err := affiliate.ParseCurrency(s)
		is.NoErr(err)
		is.Equal(c, affiliate.Currency("EUR"))
		is.True(c.Valid())
	}
}

func TestParseCurrencyRefuses(t *testing.T) {
	for _, s := range []string{
		"", "E", "EU", "EURO", " EUR", "EUR ", "EU\x00", "ΕUR", "978", "€", "ZZZ", "XXX", "XTS", "xts", "XAU", "XDR",
		"HRK", strings.Repeat("EUR", 1000),
	} {
		c, err := affiliate.ParseCurrency(s)
		wantField(t, err, "currency", "unknown_currency")
		if c != "" || affiliate.Currency(s).Valid() {
			t.Errorf("ParseCurrency(%q) = %q", s, c)
		}
	}
}

func TestCurrencyLookupDoesNotAllocate(t *testing.T) {
	got := testing.AllocsPerRun(100, func() {
		c, err := affiliate.ParseCurrency("sek")
		if err != nil || !c.Valid() || c.Digits() != 2 {
			t.Error("sek is not SEK")
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

// failer is what *testing.T and *rapid.T share.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// wantField fails unless err is a validation error with exactly these fields
// and codes, in pairs.
func wantField(t failer, err error, pairs ...string) {
	t.Helper()
	var e *affiliate.Error
	if !errors.As(err, &e) || !errors.Is(err, affiliate.ErrInvalid) {
		t.Fatalf("got error %v, want ErrInvalid with %v", err, pairs)
	}
	var got []string
	for _, f := range e.Fields {
		if f.Message == "" {
			t.Errorf("field %s has no message", f.Field)
		}
		got = append(got, f.Field, f.Code)
	}
	if !slices.Equal(got, pairs) {
		t.Errorf("got fields %v, want %v", got, pairs)
	}
}
