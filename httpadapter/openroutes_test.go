package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/offers"
)

// field is one field of an answer, by its path: "data.0.image.url".
func field(t *testing.T, answer *httptest.ResponseRecorder, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %d %s", err, answer.Code, answer.Body)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch container := v.(type) {
		case map[string]any:
			v = container[name]
		case []any:
			if len(container) == 0 || name != "0" {
				t.Fatalf("no %s in %s", path, answer.Body)
			}
			v = container[0]
		default:
			t.Fatalf("no %s in %s", path, answer.Body)
		}
	}
	return v
}

func TestAnUploadedImageIsServed(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		uploaded := somePNG(t)
		var form bytes.Buffer
		form.WriteString("--b\r\nContent-Disposition: form-data; name=\"default\"; filename=\"../../x.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n")
		form.Write(uploaded)
		form.WriteString("\r\n--b--\r\n")
		got := w.send("advertiser", "POST", "/v2/offers/{offer run}/uploads", form.String(), "Content-Type", "multipart/form-data; boundary=b")
		is.Equal(got.Code, 200)
		address := field(t, got, "image.url").(string)
		is.Equal(field(t, got, "image_url"), address)
		is.Equal(address, field(t, got, "image.base_url").(string)+"/media/"+field(t, got, "image.key").(string))
		path := strings.TrimPrefix(address, publicURL)
		is.True(path != address) // it is ours to serve

		served := w.send("nobody", "GET", path, "")
		is.Equal(served.Code, 200)
		is.Equal(served.Body.Bytes(), uploaded)
		is.Equal(served.Header().Get("Content-Type"), "image/png")
		is.Equal(served.Header().Get("X-Content-Type-Options"), "nosniff")
		is.True(strings.Contains(served.Header().Get("Cache-Control"), "immutable"))
		is.Equal(w.send("nobody", "HEAD", path, "").Body.Len(), 0)

		for _, unknown := range []string{"/media/", "/media/x", "/media/Li4vLi4vZXRjL3Bhc3N3ZA==", "/media/%00", "/media/bm90aGVyZS5wbmc=", "/media/..%2f..%2fetc%2fpasswd"} {
			code := w.send("nobody", "GET", unknown, "").Code
			is.True(code == 404 || code == 400) // path
		}
	})
}

func TestACampaignWithoutAnImageShowsABlankOne(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	got := w.send("advertiser", "GET", "/v2/offers/{offer run}", "")
	served := w.send("nobody", "GET", strings.TrimPrefix(field(t, got, "image_url").(string), publicURL), "")
	is.Equal(served.Code, 200)
	picture, err := png.Decode(served.Body)
	is.NoErr(err)
	is.Equal(picture.Bounds().Dx(), 1)
}

// counts are the views and clicks of an ad.
func (w *world) counts(ad string) offers.ReturnAdCounts {
	w.t.Helper()
	return must(w.offers.ReturnAd(w.t.Context(), w.id[ad]))(w.t).Counts
}

