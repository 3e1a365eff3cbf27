package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type tagSlug struct {
	advertiser int64
	slug       string
}

type userTagTable struct {
	engine.Entities[affiliate.UserTag]
	bySlug       *engine.Unique[affiliate.UserTag, tagSlug]
	byAdvertiser *engine.Groups[affiliate.UserTag, int64] // 0: of none
}

func newUserTagTable(db *DB) userTagTable {
	type E = affiliate.UserTag
	t := engine.NewTable[E](&db.store)
	return userTagTable{
		engine.Entities[E]{
			Table: t, Resource: "user_tag",
			ID:    func(t *E) *int64 { return &t.ID },
			Times: func(t *E) []*time.Time { return []*time.Time{&t.CreatedAt} },
			Refuses: func(f *engine.Refusal, t *E, id uint32) {
				f.Refers(db.core.advertisers.KnowsOr0(t.AdvertiserID), "store_id")
				f.Unique(db.core.userTags.bySlug.Taken(t, id), "slug")
			},
			Sort: engine.Columns[E]{
				"name":         engine.Text(func(t *E) string { return t.Name }),
				"slug":         engine.Text(func(t *E) string { return t.Slug }),
				"access_level": engine.Number(func(t *E) affiliate.AccessLevel { return t.AccessLevel }),
				"store_id":     engine.Number(func(t *E) int64 { return t.AdvertiserID }),
			},
		},
		engine.NewUnique(t, func(t *E) (tagSlug, bool) { return tagSlug{t.AdvertiserID, t.Slug}, true }),
		engine.NewGroups(t, func(t *E) (int64, bool) { return t.AdvertiserID, true }, nil),
	}
}

func (*userTagTable) in(db *DB) *engine.Entities[affiliate.UserTag] {
	return &db.core.userTags.Entities
}

type (
	userTagRepo = repo[affiliate.UserTag, *userTagTable]
	userTags    struct{ userTagRepo }
)

var _ affiliate.UserTagRepository = userTags{}

func (r userTags) List(ctx context.Context, f affiliate.UserTagFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.UserTag], error) {
	type E = affiliate.UserTag
	t := &r.u.db.core.userTags
	return r.list(ctx, p, func(w *engine.Where[E]) {
		w.Query(f.Name, nil, func(t *E) string { return t.Name })
		engine.EqualIn(w, f.AdvertiserID, t.byAdvertiser)
		if f.AdvertiserIDs != nil {
			engine.AmongIn(w, append([]int64{0}, f.AdvertiserIDs...), t.byAdvertiser)
		}
		engine.Among(w, f.AccessLevels, func(t *E) affiliate.AccessLevel { return t.AccessLevel })
		w.Among(f.IDs)
	})
}
