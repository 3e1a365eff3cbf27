package deals

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Moderator decides which partners an automatically moderated catalog lets in.
// It is asked outside of units of work, so it may be a remote service. It must
// be safe for concurrent use.
type Moderator interface {
	// Admit returns whether the partner may work with the catalog.
	Admit(ctx context.Context, c Catalog, partnerID uuid.UUID) (bool, error)
}

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// NewID makes the ids of catalogs, offers and deals; default: UUID version 7.
	NewID func() (uuid.UUID, error)
	// Random is where short codes come from; default: crypto/rand.
	Random io.Reader
	// Moderator decides about automatically moderated catalogs. Without one
	// their partners wait for the business partner, as with manual moderation.
	Moderator Moderator
	// SweepBatch is how many deals a unit of Sweep takes, 1..1000; default: 200.
	SweepBatch int
}

const (
	defaultSweepBatch = 200
	maxSweepBatch     = 1000
)

// Service holds the rules of deals. It is safe for concurrent use.
//
// Callers in the same process are trusted: which business partner is calling is
// an argument, and what is another's is ErrNotFound to it.
type Service struct {
	store Store
	opts  Options
	clock affiliate.Clock
	newID func() (uuid.UUID, error)
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("deals: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.NewID == nil {
		o.NewID = uuid.NewV7
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.SweepBatch == 0 {
		o.SweepBatch = defaultSweepBatch
	}
	if o.SweepBatch < 1 || o.SweepBatch > maxSweepBatch {
		return nil, errors.New("deals: Options.SweepBatch must be between 1 and 1000")
	}
	return &Service{store: store, opts: o, clock: o.Clock, newID: o.NewID}, nil
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	return &in
}

// id returns a new id. It fails only if the host's generator does.
func (s *Service) id() (uuid.UUID, error) {
	id, err := s.newID()
	if err != nil {
		return uuid.Nil, affiliate.Unavailable(err)
	}
	return id, nil
}

// code is a new random code.
func (s *Service) code(length int) (string, error) {
	b := make([]byte, length)
	if _, err := io.ReadFull(s.opts.Random, b); err != nil {
		return "", affiliate.Unavailable(err)
	}
	for i := range b {
		b[i] = codeLetters[int(b[i])%len(codeLetters)] // 32 letters: no remainder
	}
	return string(b), nil
}

// codeAttempts bounds how often a code that is taken is drawn again.
const codeAttempts = 20

// retryTaken runs fn again while the code that it drew is taken: by chance, or
// by somebody who was faster.
func retryTaken[V any](field string, fn func() (V, error)) (v V, err error) {
	for range codeAttempts {
		if v, err = fn(); !isTaken(err, field) {
			break
		}
	}
	return v, err
}

func isTaken(err error, field string) bool {
	e, ok := errors.AsType[*affiliate.Error](err)
	return ok && e.Kind == affiliate.ErrConflict && len(e.Fields) == 1 && e.Fields[0].Field == field
}

// optional is the value of a read, absent when there is none.
func optional[V any](v V, err error) (affiliate.Optional[V], error) {
	switch {
	case err == nil:
		return affiliate.Some(v), nil
	case errors.Is(err, affiliate.ErrNotFound):
		return affiliate.Optional[V]{}, nil
	}
	return affiliate.Optional[V]{}, err
}
