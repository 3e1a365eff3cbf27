package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

func (tx coreTx) Accounts() identity.AccountRepository { return accounts(tx) }
func (tx coreTx) Agencies() identity.AgencyRepository  { return agencies(tx) }
func (tx coreTx) Invites() identity.InviteRepository   { return invites(tx) }
func (tx coreTx) Persons() identity.PersonRepository   { return persons(tx) }

// identityTables are the tables of package identity that the core does not have.
type identityTables struct {
	accounts accountTable
	agencies *engine.Table[identity.Agency]
	invites  inviteTable
}

func newIdentityTables(db *DB) identityTables {
	return identityTables{accounts: newAccountTable(db), agencies: engine.NewTable[identity.Agency](&db.store), invites: newInviteTable(db)}
}

type accountTable struct {
	*engine.Table[identity.Account]
	bySubject *engine.Unique[identity.Account, string]
	byUser    *engine.Unique[identity.Account, int64]
}

func newAccountTable(db *DB) accountTable {
	t := engine.NewTable[identity.Account](&db.store)
	return accountTable{t,
		engine.NewUnique(t, func(a *identity.Account) (string, bool) { return a.Subject, true }),
		engine.NewUnique(t, func(a *identity.Account) (int64, bool) { return a.UserID, a.UserID != 0 }),
	}
}

func copyAccount(id uint32, a *identity.Account) identity.Account {
	c := *a
	c.ID, c.AgencyIDs = int64(id), engine.Copied(a.AgencyIDs)
	return c
}

func keptAccount(a identity.Account) identity.Account {
	a.AgencyIDs, a.CreatedAt, a.UpdatedAt = engine.Copied(a.AgencyIDs), engine.Kept(a.CreatedAt), engine.Kept(a.UpdatedAt)
	return a
}

type accounts struct{ u *unit }

func (r accounts) check(a identity.Account) error {
	var f engine.Refusal
	db := r.u.db
	f.Refers(db.core.users.KnowsOr0(a.UserID), "user_id")
	f.Refers(db.identity.agencies.KnowsAll(a.AgencyIDs), "agency_ids")
	f.Unique(db.identity.accounts.bySubject.Taken(&a, uint32(a.ID)), "subject")
	f.Unique(db.identity.accounts.byUser.Taken(&a, uint32(a.ID)), "user_id")
	return f.Err("account")
}

func (r accounts) Add(ctx context.Context, a identity.Account) (identity.Account, error) {
	a.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.identity.accounts.Table, a, keptAccount, r.check, copyAccount)
}

func (r accounts) Get(ctx context.Context, id int64) (identity.Account, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.identity.accounts.Table, "account", id, copyAccount)
}

func (r accounts) BySubject(ctx context.Context, subject string) (identity.Account, error) {
	if err := r.u.Use(ctx); err != nil {
		return identity.Account{}, err
	}
	t := r.u.db.identity.accounts
	id, ok := t.bySubject.Find(subject)
	if !ok {
		return identity.Account{}, affiliate.NotFound("account", "")
	}
	return copyAccount(id, t.At(id)), nil
}

func (r accounts) ByUsers(ctx context.Context, userIDs []int64) ([]identity.Account, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.identity.accounts
	var ids []uint32
	for _, user := range userIDs {
		if id, ok := t.byUser.Find(user); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyAccount), nil
}

func (r accounts) Update(ctx context.Context, a identity.Account) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.identity.accounts.Table, "account", a.ID, a, keptAccount, r.check)
}

func copyAgency(id uint32, a *identity.Agency) identity.Agency {
	c := *a
	c.ID = int64(id)
	return c
}

func keptAgency(a identity.Agency) identity.Agency {
	a.CreatedAt = engine.Kept(a.CreatedAt)
	return a
}

type agencies struct{ u *unit }

func (r agencies) Add(ctx context.Context, a identity.Agency) (identity.Agency, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.identity.agencies, a, keptAgency, func(identity.Agency) error { return nil }, copyAgency)
}

func (r agencies) GetMany(ctx context.Context, ids []int64) ([]identity.Agency, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.identity.agencies, ids, copyAgency)
}

// inviteKey is whom an invite is for.
type inviteKey struct {
	role  affiliate.Role
	email string
}

type inviteTable struct {
	*engine.Table[identity.Invite]
	byHash *engine.Unique[identity.Invite, [32]byte]
	open   *engine.Groups[identity.Invite, inviteKey] // neither accepted nor revoked
}

func newInviteTable(db *DB) inviteTable {
	t := engine.NewTable[identity.Invite](&db.store)
	return inviteTable{t,
		engine.NewUnique(t, func(i *identity.Invite) ([32]byte, bool) { return i.Hash, true }),
		engine.NewGroups(t, func(i *identity.Invite) (inviteKey, bool) {
			return inviteKey{i.Role, i.Email}, i.AcceptedAt.IsZero() && i.RevokedAt.IsZero()
		}, nil),
	}
}

func copyInvite(id uint32, i *identity.Invite) identity.Invite {
	c := *i
	c.ID = int64(id)
	return c
}

func keptInvite(i identity.Invite) identity.Invite {
	for _, t := range []*time.Time{&i.CreatedAt, &i.ExpiresAt, &i.AcceptedAt, &i.RevokedAt} {
		*t = engine.Kept(*t)
	}
	return i
}

type invites struct{ u *unit }

func (r invites) check(i identity.Invite) error {
	var f engine.Refusal
	db := r.u.db
	f.Refers(db.core.advertisers.KnowsOr0(i.AdvertiserID), "advertiser_id")
	f.Refers(db.identity.agencies.KnowsOr0(i.AgencyID), "agency_id")
	f.Refers(db.core.users.KnowsOr0(i.By.UserID), "by")
	f.Refers(db.identity.accounts.KnowsOr0(i.AcceptedBy), "accepted_by")
	f.Unique(db.identity.invites.byHash.Taken(&i, uint32(i.ID)), "hash")
	return f.Err("invite")
}

func (r invites) Add(ctx context.Context, i identity.Invite) (identity.Invite, error) {
	i.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.identity.invites.Table, i, keptInvite, r.check, copyInvite)
}

func (r invites) Get(ctx context.Context, id int64) (identity.Invite, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.identity.invites.Table, "invite", id, copyInvite)
}

func (r invites) ByHash(ctx context.Context, hash [32]byte) (identity.Invite, error) {
	if err := r.u.Use(ctx); err != nil {
		return identity.Invite{}, err
	}
	t := r.u.db.identity.invites
	id, ok := t.byHash.Find(hash)
	if !ok {
		return identity.Invite{}, affiliate.NotFound("invite", "")
	}
	return copyInvite(id, t.At(id)), nil
}

func (r invites) Pending(ctx context.Context, role affiliate.Role, email string, now time.Time) ([]identity.Invite, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.identity.invites
	var ids []uint32
	for _, id := range t.open.Of(inviteKey{role, email}) {
		if t.At(id).ExpiresAt.After(now) {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, ids, copyInvite), nil
}

func (r invites) Update(ctx context.Context, i identity.Invite) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.identity.invites.Table, "invite", i.ID, i, keptInvite, r.check)
}
