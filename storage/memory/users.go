package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type userName struct {
	client int64 // 0: of no client
	name   string
}

type userTable struct {
	*engine.Table[affiliate.User]
	byEmail    *engine.Unique[affiliate.User, string]
	byUsername *engine.Unique[affiliate.User, userName]
	byClient   *engine.Groups[affiliate.User, int64]
	bySocial   *engine.Tags[affiliate.User, string]
}

func newUserTable(db *DB) userTable {
	t := engine.NewTable[affiliate.User](&db.store)
	return userTable{t,
		engine.NewUnique(t, func(u *affiliate.User) (string, bool) { return u.Email, u.Email != "" }),
		engine.NewUnique(t, func(u *affiliate.User) (userName, bool) { return userName{u.ClientID, u.Username}, true }),
		engine.NewGroups(t, func(u *affiliate.User) (int64, bool) { return u.ClientID, u.ClientID != 0 }, nil),
		engine.NewTags(t, socialIdentifiers),
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

var userColumns = engine.Columns[affiliate.User]{
	"username":         engine.Text(func(u *affiliate.User) string { return u.Username }),
	"display_name":     engine.Text(func(u *affiliate.User) string { return u.DisplayName }),
	"email":            engine.Text(func(u *affiliate.User) string { return u.Email }),
	"client_id":        engine.Number(func(u *affiliate.User) int64 { return u.ClientID }),
	"preferred_locale": engine.Text(func(u *affiliate.User) string { return u.Locale }),
	"created_at":       engine.Number(func(u *affiliate.User) int64 { return u.CreatedAt.UnixMicro() }),
}

func copyUser(id uint32, u *affiliate.User) (c affiliate.User) {
	c = *u
	c.ID = int64(id)
	c.SocialMedia = engine.Copied(u.SocialMedia)
	c.TagIDs = engine.Copied(u.TagIDs)
	return c
}

func keptUser(u affiliate.User) affiliate.User {
	u = copyUser(0, &u)
	u.VerifiedAt, u.SuspendedAt = engine.Kept(u.VerifiedAt), engine.Kept(u.SuspendedAt)
	u.CreatedAt, u.UpdatedAt = engine.Kept(u.CreatedAt), engine.Kept(u.UpdatedAt)
	return u
}

type users struct{ u *unit }

func (r users) check(u affiliate.User) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.clients.KnowsOr0(u.ClientID), "client_id")
	f.Refers(core.userTags.KnowsAll(u.TagIDs), "tag_ids")
	f.Refers(core.tiers.KnowsOr0(u.TierID), "tier_id")
	f.Unique(core.users.byEmail.Taken(&u, uint32(u.ID)), "email")
	f.Unique(core.users.byUsername.Taken(&u, uint32(u.ID)), "username")
	return f.Err("user")
}

func (r users) Add(ctx context.Context, u affiliate.User) (affiliate.User, error) {
	u.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.users.Table, u, keptUser, r.check, copyUser)
}

func (r users) Get(ctx context.Context, id int64) (affiliate.User, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.core.users.Table, "user", id, copyUser)
}

func (r users) GetMany(ctx context.Context, ids []int64) ([]affiliate.User, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.users.Table, ids, copyUser)
}

func (r users) ByEmails(ctx context.Context, emails []string) ([]affiliate.User, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.users
	var ids []uint32
	for _, email := range emails {
		if id, ok := t.byEmail.Find(email); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyUser), nil
}

func (r users) BySocialMedia(ctx context.Context, identifiers []string) ([]affiliate.User, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.users
	return engine.Collect(t.Table, engine.ByKeys(t.bySocial.Of, identifiers), copyUser), nil
}

func (r users) Update(ctx context.Context, u affiliate.User) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.core.users.Table, "user", u.ID, u, keptUser, r.check)
}

func (r users) List(ctx context.Context, f affiliate.UserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.User], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.User]{}, err
	}
	core := &r.u.db.core
	t := core.users
	s := engine.Everything[affiliate.User]()
	switch {
	case f.IDs != nil:
		s = engine.Only[affiliate.User](t.Among(f.IDs))
	case f.AdvertiserIDs != nil:
		s = engine.Only[affiliate.User](core.relations.users(f.AdvertiserIDs))
	case f.ClientID != 0:
		s = engine.Only[affiliate.User](t.byClient.Of(f.ClientID))
	case f.GroupID != 0:
		var ids []int64
		for _, c := range core.clients.byGroup.Of(f.GroupID) {
			ids = append(ids, int64(c))
		}
		s = engine.Only[affiliate.User](engine.ByKeys(t.byClient.Of, ids))
	}
	if f.Query != "" || f.ClientID != 0 || f.GroupID != 0 || f.AdvertiserIDs != nil || f.Status != "" {
		s.Keep = func(id uint32, u *affiliate.User) bool {
			return (f.Query == "" || engine.IsID(f.Query, id) || engine.Matches(u.Username, f.Query) || engine.Matches(u.Email, f.Query)) &&
				(f.ClientID == 0 || f.ClientID == u.ClientID) &&
				(f.GroupID == 0 || u.ClientID != 0 && core.clients.At(uint32(u.ClientID)).GroupID == f.GroupID) &&
				(f.AdvertiserIDs == nil || f.IDs == nil || core.relations.any(id, f.AdvertiserIDs)) &&
				(f.Status == "" || f.Status == u.Status())
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, userColumns, copyUser)
}

func (r users) Relate(ctx context.Context, userID, advertiserID int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	core := &r.u.db.core
	user, okUser := core.users.Find(userID)
	advertiser, okAdvertiser := core.advertisers.Find(advertiserID)
	var f engine.Refusal
	f.Refers(okUser, "user_id")
	f.Refers(okAdvertiser, "advertiser_id")
	if err := f.Err("user"); err != nil {
		return r.u.Fail(err)
	}
	pair := relation{user, advertiser}
	if _, ok := core.relations.byPair.Find(pair); ok {
		return nil
	}
	if _, err := core.relations.Insert(pair); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

// relation says that a user works with an advertiser.
type relation struct{ user, advertiser uint32 }

type relationTable struct {
	*engine.Table[relation]
	byPair       *engine.Unique[relation, relation]
	byAdvertiser *engine.Groups[relation, uint32]
}

func newRelationTable(db *DB) relationTable {
	t := engine.NewTable[relation](&db.store)
	return relationTable{t,
		engine.NewUnique(t, func(r *relation) (relation, bool) { return *r, true }),
		engine.NewGroups(t, func(r *relation) (uint32, bool) { return r.advertiser, true }, nil),
	}
}

// users are those related to one of the advertisers, ascending.
func (t relationTable) users(advertiserIDs []int64) []uint32 {
	var ids []uint32
	for _, a := range advertiserIDs {
		if a <= 0 || a > 1<<32-1 {
			continue
		}
		for _, pair := range t.byAdvertiser.Of(uint32(a)) {
			ids = append(ids, t.At(pair).user)
		}
	}
	return engine.Sorted(ids)
}

// any reports whether the user is related to one of the advertisers.
func (t relationTable) any(user uint32, advertiserIDs []int64) bool {
	for _, a := range advertiserIDs {
		if a <= 0 || a > 1<<32-1 {
			continue
		}
		if _, ok := t.byPair.Find(relation{user, uint32(a)}); ok {
			return true
		}
	}
	return false
}
