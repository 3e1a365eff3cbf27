package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type tagSlug struct {
	advertiser int64
	slug       string
}

type userTagTable struct {
	*engine.Table[affiliate.UserTag]
	bySlug       *engine.Unique[affiliate.UserTag, tagSlug]
	byAdvertiser *engine.Groups[affiliate.UserTag, int64] // 0: of none
}

func newUserTagTable(db *DB) userTagTable {
	t := engine.NewTable[affiliate.UserTag](&db.store)
	return userTagTable{t,
		engine.NewUnique(t, func(t *affiliate.UserTag) (tagSlug, bool) { return tagSlug{t.AdvertiserID, t.Slug}, true }),
		engine.NewGroups(t, func(t *affiliate.UserTag) (int64, bool) { return t.AdvertiserID, true }, nil),
	}
}

var userTagColumns = engine.Columns[affiliate.UserTag]{
	"name":         engine.Text(func(t *affiliate.UserTag) string { return t.Name }),
	"slug":         engine.Text(func(t *affiliate.UserTag) string { return t.Slug }),
	"access_level": engine.Number(func(t *affiliate.UserTag) affiliate.AccessLevel { return t.AccessLevel }),
	"store_id":     engine.Number(func(t *affiliate.UserTag) int64 { return t.AdvertiserID }),
}

func copyUserTag(id uint32, t *affiliate.UserTag) affiliate.UserTag {
	c := *t
	c.ID = int64(id)
	return c
}

func keptUserTag(t affiliate.UserTag) affiliate.UserTag { return t }

type userTags struct{ u *unit }

func (r userTags) check(t affiliate.UserTag) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.advertisers.KnowsOr0(t.AdvertiserID), "store_id")
	f.Unique(core.userTags.bySlug.Taken(&t, 0), "slug")
	return f.Err("user_tag")
}

func (r userTags) Add(ctx context.Context, t affiliate.UserTag) (affiliate.UserTag, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.userTags.Table, t, keptUserTag, r.check, copyUserTag)
}

func (r userTags) GetMany(ctx context.Context, ids []int64) ([]affiliate.UserTag, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.userTags.Table, ids, copyUserTag)
}

func (r userTags) List(ctx context.Context, f affiliate.UserTagFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.UserTag], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.UserTag]{}, err
	}
	t := r.u.db.core.userTags
	s := engine.Everything[affiliate.UserTag]()
	switch {
	case f.IDs != nil:
		s = engine.Only[affiliate.UserTag](t.Among(f.IDs))
	case f.AdvertiserID != 0:
		s = engine.Only[affiliate.UserTag](t.byAdvertiser.Of(f.AdvertiserID))
	case f.AdvertiserIDs != nil:
		s = engine.Only[affiliate.UserTag](engine.ByKeys(t.byAdvertiser.Of, append([]int64{0}, f.AdvertiserIDs...)))
	}
	s.Keep = func(_ uint32, tag *affiliate.UserTag) bool {
		return (f.Name == "" || engine.Matches(tag.Name, f.Name)) &&
			(f.AdvertiserID == 0 || f.AdvertiserID == tag.AdvertiserID) &&
			(f.AdvertiserIDs == nil || tag.AdvertiserID == 0 || slices.Contains(f.AdvertiserIDs, tag.AdvertiserID)) &&
			(f.AccessLevels == nil || slices.Contains(f.AccessLevels, tag.AccessLevel))
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, userTagColumns, copyUserTag)
}
