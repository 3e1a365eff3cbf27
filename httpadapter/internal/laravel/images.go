package laravel

import (
	"encoding/base64"
	"io"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Image is a kept picture. Its key is base64 text, which clients know under two
// names.
type Image struct {
	Key     string `json:"key"`
	URL     string `json:"url"`
	BaseURL string `json:"base_url"`
	Base64  string `json:"base64"`
}

// ShowImage shows the picture that is kept under a key, a blank one for the
// empty key. Base is what its URL begins with.
func ShowImage(base, key string) Image {
	if key == "" {
		key = open.NoImage
	}
	encoded := open.EncodeKey(key)
	return Image{Key: encoded, URL: base + open.MediaPrefix + encoded, BaseURL: base, Base64: encoded}
}

// ShowScaledImage is ShowImage with the URL of a scaled picture: size is
// "fill-800x500" or "fit-2000x2000".
func ShowScaledImage(base, key, size string) Image {
	image := ShowImage(base, key)
	image.URL = base + open.MediaPrefix + size + "/" + image.Key
	return image
}

// MediaKey is the key of a kept picture in a request.
type MediaKey string

// UnmarshalWire reads it.
func (k *MediaKey) UnmarshalWire(v wire.Value) error {
	key, ok := open.DecodeKey(v.Text())
	var bad affiliate.Validation
	bad.Check(v.Kind() == wire.Text && (ok || v.Text() == ""), "", "invalid_key", "must be the key of an image")
	*k = MediaKey(key)
	return bad.Err("")
}

// MaxImageBytes bounds an uploaded picture: 100,000 kilobytes.
const MaxImageBytes = 100_000 << 10

// Picture returns the bytes of an uploaded file. A client that sends JSON, as
// the document's example does, sends them as base64 text or as a data URL.
func Picture(f wire.File) ([]byte, error) {
	file, err := f.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	if late := file.Close(); err == nil {
		err = late
	}
	if err != nil || f.Name != "" || f.ContentType != "" {
		return content, err // a part of a form is the picture itself
	}
	text := string(content)
	if strings.HasPrefix(text, "data:") {
		_, text, _ = strings.Cut(text, ";base64,")
	}
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		return decoded, nil
	}
	return content, nil
}
