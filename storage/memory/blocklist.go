package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// blockTarget is whom an entry keeps away, and from which advertiser.
type blockTarget struct{ advertiser, user, tag, client int64 }

func targetOf(e *affiliate.BlocklistEntry) (blockTarget, bool) {
	return blockTarget{e.AdvertiserID, e.UserID, e.UserTagID, e.ClientID}, true
}

type blocklistTable struct {
	*engine.Table[affiliate.BlocklistEntry]
	byTarget     *engine.Unique[affiliate.BlocklistEntry, blockTarget]
	byAdvertiser *engine.Groups[affiliate.BlocklistEntry, int64]
	byUser       *engine.Groups[affiliate.BlocklistEntry, int64]
	byTag        *engine.Groups[affiliate.BlocklistEntry, int64]
	byClient     *engine.Groups[affiliate.BlocklistEntry, int64]
}

func newBlocklistTable(db *DB) blocklistTable {
	t := engine.NewTable[affiliate.BlocklistEntry](&db.store)
	by := func(id func(*affiliate.BlocklistEntry) int64) *engine.Groups[affiliate.BlocklistEntry, int64] {
		return engine.NewGroups(t, func(e *affiliate.BlocklistEntry) (int64, bool) { return id(e), id(e) != 0 }, nil)
	}
	return blocklistTable{t,
		engine.NewUnique(t, targetOf),
		by(func(e *affiliate.BlocklistEntry) int64 { return e.AdvertiserID }),
		by(func(e *affiliate.BlocklistEntry) int64 { return e.UserID }),
		by(func(e *affiliate.BlocklistEntry) int64 { return e.UserTagID }),
		by(func(e *affiliate.BlocklistEntry) int64 { return e.ClientID }),
	}
}

var blocklistColumns = engine.Columns[affiliate.BlocklistEntry]{
	"created_at": engine.Number(func(e *affiliate.BlocklistEntry) int64 { return e.CreatedAt.UnixMicro() }),
}

func copyBlock(id uint32, e *affiliate.BlocklistEntry) affiliate.BlocklistEntry {
	c := *e
	c.ID = int64(id)
	return c
}

type blocklist struct{ u *unit }

func (r blocklist) refer(e *affiliate.BlocklistEntry) error {
	var f engine.Refusal
	core := &r.u.db.core
	f.Refers(core.advertisers.Knows(e.AdvertiserID), "advertiser_id")
	f.Refers(core.users.KnowsOr0(e.UserID), "user_id")
	f.Refers(core.userTags.KnowsOr0(e.UserTagID), "user_tag_id")
	f.Refers(core.clients.KnowsOr0(e.ClientID), "client_id")
	f.Refers(core.users.KnowsOr0(e.CreatedBy.UserID), "created_by")
	return f.Err("blocklist_entry")
}

func (r blocklist) AddMissing(ctx context.Context, entries ...affiliate.BlocklistEntry) ([]affiliate.BlocklistEntry, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := e.Validate(); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	t := r.u.db.core.blocklist
	var added []affiliate.BlocklistEntry
	for _, e := range entries {
		target, _ := targetOf(&e)
		if _, ok := t.byTarget.Find(target); ok {
			continue
		}
		if err := r.refer(&e); err != nil {
			return nil, r.u.Fail(err)
		}
		e.CreatedAt = engine.Kept(e.CreatedAt)
		id, err := t.Insert(e)
		if err != nil {
			return nil, r.u.Fail(err)
		}
		added = append(added, copyBlock(id, &e))
	}
	return added, nil
}

func (r blocklist) Get(ctx context.Context, id int64) (affiliate.BlocklistEntry, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.core.blocklist.Table, "blocklist_entry", id, copyBlock)
}

func (r blocklist) Delete(ctx context.Context, id int64) error {
	return engine.Remove(ctx, &r.u.Unit, r.u.db.core.blocklist.Table, "blocklist_entry", id)
}

func (r blocklist) List(ctx context.Context, f affiliate.BlocklistFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.BlocklistEntry], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[affiliate.BlocklistEntry]{}, err
	}
	db := r.u.db
	t := db.core.blocklist
	s := engine.Everything[affiliate.BlocklistEntry]()
	if f.AdvertiserID != 0 {
		s = engine.Only[affiliate.BlocklistEntry](t.byAdvertiser.Of(f.AdvertiserID))
	}
	if f.Query != "" {
		s.Keep = func(_ uint32, e *affiliate.BlocklistEntry) bool {
			user, ok := db.core.users.Find(e.UserID)
			return ok && (engine.IsID(f.Query, user) || engine.Matches(db.core.users.At(user).Username, f.Query))
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, blocklistColumns, copyBlock)
}

func (r blocklist) Naming(ctx context.Context, advertiserIDs, userIDs, userTagIDs, clientIDs []int64) ([]affiliate.BlocklistEntry, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.core.blocklist
	ids := engine.ByKeys(t.byUser.Of, userIDs)
	ids = append(ids, engine.ByKeys(t.byTag.Of, userTagIDs)...)
	ids = append(ids, engine.ByKeys(t.byClient.Of, clientIDs)...)
	among := engine.SetOf(advertiserIDs)
	var list []affiliate.BlocklistEntry
	for _, id := range engine.Sorted(ids) {
		if e := t.At(id); advertiserIDs == nil || among[e.AdvertiserID] {
			list = append(list, copyBlock(id, e))
		}
	}
	return list, nil
}
