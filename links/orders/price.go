package orders

import (
	"math/big"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// rest is the part of the value that no line has: all of it without lines.
func (o Order) rest() decimal.Decimal {
	rest := o.Value
	for i := range o.Lines {
		rest = rest.Sub(o.Lines[i].Value)
	}
	return rest
}

// restRefunded is how much of the rest was taken back.
func (o Order) restRefunded() decimal.Decimal {
	rest := o.Refunded
	for i := range o.Lines {
		rest = rest.Sub(o.Lines[i].Refunded)
	}
	return rest
}

// bases are the shares of the lines' value and of the rest's that commission is
// paid on. What is left out (tax, shipping) is taken from the rest first: shops
// report lines of goods, and shipping beside them. What the rest does not cover
// is taken from all lines in proportion.
func (o Order) bases() (lines, rest *big.Rat) {
	out := decimal.Decimal{}
	if o.NetOfTax {
		out = out.Add(o.Tax.Value)
	}
	if o.NetOfShipping {
		out = out.Add(o.Shipping.Value)
	}
	beside := o.rest()
	goods := o.Value.Sub(beside)
	fromRest := decimal.Min(out, beside)
	return share(goods.Sub(out.Sub(fromRest)), goods), share(beside.Sub(fromRest), beside)
}

// share is part ÷ whole; of nothing it is all.
func share(part, whole decimal.Decimal) *big.Rat {
	if whole.IsZero() {
		return big.NewRat(1, 1)
	}
	return new(big.Rat).Quo(part.Rat(), whole.Rat())
}

// commission is what terms come to, exactly, in minor units of their currency.
type commission struct{ earning, cost *big.Rat }

// commission computes the exact commission on some of the value: how much of
// each line, and how much of the rest.
func (o Order) commission(t offers.ClickTerms, line func(l *Line) decimal.Decimal, rest decimal.Decimal) commission {
	ofLines, ofRest := o.bases()
	var earning, cost decimal.Decimal
	for i := range o.Lines {
		l := &o.Lines[i]
		earning = earning.Add(line(l).Mul(l.CPA.Or(t.CPA).Decimal()))
		cost = cost.Add(line(l).Mul(l.invoiceCPA(t).Decimal()))
	}
	minor := new(big.Rat).Mul(o.Rate.Rat(), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Currency.Digits())), nil)))
	total := func(lines decimal.Decimal, rate affiliate.Rate) *big.Rat {
		sum := new(big.Rat).Mul(lines.Rat(), ofLines)
		sum.Add(sum, new(big.Rat).Mul(rest.Mul(rate.Decimal()).Rat(), ofRest))
		return sum.Mul(sum, minor)
	}
	c := commission{total(earning, t.CPA), total(cost, t.InvoiceCPA)}
	if t.UserRevenue.Set {
		c.earning.Mul(c.earning, t.UserRevenue.Value.Decimal().Rat())
	}
	return c
}

// invoiceCPA is the invoice rate of a line. Where the campaign has a creator's
// rate for the line and no invoice rate, that one holds for both.
func (l *Line) invoiceCPA(t offers.ClickTerms) affiliate.Rate {
	if l.CPA.Set {
		return l.InvoiceCPA.Or(l.CPA.Value)
	}
	return l.InvoiceCPA.Or(t.InvoiceCPA)
}

// whole is the commission on all of the order.
func (o Order) whole(t offers.ClickTerms) commission {
	return o.commission(t, func(l *Line) decimal.Decimal { return l.Value }, o.rest())
}

// taken is the commission on what was refunded.
func (o Order) taken(t offers.ClickTerms) commission {
	return o.commission(t, func(l *Line) decimal.Decimal { return l.Refunded }, o.restRefunded())
}

