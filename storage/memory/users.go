package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type userName struct {
	client int64 // 0: of no client
	name   string
}

type userTable struct {
	*table[affiliate.User]
	byEmail    *unique[affiliate.User, string]
	byUsername *unique[affiliate.User, userName]
	byClient   *groups[affiliate.User, int64]
	bySocial   *tags[affiliate.User, string]
}

func newUserTable() userTable {
	t := &table[affiliate.User]{}
	return userTable{t,
		newUnique(t, func(u *affiliate.User) (string, bool) { return u.Email, u.Email != "" }),
		newUnique(t, func(u *affiliate.User) (userName, bool) { return userName{u.ClientID, u.Username}, true }),
		newGroups(t, func(u *affiliate.User) (int64, bool) { return u.ClientID, u.ClientID != 0 }, nil),
		newTags(t, socialIdentifiers),
	}
}

// socialIdentifiers are the handles of a user, each once, whatever the network.
func socialIdentifiers(u *affiliate.User) []string {
	if len(u.SocialMedia) == 0 {
		return nil
	}
	handles := make([]string, len(u.SocialMedia))
	for i, s := range u.SocialMedia {
		handles[i] = s.Identifier
	}
	slices.Sort(handles)
	return slices.Compact(handles)
}

var userColumns = columns[affiliate.User]{
	"username":         text(func(u *affiliate.User) string { return u.Username }),
	"display_name":     text(func(u *affiliate.User) string { return u.DisplayName }),
	"email":            text(func(u *affiliate.User) string { return u.Email }),
	"client_id":        number(func(u *affiliate.User) int64 { return u.ClientID }),
	"preferred_locale": text(func(u *affiliate.User) string { return u.Locale }),
	"created_at":       number(func(u *affiliate.User) int64 { return u.CreatedAt.UnixMicro() }),
}

func copyUser(id uint32, u *affiliate.User) (c affiliate.User) {
	c = *u
	c.ID = int64(id)
	c.SocialMedia = copied(u.SocialMedia)
	c.TagIDs = copied(u.TagIDs)
	return c
}

func keptUser(u affiliate.User) affiliate.User {
	u = copyUser(0, &u)
	u.VerifiedAt, u.SuspendedAt = kept(u.VerifiedAt), kept(u.SuspendedAt)
	u.CreatedAt, u.UpdatedAt = kept(u.CreatedAt), kept(u.UpdatedAt)
	return u
}

type users struct{ u *unit }

func (r users) check(u affiliate.User) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.clients.knowsOr0(u.ClientID), "client_id")
	f.refers(core.userTags.knowsAll(u.TagIDs), "tag_ids")
	f.refers(core.tiers.knowsOr0(u.TierID), "tier_id")
	f.frees(core.users.byEmail.taken(&u, uint32(u.ID)), "email")
	f.frees(core.users.byUsername.taken(&u, uint32(u.ID)), "username")
	return f.err("user")
}

func (r users) Add(ctx context.Context, u affiliate.User) (affiliate.User, error) {
	u.ID = 0
	return add(ctx, r.u, r.u.db.core.users.table, u, keptUser, r.check, copyUser)
}

func (r users) Get(ctx context.Context, id int64) (affiliate.User, error) {
	return getRow(ctx, r.u, r.u.db.core.users.table, "user", id, copyUser)
}

func (r users) GetMany(ctx context.Context, ids []int64) ([]affiliate.User, error) {
	return getRows(ctx, r.u, r.u.db.core.users.table, ids, copyUser)
}

func (r users) ByEmails(ctx context.Context, emails []string) ([]affiliate.User, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.users
	var ids []uint32
	for _, email := range emails {
		if id, ok := t.byEmail.find(email); ok {
			ids = append(ids, id)
		}
	}
	return answer(t.table, sorted(ids), copyUser), nil
}

