package tracking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// NewOpenRoutes makes the handler of the routes of campaigns and return ads
// that need no principal, for a host that serves them under a name of their
// own:
//
//	GET /media/{key}     a picture
//	GET /media/{size}/{key}   the same, scaled: fill-800x500 or fit-2000x2000
//	GET /r/{id}/view     counts that a return ad was shown; answers a pixel
//	GET /r/{id}/click    counts that it was followed; sends the reader on
//
// The two that count take the advertiser at whose shop that was as
// ?advertiser_id=. They count only while the ad is active and for customers of
// that shop; readers are answered in any case.
//
// Without the service of return ads those routes are left out.
func NewOpenRoutes(s *offers.Service, ads *returnads.Service, o Options) (http.Handler, error) {
	if s == nil {
		return nil, errors.New("tracking: NewOpenRoutes needs the service of offers")
	}
	o, err := o.WithDefaults(nil)
	if err != nil {
		return nil, err
	}
	detector, err := newBotDetector(o.Bots)
	if err != nil {
		return nil, err
	}
	h := openRoutes{offers: s, ads: ads, bots: detector}
	routes := []wire.Route{
		{Pattern: "GET " + open.MediaPrefix + "{key}", ID: "media", Scope: wire.Open(), Op: wire.Call(h.media).Unlimited()},
		{Pattern: "GET " + open.MediaPrefix + "{size}/{key}", ID: "media-scaled", Scope: wire.Open(), Op: wire.Call(h.scaledMedia).Unlimited()},
	}
	if ads != nil {
		routes = append(routes,
			wire.Route{Pattern: "GET " + open.ReturnAdPrefix + "{id}/view", ID: "return-ad-view", Scope: wire.Open(), Op: wire.Raw(h.view).Unlimited()},
			wire.Route{Pattern: "GET " + open.ReturnAdPrefix + "{id}/click", ID: "return-ad-click", Scope: wire.Open(), Op: wire.Raw(h.click).Unlimited()},
		)
	}
	return wire.NewMux(wire.Dialect{Errors: laravel.Errors{}}, o.Wire(), routes)
}

type openRoutes struct {
	offers *offers.Service
	ads    *returnads.Service // nil: none
	bots   *botDetector
}

// media answers with a picture. The content of a key never changes, so that the
// response may be cached for ever. What is no known image goes out as
// application/octet-stream, so that no browser runs it.
func (h openRoutes) media(ctx context.Context, _ affiliate.Principal, in struct {
	Key string `path:"key"`
}) (out wire.Stream, err error) {
	return h.picture(in.Key, func(key string) ([]byte, error) { return h.offers.Image(ctx, key) })
}

// scaledMedia returns a picture in one of the sizes that the documents show.
func (h openRoutes) scaledMedia(ctx context.Context, _ affiliate.Principal, in struct {
	Size string `path:"size"`
	Key  string `path:"key"`
}) (out wire.Stream, err error) {
	for _, size := range []offers.Size{offers.CampaignSize, offers.ReturnAdSize} {
		if size.String() == in.Size {
			return h.picture(in.Key, func(key string) ([]byte, error) { return h.offers.ScaledImage(ctx, key, size) })
		}
	}
	return out, affiliate.NotFound("image", in.Key)
}

func (h openRoutes) picture(shown string, get func(key string) ([]byte, error)) (out wire.Stream, err error) {
	key, ok := open.DecodeKey(shown)
	if !ok {
		return out, affiliate.NotFound("image", shown)
	}
	content, err := []byte(open.BlankPNG), error(nil)
	if key != open.NoImage {
		content, err = get(key)
	}
	if errors.Is(err, affiliate.ErrInvalid) {
		err = affiliate.NotFound("image", shown) // no key of ours
	}
	if err != nil {
		return out, err
	}
	contentType := http.DetectContentType(content)
	if !strings.HasPrefix(contentType, "image/") {
		contentType = "application/octet-stream"
	}
	return wire.Stream{
		ContentType: contentType,
		Header: http.Header{
			"Cache-Control":  {"public, max-age=31536000, immutable"},
			"Content-Length": {strconv.Itoa(len(content))},
		},
		Write: func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		},
	}, nil
}

// pixel is a GIF of one transparent point.
const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

func (h openRoutes) view(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	if _, err := h.count(r, h.ads.CountView); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store, private")
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Content-Length", strconv.Itoa(len(pixel)))
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := io.WriteString(w, pixel)
	return ignoreGone(r, err)
}

func (h openRoutes) click(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	ad, err := h.count(r, h.ads.CountClick)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store, private")
	w.Header().Set("Location", location(ad.ReturnLink))
	w.WriteHeader(http.StatusFound)
	return nil
}

// location is an address as a header can hold it: escaped, and without
// user-info, which may look like another host.
func location(address string) string {
	u, err := url.Parse(address)
	if err != nil { // what was kept has been checked
		return ""
	}
	u.User = nil
	escaped := []byte(u.String()) // its query is as it was typed
	var out strings.Builder
	for _, c := range escaped {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

// ignoreGone forgets a failed write to a reader who has gone.
func ignoreGone(r *http.Request, err error) error {
	if r.Context().Err() != nil {
		return nil
	}
	return err
}

// count counts a return ad's view or click by somebody who is no program, and
// returns the ad. A shop that is not there counts nothing.
func (h openRoutes) count(r *http.Request, count func(ctx context.Context, id, at int64) (bool, error)) (ad returnads.View, err error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != r.PathValue("id") {
		return ad, affiliate.NotFound("return_ad", r.PathValue("id"))
	}
	ad, err = h.ads.Get(r.Context(), id)
	if err == nil && ad.Status == offers.Deleted {
		err = affiliate.NotFound("return_ad", id)
	}
	if err != nil || uncounted(r) || h.bots.isBot(r.UserAgent()) {
		return ad, err
	}
	at, _ := strconv.ParseInt(r.URL.Query().Get("advertiser_id"), 10, 64) // 0: not told
	if _, err := count(r.Context(), id, at); err != nil && !errors.Is(err, affiliate.ErrNotFound) {
		return ad, err
	}
	return ad, nil
}
