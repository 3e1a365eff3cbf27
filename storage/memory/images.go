package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type imageTable struct {
	*engine.Table[offers.Image]
	byKey    *engine.Unique[offers.Image, string]
	byOwner  *engine.Groups[offers.Image, offers.ImageOwner]
	byUnused *engine.Ordered[offers.Image]
}

func newImageTable(db *DB) imageTable {
	t := engine.NewTable[offers.Image](&db.store)
	return imageTable{
		t,
		engine.NewUnique(t, func(i *offers.Image) (string, bool) { return i.Key, true }),
		engine.NewGroups(t, func(i *offers.Image) (offers.ImageOwner, bool) { return i.ImageOwner, true }, nil),
		engine.NewOrdered(t, func(a, b *offers.Image) int {
			return cmp.Or(unusedAt(a).Compare(unusedAt(b)), strings.Compare(a.Key, b.Key))
		}),
	}
}

// unusedAt is since when the image is unused, and the end of time for a used one.
func unusedAt(i *offers.Image) time.Time {
	if i.UnusedSince.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return i.UnusedSince
}

type images struct{ u *unit }

var _ offers.ImageRepository = images{}

func (r images) table() *imageTable { return &r.u.db.offers.images }

func (r images) Add(ctx context.Context, i offers.Image) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := i.Validate(); err != nil {
		return r.u.Fail(err)
	}
	var f engine.Refusal
	_, taken := r.table().byKey.Find(i.Key)
	f.Unique(taken, "key")
	f.Refers(r.u.db.core.advertisers.KnowsOr0(i.AdvertiserID), "advertiser_id")
	if err := f.Err("image"); err != nil {
		return r.u.Fail(err)
	}
	i.CreatedAt, i.UnusedSince = engine.Kept(i.CreatedAt), engine.Kept(i.UnusedSince)
	if _, err := r.table().Insert(i); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

func (r images) Get(ctx context.Context, key string) (offers.Image, error) {
	if err := r.u.Use(ctx); err != nil {
		return offers.Image{}, err
	}
	id, ok := r.table().byKey.Find(key)
	if !ok {
		return offers.Image{}, affiliate.NotFound("image", key)
	}
	return *r.table().At(id), nil
}

func (r images) Use(ctx context.Context, key string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	id, ok := r.table().byKey.Find(key)
	if !ok || r.table().At(id).Removed {
		return r.u.Fail(affiliate.NotFound("image", key))
	}
	r.note(id, time.Time{}, false)
	return nil
}

// note replaces what changes of an image.
func (r images) note(id uint32, unused time.Time, removed bool) {
	i := *r.table().At(id)
	i.UnusedSince, i.Removed = unused, removed
	r.table().Replace(id, i)
}

// usedBy returns what reports whether an advertiser uses an image. It looks through
// the advertiser's offers and return ads once.
func (r images) usedBy(advertiserID int64) func(key string) bool {
	db, keys := r.u.db, map[string]bool{}
	if advertiserID == 0 {
		return func(string) bool { return false }
	}
	for _, id := range db.offers.offers.byAdvertiser.Of(advertiserID) {
		if o := db.offers.offers.At(id); o.DeletedAt.IsZero() {
			keys[o.ImageKey] = true
		}
	}
	ads := db.offers.ads
	for _, id := range ads.Scan(0, ads.Len()) {
		if a := ads.At(id); a.AdvertiserID == advertiserID && a.DeletedAt.IsZero() {
			keys[a.ImageKey] = true
		}
	}
	logo := db.core.advertisers.At(uint32(advertiserID)).LogoURL
	return func(key string) bool { return keys[key] || strings.HasSuffix(logo, key) }
}

func (r images) MarkUnused(ctx context.Context, advertiserID int64, now time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	used := r.usedBy(advertiserID)
	for _, id := range r.table().byOwner.Of(offers.ImageOwner{AdvertiserID: advertiserID}) {
		if i := r.table().At(id); i.UnusedSince.IsZero() && !used(i.Key) {
			r.note(id, engine.Kept(now), i.Removed)
		}
	}
	return nil
}

func (r images) Total(ctx context.Context, owner offers.ImageOwner) (offers.ImageTotal, error) {
	if err := r.u.Use(ctx); err != nil {
		return offers.ImageTotal{}, err
	}
	var out offers.ImageTotal
	for _, id := range r.table().byOwner.Of(owner) {
		out.Images++
		out.Bytes += r.table().At(id).Bytes
	}
	return out, nil
}

func (r images) Expire(ctx context.Context, before time.Time, limit int) ([]string, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	t := r.table()
	var due, marked []uint32
	t.byUnused.Each(0, 0, func(id uint32) bool {
		i := t.At(id)
		switch {
		case unusedAt(i).After(before):
			return false
		case i.Removed:
			marked = append(marked, id)
		default:
			due = append(due, id)
		}
		return true
	})
	used := map[int64]func(key string) bool{}
	for _, id := range due {
		i := t.At(id)
		if used[i.AdvertiserID] == nil {
			used[i.AdvertiserID] = r.usedBy(i.AdvertiserID)
		}
		if used[i.AdvertiserID](i.Key) {
			r.note(id, time.Time{}, false)
		} else if len(marked) < limit {
			r.note(id, i.UnusedSince, true)
			marked = append(marked, id)
		}
	}
	var keys []string
	for _, id := range marked {
		keys = append(keys, t.At(id).Key)
	}
	slices.Sort(keys)
	return keys[:min(len(keys), max(limit, 0))], nil
}

func (r images) Delete(ctx context.Context, keys []string) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, key := range keys {
		if id, ok := r.table().byKey.Find(key); ok {
			r.table().Delete(id)
		}
	}
	return nil
}
