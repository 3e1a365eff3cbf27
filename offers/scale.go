package offers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Size is a size that an image is shown in.
type Size struct {
	Width, Height int
	// Fill cuts what does not have the shape of the size; otherwise the whole
	// image is fitted into it, and a smaller one stays as it is.
	Fill bool
}

// The sizes that the documents show.
var (
	CampaignSize = Size{Width: 800, Height: 500, Fill: true}
	ReturnAdSize = Size{Width: 2000, Height: 2000}
)

// String names the size: "fill-800x500", "fit-2000x2000".
func (z Size) String() string {
	how := "fit"
	if z.Fill {
		how = "fill"
	}
	return fmt.Sprintf("%s-%dx%d", how, z.Width, z.Height)
}

// keyOf returns the key of an image in the size.
func (z Size) keyOf(key string) string { return z.String() + "-" + key }

// maxKey is how long a key of Blobs may be.
const maxKey = 255

// maxPixels bounds the images that are scaled: 100 MB of memory each. A larger
// one is shown as it is.
const maxPixels = 25_000_000

// scalers bounds how many images are scaled at once in one process.
const scalers = 2

// ScaledImage returns an image in a size, as PNG when it is one and as JPEG
// otherwise. The result is kept in the Blobs. An image that cannot be read as a
// picture, or is too large to be scaled, is returned as it is.
func (s *Service) ScaledImage(ctx context.Context, key string, z Size) ([]byte, error) {
	scaledKey := z.keyOf(key)
	if len(scaledKey) <= maxKey {
		data, err := s.opts.Blobs.Get(ctx, scaledKey)
		if err == nil || !errors.Is(err, affiliate.ErrNotFound) {
			return data, err
		}
	}
	original, err := s.opts.Blobs.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	select {
	case s.scaling <- struct{}{}:
	case <-ctx.Done():
		return nil, affiliate.Unavailable(ctx.Err())
	}
	scaled, ok := Scale(original, z)
	<-s.scaling
	if !ok || len(scaledKey) > maxKey {
		return original, nil
	}
	return scaled, s.opts.Blobs.Put(ctx, scaledKey, scaled)
}

// Scale returns the image in a size; false when it cannot be scaled or need not be.
func Scale(data []byte, z Size) ([]byte, bool) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, false
	}
	from, to := z.shapes(config.Width, config.Height)
	if from.Size() == to.Size() && to.Size() == (image.Point{X: config.Width, Y: config.Height}) {
		return nil, false // it has the size
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	out := image.NewRGBA(to)
	draw.CatmullRom.Scale(out, to, picture, from.Add(picture.Bounds().Min), draw.Src, nil)
	var b bytes.Buffer
	if format == "png" {
		err = png.Encode(&b, out)
	} else {
		err = jpeg.Encode(&b, out, &jpeg.Options{Quality: 85})
	}
	return b.Bytes(), err == nil
}

// shapes returns which part of an image of w by h is shown, and in what size.
func (z Size) shapes(w, h int) (from, to image.Rectangle) {
	if z.Fill {
		// The largest part in the middle that has the shape of the size.
		pw, ph := w, w*z.Height/z.Width
		if ph > h {
			pw, ph = h*z.Width/z.Height, h
		}
		pw, ph = max(pw, 1), max(ph, 1)
		x, y := (w-pw)/2, (h-ph)/2
		return image.Rect(x, y, x+pw, y+ph), image.Rect(0, 0, z.Width, z.Height)
	}
	from = image.Rect(0, 0, w, h)
	if w <= z.Width && h <= z.Height {
		return from, from
	}
	tw, th := z.Width, h*z.Width/w
	if th > z.Height {
		tw, th = w*z.Height/h, z.Height
	}
	return from, image.Rect(0, 0, max(tw, 1), max(th, 1))
}
