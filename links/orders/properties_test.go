package orders_test

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// model is an order, computed the slow and obvious way from what happened to it.
type model struct {
	shop     *shopModel
	currency affiliate.Currency
	rate     decimal.Decimal // frozen
	value    decimal.Decimal
	lines    []decimal.Decimal
	cpas     []affiliate.Rate  // of the lines, then of the rest
	refunds  []decimal.Decimal // of the lines, then of the rest
	declined bool
	unfit    bool
}

// shopModel is an advertiser with a campaign.
type shopModel struct {
	advertiser affiliate.Advertiser
	offer      offers.Offer
	budget     int64
	clicks     int64 // what clicks cost
	click      links.Click
}

// parts are the values of the lines and of the rest.
func (m *model) parts() []decimal.Decimal {
	rest := m.value
	for _, l := range m.lines {
		rest = rest.Sub(l)
	}
	return append(slices.Clone(m.lines), rest)
}

// exact is the commission on amounts of the parts, at rates, in minor units.
func (m *model) exact(amounts []decimal.Decimal, invoice bool) *big.Rat {
	sum := decimal.Decimal{}
	for i, a := range amounts {
		rate := m.cpas[i].Decimal()
		if invoice { // 1.6 times the creator's rate, everywhere in these tests
			rate = rate.Mul(dec("1.6"))
		}
		sum = sum.Add(a.Mul(rate))
	}
	return sum.Mul(m.rate).Shift(int32(m.shop.advertiser.Currency.Digits())).Rat()
}

// money is what the order moves before refunds.
func (m *model) money(invoice bool) int64 {
	if m.unfit {
		return 0
	}
	exact := m.exact(m.parts(), invoice)
	d, _ := decimal.NewFromString(exact.FloatString(40))
	return d.RoundBank(0).IntPart()
}

// back is what refunds took: the money split between what was refunded and what
// was not, by the largest remainder.
func (m *model) back(invoice bool) int64 {
	whole, part := m.exact(m.parts(), invoice), m.exact(m.refunds, invoice)
	if whole.Sign() == 0 || m.unfit {
		return 0
	}
	if m.declined {
		return m.money(invoice)
	}
	common := new(big.Int).Mul(whole.Denom(), part.Denom())
	scaled := func(r *big.Rat) *big.Int {
		n := new(big.Int).Mul(r.Num(), common)
		return n.Quo(n, r.Denom())
	}
	a, b := scaled(part), scaled(whole)
	b.Sub(b, a)
	gcd := new(big.Int).GCD(nil, nil, a, b)
	if gcd.Sign() > 0 {
		a.Quo(a, gcd)
		b.Quo(b, gcd)
	}
	shares, err := affiliate.NewMoney(m.money(invoice), "SEK").Split([]int64{a.Int64(), b.Int64()})
	if err != nil || !a.IsInt64() || !b.IsInt64() {
		panic(fmt.Sprint("the model is too small: ", a, b, err))
	}
	return shares[0].Minor()
}

func (m *model) refunded() decimal.Decimal { return decimal.Sum(decimal.Decimal{}, m.refunds...) }
func (m *model) left() decimal.Decimal     { return m.value.Sub(m.refunded()) }

// scale is the digits that values of the order's currency may have.
func (m *model) scale() int32 { return int32(m.currency.Digits() + orders.ExtraDigits) }

// spread takes an amount from all parts in proportion to what is left of each.
func (m *model) spread(amount decimal.Decimal) {
	var weights []int64
	for i, p := range m.parts() {
		weights = append(weights, p.Sub(m.refunds[i]).Shift(m.scale()).IntPart())
	}
	shares, err := affiliate.NewMoney(amount.Shift(m.scale()).IntPart(), "SEK").Split(weights)
	if err != nil {
		panic(err)
	}
	for i, s := range shares {
		m.refunds[i] = m.refunds[i].Add(decimal.New(s.Minor(), -m.scale()))
	}
}

