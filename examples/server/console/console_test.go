package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/examples/server/console"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

var all = affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}

// paths are all pages without a parameter.
var paths = []string{"/", "/console/campaigns", "/console/links", "/console/orders", "/console/accounts", "/console/events", "/console/webhooks", "/console/adsync"}

func TestTheOverviewShowsWhatTheAPIReturns(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		page := w.page("/")
		ctx := t.Context()
		label := ""
		total := 0
		for i, v := range links.Verdicts() {
			list, err := w.kit.Links.Clicks(ctx, links.ClickFilter{Verdict: v, From: links.DayOf(noon)}, all)
			w.must(err)
			total += list.Total
			if i > 0 {
				label += ","
			}
			label += fmt.Sprintf(" %d %s", list.Total, v)
		}
		w.labelled(page, fmt.Sprintf("Clicks today by verdict, %d in all:%s.", total, label))
		w.has(page, "4 clicks today by verdict") // what happened three days ago is not of today
		w.labelled(page, "Paid orders per day, last 30 days. Orders: 1 order in all (2026-03-18 1 order).")

		entries, err := w.kit.Core.Entries(ctx, affiliate.EntryFilter{}, all)
		w.must(err)
		sums := map[string][2]affiliate.Money{"": {affiliate.NewMoney(0, "SEK"), affiliate.NewMoney(0, "SEK")}}
		for _, e := range entries.Items {
			for _, day := range []string{"", e.OccurredAt.Format(time.DateOnly)} {
				s, ok := sums[day]
				if !ok {
					s = sums[""]
					s = [2]affiliate.Money{affiliate.NewMoney(0, "SEK"), affiliate.NewMoney(0, "SEK")}
				}
				s[0], err = s[0].Add(e.Earning)
				w.must(err)
				s[1], err = s[1].Add(e.Cost)
				w.must(err)
				sums[day] = s
			}
		}
		part := func(n int) string {
			return fmt.Sprintf("%s in all (2026-03-15 %s, 2026-03-18 %s).", console.Amount(sums[""][n]), console.Amount(sums["2026-03-15"][n]), console.Amount(sums["2026-03-18"][n]))
		}
		w.labelled(page, "Money per day in SEK, last 30 days. Earned by creators: "+part(0)+" Cost to advertisers: "+part(1))
		w.has(page, "SEK 1 24,690.00 SEK "+console.Amount(sums[""][0])+" "+console.Amount(sums[""][1]))
	})
}

func TestCampaignsShowTheirBudgetsFilling(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		page := w.page("/console/campaigns")
		view, err := w.kit.Offers.Offer(t.Context(), w.offer.ID)
		w.must(err)
		spent := console.Amount(affiliate.NewMoney(view.Used.Spent, "SEK"))
		w.labelled(page, spent+" of 12,345.00 SEK used, 10 %")
		w.labelled(page, "2 clicks of 2 clicks used, 100 %")
		w.labelled(page, console.Amount(affiliate.NewMoney(view.Shared.Value.Consumed, "SEK"))+" of 200,000.00 SEK used, below 1 %")
		w.has(page, hostile, "Campaign "+fmt.Sprint(view.ID)+" of "+hostile, spent+" spent")
	})
}

func TestTheWayOfALinkLeadsFromItsRuleToTheLedger(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		page := w.page(fmt.Sprintf("/console/links/%d", w.link.ID))
		rules, err := w.kit.Links.Rules(t.Context(), w.acme.ID)
		w.must(err)
		w.has(page,
			fmt.Sprintf("Rule %d says that acme.example is %s’s. It is the main rule.", rules[0].ID, hostile),
			fmt.Sprintf("%d %s no It has paid as many clicks as it may.", w.offer.ID, hostile),
			"0.10 SEK a click, set by the advertiser; drawn from the campaign and its shared budget",
			"1 to 5 of 5 clicks", "duplicate", "bot", "capped")
		entries, err := w.kit.Core.Entries(t.Context(), affiliate.EntryFilter{Kind: affiliate.EntryClick}, all)
		w.must(err)
		if len(entries.Items) != 2 {
			t.Fatalf("got %d entries", len(entries.Items))
		}
		for _, e := range entries.Items {
			w.has(page, fmt.Sprintf("%d: click %s", e.ID, console.Amount(e.Earning)))
		}
		list := w.page("/console/links?id=" + fmt.Sprint(w.link.ID))
		if !slices.Contains(list.links, fmt.Sprintf("/console/links/%d", w.link.ID)) {
			t.Errorf("no way to the link among %q", list.links)
		}
		w.must(w.kit.Links.DeleteLink(t.Context(), w.link.ID))
		w.has(w.page(fmt.Sprintf("/console/links/%d", w.link.ID)), "Deleted 2026-03-18 12:00:00 UTC")
	})
}

