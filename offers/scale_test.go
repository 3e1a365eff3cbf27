package offers_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// striped is a picture whose left half is red and whose right half is blue.
func striped(t testing.TB, w, h int, asPNG bool) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, nil)
	if asPNG {
		b.Reset()
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImagesAreFilledAndFitted(t *testing.T) {
	for _, c := range []struct {
		w, h         int
		size         offers.Size
		wantW, wantH int
	}{
		{1600, 1000, offers.CampaignSize, 800, 500},
		{1600, 400, offers.CampaignSize, 800, 500}, // cut on the sides
		{100, 900, offers.CampaignSize, 800, 500},  // cut above and below, and made larger
		{1, 1, offers.CampaignSize, 800, 500},
		{4000, 1000, offers.ReturnAdSize, 2000, 500},
		{30, 3000, offers.ReturnAdSize, 20, 2000},
		{3000, 1, offers.ReturnAdSize, 2000, 1},
	} {
		out, ok := offers.Scale(striped(t, c.w, c.h, true), c.size)
		if !ok {
			t.Errorf("%d×%d to %s: not scaled", c.w, c.h, c.size)
			continue
		}
		m, format, err := image.Decode(bytes.NewReader(out))
		if err != nil || format != "png" || m.Bounds().Dx() != c.wantW || m.Bounds().Dy() != c.wantH {
			t.Errorf("%d×%d to %s: got a %s of %v (%v), want %d×%d", c.w, c.h, c.size, format, m.Bounds(), err, c.wantW, c.wantH)
			continue
		}
		if c.w > 2 { // the middle is still in the middle
			left, _, _, _ := m.At(c.wantW/2-c.wantW/8-1, c.wantH/2).RGBA()
			right, _, _, _ := m.At(c.wantW/2+c.wantW/8+1, c.wantH/2).RGBA()
			if left < 0x8000 || right > 0x8000 {
				t.Errorf("%d×%d to %s: red %x on the left, %x on the right", c.w, c.h, c.size, left, right)
			}
		}
	}
	is := is.New(t)
	out, ok := offers.Scale(striped(t, 1600, 1000, false), offers.CampaignSize)
	is.True(ok)
	is.True(bytes.HasPrefix(out, []byte("\xff\xd8\xff"))) // a JPEG stays one
	for name, data := range map[string][]byte{
		"within the size":   striped(t, 200, 100, true),
		"as large as that":  striped(t, 2000, 2000, true),
		"no picture":        []byte("\x89PNG\r\n\x1a\nand nothing more"),
		"nothing":           nil,
		"a huge promise":    huge(t),
		"cut in the middle": striped(t, 3000, 100, true)[:300],
	} {
		if _, ok := offers.Scale(data, offers.ReturnAdSize); ok {
			t.Errorf("%s: it was scaled", name)
		}
	}
}

// huge is the head of a PNG that says it is 60,000 pixels wide and high.
func huge(t *testing.T) []byte {
	data := striped(t, 1, 1, true)
	copy(data[16:24], []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60})
	return data
}

