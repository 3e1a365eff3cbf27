package affiliate

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"
)

// Event tells the host that something happened. It is written in the unit that
// did it, and delivered afterwards, at least once.
type Event struct {
	ID      int64
	Type    string // "user.approved"; 1..64 characters
	Subject string // what it is about, "user:17"; 1..128 characters
	Data    string // JSON, at most 65536 characters; may be empty
	At      time.Time
}

// Validate checks what every backend refuses.
func (e Event) Validate() error {
	var v Validation
	v.Text("type", e.Type, 1, 64)
	v.Text("subject", e.Subject, 1, 128)
	v.Text("data", e.Data, 0, 65536)
	return v.Err("event")
}

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

// HashSecret is what is kept of a secret.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// NewSecret returns 192 random bits, as 32 characters that need no escaping.
func NewSecret(random io.Reader) (string, error) {
	var b [24]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("affiliate: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// DeliverEvents hands at most limit waiting events to deliver, in order, and
// removes them once it returned nil: each is delivered at least once. It
// returns how many there were.
func (s *Service) DeliverEvents(ctx context.Context, limit int, deliver func(context.Context, []Event) error) (int, error) {
	events, err := Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Event, error) {
		return tx.Events().Pending(ctx, limit)
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	if err := deliver(ctx, events); err != nil {
		return 0, err
	}
	ids := make([]int64, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return len(events), s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Events().Remove(ctx, ids)
	})
}
