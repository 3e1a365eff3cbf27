package httpadapter_test

import (
	"bytes"
	"image"
	"image/png"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestAnUploadedImageIsServed(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		uploaded := market.PNG(t)
		var form bytes.Buffer
		form.WriteString("--b\r\nContent-Disposition: form-data; name=\"default\"; filename=\"../../x.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n")
		form.Write(uploaded)
		form.WriteString("\r\n--b--\r\n")
		got := w.Send("advertiser", "POST", "/v2/offers/{offer run}/uploads", form.String(), "Content-Type", "multipart/form-data; boundary=b")
		is.Equal(got.Code, 200)
		address := market.Field(t, got, "image.url").(string)
		is.Equal(market.Field(t, got, "image_url"), address)
		base, key := market.Field(t, got, "image.base_url").(string), market.Field(t, got, "image.key").(string)
		is.Equal(address, base+"/media/fill-800x500/"+key)
		scaled := strings.TrimPrefix(address, market.PublicURL)
		is.True(scaled != address) // it is ours to serve
		served := w.Send("nobody", "GET", scaled, "")
		is.Equal(served.Code, 200)
		picture, err := png.Decode(served.Body)
		is.NoErr(err)
		is.Equal(picture.Bounds().Size(), image.Pt(800, 500))
		for _, size := range []string{"fill-801x500", "fit-800x500", "", "..", "fill-800x500/x"} {
			is.Equal(w.Send("nobody", "GET", "/media/"+size+"/"+key, "").Code, 404) // size
		}

		path := "/media/" + key
		served = w.Send("nobody", "GET", path, "")
		is.Equal(served.Code, 200)
		is.Equal(served.Body.Bytes(), uploaded)
		is.Equal(served.Header().Get("Content-Type"), "image/png")
		is.Equal(served.Header().Get("X-Content-Type-Options"), "nosniff")
		is.True(strings.Contains(served.Header().Get("Cache-Control"), "immutable"))
		is.Equal(w.Send("nobody", "HEAD", path, "").Body.Len(), 0)

		for _, unknown := range []string{"/media/", "/media/x", "/media/Li4vLi4vZXRjL3Bhc3N3ZA==", "/media/%00", "/media/bm90aGVyZS5wbmc=", "/media/..%2f..%2fetc%2fpasswd"} {
			code := w.Send("nobody", "GET", unknown, "").Code
			is.True(code == 404 || code == 400) // path
		}
	})
}

func TestACampaignWithoutAnImageShowsABlankOne(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	got := w.Send("advertiser", "GET", "/v2/offers/{offer run}", "")
	served := w.Send("nobody", "GET", strings.TrimPrefix(market.Field(t, got, "image_url").(string), market.PublicURL), "")
	is.Equal(served.Code, 200)
	picture, err := png.Decode(served.Body)
	is.NoErr(err)
	is.Equal(picture.Bounds().Dx(), 1)
}

// counts are the views and clicks of an ad.
func counts(w *market.World, ad string) returnads.Counts {
	w.T.Helper()
	return market.Must(w.ReturnAds.Get(w.T.Context(), w.ID[ad]))(w.T).Counts
}

func TestReturnAdsCountViewsAndClicks(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("nobody", "GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "", "User-Agent", market.Firefox).Header().Get("Content-Type"), "image/gif")
		is.Equal(counts(w, "ad acme"), returnads.Counts{Views: 1})
		click := w.Send("nobody", "GET", "/r/{ad acme}/click?advertiser_id={advertiser nordic}&to=https://evil.example/", "", "User-Agent", market.Firefox)
		is.Equal(click.Code, 302)
		is.Equal(click.Header().Get("Location"), "https://acme.example/back?x=1&y=2") // never from the request
		is.Equal(click.Header().Get("Cache-Control"), "no-store, private")
		is.Equal(counts(w, "ad acme"), returnads.Counts{Views: 1, Clicks: 1})

		for name, request := range map[string][]string{
			"a program":                 {"GET", "/r/{ad acme}/click?advertiser_id={advertiser nordic}", "User-Agent", google},
			"HEAD":                      {"HEAD", "/r/{ad acme}/click?advertiser_id={advertiser nordic}", "User-Agent", market.Firefox},
			"a prefetch":                {"GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "User-Agent", market.Firefox, "Sec-Purpose", "prefetch"},
			"a shop it is not shown at": {"GET", "/r/{ad acme}/click?advertiser_id={advertiser mall_one}", "User-Agent", market.Firefox},
			"its own shop":              {"GET", "/r/{ad acme}/click?advertiser_id={advertiser acme}", "User-Agent", market.Firefox},
			"an unknown shop":           {"GET", "/r/{ad acme}/click?advertiser_id=999999", "User-Agent", market.Firefox},
		} {
			got := w.Send("nobody", request[0], request[1], "", request[2:]...)
			if got.Code >= 400 || counts(w, "ad acme") != (returnads.Counts{Views: 1, Clicks: 1}) {
				t.Errorf("%s: got %d, and the counts are %+v", name, got.Code, counts(w, "ad acme"))
			}
		}
		for _, unknown := range []string{"/r/999999/click", "/r/0/view", "/r/x/view", "/r/07/click", "/r/{ad acme}/other", "/r/"} {
			is.Equal(w.Send("nobody", "GET", unknown, "", "User-Agent", market.Firefox).Code, 404) // path
		}
		is.Equal(w.Send("nobody", "POST", "/r/{ad acme}/click", "", "User-Agent", market.Firefox).Code, 405)
	})
}

