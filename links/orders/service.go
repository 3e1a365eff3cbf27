package orders

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
	"github.com/affiliatekit/affiliatekit/links"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where keys come from; default: crypto/rand
	Rates  Rates           // what currencies are worth; default: NoRates
	// Observe is told what became of each reported order, after its unit: the
	// outcome, and the reason when the order earns nothing. It must be quick and
	// safe for concurrent use. Default: nobody is told.
	Observe func(outcome Outcome, reason string)
	// ClickParameter is that of links.Options: under this name shops send the
	// click id back. Default: links.ClickIDParameter.
	ClickParameter string
}

// Service holds the rules of orders: intake, attribution, commission, refunds,
// vouchers and one-time payments. It is safe for concurrent use.
type Service struct {
	store  Store
	opts   Options
	clock  affiliate.Clock
	viewer affiliate.Viewer
	group  *gather.Group[*report] // nil in a transaction of the host's, which one goroutine uses
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("orders: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Rates == nil {
		o.Rates = NoRates{}
	}
	if o.Observe == nil {
		o.Observe = func(Outcome, string) {}
	}
	if o.ClickParameter == "" {
		o.ClickParameter = links.ClickIDParameter
	}
	if !links.ValidClickParameter(o.ClickParameter) {
		return nil, errors.New("orders: ClickParameter must be 1 to 64 letters, digits, _, - and ., and no other parameter of a report")
	}
	s := &Service{store: store, opts: o, clock: o.Clock}
	s.group = gather.NewGroup(maxBatch, gather.Timeout, s.takeAll)
	return s, nil
}

// For returns the service as the viewer sees it. An advertiser's orders,
// vouchers, payments and collector are seen and changed by those who act for
// it; a creator sees its own orders, vouchers and payments. Everything else is
// not there.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store, in.group = store, nil
	return &in
}

// units is the store as the one-value helpers take it.
func (s *Service) units() affiliate.Store[Tx] { return s.store }

// actsFor is ErrNotFound unless the viewer acts for the advertiser.
func (s *Service) actsFor(advertiserID int64) error {
	if !s.viewer.ActsFor(advertiserID) {
		return affiliate.NotFound("advertiser", advertiserID)
	}
	return nil
}

// sees reports whether the viewer may read what is the advertiser's and the user's.
func (s *Service) sees(advertiserID, userID int64) bool {
	p := s.viewer.Principal()
	return s.viewer.ActsFor(advertiserID) || p.Role == affiliate.RoleCreator && userID != 0 && p.UserID == userID
}

// newKey is a random key of printable characters.
func (s *Service) newKey() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.opts.Random, b); err != nil {
		return "", affiliate.Unavailable(err)
	}
	for i := range b {
		b[i] = keyLetters[b[i]&31]
	}
	return string(b), nil
}

// keyLetters are 32 letters that are not taken for one another.
const keyLetters = "abcdefghijkmnpqrstuvwxyz23456789"
