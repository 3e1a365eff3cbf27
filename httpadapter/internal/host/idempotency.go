package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// idempotencyKeys keeps answers in the core's store, so that every process over
// it gives the same one. How long claims and answers are kept is the core's to
// say; its lease is longer than the time that the machinery lets a claimed
// request run.
type idempotencyKeys struct{ core *affiliate.Service }

var _ wire.IdempotencyStore = idempotencyKeys{}

// Begin claims a key, or answers the record that is there.
func (k idempotencyKeys) Begin(ctx context.Context, claim wire.IdempotencyRecord, now time.Time) (*wire.IdempotencyRecord, error) {
	kept, mine, err := k.core.ReserveKey(ctx, keyOf(claim), now)
	if e, ok := errors.AsType[*affiliate.Error](err); ok && len(e.Fields) == 1 && e.Fields[0].Field == "key" && e.Fields[0].Code == "too_many" {
		e.Fields[0].Field = "Idempotency-Key" // as clients know it
	}
	if err != nil || mine {
		return nil, err
	}
	found := claim
	found.Token, found.Fingerprint, found.Expires = kept.Token, kept.Fingerprint, kept.ExpiresAt
	if kept.Status != 0 {
		found.Answer = &wire.KeptAnswer{Status: kept.Status, ContentType: kept.ContentType, Body: kept.Body}
		if found.Answer.ContentType != "" && found.Answer.Body == nil {
			found.Answer.Body = []byte{} // a body of no bytes is not the same as none
		}
	}
	return &found, nil
}

// Finish does the work and keeps its answer, in one unit.
func (k idempotencyKeys) Finish(ctx context.Context, claim wire.IdempotencyRecord, work func(context.Context) (*wire.KeptAnswer, error)) error {
	var failed error
	err := k.core.CompleteKey(ctx, keyOf(claim), func(ctx context.Context, key *affiliate.IdempotencyKey) error {
		var a *wire.KeptAnswer
		if a, failed = work(ctx); a != nil {
			key.Status, key.ContentType, key.Body = a.Status, a.ContentType, a.Body
		}
		return failed
	})
	if e, ok := errors.AsType[*affiliate.Error](err); ok && failed == nil && e.Kind == affiliate.ErrNotFound && e.Resource == "idempotency_key" {
		return wire.ErrClaimLost
	}
	return err
}

// Abandon gives a claimed key back.
func (k idempotencyKeys) Abandon(ctx context.Context, claim wire.IdempotencyRecord) error {
	return k.core.ReleaseKey(ctx, owner(claim.Owner), claim.Key, claim.Token)
}

func keyOf(r wire.IdempotencyRecord) affiliate.IdempotencyKey {
	k := affiliate.IdempotencyKey{Principal: owner(r.Owner), Key: r.Key, Token: r.Token, Fingerprint: r.Fingerprint, ExpiresAt: r.Expires}
	if r.Answer != nil {
		k.Status, k.ContentType, k.Body = r.Answer.Status, r.Answer.ContentType, r.Answer.Body
	}
	return k
}

// maxOwner is how long a kept owner may be, in characters.
const maxOwner = 128

// owner is the owner in a form that can be kept, whatever a host's
// authenticator or ClientIP made it of.
func owner(s string) string {
	if len(s) <= maxOwner && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}
