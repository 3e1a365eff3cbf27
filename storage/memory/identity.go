package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

var _ identity.Tx = coreTx{}

func (tx coreTx) Tokens() identity.TokenRepository           { return tokens(tx) }
func (tx coreTx) Memberships() identity.MembershipRepository { return memberships(tx) }

// Identity is the view for package identity.
func (db *DB) Identity() identity.Store {
	return view[identity.Tx]{db, func(u *unit) identity.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// subject names an account of a role.
type subject struct {
	role affiliate.Role
	name string
}

type tokenTable struct {
	*engine.Table[identity.AccessToken]
	byHash    *engine.Unique[identity.AccessToken, [32]byte]
	bySubject *engine.Groups[identity.AccessToken, subject]
}

func newTokenTable(db *DB) tokenTable {
	t := engine.NewTable[identity.AccessToken](&db.store)
	return tokenTable{t,
		engine.NewUnique(t, func(t *identity.AccessToken) ([32]byte, bool) { return t.Hash, true }),
		engine.NewGroups(t, func(t *identity.AccessToken) (subject, bool) { return subject{t.Role, t.Subject}, true }, nil),
	}
}

func copyToken(id uint32, t *identity.AccessToken) identity.AccessToken {
	c := *t
	c.ID = int64(id)
	return c
}

func keptToken(t identity.AccessToken) identity.AccessToken {
	t.CreatedAt, t.ExpiresAt = engine.Kept(t.CreatedAt), engine.Kept(t.ExpiresAt)
	return t
}

type tokens struct{ u *unit }

func (r tokens) check(t identity.AccessToken) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.users.KnowsOr0(t.UserID), "user_id")
	f.Refers(core.clients.KnowsOr0(t.ClientID), "client_id")
	f.Unique(core.tokens.byHash.Taken(&t, 0), "hash")
	return f.Err("access_token")
}

func (r tokens) Add(ctx context.Context, t identity.AccessToken) (identity.AccessToken, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.tokens.Table, t, keptToken, r.check, copyToken)
}

func (r tokens) ByHash(ctx context.Context, hash [32]byte) (identity.AccessToken, error) {
	if err := r.u.Use(ctx); err != nil {
		return identity.AccessToken{}, err
	}
	t := r.u.db.core.tokens
	id, ok := t.byHash.Find(hash)
	if !ok {
		return identity.AccessToken{}, affiliate.NotFound("access_token", "")
	}
	return copyToken(id, t.At(id)), nil
}

func (r tokens) BySubject(ctx context.Context, role affiliate.Role, name string) ([]identity.AccessToken, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.tokens
	return engine.Collect(t.Table, t.bySubject.Of(subject{role, name}), copyToken), nil
}

func (r tokens) Delete(ctx context.Context, id int64) error {
	return engine.Remove(ctx, &r.u.Unit, r.u.db.core.tokens.Table, "access_token", id)
}

type membershipTable struct {
	*engine.Table[identity.Membership]
	byAll     *engine.Unique[identity.Membership, identity.Membership]
	bySubject *engine.Groups[identity.Membership, subject]
}

func newMembershipTable(db *DB) membershipTable {
	t := engine.NewTable[identity.Membership](&db.store)
	return membershipTable{t,
		engine.NewUnique(t, func(m *identity.Membership) (identity.Membership, bool) { return *m, true }),
		engine.NewGroups(t, func(m *identity.Membership) (subject, bool) { return subject{m.Role, m.Subject}, true }, nil),
	}
}

type memberships struct{ u *unit }

func (r memberships) Add(ctx context.Context, m identity.Membership) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := m.Validate(); err != nil {
		return r.u.Fail(err)
	}
	core := &r.u.db.core
	var f engine.Refusal
	f.Refers(core.advertisers.Knows(m.AdvertiserID), "advertiser_id")
	if err := f.Err("membership"); err != nil {
		return r.u.Fail(err)
	}
	if _, ok := core.memberships.byAll.Find(m); ok {
		return nil
	}
	if _, err := core.memberships.Insert(m); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

func (r memberships) Advertisers(ctx context.Context, role affiliate.Role, names ...string) ([]int64, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.memberships
	var ids []int64
	for _, name := range names {
		for _, m := range t.bySubject.Of(subject{role, name}) {
			ids = append(ids, t.At(m).AdvertiserID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (r memberships) Remove(ctx context.Context, m identity.Membership) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.core.memberships
	if id, ok := t.byAll.Find(m); ok {
		t.Delete(id)
	}
	return nil
}
