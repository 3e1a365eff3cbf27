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
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const (
	safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
	curl   = "curl/8.14.1"
)

// clicks are all clicks that are kept, oldest first.
func clicks(w *market.World) []links.Click {
	w.T.Helper()
	return market.Must(w.Links.Clicks(w.T.Context(), links.ClickFilter{}, affiliate.PageRequest{Number: 1, Size: 1000}))(w.T).Items
}

// lastClick is the newest click, the only one that is new since there were n.
func lastClick(w *market.World, n int) links.Click {
	w.T.Helper()
	all := clicks(w)
	if len(all) != n+1 {
		w.T.Fatalf("%d clicks are kept, want %d", len(all), n+1)
	}
	return all[n]
}

func TestALinkLeadsToTheShopWithTheClickID(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		got := w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
		is.Equal(got.Code, http.StatusFound)
		to := market.Must(url.Parse(got.Header().Get("Location")))(t)
		id := to.Query().Get("mtpc_cid")
		is.Equal(to.String(), "https://acme.example/shoes?size=38&mtpc_cid="+id)
		is.Equal(got.Header().Get("Cache-Control"), "no-store, private")
		is.Equal(got.Header().Values("Referrer-Policy"), nil) // the host's to decide
		is.Equal(got.Body.Len(), 0)
		is.True(got.Header().Get("X-Request-Id") != "")

		click := lastClick(w, 0)
		is.Equal(click.ID, market.Must(uuid.Parse(id))(t))
		is.Equal(click.LinkID, w.ID["link anna"])
		is.Equal(click.Verdict, links.VerdictValid)
		is.Equal(click.Earning, affiliate.NewMoney(250, "SEK"))
		is.Equal(market.Must(w.Links.Verify(t.Context()))(t), nil)
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
		{"a person", "", []string{"User-Agent", market.Firefox}, affiliate.SourceGeneral, links.VerdictValid},
		{"a person with a phone", "", []string{"User-Agent", safari}, affiliate.SourceGeneral, links.VerdictValid},
		{"an HTTP client", "", []string{"User-Agent", curl}, affiliate.SourceGeneral, links.VerdictBot},
		{"a crawler", "", []string{"User-Agent", google}, affiliate.SourceGeneral, links.VerdictBot},
		{"a preview", "", []string{"User-Agent", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}, affiliate.SourceGeneral, links.VerdictBot},
		{"no user agent", "", nil, affiliate.SourceGeneral, links.VerdictBot},
		{"a long user agent", "", []string{"User-Agent", market.Firefox + strings.Repeat(" x", 9000)}, affiliate.SourceGeneral, links.VerdictValid},
		{"a source", "?src=instagram", []string{"User-Agent", market.Firefox}, affiliate.SourceInstagram, links.VerdictValid},
		{"a source in capitals", "?a=1&src=TikTok", []string{"User-Agent", market.Firefox}, affiliate.SourceTikTok, links.VerdictValid},
		{"a source over a referer", "?src=youtube", []string{"User-Agent", market.Firefox, "Referer", "https://www.instagram.com/"}, affiliate.SourceYouTube, links.VerdictValid},
		{"an unknown source", "?src=myspace", []string{"User-Agent", market.Firefox, "Referer", "https://l.instagram.com/?u=x"}, affiliate.SourceInstagram, links.VerdictValid},
		{"a referer", "", []string{"User-Agent", market.Firefox, "Referer", "https://m.facebook.com/story"}, affiliate.SourceFacebook, links.VerdictValid},
		{"an unknown referer", "", []string{"User-Agent", market.Firefox, "Referer", "https://instagram.evil.example/"}, affiliate.SourceGeneral, links.VerdictValid},
		{"a broken referer and query", "?src=%zz;", []string{"User-Agent", market.Firefox, "Referer", "::"}, affiliate.SourceGeneral, links.VerdictValid},
		{"a destination in the request", "?url=https://evil.example/&to=https://evil.example/", []string{"User-Agent", market.Firefox}, affiliate.SourceGeneral, links.VerdictValid},
		{"another purpose", "", []string{"User-Agent", market.Firefox, "Sec-Purpose", "navigate"}, affiliate.SourceGeneral, links.VerdictValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			w := newWorld(t, backends.Memory())
			got := w.Follow("/c/{link anna}"+c.target, c.headers...)
			is.Equal(got.Code, http.StatusFound)
			is.True(strings.HasPrefix(got.Header().Get("Location"), "https://acme.example/shoes?size=38&mtpc_cid="))
			click := lastClick(w, 0)
			is.Equal(click.Source, c.source)
			is.Equal(click.Verdict, c.verdict)
		})
	}
}