// Whatever happens to orders, in whatever order and however often, in currencies
// of any digits and at rates that change, every order, the ledger and the budgets
// are what a recount from the list of events says, to the minor unit.
func TestMoneyFollowsWhatHappenedToOrders(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		w := newWorld(outer, backends.Memory())
		moving := maps.Clone(rates)
		service := w.service(w.b, orders.Options{Rates: moving})
		var shops []*shopModel
		for _, c := range []affiliate.Currency{"SEK", "JPY", "KWD"} {
			a := w.shop("shop "+string(c), "shop-"+string(c)+".example", c)
			s := &shopModel{advertiser: a, budget: rapid.SampledFrom([]int64{1000, 100_000, 1 << 40}).Draw(t, "budget")}
			s.offer = w.offer(a, func(o *offers.Offer) {
				o.Costs, o.BudgetLimit = costs("0.05", "0.08"), affiliate.Some(s.budget)
			})
			if _, err := service.SetRates(outer.Context(), s.offer.ID, []orders.LineRate{{Category: "c1", CPA: rate("0.1"), InvoiceCPA: affiliate.Some(rate("0.16"))}}); err != nil {
				t.Fatal(err)
			}
			s.click = w.click(w.convert(w.anna, "https://shop-"+string(c)+".example/"))
			s.clicks = s.click.Cost.Minor()
			for _, other := range []affiliate.Currency{"SEK", "JPY", "KWD", "EUR"} {
				moving[[2]affiliate.Currency{other, c}] = dec(rapid.SampledFrom([]string{"1", "0.0089", "11.23", "333.333"}).Draw(t, "rate"))
			}
			shops = append(shops, s)
		}
		h := history{t: t, w: w, service: service, rates: moving, shops: shops, models: map[int64]*model{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			h.step()
		}
		h.check()
		w.verify()
	})
}

type history struct {
	t       *rapid.T
	w       *world
	service *orders.Service
	rates   orders.FixedRates
	shops   []*shopModel
	models  map[int64]*model // by order
	last    int
}

func (h *history) step() {
	ids := slices.Sorted(maps.Keys(h.models))
	if len(ids) == 0 || rapid.IntRange(0, 3).Draw(h.t, "new") == 0 {
		h.report()
		return
	}
	id := rapid.SampledFrom(ids).Draw(h.t, "order")
	m := h.models[id]
	switch rapid.SampledFrom([]string{"amount", "amount", "line", "all", "decline", "correct", "again", "rates"}).Draw(h.t, "step") {
	case "amount":
		h.amount(id, m)
	case "line":
		h.line(id, m)
	case "all":
		h.all(id, m)
	case "decline":
		_, err := h.service.Decline(h.w.t.Context(), id)
		h.noErr(err)
		m.declined = true
	case "correct":
		h.correct(id, m)
	case "again":
		o, err := h.service.Order(h.w.t.Context(), id)
		h.noErr(err)
		again, outcome, err := h.service.Report(h.w.t.Context(), orders.Report{AdvertiserID: o.AdvertiserID, Number: o.Number, Value: o.Value, Currency: o.Currency})
		h.noErr(err)
		if outcome != orders.Known || again.ID != id {
			h.t.Fatalf("reported again: %s, %+v", outcome, again)
		}
	case "rates":
		for k := range h.rates {
			h.rates[k] = h.rates[k].Mul(dec("1.7")).Round(9)
		}
	}
}

func (h *history) noErr(err error) {
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) draw(name string, c affiliate.Currency, most decimal.Decimal) decimal.Decimal {
	digits := int32(c.Digits() + rapid.SampledFrom([]int{0, 0, orders.ExtraDigits}).Draw(h.t, name+" digits"))
	n := rapid.Int64Range(0, most.Shift(digits).IntPart()).Draw(h.t, name)
	return orders.Exact(decimal.New(n, -digits))
}

func (h *history) report() {
	s := h.shops[rapid.IntRange(0, len(h.shops)-1).Draw(h.t, "shop")]
	c := rapid.SampledFrom([]affiliate.Currency{"SEK", "JPY", "KWD", "EUR"}).Draw(h.t, "currency")
	m := &model{shop: s, currency: c, rate: dec("1")}
	if c != s.advertiser.Currency {
		m.rate = h.rates[[2]affiliate.Currency{c, s.advertiser.Currency}]
	}
	r := orders.Report{AdvertiserID: s.advertiser.ID, Number: strconv.Itoa(h.last), Currency: c, ClickIDs: ids(s.click)}
	h.last++
	for n := range rapid.IntRange(0, 3).Draw(h.t, "lines") {
		v := h.draw("line", c, dec("100"))
		m.lines = append(m.lines, v)
		r.Lines = append(r.Lines, orders.LineInput{Category: "c" + strconv.Itoa(n%2), Quantity: 3, Value: v})
		m.value = m.value.Add(v)
		m.cpas = append(m.cpas, rate([]string{"0.05", "0.1"}[n%2]))
	}
	m.value = orders.Exact(m.value.Add(h.draw("rest", c, dec("100"))))
	m.cpas = append(m.cpas, rate("0.05"))
	m.refunds = make([]decimal.Decimal, len(m.cpas))
	r.Value = m.value
	h.fit(m)
	o, outcome, err := h.service.Report(h.w.t.Context(), r)
	h.noErr(err)
	if outcome != orders.Added {
		h.t.Fatal(outcome)
	}
	h.models[o.ID] = m
	h.same(o, m)
}

