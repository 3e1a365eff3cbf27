package orders_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// rates are those that every test knows: euros and yen in kronor.
var rates = orders.FixedRates{
	{"EUR", "SEK"}: dec("11.25"),
	{"JPY", "SEK"}: dec("0.0665"),
	{"SEK", "EUR"}: dec("0.0889"),
	{"KWD", "SEK"}: dec("34.123456789"),
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func rate(s string) affiliate.Rate {
	r, err := affiliate.ParseRate("rate", s)
	if err != nil {
		panic(err)
	}
	return r
}

// world is the services over one store, at an instant that the test moves. The
// advertiser acme pays by its campaign: 5 % of an order to the creator, 8 % from
// the advertiser, and 10 and 12 öre for a click.
type world struct {
	t      testing.TB
	b      storagetest.Backend
	now    *atomic.Int64
	core   *affiliate.Service
	links  *links.Service
	offers *offers.Service
	orders *orders.Service

	acme     affiliate.Advertiser
	anna, bo affiliate.User
	campaign offers.Offer
	link     links.Link // anna's
	hits     int
}

func newWorld(t testing.TB, b storagetest.Backend) *world {
	t.Helper()
	w := &world{t: t, b: b, now: &atomic.Int64{}}
	w.now.Store(noon.UnixMicro())
	var err error
	w.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: w.clock})
	w.must(err)
	w.links, err = links.NewService(b.Links, links.Options{Clock: w.clock, RuleRefresh: time.Nanosecond})
	w.must(err)
	w.offers, err = offers.NewService(w.core, b.Offers, offers.Options{Clock: w.clock})
	w.must(err)
	w.orders = w.service(b, orders.Options{})
	w.acme = w.shop("Acme", "acme.example", "SEK")
	w.anna, w.bo = w.user("anna"), w.user("bo")
	w.campaign = w.offer(w.acme, func(*offers.Offer) {})
	w.link = w.convert(w.anna, "https://acme.example/shoes")
	return w
}

// service is another service over a store, at the world's time.
func (w *world) service(b storagetest.Backend, o orders.Options) *orders.Service {
	w.t.Helper()
	o.Clock = w.clock
	if o.Rates == nil {
		o.Rates = rates
	}
	s, err := orders.NewService(b.Orders, o)
	w.must(err)
	return s
}

func (w *world) clock() time.Time     { return time.UnixMicro(w.now.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) shop(name, domain string, c affiliate.Currency) affiliate.Advertiser {
	w.t.Helper()
	a, err := w.links.RegisterAdvertiser(w.t.Context(), links.Registration{Advertiser: affiliate.Advertiser{Name: name, Country: "SE", Currency: c}, Domains: []string{domain}})
	w.must(err)
	return a
}

func (w *world) user(name string) affiliate.User {
	w.t.Helper()
	u, err := w.core.CreateUser(w.t.Context(), affiliate.User{Username: name, VerifiedAt: noon})
	w.must(err)
	return u
}

func costs(cpa, invoice string) []offers.Costs {
	return []offers.Costs{{Costs: affiliate.Costs{
		CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12), CPA: affiliate.Some(rate(cpa)), InvoiceCPA: affiliate.Some(rate(invoice)),
	}}}
}

func (w *world) offer(a affiliate.Advertiser, change func(*offers.Offer)) offers.Offer {
	w.t.Helper()
	o := offers.Offer{AdvertiserID: a.ID, Type: offers.Standard, Name: "spring", Costs: costs("0.05", "0.08")}
	change(&o)
	added, err := w.offers.CreateOffer(w.t.Context(), offers.OfferInput{Offer: o})
	w.must(err)
	return added.Offer
}

func (w *world) convert(u affiliate.User, url string) links.Link {
	w.t.Helper()
	v, _, err := w.links.Convert(w.t.Context(), links.Conversion{UserID: u.ID, URL: url})
	w.must(err)
	return v.Link
}

// click is a new reader's click on a link.
func (w *world) click(l links.Link) links.Click {
	w.t.Helper()
	w.hits++
	return w.hit(l, fmt.Sprintf("192.0.%d.%d", 2+w.hits/250, 1+w.hits%250))
}

func (w *world) hit(l links.Link, ip string) links.Click {
	w.t.Helper()
	to, err := w.links.Follow(w.t.Context(), links.Hit{LinkID: l.ID, IP: ip, UserAgent: "Firefox"})
	w.must(err)
	return to.Click.Value
}

// sale is a report of acme with a click.
func (w *world) sale(number, value string, clicks ...links.Click) orders.Report {
	r := orders.Report{AdvertiserID: w.acme.ID, Number: number, Value: dec(value)}
	for _, c := range clicks {
		r.ClickIDs = append(r.ClickIDs, c.ID)
	}
	return r
}

func (w *world) report(r orders.Report) orders.Order {
	w.t.Helper()
	o, _, err := w.orders.Report(w.t.Context(), r)
	w.must(err)
	return o
}

// spent is what the budget of the campaign has lost.
func (w *world) spent(o offers.Offer) int64 {
	w.t.Helper()
	var spent int64
	w.must(w.b.Orders.Read(w.t.Context(), func(ctx context.Context, tx orders.Tx) error {
		used, err := tx.Usage().Get(ctx, []offers.UsageKey{offers.OfferUsage(o.ID)})
		spent = used[offers.OfferUsage(o.ID)].Spent
		return err
	}))
	return spent
}

// earned is what a user has earned by entries of the kinds, less reversals.
func (w *world) total(u affiliate.User) affiliate.Total {
	w.t.Helper()
	totals, err := w.core.Totals(w.t.Context(), "", "", 1000)
	w.must(err)
	for _, t := range totals {
		if t.Account == affiliate.UserAccount(u.ID) {
			return t
		}
	}
	return affiliate.Total{}
}

// verify recomputes everything.
func (w *world) verify() {
	w.t.Helper()
	ofOrders, err := w.orders.Verify(w.t.Context())
	w.must(err)
	ofLinks, err := w.links.Verify(w.t.Context())
	w.must(err)
	for _, d := range append(ofOrders, ofLinks...) {
		w.t.Errorf("%s: kept %s, real %s", d.What, d.Kept, d.Real)
	}
}

func code(err error) string {
	if e, ok := errors.AsType[*affiliate.Error](err); ok {
		if e.Kind == affiliate.ErrInvalid && len(e.Fields) > 0 {
			return e.Fields[0].Field + " " + e.Fields[0].Code
		}
		return e.Code
	}
	return fmt.Sprint(err)
}

func ids(clicks ...links.Click) []uuid.UUID {
	var out []uuid.UUID
	for _, c := range clicks {
		out = append(out, c.ID)
	}
	return out
}
