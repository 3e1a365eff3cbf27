package affiliate_test

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func eur(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "EUR") }

// minorUnits draws amounts, the edges of int64 often among them.
func minorUnits() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64(),
		rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64}),
	)
}

func currencies() *rapid.Generator[affiliate.Currency] {
	return rapid.SampledFrom(affiliate.Currencies())
}

func rates() *rapid.Generator[affiliate.Rate] {
	return rapid.Custom(func(t *rapid.T) affiliate.Rate {
		n := rapid.OneOf(
			rapid.Int64Range(0, 1_000_000_000),
			rapid.SampledFrom([]int64{0, 1, 50_000_000, 500_000_000, 999_999_999, 1_000_000_000}),
		).Draw(t, "billionths")
		r, err := affiliate.RateFromDecimal("cpa", decimal.New(n, -9))
		if err != nil {
			t.Fatal(err)
		}
		return r
	})
}

// wantExact fails unless the operation gave the exact integer, or an error
// when that does not fit.
func wantExact(t *rapid.T, got affiliate.Money, err error, want *big.Int, c affiliate.Currency) {
	switch {
	case !want.IsInt64():
		wantField(t, err, "amount", "out_of_range")
	case err != nil:
		t.Fatalf("got error %v, want %v", err, want)
	case got != affiliate.NewMoney(want.Int64(), c):
		t.Fatalf("got %v, want %v minor %v", got, want, c)
	}
}

func TestAddSubNegAreExactOrAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := minorUnits().Draw(t, "a"), minorUnits().Draw(t, "b"), currencies().Draw(t, "currency")
		x, y := affiliate.NewMoney(a, c), affiliate.NewMoney(b, c)

		sum, err := x.Add(y)
		wantExact(t, sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)), c)
		if err == nil {
			if back, err := sum.Sub(y); err != nil || back != x {
				t.Fatalf("(%v + %v) - %v = %v, %v", x, y, y, back, err)
			}
		}
		diff, err := x.Sub(y)
		wantExact(t, diff, err, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)), c)
		neg, err := x.Neg()
		wantExact(t, neg, err, new(big.Int).Neg(big.NewInt(a)), c)

		order, err := x.Cmp(y)
		if err != nil || order != big.NewInt(a).Cmp(big.NewInt(b)) {
			t.Fatalf("%v.Cmp(%v) = %d, %v", x, y, order, err)
		}
	})
}

func TestMoneyOfTwoCurrenciesDoesNotMix(t *testing.T) {
	usd := affiliate.NewMoney(5, "USD")
	for _, tc := range []struct {
		a, b affiliate.Money
		code string
	}{
		{eur(1), usd, "currency_mismatch"},
		{affiliate.Money{}, eur(1), "required"},
		{eur(1), affiliate.Money{}, "required"},
		{affiliate.Money{}, affiliate.Money{}, "required"},
	} {
		_, err := tc.a.Add(tc.b)
		wantField(t, err, "currency", tc.code)
		_, err = tc.a.Sub(tc.b)
		wantField(t, err, "currency", tc.code)
		_, err = tc.a.Cmp(tc.b)
		wantField(t, err, "currency", tc.code)
	}
	_, err := affiliate.Sum("EUR", eur(1), usd)
	wantField(t, err, "currency", "currency_mismatch")
	_, err = affiliate.Money{}.Mul(decimal.NewFromInt(1))
	wantField(t, err, "currency", "required")
	_, err = affiliate.MoneyFromDecimal(decimal.NewFromInt(1), "ZZZ")
	wantField(t, err, "currency", "unknown_currency")
}

func TestSum(t *testing.T) {
	is := is.New(t)
	nothing, err := affiliate.Sum("EUR")
	is.NoErr(err)
	is.Equal(nothing, eur(0))
	total, err := affiliate.Sum("EUR", eur(5), eur(-7), eur(100))
	is.NoErr(err)
	is.Equal(total, eur(98))
	_, err = affiliate.Sum("EUR", eur(math.MaxInt64), eur(1), eur(-1))
	wantField(t, err, "amount", "out_of_range")
}

func TestMoneyAccessors(t *testing.T) {
	is := is.New(t)
	m := affiliate.NewMoney(-1250, "KWD")
	is.Equal(m.Minor(), int64(-1250))
	is.Equal(m.Currency(), affiliate.Currency("KWD"))
	is.Equal(m.Sign(), -1)
	is.Equal(eur(3).Sign(), 1)
	is.Equal(eur(0).Sign(), 0)
	is.True(eur(0).IsZero())
	is.True(!m.IsZero())
	is.Equal(m.Decimal().String(), "-1.25")
}

