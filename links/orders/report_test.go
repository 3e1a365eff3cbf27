package orders_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestAnOrderIsPaidByTheTermsFrozenAtItsClick(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		c := w.click(w.link)
		_, err := w.offers.UpdateOffer(t.Context(), w.campaign.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
			o.Costs = costs("0.5", "0.5")
			return nil
		}})
		is.NoErr(err)
		w.pass(29 * 24 * time.Hour)
		o, outcome, err := w.orders.Report(t.Context(), w.sale("1001", "499.50", c))
		is.NoErr(err)
		is.Equal(outcome, orders.Added)
		is.Equal(o.UserID, w.anna.ID)
		is.Equal(o.OfferID, w.campaign.ID)
		is.Equal(o.Earning, affiliate.NewMoney(2498, "SEK")) // 24.975, half to even
		is.Equal(o.Cost, affiliate.NewMoney(3996, "SEK"))
		is.Equal(w.spent(w.campaign), int64(12+3996))
		is.Equal(w.total(w.anna).Earned, int64(10+2498))
		is.Equal(o.StatusAt(w.clock()), orders.Pending)
		w.pass(30 * 24 * time.Hour)
		view, err := w.orders.Orders(t.Context(), orders.OrderFilter{UserID: w.anna.ID}, affiliate.PageRequest{Number: 1, Size: 5})
		is.NoErr(err)
		is.Equal(view.Items[0].Status, orders.Approved) // by the clock alone
		w.verify()
	})
}

func TestAReportAgainIsTheSameOrder(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		first := w.report(w.sale("1001", "100", w.click(w.link)))
		again, outcome, err := w.orders.Report(t.Context(), w.sale("1001", "100.00"))
		is.NoErr(err)
		is.Equal(outcome, orders.Known)
		is.Equal(again.ID, first.ID)
		withMore := w.sale("1001", "100")
		withMore.Tax = affiliate.Some(dec("20"))
		_, outcome, err = w.orders.Report(t.Context(), withMore)
		is.NoErr(err) // what only one of them tells is no difference
		is.Equal(outcome, orders.Known)
		_, outcome, err = w.orders.Report(t.Context(), w.sale("1001", "100.01"))
		is.Equal(outcome, orders.Refused)
		is.True(errors.Is(err, affiliate.ErrConflict))
		e, _ := errors.AsType[*affiliate.Error](err)
		is.Equal(e.Code, "order_differs")
		is.Equal(e.Fields[0].Field, "value")
		is.True(strings.Contains(e.Fields[0].Message, "100")) // it is told what was reported before
		euros := w.sale("1001", "100")
		euros.Currency = "EUR"
		_, _, err = w.orders.Report(t.Context(), euros)
		is.Equal(code(err), "order_differs")
		is.Equal(w.total(w.anna).Earned, int64(10+500)) // one commission
		other := w.shop("Other", "other.example", "SEK")
		elsewhere := w.sale("1001", "7")
		elsewhere.AdvertiserID = other.ID
		_, outcome, err = w.orders.Report(t.Context(), elsewhere)
		is.NoErr(err)
		is.Equal(outcome, orders.Added) // the number is another advertiser's there
		w.verify()
	})
}

func TestALaterReportSaysWhoBroughtAnOrder(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		o := w.report(w.sale("1", "100"))
		is.Equal(o.Reason, orders.ReasonUnattributed)
		o, outcome, err := w.orders.Report(t.Context(), w.sale("1", "100", w.click(w.link)))
		is.NoErr(err)
		is.Equal(outcome, orders.Completed)
		is.Equal(o.Reason, "")
		is.Equal(o.Earning.Minor(), int64(500))
		stranger := w.sale("1", "100")
		stranger.Voucher = "NOBODY"
		_, outcome, err = w.orders.Report(t.Context(), stranger)
		is.NoErr(err)
		is.Equal(outcome, orders.Known) // somebody brought it already
		w.verify()
	})
}

