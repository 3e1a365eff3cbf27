package identity

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where secrets come from; default: crypto/rand
}

// Service holds the rules of who somebody is: access tokens and memberships.
// It is safe for concurrent use.
type Service struct {
	store  Store
	clock  affiliate.Clock
	random io.Reader
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("identity: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{store: store, clock: o.Clock, random: o.Random}, nil
}
