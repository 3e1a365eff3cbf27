package httpadapter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// ask sends a request of a browser.
func ask(w *market.World, method, target, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	out := httptest.NewRecorder()
	w.Handler.ServeHTTP(out, r)
	return out
}

const form = "application/x-www-form-urlencoded;charset=UTF-8"

// The pixel, the beacon and the server tell one sale, in every spelling: one
// order. All get the picture.
func TestAnOrderIsOneHoweverItIsReported(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		link, _, err := w.Links.Convert(t.Context(), links.Conversion{UserID: w.ID["user anna"], URL: "https://acme.example/report"})
		is.NoErr(err)
		to, err := w.Links.Follow(t.Context(), links.Hit{LinkID: link.Link.ID, IP: "192.0.2.1", UserAgent: market.Firefox})
		is.NoErr(err)
		where := fmt.Sprintf("organization=%d&event=1", w.ID["advertiser acme"])
		cid := "&mtpc_cid=" + to.Click.Value.ID.String()
		for _, c := range []struct {
			method, target, contentType, body string
			status                            int
			outcome                           string
		}{
			{"GET", "/report?" + where + "&ordernumber=A+1&ordervalue=100&currency=SEK" + cid, "", "", 200, "added"},
			{"GET", "/report?" + where + "&orderNumber=A+1&orderValue=100.00&currency=SEK&tduid=foreign", "", "", 200, "known"},
			{"GET", "/report?" + where + "&ordervalue=A%201&ordervalue=100", "", "", 200, "known"},
			{"POST", "/report?" + where, form, "ordernumber=A+1&ordervalue=100" + cid, 200, "known"},
			{"POST", "/report", "text/plain;charset=UTF-8", where + "&ordernumber=A+1&ordervalue=100", 200, "known"},
			{"POST", "/report?" + where + "&ordervalue=100", "", "ordernumber=A+1&ordervalue=999", 200, "known"},
			{"GET", "/report?" + where + "&ordernumber=A+1&ordervalue=101", "", "", 409, "refused"},
			{"GET", "/report?" + where + "&ordernumber=A+1&ordervalue=100&currency=EUR", "", "", 409, "refused"},
			{"GET", "/report?" + where + "&ordernumber=2&ordervalue=-1", "", "", 422, "refused"},
			{"GET", "/report?" + where + "&ordernumber=2&ordervalue=1&currency=XXX", "", "", 422, "refused"},
			{"GET", "/report?organization=999999&event=1&ordernumber=2&ordervalue=1", "", "", 422, "refused"},
			{"GET", "/report", "", "", 422, "refused"},
			{"GET", "/report?a=" + strings.Repeat("x", 20_000), "", "", 422, "refused"},
			{"POST", "/report?" + where, "application/json", "{}", 422, "refused"},
			{"POST", "/report", form, strings.Repeat("x", 70_000), 422, "refused"},
		} {
			got := ask(w, c.method, c.target, c.contentType, c.body)
			what := fmt.Sprintf("%s %.90s %.60s", c.method, c.target, c.body)
			if got.Code != c.status || got.Header().Get("X-Order-Outcome") != c.outcome {
				t.Errorf("%s: got %d %s %s, want %d %s", what, got.Code, got.Header().Get("X-Order-Outcome"), got.Header().Get("X-Order-Error"), c.status, c.outcome)
			}
			if got.Header().Get("Content-Type") != "image/gif" || !strings.HasPrefix(got.Body.String(), "GIF89a") {
				t.Errorf("%s: got %q, want the picture", what, got.Body)
			}
			if (c.status == 200) != (got.Header().Get("X-Order-Error") == "") {
				t.Errorf("%s: X-Order-Error is %q", what, got.Header().Get("X-Order-Error"))
			}
		}
		page, err := w.Orders.Orders(t.Context(), orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 1)
		is.Equal(page.Items[0].UserID, w.ID["user anna"])
		w.Down.Store(true)
		got := ask(w, "GET", "/report?"+where+"&ordernumber=3&ordervalue=1", "", "")
		is.Equal(got.Code, http.StatusServiceUnavailable)
		is.Equal(got.Header().Get("X-Order-Error"), "unavailable") // nothing of the cause
	})
}

func TestTheTrackingScriptIsSmallAndCached(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	got := ask(w, "GET", "/report.js?organization=1&event=1&days=30", "", "")
	is.Equal(got.Code, 200)
	is.Equal(got.Header().Get("Content-Type"), "text/javascript; charset=utf-8")
	is.True(strings.Contains(got.Header().Get("Cache-Control"), "max-age"))
	is.True(got.Body.Len() < 3000)
	for _, word := range []string{"sendBeacon", "new Image", "mtpc_cid", "tduid", "tdconv"} {
		is.True(strings.Contains(got.Body.String(), word))
	}
	for _, path := range []string{"/report/", "/report.js/x", "/reports"} {
		is.Equal(ask(w, "GET", path, "", "").Code, 404)
	}
	is.Equal(ask(w, "DELETE", "/report", "", "").Code, 405)
}

func TestTheTrackingScriptReadsTheHostsClickParameter(t *testing.T) {
	is := is.New(t)
	s, err := orders.NewService(backends.Memory().Orders, orders.Options{ClickParameter: "cid"})
	is.NoErr(err)
	h, err := httpadapter.NewReport(s, httpadapter.Options{})
	is.NoErr(err)
	got := httptest.NewRecorder()
	h.ServeHTTP(got, httptest.NewRequest("GET", "/report.js", nil))
	is.True(strings.Contains(got.Body.String(), "here.get('cid')"))
	is.True(!strings.Contains(got.Body.String(), "'mtpc_cid'"))
}