// Each way for an order to earn nothing has its own reason.
func TestEveryOrderThatIsNotPaidSaysWhy(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		is := is.New(t)
		ctx := t.Context()
		valid := w.click(w.link)
		other := w.shop("Other", "other.example", "SEK")
		foreign := w.click(w.convert(w.anna, "https://other.example/x"))
		bot, err := w.links.Follow(ctx, links.Hit{LinkID: w.link.ID, IP: "198.51.100.1", UserAgent: "bot", Bot: true})
		is.NoErr(err)
		blocked := w.convert(w.bo, "https://acme.example/b")
		_, err = w.core.Block(ctx, w.acme.ID, affiliate.Actor{}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.bo.ID}}})
		is.NoErr(err)
		capped := w.shop("Capped", "capped.example", "SEK")
		w.offer(capped, func(o *offers.Offer) { o.MaxClicks = affiliate.Some[int64](0) })
		cappedClick := w.click(w.convert(w.anna, "https://capped.example/x"))
		is.Equal(cappedClick.Verdict, links.VerdictCapped)
		_, err = w.orders.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: w.acme.ID, UserID: w.bo.ID, Code: "BO10"})
		is.NoErr(err)
		old := w.click(w.link)
		w.pass(31 * 24 * time.Hour)
		recent := w.click(w.link)
		for n, c := range []struct {
			reason string
			change func(r *orders.Report)
		}{
			{orders.ReasonUnattributed, func(r *orders.Report) {}},
			{orders.ReasonClickUnknown, func(r *orders.Report) { r.ClickIDs = []uuid.UUID{{15: 1}} }},
			{orders.ReasonClickUnknown, func(r *orders.Report) { r.ClickIDs = ids(foreign) }}, // not told that it is another's
			{orders.ReasonClickTooOld, func(r *orders.Report) { r.ClickIDs = ids(old) }},
			{orders.ReasonClickTooNew, func(r *orders.Report) { r.ClickIDs, r.At = ids(recent), w.clock().Add(-time.Hour) }},
			{orders.ReasonClickBot, func(r *orders.Report) { r.ClickIDs, r.At = ids(bot.Click.Value), valid.At.Add(time.Hour) }},
			{orders.ReasonClickBlocked, func(r *orders.Report) { r.ClickIDs = ids(w.click(blocked)) }},
			{orders.ReasonClickCapped, func(r *orders.Report) {
				r.AdvertiserID, r.ClickIDs, r.At = capped.ID, ids(cappedClick), cappedClick.At.Add(time.Hour)
			}},
			{orders.ReasonVoucherUnknown, func(r *orders.Report) { r.Voucher = "ANNA" }},
			{orders.ReasonBlocklist, func(r *orders.Report) { r.Voucher = "bo10" }},
			{orders.ReasonNoRate, func(r *orders.Report) { r.ClickIDs, r.Currency = ids(recent), "USD" }},
			{orders.ReasonNoCommission, func(r *orders.Report) {
				r.AdvertiserID, r.ClickIDs, r.At = other.ID, ids(foreign), foreign.At.Add(time.Hour)
			}},
		} {
			r := w.sale(strconv.Itoa(n), "100")
			c.change(&r)
			o := w.report(r)
			if o.Reason != c.reason || !o.Earning.IsZero() || !o.Cost.IsZero() {
				t.Errorf("order %d: reason %q, earns %v, costs %v; want %q and nothing", n, o.Reason, o.Earning, o.Cost, c.reason)
			}
		}
		_, err = w.core.BanUsers(ctx, []int64{w.anna.ID}, 0)
		is.NoErr(err)
		is.Equal(w.report(w.sale("banned", "100", recent)).Reason, orders.ReasonUserSuspended)
		_, err = w.core.DeactivateAdvertiser(ctx, w.acme.ID)
		is.NoErr(err)
		is.Equal(w.report(w.sale("closed", "100", recent)).Reason, orders.ReasonAdvertiserDeactivated)
		w.verify()
	})
}

