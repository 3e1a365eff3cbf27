package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type advertiserTable struct {
	*table[affiliate.Advertiser]
	byGroup *groups[affiliate.Advertiser, int64]
}

func newAdvertiserTable() advertiserTable {
	t := &table[affiliate.Advertiser]{}
	return advertiserTable{t,
		newGroups(t, func(a *affiliate.Advertiser) (int64, bool) { return a.GroupID, a.GroupID != 0 }, nil),
	}
}

var advertiserColumns = columns[affiliate.Advertiser]{
	"name":       text(func(a *affiliate.Advertiser) string { return a.Name }),
	"created_at": number(func(a *affiliate.Advertiser) int64 { return a.CreatedAt.UnixMicro() }),
}

func copyAdvertiser(id uint32, a *affiliate.Advertiser) (c affiliate.Advertiser) {
	c = *a
	c.ID = int64(id)
	c.CategoryIDs = copied(a.CategoryIDs)
	c.DefaultCosts = copied(a.DefaultCosts)
	return c
}

func keptAdvertiser(a affiliate.Advertiser) affiliate.Advertiser {
	a = copyAdvertiser(0, &a)
	a.CreatedAt, a.UpdatedAt = kept(a.CreatedAt), kept(a.UpdatedAt)
	return a
}

type advertisers struct{ u *unit }

func (r advertisers) check(a affiliate.Advertiser) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.groups.knowsOr0(a.GroupID), "group_id")
	f.refers(core.categories.knowsAll(a.CategoryIDs), "categories")
	return f.err("advertiser")
}

func (r advertisers) Add(ctx context.Context, a affiliate.Advertiser) (affiliate.Advertiser, error) {
	return add(ctx, r.u, r.u.db.core.advertisers.table, a, keptAdvertiser, r.check, copyAdvertiser)
}

func (r advertisers) Get(ctx context.Context, id int64) (affiliate.Advertiser, error) {
	return getRow(ctx, r.u, r.u.db.core.advertisers.table, "advertiser", id, copyAdvertiser)
}

func (r advertisers) GetMany(ctx context.Context, ids []int64) ([]affiliate.Advertiser, error) {
	return getRows(ctx, r.u, r.u.db.core.advertisers.table, ids, copyAdvertiser)
}

func (r advertisers) Update(ctx context.Context, a affiliate.Advertiser) error {
	return update(ctx, r.u, r.u.db.core.advertisers.table, "advertiser", a.ID, a, keptAdvertiser, r.check)
}

func (r advertisers) List(ctx context.Context, f affiliate.AdvertiserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Advertiser], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[affiliate.Advertiser]{}, err
	}
	t := r.u.db.core.advertisers
	s := everything[affiliate.Advertiser]()
	switch {
	case f.IDs != nil:
		s = only[affiliate.Advertiser](t.among(f.IDs))
	case f.GroupID != 0:
		s = only[affiliate.Advertiser](t.byGroup.of(f.GroupID))
	}
	excluded := affiliate.IDs(f.Excluded)
	if f.Query != "" || f.GroupID != 0 || f.Status != "" || f.Hidden.Set || len(excluded) > 0 {
		s.keep = func(id uint32, a *affiliate.Advertiser) bool {
			if _, out := slices.BinarySearch(excluded, int64(id)); out {
				return false
			}
			return (f.Query == "" || isID(f.Query, id) || matches(a.Name, f.Query)) &&
				(f.GroupID == 0 || f.GroupID == a.GroupID) &&
				(f.Status == "" || f.Status == a.Status) &&
				f.Hidden.Or(a.Hidden) == a.Hidden
		}
	}
	return page(r.u, t.table, s, p, advertiserColumns, copyAdvertiser)
}

type groupTable struct {
	*table[affiliate.AdvertiserGroup]
	byKey *unique[affiliate.AdvertiserGroup, string]
}

func newGroupTable() groupTable {
	t := &table[affiliate.AdvertiserGroup]{}
	return groupTable{t, newUnique(t, func(g *affiliate.AdvertiserGroup) (string, bool) { return g.Key, true })}
}

