package offers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SaveImage keeps a PNG or JPEG of an advertiser, told by its content, and
// returns its key. Anything else is ErrInvalid "invalid_image" on the field, and
// so is, as "too_many" or "too_large_in_all", one beyond Options.MaxImages or
// MaxImageBytes. One that nothing uses after UploadTime is deleted: see SweepImages.
func (s *Service) SaveImage(ctx context.Context, advertiserID int64, field string, data []byte) (string, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return "", affiliate.NotFound("advertiser", advertiserID)
	}
	return s.saveImage(ctx, ImageOwner{AdvertiserID: advertiserID}, "", field, data)
}

// saveImage counts the image before its file is kept: a file without a row would
// never be found again.
func (s *Service) saveImage(ctx context.Context, owner ImageOwner, prefix, field string, data []byte) (string, error) {
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
	i := Image{Key: prefix + name + extension, ImageOwner: owner, Bytes: int64(len(data))}
	if err := s.store.Write(ctx, func(ctx context.Context, tx Tx) error { return s.addImage(ctx, tx, i, field) }); err != nil {
		return "", err
	}
	return i.Key, s.opts.Blobs.Put(ctx, i.Key, data)
}

// addImage adds an image that nothing uses yet to those of its owner.
func (s *Service) addImage(ctx context.Context, tx Tx, i Image, field string) error {
	i.CreatedAt = s.clock.Now()
	i.UnusedSince = i.CreatedAt
	if i.AdvertiserID != 0 {
		if _, err := tx.Advertisers().Get(ctx, i.AdvertiserID); err != nil {
			return err
		}
		if err := tx.Images().MarkUnused(ctx, i.AdvertiserID, i.CreatedAt); err != nil {
			return err
		}
	}
	has, err := tx.Images().Total(ctx, i.ImageOwner)
	if err != nil {
		return err
	}
	var v affiliate.Validation
	const unused = "; those that nothing uses are deleted after a day"
	v.Check(has.Images < int64(s.opts.MaxImages), field, "too_many", fmt.Sprintf("must not be one of more than %d images%s", s.opts.MaxImages, unused))
	v.Check(i.Bytes <= s.opts.MaxImageBytes-has.Bytes, field, "too_large_in_all", fmt.Sprintf("must not make more than %d bytes of images%s", s.opts.MaxImageBytes, unused))
	if err := v.Err("image"); err != nil {
		return err
	}
	return tx.Images().Add(ctx, i)
}

// Image returns an image by its key.
func (s *Service) Image(ctx context.Context, key string) ([]byte, error) {
	return s.opts.Blobs.Get(ctx, key)
}

// SetImage gives an offer an image (campaign-image-upload). The one it had is
// kept for UploadTime: links to it may be around.
func (s *Service) SetImage(ctx context.Context, offerID int64, data []byte) (View, error) {
	o, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Offer, error) { return s.live(ctx, tx, offerID) })
	if err != nil {
		return View{}, err
	}
	key, err := s.SaveImage(ctx, o.AdvertiserID, "image", data)
	if err != nil {
		return View{}, err
	}
	return s.stamp(ctx, offerID, func(o *Offer, _ time.Time) { o.ImageKey = key })
}

// An upload is an image that nothing refers to yet. Its key has the hour of the
// upload in it, so that files of old ones are found without any row:
// "tmp-2026031812-<32 random characters>.png".
const (
	uploadPrefix = "tmp-"
	uploadHour   = "2006010215"
)

// UploadTime is how long an image is kept that nothing uses, at least.
const UploadTime = 24 * time.Hour

// Upload keeps an image of the viewer's for UploadTime and returns its key
// (image-upload). An offer or a return ad that is given the key gets a copy of
// its own. The bounds are those of SaveImage.
func (s *Service) Upload(ctx context.Context, data []byte) (string, error) {
	owner := ImageOwner{Uploader: s.viewer.Principal().Key()}
	if len(owner.Uploader) > maxUploader || !utf8.ValidString(owner.Uploader) || strings.IndexByte(owner.Uploader, 0) >= 0 {
		owner.Uploader = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(owner.Uploader)))
	}
	return s.saveImage(ctx, owner, uploadPrefix+s.clock.Now().Format(uploadHour)+"-", "image", data)
}

// maxUploader is how long a kept uploader may be.
const maxUploader = 128