func TestAfterADuplicateTheClickThatItRepeatsPays(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.now.Store(noon.Add(11*time.Hour + 30*time.Minute).UnixMicro()) // shortly before midnight
		first := w.hit(w.link, "203.0.113.9")
		w.pass(time.Hour) // the reader has another key now
		again := w.hit(w.link, "203.0.113.9")
		is.Equal(again.Verdict, links.VerdictDuplicate)
		is.Equal(again.Repeats, first.ID)
		o := w.report(w.sale("1", "100", again))
		is.Equal(o.ClickID, first.ID)
		is.Equal(o.Earning.Minor(), int64(500))
		w.verify()
	})
}

func TestTheLastClickIsPaidUnlessTheAdvertiserPrefersTheFirst(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		bos := w.convert(w.bo, "https://acme.example/shoes")
		first := w.click(w.link)
		w.pass(time.Hour)
		last := w.click(bos)
		w.pass(time.Hour)
		is.Equal(w.report(w.sale("last", "100", first, last)).UserID, w.bo.ID)
		is.Equal(w.report(w.sale("also", "100", last, first)).UserID, w.bo.ID)
		_, err := w.orders.UpdateCollector(t.Context(), w.acme.ID, orders.CollectorChange{Prefer: affiliate.Some(orders.FirstClick)})
		is.NoErr(err)
		is.Equal(w.report(w.sale("first", "100", last, first)).UserID, w.anna.ID)
		_, err = w.orders.CreateVoucher(t.Context(), orders.VoucherInput{AdvertiserID: w.acme.ID, UserID: w.bo.ID, Code: "BOSSE"})
		is.NoErr(err)
		both := w.sale("both", "100", first)
		both.Voucher = "bosse"
		is.Equal(w.report(both).UserID, w.anna.ID) // a click goes before a voucher
		_, err = w.orders.UpdateCollector(t.Context(), w.acme.ID, orders.CollectorChange{VoucherFirst: affiliate.Some(true)})
		is.NoErr(err)
		both.Number = "voucher"
		o := w.report(both)
		is.Equal(o.UserID, w.bo.ID)
		is.Equal(o.Source, orders.ByVoucher)
		is.Equal(o.OfferID, w.campaign.ID) // the campaign that would serve its owner
		is.Equal(o.Earning.Minor(), int64(500))
		x, err := w.orders.Explain(t.Context(), o.ID)
		is.NoErr(err)
		is.Equal(len(x.Candidates), 2)
		is.True(x.Candidates[0].Chosen)
		is.Equal(x.Candidates[1].Reason, orders.ReasonOutranked)
		is.Equal(x.ExactEarning.String(), "500")
		is.Equal(len(x.Entries), 1)
		w.verify()
	})
}

func TestLinesArePaidByTheRatesOfTheirSKUOrCategory(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		_, err := w.orders.SetRates(t.Context(), w.campaign.ID, []orders.LineRate{
			{Category: "Shoes", CPA: rate("0.1"), InvoiceCPA: affiliate.Some(rate("0.12"))},
			{SKU: "sale-1", CPA: rate("0")},
		})
		is.NoErr(err)
		w.pass(time.Hour)
		c := w.click(w.link)
		w.pass(time.Hour)
		_, err = w.orders.SetRates(t.Context(), w.campaign.ID, nil) // too late for this click
		is.NoErr(err)
		r := w.sale("1", "400", c)
		r.Lines = []orders.LineInput{
			{SKU: "boot", Category: "Shoes", Value: dec("100")},            // 10.00, 12.00
			{SKU: "sale-1", Category: "Shoes", Value: dec("100")},          // nothing
			{SKU: "hat", Category: "Hats", Quantity: 2, Value: dec("150")}, // 7.50, 12.00
		} // and 50 of shipping: 2.50, 4.00
		o := w.report(r)
		is.Equal(o.Earning.Minor(), int64(2000))
		is.Equal(o.Cost.Minor(), int64(2800))
		refund, o, err := w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Lines: []orders.RefundLineInput{{Line: 2, Quantity: 1}}})
		is.NoErr(err)
		is.Equal(refund.Value.String(), "75")
		is.Equal(refund.Earning.Minor(), int64(375))
		is.Equal(refund.Cost.Minor(), int64(600))
		refund, _, err = w.orders.Refund(t.Context(), o.ID, orders.RefundInput{Lines: []orders.RefundLineInput{{Line: 0}, {Line: 1}}})
		is.NoErr(err)
		is.Equal(refund.Earning.Minor(), int64(1000))
		w.verify()
		x, err := w.orders.Explain(t.Context(), o.ID)
		is.NoErr(err)
		is.Equal(len(x.Lines), 4)
		is.Equal(x.Lines[3].Value.String(), "50")
		is.Equal(x.ExactCost.String(), "2800")
	})
}

