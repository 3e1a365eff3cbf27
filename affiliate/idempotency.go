package affiliate

import (
	"context"
	"time"
)

// expireBatch bounds how many old keys one reservation clears away.
const expireBatch = 16

// ReserveKey takes a key for a request in flight until k.ExpiresAt. It returns
// false, and the key as kept, when another request holds it or has been
// answered: in flight when its Status is 0. Keys that ran out are cleared away
// a few at a time. now is the caller's, who also decides when a key expires.
func (s *Service) ReserveKey(ctx context.Context, k IdempotencyKey, now time.Time) (IdempotencyKey, bool, error) {
	type reservation struct {
		kept IdempotencyKey
		mine bool
	}
	r, err := Write(ctx, s.store, func(ctx context.Context, tx Tx) (r reservation, err error) {
		if _, err := tx.IdempotencyKeys().Expire(ctx, now, expireBatch); err != nil {
			return r, err
		}
		r.kept, r.mine, err = tx.IdempotencyKeys().Reserve(ctx, k, now)
		return r, err
	})
	return r.kept, r.mine, err
}

// CheckWrites makes a small change and keeps it. Its error says that the backend
// takes no changes now: it is gone, its disk is full, or it may only be read.
func (s *Service) CheckWrites(ctx context.Context) error {
	now := s.clock.Now()
	// A key that has expired is replaced each time.
	_, _, err := s.ReserveKey(ctx, IdempotencyKey{Principal: "readiness", Key: "readiness", Token: "readiness", ExpiresAt: now}, now)
	return err
}

// CompleteKey keeps the answer of a key until k.ExpiresAt. It is ErrNotFound
// when the request no longer holds it.
func (s *Service) CompleteKey(ctx context.Context, k IdempotencyKey) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.IdempotencyKeys().Complete(ctx, k)
	})
}

// ReleaseKey gives a key back: the request may be made again. It changes
// nothing when the request no longer holds it.
func (s *Service) ReleaseKey(ctx context.Context, principal, key, token string) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.IdempotencyKeys().Remove(ctx, principal, key, token)
	})
}
