package browser

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/examples/server/console"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// season is a console over a kit in which a month has passed.
type season struct {
	t      *testing.T
	now    time.Time
	kit    *affiliatekit.Kit
	link   links.Link
	anna   affiliate.User
	order  orders.Order // with lines, two candidates and a refund
	unpaid orders.Order // that nobody is paid for
}

func newSeason(t *testing.T) *season {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &season{t: t, now: time.Date(2026, 2, 17, 9, 0, 0, 0, time.UTC)}
	var err error
	s.kit, err = affiliatekit.New(memory.New(), affiliatekit.Options{
		Clock: func() time.Time { return s.now }, Links: links.Options{PublicURL: "https://go.example"},
		Webhooks: webhooks.Options{AllowHTTP: true, Allow: func(netip.Addr) bool { return true }},
	})
	must(err)
	cpa, err := affiliate.ParseRate("cpa", "0.05")
	must(err)
	shop := func(name, domain, country string, currency affiliate.Currency) affiliate.Advertiser {
		a, err := s.kit.Links.RegisterAdvertiser(ctx, links.Registration{Domains: []string{domain}, Advertiser: affiliate.Advertiser{
			Name: name, Country: country, Currency: currency,
			DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](150), InvoiceCPC: affiliate.Some[int64](180), CPA: affiliate.Some(cpa)}},
		}})
		must(err)
		return a
	}
	acme, nordic := shop("Acme", "acme.example", "SE", "SEK"), shop("Nordic Care", "nordic.example", "DE", "EUR")
	user := func(name string) affiliate.User {
		u, err := s.kit.Core.CreateUser(ctx, affiliate.User{Username: name, VerifiedAt: s.now})
		must(err)
		return u
	}
	anna, bo := user("anna"), user("bo")
	campaign := func(a affiliate.Advertiser, name string, budget, clicks int64) {
		_, err := s.kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
			AdvertiserID: a.ID, Type: offers.Standard, Name: name, BudgetLimit: affiliate.Some(budget), MaxClicks: affiliate.Some(clicks),
		}})
		must(err)
	}
	campaign(acme, "Summer at Acme", 250_000, 1_000)
	campaign(acme, "For friends", 20_000, 80)
	campaign(nordic, "Winter care", 2_500_000, 100_000)
	convert := func(u affiliate.User, url string) links.Link {
		v, _, err := s.kit.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: url})
		must(err)
		return v.Link
	}
	list := []links.Link{convert(anna, "https://acme.example/shoes/red-runner"), convert(bo, "https://nordic.example/cream"), convert(bo, "https://acme.example/bags?size=xl")}
	s.link, s.anna = list[0], anna
	reader := 0
	for day := range 30 {
		if day > 0 {
			s.now = s.now.AddDate(0, 0, 1)
		}
		for i, l := range list {
			for n := range 4 + (day*7+i*5)%9 {
				reader++
				h := links.Hit{LinkID: l.ID, IP: fmt.Sprintf("192.0.%d.%d", reader/250, reader%250), UserAgent: "Firefox", Bot: n == 3}
				r, err := s.kit.Links.Follow(ctx, h)
				must(err)
				if n == 2 { // the same reader again
					_, err := s.kit.Links.Follow(ctx, h)
					must(err)
				}
				if n == 0 && (day+i)%2 == 0 {
					_, _, err := s.kit.Orders.Report(ctx, orders.Report{
						AdvertiserID: l.AdvertiserID, Number: fmt.Sprintf("%d-%d", day, i), Value: decimal.New(int64(45_000+day*1_300+i*700), -2), ClickIDs: []uuid.UUID{r.Click.Value.ID},
					})
					must(err)
				}
			}
		}
	}
	visit := func(l links.Link) uuid.UUID {
		reader++
		r, err := s.kit.Links.Follow(ctx, links.Hit{LinkID: l.ID, IP: fmt.Sprintf("192.0.%d.%d", reader/250, reader%250), UserAgent: "Firefox"})
		must(err)
		return r.Click.Value.ID
	}
	line := func(sku, category, value string) orders.LineInput {
		return orders.LineInput{SKU: sku, Category: category, Quantity: 1, Value: decimal.RequireFromString(value)}
	}
	s.order, _, err = s.kit.Orders.Report(ctx, orders.Report{
		AdvertiserID: acme.ID, Number: "WEB-20931", Value: decimal.RequireFromString("1849.00"), Tax: affiliate.Some(decimal.RequireFromString("369.80")),
		Shipping: affiliate.Some(decimal.NewFromInt(49)), ClickIDs: []uuid.UUID{visit(list[2]), visit(s.link)}, Lines: []orders.LineInput{line("runner-red-42", "shoes", "1299.00"), line("socks-3", "", "149.00")},
	})
	must(err)
	_, s.order, err = s.kit.Orders.Refund(ctx, s.order.ID, orders.RefundInput{Reference: "RET-77", Value: affiliate.Some(decimal.NewFromInt(149))})
	must(err)
	s.unpaid, _, err = s.kit.Orders.Report(ctx, orders.Report{AdvertiserID: acme.ID, Number: "WEB-20932", Value: decimal.NewFromInt(99), ClickIDs: []uuid.UUID{{1}}, Voucher: "SUMMER"})
	must(err)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(receiver.Close)
	endpoint, err := s.kit.Webhooks.Create(ctx, webhooks.EndpointInput{URL: receiver.URL, Description: "the warehouse"})
	must(err)
	_, err = s.kit.Webhooks.Test(ctx, endpoint.ID)
	must(err)
	_, err = s.kit.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: "bolt", Name: "Bolt"})
	must(err)
	bolt := s.kit.AdSync.ForAccount("bolt")
	_, err = bolt.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: "Search", CatalogID: "accounts/1/dataSources/2"})
	must(err)
	for _, id := range []string{"r1", "r2"} {
		_, _, err = bolt.SaveItem(ctx, adsync.ItemInput{ReferenceID: adsync.Sent(id), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br")})
		must(err)
	}
	_, err = s.kit.Events.After(ctx, 0, 1)
	must(err)
	return s
}

func (s *season) serve() string {
	s.t.Helper()
	c, err := console.New(s.kit, console.Options{Clock: func() time.Time { return s.now }, OpenOnLoopback: true, Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil))})
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewServer(c)
	s.t.Cleanup(server.Close)
	return server.URL
}