func TestCommissionLeavesOutTaxAndShippingWhereTheAdvertiserSaysSo(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	_, err := w.orders.UpdateCollector(t.Context(), w.acme.ID, orders.CollectorChange{NetOfTax: affiliate.Some(true), NetOfShipping: affiliate.Some(true)})
	is.NoErr(err)
	c := w.click(w.link)
	whole := w.sale("nothing told", "125", c)
	is.Equal(w.report(whole).Earning.Minor(), int64(625))
	net := w.sale("told", "125", c)
	net.Tax, net.Shipping = affiliate.Some(dec("20")), affiliate.Some(dec("5"))
	is.Equal(w.report(net).Earning.Minor(), int64(500))
	lines := w.sale("goods without tax", "125", c) // shipping and tax stand beside the goods
	lines.Tax, lines.Shipping = net.Tax, net.Shipping
	lines.Lines = []orders.LineInput{{SKU: "a", Value: dec("100")}}
	is.Equal(w.report(lines).Earning.Minor(), int64(500))
	gross := w.sale("goods with tax", "125", c)
	gross.Tax, gross.Shipping = net.Tax, net.Shipping
	gross.Lines = []orders.LineInput{{SKU: "a", Value: dec("60")}, {SKU: "b", Value: dec("60")}}
	is.Equal(w.report(gross).Earning.Minor(), int64(500))
	w.verify()
}

func TestAnOrderThatNoLongerFitsIsKeptWithItsReason(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		a := w.shop("Tight", "tight.example", "SEK")
		tight := w.offer(a, func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](12 + 800) })
		c := w.click(w.convert(w.anna, "https://tight.example/"))
		sale := func(number, value string) orders.Order {
			r := w.sale(number, value, c)
			r.AdvertiserID = a.ID
			return w.report(r)
		}
		is.Equal(sale("1", "100.13").Reason, orders.ReasonBudgetLimit) // costs 8.01
		fits := sale("2", "100")
		is.Equal(fits.Cost.Minor(), int64(800))
		is.Equal(w.spent(tight), int64(812))
		third := sale("3", "1")
		is.Equal(third.Reason, orders.ReasonBudgetLimit)
		_, _, err := w.orders.Refund(t.Context(), fits.ID, orders.RefundInput{Value: affiliate.Some(dec("1"))})
		is.NoErr(err)
		is.Equal(w.spent(tight), int64(804)) // the refund gave its part back
		third, err = w.orders.Reprice(t.Context(), third.ID)
		is.NoErr(err)
		is.Equal(third.Reason, "")
		is.Equal(w.spent(tight), int64(812))
		w.verify()
	})
}