func TestAReversalStandsBesideItsClick(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		clicks, err := w.kit.Links.Clicks(t.Context(), links.ClickFilter{Verdict: links.VerdictValid}, all)
		w.must(err)
		e, err := w.kit.Links.ReverseClick(t.Context(), clicks.Items[0].ID)
		w.must(err)
		w.has(w.page(fmt.Sprintf("/console/links/%d", w.link.ID)), fmt.Sprintf("%d: reversal −0.10 SEK", e.ID))
	})
}

func TestABalanceIsTheSumOfItsEntries(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		account := affiliate.UserAccount(w.anna.ID)
		page := w.page("/console/account?id=" + string(account))
		balances, err := w.kit.Core.Balances(t.Context(), account)
		w.must(err)
		entries, err := w.kit.Core.Entries(t.Context(), affiliate.EntryFilter{Account: account}, all)
		w.must(err)
		earned := affiliate.NewMoney(0, "SEK")
		for _, e := range entries.Items {
			earned, err = earned.Add(e.Earning)
			w.must(err)
			w.has(page, fmt.Sprintf("%s %s", console.Amount(e.Earning), console.Amount(e.Cost)), e.Cause)
		}
		b := balances[0]
		w.has(page, "Balance in SEK Earned "+console.Amount(earned)+" Paid out 0.00 SEK Payable now "+console.Amount(b.Payable)+" Pending, payable later "+console.Amount(b.Pending), "the sum of 3 entries", w.anna.Username)
		list := w.page("/console/accounts")
		w.has(list, string(account)+" "+console.Amount(earned)+" 0.00 SEK")
		if !slices.Contains(list.links, "/console/account?id="+url.QueryEscape(string(account))) {
			t.Errorf("no way to the account among %q", list.links)
		}
	})
}

func TestOrdersAreListedWithWhoBroughtThem(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		o := w.order("1001")
		_, _, err := w.kit.Orders.Report(t.Context(), orders.Report{AdvertiserID: w.acme.ID, Number: "1002", Value: decimal.RequireFromString("99.5")})
		w.must(err)
		page := w.page("/console/orders")
		w.has(page, "2 Pending 0 Approved 0 Declined", "1001 2026-03-18 12:00:00 UTC "+hostile+" Pending 24,690.00 SEK "+w.anna.Username+", by click",
			console.Amount(o.Earning)+" "+console.Amount(o.Cost), "1002", "99.50 SEK nobody", "1 to 2 of 2 orders")
		if !slices.Contains(page.links, fmt.Sprintf("/console/orders/%d", o.ID)) {
			t.Errorf("no way to the order among %q", page.links)
		}
		_, err = w.kit.Orders.Decline(t.Context(), o.ID)
		w.must(err)
		declined := w.page("/console/orders?status=Declined")
		w.has(declined, "1 Pending 0 Approved 1 Declined", "1 to 1 of 1 orders", "1001")
		mine := w.page(fmt.Sprintf("/console/orders?user=%d", w.anna.ID))
		if strings.Contains(mine.text, "1002") {
			t.Error("the orders of a creator have one that nobody brought")
		}
		if account := w.page("/console/account?id=" + string(affiliate.UserAccount(w.anna.ID))); !slices.Contains(account.links, fmt.Sprintf("/console/orders?user=%d", w.anna.ID)) {
			t.Errorf("no way from the account to its orders among %q", account.links)
		}
	})
}