func TestAVisitorCountsOnceADay(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	from := func(address, agent string) links.Verdict {
		n := len(clicks(w))
		r := httptest.NewRequest("GET", w.Path("/c/{link anna}"), nil)
		r.RemoteAddr = address
		r.Header.Set("User-Agent", agent)
		w.Handler.ServeHTTP(httptest.NewRecorder(), r)
		return lastClick(w, n).Verdict
	}
	is.Equal(from("192.0.2.1:1000", market.Firefox), links.VerdictValid)
	w.Pass(time.Second)
	is.Equal(from("192.0.2.1:2000", market.Firefox), links.VerdictDuplicate) // another port is the same reader
	w.Pass(time.Second)
	is.Equal(from("192.0.2.2:1000", market.Firefox), links.VerdictValid)
	w.Pass(time.Second)
	is.Equal(from("192.0.2.1:1000", safari), links.VerdictValid)
	w.Pass(25 * time.Hour)
	is.Equal(from("192.0.2.1:1000", market.Firefox), links.VerdictValid)
}

func TestTheHostSaysWhatTheAddressIs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.Handler = w.Adapter(httpadapter.Options{ClientIP: func(r *http.Request) string { return r.Header.Get("X-Real-Ip") }})
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox, "X-Real-Ip", "192.0.2.1")
	is.Equal(lastClick(w, 0).Verdict, links.VerdictValid)
	w.Pass(time.Second)
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox, "X-Real-Ip", "192.0.2.2")
	is.Equal(lastClick(w, 1).Verdict, links.VerdictValid)
	w.Pass(time.Second)
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox, "X-Real-Ip", "192.0.2.2")
	is.Equal(lastClick(w, 2).Verdict, links.VerdictDuplicate)
}

func TestReadersBehindATrustedProxyAreMany(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.Handler = w.Adapter(httpadapter.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}) // httptest's address
	for i := range 20 {
		reader := "198.51.100." + strconv.Itoa(i)
		w.Follow("/c/{link anna}", "User-Agent", safari, "X-Forwarded-For", "203.0.113.5, "+reader) // the first is what it claims
		is.Equal(lastClick(w, i).Verdict, links.VerdictValid)
		w.Pass(time.Second)
	}
	w.Follow("/c/{link anna}", "User-Agent", safari, "X-Forwarded-For", "203.0.113.6, 198.51.100.7")
	is.Equal(lastClick(w, 20).Verdict, links.VerdictDuplicate)
}

func TestTheHostSaysWhatAProgramIs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.Handler = w.Adapter(httpadapter.Options{Bots: func(userAgent string) bool { return userAgent == market.Firefox }})
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
	is.Equal(lastClick(w, 0).Verdict, links.VerdictBot)
	w.Pass(time.Second)
	w.Follow("/c/{link anna}", "User-Agent", curl)
	is.Equal(lastClick(w, 1).Verdict, links.VerdictValid)
}

func TestASlashBehindTheLinkIsNoOtherLink(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	is.Equal(w.Follow("/c/{link anna}/", "User-Agent", market.Firefox).Code, http.StatusFound)
	is.Equal(w.Follow("/c/{link anna}//", "User-Agent", market.Firefox).Code, http.StatusNotFound)
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
			w := newWorld(t, backends.Memory())
			before := w.Dump()
			got := w.Send("nobody", c.method, "/c/{link anna}", "", append(c.headers, "User-Agent", market.Firefox)...)
			is.Equal(got.Code, http.StatusFound)
			is.Equal(got.Header().Get("Location"), "https://acme.example/shoes?size=38") // without the id of a click
			is.Equal(w.Dump(), before)
		})
	}
}

func TestALinkOfSomebodyWhoTakesNoPartLeadsToThePlainShop(t *testing.T) {
	for name, end := range map[string]func(w *market.World){
		"a closed shop": func(w *market.World) {
			market.Must(w.Core.DeactivateAdvertiser(w.T.Context(), w.ID["advertiser acme"]))(w.T)
		},
		"a banned creator": func(w *market.World) {
			market.Must(w.Core.BanUsers(w.T.Context(), []int64{w.ID["user anna"]}, 0))(w.T)
		},
		"a deleted link": func(w *market.World) {
			if err := w.Links.DeleteLink(w.T.Context(), w.ID["link anna"]); err != nil {
				w.T.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, w *market.World) {
				is := is.New(t)
				end(w)
				got := w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
				is.Equal(got.Code, http.StatusFound)
				is.Equal(got.Header().Get("Location"), "https://acme.example/shoes?size=38")
				click := lastClick(w, 0)
				is.Equal(click.Verdict, links.VerdictBlocked)
				is.True(click.Earning.IsZero())
			})
		})
	}
}

