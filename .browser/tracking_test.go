package browser

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// shopPage is a page of the shop: the script as the sales pixel names it, and
// the queue for calls that come before it has loaded.
const shopPage = `<!doctype html><html><head><title>Acme</title>
<script>window.tdconv = window.tdconv || function () { (tdconv.q = tdconv.q || []).push(arguments) }</script>
<script src="%s" async></script></head><body>%s</body></html>`

const thanks = `<p id="thanks">Thank you!</p>
<script>tdconv('track', 'sale', {transactionId: '1001', ordervalue: '499.50', currency: 'SEK'})</script>`

// market is a tracker and a shop, on sites of their own.
type market struct {
	tracker, shop   *httptest.Server
	links           *links.Service
	orders          *orders.Service
	core            *affiliate.Service
	acme            affiliate.Advertiser
	anna            affiliate.User
	link            links.Link
	pixels, beacons atomic.Int64
}

func newMarket(t *testing.T) *market {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := &market{}
	db := memory.New()
	var err error
	m.core, err = affiliate.NewService(db.Core(), affiliate.Options{})
	must(err)
	m.links, err = links.NewService(db.Links(), links.Options{PublicURL: "http://go.example"})
	must(err)
	m.orders, err = orders.NewService(db.Orders(), orders.Options{})
	must(err)
	cpa, err := affiliate.ParseRate("cpa", "0.05")
	must(err)
	m.acme, err = m.links.RegisterAdvertiser(t.Context(), links.Registration{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{
		Name: "Acme", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPA: affiliate.Some(cpa)}},
	}})
	must(err)
	m.anna, err = m.core.CreateUser(t.Context(), affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	must(err)
	converted, _, err := m.links.Convert(t.Context(), links.Conversion{UserID: m.anna.ID, URL: "http://acme.example/shoes"})
	must(err)
	m.link = converted.Link
	adapter, err := httpadapter.New(httpadapter.Services{Core: m.core, Links: m.links, Orders: m.orders}, httpadapter.Options{Logger: slog.New(slog.DiscardHandler)})
	must(err)
	m.tracker = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		adapter.ServeHTTP(w, r)
		switch { // after the answer: whoever waits for the count sees the order
		case r.URL.Path == "/report" && r.Method == http.MethodPost:
			m.beacons.Add(1)
		case r.URL.Path == "/report":
			m.pixels.Add(1)
		}
	}))
	t.Cleanup(m.tracker.Close)
	script := fmt.Sprintf("http://go.example/report.js?organization=%d&event=1&days=30", m.acme.ID)
	if _, err := m.orders.Collector(t.Context(), m.acme.ID); err != nil {
		t.Fatal(err)
	}
	m.shop = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `<a id="buy" href="/cart/buy">Buy</a>` // the click id is no longer in the address
		if r.URL.Path == "/cart/buy" {
			body = thanks
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, shopPage, script, body)
	}))
	t.Cleanup(m.shop.Close)
	return m
}

// browser is a headless Chromium that finds the two sites.
func browser(t *testing.T, m *market, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	return chromium(t, "MAP go.example:80 "+host(m.tracker)+", MAP acme.example:80 "+host(m.shop), flags...)
}

// chromium is a headless Chromium that looks names up by rules.
func chromium(t *testing.T, rules string, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("there is no Chromium: `make test-browser` installs it on Debian as root, elsewhere install it")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.Flag("no-sandbox", true),
		chromedp.UserAgent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"), // its own says that it is headless: a program
		chromedp.Flag("host-resolver-rules", rules))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// waitFor waits until n pixels and n beacons have come in.
func (m *market) waitFor(ctx context.Context, t *testing.T, n int64) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for m.pixels.Load() < n || m.beacons.Load() < n {
		select {
		case <-ctx.Done():
			t.Fatalf("%d pixels and %d beacons came in, want %d each", m.pixels.Load(), m.beacons.Load(), n)
		case <-tick.C:
		}
	}
}

// A reader follows a link to the shop, buys, and reloads the page that thanks
// three times. The pixel, the beacon and the shop's server all tell of it: one
// order, one commission, of the creator whose link it was.
func TestASaleInABrowserIsOneOrder(t *testing.T) {
	for name, flags := range map[string][]chromedp.ExecAllocatorOption{
		"as it comes":                     nil,
		"third-party cookies are blocked": {chromedp.Flag("test-third-party-cookie-phaseout", true)},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := newMarket(t)
			ctx := browser(t, m, flags...)
			is.NoErr(chromedp.Do(ctx, chromedp.Navigate(fmt.Sprintf("http://go.example/c/%d", m.link.ID)), chromedp.WaitVisible("#buy")))
			address, err := chromedp.Run(ctx, chromedp.Location())
			is.NoErr(err)
			landed, err := url.Parse(address)
			is.NoErr(err)
			is.Equal(landed.Host, "acme.example")
			is.True(landed.Query().Get("mtpc_cid") != "") // the redirect sent the click id along
			is.NoErr(chromedp.Do(ctx, chromedp.Click("#buy"), chromedp.WaitVisible("#thanks")))
			m.waitFor(ctx, t, 1)
			for n := range int64(3) {
				is.NoErr(chromedp.Do(ctx, chromedp.Reload(), chromedp.WaitVisible("#thanks")))
				m.waitFor(ctx, t, 2+n)
			}
			server, err := http.Get(fmt.Sprintf("%s/report?organization=%d&event=1&ordernumber=1001&ordervalue=499.5&currency=SEK", m.tracker.URL, m.acme.ID))
			is.NoErr(err)
			_, err = io.Copy(io.Discard, server.Body)
			is.NoErr(err)
			is.NoErr(server.Body.Close())
			is.Equal(server.Header.Get("X-Order-Outcome"), "known")

			page, err := m.orders.Orders(t.Context(), orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
			is.NoErr(err)
			is.Equal(page.Total, 1)
			order := page.Items[0]
			is.Equal(order.Number, "1001")
			is.Equal(order.UserID, m.anna.ID)
			is.Equal(order.LinkID, m.link.ID)
			is.Equal(order.ClickID.String(), landed.Query().Get("mtpc_cid"))
			entries, err := m.core.Entries(t.Context(), affiliate.EntryFilter{Kind: affiliate.EntryOrder}, affiliate.PageRequest{Number: 1, Size: 10})
			is.NoErr(err)
			is.Equal(entries.Total, 1)
			is.Equal(entries.Items[0].Earning, affiliate.NewMoney(2498, "SEK"))
		})
	}
}
