package links

import (
	"crypto/sha256"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxURLBytes bounds every URL that a link keeps.
const MaxURLBytes = 2048

// Link is a shop URL that a creator promotes: readers who follow it are counted.
type Link struct {
	ID           int64
	UserID       int64
	AdvertiserID int64
	Key          LinkKey // of the normalised URL; unique per user and advertiser
	OriginalURL  string  // as the creator gave it; at most MaxURLBytes
	TargetURL    string  // OriginalURL in normal form, with its fragment. Readers go there, because it is what was matched; at most MaxURLBytes
	Template     string  // the advertiser's tracking template when the link was made
	CreatedAt    time.Time
	DeletedAt    time.Time // zero: not deleted
}

// LinkKey stands for a normalised URL: its SHA-256. Equal URLs, and for all
// purposes only those, have equal keys, and a key is short enough to index.
type LinkKey [sha256.Size]byte

// Validate checks what every backend refuses.
func (l Link) Validate() error {
	var v affiliate.Validation
	v.Text("original_url", l.OriginalURL, 1, MaxURLBytes)
	v.Check(len(l.OriginalURL) <= MaxURLBytes, "original_url", "too_long", "must be at most 2048 bytes")
	v.Text("target_url", l.TargetURL, 1, MaxURLBytes)
	v.Text("template", l.Template, 1, MaxTemplateBytes)
	return v.Err("link")
}

// Target is what a redirect needs to know, read at once.
type Target struct {
	Link             Link
	AdvertiserStatus affiliate.AdvertiserStatus
	Provider         string
	UserSuspended    bool
}
