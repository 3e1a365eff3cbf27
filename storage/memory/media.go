package memory

import (
	"cmp"
	"context"
	"reflect"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

var _ media.Tx = coreTx{}

func (tx coreTx) Media() media.Repository { return mediaRepository(tx) }

// Media is the view for package media.
func (db *DB) Media() media.Store {
	return view[media.Tx]{db, func(u *unit) media.Tx { return coreTx{u} }}
}

// mediumKey is what no two media share.
type mediumKey struct{ network, id string }

type mediaTable struct {
	*engine.Table[media.Medium]
	byKey *engine.Unique[media.Medium, mediumKey]
}

func newMediaTable(db *DB) mediaTable {
	t := engine.NewTable[media.Medium](&db.store)
	return mediaTable{t, engine.NewUnique(t, func(m *media.Medium) (mediumKey, bool) { return mediumKey{m.Type, m.ExternalID}, true })}
}

func keptMedium(m media.Medium) media.Medium {
	m.PublishedAt, m.CreatedAt, m.UpdatedAt = engine.Kept(m.PublishedAt), engine.Kept(m.CreatedAt), engine.Kept(m.UpdatedAt)
	return m
}

var mediaColumns = engine.Columns[media.Medium]{
	"published_at": engine.Number(func(m *media.Medium) int64 { return m.PublishedAt.UnixMicro() }),
	"created_at":   engine.Number(func(m *media.Medium) int64 { return m.CreatedAt.UnixMicro() }),
}

type mediaRepository struct{ u *unit }

func (r mediaRepository) refuse(m media.Medium) engine.Refusal {
	var f engine.Refusal
	f.Refers(r.u.db.core.users.KnowsOr0(m.UserID), "user_id")
	f.Refers(r.u.db.core.userTags.KnowsOr0(m.TagID), "tag_id")
	return f
}

func (r mediaRepository) AddOrGet(ctx context.Context, m media.Medium) (media.Medium, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return media.Medium{}, false, err
	}
	if err := m.Validate(); err != nil {
		return media.Medium{}, false, r.u.Fail(err)
	}
	t := r.u.db.media
	if id, ok := t.byKey.Find(mediumKey{m.Type, m.ExternalID}); ok {
		return *t.At(id), false, nil
	}
	f := r.refuse(m)
	if err := f.Err("medium"); err != nil {
		return media.Medium{}, false, r.u.Fail(err)
	}
	m.ID = int64(t.Last()) + 1
	id, err := t.Insert(keptMedium(m))
	if err != nil {
		return media.Medium{}, false, r.u.Fail(err)
	}
	return *t.At(id), true, nil
}

func (r mediaRepository) Get(ctx context.Context, id int64) (media.Medium, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.media.Table, "medium", id, engine.AsKept)
}

func (r mediaRepository) Update(ctx context.Context, m media.Medium) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.media.Table, "medium", m.ID, m, keptMedium, func(m media.Medium) error {
		f := r.refuse(m)
		f.Unique(r.u.db.media.byKey.Taken(&m, uint32(m.ID)), "media_id")
		return f.Err("medium")
	})
}

func (r mediaRepository) List(ctx context.Context, f media.Filter, p affiliate.PageRequest) (affiliate.Page[media.Medium], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[media.Medium]{}, err
	}
	users := r.u.db.core.users
	s := engine.Everything[media.Medium]()
	around := map[uint32]bool{}
	if f.Around != (affiliate.Around{}) {
		core := &r.u.db.core
		for _, id := range append(core.relations.users([]int64{f.Around.AdvertiserID}), core.users.byClient.Of(f.Around.ClientID)...) {
			around[id] = true
		}
	}
	if !reflect.DeepEqual(f, media.Filter{}) {
		s.Keep = func(id uint32, m *media.Medium) bool {
			return (f.Query == "" || engine.IsID(f.Query, id) || engine.Matches(m.Username, f.Query) || engine.Matches(m.ExternalID, f.Query)) &&
				(f.Type == "" || f.Type == m.Type) &&
				(!f.Visibility.Set || f.Visibility.Value == m.Visibility) &&
				(!f.Favorite.Set || f.Favorite.Value == m.Favorite) &&
				(f.Group == 0 || f.Group == m.Group) &&
				(f.Username == "" || f.Username == m.Username) &&
				(f.ExternalID == "" || f.ExternalID == m.ExternalID) &&
				strings.HasPrefix(m.ContentType, f.Content) &&
				(f.Around == (affiliate.Around{}) || around[uint32(m.UserID)]) &&
				(f.ClientID == 0 || m.UserID != 0 && users.At(uint32(m.UserID)).ClientID == f.ClientID)
		}
	}
	cols := mediaColumns
	if len(f.First) > 0 {
		then, known := mediaColumns[p.Sort.Column]
		if p.Sort.Column == "" || p.Sort.Column == "id" {
			then, known = engine.Number(func(m *media.Medium) int64 { return m.ID }), true
		}
		if known {
			cols = engine.Columns[media.Medium]{p.Sort.Column: ranked(f.First, p.Sort.Desc, then)}
		}
	}
	return engine.Page(&r.u.Unit, r.u.db.media.Table, s, p, cols, engine.AsKept)
}

// ranked puts media of the users first, in their order, and within one rank
// leaves the order to then. A descending page reverses what it returns, but the
// ranks.
func ranked(users []int64, desc bool, then func(a, b *media.Medium) int) func(a, b *media.Medium) int {
	rank := make(map[int64]int, len(users))
	for i, id := range users {
		rank[id] = i
	}
	of := func(m *media.Medium) int {
		if n, ok := rank[m.UserID]; ok {
			return n
		}
		return len(users)
	}
	return func(a, b *media.Medium) int {
		by := cmp.Compare(of(a), of(b))
		if desc {
			by = -by
		}
		return cmp.Or(by, then(a, b))
	}
}
