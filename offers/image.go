package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Image says whose an image is that is kept in the Blobs.
type Image struct {
	Key string // of the blob, 1..255 characters
	ImageOwner
	Bytes       int64
	CreatedAt   time.Time
	UnusedSince time.Time // zero: it is used
	Removed     bool      // its file is being deleted: nothing may use it any more
}

// ImageOwner is in whose total an image counts: an advertiser's, or that of who
// uploaded it.
type ImageOwner struct {
	AdvertiserID int64  // 0: an upload
	Uploader     string // affiliate.Principal.Key, at most 128 characters; empty for an advertiser
}

// ImageTotal is what an owner has.
type ImageTotal struct{ Images, Bytes int64 }

// Validate checks what every backend refuses.
func (i Image) Validate() error {
	var v affiliate.Validation
	v.Text("key", i.Key, 1, 255)
	v.Text("uploader", i.Uploader, 0, 128)
	v.Check((i.AdvertiserID == 0) == (i.Uploader != ""), "uploader", "ambiguous", "must be given, unless an advertiser is")
	v.Check(i.Bytes >= 0, "bytes", "out_of_range", "must not be negative")
	return v.Err("image")
}

// ImageRepository keeps which images there are. The files are in the Blobs.
//
// An image is in use while a campaign or a return ad of its advertiser that is
// not deleted has its key, or while the URL of the advertiser's logo ends with it.
type ImageRepository interface {
	// Add keeps an image. ErrConflict "taken" when its key is there.
	Add(ctx context.Context, i Image) error
	// Get is ErrNotFound when the key is not there.
	Get(ctx context.Context, key string) (Image, error)
	// Use notes that the image is used from now on. ErrNotFound when it is not
	// there, or Removed.
	Use(ctx context.Context, key string) error
	// MarkUnused notes now as the beginning for the images of the advertiser that
	// are not in use and of which that is not noted yet.
	MarkUnused(ctx context.Context, advertiserID int64, now time.Time) error
	// Total returns how many images an owner has, and their bytes.
	Total(ctx context.Context, owner ImageOwner) (ImageTotal, error)
	// Expire marks images as Removed that are unused since before or longer, and
	// returns at most limit of the keys that are marked, ascending. An image that
	// is in use after all is noted as used.
	Expire(ctx context.Context, before time.Time, limit int) ([]string, error)
	// Delete takes images out; a key that is not there changes nothing.
	Delete(ctx context.Context, keys []string) error
}