func (r users) BySocialMedia(ctx context.Context, identifiers []string) ([]affiliate.User, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.users
	return answer(t.table, byKeys(t.bySocial.of, identifiers), copyUser), nil
}

func (r users) Update(ctx context.Context, u affiliate.User) error {
	return update(ctx, r.u, r.u.db.core.users.table, "user", u.ID, u, keptUser, r.check)
}

func (r users) List(ctx context.Context, f affiliate.UserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.User], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[affiliate.User]{}, err
	}
	core := &r.u.db.core
	t := core.users
	s := everything[affiliate.User]()
	switch {
	case f.IDs != nil:
		s = only[affiliate.User](t.among(f.IDs))
	case f.AdvertiserIDs != nil:
		s = only[affiliate.User](core.relations.users(f.AdvertiserIDs))
	case f.ClientID != 0:
		s = only[affiliate.User](t.byClient.of(f.ClientID))
	case f.GroupID != 0:
		var ids []int64
		for _, c := range core.clients.byGroup.of(f.GroupID) {
			ids = append(ids, int64(c))
		}
		s = only[affiliate.User](byKeys(t.byClient.of, ids))
	}
	if f.Query != "" || f.ClientID != 0 || f.GroupID != 0 || f.AdvertiserIDs != nil || f.Status != "" {
		s.keep = func(id uint32, u *affiliate.User) bool {
			return (f.Query == "" || isID(f.Query, id) || matches(u.Username, f.Query) || matches(u.Email, f.Query)) &&
				(f.ClientID == 0 || f.ClientID == u.ClientID) &&
				(f.GroupID == 0 || u.ClientID != 0 && core.clients.at(uint32(u.ClientID)).GroupID == f.GroupID) &&
				(f.AdvertiserIDs == nil || f.IDs == nil || core.relations.any(id, f.AdvertiserIDs)) &&
				(f.Status == "" || f.Status == u.Status())
		}
	}
	return page(r.u, t.table, s, p, userColumns, copyUser)
}

func (r users) Relate(ctx context.Context, userID, advertiserID int64) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	core := &r.u.db.core
	user, okUser := core.users.find(userID)
	advertiser, okAdvertiser := core.advertisers.find(advertiserID)
	var f refusal
	f.refers(okUser, "user_id")
	f.refers(okAdvertiser, "advertiser_id")
	if err := f.err("user"); err != nil {
		return r.u.fail(err)
	}
	pair := relation{user, advertiser}
	if _, ok := core.relations.byPair.find(pair); ok {
		return nil
	}
	if _, err := core.relations.insert(r.u, pair); err != nil {
		return r.u.fail(err)
	}
	return nil
}

// relation says that a user works with an advertiser.
type relation struct{ user, advertiser uint32 }

type relationTable struct {
	*table[relation]
	byPair       *unique[relation, relation]
	byAdvertiser *groups[relation, uint32]
}

func newRelationTable() relationTable {
	t := &table[relation]{}
	return relationTable{t,
		newUnique(t, func(r *relation) (relation, bool) { return *r, true }),
		newGroups(t, func(r *relation) (uint32, bool) { return r.advertiser, true }, nil),
	}
}

// users are those related to one of the advertisers, ascending.
func (t relationTable) users(advertiserIDs []int64) []uint32 {
	var ids []uint32
	for _, a := range advertiserIDs {
		if a <= 0 || a > 1<<32-1 {
			continue
		}
		for _, pair := range t.byAdvertiser.of(uint32(a)) {
			ids = append(ids, t.at(pair).user)
		}
	}
	return sorted(ids)
}

// any reports whether the user is related to one of the advertisers.
func (t relationTable) any(user uint32, advertiserIDs []int64) bool {
	for _, a := range advertiserIDs {
		if a <= 0 || a > 1<<32-1 {
			continue
		}
		if _, ok := t.byPair.find(relation{user, uint32(a)}); ok {
			return true
		}
	}
	return false
}