func TestMulRoundsHalfEvenOnce(t *testing.T) {
	for _, tc := range []struct {
		minor  int64
		factor string
		want   int64
	}{
		{1, "0.5", 0}, {3, "0.5", 2}, {5, "0.5", 2}, {7, "0.5", 4},
		{-1, "0.5", 0}, {-3, "0.5", -2}, {-5, "0.5", -2}, {-7, "0.5", -4},
		{1, "0.51", 1}, {-1, "0.51", -1}, {1, "0.49", 0},
		{1, "0.4999999999999999999", 0}, // rounding twice would make 1
		{1, "0.5000000000000000001", 1},
		{100, "1.5", 150}, {100, "-0.125", -12}, {2, "1e3", 2000}, {0, "1e64", 0},
		{math.MaxInt64, "1", math.MaxInt64}, {math.MinInt64, "1", math.MinInt64},
		{10, "1e-64", 0},
	} {
		got, err := eur(tc.minor).Mul(decimal.RequireFromString(tc.factor))
		if err != nil || got != eur(tc.want) {
			t.Errorf("%d × %s = %v, %v, want %d minor", tc.minor, tc.factor, got, err, tc.want)
		}
	}
}

func TestMoneyFromDecimalRoundsHalfEven(t *testing.T) {
	for _, tc := range []struct {
		major string
		c     affiliate.Currency
		want  int64
	}{
		{"1.2", "EUR", 120}, {"1.205", "EUR", 120}, {"1.215", "EUR", 122}, {"1.2050001", "EUR", 121},
		{"-1.205", "EUR", -120}, {"-1.215", "EUR", -122}, {"0.5", "JPY", 0}, {"1.5", "JPY", 2},
		{"1.0005", "KWD", 1000}, {"1.0015", "KWD", 1002}, {"1e3", "EUR", 100000},
		{"92233720368547758.07", "EUR", math.MaxInt64}, {"-92233720368547758.08", "EUR", math.MinInt64},
	} {
		got, err := affiliate.MoneyFromDecimal(decimal.RequireFromString(tc.major), tc.c)
		if err != nil || got != affiliate.NewMoney(tc.want, tc.c) {
			t.Errorf("%s %s = %v, %v, want %d minor", tc.major, tc.c, got, err, tc.want)
		}
	}
}

// The nearest integer, a tie to the even one, told without dividing.
func TestMulIsTheNearestAmountAndTiesAreEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := minorUnits().Draw(t, "minor")
		factor := decimal.New(rapid.Int64().Draw(t, "coefficient"), int32(rapid.IntRange(-30, 3).Draw(t, "exponent")))
		exact := decimal.NewFromInt(minor).Mul(factor)

		got, err := eur(minor).Mul(factor)
		if err != nil {
			wantField(t, err, "amount", "out_of_range")
			limit := decimal.New(math.MaxInt64, 0).Add(decimal.New(5, -1))
			if exact.Abs().LessThan(limit) {
				t.Fatalf("%d × %v: %v, but it fits", minor, factor, err)
			}
			return
		}
		off := exact.Sub(decimal.NewFromInt(got.Minor())).Abs()
		half := decimal.New(5, -1)
		if off.GreaterThan(half) || off.Equal(half) && got.Minor()%2 != 0 {
			t.Fatalf("%d × %v = %d minor, exactly %v", minor, factor, got.Minor(), exact)
		}
	})
}

func TestOutOfRangeProductsAndDecimalsAreRefused(t *testing.T) {
	for _, d := range []decimal.Decimal{
		decimal.New(1, 999_999_999), decimal.New(-1, 999_999_999), decimal.New(1, -999_999_999), decimal.New(0, 999_999_999),
		decimal.New(1, math.MaxInt32), decimal.New(1, math.MinInt32), decimal.New(1, 65), decimal.New(1, -65),
		decimal.NewFromBigInt(new(big.Int).Lsh(big.NewInt(1), 256), -64),
		decimal.NewFromBigInt(new(big.Int).Lsh(big.NewInt(1), 1_000_000), 0),
		decimal.New(1, 64),
		decimal.RequireFromString("9223372036854775807.5"),
	} {
		_, err := affiliate.NewMoney(1, "JPY").Mul(d)
		wantField(t, err, "amount", "out_of_range")
		_, err = affiliate.MoneyFromDecimal(d, "JPY")
		wantField(t, err, "amount", "out_of_range")
	}
	_, err := eur(math.MinInt64).Mul(decimal.NewFromInt(-1))
	wantField(t, err, "amount", "out_of_range")
}

func TestMulRateEqualsTheDecimalPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := affiliate.NewMoney(minorUnits().Draw(t, "minor"), currencies().Draw(t, "currency"))
		rate := rates().Draw(t, "rate")
		want, err := m.Mul(rate.Decimal())
		if err != nil {
			t.Fatalf("%v × %v: %v", m, rate, err)
		}
		if got := m.MulRate(rate); got != want {
			t.Fatalf("%v × %v = %v, want %v", m, rate, got, want)
		}
	})
}

func TestMulRateTiesAreEven(t *testing.T) {
	half := mustRate(t, "0.5")
	for minor, want := range map[int64]int64{
		1: 0, 3: 2, 5: 2, -1: 0, -3: -2, -5: -2,
		math.MinInt64: math.MinInt64 / 2, math.MaxInt64: math.MaxInt64/2 + 1,
	} {
		if got := eur(minor).MulRate(half); got != eur(want) {
			t.Errorf("half of %d = %d, want %d", minor, got.Minor(), want)
		}
	}
}

