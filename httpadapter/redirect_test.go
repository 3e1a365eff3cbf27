package httpadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	google  = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
	curl    = "curl/8.14.1"
)

// follow sends a reader to a link; headers are name, value pairs.
func (w *world) follow(target string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.send("nobody", "GET", target, "", headers...)
}

// clicks are all clicks that are kept, oldest first.
func (w *world) clicks() []links.Click {
	w.t.Helper()
	return must(w.links.Clicks(w.t.Context(), links.ClickFilter{}, affiliate.PageRequest{Number: 1, Size: 1000}))(w.t).Items
}

// lastClick is the newest click, the only one that is new since there were n.
func (w *world) lastClick(n int) links.Click {
	w.t.Helper()
	all := w.clicks()
	if len(all) != n+1 {
		w.t.Fatalf("%d clicks are kept, want %d", len(all), n+1)
	}
	return all[n]
}

func TestALinkLeadsToTheShopWithTheClickID(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		got := w.follow("/c/{link anna}", "User-Agent", firefox)
		is.Equal(got.Code, http.StatusFound)
		to := must(url.Parse(got.Header().Get("Location")))(t)
		id := to.Query().Get("mtpc_cid")
		is.Equal(to.String(), "https://acme.example/shoes?size=38&mtpc_cid="+id)
		is.Equal(got.Header().Get("Cache-Control"), "no-store, private")
		is.Equal(got.Header().Values("Referrer-Policy"), nil) // the host's to decide
		is.Equal(got.Body.Len(), 0)
		is.True(got.Header().Get("X-Request-Id") != "")

		click := w.lastClick(0)
		is.Equal(click.ID, must(uuid.Parse(id))(t))
		is.Equal(click.LinkID, w.id["link anna"])
		is.Equal(click.Verdict, links.VerdictValid)
		is.Equal(click.Earning, affiliate.NewMoney(250, "SEK"))
		is.Equal(must(w.links.Verify(t.Context()))(t), nil)
	})
}

func TestWhatARequestTellsAboutTheClick(t *testing.T) {
	for _, c := range []struct {
		name    string
		target  string
		headers []string
		source  affiliate.TrafficSource
		verdict links.Verdict
	}{
		{"a person", "", []string{"User-Agent", firefox}, affiliate.SourceGeneral, links.VerdictValid},
		{"a person with a phone", "", []string{"User-Agent", safari}, affiliate.SourceGeneral, links.VerdictValid},
		{"an HTTP client", "", []string{"User-Agent", curl}, affiliate.SourceGeneral, links.VerdictBot},
		{"a crawler", "", []string{"User-Agent", google}, affiliate.SourceGeneral, links.VerdictBot},
		{"a preview", "", []string{"User-Agent", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}, affiliate.SourceGeneral, links.VerdictBot},
		{"no user agent", "", nil, affiliate.SourceGeneral, links.VerdictBot},
		{"a long user agent", "", []string{"User-Agent", firefox + strings.Repeat(" x", 9000)}, affiliate.SourceGeneral, links.VerdictValid},
		{"a source", "?src=instagram", []string{"User-Agent", firefox}, affiliate.SourceInstagram, links.VerdictValid},
		{"a source in capitals", "?a=1&src=TikTok", []string{"User-Agent", firefox}, affiliate.SourceTikTok, links.VerdictValid},
		{"a source over a referer", "?src=youtube", []string{"User-Agent", firefox, "Referer", "https://www.instagram.com/"}, affiliate.SourceYouTube, links.VerdictValid},
		{"an unknown source", "?src=myspace", []string{"User-Agent", firefox, "Referer", "https://l.instagram.com/?u=x"}, affiliate.SourceInstagram, links.VerdictValid},
		{"a referer", "", []string{"User-Agent", firefox, "Referer", "https://m.facebook.com/story"}, affiliate.SourceFacebook, links.VerdictValid},
		{"an unknown referer", "", []string{"User-Agent", firefox, "Referer", "https://instagram.evil.example/"}, affiliate.SourceGeneral, links.VerdictValid},
		{"a broken referer and query", "?src=%zz;", []string{"User-Agent", firefox, "Referer", "::"}, affiliate.SourceGeneral, links.VerdictValid},
		{"a destination in the request", "?url=https://evil.example/&to=https://evil.example/", []string{"User-Agent", firefox}, affiliate.SourceGeneral, links.VerdictValid},
		{"another purpose", "", []string{"User-Agent", firefox, "Sec-Purpose", "navigate"}, affiliate.SourceGeneral, links.VerdictValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			w := newWorld(t, inMemory())
			got := w.follow("/c/{link anna}"+c.target, c.headers...)
			is.Equal(got.Code, http.StatusFound)
			is.True(strings.HasPrefix(got.Header().Get("Location"), "https://acme.example/shoes?size=38&mtpc_cid="))
			click := w.lastClick(0)
			is.Equal(click.Source, c.source)
			is.Equal(click.Verdict, c.verdict)
		})
	}
}