func TestAForeignCurrencyIsPaidAtTheRateOfItsTime(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		moving := orders.FixedRates{{"EUR", "SEK"}: dec("11.25")}
		service := w.service(b, orders.Options{Rates: moving})
		r := w.sale("1", "100", w.click(w.link))
		r.Currency = "EUR"
		o, _, err := service.Report(t.Context(), r)
		is.NoErr(err)
		is.Equal(o.Earning, affiliate.NewMoney(5625, "SEK"))
		is.Equal(o.Rate.String(), "11.25")
		moving[[2]affiliate.Currency{"EUR", "SEK"}] = dec("99")
		refund, _, err := service.Refund(t.Context(), o.ID, orders.RefundInput{Value: affiliate.Some(dec("50"))})
		is.NoErr(err)
		is.Equal(refund.Earning.Minor(), int64(2813)) // of 28.125 and 28.125 the first part gets more
		refund, _, err = service.Refund(t.Context(), o.ID, orders.RefundInput{})
		is.NoErr(err)
		is.Equal(refund.Earning.Minor(), int64(2812))
		w.verify()
		unknown := w.sale("2", "100", w.click(w.link))
		unknown.Currency = "USD"
		o, _, err = service.Report(t.Context(), unknown)
		is.NoErr(err)
		is.Equal(o.Reason, orders.ReasonNoRate)
		moving[[2]affiliate.Currency{"USD", "SEK"}] = dec("10")
		o, err = service.Reprice(t.Context(), o.ID)
		is.NoErr(err)
		is.Equal(o.Earning.Minor(), int64(5000))
		w.verify()
	})
}

// Who acts for the advertiser sees and changes all, a creator sees its own
// orders without what they cost, and nobody else knows of them.
func TestOrdersAreTheAdvertisersAndTheirCreators(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		ctx := t.Context()
		o := w.report(w.sale("1", "100", w.click(w.link)))
		nobodys := w.report(w.sale("2", "100"))
		as := func(p affiliate.Principal) *orders.Service { return w.orders.For(affiliate.ViewerOf(p)) }
		acme := as(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{w.acme.ID}})
		other := as(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{w.acme.ID + 1}})
		anna := as(affiliate.Principal{Role: affiliate.RoleCreator, UserID: w.anna.ID})
		bo := as(affiliate.Principal{Role: affiliate.RoleCreator, UserID: w.bo.ID})
		client := as(affiliate.Principal{Role: affiliate.RoleClient, ClientID: 1})
		count := func(s *orders.Service) int {
			page, err := s.Orders(ctx, orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
			is.NoErr(err)
			return page.Total
		}
		is.Equal(count(acme), 2)
		is.Equal(count(anna), 1)
		for _, s := range []*orders.Service{other, bo, client} {
			is.Equal(count(s), 0)
			_, err := s.Order(ctx, o.ID)
			is.Equal(code(err), "not_found")
		}
		seen, err := anna.Order(ctx, o.ID)
		is.NoErr(err)
		is.Equal(seen.Earning.Minor(), int64(500))
		is.True(seen.Cost.IsZero() && seen.Terms == "" && seen.ClickIDs == nil)
		for _, s := range []*orders.Service{other, anna, bo, client} {
			_, err := s.Decline(ctx, o.ID)
			is.Equal(code(err), "not_found")
			_, _, err = s.Refund(ctx, o.ID, orders.RefundInput{})
			is.Equal(code(err), "not_found")
			_, err = s.Correct(ctx, o.ID, orders.Correction{Value: affiliate.Some(dec("1"))})
			is.Equal(code(err), "not_found")
			_, err = s.Reprice(ctx, o.ID)
			is.Equal(code(err), "not_found")
			_, err = s.Explain(ctx, o.ID)
			is.Equal(code(err), "not_found")
			_, err = s.Order(ctx, nobodys.ID)
			is.Equal(code(err), "not_found")
			_, _, err = s.Report(ctx, w.sale("3", "1"))
			is.Equal(code(err), "not_found")
			_, err = s.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: w.acme.ID, UserID: w.anna.ID, Code: "ANNA"})
			is.Equal(code(err), "not_found")
			_, err = s.Pay(ctx, orders.PaymentInput{AdvertiserID: w.acme.ID, UserID: w.anna.ID, Comment: "hi", Amount: 1})
			is.Equal(code(err), "not_found")
			_, err = s.Collector(ctx, w.acme.ID)
			is.Equal(code(err), "not_found")
			_, err = s.SetRates(ctx, w.campaign.ID, nil)
			is.Equal(code(err), "not_found")
		}
		_, err = acme.Decline(ctx, o.ID)
		is.NoErr(err)
		w.verify()
	})
}

