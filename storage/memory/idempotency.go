package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type keyName struct{ principal, key string }

type keyTable struct {
	*engine.Table[affiliate.IdempotencyKey]
	byName    *engine.Unique[affiliate.IdempotencyKey, keyName]
	byExpires *engine.Ordered[affiliate.IdempotencyKey]
	byOwner   *engine.Groups[affiliate.IdempotencyKey, string]
}

func newKeyTable(db *DB) keyTable {
	t := engine.NewTable[affiliate.IdempotencyKey](&db.store)
	return keyTable{t,
		engine.NewUnique(t, func(k *affiliate.IdempotencyKey) (keyName, bool) { return keyName{k.Principal, k.Key}, true }),
		engine.NewOrdered(t, func(a, b *affiliate.IdempotencyKey) int {
			return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), strings.Compare(a.Principal, b.Principal), strings.Compare(a.Key, b.Key))
		}),
		engine.NewGroups(t, func(k *affiliate.IdempotencyKey) (string, bool) { return k.Principal, true }, nil),
	}
}

// copyKey is k as kept, or as answered.
func copyKey(k affiliate.IdempotencyKey) affiliate.IdempotencyKey {
	k.Body = engine.Copied(k.Body)
	k.ExpiresAt = engine.Kept(k.ExpiresAt)
	return k
}

type idempotencyKeys struct{ u *unit }

func (r idempotencyKeys) Reserve(ctx context.Context, k affiliate.IdempotencyKey, now time.Time, most int) (affiliate.IdempotencyKey, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return affiliate.IdempotencyKey{}, false, err
	}
	if err := k.Validate(); err != nil {
		return affiliate.IdempotencyKey{}, false, r.u.Fail(err)
	}
	t := r.u.db.core.keys
	id, ok := t.byName.Find(keyName{k.Principal, k.Key})
	if ok && t.At(id).ExpiresAt.After(now) {
		return copyKey(*t.At(id)), false, nil
	}
	if ok {
		t.Delete(id)
	}
	if len(t.byOwner.Of(k.Principal)) >= most {
		for _, old := range slices.Clone(t.byOwner.Of(k.Principal)) {
			if !t.At(old).ExpiresAt.After(now) {
				t.Delete(old)
			}
		}
		if len(t.byOwner.Of(k.Principal)) >= most {
			return affiliate.IdempotencyKey{}, false, r.u.Fail(affiliate.TooManyKeys(most))
		}
	}
	id, err := t.Insert(copyKey(k))
	if err != nil {
		return affiliate.IdempotencyKey{}, false, r.u.Fail(err)
	}
	return copyKey(*t.At(id)), true, nil
}

func (r idempotencyKeys) Complete(ctx context.Context, k affiliate.IdempotencyKey) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := k.Validate(); err != nil {
		return r.u.Fail(err)
	}
	id, ok := r.held(k.Principal, k.Key, k.Token)
	if !ok {
		return r.u.Fail(affiliate.NotFound("idempotency_key", k.Key))
	}
	r.u.db.core.keys.Replace(id, copyKey(k))
	return nil
}

func (r idempotencyKeys) Remove(ctx context.Context, principal, key, token string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if id, ok := r.held(principal, key, token); ok && r.u.db.core.keys.At(id).Status == 0 {
		r.u.db.core.keys.Delete(id)
	}
	return nil
}

// held finds the key unless a request with another token has taken it over.
func (r idempotencyKeys) held(principal, key, token string) (uint32, bool) {
	t := r.u.db.core.keys
	id, ok := t.byName.Find(keyName{principal, key})
	return id, ok && t.At(id).Token == token
}

func (r idempotencyKeys) Expire(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.core.keys
	var over []uint32
	t.byExpires.Each(0, 0, func(id uint32) bool {
		if len(over) >= limit || t.At(id).ExpiresAt.After(now) {
			return false
		}
		over = append(over, id)
		return true
	})
	for _, id := range over {
		t.Delete(id)
	}
	return len(over), nil
}
