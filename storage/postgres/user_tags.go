package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type userTagRow struct {
	bun.BaseModel `bun:"table:affiliate_user_tags,alias:t"`

	ID           int64                 `bun:"id,pk,autoincrement"`
	AdvertiserID int64                 `bun:"advertiser_id,nullzero"`
	Name         string                `bun:"name"`
	Slug         string                `bun:"slug"`
	AccessLevel  affiliate.AccessLevel `bun:"access_level"`
	CreatedAt    time.Time             `bun:"created_at,nullzero"`
}

var userTagTable = table[affiliate.UserTag, userTagRow]{
	name: "affiliate_user_tags", resource: "user_tag",
	row: func(t affiliate.UserTag) userTagRow {
		return userTagRow{ID: t.ID, AdvertiserID: t.AdvertiserID, Name: t.Name, Slug: t.Slug, AccessLevel: t.AccessLevel, CreatedAt: t.CreatedAt}
	},
	entity: func(r userTagRow) affiliate.UserTag {
		return affiliate.UserTag{ID: r.ID, AdvertiserID: r.AdvertiserID, Name: r.Name, Slug: r.Slug, AccessLevel: r.AccessLevel, CreatedAt: utc(r.CreatedAt)}
	},
	sort: map[string]string{
		"name": "t.name", "slug": "t.slug", "access_level": "t.access_level", "store_id": "t.advertiser_id",
	},
}

type userTags struct {
	repo[affiliate.UserTag, userTagRow]
}

func (r userTags) List(ctx context.Context, f affiliate.UserTagFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.UserTag], error) {
	return r.list(ctx, p, func(q filter) {
		q.query(f.Name, "", part("t.name"))
		q.equal("t.advertiser_id", f.AdvertiserID)
		if f.AdvertiserIDs != nil {
			q.Where("(t.advertiser_id IS NULL OR t.advertiser_id = ANY(?::bigint[]))", pgdialect.Array(f.AdvertiserIDs))
		}
		if f.AccessLevels != nil {
			levels := make([]int64, len(f.AccessLevels))
			for i, l := range f.AccessLevels {
				levels[i] = int64(l)
			}
			q.among("t.access_level", levels)
		}
		q.among("t.id", f.IDs)
	})
}