func TestAVisitorCountsOnceADay(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	from := func(address, agent string) links.Verdict {
		n := len(w.clicks())
		r := httptest.NewRequest("GET", w.path("/c/{link anna}"), nil)
		r.RemoteAddr = address
		r.Header.Set("User-Agent", agent)
		w.handler.ServeHTTP(httptest.NewRecorder(), r)
		return w.lastClick(n).Verdict
	}
	is.Equal(from("192.0.2.1:1000", firefox), links.VerdictValid)
	w.pass(time.Second)
	is.Equal(from("192.0.2.1:2000", firefox), links.VerdictDuplicate) // another port is the same reader
	w.pass(time.Second)
	is.Equal(from("192.0.2.2:1000", firefox), links.VerdictValid)
	w.pass(time.Second)
	is.Equal(from("192.0.2.1:1000", safari), links.VerdictValid)
	w.pass(25 * time.Hour)
	is.Equal(from("192.0.2.1:1000", firefox), links.VerdictValid)
}

func TestTheHostSaysWhatTheAddressIs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	w.handler = w.adapter(httpadapter.Options{ClientIP: func(r *http.Request) string { return r.Header.Get("X-Real-Ip") }})
	w.follow("/c/{link anna}", "User-Agent", firefox, "X-Real-Ip", "192.0.2.1")
	is.Equal(w.lastClick(0).Verdict, links.VerdictValid)
	w.pass(time.Second)
	w.follow("/c/{link anna}", "User-Agent", firefox, "X-Real-Ip", "192.0.2.2")
	is.Equal(w.lastClick(1).Verdict, links.VerdictValid)
	w.pass(time.Second)
	w.follow("/c/{link anna}", "User-Agent", firefox, "X-Real-Ip", "192.0.2.2")
	is.Equal(w.lastClick(2).Verdict, links.VerdictDuplicate)
}

func TestReadersBehindATrustedProxyAreMany(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	w.handler = w.adapter(httpadapter.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}) // httptest's address
	for i := range 20 {
		reader := "198.51.100." + strconv.Itoa(i)
		w.follow("/c/{link anna}", "User-Agent", safari, "X-Forwarded-For", "203.0.113.5, "+reader) // the first is what it claims
		is.Equal(w.lastClick(i).Verdict, links.VerdictValid)
		w.pass(time.Second)
	}
	w.follow("/c/{link anna}", "User-Agent", safari, "X-Forwarded-For", "203.0.113.6, 198.51.100.7")
	is.Equal(w.lastClick(20).Verdict, links.VerdictDuplicate)
}

func TestTheHostSaysWhatAProgramIs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	w.handler = w.adapter(httpadapter.Options{Bots: func(userAgent string) bool { return userAgent == firefox }})
	w.follow("/c/{link anna}", "User-Agent", firefox)
	is.Equal(w.lastClick(0).Verdict, links.VerdictBot)
	w.pass(time.Second)
	w.follow("/c/{link anna}", "User-Agent", curl)
	is.Equal(w.lastClick(1).Verdict, links.VerdictValid)
}

func TestASlashBehindTheLinkIsNoOtherLink(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	is.Equal(w.follow("/c/{link anna}/", "User-Agent", firefox).Code, http.StatusFound)
	is.Equal(w.follow("/c/{link anna}//", "User-Agent", firefox).Code, http.StatusNotFound)
}

func TestWhoOnlyLooksIsNotCounted(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		headers []string
	}{
		"HEAD":                       {"HEAD", nil},
		"Sec-Purpose":                {"GET", []string{"Sec-Purpose", "prefetch"}},
		"Sec-Purpose with prerender": {"GET", []string{"Sec-Purpose", "prefetch;prerender"}},
		"Purpose":                    {"GET", []string{"Purpose", "Prefetch"}},
		"Purpose of a preview":       {"GET", []string{"Purpose", "preview"}},
		"X-Purpose":                  {"GET", []string{"X-Purpose", "preview"}},
		"X-Moz":                      {"GET", []string{"X-Moz", "prefetch"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			w := newWorld(t, inMemory())
			before := w.dump()
			got := w.send("nobody", c.method, "/c/{link anna}", "", append(c.headers, "User-Agent", firefox)...)
			is.Equal(got.Code, http.StatusFound)
			is.Equal(got.Header().Get("Location"), "https://acme.example/shoes?size=38") // without the id of a click
			is.Equal(w.dump(), before)
		})
	}
}

func TestALinkOfSomebodyWhoTakesNoPartLeadsToThePlainShop(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"a closed shop": func(w *world) { must(w.core.DeactivateAdvertiser(w.t.Context(), w.id["advertiser acme"]))(w.t) },
		"a banned creator": func(w *world) {
			must(w.core.BanUsers(w.t.Context(), []int64{w.id["user anna"]}, 0))(w.t)
		},
		"a deleted link": func(w *world) {
			if err := w.links.DeleteLink(w.t.Context(), w.id["link anna"]); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, w *world) {
				is := is.New(t)
				end(w)
				got := w.follow("/c/{link anna}", "User-Agent", firefox)
				is.Equal(got.Code, http.StatusFound)
				is.Equal(got.Header().Get("Location"), "https://acme.example/shoes?size=38")
				click := w.lastClick(0)
				is.Equal(click.Verdict, links.VerdictBlocked)
				is.True(click.Earning.IsZero())
			})
		})
	}
}

