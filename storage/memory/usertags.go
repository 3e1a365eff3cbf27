package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type tagSlug struct {
	advertiser int64
	slug       string
}

type userTagTable struct {
	*table[affiliate.UserTag]
	bySlug       *unique[affiliate.UserTag, tagSlug]
	byAdvertiser *groups[affiliate.UserTag, int64] // 0: of none
}

func newUserTagTable() userTagTable {
	t := &table[affiliate.UserTag]{}
	return userTagTable{t,
		newUnique(t, func(t *affiliate.UserTag) (tagSlug, bool) { return tagSlug{t.AdvertiserID, t.Slug}, true }),
		newGroups(t, func(t *affiliate.UserTag) (int64, bool) { return t.AdvertiserID, true }, nil),
	}
}

var userTagColumns = columns[affiliate.UserTag]{
	"name":         text(func(t *affiliate.UserTag) string { return t.Name }),
	"slug":         text(func(t *affiliate.UserTag) string { return t.Slug }),
	"access_level": number(func(t *affiliate.UserTag) affiliate.AccessLevel { return t.AccessLevel }),
	"store_id":     number(func(t *affiliate.UserTag) int64 { return t.AdvertiserID }),
}

func copyUserTag(id uint32, t *affiliate.UserTag) affiliate.UserTag {
	c := *t
	c.ID = int64(id)
	return c
}

func keptUserTag(t affiliate.UserTag) affiliate.UserTag { return t }

type userTags struct{ u *unit }

func (r userTags) check(t affiliate.UserTag) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.advertisers.knowsOr0(t.AdvertiserID), "store_id")
	f.frees(core.userTags.bySlug.taken(&t, 0), "slug")
	return f.err("user_tag")
}

func (r userTags) Add(ctx context.Context, t affiliate.UserTag) (affiliate.UserTag, error) {
	return add(ctx, r.u, r.u.db.core.userTags.table, t, keptUserTag, r.check, copyUserTag)
}

func (r userTags) GetMany(ctx context.Context, ids []int64) ([]affiliate.UserTag, error) {
	return getRows(ctx, r.u, r.u.db.core.userTags.table, ids, copyUserTag)
}

func (r userTags) List(ctx context.Context, f affiliate.UserTagFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.UserTag], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[affiliate.UserTag]{}, err
	}
	t := r.u.db.core.userTags
	s := everything[affiliate.UserTag]()
	switch {
	case f.IDs != nil:
		s = only[affiliate.UserTag](t.among(f.IDs))
	case f.AdvertiserID != 0:
		s = only[affiliate.UserTag](t.byAdvertiser.of(f.AdvertiserID))
	case f.AdvertiserIDs != nil:
		s = only[affiliate.UserTag](byKeys(t.byAdvertiser.of, append([]int64{0}, f.AdvertiserIDs...)))
	}
	s.keep = func(_ uint32, tag *affiliate.UserTag) bool {
		return (f.Name == "" || matches(tag.Name, f.Name)) &&
			(f.AdvertiserID == 0 || f.AdvertiserID == tag.AdvertiserID) &&
			(f.AdvertiserIDs == nil || tag.AdvertiserID == 0 || slices.Contains(f.AdvertiserIDs, tag.AdvertiserID)) &&
			(f.AccessLevels == nil || slices.Contains(f.AccessLevels, tag.AccessLevel))
	}
	return page(r.u, t.table, s, p, userTagColumns, copyUserTag)
}