// Each state and event has exactly the move that the diagram shows.
func TestTheStatesOfAnOrder(t *testing.T) {
	allowed := map[orders.Status]map[orders.Trigger]orders.Status{
		orders.Pending:  {orders.Decline: orders.Declined, orders.Change: orders.Pending, orders.TakeBack: orders.Pending, orders.TimePasses: orders.Approved},
		orders.Approved: {orders.Change: orders.Approved, orders.TakeBack: orders.Approved},
		orders.Declined: {orders.Decline: orders.Declined},
	}
	for _, s := range orders.Statuses() {
		for _, e := range orders.Triggers() {
			got, ok := s.On(e)
			want, wantOK := allowed[s][e]
			if got != want || ok != wantOK {
				t.Errorf("%s, %s: got %q %t, want %q %t", s, e, got, ok, want, wantOK)
			}
		}
	}
}

func TestBadReportsChangeNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		for _, c := range []struct {
			want   string
			change func(r *orders.Report)
		}{
			{"not_found", func(r *orders.Report) { r.AdvertiserID = 1 << 40 }},
			{"number required", func(r *orders.Report) { r.Number = "" }},
			{"number nul", func(r *orders.Report) { r.Number = "a\x00" }},
			{"number invalid_utf8", func(r *orders.Report) { r.Number = "a\xff" }},
			{"number too_long", func(r *orders.Report) { r.Number = strings.Repeat("å", 256) }},
			{"value out_of_range", func(r *orders.Report) { r.Value = dec("-0.01") }},
			{"value out_of_range", func(r *orders.Report) { r.Value = decimal.New(1, 1<<30) }},
			{"value too_precise", func(r *orders.Report) { r.Value = dec("1.0000001") }},
			{"currency unknown_currency", func(r *orders.Report) { r.Currency = "sek" }},
			{"at out_of_range", func(r *orders.Report) { r.At = w.clock().Add(time.Hour) }},
			{"at out_of_range", func(r *orders.Report) { r.At = time.Unix(0, 0) }},
			{"tax exceeds_value", func(r *orders.Report) { r.Tax = affiliate.Some(dec("101")) }},
			{"lines exceeds_value", func(r *orders.Report) { r.Lines = []orders.LineInput{{Value: dec("100.5")}} }},
			{"lines.0.quantity out_of_range", func(r *orders.Report) { r.Lines = []orders.LineInput{{Quantity: -1}} }},
			{"click_ids too_many", func(r *orders.Report) {
				for n := range 11 {
					r.ClickIDs = append(r.ClickIDs, uuid.UUID{byte(n + 1)})
				}
			}},
		} {
			r := w.sale("bad", "100")
			c.change(&r)
			_, outcome, err := w.orders.Report(t.Context(), r)
			is.Equal(outcome, orders.Refused)
			is.Equal(code(err), c.want)
		}
		page, err := w.orders.Orders(t.Context(), orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 0)
	})
}

// The clock of a server goes on between the attempts of a report. Its rate is asked
// for once all the same.
func TestAReportInAnotherCurrencyIsTakenInWhileTheClockGoesOn(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		click := w.click(w.link)
		ticking := func() time.Time { w.pass(time.Millisecond); return w.clock() }
		for currency, want := range map[affiliate.Currency]string{"EUR": "", "NOK": orders.ReasonNoRate} {
			asked := &countedRates{Rates: rates}
			s, err := orders.NewService(b.Orders, orders.Options{Clock: ticking, Rates: asked})
			is.NoErr(err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			r := w.sale("in "+string(currency), "10", click)
			r.Currency = currency
			o, outcome, err := s.Report(ctx, r)
			is.NoErr(err)
			is.Equal(outcome, orders.Added)
			is.Equal(o.Reason, want)
			is.Equal(asked.times.Load(), int64(1))
		}
	})
}

// countedRates counts how often it is asked.
type countedRates struct {
	orders.Rates
	times atomic.Int64
}

func (r *countedRates) Rate(ctx context.Context, from, to affiliate.Currency, at time.Time) (decimal.Decimal, error) {
	r.times.Add(1)
	return r.Rates.Rate(ctx, from, to, at)
}