var groupColumns = columns[affiliate.AdvertiserGroup]{
	"name":     text(func(g *affiliate.AdvertiserGroup) string { return g.Name }),
	"key":      text(func(g *affiliate.AdvertiserGroup) string { return g.Key }),
	"currency": text(func(g *affiliate.AdvertiserGroup) string { return string(g.Currency) }),
}

func copyGroup(id uint32, g *affiliate.AdvertiserGroup) affiliate.AdvertiserGroup {
	c := *g
	c.ID = int64(id)
	return c
}

func keptGroup(g affiliate.AdvertiserGroup) affiliate.AdvertiserGroup {
	g.CreatedAt = kept(g.CreatedAt)
	return g
}

type advertiserGroups struct{ u *unit }

func (r advertiserGroups) check(g affiliate.AdvertiserGroup) error {
	var f refusal
	f.frees(r.u.db.core.groups.byKey.taken(&g, uint32(g.ID)), "key")
	return f.err("advertiser_group")
}

func (r advertiserGroups) Add(ctx context.Context, g affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
	g.ID = 0
	return add(ctx, r.u, r.u.db.core.groups.table, g, keptGroup, r.check, copyGroup)
}

func (r advertiserGroups) Get(ctx context.Context, id int64) (affiliate.AdvertiserGroup, error) {
	return getRow(ctx, r.u, r.u.db.core.groups.table, "advertiser_group", id, copyGroup)
}

func (r advertiserGroups) GetMany(ctx context.Context, ids []int64) ([]affiliate.AdvertiserGroup, error) {
	return getRows(ctx, r.u, r.u.db.core.groups.table, ids, copyGroup)
}

func (r advertiserGroups) Update(ctx context.Context, g affiliate.AdvertiserGroup) error {
	return update(ctx, r.u, r.u.db.core.groups.table, "advertiser_group", g.ID, g, keptGroup, r.check)
}

func (r advertiserGroups) List(ctx context.Context, f affiliate.AdvertiserGroupFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.AdvertiserGroup], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[affiliate.AdvertiserGroup]{}, err
	}
	t := r.u.db.core.groups
	s := everything[affiliate.AdvertiserGroup]()
	if f.IDs != nil {
		s = only[affiliate.AdvertiserGroup](t.among(f.IDs))
	}
	if f.ReturnAdEnabled.Set {
		s.keep = func(_ uint32, g *affiliate.AdvertiserGroup) bool { return g.ReturnAdEnabled == f.ReturnAdEnabled.Value }
	}
	return page(r.u, t.table, s, p, groupColumns, copyGroup)
}

type categoryTable struct {
	*table[affiliate.Category]
	byName *unique[affiliate.Category, string]
}

func newCategoryTable() categoryTable {
	t := &table[affiliate.Category]{}
	return categoryTable{t, newUnique(t, func(c *affiliate.Category) (string, bool) { return c.Name, true })}
}

func copyCategory(id uint32, c *affiliate.Category) affiliate.Category {
	return affiliate.Category{ID: int64(id), Name: c.Name}
}

func keptCategory(c affiliate.Category) affiliate.Category { return c }

type categories struct{ u *unit }

func (r categories) check(c affiliate.Category) error {
	var f refusal
	f.frees(r.u.db.core.categories.byName.taken(&c, 0), "name")
	return f.err("category")
}

func (r categories) Add(ctx context.Context, c affiliate.Category) (affiliate.Category, error) {
	return add(ctx, r.u, r.u.db.core.categories.table, c, keptCategory, r.check, copyCategory)
}

func (r categories) GetMany(ctx context.Context, ids []int64) ([]affiliate.Category, error) {
	return getRows(ctx, r.u, r.u.db.core.categories.table, ids, copyCategory)
}

func (r categories) All(ctx context.Context) ([]affiliate.Category, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.categories
	return answer(t.table, t.scan(0, t.live), copyCategory), nil
}
