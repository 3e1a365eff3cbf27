package returnads

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
}

// Images keeps the images that ads refer to. *offers.Service does.
type Images interface {
	// Adopt returns the key that an ad of the advertiser keeps for one that a caller
	// gives: that of a copy, unless it is an image of the advertiser's. No key is
	// none; an unknown one is ErrInvalid "unknown_image" on the field image_key.
	Adopt(ctx context.Context, advertiserID int64, key string) (string, error)
}

// Service holds the rules of return ads. It is safe for concurrent use.
type Service struct {
	store  Store
	images Images
	clock  affiliate.Clock
	viewer affiliate.Viewer
}

// NewService returns the service over a store.
func NewService(store Store, images Images, o Options) (*Service, error) {
	if store == nil || images == nil {
		return nil, errors.New("returnads: NewService needs a store and what keeps the images")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	return &Service{store: store, images: images, clock: o.Clock}, nil
}

// For returns the service as the viewer sees it: who acts for an advertiser has
// its ads, and no other. What an advertiser's customers are shown, and how often
// they were, is everybody's: ShownAt, CountView and CountClick.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	return &in
}
