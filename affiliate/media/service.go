package media

import (
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
}

// Service holds the rules of media. It is safe for concurrent use.
type Service struct {
	store  Store
	clock  affiliate.Clock
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
	return &Service{store: store, clock: o.Clock}, nil
}

// For returns the service for a viewer.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}
