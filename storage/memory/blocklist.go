package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// blockTarget is whom an entry keeps away, and from which advertiser.
type blockTarget struct{ advertiser, user, tag, client int64 }

func targetOf(e *links.BlocklistEntry) (blockTarget, bool) {
	return blockTarget{e.AdvertiserID, e.UserID, e.UserTagID, e.ClientID}, true
}

type blocklistTable struct {
	*table[links.BlocklistEntry]
	byTarget     *unique[links.BlocklistEntry, blockTarget]
	byAdvertiser *groups[links.BlocklistEntry, int64]
	byUser       *groups[links.BlocklistEntry, int64]
	byTag        *groups[links.BlocklistEntry, int64]
	byClient     *groups[links.BlocklistEntry, int64]
}

func newBlocklistTable() blocklistTable {
	t := &table[links.BlocklistEntry]{}
	by := func(id func(*links.BlocklistEntry) int64) *groups[links.BlocklistEntry, int64] {
		return newGroups(t, func(e *links.BlocklistEntry) (int64, bool) { return id(e), id(e) != 0 }, nil)
	}
	return blocklistTable{t,
		newUnique(t, targetOf),
		by(func(e *links.BlocklistEntry) int64 { return e.AdvertiserID }),
		by(func(e *links.BlocklistEntry) int64 { return e.UserID }),
		by(func(e *links.BlocklistEntry) int64 { return e.UserTagID }),
		by(func(e *links.BlocklistEntry) int64 { return e.ClientID }),
	}
}

var blocklistColumns = columns[links.BlocklistEntry]{
	"created_at": number(func(e *links.BlocklistEntry) int64 { return e.CreatedAt.UnixMicro() }),
}

func copyBlock(id uint32, e *links.BlocklistEntry) links.BlocklistEntry {
	c := *e
	c.ID = int64(id)
	return c
}

type blocklist struct{ u *unit }

func (r blocklist) refer(e *links.BlocklistEntry) error {
	var f refusal
	core := &r.u.db.core
	f.refers(core.advertisers.knows(e.AdvertiserID), "advertiser_id")
	f.refers(core.users.knowsOr0(e.UserID), "user_id")
	f.refers(core.userTags.knowsOr0(e.UserTagID), "user_tag_id")
	f.refers(core.clients.knowsOr0(e.ClientID), "client_id")
	f.refers(core.users.knowsOr0(e.CreatedBy.UserID), "created_by")
	return f.err("blocklist_entry")
}

func (r blocklist) AddMissing(ctx context.Context, entries ...links.BlocklistEntry) ([]links.BlocklistEntry, error) {
	if err := r.u.change(ctx); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := e.Validate(); err != nil {
			return nil, r.u.fail(err)
		}
	}
	t := r.u.db.links.blocklist
	var added []links.BlocklistEntry
	for _, e := range entries {
		target, _ := targetOf(&e)
		if _, ok := t.byTarget.find(target); ok {
			continue
		}
		if err := r.refer(&e); err != nil {
			return nil, r.u.fail(err)
		}
		e.CreatedAt = kept(e.CreatedAt)
		id, err := t.insert(r.u, e)
		if err != nil {
			return nil, r.u.fail(err)
		}
		added = append(added, copyBlock(id, &e))
	}
	return added, nil
}

func (r blocklist) Get(ctx context.Context, id int64) (links.BlocklistEntry, error) {
	return getRow(ctx, r.u, r.u.db.links.blocklist.table, "blocklist_entry", id, copyBlock)
}

func (r blocklist) Delete(ctx context.Context, id int64) error {
	return remove(ctx, r.u, r.u.db.links.blocklist.table, "blocklist_entry", id)
}

func (r blocklist) List(ctx context.Context, f links.BlocklistFilter, p affiliate.PageRequest) (affiliate.Page[links.BlocklistEntry], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[links.BlocklistEntry]{}, err
	}
	db := r.u.db
	t := db.links.blocklist
	s := everything[links.BlocklistEntry]()
	if f.AdvertiserID != 0 {
		s = only[links.BlocklistEntry](t.byAdvertiser.of(f.AdvertiserID))
	}
	if f.Query != "" {
		s.keep = func(_ uint32, e *links.BlocklistEntry) bool {
			user, ok := db.core.users.find(e.UserID)
			return ok && (isID(f.Query, user) || matches(db.core.users.at(user).Username, f.Query))
		}
	}
	return page(r.u, t.table, s, p, blocklistColumns, copyBlock)
}

func (r blocklist) Naming(ctx context.Context, advertiserIDs, userIDs, userTagIDs, clientIDs []int64) ([]links.BlocklistEntry, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.blocklist
	ids := byKeys(t.byUser.of, userIDs)
	ids = append(ids, byKeys(t.byTag.of, userTagIDs)...)
	ids = append(ids, byKeys(t.byClient.of, clientIDs)...)
	among := setOf(advertiserIDs)
	var list []links.BlocklistEntry
	for _, id := range sorted(ids) {
		if e := t.at(id); advertiserIDs == nil || among[e.AdvertiserID] {
			list = append(list, copyBlock(id, e))
		}
	}
	return list, nil
}