// price is what an order earns and costs by terms: the exact commission, each
// rounded half to even once.
func (o Order) price(t offers.ClickTerms) (earning, cost affiliate.Money, err error) {
	c := o.whole(t)
	if earning, err = money(c.earning, t.Currency, "value"); err != nil {
		return earning, cost, err
	}
	cost, err = money(c.cost, t.Currency, "value")
	return earning, cost, err
}

// reversed is how much of the earning and the cost the refunds of an order take
// back, in all. It is the order's share for the refunded part when its money is
// divided between that part and the rest by largest remainder: refunds of all
// parts take back everything, and never more.
func (o Order) reversed(t offers.ClickTerms) (earning, cost affiliate.Money) {
	whole, taken := o.whole(t), o.taken(t)
	return proportion(o.Earning, taken.earning, whole.earning), proportion(o.Cost, taken.cost, whole.cost)
}

// proportion is m × part ÷ whole, by largest remainder, ties to the part.
func proportion(m affiliate.Money, part, whole *big.Rat) affiliate.Money {
	if whole.Sign() == 0 || m.IsZero() {
		return affiliate.NewMoney(0, m.Currency())
	}
	exact := new(big.Rat).Quo(part, whole)
	exact.Mul(exact, new(big.Rat).SetInt64(m.Minor()))
	quo, rem := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	if rem.Lsh(rem, 1).Cmp(exact.Denom()) >= 0 {
		quo.Add(quo, big.NewInt(1))
	}
	return affiliate.NewMoney(quo.Int64(), m.Currency()) // at most m
}

// money rounds an exact amount of minor units half to even.
func money(exact *big.Rat, c affiliate.Currency, field string) (affiliate.Money, error) {
	quo, rem := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	if half := rem.Lsh(rem, 1).Cmp(exact.Denom()); half > 0 || half == 0 && quo.Bit(0) == 1 {
		quo.Add(quo, big.NewInt(1))
	}
	if !quo.IsInt64() {
		return affiliate.Money{}, affiliate.Invalid("order", affiliate.FieldError{Field: field, Code: "out_of_range", Message: "must come to an amount of at most 64 bits"})
	}
	return affiliate.NewMoney(quo.Int64(), c), nil
}

// worth is an amount of the order's currency in that of its money, rounded half
// to even. It is zero for an order without a rate.
func (o Order) worth(d decimal.Decimal) (affiliate.Money, error) {
	c := o.Earning.Currency()
	minor := d.Mul(o.Rate).Shift(int32(c.Digits()))
	return money(minor.Rat(), c, "value")
}

// spread divides an amount over weights in proportion, by largest remainder in
// the last of so many digits after the point, ties to the first. The weights
// have no more digits and add up to at least the amount; no part is more than
// its weight.
func spread(amount decimal.Decimal, weights []decimal.Decimal, digits int32) []decimal.Decimal {
	whole := amount.Shift(digits).BigInt()
	sum := new(big.Int)
	scaled := make([]*big.Int, len(weights))
	for i, w := range weights {
		scaled[i] = w.Shift(digits).BigInt()
		sum.Add(sum, scaled[i])
	}
	parts := make([]*big.Int, len(weights))
	remainders := make([]*big.Int, len(weights))
	left := new(big.Int).Set(whole)
	for i, w := range scaled {
		parts[i], remainders[i] = new(big.Int), new(big.Int)
		if sum.Sign() > 0 {
			parts[i].QuoRem(new(big.Int).Mul(whole, w), sum, remainders[i])
		}
		left.Sub(left, parts[i])
	}
	for ; left.Sign() > 0; left.Sub(left, big.NewInt(1)) {
		best := 0
		for i := range remainders {
			if remainders[i].Cmp(remainders[best]) > 0 {
				best = i
			}
		}
		parts[best].Add(parts[best], big.NewInt(1))
		remainders[best].SetInt64(-1)
	}
	out := make([]decimal.Decimal, len(weights))
	for i, p := range parts {
		out[i] = Exact(decimal.NewFromBigInt(p, -digits))
	}
	return out
}
