package affiliate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestMoneyPrints(t *testing.T) {
	for _, tc := range []struct {
		m                            affiliate.Money
		text, major, wire, wireMoney string
	}{
		{eur(120), "1.20 EUR", "1.20", "120", `{"amount":"1.2","currency":"EUR"}`},
		{eur(-5), "-0.05 EUR", "-0.05", "-5", `{"amount":"-0.05","currency":"EUR"}`},
		{eur(0), "0.00 EUR", "0.00", "0", `{"amount":"0","currency":"EUR"}`},
		{eur(10000), "100.00 EUR", "100.00", "10000", `{"amount":"100","currency":"EUR"}`},
		{affiliate.NewMoney(120, "JPY"), "120 JPY", "120", "120", `{"amount":"120","currency":"JPY"}`},
		{affiliate.NewMoney(1050, "KWD"), "1.050 KWD", "1.050", "1050", `{"amount":"1.05","currency":"KWD"}`},
		{affiliate.NewMoney(-1, "CLF"), "-0.0001 CLF", "-0.0001", "-1", `{"amount":"-0.0001","currency":"CLF"}`},
		{eur(math.MinInt64), "-92233720368547758.08 EUR", "-92233720368547758.08", "-9223372036854775808",
			`{"amount":"-92233720368547758.08","currency":"EUR"}`},
		{affiliate.Money{}, "no money", "0", "null", "null"},
	} {
		is := is.New(t)
		is.Equal(tc.m.String(), tc.text)
		is.Equal(tc.m.MajorString(), tc.major)
		is.Equal(string(tc.m.AppendWireMinor([]byte("x"))), "x"+tc.wire)
		is.Equal(string(tc.m.AppendWireMajor([]byte("x"))), "x"+tc.wireMoney)
	}
}