func TestABlockedCreatorsOldLinksPayOnlyWhereTheEntrySaysSo(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	block := func(validate string) {
		is.Equal(w.send("advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user anna›,"validate_clicks":`+validate+`}]}`).Code, 201)
	}
	block("true")
	w.follow("/c/{link anna}", "User-Agent", firefox)
	is.Equal(w.lastClick(0).Verdict, links.VerdictValid)
	entries := w.send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=anna", "")
	w.id["entry anna"] = int64(must(strconv.Atoi(names(t, entries, "id")))(t))
	is.Equal(w.send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry anna}", "").Code, 204)
	block("false")
	w.pass(time.Minute)
	is.Equal(w.follow("/c/{link anna}", "User-Agent", safari).Code, 302)
	is.Equal(w.lastClick(1).Verdict, links.VerdictBlocked)
}

func TestPathsThatAreNoLink(t *testing.T) {
	w := newWorld(t, inMemory())
	for _, path := range []string{"/c/999999", "/c/", "/c/0", "/c/-1", "/c/+1", "/c/01", "/c/1//", "/c/1/x", "/c/x", "/c/1%00", "/c/%ff", "/c/9223372036854775808", "/c/1e0"} {
		for _, method := range []string{"GET", "HEAD"} {
			got := w.send("nobody", method, path, "")
			body := `{"message":"Not found.","code":"not_found"}`
			if method == "HEAD" {
				body = ""
			}
			if got.Code != 404 || got.Body.String() != body || got.Header().Get("Content-Type") != "application/json" || got.Header().Get("Location") != "" {
				t.Errorf("%s %s: got %d %s", method, path, got.Code, got.Body)
			}
		}
	}
	if n := len(w.clicks()); n != 0 {
		t.Errorf("%d clicks are kept", n)
	}
}

func TestLinksAreOnlyRead(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		got := w.send("nobody", method, "/c/{link anna}", "")
		is.Equal(got.Code, 405)
		is.Equal(got.Header().Get("Allow"), "GET, HEAD")
		is.Equal(got.Body.String(), `{"message":"Links are followed with GET or HEAD.","code":"method_not_allowed"}`)
	}
	is.Equal(len(w.clicks()), 0)
}

func TestAClickThatCannotBeKeptSendsNobodyOn(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	w.down.Store(true)
	got := w.follow("/c/{link anna}", "User-Agent", firefox)
	is.Equal(got.Code, 503)
	is.Equal(got.Body.String(), `{"message":"The service is temporarily unavailable.","code":"unavailable"}`)
	is.Equal(got.Header().Get("Location"), "")
}

func TestAReaderWhoHasGone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	var seen []int
	w.handler = w.adapter(httpadapter.Options{Observe: func(_ string, status int, _ time.Duration) { seen = append(seen, status) }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", w.path("/c/{link anna}"), nil)
	got := httptest.NewRecorder()
	w.handler.ServeHTTP(got, r)
	is.Equal(got.Code, 503)
	is.Equal(seen, []int{499})
	is.Equal(len(w.clicks()), 0)
}

func TestTheRedirectIsObservedAndNotLimited(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	var seen []string
	w.handler = w.adapter(httpadapter.Options{RequestsPerMinute: 1, Observe: func(operation string, status int, took time.Duration) {
		is.True(took >= 0)
		seen = append(seen, operation+" "+http.StatusText(status))
	}})
	for range 3 {
		is.Equal(w.follow("/c/{link anna}", "User-Agent", firefox).Header().Get("X-Ratelimit-Limit"), "")
	}
	w.follow("/c/0")
	is.Equal(seen, []string{"redirect Found", "redirect Found", "redirect Found", "redirect Not Found"})
}

// panicking is a store that breaks its promises.
type panicking struct{ links.Store }

func (panicking) Write(context.Context, func(context.Context, links.Tx) error) error { panic("boom") }

func TestAPanicIsAnAnswer(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	broken := must(links.NewService(panicking{w.backend.links}, links.Options{}))(t)
	handler := must(httpadapter.New(httpadapter.Services{Links: broken}, httpadapter.Options{Logger: w.logger()}))(t)
	got := w.sendTo(handler, "nobody", "GET", "/c/1", "")
	is.Equal(got.Code, 500)
	is.Equal(got.Body.String(), `{"message":"Something went wrong on our side.","code":"internal_error"}`)
	is.True(strings.Contains(w.log.String(), "boom"))
	is.True(strings.Contains(w.log.String(), got.Header().Get("X-Request-Id")))
}

func TestTheRedirectAlone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	handler := must(httpadapter.NewRedirect(w.links, httpadapter.Options{}))(t)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/c/{link anna}", "").Code, 302)
	_, err := httpadapter.NewRedirect(nil, httpadapter.Options{})
	is.True(err != nil)
}
