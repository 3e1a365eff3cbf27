package deals_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const day = 24 * time.Hour

func TestADealFromCreatedToApproved(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		created := must(w.post(posting(1, deals.Created)))(t)
		is.Equal(created.Status, deals.Created)
		is.Equal(created.PartnerID, anna)
		is.Equal(created.Source, deals.ByPromoCode)
		is.Equal(created.Reward, usd(5_00)) // 5 % of 100.00
		is.Equal(len(w.entries()), 0)

		w.pass(time.Hour)
		paid := must(w.post(posting(1, deals.Paid)))(t)
		is.Equal(paid.ID, created.ID)
		is.Equal(paid.PaidAt, start.Add(time.Hour))
		entry := w.entries()[0]
		is.Equal(entry.Earning, usd(5_00))
		is.Equal(entry.PayableAt, start.Add(time.Hour+30*day))
		is.Equal(entry.Cause, "deal:"+paid.ID.String())

		for _, id := range []string{"deal-1", paid.ID.String()} { // either id
			is.Equal(w.deal(id).Status, deals.Paid)
		}
		w.pass(30*day - time.Microsecond)
		is.Equal(w.deal("deal-1").Status, deals.Paid)
		pending, payable := w.balance(anna)
		is.Equal([]int64{pending, payable}, []int64{5_00, 0})
		w.pass(time.Microsecond)
		approved := w.deal("deal-1") // no sweep has run
		is.Equal(approved.Status, deals.Approved)
		is.Equal(approved.ApprovedAt, start.Add(time.Hour+30*day))
		pending, payable = w.balance(anna)
		is.Equal([]int64{pending, payable}, []int64{0, 5_00})
		is.Equal(len(w.entries()), 1)
		is.Equal(w.events(), []string{"deal.created", "deal.paid"})
		is.Equal(must(w.deals.Sweep(t.Context()))(t), 1)
		is.Equal(w.events(), []string{"deal.approved"})
		is.Equal(w.kept(paid.ID), approved.Deal) // the sweep wrote what was shown
	})
}

func TestADealIsCanceledAndReturned(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		must(w.post(posting(1, deals.Paid)))(t)
		w.pass(day)
		canceled := must(w.change("deal-1", deals.Changes{
			Status: affiliate.Some(deals.Canceled), Returned: affiliate.Some(true), Comment: affiliate.Some("sent back"),
		}))(t)
		is.Equal(canceled.Status, deals.Canceled)
		is.True(canceled.Returned)
		is.Equal(canceled.CanceledAt, start.Add(day))
		is.Equal(canceled.Comment, "sent back")
		pending, payable := w.balance(anna)
		is.Equal([]int64{pending, payable}, []int64{0, 0})
		is.Equal(len(w.entries()), 2) // what was booked stays, and is reversed
		w.pass(100 * day)
		pending, payable = w.balance(anna)
		is.Equal([]int64{pending, payable}, []int64{0, 0})
		is.Equal(w.deal("deal-1").Status, deals.Canceled)
		is.Equal(must(w.deals.Sweep(t.Context()))(t), 0)
		is.Equal(w.events(), []string{"deal.created", "deal.paid", "deal.canceled"})
	})
}

func TestADealThatIsNotPaidInTimeIsCanceled(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		d := must(w.post(posting(1, deals.Created)))(t)
		w.pass(14 * day)
		_, err := w.post(posting(1, deals.Paid))
		is.True(errors.Is(err, affiliate.ErrState)) // a transition acts on no stale state
		is.Equal(w.kept(d.ID).Status, deals.Created)
		got := w.deal("deal-1")
		is.Equal(got.Status, deals.Canceled)
		is.Equal(got.CanceledAt, start.Add(14*day))
		is.Equal(len(w.entries()), 0)

		// A comment writes the deal, and with it what time has decided.
		w.pass(day)
		must(w.change("deal-1", deals.Changes{Comment: affiliate.Some("too late")}))(t)
		is.Equal(w.kept(d.ID).Status, deals.Canceled)
		is.Equal(w.events(), []string{"deal.created", "deal.canceled"})
		is.Equal(must(w.deals.Sweep(t.Context()))(t), 0)
	})
}