func TestAReturnAdSendsOnToAnEscapedAddress(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	for kept, want := range map[string]string{
		"https://acme.example@evil.example/":              "https://evil.example/",
		"https://a:b@acme.example/å b?q=å b|c#ö":          "https://acme.example/%C3%A5%20b?q=%C3%A5%20b%7Cc#%C3%B6",
		"https://acme.example/%C3%A5?u=https://x.example": "https://acme.example/%C3%A5?u=https://x.example",
	} {
		_, err := w.ReturnAds.Update(t.Context(), w.ID["ad acme"], func(a *returnads.Ad) { a.ReturnLink = kept })
		is.NoErr(err)
		got := w.Send("nobody", "GET", "/r/{ad acme}/click", "", "User-Agent", market.Firefox)
		is.Equal(got.Code, 302)
		is.Equal(got.Header().Get("Location"), want)
	}
}

func TestReturnAdLimitsAreExact(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				w.Send("nobody", "GET", "/r/{ad acme}/view?advertiser_id={advertiser nordic}", "", "User-Agent", market.Firefox)
			})
		}
		all.Wait()
		is.Equal(counts(w, "ad acme"), returnads.Counts{Views: 3})
		is.Equal(market.Field(t, w.Send("advertiser", "GET", "/v2/return-ads/{ad acme}", ""), "status"), "ended")
		got := w.Send("nobody", "GET", "/r/{ad acme}/click", "", "User-Agent", market.Firefox)
		is.Equal(got.Code, 302) // the reader goes on
		is.Equal(counts(w, "ad acme").Clicks, int64(0))
	})
}

func TestAReturnAdsOwnAddressCounts(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	for _, list := range []string{"/v2/advertisers/{advertiser acme}/return-ads", "/v2/return-ads/{ad nordic}"} {
		prefix := ""
		if strings.Contains(list, "advertisers") {
			prefix = "0."
		}
		got := w.Send("admin", "GET", list, "")
		before := counts(w, "ad nordic").Clicks
		address := market.Must(url.Parse(market.Field(t, got, prefix+"affiliate_link.mtpc_url").(string)))(t)
		is.Equal(w.Send("nobody", "GET", address.RequestURI(), "", "User-Agent", market.Firefox).Code, 302)
		is.Equal(counts(w, "ad nordic").Clicks, before+1)
	}
}

func TestReturnAdsChangeStatusWithTheClock(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		shown := func() string {
			return market.NamesOnPlain(t, w.Send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/return-ads", ""), "name")
		}
		is.Equal(shown(), "Return to nordic")
		is.Equal(market.Field(t, w.Send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/return-ads", ""), "0.stats"), []any{}) // another's figures
		is.Equal(w.Send("advertiser_2", "POST", "/v2/return-ads/{ad nordic}/pause", "").Code, 200)
		is.Equal(shown(), "")
		is.Equal(w.Send("advertiser_2", "POST", "/v2/return-ads/{ad nordic}/unpause", "").Code, 200)
		is.Equal(shown(), "Return to nordic")
		w.Pass(40 * 24 * time.Hour)
		is.Equal(shown(), "")
		is.Equal(market.Names(t, w.Send("admin", "GET", "/v2/return-ads?statuses[]=ended&sort_by=name:asc", ""), "name"), "Return to acme Return to nordic Return to old")
	})
}