func TestParseMoney(t *testing.T) {
	for _, tc := range []struct {
		major string
		c     affiliate.Currency
		want  int64
	}{
		{"1.2", "EUR", 120}, {"1.20", "EUR", 120}, {"0", "EUR", 0}, {"-0", "EUR", 0}, {"-0.00", "EUR", 0},
		{"-0.01", "EUR", -1}, {"100", "JPY", 100}, {"1.234", "KWD", 1234}, {"0.0001", "CLF", 1},
		{"92233720368547758.07", "EUR", math.MaxInt64}, {"-92233720368547758.08", "EUR", math.MinInt64},
		{"9223372036854775807", "JPY", math.MaxInt64},
	} {
		got, err := affiliate.ParseMoney(tc.major, tc.c)
		if err != nil || got != affiliate.NewMoney(tc.want, tc.c) {
			t.Errorf("ParseMoney(%q, %s) = %v, %v, want %d minor", tc.major, tc.c, got, err, tc.want)
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	for _, tc := range []struct {
		major string
		c     affiliate.Currency
		field string
		code  string
	}{
		{"", "EUR", "amount", "invalid_decimal"},
		{"-", "EUR", "amount", "invalid_decimal"},
		{"+1", "EUR", "amount", "invalid_decimal"},
		{"--1", "EUR", "amount", "invalid_decimal"},
		{"01", "EUR", "amount", "invalid_decimal"},
		{"00", "EUR", "amount", "invalid_decimal"},
		{".5", "EUR", "amount", "invalid_decimal"},
		{"1.", "EUR", "amount", "invalid_decimal"},
		{"1.2.3", "EUR", "amount", "invalid_decimal"},
		{"1,2", "EUR", "amount", "invalid_decimal"},
		{" 1", "EUR", "amount", "invalid_decimal"},
		{"1 ", "EUR", "amount", "invalid_decimal"},
		{"1e2", "EUR", "amount", "invalid_decimal"},
		{"1e999999999", "EUR", "amount", "invalid_decimal"},
		{"0x1", "EUR", "amount", "invalid_decimal"},
		{"1_000", "EUR", "amount", "invalid_decimal"},
		{"NaN", "EUR", "amount", "invalid_decimal"},
		{"Inf", "EUR", "amount", "invalid_decimal"},
		{"١", "EUR", "amount", "invalid_decimal"},
		{"1\x00", "EUR", "amount", "invalid_decimal"},
		{"1.234", "EUR", "amount", "too_precise"},
		{"1.200", "EUR", "amount", "too_precise"},
		{"1.0", "JPY", "amount", "too_precise"},
		{"92233720368547758.08", "EUR", "amount", "out_of_range"},
		{"-92233720368547758.09", "EUR", "amount", "out_of_range"},
		{"184467440737095516.17", "EUR", "amount", "out_of_range"}, // 2⁶⁴ + 1 minor
		{strings.Repeat("9", 40), "EUR", "amount", "out_of_range"},
		{strings.Repeat("9", 41), "EUR", "amount", "too_long"},
		{strings.Repeat("9", 1<<20), "EUR", "amount", "too_long"},
		{"1", "", "currency", "unknown_currency"},
		{"1", "XXX", "currency", "unknown_currency"},
	} {
		got, err := affiliate.ParseMoney(tc.major, tc.c)
		if err == nil || got != (affiliate.Money{}) {
			t.Errorf("ParseMoney(%.50q, %s) = %v, %v", tc.major, tc.c, got, err)
			continue
		}
		wantField(t, err, tc.field, tc.code)
	}
}

func TestTooPreciseAmountNamesTheBound(t *testing.T) {
	_, err := affiliate.ParseMoney("1.2345", "KWD")
	if err == nil || !strings.Contains(err.Error(), "at most 3 digits") {
		t.Errorf("got %v, want the 3 digits of KWD named", err)
	}
}

func TestParseWireMoney(t *testing.T) {
	for _, tc := range []struct {
		raw      string
		fallback affiliate.Currency
		want     affiliate.Money
	}{
		{"10000", "EUR", eur(10000)},
		{"-1", "EUR", eur(-1)},
		{" 7\n", "EUR", eur(7)},
		{`"10000"`, "EUR", eur(10000)},
		{"9223372036854775807", "EUR", eur(math.MaxInt64)},
		{"-9223372036854775808", "EUR", eur(math.MinInt64)},
		{`{"amount": "1.2", "currency": "EUR"}`, "", eur(120)},
		{`{"currency":"jpy","amount":"120"}`, "EUR", affiliate.NewMoney(120, "JPY")},
		{`{"amount":"1.2","currency":"EUR","formatted":{"amount":["€1.20"]},"scale":null}`, "SEK", eur(120)},
		{`{"\u0061mount":"\u0031","currency":"EUR"}`, "", eur(100)},
	} {
		got, err := affiliate.ParseWireMoney([]byte(tc.raw), tc.fallback)
		if err != nil || got != tc.want {
			t.Errorf("ParseWireMoney(%s, %q) = %v, %v, want %v", tc.raw, tc.fallback, got, err, tc.want)
		}
	}
}

func TestParseWireMoneyRefuses(t *testing.T) {
	for _, tc := range []struct {
		raw      string
		fallback affiliate.Currency
		fields   []string
	}{
		{"", "EUR", []string{"amount", "required"}},
		{"null", "EUR", []string{"amount", "required"}},
		{" null ", "EUR", []string{"amount", "required"}},
		{"true", "EUR", []string{"amount", "invalid_type"}},
		{"[1]", "EUR", []string{"amount", "invalid_type"}},
		{" ", "EUR", []string{"amount", "invalid_type"}},
		{"1 2", "EUR", []string{"amount", "invalid_type"}},
		{"1x", "EUR", []string{"amount", "invalid_type"}},
		{"01", "EUR", []string{"amount", "invalid_type"}},
		{`{"amount":"1","currency":"EUR"}x`, "EUR", []string{"amount", "invalid_type"}},
		{`{"amount":"1","currency":"EUR"`, "EUR", []string{"amount", "invalid_type"}},
		{strings.Repeat(" ", 1024) + "1", "EUR", []string{"amount", "invalid_type"}},
		{"1.5", "EUR", []string{"amount", "invalid_integer"}},
		{"1.0", "EUR", []string{"amount", "invalid_integer"}},
		{"1e3", "EUR", []string{"amount", "invalid_integer"}},
		{"1e999999999", "EUR", []string{"amount", "invalid_integer"}},
		{`"1.2"`, "EUR", []string{"amount", "invalid_integer"}},
		{`""`, "EUR", []string{"amount", "invalid_integer"}},
		{`" 1"`, "EUR", []string{"amount", "invalid_integer"}},
		{"9223372036854775808", "EUR", []string{"amount", "out_of_range"}},
		{"18446744073709551617", "EUR", []string{"amount", "out_of_range"}},
		{strings.Repeat("9", 41), "EUR", []string{"amount", "too_long"}},
		{"1", "", []string{"currency", "required"}},
		{"1", "XXX", []string{"currency", "unknown_currency"}},
		{"1.5", "", []string{"currency", "required", "amount", "invalid_integer"}},
		{"{}", "EUR", []string{"currency", "required", "amount", "required"}},
		{`{"amount":"1"}`, "EUR", []string{"currency", "required"}},
		{`{"amount":null,"currency":null}`, "EUR", []string{"currency", "required", "amount", "required"}},
		{`{"currency":"EUR"}`, "EUR", []string{"amount", "required"}},
		{`{"amount":1.2,"currency":"EUR"}`, "EUR", []string{"amount", "invalid_type"}},
		{`{"amount":120,"currency":978}`, "EUR", []string{"currency", "invalid_type", "amount", "invalid_type"}},
		{`{"amount":"1","currency":"XXX"}`, "EUR", []string{"currency", "unknown_currency"}},
		{`{"amount":"1.234","currency":"EUR"}`, "KWD", []string{"amount", "too_precise"}},
		{`{"Amount":"1","Currency":"EUR"}`, "EUR", []string{"currency", "required", "amount", "required"}},
		{`{"amount":"1","amount":"2","currency":"EUR"}`, "EUR", []string{"amount", "duplicate"}},
		{`{"amount":"1","currency":"EUR","\u0063urrency":"SEK"}`, "EUR", []string{"currency", "duplicate"}},
		{"{\"amount\":\"1\xff\",\"currency\":\"EUR\"}", "EUR", []string{"amount", "invalid_decimal"}},
	} {
		got, err := affiliate.ParseWireMoney([]byte(tc.raw), tc.fallback)
		if err == nil || got != (affiliate.Money{}) {
			t.Errorf("ParseWireMoney(%.60s, %q) = %v, %v", tc.raw, tc.fallback, got, err)
			continue
		}
		t.Run(tc.raw[:min(len(tc.raw), 40)], func(t *testing.T) { wantField(t, err, tc.fields...) })
	}
}

// Whatever ParseMoney accepts it reads exactly: printing gives the same number.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.2", "-0.01", "1.234", "0.0001", "92233720368547758.07", "92233720368547758.08",
		"-92233720368547758.08", "01", ".5", "1.", "1e9", "1e999999999", "+1", "", "9999999999999999999999999999999999999999"} {
		for _, c := range []string{"JPY", "EUR", "KWD", "CLF", "XXX"} {
			f.Add(s, c)
		}
	}
	f.Fuzz(func(t *testing.T, s, code string) {
		c := affiliate.Currency(code)
		m, err := affiliate.ParseMoney(s, c)
		if err != nil {
			if m != (affiliate.Money{}) {
				t.Errorf("ParseMoney(%q) = %v with error %v", s, m, err)
			}
			return
		}
		whole, frac, _ := strings.Cut(s, ".")
		want := whole
		if d := c.Digits(); d > 0 {
			want += "." + frac + strings.Repeat("0", d-len(frac))
		}
		if m.IsZero() {
			want = strings.TrimPrefix(want, "-")
		}
		if got := m.MajorString(); got != want || m.Currency() != c {
			t.Errorf("ParseMoney(%q, %s) = %v, want %s", s, c, m, want)
		}
	})
}

