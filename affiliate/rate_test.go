package affiliate_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func mustRate(t *testing.T, s string) affiliate.Rate {
	t.Helper()
	r, err := affiliate.ParseRate("cpa", s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRateParsesFromEveryForm(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "0.2": "0.2", "0.25": "0.25", "0.30": "0.3", "1": "1", "1.00": "1", "-0": "0", "0.000000001": "0.000000001",
	} {
		r := mustRate(t, in)
		if r.String() != want || string(r.AppendWire([]byte("x"))) != "x"+want || r.IsZero() != (want == "0") {
			t.Errorf("rate %s prints %s, want %s", in, r, want)
		}
		for _, raw := range []string{in, `"` + in + `"`, " " + in + "\n"} {
			if got, err := affiliate.ParseWireRate("cpa", []byte(raw)); err != nil || got != r {
				t.Errorf("ParseWireRate(%s) = %v, %v, want %v", raw, got, err, r)
			}
		}
		if got, err := affiliate.RateFromDecimal("cpa", decimal.RequireFromString(in)); err != nil || got != r {
			t.Errorf("RateFromDecimal(%s) = %v, %v, want %v", in, got, err, r)
		}
	}
}

func TestRateRefusesAndNamesFieldAndBound(t *testing.T) {
	for in, code := range map[string]string{
		"-0.000000001": "out_of_range", "1.000000001": "out_of_range", "2": "out_of_range", "-1": "out_of_range",
		"99999999999999999999": "out_of_range", "0.0000000001": "too_precise", "0.1234567890": "too_precise",
		"": "invalid_decimal", "abc": "invalid_decimal", ".5": "invalid_decimal", "1e-2": "invalid_decimal",
	} {
		_, err := affiliate.ParseRate("costs.0.cpa", in)
		wantField(t, err, "costs.0.cpa", code)
	}
	for in, code := range map[string]string{
		"-0.0000000001": "out_of_range", "1.0000000001": "out_of_range", "100": "out_of_range", "0.0000000001": "too_precise", "0.33333333333333": "too_precise",
	} {
		_, err := affiliate.RateFromDecimal("revenue_share", decimal.RequireFromString(in))
		wantField(t, err, "revenue_share", code)
	}
	for exponent, code := range map[int32]string{
		65: "out_of_range", 999_999_999: "out_of_range", -65: "too_precise", -999_999_999: "too_precise",
	} {
		_, err := affiliate.RateFromDecimal("cpa", decimal.New(1, exponent))
		wantField(t, err, "cpa", code)
	}
	for in, code := range map[string]string{
		"": "required", "null": "required", "true": "invalid_type", "{}": "invalid_type", "[0.5]": "invalid_type",
		"0.5 1": "invalid_type", "2": "out_of_range", `"x"`: "invalid_decimal", "5e-1": "invalid_decimal",
	} {
		_, err := affiliate.ParseWireRate("cpa", []byte(in))
		wantField(t, err, "cpa", code)
	}
}

func TestRateRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rates().Draw(t, "rate")
		if got, err := affiliate.ParseRate("cpa", r.String()); err != nil || got != r {
			t.Fatalf("ParseRate(%s) = %v, %v", r, got, err)
		}
		if got, err := affiliate.RateFromDecimal("cpa", r.Decimal()); err != nil || got != r {
			t.Fatalf("RateFromDecimal(%v) = %v, %v", r.Decimal(), got, err)
		}
		if r.String() != r.Decimal().String() {
			t.Fatalf("String() = %s, want %s", r, r.Decimal())
		}
	})
}