// Each state is asked for in each state, by POST where it may and by PATCH.
func TestIllegalMovesNameBothStates(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.catalog("course")
		reach := map[deals.Status]func(n int){
			deals.Created:  func(n int) { must(w.post(posting(n, deals.Created)))(t) },
			deals.Paid:     func(n int) { must(w.post(posting(n, deals.Paid)))(t) },
			deals.Approved: func(n int) { must(w.post(posting(n, deals.Paid)))(t); w.pass(30 * day) },
			deals.Canceled: func(n int) {
				must(w.post(posting(n, deals.Created)))(t)
				must(w.change(posting(n, "").ExternalID, deals.Changes{Status: affiliate.Some(deals.Canceled)}))(t)
			},
		}
		n := 0
		for _, from := range deals.Statuses() {
			for _, to := range []deals.Status{deals.Created, deals.Paid, deals.Canceled} {
				for _, how := range []string{"POST", "PATCH"} {
					if how == "POST" && to == deals.Canceled {
						continue
					}
					n++
					reach[from](n)
					before := w.deal(posting(n, "").ExternalID)
					var err error
					if how == "POST" {
						_, err = w.post(posting(n, to))
					} else {
						_, err = w.change(posting(n, "").ExternalID, deals.Changes{Status: affiliate.Some(to)})
					}
					want := from == to || from == deals.Created || from == deals.Paid && to == deals.Canceled
					after := w.deal(posting(n, "").ExternalID)
					switch e, _ := errors.AsType[*affiliate.Error](err); {
					case want && (err != nil || after.Status != to):
						t.Errorf("%s from %s to %s: got %v and %s", how, from, to, err, after.Status)
					case !want && (e == nil || e.Kind != affiliate.ErrState || e.Code != "illegal_transition" ||
						e.Message != "A deal that is "+string(from)+" cannot become "+string(to)+"."):
						t.Errorf("%s from %s to %s: got %v", how, from, to, err)
					case (!want || from == to) && after.Deal != before.Deal:
						t.Errorf("%s from %s to %s changed %+v to %+v", how, from, to, before.Deal, after.Deal)
					}
				}
			}
		}
	})
}

func TestAKnownDealKeepsItsParameters(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		c := w.catalog("course")
		must(w.post(posting(1, deals.Created)))(t)
		is.Equal(must(w.post(posting(1, deals.Created)))(t).Status, deals.Created) // again is no change
		for field, spoil := range map[string]func(*deals.Posting){
			"catalog_code": func(p *deals.Posting) { p.CatalogCode = "other" },
			"offer":        func(p *deals.Posting) { p.Offer = "Expert" },
			"cost":         func(p *deals.Posting) { p.Cost = usd(100_01) },
			"currency":     func(p *deals.Posting) { p.Cost = affiliate.NewMoney(100_00, "SEK") },
			"promo_code":   func(p *deals.Posting) { p.PromoCode = "" },
			"another_data": func(p *deals.Posting) { p.AnotherData = "uid=UIDANNA" },
		} {
			p := posting(1, deals.Paid)
			spoil(&p)
			_, err := w.post(p)
			wantField(t, err, field, "differs")
		}
		is.Equal(w.deal("deal-1").Status, deals.Created)

		// What was frozen is frozen: new terms, durations and names change nothing,
		// and a customer who pays after the end of sale has paid.
		must(w.deals.UpdateOffer(t.Context(), seller, c.Offers[0].ID, func(o *deals.Offer) {
			o.Terms, o.Active, o.Name = deals.Terms{Fixed: decimal.New(77, 0)}, false, "Novice"
		}))(t)
		must(w.deals.ChangeCatalog(t.Context(), seller, c.ID, func(c *deals.Catalog) { c.Hold, c.Published, c.Code = 0, false, "moved" }))(t)
		paid := must(w.post(posting(1, deals.Paid)))(t)
		is.Equal(paid.Status, deals.Paid)
		is.Equal(paid.Reward, usd(5_00))
		is.Equal(paid.Offer.Name, "Novice") // shown as it is called now
	})
}

