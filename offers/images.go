package offers

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SaveImage keeps a PNG or JPEG, told by its content, and returns its key.
// Anything else is ErrInvalid "invalid_image" on the field.
func (s *Service) SaveImage(ctx context.Context, field string, data []byte) (string, error) {
	return s.saveImage(ctx, "", field, data)
}

func (s *Service) saveImage(ctx context.Context, prefix, field string, data []byte) (string, error) {
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
	key := prefix + name + extension
	return key, s.opts.Blobs.Put(ctx, key, data)
}

// Image returns an image by its key.
func (s *Service) Image(ctx context.Context, key string) ([]byte, error) {
	return s.opts.Blobs.Get(ctx, key)
}

// SetImage gives an offer an image (campaign-image-upload). The one it had is
// kept: links to it may be around.
func (s *Service) SetImage(ctx context.Context, offerID int64, data []byte) (View, error) {
	if err := s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		_, err := s.live(ctx, tx, offerID)
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

// An upload is an image that nothing refers to yet. Its key has the hour of the
// upload in it, so that no table is needed to find the old ones:
// "tmp-2026031812-<32 random characters>.png".
const (
	uploadPrefix = "tmp-"
	uploadHour   = "2006010215"
)

// UploadTime is how long an upload is kept, at least.
const UploadTime = 24 * time.Hour

// Upload keeps an image for a while and returns its key (image-upload). An
// offer or a return ad that is given the key gets a copy of its own.
func (s *Service) Upload(ctx context.Context, data []byte) (string, error) {
	return s.saveImage(ctx, uploadPrefix+s.clock.Now().Format(uploadHour)+"-", "image", data)
}

// SweepUploads deletes the uploads that are older than UploadTime and returns
// how many those were. Call it every hour or so.
func (s *Service) SweepUploads(ctx context.Context) (int, error) {
	// One hour more: the key has the beginning of the hour.
	end := uploadPrefix + s.clock.Now().Add(-UploadTime-time.Hour).Format(uploadHour) + "."
	const batch = 1000
	deleted := 0
	for after := uploadPrefix; ; {
		keys, err := s.opts.Blobs.Keys(ctx, uploadPrefix, after, batch)
		if err != nil {
			return deleted, err
		}
		for _, key := range keys {
			if key >= end { // in order of time
				return deleted, nil
			}
			if err := s.opts.Blobs.Delete(ctx, key); err != nil {
				return deleted, err
			}
			deleted++
			after = key
		}
		if len(keys) < batch {
			return deleted, nil
		}
	}
}

// Adopt returns the key that an offer or a return ad keeps for the one that it
// is given: the same, or that of a copy when it is an upload's. An image that
// is not there is ErrInvalid "unknown_image". It is not called in a unit, but for that of an idempotency key.
func (s *Service) Adopt(ctx context.Context, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	data, err := s.opts.Blobs.Get(ctx, key)
	switch {
	case errors.Is(err, affiliate.ErrNotFound), errors.Is(err, affiliate.ErrInvalid):
		return "", affiliate.Invalid("image", affiliate.FieldError{Field: "image_key", Code: "unknown_image", Message: "must be the key of an uploaded image"})
	case err != nil:
		return "", err
	case !strings.HasPrefix(key, uploadPrefix):
		return key, nil
	}
	return s.saveImage(ctx, "", "image_key", data)
}