func TestAnOrderSaysHowItCameToItsCommission(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		o := w.order("1001")
		_, _, err := w.kit.Orders.Refund(t.Context(), o.ID, orders.RefundInput{Reference: "R1 " + hostile, Value: affiliate.Some(decimal.NewFromInt(4690))})
		w.must(err)
		x, err := w.kit.Orders.Explain(t.Context(), o.ID)
		w.must(err)
		page := w.page(fmt.Sprintf("/console/orders/%d", o.ID))
		w.has(page,
			"Value 24,690.00 SEK", "Earned by the creator 1,234.50 SEK", "Earned, less refunds 1,000.00 SEK",
			"Clicks from "+x.From.UTC().Format("2006-01-02 15:04:05")+" UTC on count.",
			fmt.Sprintf("click %s of link %d %s 2026-03-15 12:00:00 UTC yes It is the first in preference that can be paid.", x.Candidates[0].ClickID, w.link.ID, w.anna.Username),
			"5 % of the order to the creator; 5 % invoiced to the advertiser; drawn from the campaign and its shared budget.",
			"the whole order 24,690.00 SEK 24,690.00 SEK 5 % 5 % 4,690.00 SEK",
			"exactly 1,234.50 SEK for the creator and 1,234.50 SEK for the advertiser, each rounded once, half to even",
			"R1 "+hostile+" 2026-03-18 12:00:00 UTC 4,690.00 SEK 234.50 SEK 234.50 SEK")
		for _, e := range x.Entries {
			w.has(page, fmt.Sprint(e.ID, " "), console.Amount(e.Earning)+" "+console.Amount(e.Cost))
		}
		_, _, err = w.kit.Orders.Report(t.Context(), orders.Report{AdvertiserID: w.acme.ID, Number: "1003", Value: decimal.NewFromInt(10), ClickIDs: []uuid.UUID{{1}}, Voucher: "NOBODY"})
		w.must(err)
		unpaid := w.page(fmt.Sprintf("/console/orders/%d", w.order("1003").ID))
		w.has(unpaid, "The order earns nothing.", "The advertiser has no such click.", "voucher NOBODY unknown does not matter no The advertiser has no such voucher.",
			"No terms apply, because nobody brought the order.", "Nothing was booked, since the order earns nothing.")
		for _, id := range []string{"99", "0", "x", "1001"} {
			if answer := w.request(http.MethodGet, "/console/orders/"+id); answer.Code != http.StatusNotFound {
				t.Errorf("order %s: got %d", id, answer.Code)
			}
		}
	})
}

func TestEventsAreShownOnceEachTheNewestFirst(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		for i := range 40 {
			_, _, err := w.kit.Links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: fmt.Sprintf("https://acme.example/%d", i)})
			w.must(err)
		}
		want, err := w.kit.Events.After(t.Context(), 0, 1000)
		w.must(err)
		slices.Reverse(want)
		var got []string
		for path := "/console/events"; path != ""; {
			page := w.page(path)
			_, rows, _ := strings.Cut(page.text, "Advertiser Data ")
			got = append(got, rows)
			next := ""
			for _, l := range page.links {
				if strings.Contains(l, "before=") {
					next = l
				}
			}
			path = next
		}
		if pages := (len(want) + console.PageSize - 1) / console.PageSize; len(got) != pages {
			t.Errorf("got %d pages of %d events, want %d", len(got), len(want), pages)
		}
		shown := strings.Join(got, " ")
		for _, e := range want {
			row := fmt.Sprintf("%d 2026-03-1%d 12:00:00 UTC %s %s ", e.Sequence, e.At.Day()-10, e.Kind, e.Object)
			place := strings.Index(shown, row)
			if place < 0 {
				t.Fatalf("no %q, or not in its place, in %s", row, shown)
			}
			shown = shown[place+len(row):]
		}
	})
}

func TestWebhooksAndTheSyncQueueAreShown(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		page := w.page("/console/webhooks")
		endpoints, err := w.kit.Webhooks.Endpoints(t.Context(), all)
		w.must(err)
		attempts, err := w.kit.Webhooks.Attempts(t.Context(), webhooks.AttemptFilter{}, all)
		w.must(err)
		w.has(page, fmt.Sprint(endpoints.Items[0].ID, " ", endpoints.Items[0].URL), hostile, "webhook.test, attempt 1", "418", attempts.Items[0].Took.String())
		if strings.Contains(page.text, "whsec_") {
			t.Error("the page shows a secret")
		}
		jobs, err := w.kit.AdSync.Jobs(t.Context(), adsync.JobFilter{}, all)
		w.must(err)
		if jobs.Total != 1 {
			t.Fatalf("got %d jobs", jobs.Total)
		}
		for path, shown := range map[string]bool{"/console/adsync": true, "/console/adsync?state=queued": true, "/console/adsync?state=parked": false} {
			page := w.page(path)
			w.has(page, "1 queued 0 leased 0 parked")
			if strings.Contains(page.text, jobs.Items[0].RecordID.String()) != shown {
				t.Errorf("%s: the job is shown: %v, want %v", path, !shown, shown)
			}
		}
	})
}

