package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type userName struct {
	client int64  // 0: of no client
	name   string // folded
}

type userTable struct {
	engine.Entities[affiliate.User]
	byEmail    *engine.Unique[affiliate.User, string]
	byUsername *engine.Unique[affiliate.User, userName]
	byClient   *engine.Groups[affiliate.User, int64]
	bySocial   *engine.Tags[affiliate.User, string]
}

func newUserTable(db *DB) userTable {
	type E = affiliate.User
	t := engine.NewTable[E](&db.store)
	return userTable{
		engine.Entities[E]{
			Table: t, Resource: "user",
			ID: func(u *E) *int64 { return &u.ID },
			Own: func(u E) E {
				u.SocialMedia, u.TagIDs = engine.Copied(u.SocialMedia), engine.Copied(u.TagIDs)
				return u
			},
			Times: func(u *E) []*time.Time {
				return []*time.Time{&u.VerifiedAt, &u.SuspendedAt, &u.CreatedAt, &u.UpdatedAt}
			},
			Refuses: func(f *engine.Refusal, u *E, id uint32) {
				f.Refers(db.core.clients.KnowsOr0(u.ClientID), "client_id")
				f.Refers(db.core.userTags.KnowsAll(u.TagIDs), "tag_ids")
				f.Refers(db.core.tiers.KnowsOr0(u.TierID), "tier_id")
				f.Unique(db.core.users.byEmail.Taken(u, id), "email")
				f.Unique(db.core.users.byUsername.Taken(u, id), "username")
			},
			Sort: engine.Columns[E]{
				"username":         engine.Text(func(u *E) string { return u.Username }),
				"display_name":     engine.Text(func(u *E) string { return u.DisplayName }),
				"email":            engine.Text(func(u *E) string { return u.Email }),
				"client_id":        engine.Number(func(u *E) int64 { return u.ClientID }),
				"preferred_locale": engine.Text(func(u *E) string { return u.Locale }),
				"created_at":       engine.Time(func(u *E) time.Time { return u.CreatedAt }),
			},
		},
		engine.NewUnique(t, func(u *E) (string, bool) { return u.Email, u.Email != "" }),
		engine.NewUnique(t, func(u *E) (userName, bool) { return userName{u.ClientID, affiliate.Fold(u.Username)}, true }),
		engine.NewGroups(t, func(u *E) (int64, bool) { return u.ClientID, u.ClientID != 0 }, nil),
		engine.NewTags(t, socialIdentifiers),
	}
}

func (*userTable) in(db *DB) *engine.Entities[affiliate.User] { return &db.core.users.Entities }

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

type (
	userRepo = repo[affiliate.User, *userTable]
	users    struct{ userRepo }
)

var _ affiliate.UserRepository = users{}

func (r users) ByUsername(ctx context.Context, clientID int64, username string) (affiliate.User, error) {
	return findBy(ctx, r.u, r.all(), r.u.db.core.users.byUsername, userName{clientID, affiliate.Fold(username)}, username)
}

func (r users) ByEmails(ctx context.Context, emails []string) ([]affiliate.User, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.core.users.byEmail.Among(emails) })
}

func (r users) BySocialMedia(ctx context.Context, identifiers []string) ([]affiliate.User, error) {
	return r.rows(ctx, func() []uint32 { return engine.ByKeys(r.u.db.core.users.bySocial.Of, identifiers) })
}

func (r users) List(ctx context.Context, f affiliate.UserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.User], error) {
	type E = affiliate.User
	core := &r.u.db.core
	return r.list(ctx, p, func(w *engine.Where[E]) {
		w.Query(f.Query, func(u *E) int64 { return u.ID }, func(u *E) string { return u.Username }, func(u *E) string { return u.Email })
		engine.EqualIn(w, f.ClientID, core.users.byClient)
		w.Rows(f.GroupID != 0, func() []uint32 { return engine.Through(core.clients.byGroup.Of(f.GroupID), core.users.byClient) })
		w.Rows(f.AdvertiserIDs != nil, func() []uint32 { return core.relations.users(f.AdvertiserIDs) })
		w.Rows(f.Around != (affiliate.Around{}), func() []uint32 {
			return engine.Sorted(append(core.relations.users([]int64{f.Around.AdvertiserID}), core.users.byClient.Of(f.Around.ClientID)...))
		})
		w.That(f.EmailPrefix != "", func(u *E) bool { return strings.HasPrefix(u.Email, f.EmailPrefix) })
		w.Among(f.IDs)
		engine.Equal(w, f.Status, func(u *E) affiliate.UserStatus { return u.Status() })
	})
}

func (r users) Relate(ctx context.Context, userID, advertiserID int64, acts bool) error {
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
	t, pair := core.relations, relation{user, advertiser}
	id, ok := t.byPair.Find(pair)
	if !ok {
		if _, err := t.Insert(relationRow{pair, acts}); err != nil {
			return r.u.Fail(err)
		}
		return nil
	}
	if acts && !t.At(id).acts {
		t.Touch(id).acts = true
	}
	return nil
}

func (r users) ActingAt(ctx context.Context, userIDs, advertiserIDs []int64) ([]int64, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	core := &r.u.db.core
	var out []int64
	for _, id := range idset.Sorted(userIDs) {
		if user, ok := core.users.Find(id); ok && core.relations.acting(user, advertiserIDs) {
			out = append(out, id)
		}
	}
	return out, nil
}

// relation names a user and an advertiser that work with each other.
type relation struct{ user, advertiser uint32 }

type relationRow struct {
	relation
	acts bool // the user did something there itself
}

type relationTable struct {
	*engine.Table[relationRow]
	byPair       *engine.Unique[relationRow, relation]
	byAdvertiser *engine.Groups[relationRow, uint32]
}

func newRelationTable(db *DB) relationTable {
	t := engine.NewTable[relationRow](&db.store)
	return relationTable{t,
		engine.NewUnique(t, func(r *relationRow) (relation, bool) { return r.relation, true }),
		engine.NewGroups(t, func(r *relationRow) (uint32, bool) { return r.advertiser, true }, nil),
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

// acting reports whether the user acted at one of the advertisers.
func (t relationTable) acting(user uint32, advertiserIDs []int64) bool {
	for _, a := range advertiserIDs {
		if a <= 0 || a > 1<<32-1 {
			continue
		}
		if id, ok := t.byPair.Find(relation{user, uint32(a)}); ok && t.At(id).acts {
			return true
		}
	}
	return false
}
