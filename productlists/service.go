package productlists

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Catalog knows products. A host that has a product database of its own puts
// it behind this interface; without one the service's product table serves.
//
// A Catalog is asked outside of units of work, so it may be a remote service.
// It must be safe for concurrent use.
type Catalog interface {
	// Products returns the products with the ids, in any order, each once, and
	// leaves out those it does not know. It is given at most MaxProducts
	// distinct ids, and should ask once for all of them.
	Products(ctx context.Context, ids []string) ([]Product, error)
}

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// NewID makes list ids; default: UUID version 7.
	NewID func() (uuid.UUID, error)
	// Catalog knows the products; default: the product table in the store.
	Catalog Catalog
	// CommissionURL is the template of the tracked links of products that have
	// none of their own, see validateTemplate. Default: DefaultTemplate.
	CommissionURL string
}

// Service holds the rules of product lists. It is safe for concurrent use.
//
// Callers in the same process are trusted: which account is calling is an
// argument, and another account's lists are ErrNotFound to it.
type Service struct {
	store   Store
	clock   affiliate.Clock
	newID   func() (uuid.UUID, error)
	catalog Catalog
	link    string // the commission template
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("productlists: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.NewID == nil {
		o.NewID = uuid.NewV7
	}
	if o.Catalog == nil {
		o.Catalog = productTable{store}
	}
	if o.CommissionURL == "" {
		o.CommissionURL = DefaultTemplate
	}
	if err := validateTemplate(o.CommissionURL); err != nil {
		return nil, err
	}
	return &Service{store: store, clock: o.Clock, newID: o.NewID, catalog: o.Catalog, link: o.CommissionURL}, nil
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	if _, ours := in.catalog.(productTable); ours {
		in.catalog = productTable{store}
	}
	return &in
}