func TestReturnAdsCountViewsAndClicks(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		is.Equal(w.send("nobody", "GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "", "User-Agent", firefox).Header().Get("Content-Type"), "image/gif")
		is.Equal(w.counts("ad acme"), offers.ReturnAdCounts{Views: 1})
		click := w.send("nobody", "GET", "/r/{ad acme}/click?advertiser_id={advertiser nordic}&to=https://evil.example/", "", "User-Agent", firefox)
		is.Equal(click.Code, 302)
		is.Equal(click.Header().Get("Location"), "https://acme.example/back?x=1&y=2") // never from the request
		is.Equal(click.Header().Get("Cache-Control"), "no-store, private")
		is.Equal(w.counts("ad acme"), offers.ReturnAdCounts{Views: 1, Clicks: 1})

		for name, request := range map[string][]string{
			"a program":                 {"GET", "/r/{ad acme}/click?advertiser_id={advertiser nordic}", "User-Agent", google},
			"HEAD":                      {"HEAD", "/r/{ad acme}/click?advertiser_id={advertiser nordic}", "User-Agent", firefox},
			"a prefetch":                {"GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "User-Agent", firefox, "Sec-Purpose", "prefetch"},
			"a shop it is not shown at": {"GET", "/r/{ad acme}/click?advertiser_id={advertiser mall_one}", "User-Agent", firefox},
			"its own shop":              {"GET", "/r/{ad acme}/click?advertiser_id={advertiser acme}", "User-Agent", firefox},
			"an unknown shop":           {"GET", "/r/{ad acme}/click?advertiser_id=999999", "User-Agent", firefox},
		} {
			got := w.send("nobody", request[0], request[1], "", request[2:]...)
			if got.Code >= 400 || w.counts("ad acme") != (offers.ReturnAdCounts{Views: 1, Clicks: 1}) {
				t.Errorf("%s: got %d, and the counts are %+v", name, got.Code, w.counts("ad acme"))
			}
		}
		for _, unknown := range []string{"/r/999999/click", "/r/0/view", "/r/x/view", "/r/07/click", "/r/{ad acme}/other", "/r/"} {
			is.Equal(w.send("nobody", "GET", unknown, "", "User-Agent", firefox).Code, 404) // path
		}
		is.Equal(w.send("nobody", "POST", "/r/{ad acme}/click", "", "User-Agent", firefox).Code, 405)
	})
}

func TestReturnAdLimitsAreExact(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				w.send("nobody", "GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "", "User-Agent", firefox)
			})
		}
		all.Wait()
		is.Equal(w.counts("ad acme"), offers.ReturnAdCounts{Views: 3})
		is.Equal(field(t, w.send("advertiser", "GET", "/v2/return-ads/{ad acme}", ""), "status"), "ended")
		got := w.send("nobody", "GET", "/r/{ad acme}/click", "", "User-Agent", firefox)
		is.Equal(got.Code, 302) // the reader goes on
		is.Equal(w.counts("ad acme").Clicks, int64(0))
	})
}

func TestAReturnAdsOwnAddressCounts(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	for _, list := range []string{"/v2/advertisers/{advertiser acme}/return-ads", "/v2/return-ads/{ad nordic}"} {
		prefix := ""
		if strings.Contains(list, "advertisers") {
			prefix = "0."
		}
		got := w.send("admin", "GET", list, "")
		before := w.counts("ad nordic").Clicks
		address := must(url.Parse(field(t, got, prefix+"affiliate_link.mtpc_url").(string)))(t)
		is.Equal(w.send("nobody", "GET", address.RequestURI(), "", "User-Agent", firefox).Code, 302)
		is.Equal(w.counts("ad nordic").Clicks, before+1)
	}
}

func TestReturnAdsChangeStatusWithTheClock(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		shown := func() string {
			return namesOnPlain(t, w.send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/return-ads", ""), "name")
		}
		is.Equal(shown(), "Return to nordic")
		is.Equal(field(t, w.send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/return-ads", ""), "0.stats"), []any{}) // another's figures
		is.Equal(w.send("advertiser_2", "POST", "/v2/return-ads/{ad nordic}/pause", "").Code, 200)
		is.Equal(shown(), "")
		is.Equal(w.send("advertiser_2", "POST", "/v2/return-ads/{ad nordic}/unpause", "").Code, 200)
		is.Equal(shown(), "Return to nordic")
		w.pass(40 * 24 * time.Hour)
		is.Equal(shown(), "")
		is.Equal(names(t, w.send("admin", "GET", "/v2/return-ads?statuses[]=ended&sort_by=name:asc", ""), "name"), "Return to acme Return to nordic Return to old")
	})
}

// namesOnPlain is names of a list without an envelope.
func namesOnPlain(t *testing.T, answer *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	var all []string
	for _, item := range list {
		all = append(all, item[name].(string))
	}
	return strings.Join(all, " ")
}
