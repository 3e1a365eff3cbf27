package affiliate

import (
	"context"
	"fmt"
	"time"
)

// MaxKeptAnswer bounds the answer that is kept of a request, in bytes.
const MaxKeptAnswer = 64 << 10

// IdempotencyKey is one request that a client may repeat without doing it
// twice, and its answer once there is one.
type IdempotencyKey struct {
	Principal   string    // Principal.Key of who sent it, 1..128 characters
	Key         string    // as sent, 1..255 characters; unique per principal
	Token       string    // of the request that holds it, 1..64 characters: a later one may have taken over
	Fingerprint [32]byte  // SHA-256 over method, path and body of the request
	Status      int       // of the answer, 0 while the request is in flight
	ContentType string    // of the answer, at most 255 characters
	Body        []byte    // of the answer, at most MaxKeptAnswer bytes
	ExpiresAt   time.Time // while in flight the end of its lease, then of the answer's keeping
}

// Validate checks what every backend refuses.
func (k IdempotencyKey) Validate() error {
	var v Validation
	v.Text("principal", k.Principal, 1, 128)
	v.Text("key", k.Key, 1, 255)
	v.Text("token", k.Token, 1, 64)
	v.Text("content_type", k.ContentType, 0, 255)
	v.Check(len(k.Body) <= MaxKeptAnswer, "body", "too_long", "must be at most 65536 bytes")
	v.Check(!k.ExpiresAt.IsZero(), "expires_at", "required", "is required")
	return v.Err("idempotency_key")
}

// TooManyKeys is the error of a key beyond the bound of its principal.
func TooManyKeys(most int) error {
	return Invalid("idempotency_key", FieldError{Field: "key", Code: "too_many", Message: fmt.Sprintf("must not be one of more than %d that are kept; each is for a day", most)})
}

// expireBatch bounds how many old keys one reservation clears away.
const expireBatch = 16

// ReserveKey takes a key for a request in flight until k.ExpiresAt. It returns
// false, and the key as kept, when another request holds it or has been
// answered: in flight when its Status is 0. Keys that ran out are cleared away
// a few at a time. now is the caller's, who also decides when a key expires. One
// beyond Options.MaxKeys of its principal is the error TooManyKeys.
func (s *Service) ReserveKey(ctx context.Context, k IdempotencyKey, now time.Time) (IdempotencyKey, bool, error) {
	type reservation struct {
		kept IdempotencyKey
		mine bool
	}
	r, err := Write(ctx, s.store, func(ctx context.Context, tx Tx) (r reservation, err error) {
		if _, err := tx.IdempotencyKeys().Expire(ctx, now, expireBatch); err != nil {
			return r, err
		}
		r.kept, r.mine, err = tx.IdempotencyKeys().Reserve(ctx, k, now, s.maxKeys)
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

// CompleteKey does the work of a request and keeps its answer until k.ExpiresAt,
// both in one unit, which the units of the work join. work puts the answer into
// the key; with the status 0 the key stays as it is. The work may be done again,
// as in every Write. CompleteKey is ErrNotFound "idempotency_key", and nothing is
// changed, when another request has taken the key over meanwhile.
func (s *Service) CompleteKey(ctx context.Context, k IdempotencyKey, work func(ctx context.Context, k *IdempotencyKey) error) error {
	return Join(ctx, s.store, func(ctx context.Context, tx Tx) error {
		answered := k
		if err := work(ctx, &answered); err != nil || answered.Status == 0 {
			return err
		}
		return tx.IdempotencyKeys().Complete(ctx, answered)
	})
}

// ReleaseKey gives a key back: the request may be made again. It changes
// nothing when the request no longer holds it, or was answered after all.
func (s *Service) ReleaseKey(ctx context.Context, principal, key, token string) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.IdempotencyKeys().Remove(ctx, principal, key, token)
	})
}