// images is a service over blobs with one advertiser, at an instant that the test
// moves.
func images(t *testing.T) (*offers.Service, *affiliate.MemoryBlobs, *time.Time, int64) {
	t.Helper()
	now := time.Date(2026, 3, 18, 12, 30, 0, 0, time.UTC)
	blobs := affiliate.NewMemoryBlobs()
	db := memory.New()
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := offers.NewService(core, db.Offers(), offers.Options{Blobs: blobs, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	acme, err := core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
	if err != nil {
		t.Fatal(err)
	}
	return s, blobs, &now, acme.ID
}

func TestScaledImagesAreKept(t *testing.T) {
	is := is.New(t)
	s, blobs, _, acme := images(t)
	key, err := s.SaveImage(t.Context(), acme, "image", striped(t, 1600, 1000, true))
	is.NoErr(err)
	first, err := s.ScaledImage(t.Context(), key, offers.CampaignSize)
	is.NoErr(err)
	kept, err := blobs.Get(t.Context(), "fill-800x500-"+key)
	is.NoErr(err)
	is.Equal(kept, first)
	is.NoErr(blobs.Delete(t.Context(), key))
	second, err := s.ScaledImage(t.Context(), key, offers.CampaignSize) // without the original
	is.NoErr(err)
	is.Equal(second, first)
	_, err = s.ScaledImage(t.Context(), "nobody.png", offers.CampaignSize)
	is.True(errors.Is(err, affiliate.ErrNotFound))
}

func TestUploadsAreForgottenAfterADay(t *testing.T) {
	is := is.New(t)
	s, blobs, now, _ := images(t)
	old, err := s.Upload(t.Context(), striped(t, 1, 1, true))
	is.NoErr(err)
	is.True(strings.HasPrefix(old, "tmp-2026031812-"))
	is.NoErr(blobs.Put(t.Context(), "tmp-2026031812-lost.png", striped(t, 1, 1, true))) // of no row
	*now = now.Add(time.Hour)
	young, err := s.Upload(t.Context(), striped(t, 1, 1, false))
	is.NoErr(err)
	swept := func(want int) {
		t.Helper()
		n, err := s.SweepImages(t.Context())
		is.NoErr(err)
		is.Equal(n, want)
	}
	*now = now.Add(23*time.Hour - time.Second)
	swept(0)
	*now = now.Add(time.Second)
	swept(1) // the older one; the hour of the file without a row is not over
	_, err = blobs.Get(t.Context(), old)
	is.True(errors.Is(err, affiliate.ErrNotFound))
	*now = now.Add(45 * time.Minute)
	swept(1)
	left, err := blobs.Keys(t.Context(), "", "", 10)
	is.NoErr(err)
	is.Equal(left, []string{young})
	_, err = s.Upload(t.Context(), []byte("<svg/>"))
	is.True(errors.Is(err, affiliate.ErrInvalid))
}

func TestOffersAndAdsTakeACopyOfAnUpload(t *testing.T) {
	is := is.New(t)
	db, now := memory.New(), time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	blobs := affiliate.NewMemoryBlobs()
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	s, err := offers.NewService(core, db.Offers(), offers.Options{Blobs: blobs, Clock: func() time.Time { return now }})
	is.NoErr(err)
	ads, err := returnads.NewService(db.ReturnAds(), s, returnads.Options{})
	is.NoErr(err)
	var acme affiliate.Advertiser
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) (err error) {
		acme, err = affiliate.AddAdvertiser(ctx, tx, now, affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
		return err
	}))
	upload, err := s.Upload(t.Context(), striped(t, 1, 1, true))
	is.NoErr(err)
	offer := offers.Offer{AdvertiserID: acme.ID, Type: offers.Standard, Name: "Summer", ImageKey: upload}
	saved, err := s.CreateOffer(t.Context(), offers.OfferInput{Offer: offer})
	is.NoErr(err)
	is.True(saved.ImageKey != upload)
	ad, err := ads.Create(t.Context(), returnads.Ad{AdvertiserID: acme.ID, Name: "Back", ReturnLink: "https://acme.example/", ImageKey: upload})
	is.NoErr(err)
	is.True(ad.ImageKey != upload && ad.ImageKey != saved.ImageKey)
	now = now.Add(48 * time.Hour)
	n, err := s.SweepImages(t.Context())
	is.NoErr(err)
	is.Equal(n, 1)
	for _, key := range []string{saved.ImageKey, ad.ImageKey} {
		_, err = s.Image(t.Context(), key)
		is.NoErr(err)
	}

	unknown := func(err error) bool {
		e, ok := errors.AsType[*affiliate.Error](err)
		return ok && len(e.Fields) == 1 && e.Fields[0] == affiliate.FieldError{Field: "image_key", Code: "unknown_image", Message: "must be the key of an uploaded image"}
	}
	for _, key := range []string{upload, "../../etc/passwd", "\x00", strings.Repeat("a", 300)} {
		offer.ImageKey = key
		_, err = s.CreateOffer(t.Context(), offers.OfferInput{Offer: offer})
		is.True(unknown(err))
		_, err = s.UpdateOffer(t.Context(), saved.ID, offers.OfferChange{ImageKey: affiliate.Some(key)})
		is.True(unknown(err))
		_, err = ads.Update(t.Context(), ad.ID, func(a *returnads.Ad) { a.ImageKey = key })
		is.True(unknown(err))
	}
	changed, err := ads.Update(t.Context(), ad.ID, func(a *returnads.Ad) { a.Name = "Again" })
	is.NoErr(err)
	is.Equal(changed.ImageKey, ad.ImageKey)
	view, err := s.UpdateOffer(t.Context(), saved.ID, offers.OfferChange{ImageKey: affiliate.Some("")})
	is.NoErr(err)
	is.Equal(view.ImageKey, "")
}
