package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type advertiserTable struct {
	*engine.Table[affiliate.Advertiser]
	byGroup *engine.Groups[affiliate.Advertiser, int64]
}

func newAdvertiserTable(db *DB) advertiserTable {
	t := engine.NewTable[affiliate.Advertiser](&db.store)
	return advertiserTable{t,
		engine.NewGroups(t, func(a *affiliate.Advertiser) (int64, bool) { return a.GroupID, a.GroupID != 0 }, nil),
	}
}

var advertiserColumns = engine.Columns[affiliate.Advertiser]{
	"name":       engine.Text(func(a *affiliate.Advertiser) string { return a.Name }),
	"created_at": engine.Number(func(a *affiliate.Advertiser) int64 { return a.CreatedAt.UnixMicro() }),
}

func copyAdvertiser(id uint32, a *affiliate.Advertiser) (c affiliate.Advertiser) {
	c = *a
	c.ID = int64(id)
	c.CategoryIDs = engine.Copied(a.CategoryIDs)
	c.DefaultCosts = engine.Copied(a.DefaultCosts)
	return c
}

func keptAdvertiser(a affiliate.Advertiser) affiliate.Advertiser {
	a = copyAdvertiser(0, &a)
	a.CreatedAt, a.UpdatedAt = engine.Kept(a.CreatedAt), engine.Kept(a.UpdatedAt)
	return a
}

type advertisers struct{ u *unit }

func (r advertisers) check(a affiliate.Advertiser) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.groups.KnowsOr0(a.GroupID), "group_id")
	f.Refers(core.categories.KnowsAll(a.CategoryIDs), "categories")
	return f.Err("advertiser")
}

func (r advertisers) Add(ctx context.Context, a affiliate.Advertiser) (affiliate.Advertiser, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.advertisers.Table, a, keptAdvertiser, r.check, copyAdvertiser)
}

func (r advertisers) Get(ctx context.Context, id int64) (affiliate.Advertiser, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.core.advertisers.Table, "advertiser", id, copyAdvertiser)
}

func (r advertisers) GetMany(ctx context.Context, ids []int64) ([]affiliate.Advertiser, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.advertisers.Table, ids, copyAdvertiser)
}

func (r advertisers) Update(ctx context.Context, a affiliate.Advertiser) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.core.advertisers.Table, "advertiser", a.ID, a, keptAdvertiser, r.check)
}

func (r advertisers) List(ctx context.Context, f affiliate.AdvertiserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Advertiser], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.Advertiser]{}, err
	}
	t := r.u.db.core.advertisers
	s := engine.Everything[affiliate.Advertiser]()
	switch {
	case f.IDs != nil:
		s = engine.Only[affiliate.Advertiser](t.Among(f.IDs))
	case f.GroupID != 0:
		s = engine.Only[affiliate.Advertiser](t.byGroup.Of(f.GroupID))
	}
	excluded := affiliate.SortedIDs(f.Excluded)
	if f.Query != "" || f.GroupID != 0 || f.Status != "" || f.Hidden.Set || len(excluded) > 0 {
		s.Keep = func(id uint32, a *affiliate.Advertiser) bool {
			if _, out := slices.BinarySearch(excluded, int64(id)); out {
				return false
			}
			return (f.Query == "" || engine.IsID(f.Query, id) || engine.Matches(a.Name, f.Query)) &&
				(f.GroupID == 0 || f.GroupID == a.GroupID) &&
				(f.Status == "" || f.Status == a.Status) &&
				f.Hidden.Or(a.Hidden) == a.Hidden
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, advertiserColumns, copyAdvertiser)
}

type groupTable struct {
	*engine.Table[affiliate.AdvertiserGroup]
	byKey *engine.Unique[affiliate.AdvertiserGroup, string]
}

func newGroupTable(db *DB) groupTable {
	t := engine.NewTable[affiliate.AdvertiserGroup](&db.store)
	return groupTable{t, engine.NewUnique(t, func(g *affiliate.AdvertiserGroup) (string, bool) { return g.Key, true })}
}