func TestChangingADeal(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		cost := func(s string) affiliate.Optional[decimal.Decimal] {
			return affiliate.Some(decimal.RequireFromString(s))
		}
		must(w.post(posting(1, deals.Created)))(t)
		changed := must(w.change("deal-1", deals.Changes{Cost: cost("50.50")}))(t)
		is.Equal(changed.Cost, usd(50_50))
		is.Equal(changed.Reward, usd(2_52)) // 2.525, half to even
		_, err := w.post(posting(1, deals.Created))
		wantField(t, err, "cost", "differs")

		for field, c := range map[string]deals.Changes{
			"cost too_precise":   {Cost: cost("1.005")},
			"cost out_of_range":  {Cost: cost("-1")},
			"status not_in_list": {Status: affiliate.Some(deals.Approved)},
		} {
			_, err := w.change("deal-1", c)
			name, code, _ := cut(field)
			wantField(t, err, name, code)
		}
		before := w.deal("deal-1")
		after := must(w.change("deal-1", deals.Changes{Returned: affiliate.Some(true)}))(t)
		is.Equal(after, before) // kept quietly as false without Canceled

		paid := must(w.change("deal-1", deals.Changes{Status: affiliate.Some(deals.Paid), Cost: cost("80"), Returned: affiliate.Some(true)}))(t)
		is.True(!paid.Returned)
		is.Equal(paid.Reward, usd(4_00)) // the cost first, then the money
		is.Equal(w.entries()[0].Earning, usd(4_00))
		_, err = w.change("deal-1", deals.Changes{Cost: cost("90")})
		wantField(t, err, "cost", "not_changeable")
		is.Equal(must(w.change("deal-1", deals.Changes{Cost: cost("80.00")}))(t).Status, deals.Paid) // the same cost is no change

		cancel := deals.Changes{Status: affiliate.Some(deals.Canceled), Returned: affiliate.Some(true)}
		first := must(w.change("deal-1", cancel))(t)
		w.pass(time.Hour)
		is.Equal(must(w.change("deal-1", cancel))(t), first)                                         // a retry changes nothing
		is.Equal(must(w.change("deal-1", deals.Changes{Returned: affiliate.Some(false)}))(t), first) // nor does this
	})
}

func cut(s string) (a, b string, ok bool) {
	for i := range s {
		if s[i] == ' ' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func TestAttribution(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.catalog("course")
		other := w.catalog("second")
		must(w.deals.RegisterUID(t.Context(), bo, "UIDBO"))(t)
		must(w.deals.IssuePromoCode(t.Context(), seller, deals.PromoCode{CatalogID: other.ID, PartnerID: bo, Code: "ELSEWHERE"}))(t)
		for n, c := range []struct {
			name, data, code string
			partner          any
			source           deals.Source
			reward           int64
		}{
			{"by mark", "myshare=UIDBO&sub=1", "", bo, deals.ByUID, 5_00},
			{"by the other spelling", "uid=UIDANNA", "", anna, deals.ByUID, 5_00},
			{"the mark wins", "uid=UIDBO", "ANNA5", bo, deals.ByUID, 5_00},
			{"and the code is not looked at", "uid=UIDBO", "NO SUCH CODE", bo, deals.ByUID, 5_00},
			{"an unknown mark falls back", "uid=NOBODY", "anna5", anna, deals.ByPromoCode, 5_00},
			{"the first known mark", "uid=NOBODY&myshare=UIDANNA&uid=UIDBO", "", anna, deals.ByUID, 5_00},
			{"neither", "", "", deals.Deal{}.PartnerID, deals.Unattributed, 0},
			{"an unknown mark alone", "uid=NOBODY&sub=2", "", deals.Deal{}.PartnerID, deals.Unattributed, 0},
		} {
			is := is.New(t)
			p := posting(100+n, deals.Paid)
			p.AnotherData, p.PromoCode = c.data, c.code
			d, err := w.post(p)
			is.NoErr(err) // c.name
			is.Equal(any(d.PartnerID), c.partner)
			is.Equal(d.Source, c.source)
			is.Equal(d.Reward, usd(c.reward))
		}
		is := is.New(t)
		is.Equal(len(w.entries()), 6) // the unattributed ones earn nobody anything
		p := posting(1, deals.Created)
		p.PromoCode = "ELSEWHERE"
		_, err := w.post(p)
		wantField(t, err, "promo_code", "unknown")
		_, err = w.deals.Deal(t.Context(), seller, p.ExternalID)
		is.True(errors.Is(err, affiliate.ErrNotFound)) // all or nothing
	})
}