// Whatever ParseWireMoney accepts, both printed forms read back as the same.
func FuzzParseWireMoney(f *testing.F) {
	for _, s := range []string{"10000", "-1", `"10000"`, "1.5", "1e3", "null", "true", "", `{}`, `[]`,
		`{"amount":"1.2","currency":"EUR"}`, `{"currency":"kwd","amount":"-1.234","x":[{}]}`,
		`{"amount":"1","amount":"2","currency":"EUR"}`, `{"amount":1,"currency":"EUR"}`, `{"amount":"1","currency":"EUR"} 1`,
		"9223372036854775808", "-9223372036854775808", `{"amount":"\u0031","currency":"JPY"}`} {
		f.Add([]byte(s), "EUR")
		f.Add([]byte(s), "")
	}
	f.Fuzz(func(t *testing.T, raw []byte, fallback string) {
		m, err := affiliate.ParseWireMoney(raw, affiliate.Currency(fallback))
		if err != nil {
			if m != (affiliate.Money{}) {
				t.Errorf("ParseWireMoney(%q) = %v with error %v", raw, m, err)
			}
			return
		}
		for _, printed := range [][]byte{m.AppendWireMinor(nil), m.AppendWireMajor(nil)} {
			if got, err := affiliate.ParseWireMoney(printed, m.Currency()); err != nil || got != m {
				t.Errorf("%q is %v, printed %s, which is %v, %v", raw, m, printed, got, err)
			}
		}
	})
}
