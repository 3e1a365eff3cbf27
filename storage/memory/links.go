package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type linkKey struct {
	user, advertiser uint32
	key              links.LinkKey
}

// linkRow is a links.Link.
type linkRow struct {
	linkKey
	template         uint32 // a word
	original, target string // one and the same text, kept once, when they are equal
	created, deleted int64  // microseconds since 1970
}

type linkTable struct {
	*engine.Table[linkRow]
	byKey        *engine.Unique[linkRow, linkKey]
	byUser       *engine.Groups[linkRow, uint32]
	byAdvertiser *engine.Groups[linkRow, uint32]
}

func newLinkTable(db *DB) linkTable {
	t := engine.NewTable[linkRow](&db.store)
	return linkTable{t,
		engine.NewUnique(t, func(l *linkRow) (linkKey, bool) { return l.linkKey, true }),
		engine.NewGroups(t, func(l *linkRow) (uint32, bool) { return l.user, true }, nil),
		engine.NewGroups(t, func(l *linkRow) (uint32, bool) { return l.advertiser, true }, nil),
	}
}

var linkColumns = engine.Columns[linkRow]{"created_at": engine.Number(func(l *linkRow) int64 { return l.created })}

type linkRepository struct{ u *unit }

func (r linkRepository) link(id uint32, row *linkRow) (l links.Link) {
	r.fill(&l, id, row)
	return l
}

// fill is link without its copies, which take longer than all else in a Get.
func (r linkRepository) fill(l *links.Link, id uint32, row *linkRow) {
	l.ID = int64(id)
	l.UserID = int64(row.user)
	l.AdvertiserID = int64(row.advertiser)
	l.Key = row.key
	l.OriginalURL = row.original
	l.TargetURL = row.target
	l.Template = r.u.db.words.Text(row.template)
	l.CreatedAt = engine.FromMicro(row.created)
	l.DeletedAt = engine.FromMicro(row.deleted)
}

// row is the link as kept; its user and advertiser are known to exist.
func (r linkRepository) row(l *links.Link) linkRow {
	row := linkRow{
		linkKey:  linkKey{uint32(l.UserID), uint32(l.AdvertiserID), l.Key},
		template: r.u.db.words.Number(l.Template),
		original: l.OriginalURL,
		target:   l.TargetURL,
		created:  l.CreatedAt.UnixMicro(),
		deleted:  l.DeletedAt.UnixMicro(),
	}
	if row.target == row.original {
		row.target = row.original
	}
	return row
}

func (r linkRepository) refers(l *links.Link) error {
	var f engine.Refusal
	f.Refers(r.u.db.core.users.Knows(l.UserID), "user_id")
	f.Refers(r.u.db.core.advertisers.Knows(l.AdvertiserID), "advertiser_id")
	return f.Err("link")
}

func (r linkRepository) AddOrGet(ctx context.Context, l links.Link) (links.Link, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return links.Link{}, false, err
	}
	if err := l.Validate(); err != nil {
		return links.Link{}, false, r.u.Fail(err)
	}
	if err := r.refers(&l); err != nil {
		return links.Link{}, false, r.u.Fail(err)
	}
	t := r.u.db.links.links
	if id, ok := t.byKey.Find(linkKey{uint32(l.UserID), uint32(l.AdvertiserID), l.Key}); ok {
		return r.link(id, t.At(id)), false, nil
	}
	id, err := t.Insert(r.row(&l))
	if err != nil {
		return links.Link{}, false, r.u.Fail(err)
	}
	return r.link(id, t.At(id)), true, nil
}

func (r linkRepository) Get(ctx context.Context, id int64) (l links.Link, err error) {
	row, err := engine.LookUp(ctx, &r.u.Unit, r.u.db.links.links.Table, "link", id)
	if err == nil {
		r.fill(&l, uint32(id), row)
	}
	return l, err
}

func (r linkRepository) GetMany(ctx context.Context, ids []int64) ([]links.Link, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.links.links.Table, ids, r.link)
}

func (r linkRepository) Find(ctx context.Context, userID, advertiserID int64, key links.LinkKey) (l links.Link, err error) {
	if err := r.u.Use(ctx); err != nil {
		return l, err
	}
	db := r.u.db
	user, _ := db.core.users.Find(userID) // 0, which no link has, of an unknown one
	advertiser, _ := db.core.advertisers.Find(advertiserID)
	id, ok := db.links.links.byKey.Find(linkKey{user, advertiser, key})
	if !ok {
		return l, affiliate.NotFound("link", "")
	}
	r.fill(&l, id, db.links.links.At(id))
	return l, nil
}

func (r linkRepository) Update(ctx context.Context, l links.Link) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := l.Validate(); err != nil {
		return r.u.Fail(err)
	}
	t := r.u.db.links.links
	id, ok := t.Find(l.ID)
	if !ok {
		return r.u.Fail(affiliate.NotFound("link", l.ID))
	}
	if err := r.refers(&l); err != nil {
		return r.u.Fail(err)
	}
	row := r.row(&l)
	var f engine.Refusal
	f.Unique(t.byKey.Taken(&row, id), "key")
	if err := f.Err("link"); err != nil {
		return r.u.Fail(err)
	}
	t.Replace(id, row)
	return nil
}

func (r linkRepository) List(ctx context.Context, f links.LinkFilter, p affiliate.PageRequest) (affiliate.Page[links.Link], error) {
	db := r.u.db
	t := &db.links.links
	return engine.List(ctx, &r.u.Unit, t.Table, p, linkColumns, r.link, func(w *engine.Where[linkRow]) {
		engine.Refers(w, f.UserID, &db.core.users.Slab, t.byUser)
		engine.Refers(w, f.AdvertiserID, &db.core.advertisers.Slab, t.byAdvertiser)
		w.Among(f.IDs)
		w.Flag(f.Deleted, func(l *linkRow) bool { return l.deleted != engine.ZeroTime })
	})
}

func (r linkRepository) CountByUsers(ctx context.Context, advertiserID int64, userIDs []int64, from, until time.Time) (map[int64]int64, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	counts := map[int64]int64{}
	advertiser, _ := db.core.advertisers.Find(advertiserID) // 0, which no link has, of an unknown one
	first, end := microFrom(from), microFrom(until)
	for _, userID := range userIDs {
		user, _ := db.core.users.Find(userID)
		if _, counted := counts[userID]; counted {
			continue
		}
		for _, id := range db.links.links.byUser.Of(user) {
			l := db.links.links.At(id)
			if l.advertiser == advertiser && l.created >= first && (until.IsZero() || l.created < end) {
				counts[userID]++
			}
		}
	}
	return counts, nil
}

func (r linkRepository) Targets(ctx context.Context, ids []int64) ([]links.Target, error) {
	db := r.u.db
	return engine.GetMany(ctx, &r.u.Unit, db.links.links.Table, ids, func(id uint32, l *linkRow) (t links.Target) {
		r.fill(&t.Link, id, l)
		a := db.core.advertisers.At(l.advertiser)
		t.AdvertiserStatus, t.Provider = a.Status, a.Provider
		t.UserSuspended = db.core.users.At(l.user).Status() == affiliate.UserSuspended
		return t
	})
}

func (r linkRepository) Lock(ctx context.Context, ids []int64) ([]links.Link, error) {
	if err := r.u.Change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	return r.GetMany(ctx, ids)
}