func TestWhatIsNotOnSaleIsRefused(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		c := w.catalog("course")
		offer := c.Offers[0].ID
		changeCatalog := func(f func(*deals.Catalog)) { must(w.deals.ChangeCatalog(t.Context(), seller, c.ID, f))(t) }
		changeOffer := func(f func(*deals.Offer)) { must(w.deals.UpdateOffer(t.Context(), seller, offer, f))(t) }
		refuse := func(field, code string, spoil func(*deals.Posting)) {
			t.Helper()
			p := posting(1, deals.Paid)
			spoil(&p)
			_, err := w.post(p)
			wantField(t, err, field, code)
		}
		nothing := func(*deals.Posting) {}
		refuse("catalog_code", "unknown", func(p *deals.Posting) { p.CatalogCode = "Course" })
		refuse("offer", "unknown", func(p *deals.Posting) { p.Offer = "beginner" })
		refuse("currency", "no_price", func(p *deals.Posting) { p.Cost = affiliate.NewMoney(1, "RUB") })
		refuse("currency", "unknown_currency", func(p *deals.Posting) { p.Cost = affiliate.NewMoney(0, "XXX") })
		refuse("cost", "out_of_range", func(p *deals.Posting) { p.Cost = usd(-1) })
		refuse("status", "not_in_list", func(p *deals.Posting) { p.Status = deals.Canceled })
		refuse("deal_id", "required", func(p *deals.Posting) { p.ExternalID = "" })
		refuse("promo_code", "unknown", func(p *deals.Posting) { p.PromoCode = "ANNA6" })
		changeOffer(func(o *deals.Offer) { o.PromoCodesAllowed = false })
		refuse("promo_code", "not_allowed", nothing)
		changeOffer(func(o *deals.Offer) { o.PromoCodesAllowed = true })
		changeCatalog(func(c *deals.Catalog) { c.PromoCodesAllowed = false })
		refuse("promo_code", "not_allowed", nothing)
		changeCatalog(func(c *deals.Catalog) { c.PromoCodesAllowed = true })
		changeOffer(func(o *deals.Offer) { o.Active = false })
		refuse("offer", "not_active", nothing)
		changeOffer(func(o *deals.Offer) { o.Active = true })
		must(w.post(posting(1, deals.Paid)))(t)
		_, err := w.deals.Post(t.Context(), otherSeller, posting(2, deals.Paid))
		wantField(t, err, "catalog_code", "unknown") // not its own
	})
}

// Traffic cannot be stopped at once: whoever has sent a customer is paid.
func TestDealsOfAnUnpublishedCatalogCount(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		c := w.catalog("course")
		w.events()
		published := func(on bool) {
			must(w.deals.ChangeCatalog(t.Context(), seller, c.ID, func(c *deals.Catalog) { c.Published = on }))(t)
		}
		published(false)
		is.Equal(w.events(), []string{"catalog.suspended"})
		published(false)
		is.Equal(len(w.events()), 0) // it was already
		d := must(w.post(posting(1, deals.Paid)))(t)
		is.Equal(d.Reward, usd(5_00))
		is.Equal(len(w.entries()), 1)
	})
}

func TestAnApprovedDealIsRefunded(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		must(w.post(posting(1, deals.Paid)))(t)
		w.pass(400 * day) // without limit of time
		is.Equal(w.deal("deal-1").Status, deals.Approved)
		_, err := w.change("deal-1", deals.Changes{Status: affiliate.Some(deals.Canceled)})
		is.True(errors.Is(err, affiliate.ErrState)) // only as a refund
		refund := deals.Changes{Status: affiliate.Some(deals.Canceled), Returned: affiliate.Some(true)}
		refunded := must(w.change("deal-1", refund))(t)
		is.Equal(refunded.Status, deals.Canceled)
		is.True(refunded.Returned)
		pending, payable := w.balance(anna)
		is.Equal([]int64{pending, payable}, []int64{0, 0})
		is.Equal(len(w.entries()), 2)
		is.Equal(must(w.change("deal-1", refund))(t), refunded) // a retry changes nothing
		is.Equal(len(w.entries()), 2)
	})
}

func TestPromoCodesOfDealsAreComparedTrimmedAndFolded(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		w.catalog("course")
		p := posting(1, deals.Created)
		p.PromoCode = "ANNA5 "
		is.Equal(must(w.post(p))(t).PromoCode, "ANNA5")
		p.PromoCode, p.Status = "\tanna5", deals.Paid
		is.Equal(must(w.post(p))(t).Status, deals.Paid)
		code := must(w.deals.CheckPromoCode(t.Context(), seller, "", " anna5 "))(t)
		is.Equal(code.Code, "ANNA5")
	})
}