func TestEmptyPagesSayWhatToDo(t *testing.T) {
	onEachBackend(t, func(w *world) {
		for path, hint := range map[string]string{
			"/":                               "No click yet today. Make a link with POST /v3/users/{user}/affiliate-links",
			"/console/campaigns":              "There is no campaign. An advertiser makes one with POST /v2/offers",
			"/console/links":                  "A creator makes one with POST /v3/users/{user}/affiliate-links",
			"/console/orders":                 "There is no order. Orders come by the sales pixel or /report",
			"/console/orders?status=Declined": "There is no order that is Declined.",
			"/console/accounts":               "The first valid click of a creator’s link books one.",
			"/console/events":                 "create a link, and load this page again",
			"/console/webhooks":               "Start the server with -webhook-url",
			"/console/adsync":                 "A change of an item, campaign, ad set or ad queues one.",
		} {
			w.has(w.page(path), hint)
		}
	})
}

func TestHostileNamesAreText(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		for _, path := range append(slices.Clone(paths), fmt.Sprintf("/console/links/%d", w.link.ID), fmt.Sprintf("/console/orders/%d", w.order("1001").ID), "/console/account?id=user:"+fmt.Sprint(w.anna.ID)) {
			if n := w.page(path).tags["script"]; n > 0 {
				t.Errorf("%s: %d scripts", path, n)
			}
		}
		answer := w.request(http.MethodGet, `/console/account?id=%22%3E%3Cscript%3E`)
		if answer.Code != http.StatusNotFound || strings.Contains(answer.Body.String(), "<script") {
			t.Errorf("got %d %s", answer.Code, answer.Body)
		}
	})
}

func TestListsHavePages(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.fill()
		for i := range console.PageSize + 5 {
			_, _, err := w.kit.Links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: fmt.Sprintf("https://acme.example/%d", i)})
			w.must(err)
		}
		first := w.page("/console/links")
		w.has(first, "1 to 25 of 31 links Next →")
		if !slices.Contains(first.links, "/console/links?page=2") {
			t.Errorf("no second page among %q", first.links)
		}
		w.has(w.page("/console/links?page=2"), "← Back 26 to 31 of 31 links")
	})
}

func TestTheConsoleIsForTheOperator(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.tokens()
		basic := func(password string) func(*http.Request) {
			return func(r *http.Request) { r.SetBasicAuth("anybody", password) }
		}
		header := func(value string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("Authorization", value) }
		}
		from := func(remote, host string) func(*http.Request) {
			return func(r *http.Request) { r.RemoteAddr, r.Host = remote, host }
		}
		for _, open := range []bool{false, true} {
			w.open(console.Options{OpenOnLoopback: open})
			here := http.StatusUnauthorized
			if open {
				here = http.StatusOK
			}
			for name, c := range map[string]struct {
				status int
				change func(*http.Request)
			}{
				"the operator's password":     {http.StatusOK, basic(operatorToken)},
				"the operator as a bearer":    {http.StatusOK, header("Bearer " + operatorToken)},
				"this machine":                {here, from("127.0.0.1:1", "127.0.0.1:8080")},
				"this machine by its name":    {here, from("[::1]:1", "localhost:8080")},
				"this machine by another way": {here, from("[::ffff:127.0.0.1]:1", "[::1]:8080")},
				"another name for it":         {http.StatusUnauthorized, from("127.0.0.1:1", "evil.example")},
				"another machine":             {http.StatusUnauthorized, from("192.0.2.1:1", "127.0.0.1:8080")},
				"no address":                  {http.StatusUnauthorized, from("", "127.0.0.1:8080")},
			} {
				change := c.change
				if c.status == http.StatusOK && here == http.StatusUnauthorized {
					change = func(r *http.Request) { from("192.0.2.1:1", "console.example")(r); c.change(r) }
				}
				answer := w.request(http.MethodGet, "/", change)
				if answer.Code != c.status {
					t.Errorf("open %v, %s: got %d, want %d", open, name, answer.Code, c.status)
				}
				if asks := answer.Header().Get("WWW-Authenticate") != ""; asks != (c.status == http.StatusUnauthorized) {
					t.Errorf("open %v, %s: asks for a password: %v", open, name, asks)
				}
			}
		}
		w.open(console.Options{})
		for _, path := range append(slices.Clone(paths), "/console/links/1", "/console/orders/1", "/console/account?id=user:1", "/console/nothing") {
			for name, c := range map[string]struct {
				status int
				change func(*http.Request)
			}{
				"nobody":          {http.StatusUnauthorized, header("")},
				"a wrong token":   {http.StatusUnauthorized, basic("a-token-of-nobody")},
				"no password":     {http.StatusUnauthorized, basic("")},
				"another scheme":  {http.StatusUnauthorized, header("Token " + operatorToken)},
				"a creator":       {http.StatusForbidden, basic(creatorToken)},
				"hostile letters": {http.StatusUnauthorized, basic("\x00\xff" + strings.Repeat("x", 10_000))},
			} {
				if answer := w.request(http.MethodGet, path, c.change); answer.Code != c.status {
					t.Errorf("%s, %s: got %d, want %d", path, name, answer.Code, c.status)
				}
			}
		}
		for path, kind := range map[string]string{"/console/assets/style.css": "text/css; charset=utf-8", "/console/assets/icon.svg": "image/svg+xml"} {
			answer := w.request(http.MethodGet, path)
			if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != kind {
				t.Errorf("%s: got %d %s", path, answer.Code, answer.Header().Get("Content-Type"))
			}
		}
	})
}