func TestHotArithmeticDoesNotAllocate(t *testing.T) {
	rate, m := mustRate(t, "0.123456789"), eur(999)
	got := testing.AllocsPerRun(100, func() {
		sum, err := m.Add(m.MulRate(rate))
		if err != nil || sum != eur(1122) {
			t.Errorf("got %v, %v", sum, err)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		minor   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{5, []int64{3, 0, 7}, []int64{2, 0, 3}}, // 1.5 and 3.5: the tie goes to the lower index
		{1, []int64{1, 2}, []int64{0, 1}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{7, []int64{5}, []int64{7}},
		{2, []int64{0, 1, 1, 1, 1}, []int64{0, 1, 1, 0, 0}},
		{1, []int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 5}, []int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}}, // ties among many
		{math.MaxInt64, []int64{math.MaxInt64 - 1, 1}, []int64{math.MaxInt64 - 1, 1}},
		{math.MinInt64, []int64{math.MaxInt64}, []int64{math.MinInt64}},
		{math.MinInt64, []int64{1, 0, 1}, []int64{math.MinInt64 / 2, 0, math.MinInt64 / 2}},
	} {
		parts, err := eur(tc.minor).Split(tc.weights)
		if err != nil {
			t.Errorf("%d by %v: %v", tc.minor, tc.weights, err)
			continue
		}
		var got []int64
		for _, p := range parts {
			got = append(got, p.Minor())
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d by %v = %v, want %v", tc.minor, tc.weights, got, tc.want)
		}
	}
	for _, weights := range [][]int64{nil, {0, 0}, {1, -1, 5}, {math.MaxInt64, 1}, {math.MinInt64}} {
		_, err := eur(100).Split(weights)
		wantField(t, err, "weights", "out_of_range")
	}
}

// The parts add up; each is within one minor unit of its exact share; and no
// part was rounded up while a larger remainder, or an equal one before it, was
// not.
func TestSplitIsFairAndAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := minorUnits().Draw(t, "minor")
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, math.MaxInt64/40)), 1, 40).
			Filter(func(w []int64) bool { return slices.Max(w) > 0 }).Draw(t, "weights")

		parts, err := eur(minor).Split(weights)
		if err != nil {
			t.Fatal(err)
		}
		total := new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		sum, up, remainders := new(big.Int), make([]bool, len(parts)), make([]*big.Int, len(parts))
		for i, p := range parts {
			sum.Add(sum, big.NewInt(p.Minor()))
			share, rem := new(big.Int).Mul(big.NewInt(minor), big.NewInt(weights[i])), new(big.Int)
			share.QuoRem(share, total, rem)
			extra := share.Sub(big.NewInt(p.Minor()), share)
			up[i], remainders[i] = extra.Sign() != 0, rem.Abs(rem)
			if p.Currency() != "EUR" || extra.CmpAbs(big.NewInt(1)) > 0 || extra.Sign()*big.NewInt(minor).Sign() < 0 {
				t.Fatalf("part %d of %v is %v", i, parts, p)
			}
		}
		if sum.Cmp(big.NewInt(minor)) != 0 {
			t.Fatalf("%v add up to %v, want %d", parts, sum, minor)
		}
		for i := range parts {
			for j := range parts {
				order := remainders[i].Cmp(remainders[j])
				if up[j] && !up[i] && (order > 0 || order == 0 && i < j) {
					t.Fatalf("%v by %v: part %d was rounded up before part %d", parts, weights, j, i)
				}
			}
		}
	})
}

func TestMoneyTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := affiliate.NewMoney(minorUnits().Draw(t, "minor"), currencies().Draw(t, "currency"))
		c := m.Currency()
		if got, err := affiliate.ParseMoney(m.MajorString(), c); err != nil || got != m {
			t.Fatalf("ParseMoney(%q) = %v, %v", m.MajorString(), got, err)
		}
		if got, err := affiliate.MoneyFromDecimal(m.Decimal(), c); err != nil || got != m {
			t.Fatalf("MoneyFromDecimal(%v) = %v, %v", m.Decimal(), got, err)
		}
		if want := m.Decimal().StringFixed(int32(c.Digits())); m.MajorString() != want {
			t.Fatalf("MajorString() = %q, want %q", m.MajorString(), want)
		}
		for _, raw := range []string{string(m.AppendWireMinor(nil)), string(m.AppendWireMajor(nil))} {
			if got, err := affiliate.ParseWireMoney([]byte(raw), c); err != nil || got != m {
				t.Fatalf("ParseWireMoney(%s) = %v, %v", raw, got, err)
			}
		}
		if short := `"` + m.Decimal().String() + `"`; !strings.Contains(string(m.AppendWireMajor(nil)), short) {
			t.Fatalf("AppendWireMajor: %s, want %s in it", m.AppendWireMajor(nil), short)
		}
	})
}