// check_promo knows a code exactly when a deal may use it.
func TestACodeIsKnownWhileADealCanUseIt(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		first := w.catalog("course")
		second := w.catalog("second")
		known := func(catalog string) bool {
			t.Helper()
			_, err := w.deals.CheckPromoCode(t.Context(), seller, catalog, "ANNA5")
			is.True(err == nil || errors.Is(err, affiliate.ErrNotFound))
			return err == nil
		}
		n := 0
		agree := func(want bool) {
			t.Helper()
			n++
			_, err := w.post(posting(n, deals.Created))
			is.Equal(err == nil, want)
			is.Equal(known(first.ShortCode), want)
			is.Equal(known(first.ID.String()), want)
			is.True(known("")) // by the other catalog
		}
		catalog := func(change func(*deals.Catalog)) {
			must(w.deals.ChangeCatalog(t.Context(), seller, first.ID, change))(t)
		}
		offer := func(change func(*deals.Offer)) {
			must(w.deals.UpdateOffer(t.Context(), seller, first.Offers[0].ID, change))(t)
		}
		agree(true)
		catalog(func(c *deals.Catalog) { c.PromoCodesAllowed = false })
		agree(false)
		catalog(func(c *deals.Catalog) { c.PromoCodesAllowed = true })
		offer(func(o *deals.Offer) { o.PromoCodesAllowed = false })
		agree(false)
		offer(func(o *deals.Offer) { o.PromoCodesAllowed, o.Active = true, false })
		agree(false)
		offer(func(o *deals.Offer) { o.Active = true })
		must(w.deals.DecideAccess(t.Context(), seller, first.ID, anna, false))(t)
		agree(false)
		must(w.deals.DecideAccess(t.Context(), seller, first.ID, anna, true))(t)
		agree(true)
		must(w.deals.ChangeCatalog(t.Context(), seller, second.ID, func(c *deals.Catalog) { c.PromoCodesAllowed = false }))(t)
		catalog(func(c *deals.Catalog) { c.PromoCodesAllowed = false })
		is.True(!known(""))
	})
}

func TestRewardsAreRoundedOnce(t *testing.T) {
	is := is.New(t)
	reward := func(terms deals.Terms, cost affiliate.Money) affiliate.Money { return must(terms.Reward(cost))(t) }
	half := deals.Terms{Share: must(affiliate.ParseRate("", "0.005"))(t)}
	is.Equal(reward(half, usd(1_00)), usd(0)) // 0.5 cents, to even
	is.Equal(reward(half, usd(3_00)), usd(2)) // 1.5 cents, to even
	is.Equal(reward(deals.Terms{Share: percent(95)}, affiliate.NewMoney(1<<62, "JPY")).Currency(), affiliate.Currency("JPY"))
	fix := deals.Terms{Fixed: decimal.RequireFromString("10.125")}
	is.Equal(reward(fix, usd(1)), usd(10_12)) // to even
	is.Equal(reward(fix, affiliate.NewMoney(1, "KWD")), affiliate.NewMoney(10_125, "KWD"))
	is.Equal(reward(fix, affiliate.NewMoney(1, "JPY")), affiliate.NewMoney(10, "JPY"))
}

// A list by status is exact at every instant, and so is one after a sweep.
func TestListsAreExactWithoutASweep(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		c := w.catalog("course")
		for n, status := range []deals.Status{deals.Created, deals.Paid, deals.Created, deals.Paid, deals.Created} {
			must(w.post(posting(n, status)))(t)
			w.pass(5 * day)
		}
		must(w.change("deal-4", deals.Changes{Status: affiliate.Some(deals.Canceled)}))(t)
		check := func() {
			t.Helper()
			all := must(w.deals.Deals(t.Context(), deals.DealFilter{BusinessPartnerID: seller}, affiliate.PageRequest{Number: 1, Size: 100}))(t)
			for _, s := range deals.Statuses() {
				want := slices.DeleteFunc(slices.Clone(all.Items), func(d deals.Deal) bool { return d.Status != s })
				for _, f := range []deals.DealFilter{{BusinessPartnerID: seller, Status: s}, {CatalogID: c.ID, Status: s}, {PartnerID: anna, Status: s}, {Status: s}} {
					got := must(w.deals.Deals(t.Context(), f, affiliate.PageRequest{Number: 1, Size: 100}))(t)
					is.Equal(len(got.Items), len(want)) // as many as there are
					for i := range want {
						is.Equal(got.Items[i], want[i])
					}
					is.Equal(got.Total, len(want))
				}
			}
		}
		for range 9 {
			check()
			w.pass(5 * day)
		}
		is.Equal(must(w.deals.Sweep(t.Context()))(t), 4)
		check()
	})
}