// SweepImages deletes the images that nothing has used for UploadTime, uploads
// among them, and returns how many those were. Call it every hour or so.
func (s *Service) SweepImages(ctx context.Context) (int, error) {
	const batch = 100
	for deleted := 0; ; {
		// Nothing can begin to use them once this is committed. Then their files
		// go, and their rows last, so that a sweep after a crash finds them again.
		keys, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) ([]string, error) {
			return tx.Images().Expire(ctx, s.clock.Now().Add(-UploadTime), batch)
		})
		if err != nil {
			return deleted, err
		}
		for _, key := range keys {
			if err := s.deleteFiles(ctx, key); err != nil {
				return deleted, err
			}
		}
		if err := s.store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.Images().Delete(ctx, keys) }); err != nil {
			return deleted, err
		}
		if deleted += len(keys); len(keys) < batch {
			n, err := s.sweepFiles(ctx)
			return deleted + n, err
		}
	}
}

// deleteFiles deletes an image in all sizes.
func (s *Service) deleteFiles(ctx context.Context, key string) error {
	if err := s.opts.Blobs.Delete(ctx, key); err != nil {
		return err
	}
	for _, z := range []Size{CampaignSize, ReturnAdSize} {
		if scaled := z.keyOf(key); len(scaled) <= maxKey {
			if err := s.opts.Blobs.Delete(ctx, scaled); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepFiles deletes files of uploads that have no row, because they were made
// before there were rows, or because the unit of their row was undone.
func (s *Service) sweepFiles(ctx context.Context) (int, error) {
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
			if err := s.deleteFiles(ctx, key); err != nil {
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

// Adopt returns the key that an offer or a return ad of the advertiser keeps for
// the one that it is given: the same when it is an image of the advertiser's,
// otherwise that of a copy. An image that is not there is ErrInvalid
// "unknown_image"; the bounds are those of SaveImage. The unit that keeps the key
// calls UseImage. Adopt is not called in a unit, but for that of an idempotency key.
func (s *Service) Adopt(ctx context.Context, advertiserID int64, key string) (string, error) {
	if key == "" || !s.viewer.ActsFor(advertiserID) { // the unit refuses it
		return key, nil
	}
	err := s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.Advertisers().Get(ctx, advertiserID)
		return err
	})
	if affiliate.IsNotFound(err) {
		return key, nil
	} else if err != nil {
		return "", err
	}
	data, err := s.opts.Blobs.Get(ctx, key)
	switch {
	case errors.Is(err, affiliate.ErrNotFound), errors.Is(err, affiliate.ErrInvalid):
		return "", unknownImage()
	case err != nil:
		return "", err
	}
	own := false
	if !strings.HasPrefix(key, uploadPrefix) {
		own, err = affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (bool, error) {
			i, err := tx.Images().Get(ctx, key)
			if affiliate.IsNotFound(err) { // kept before there were rows, or by the host
				i = Image{Key: key, ImageOwner: ImageOwner{AdvertiserID: advertiserID}, Bytes: int64(len(data))}
				return true, s.addImage(ctx, tx, i, "image_key")
			}
			return err == nil && i.AdvertiserID == advertiserID, err
		})
	}
	if err != nil || own {
		return key, err
	}
	return s.saveImage(ctx, ImageOwner{AdvertiserID: advertiserID}, "", "image_key", data)
}

// UseImage notes that a campaign or a return ad that was the advertiser's changes
// its image. One that was deleted meanwhile is ErrInvalid "unknown_image". An action
// for a Write, behind the change.
func UseImage(ctx context.Context, tx Tx, advertiserID int64, before, after string, now time.Time) error {
	if before == after {
		return nil
	}
	if after != "" {
		// A failed Use would doom the unit with the wrong error.
		i, err := tx.Images().Get(ctx, after)
		switch {
		case affiliate.IsNotFound(err), err == nil && i.Removed:
			return unknownImage()
		case err != nil:
			return err
		}
		if err := tx.Images().Use(ctx, after); err != nil {
			return err
		}
	}
	if before == "" {
		return nil
	}
	return tx.Images().MarkUnused(ctx, advertiserID, now)
}

func unknownImage() error {
	return affiliate.Invalid("image", affiliate.FieldError{Field: "image_key", Code: "unknown_image", Message: "must be the key of an uploaded image"})
}