func TestABlockedCreatorsOldLinksPayOnlyWhereTheEntrySaysSo(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	block := func(validate string) {
		is.Equal(w.Send("advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user anna›,"validate_clicks":`+validate+`}]}`).Code, 201)
	}
	block("true")
	w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
	is.Equal(lastClick(w, 0).Verdict, links.VerdictValid)
	entries := w.Send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=anna", "")
	w.ID["entry anna"] = int64(market.Must(strconv.Atoi(market.Names(t, entries, "id")))(t))
	is.Equal(w.Send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry anna}", "").Code, 204)
	block("false")
	w.Pass(time.Minute)
	is.Equal(w.Follow("/c/{link anna}", "User-Agent", safari).Code, 302)
	is.Equal(lastClick(w, 1).Verdict, links.VerdictBlocked)
}

func TestPathsThatAreNoLink(t *testing.T) {
	w := newWorld(t, backends.Memory())
	for _, path := range []string{"/c/999999", "/c/", "/c/0", "/c/-1", "/c/+1", "/c/01", "/c/1//", "/c/1/x", "/c/x", "/c/1%00", "/c/%ff", "/c/9223372036854775808", "/c/1e0"} {
		for _, method := range []string{"GET", "HEAD"} {
			got := w.Send("nobody", method, path, "")
			body := `{"message":"Not found.","code":"not_found"}`
			if method == "HEAD" {
				body = ""
			}
			if got.Code != 404 || got.Body.String() != body || got.Header().Get("Content-Type") != "application/json" || got.Header().Get("Location") != "" {
				t.Errorf("%s %s: got %d %s", method, path, got.Code, got.Body)
			}
		}
	}
	if n := len(clicks(w)); n != 0 {
		t.Errorf("%d clicks are kept", n)
	}
}

func TestLinksAreOnlyRead(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		got := w.Send("nobody", method, "/c/{link anna}", "")
		is.Equal(got.Code, 405)
		is.Equal(got.Header().Get("Allow"), "GET, HEAD")
		is.Equal(got.Body.String(), `{"message":"Links are followed with GET or HEAD.","code":"method_not_allowed"}`)
	}
	is.Equal(len(clicks(w)), 0)
}

func TestAClickThatCannotBeKeptSendsNobodyOn(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.Down.Store(true)
	got := w.Follow("/c/{link anna}", "User-Agent", market.Firefox)
	is.Equal(got.Code, 503)
	is.Equal(got.Body.String(), `{"message":"The service is temporarily unavailable.","code":"unavailable"}`)
	is.Equal(got.Header().Get("Location"), "")
}

func TestAReaderWhoHasGone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	var seen []int
	w.Handler = w.Adapter(httpadapter.Options{Observe: func(_ string, status int, _ time.Duration) { seen = append(seen, status) }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", w.Path("/c/{link anna}"), nil)
	got := httptest.NewRecorder()
	w.Handler.ServeHTTP(got, r)
	is.Equal(got.Code, 503)
	is.Equal(seen, []int{499})
	is.Equal(len(clicks(w)), 0)
}

func TestTheRedirectIsObservedAndNotLimited(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	var seen []string
	w.Handler = w.Adapter(httpadapter.Options{RequestsPerMinute: 1, Observe: func(operation string, status int, took time.Duration) {
		is.True(took >= 0)
		seen = append(seen, operation+" "+http.StatusText(status))
	}})
	for range 3 {
		is.Equal(w.Follow("/c/{link anna}", "User-Agent", market.Firefox).Header().Get("X-Ratelimit-Limit"), "")
	}
	w.Follow("/c/0")
	is.Equal(seen, []string{"redirect Found", "redirect Found", "redirect Found", "redirect Not Found"})
}

// panicking is a store that breaks its promises.
type panicking struct{ links.Store }

func (panicking) Write(context.Context, func(context.Context, links.Tx) error) error { panic("boom") }

func TestAPanicIsAnAnswer(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	broken := market.Must(links.NewService(panicking{w.Backend.Links}, links.Options{}))(t)
	handler := market.Must(httpadapter.New(httpadapter.Services{Links: broken}, httpadapter.Options{Logger: w.Logger()}))(t)
	got := w.SendTo(handler, "nobody", "GET", "/c/1", "")
	is.Equal(got.Code, 500)
	is.Equal(got.Body.String(), `{"message":"Something went wrong on our side.","code":"internal_error"}`)
	is.True(strings.Contains(w.Log.String(), "boom"))
	is.True(strings.Contains(w.Log.String(), got.Header().Get("X-Request-Id")))
}

func TestTheRedirectAlone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	handler := market.Must(httpadapter.NewRedirect(w.Links, httpadapter.Options{}))(t)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/c/{link anna}", "").Code, 302)
	_, err := httpadapter.NewRedirect(nil, httpadapter.Options{})
	is.True(err != nil)
}
