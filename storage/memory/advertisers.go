package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type advertiserTable struct {
	engine.Entities[affiliate.Advertiser]
	byGroup *engine.Groups[affiliate.Advertiser, int64]
}

func newAdvertiserTable(db *DB) advertiserTable {
	type E = affiliate.Advertiser
	t := engine.NewTable[E](&db.store)
	return advertiserTable{
		engine.Entities[E]{
			Table: t, Resource: "advertiser",
			ID: func(a *E) *int64 { return &a.ID },
			Own: func(a E) E {
				a.CategoryIDs, a.DefaultCosts = engine.Copied(a.CategoryIDs), engine.Copied(a.DefaultCosts)
				return a
			},
			Times: func(a *E) []*time.Time { return []*time.Time{&a.CreatedAt, &a.UpdatedAt} },
			Refuses: func(f *engine.Refusal, a *E, _ uint32) {
				f.Refers(db.core.groups.KnowsOr0(a.GroupID), "group_id")
				f.Refers(db.core.categories.KnowsAll(a.CategoryIDs), "categories")
			},
			Sort: engine.Columns[E]{
				"name":       engine.Text(func(a *E) string { return a.Name }),
				"created_at": engine.Time(func(a *E) time.Time { return a.CreatedAt }),
			},
		},
		engine.NewGroups(t, func(a *E) (int64, bool) { return a.GroupID, a.GroupID != 0 }, nil),
	}
}

func (*advertiserTable) in(db *DB) *engine.Entities[affiliate.Advertiser] {
	return &db.core.advertisers.Entities
}

type (
	advertiserRepo = repo[affiliate.Advertiser, *advertiserTable]
	advertisers    struct{ advertiserRepo }
)

var _ affiliate.AdvertiserRepository = advertisers{}

func (r advertisers) List(ctx context.Context, f affiliate.AdvertiserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.Advertiser], error) {
	type E = affiliate.Advertiser
	return r.list(ctx, p, func(w *engine.Where[E]) {
		w.Query(f.Query, func(a *E) int64 { return a.ID }, func(a *E) string { return a.Name })
		engine.EqualIn(w, f.GroupID, r.u.db.core.advertisers.byGroup)
		engine.Equal(w, f.Status, func(a *E) affiliate.AdvertiserStatus { return a.Status })
		w.Flag(f.Hidden, func(a *E) bool { return a.Hidden })
		w.Among(f.IDs)
		w.NotAmong(f.Excluded)
	})
}
