package memory

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type keyName struct{ principal, key string }

type keyTable struct {
	*table[affiliate.IdempotencyKey]
	byName    *unique[affiliate.IdempotencyKey, keyName]
	byExpires *ordered[affiliate.IdempotencyKey]
}

func newKeyTable() keyTable {
	t := &table[affiliate.IdempotencyKey]{}
	return keyTable{t,
		newUnique(t, func(k *affiliate.IdempotencyKey) (keyName, bool) { return keyName{k.Principal, k.Key}, true }),
		newOrdered(t, func(a, b *affiliate.IdempotencyKey) int {
			return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), strings.Compare(a.Principal, b.Principal), strings.Compare(a.Key, b.Key))
		}),
	}
}

// copyKey is k as kept, or as answered.
func copyKey(k affiliate.IdempotencyKey) affiliate.IdempotencyKey {
	k.Body = copied(k.Body)
	k.ExpiresAt = kept(k.ExpiresAt)
	return k
}

type idempotencyKeys struct{ u *unit }

func (r idempotencyKeys) Reserve(ctx context.Context, k affiliate.IdempotencyKey, now time.Time) (affiliate.IdempotencyKey, bool, error) {
	if err := r.u.change(ctx); err != nil {
		return affiliate.IdempotencyKey{}, false, err
	}
	if err := k.Validate(); err != nil {
		return affiliate.IdempotencyKey{}, false, r.u.fail(err)
	}
	t := r.u.db.core.keys
	id, ok := t.byName.find(keyName{k.Principal, k.Key})
	if ok && t.at(id).ExpiresAt.After(now) {
		return copyKey(*t.at(id)), false, nil
	}
	if ok {
		t.delete(r.u, id)
	}
	id, err := t.insert(r.u, copyKey(k))
	if err != nil {
		return affiliate.IdempotencyKey{}, false, r.u.fail(err)
	}
	return copyKey(*t.at(id)), true, nil
}

func (r idempotencyKeys) Complete(ctx context.Context, k affiliate.IdempotencyKey) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	if err := k.Validate(); err != nil {
		return r.u.fail(err)
	}
	id, ok := r.held(k.Principal, k.Key, k.Token)
	if !ok {
		return r.u.fail(affiliate.NotFound("idempotency_key", k.Key))
	}
	r.u.db.core.keys.replace(r.u, id, copyKey(k))
	return nil
}

func (r idempotencyKeys) Remove(ctx context.Context, principal, key, token string) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	if id, ok := r.held(principal, key, token); ok {
		r.u.db.core.keys.delete(r.u, id)
	}
	return nil
}

// held finds the key unless a request with another token has taken it over.
func (r idempotencyKeys) held(principal, key, token string) (uint32, bool) {
	t := r.u.db.core.keys
	id, ok := t.byName.find(keyName{principal, key})
	return id, ok && t.at(id).Token == token
}

func (r idempotencyKeys) Expire(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := r.u.change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.core.keys
	var over []uint32
	t.byExpires.each(0, 0, func(id uint32) bool {
		if len(over) >= limit || t.at(id).ExpiresAt.After(now) {
			return false
		}
		over = append(over, id)
		return true
	})
	for _, id := range over {
		t.delete(r.u, id)
	}
	return len(over), nil
}
