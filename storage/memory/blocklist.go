package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// blockTarget is whom an entry keeps away, and from which advertiser.
type blockTarget struct{ advertiser, user, tag, client int64 }

func targetOf(e *affiliate.BlocklistEntry) (blockTarget, bool) {
	return blockTarget{e.AdvertiserID, e.UserID, e.UserTagID, e.ClientID}, true
}

type blocklistTable struct {
	engine.Entities[affiliate.BlocklistEntry]
	byTarget     *engine.Unique[affiliate.BlocklistEntry, blockTarget]
	byAdvertiser *engine.Groups[affiliate.BlocklistEntry, int64]
	byUser       *engine.Groups[affiliate.BlocklistEntry, int64]
	byTag        *engine.Groups[affiliate.BlocklistEntry, int64]
	byClient     *engine.Groups[affiliate.BlocklistEntry, int64]
}

func newBlocklistTable(db *DB) blocklistTable {
	type E = affiliate.BlocklistEntry
	t := engine.NewTable[E](&db.store)
	by := func(id func(*E) int64) *engine.Groups[E, int64] {
		return engine.NewGroups(t, func(e *E) (int64, bool) { return id(e), id(e) != 0 }, nil)
	}
	return blocklistTable{
		engine.Entities[E]{
			Table: t, Resource: "blocklist_entry",
			ID:    func(e *E) *int64 { return &e.ID },
			Times: func(e *E) []*time.Time { return []*time.Time{&e.CreatedAt} },
			Refuses: func(f *engine.Refusal, e *E, _ uint32) {
				f.Refers(db.core.advertisers.Knows(e.AdvertiserID), "advertiser_id")
				f.Refers(db.core.users.KnowsOr0(e.UserID), "user_id")
				f.Refers(db.core.userTags.KnowsOr0(e.UserTagID), "user_tag_id")
				f.Refers(db.core.clients.KnowsOr0(e.ClientID), "client_id")
				f.Refers(db.core.users.KnowsOr0(e.CreatedBy.UserID), "created_by")
			},
			Sort: engine.Columns[E]{"created_at": engine.Time(func(e *E) time.Time { return e.CreatedAt })},
		},
		engine.NewUnique(t, targetOf),
		by(func(e *E) int64 { return e.AdvertiserID }),
		by(func(e *E) int64 { return e.UserID }),
		by(func(e *E) int64 { return e.UserTagID }),
		by(func(e *E) int64 { return e.ClientID }),
	}
}

func (*blocklistTable) in(db *DB) *engine.Entities[affiliate.BlocklistEntry] {
	return &db.core.blocklist.Entities
}

type (
	blocklistRepo = repo[affiliate.BlocklistEntry, *blocklistTable]
	blocklist     struct{ blocklistRepo }
)

var _ affiliate.BlocklistRepository = blocklist{}

func (r blocklist) AddMissing(ctx context.Context, entries ...affiliate.BlocklistEntry) ([]affiliate.BlocklistEntry, error) {
	return r.all().AddMissing(ctx, &r.u.Unit, entries, func(e *affiliate.BlocklistEntry) bool {
		return r.u.db.core.blocklist.byTarget.Taken(e, 0)
	})
}

func (r blocklist) List(ctx context.Context, f affiliate.BlocklistFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.BlocklistEntry], error) {
	type E = affiliate.BlocklistEntry
	return r.list(ctx, p, func(w *engine.Where[E]) {
		engine.EqualIn(w, f.AdvertiserID, r.u.db.core.blocklist.byAdvertiser)
		w.Query(f.Query, func(e *E) int64 { return e.UserID }, r.username)
	})
}

func (r blocklist) username(e *affiliate.BlocklistEntry) string {
	id, ok := r.u.db.core.users.Find(e.UserID)
	if !ok {
		return ""
	}
	return r.u.db.core.users.At(id).Username
}

func (r blocklist) Naming(ctx context.Context, advertiserIDs, userIDs, userTagIDs, clientIDs []int64) ([]affiliate.BlocklistEntry, error) {
	return r.rows(ctx, func() []uint32 {
		t := &r.u.db.core.blocklist
		ids := engine.ByKeys(t.byUser.Of, userIDs)
		ids = append(ids, engine.ByKeys(t.byTag.Of, userTagIDs)...)
		ids = engine.Sorted(append(ids, engine.ByKeys(t.byClient.Of, clientIDs)...))
		if advertiserIDs == nil {
			return ids
		}
		of := engine.SetOf(advertiserIDs)
		return slices.DeleteFunc(ids, func(id uint32) bool { return !of[t.At(id).AdvertiserID] })
	})
}
