package offers

import (
	"bytes"
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SaveImage keeps a PNG or JPEG, told by its content, and answers its key.
// Anything else is ErrInvalid "invalid_image" on the field.
func (s *Service) SaveImage(ctx context.Context, field string, data []byte) (string, error) {
	extension := ""
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		extension = ".png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		extension = ".jpg"
	default:
		return "", affiliate.Invalid("image", affiliate.FieldError{Field: field, Code: "invalid_image", Message: "must be a PNG or JPEG image"})
	}
	name, err := s.text(32)
	if err != nil {
		return "", err
	}
	return name + extension, s.opts.Blobs.Put(ctx, name+extension, data)
}

// Image answers an image by its key.
func (s *Service) Image(ctx context.Context, key string) ([]byte, error) {
	return s.opts.Blobs.Get(ctx, key)
}

// SetImage gives an offer an image (campaign-image-upload). The one it had is
// kept: links to it may be around.
func (s *Service) SetImage(ctx context.Context, offerID int64, data []byte) (View, error) {
	if err := s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		_, err := live(ctx, tx, offerID)
		return err
	}); err != nil {
		return View{}, err
	}
	key, err := s.SaveImage(ctx, "image", data)
	if err != nil {
		return View{}, err
	}
	return s.stamp(ctx, offerID, func(o *Offer, _ time.Time) { o.ImageKey = key })
}
