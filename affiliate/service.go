package affiliate

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock        Clock     // default: SystemClock
	Random       io.Reader // where secrets come from; default: crypto/rand
	OnUserChange UserHook  // the host's own part in changes of users; default: none
	// MaxKeys bounds the idempotency keys that are kept of one principal, each with
	// an answer of at most MaxKeptAnswer bytes. Default: 50,000.
	MaxKeys int
}

// UserHook runs in every unit that adds or updates a user, after the change.
// For a new user before is zero. An error undoes the unit. Like the unit, a
// hook may run again.
type UserHook func(ctx context.Context, tx Tx, before, after User) error

// Service holds the rules of the core: advertisers and their groups, clients,
// users, tags, credentials and the ledger. It is safe for concurrent use.
//
// Callers in the same process are trusted, unless the service is bound to a
// viewer: see For.
type Service struct {
	store   Store[Tx]
	clock   Clock
	random  io.Reader
	hooks   []UserHook
	priced  []PricedIn
	counted []CountedFor
	viewer  Viewer
	// maxKeys bounds the idempotency keys of one principal.
	maxKeys int
}

// NewService returns the core's service over a store.
func NewService(store Store[Tx], o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("affiliate: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.MaxKeys <= 0 {
		o.MaxKeys = 50_000
	}
	s := &Service{store: store, clock: o.Clock, random: o.Random, maxKeys: o.MaxKeys}
	if o.OnUserChange != nil {
		s.hooks = append(s.hooks, o.OnUserChange)
	}
	return s, nil
}

// For returns the service for a viewer, who sees of the lists and of single
// users, advertisers and clients what is its own: see Viewer.Users and
// Viewer.UserTags. What the viewer may not see is ErrNotFound.
func (s *Service) For(v Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store[Tx]) *Service {
	in := *s
	in.store = store
	return &in
}

// OnUserChange adds a hook behind those that are there. Services of other
// domains call it when they are made. Do not call it once the service is in use.
func (s *Service) OnUserChange(hook UserHook) { s.hooks = append(s.hooks, hook) }

// PricedIn reports whether something of the advertiser has amounts in its
// currency, so that the currency cannot change.
type PricedIn func(ctx context.Context, tx Tx, a Advertiser) (bool, error)

// OnCurrencyChange adds a question that every change of an advertiser's
// currency asks. Services of other domains call it when they are made.
func (s *Service) OnCurrencyChange(priced PricedIn) { s.priced = append(s.priced, priced) }

// checkCurrency refuses another currency while amounts exist in the old one:
// it would make other amounts of them.
func (s *Service) checkCurrency(ctx context.Context, tx Tx, before, after Advertiser) error {
	if before.Currency == after.Currency {
		return nil
	}
	refuse := func(what string) error {
		return Conflict("advertiser", "currency_in_use", "the currency cannot change while "+what+" exist in "+string(before.Currency))
	}
	if hasAmounts(before.DefaultCosts) && hasAmounts(after.DefaultCosts) {
		return refuse("default costs")
	}
	entries, err := tx.Ledger().List(ctx, EntryFilter{AdvertiserID: before.ID}, PageRequest{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if entries.Total > 0 {
		return refuse("ledger entries")
	}
	for _, priced := range s.priced {
		if used, err := priced(ctx, tx, before); err != nil {
			return err
		} else if used {
			return refuse("campaigns or shared budgets")
		}
	}
	return nil
}

func hasAmounts(costs []Costs) bool {
	return slices.ContainsFunc(costs, func(c Costs) bool { return c.CPC.Set || c.InvoiceCPC.Set })
}

// UserChanged runs the hooks. It is itself one: the hook for [AddUser] and
// [ChangeUser] in units of other domains.
func (s *Service) UserChanged(ctx context.Context, tx Tx, before, after User) error {
	for _, hook := range s.hooks {
		if err := hook(ctx, tx, before, after); err != nil {
			return err
		}
	}
	return nil
}

// Read runs a unit that returns one value.
func Read[T, V any](ctx context.Context, store Store[T], fn func(ctx context.Context, tx T) (V, error)) (V, error) {
	var out V
	err := store.Read(ctx, func(ctx context.Context, tx T) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	return valueOr(out, err)
}

// Write runs a unit that changes something and returns one value.
func Write[T, V any](ctx context.Context, store Store[T], fn func(ctx context.Context, tx T) (V, error)) (V, error) {
	var out V
	err := store.Write(ctx, func(ctx context.Context, tx T) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	return valueOr(out, err)
}

// valueOr returns no half-made value beside an error.
func valueOr[V any](v V, err error) (V, error) {
	if err != nil {
		var none V
		return none, err
	}
	return v, nil
}
