package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// subject names an account of a role.
type subject struct {
	role affiliate.Role
	name string
}

type tokenTable struct {
	*table[affiliate.AccessToken]
	byHash    *unique[affiliate.AccessToken, [32]byte]
	bySubject *groups[affiliate.AccessToken, subject]
}

func newTokenTable() tokenTable {
	t := &table[affiliate.AccessToken]{}
	return tokenTable{t,
		newUnique(t, func(t *affiliate.AccessToken) ([32]byte, bool) { return t.Hash, true }),
		newGroups(t, func(t *affiliate.AccessToken) (subject, bool) { return subject{t.Role, t.Subject}, true }, nil),
	}
}

func copyToken(id uint32, t *affiliate.AccessToken) affiliate.AccessToken {
	c := *t
	c.ID = int64(id)
	return c
}

func keptToken(t affiliate.AccessToken) affiliate.AccessToken {
	t.CreatedAt, t.ExpiresAt = kept(t.CreatedAt), kept(t.ExpiresAt)
	return t
}

type tokens struct{ u *unit }

func (r tokens) check(t affiliate.AccessToken) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.users.knowsOr0(t.UserID), "user_id")
	f.refers(core.clients.knowsOr0(t.ClientID), "client_id")
	f.frees(core.tokens.byHash.taken(&t, 0), "hash")
	return f.err("access_token")
}

func (r tokens) Add(ctx context.Context, t affiliate.AccessToken) (affiliate.AccessToken, error) {
	return add(ctx, r.u, r.u.db.core.tokens.table, t, keptToken, r.check, copyToken)
}

func (r tokens) ByHash(ctx context.Context, hash [32]byte) (affiliate.AccessToken, error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.AccessToken{}, err
	}
	t := r.u.db.core.tokens
	id, ok := t.byHash.find(hash)
	if !ok {
		return affiliate.AccessToken{}, affiliate.NotFound("access_token", "")
	}
	return copyToken(id, t.at(id)), nil
}

func (r tokens) BySubject(ctx context.Context, role affiliate.Role, name string) ([]affiliate.AccessToken, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.tokens
	return answer(t.table, t.bySubject.of(subject{role, name}), copyToken), nil
}

func (r tokens) Delete(ctx context.Context, id int64) error {
	return remove(ctx, r.u, r.u.db.core.tokens.table, "access_token", id)
}

type membershipTable struct {
	*table[affiliate.Membership]
	byAll     *unique[affiliate.Membership, affiliate.Membership]
	bySubject *groups[affiliate.Membership, subject]
}

func newMembershipTable() membershipTable {
	t := &table[affiliate.Membership]{}
	return membershipTable{t,
		newUnique(t, func(m *affiliate.Membership) (affiliate.Membership, bool) { return *m, true }),
		newGroups(t, func(m *affiliate.Membership) (subject, bool) { return subject{m.Role, m.Subject}, true }, nil),
	}
}

type memberships struct{ u *unit }

func (r memberships) Add(ctx context.Context, m affiliate.Membership) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	if err := m.Validate(); err != nil {
		return r.u.fail(err)
	}
	core := &r.u.db.core
	var f refusal
	f.refers(core.advertisers.knows(m.AdvertiserID), "advertiser_id")
	if err := f.err("membership"); err != nil {
		return r.u.fail(err)
	}
	if _, ok := core.memberships.byAll.find(m); ok {
		return nil
	}
	if _, err := core.memberships.insert(r.u, m); err != nil {
		return r.u.fail(err)
	}
	return nil
}

func (r memberships) Advertisers(ctx context.Context, role affiliate.Role, name string) ([]int64, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.memberships
	var ids []int64
	for _, m := range t.bySubject.of(subject{role, name}) {
		ids = append(ids, t.at(m).AdvertiserID)
	}
	slices.Sort(ids)
	return ids, nil
}

func (r memberships) Remove(ctx context.Context, m affiliate.Membership) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	t := r.u.db.core.memberships
	if id, ok := t.byAll.find(m); ok {
		t.delete(r.u, id)
	}
	return nil
}
