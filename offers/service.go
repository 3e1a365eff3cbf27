package offers

import (
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
	// MaxImages and MaxImageBytes bound the images of one owner, an advertiser or
	// somebody who uploads, that are kept at once. Defaults: 1,000 images and 1 GiB.
	MaxImages     int
	MaxImageBytes int64
}

// Service holds the rules of offers: campaigns, whom they are for, who takes
// part, what they pay and how much is left. It is safe for concurrent use.
type Service struct {
	store Store
	opts  Options
	clock affiliate.Clock
	// scaling holds a token for each image that is scaled now.
	scaling chan struct{}

	viewer affiliate.Viewer
}

// NewService returns the service over a store, and has the core's service tell
// it of every change of a user: pre-registrations then become the user's
// participations, and a ban ends those of the banned. The stores of the two are
// of one backend, whose transactions give the repositories of both.
func NewService(core *affiliate.Service, store Store, o Options) (*Service, error) {
	if core == nil || store == nil {
		return nil, errors.New("offers: NewService needs the core's service and a store")
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
	if o.MaxImages <= 0 {
		o.MaxImages = 1000
	}
	if o.MaxImageBytes <= 0 {
		o.MaxImageBytes = 1 << 30
	}
	s := &Service{store: store, opts: o, clock: o.Clock, scaling: make(chan struct{}, scalers)}
	core.OnUserChange(s.userChanged)
	core.OnCurrencyChange(pricedIn)
	core.OnTimeZoneChange(countedFor)
	return s, nil
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	return &in
}

// Clock returns the clock that statuses are computed with.
func (s *Service) Clock() affiliate.Clock { return s.clock }

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