var groupColumns = engine.Columns[affiliate.AdvertiserGroup]{
	"name":     engine.Text(func(g *affiliate.AdvertiserGroup) string { return g.Name }),
	"key":      engine.Text(func(g *affiliate.AdvertiserGroup) string { return g.Key }),
	"currency": engine.Text(func(g *affiliate.AdvertiserGroup) string { return string(g.Currency) }),
}

func copyGroup(id uint32, g *affiliate.AdvertiserGroup) affiliate.AdvertiserGroup {
	c := *g
	c.ID = int64(id)
	return c
}

func keptGroup(g affiliate.AdvertiserGroup) affiliate.AdvertiserGroup {
	g.CreatedAt = engine.Kept(g.CreatedAt)
	return g
}

type advertiserGroups struct{ u *unit }

func (r advertiserGroups) check(g affiliate.AdvertiserGroup) error {
	var f engine.Refusal
	f.Unique(r.u.db.core.groups.byKey.Taken(&g, uint32(g.ID)), "key")
	return f.Err("advertiser_group")
}

func (r advertiserGroups) Add(ctx context.Context, g affiliate.AdvertiserGroup) (affiliate.AdvertiserGroup, error) {
	g.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.groups.Table, g, keptGroup, r.check, copyGroup)
}

func (r advertiserGroups) Get(ctx context.Context, id int64) (affiliate.AdvertiserGroup, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.core.groups.Table, "advertiser_group", id, copyGroup)
}

func (r advertiserGroups) GetMany(ctx context.Context, ids []int64) ([]affiliate.AdvertiserGroup, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.groups.Table, ids, copyGroup)
}

func (r advertiserGroups) Update(ctx context.Context, g affiliate.AdvertiserGroup) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.core.groups.Table, "advertiser_group", g.ID, g, keptGroup, r.check)
}

func (r advertiserGroups) List(ctx context.Context, f affiliate.AdvertiserGroupFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.AdvertiserGroup], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.AdvertiserGroup]{}, err
	}
	t := r.u.db.core.groups
	s := engine.Everything[affiliate.AdvertiserGroup]()
	if f.IDs != nil {
		s = engine.Only[affiliate.AdvertiserGroup](t.Among(f.IDs))
	}
	if f.ReturnAdEnabled.Set {
		s.Keep = func(_ uint32, g *affiliate.AdvertiserGroup) bool { return g.ReturnAdEnabled == f.ReturnAdEnabled.Value }
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, groupColumns, copyGroup)
}

type categoryTable struct {
	*engine.Table[affiliate.Category]
	byName *engine.Unique[affiliate.Category, string]
}

func newCategoryTable(db *DB) categoryTable {
	t := engine.NewTable[affiliate.Category](&db.store)
	return categoryTable{t, engine.NewUnique(t, func(c *affiliate.Category) (string, bool) { return c.Name, true })}
}

func copyCategory(id uint32, c *affiliate.Category) affiliate.Category {
	return affiliate.Category{ID: int64(id), Name: c.Name}
}

func keptCategory(c affiliate.Category) affiliate.Category { return c }

type categories struct{ u *unit }

func (r categories) check(c affiliate.Category) error {
	var f engine.Refusal
	f.Unique(r.u.db.core.categories.byName.Taken(&c, 0), "name")
	return f.Err("category")
}

func (r categories) Add(ctx context.Context, c affiliate.Category) (affiliate.Category, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.core.categories.Table, c, keptCategory, r.check, copyCategory)
}

func (r categories) GetMany(ctx context.Context, ids []int64) ([]affiliate.Category, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.core.categories.Table, ids, copyCategory)
}

func (r categories) All(ctx context.Context) ([]affiliate.Category, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.categories
	return engine.Collect(t.Table, t.Scan(0, t.Len()), copyCategory), nil
}