func TestTheConsoleTakesGETAlone(t *testing.T) {
	is := is.New(t)
	w := newMemoryWorld(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "BREW"} {
		for _, path := range append(slices.Clone(paths), "/console/assets/style.css") {
			answer := w.request(method, path)
			is.Equal(answer.Code, http.StatusMethodNotAllowed)
			is.Equal(answer.Header().Get("Allow"), "GET, HEAD")
		}
	}
	is.Equal(w.request(http.MethodHead, "/").Code, http.StatusOK)
}

func TestEveryAnswerHasItsSecurityHeaders(t *testing.T) {
	is := is.New(t)
	w := newMemoryWorld(t)
	for _, path := range append(slices.Clone(paths), "/console/nothing", "/console/assets/style.css", "/console/assets/none", "/console/links?page=x") {
		h := w.request(http.MethodGet, path).Header()
		policy := h.Get("Content-Security-Policy")
		is.True(strings.HasPrefix(policy, "default-src 'none';"))
		is.True(strings.Contains(policy, "frame-ancestors 'none'"))
		is.True(!strings.Contains(policy, "unsafe"))
		is.True(!strings.Contains(policy, "script-src")) // no script at all
		is.Equal(h.Get("X-Content-Type-Options"), "nosniff")
	}
	is.Equal(w.request(http.MethodGet, "/").Header().Get("Cache-Control"), "no-store")
}

func TestAddressesThatMakeNoSenseAreRefused(t *testing.T) {
	onEachBackend(t, func(w *world) {
		for path, status := range map[string]int{
			"/console/links?page=0":                          http.StatusBadRequest,
			"/console/links?page=-1":                         http.StatusBadRequest,
			"/console/links?page=x":                          http.StatusBadRequest,
			"/console/links?page=99999999999999999999":       http.StatusBadRequest,
			"/console/links?page=1000000000":                 http.StatusOK,
			"/console/links?id=x":                            http.StatusBadRequest,
			"/console/links?id=9223372036854775807":          http.StatusOK, // an empty list
			"/console/links/9223372036854775807":             http.StatusNotFound,
			"/console/links/9223372036854775808":             http.StatusNotFound,
			"/console/links/x":                               http.StatusNotFound,
			"/console/links/%00":                             http.StatusNotFound,
			"/console/account":                               http.StatusNotFound,
			"/console/account?id=user:77":                    http.StatusNotFound,
			"/console/account?id=%00":                        http.StatusBadRequest,
			"/console/account?id=%ff":                        http.StatusBadRequest,
			"/console/account?id=" + strings.Repeat("x", 65): http.StatusBadRequest,
			"/console/accounts?after=%00":                    http.StatusBadRequest,
			"/console/accounts?after=user:1&currency=%ff":    http.StatusBadRequest,
			"/console/accounts?after=zzz&currency=SEK":       http.StatusOK,
			"/console/events?before=-5":                      http.StatusBadRequest,
			"/console/events?before=x":                       http.StatusBadRequest,
			"/console/adsync?state=gone":                     http.StatusBadRequest,
			"/console/nothing":                               http.StatusNotFound,
			"/console":                                       http.StatusFound,
		} {
			if answer := w.request(http.MethodGet, path); answer.Code != status {
				t.Errorf("%s: got %d, want %d", path, answer.Code, status)
			}
		}
	})
}

func TestAPageThatTakesTooLongIsGivenUp(t *testing.T) {
	onEachBackend(t, func(w *world) {
		w.open(console.Options{OpenOnLoopback: true, Timeout: time.Nanosecond})
		answer := w.request(http.MethodGet, "/")
		if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
			t.Errorf("got %d %v", answer.Code, answer.Header())
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	is := is.New(t)
	_, err := console.New(nil, console.Options{})
	is.True(err != nil)
	_, err = console.New(newMemoryWorld(t).kit, console.Options{Timeout: -1})
	is.True(err != nil)
}
