package affiliate

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  Clock     // default: SystemClock
	Random io.Reader // where secrets come from; default: crypto/rand
	// OnUserChange runs in every unit that adds or updates a user, after the
	// change; before is zero for a new one. Its error undoes the unit. Like the
	// unit it may run again. Default: nothing.
	OnUserChange UserHook
}

// UserHook runs in a unit that adds or updates a user, after the change; before
// is zero for a new one.
type UserHook func(ctx context.Context, tx Tx, before, after User) error

// Service holds the rules of the core: advertisers and their groups, clients,
// users, tags, credentials and the ledger. It is safe for concurrent use.
//
// Callers in the same process are trusted: who may do what is decided by the
// adapter, before it calls.
type Service struct {
	store  Store[Tx]
	clock  Clock
	random io.Reader
	onUser UserHook
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
	if o.OnUserChange == nil {
		o.OnUserChange = func(context.Context, Tx, User, User) error { return nil }
	}
	return &Service{store: store, clock: o.Clock, random: o.Random, onUser: o.OnUserChange}, nil
}

// Read runs a unit that answers one value.
func Read[T, V any](ctx context.Context, store Store[T], fn func(ctx context.Context, tx T) (V, error)) (V, error) {
	var out V
	err := store.Read(ctx, func(ctx context.Context, tx T) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	return valueOr(out, err)
}

// Write runs a unit that changes something and answers one value.
func Write[T, V any](ctx context.Context, store Store[T], fn func(ctx context.Context, tx T) (V, error)) (V, error) {
	var out V
	err := store.Write(ctx, func(ctx context.Context, tx T) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	return valueOr(out, err)
}

// valueOr answers no half-made value beside an error.
func valueOr[V any](v V, err error) (V, error) {
	if err != nil {
		var none V
		return none, err
	}
	return v, nil
}