// spent is what the budget of a shop has lost.
func (h *history) spent(s *shopModel) int64 {
	spent := s.clicks
	for _, m := range h.models {
		if m.shop == s {
			spent += m.money(true) - m.back(true)
		}
	}
	return spent
}

// fit decides whether the budget has room for what the order costs.
func (h *history) fit(m *model) {
	m.unfit = false
	cost := m.money(true)
	m.unfit = true // it is not there yet
	spent := h.spent(m.shop)
	m.unfit = cost > 0 && (spent >= m.shop.budget || cost > m.shop.budget-spent)
}

func (h *history) amount(id int64, m *model) {
	x := h.draw("amount", m.currency, dec("120"))
	_, _, err := h.service.Refund(h.w.t.Context(), id, orders.RefundInput{Value: affiliate.Some(x)})
	switch {
	case m.declined:
		h.refused(err, affiliate.ErrState)
	case !x.IsPositive() || x.GreaterThan(m.left()):
		h.refused(err, affiliate.ErrInvalid)
	default:
		h.noErr(err)
		m.spread(x)
	}
}

func (h *history) line(id int64, m *model) {
	n := rapid.IntRange(0, 3).Draw(h.t, "line")
	x := h.draw("amount", m.currency, dec("60"))
	_, _, err := h.service.Refund(h.w.t.Context(), id, orders.RefundInput{Lines: []orders.RefundLineInput{{Line: n, Value: affiliate.Some(x)}}})
	switch {
	case m.declined:
		h.refused(err, affiliate.ErrState)
	case n >= len(m.lines) || !x.IsPositive() || x.GreaterThan(m.lines[n].Sub(m.refunds[n])):
		h.refused(err, affiliate.ErrInvalid)
	default:
		h.noErr(err)
		m.refunds[n] = m.refunds[n].Add(x)
	}
}

func (h *history) all(id int64, m *model) {
	_, _, err := h.service.Refund(h.w.t.Context(), id, orders.RefundInput{})
	switch {
	case m.declined:
		h.refused(err, affiliate.ErrState)
	case m.left().IsZero():
		h.refused(err, affiliate.ErrInvalid)
	default:
		h.noErr(err)
		m.refunds = m.parts()
	}
}

func (h *history) correct(id int64, m *model) {
	x := h.draw("value", m.currency, dec("300"))
	_, err := h.service.Correct(h.w.t.Context(), id, orders.Correction{Value: affiliate.Some(x)})
	sum := decimal.Sum(decimal.Decimal{}, m.lines...)
	switch {
	case m.declined:
		h.refused(err, affiliate.ErrState)
	case x.Equal(m.value):
		h.noErr(err)
	case m.refunded().IsPositive():
		h.refused(err, affiliate.ErrConflict)
	case x.LessThan(sum):
		h.refused(err, affiliate.ErrInvalid)
	default:
		h.noErr(err)
		m.value = x // what it moved is taken back first
		h.fit(m)
	}
}

func (h *history) refused(err, kind error) {
	if !errors.Is(err, kind) {
		h.t.Fatalf("got %v, want %v", err, kind)
	}
}

func (h *history) same(o orders.Order, m *model) {
	if o.Earning.Minor() != m.money(false) || o.Cost.Minor() != m.money(true) {
		h.t.Fatalf("order %+v: want earning %d, cost %d (%+v)", o, m.money(false), m.money(true), *m)
	}
	if !o.Refunded.Equal(m.refunded()) {
		h.t.Fatalf("order %+v: want %s refunded", o, m.refunded())
	}
}

func (h *history) check() {
	ctx := h.w.t.Context()
	for id, m := range h.models {
		o, err := h.service.Order(ctx, id)
		h.noErr(err)
		h.same(o, m)
		if m.declined != (o.StatusAt(h.w.clock()) == orders.Declined) {
			h.t.Fatalf("order %+v: declined %t", o, m.declined)
		}
		x, err := h.service.Explain(ctx, id)
		h.noErr(err)
		var earned, cost int64
		for _, e := range x.Entries {
			earned, cost = earned+e.Earning.Minor(), cost+e.Cost.Minor()
		}
		if earned != m.money(false)-m.back(false) || cost != m.money(true)-m.back(true) {
			h.t.Fatalf("order %+v: the ledger has %d and %d, want %d and %d", o, earned, cost, m.money(false)-m.back(false), m.money(true)-m.back(true))
		}
	}
	for _, s := range h.shops {
		if got, want := h.w.spent(s.offer), h.spent(s); got != want || got > s.budget {
			h.t.Fatalf("budget of %s: spent %d of %d, want %d", s.advertiser.Name, got, s.budget, want)
		}
	}
	h.w.pass(time.Hour)
}
