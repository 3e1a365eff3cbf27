package affiliate

import "context"

// Store runs units of work. T is the package's transaction: it gives the
// repositories, is valid only until the callback returns, and is used by one
// goroutine at a time.
//
// The same on every backend:
//
//   - Read sees one consistent snapshot and refuses every change with ErrReadOnly.
//   - Write is serializable, all or nothing, and may run its callback again: do
//     no I/O in it and change nothing outside it; side effects go through an
//     event in the same unit (see EventRepository).
//   - A failed call dooms the unit: every later call returns that error, and so
//     does Write, even when the callback swallowed it. Only a read's ErrNotFound
//     leaves the unit alive.
//   - A unit inside a unit of the same store is ErrNested, unless the outer one is
//     of Join or Snapshot: then the two are one. A Read, and all within a Read,
//     refuses changes.
//   - A panic in the callback rolls back and goes on.
//   - A cancelled context ends the unit with an error that is both
//     ErrUnavailable and the context's own; nothing is kept.
//   - Values go in and come out as copies.
type Store[T any] interface {
	Read(ctx context.Context, fn func(ctx context.Context, tx T) error) error
	Write(ctx context.Context, fn func(ctx context.Context, tx T) error) error
}

// Tx gives the repositories of the core within one unit of work. The
// transactions of the other domains embed it, so that an action of the core,
// a function taking a Tx, works inside any unit.
type Tx interface {
	Advertisers() AdvertiserRepository
	AdvertiserGroups() AdvertiserGroupRepository
	Categories() CategoryRepository
	Clients() ClientRepository
	RevenueTiers() RevenueTierRepository
	Users() UserRepository
	UserTags() UserTagRepository
	Blocklist() BlocklistRepository
	Ledger() LedgerRepository
	Balances() BalanceRepository
	Events() EventRepository
	IdempotencyKeys() IdempotencyRepository
}

// Optional is a value that may be absent. The zero Optional is absent; in JSON it
// is null, and left out of a struct by the option omitzero.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Some is a present value.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// Or is the value, or the other one when it is absent.
func (o Optional[T]) Or(other T) T {
	if o.Set {
		return o.Value
	}
	return other
}
