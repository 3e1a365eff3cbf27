package media

import (
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// Blobs keep the files of media. Default: none; readers are sent to where
	// the network has them.
	Blobs affiliate.Blobs
}

// Service holds the rules of media. It is safe for concurrent use.
type Service struct {
	store  Store
	clock  affiliate.Clock
	blobs  affiliate.Blobs
	viewer affiliate.Viewer
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("media: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	return &Service{store: store, clock: o.Clock, blobs: o.Blobs}, nil
}

// For returns the service for a viewer.
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
