package offers

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where tokens and image keys come from; default: crypto/rand
	// Blobs keeps images. Default: affiliate.NewMemoryBlobs().
	Blobs affiliate.Blobs
	// Blocked answers which of the users the advertiser has blocked: they are
	// left out of targets. Default: none. Package links has the blocklist; see
	// links.NewOffers.
	Blocked func(ctx context.Context, tx Tx, advertiserID int64, users []affiliate.User) (map[int64]bool, error)
}

// Service holds the rules of offers: campaigns, whom they are for, who takes
// part, what they pay and how much is left. It is safe for concurrent use.
type Service struct {
	store Store
	opts  Options
	clock affiliate.Clock
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("offers: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Blobs == nil {
		o.Blobs = affiliate.NewMemoryBlobs()
	}
	if o.Blocked == nil {
		o.Blocked = func(context.Context, Tx, int64, []affiliate.User) (map[int64]bool, error) { return nil, nil }
	}
	return &Service{store: store, opts: o, clock: o.Clock}, nil
}

// Now is the service's time: what statuses are computed at.
func (s *Service) Now() affiliate.Clock { return s.clock }

// text makes n random characters of a to z and 0 to 9.
func (s *Service) text(n int) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	const fair = 256 / len(letters) * len(letters) // bytes from here on would favour the first letters
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(out) < n {
		if _, err := io.ReadFull(s.opts.Random, buf); err != nil {
			return "", err
		}
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, letters[int(b)%len(letters)])
			}
		}
	}
	return string(out), nil
}
