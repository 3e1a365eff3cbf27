package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type groupTable struct {
	engine.Entities[affiliate.AdvertiserGroup]
	byKey *engine.Unique[affiliate.AdvertiserGroup, string]
}

func newGroupTable(db *DB) groupTable {
	type E = affiliate.AdvertiserGroup
	t := engine.NewTable[E](&db.store)
	return groupTable{
		engine.Entities[E]{
			Table: t, Resource: "advertiser_group",
			ID:    func(g *E) *int64 { return &g.ID },
			Times: func(g *E) []*time.Time { return []*time.Time{&g.CreatedAt} },
			Refuses: func(f *engine.Refusal, g *E, id uint32) {
				f.Unique(db.core.groups.byKey.Taken(g, id), "key")
			},
			Sort: engine.Columns[E]{
				"name":     engine.Text(func(g *E) string { return g.Name }),
				"key":      engine.Text(func(g *E) string { return g.Key }),
				"currency": engine.Text(func(g *E) string { return string(g.Currency) }),
			},
		},
		engine.NewUnique(t, func(g *E) (string, bool) { return g.Key, true }),
	}
}

func (*groupTable) in(db *DB) *engine.Entities[affiliate.AdvertiserGroup] {
	return &db.core.groups.Entities
}

type (
	groupRepo        = repo[affiliate.AdvertiserGroup, *groupTable]
	advertiserGroups struct{ groupRepo }
)

var _ affiliate.AdvertiserGroupRepository = advertiserGroups{}

func (r advertiserGroups) List(ctx context.Context, f affiliate.AdvertiserGroupFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.AdvertiserGroup], error) {
	return r.list(ctx, p, func(w *engine.Where[affiliate.AdvertiserGroup]) {
		w.Among(f.IDs)
		w.Flag(f.ReturnAdEnabled, func(g *affiliate.AdvertiserGroup) bool { return g.ReturnAdEnabled })
	})
}
