package metapic

import (
	"encoding/base64"
	"io"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// image is a kept picture. Its key is base64 text, which clients know under two
// names.
type image struct {
	Key     string `json:"key"`
	URL     string `json:"url"`
	BaseURL string `json:"base_url"`
	Base64  string `json:"base64"`
}

// showImage shows the picture with a key of ours.
func (s *server) showImage(key string) image {
	if key == "" {
		key = open.NoImage
	}
	base, encoded := s.publicURL(), open.EncodeKey(key)
	return image{Key: encoded, URL: base + open.MediaPrefix + encoded, BaseURL: base, Base64: encoded}
}

// publicURL is what the addresses in answers begin with; without links they are
// paths.
func (s *server) publicURL() string {
	if s.links == nil {
		return ""
	}
	return s.links.PublicURL()
}

// mediaKey is the key of a kept picture in a request.
type mediaKey string

// UnmarshalWire reads it.
func (k *mediaKey) UnmarshalWire(v wire.Value) error {
	key, ok := open.DecodeKey(v.Text())
	var bad affiliate.Validation
	bad.Check(v.Kind() == wire.Text && (ok || v.Text() == ""), "", "invalid_key", "must be the key of an image")
	*k = mediaKey(key)
	return bad.Err("")
}

// maxImageBytes is how large a picture may be: 100,000 kilobytes.
const maxImageBytes = 100_000 << 10

// picture are the bytes of an uploaded file. A client that sends JSON, as the
// document's example does, sends them as base64 text or as a data URL.
func picture(f wire.File) ([]byte, error) {
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