// ordersInAll is what the orders chart must say.
func (s *season) ordersInAll() string {
	s.t.Helper()
	page, err := s.kit.Core.Entries(s.t.Context(), affiliate.EntryFilter{Kind: affiliate.EntryOrder}, affiliate.PageRequest{Number: 1, Size: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("Orders: %d orders in all", page.Total)
}

// A reader who reaches this server and nothing else looks at every page, on a
// large and a small screen, in light and dark. The chart has the number of the
// API in its label; no page brings up an error, breaks a rule of axe, or is wider
// than the screen.
func TestTheConsoleWorksOfflineAndForEverybody(t *testing.T) {
	s := newSeason(t)
	full := s.serve()
	empty := &season{t: t, now: s.now}
	var err error
	if empty.kit, err = affiliatekit.New(memory.New(), affiliatekit.Options{}); err != nil {
		t.Fatal(err)
	}
	blank := empty.serve()
	for name, flags := range map[string][]chromedp.ExecAllocatorOption{"light": nil, "dark": {chromedp.Flag("force-dark-mode", true)}} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			ctx := chromium(t, "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", flags...)
			var heard complaints
			is.NoErr(chromedp.Listen(ctx, heard.hear))
			is.NoErr(chromedp.Do(ctx, chromedp.Navigate(full+"/"), chromedp.WaitVisible("#orders-title")))
			label, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("figure[aria-labelledby=orders-title] svg").getAttribute("aria-label")`))
			is.NoErr(err)
			if want := s.ordersInAll(); !strings.Contains(label, want) {
				t.Errorf("the chart is labelled %q, want %q in it", label, want)
			}
			bars, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll("figure[aria-labelledby=orders-title] svg rect").length`))
			is.NoErr(err)
			is.True(bars > 10)
			back, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
			is.NoErr(err)
			is.Equal(back == "rgb(255, 255, 255)", name == "light")
			pages := map[string]string{
				"overview": full + "/", "campaigns": full + "/console/campaigns", "links": full + "/console/links", "link": fmt.Sprintf("%s/console/links/%d", full, s.link.ID),
				"orders": full + "/console/orders", "order": fmt.Sprintf("%s/console/orders/%d", full, s.order.ID), "unpaid": fmt.Sprintf("%s/console/orders/%d", full, s.unpaid.ID), "empty-orders": blank + "/console/orders",
				"accounts": full + "/console/accounts", "account": fmt.Sprintf("%s/console/account?id=user:%d", full, s.anna.ID), "events": full + "/console/events",
				"webhooks": full + "/console/webhooks", "adsync": full + "/console/adsync", "empty": blank + "/", "empty-campaigns": blank + "/console/campaigns", "empty-events": blank + "/console/events",
			}
			for page, address := range pages {
				for screen, width := range map[string]int64{"large": 1200, "small": 390} {
					look(ctx, t, page+"-"+screen+"-"+name, address, width)
				}
			}
			heard.mu.Lock()
			defer heard.mu.Unlock()
			is.Equal(heard.all, []string(nil))
		})
	}
}

// look opens a page on a screen of a width, and audits it.
func look(ctx context.Context, t *testing.T, name, address string, width int64) {
	t.Helper()
	is := is.New(t)
	is.NoErr(chromedp.Do(ctx, chromedp.EmulateViewport(width, 1000), chromedp.Navigate(address), chromedp.WaitVisible("#main h1")))
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		is.NoErr(err)
		is.NoErr(os.WriteFile(folder+"/console-"+name+".png", picture, 0o644))
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	is.NoErr(err)
	if wide > 0 {
		t.Errorf("%s is %d pixels wider than the screen", name, wide)
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](axe(t)+"; true"))
	is.NoErr(err)
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](audit, chromedp.EvalAwaitPromise))
	is.NoErr(err)
	if found != "[]" {
		t.Errorf("%s: %s", name, found)
	}
}
