package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type imageRow struct {
	bun.BaseModel `bun:"table:affiliate_images,alias:t"`

	Key          string    `bun:"key,pk"`
	AdvertiserID int64     `bun:"advertiser_id,nullzero"`
	Uploader     string    `bun:"uploader"`
	Bytes        int64     `bun:"bytes"`
	CreatedAt    time.Time `bun:"created_at,nullzero"`
	UnusedSince  time.Time `bun:"unused_since,nullzero"`
	Removed      bool      `bun:"removed"`
}

var imageTable = table[offers.Image, imageRow]{
	name: "affiliate_images", resource: "image",
	row: func(i offers.Image) imageRow {
		return imageRow{
			Key: i.Key, AdvertiserID: i.AdvertiserID, Uploader: i.Uploader, Bytes: i.Bytes,
			CreatedAt: i.CreatedAt, UnusedSince: i.UnusedSince, Removed: i.Removed,
		}
	},
	entity: func(r imageRow) offers.Image {
		return offers.Image{
			Key: r.Key, ImageOwner: offers.ImageOwner{AdvertiserID: r.AdvertiserID, Uploader: r.Uploader}, Bytes: r.Bytes,
			CreatedAt: utc(r.CreatedAt), UnusedSince: utc(r.UnusedSince), Removed: r.Removed,
		}
	},
}

type images struct{ u *unit }

func (r images) Add(ctx context.Context, i offers.Image) error {
	return exec(ctx, r.u, "image", func(ctx context.Context) error {
		if err := i.Validate(); err != nil {
			return err
		}
		row := imageTable.row(i)
		_, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from("affiliate_images")).Exec(ctx)
		return err
	})
}

func (r images) Get(ctx context.Context, key string) (offers.Image, error) {
	if !storable(key) {
		return offers.Image{}, affiliate.NotFound("image", key)
	}
	return imageTable.one(ctx, r.u, key, func(q filter) { q.Where("t.key = ?", key) })
}

func (r images) Use(ctx context.Context, key string) error {
	return exec(ctx, r.u, "image", func(ctx context.Context) error {
		if !storable(key) {
			return affiliate.NotFound("image", key)
		}
		res, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET unused_since = NULL WHERE key = ? AND NOT removed`, r.u.name("affiliate_images"), key)
		return foundOne(res, err, "image", key)
	})
}

// imageUsed is the condition that the image t is in use.
const imageUsed = `(EXISTS (SELECT FROM {schema}affiliate_offers AS o WHERE o.advertiser_id = t.advertiser_id AND o.image_key = t.key AND o.image_key <> '' AND o.deleted_at IS NULL)
	OR EXISTS (SELECT FROM {schema}affiliate_return_ads AS a WHERE a.advertiser_id = t.advertiser_id AND a.image_key = t.key AND a.image_key <> '' AND a.deleted_at IS NULL)
	OR EXISTS (SELECT FROM {schema}affiliate_advertisers AS v WHERE v.id = t.advertiser_id AND right(v.logo_url, char_length(t.key)) = t.key))`

func (r images) MarkUnused(ctx context.Context, advertiserID int64, now time.Time) error {
	return exec(ctx, r.u, "image", func(ctx context.Context) error {
		_, err := r.u.prepared(`UPDATE {schema}affiliate_images AS t SET unused_since = ?0::timestamptz
			WHERE t.advertiser_id = ?1::bigint AND t.unused_since IS NULL AND NOT `+imageUsed, now, advertiserID).Exec(ctx)
		return err
	})
}

func (r images) Total(ctx context.Context, owner offers.ImageOwner) (offers.ImageTotal, error) {
	return read(ctx, r.u, "image", func(ctx context.Context) (offers.ImageTotal, error) {
		var row struct {
			Images int64 `bun:"images"`
			Bytes  int64 `bun:"bytes"`
		}
		const total = `SELECT count(*) AS images, coalesce(sum(bytes), 0)::bigint AS bytes FROM ? WHERE `
		table := r.u.name("affiliate_images")
		var err error
		switch {
		case owner.AdvertiserID != 0:
			err = r.u.tx.NewRaw(total+`advertiser_id = ?`, table, owner.AdvertiserID).Scan(ctx, &row)
		case storable(owner.Uploader):
			err = r.u.tx.NewRaw(total+`advertiser_id IS NULL AND uploader = ?`, table, owner.Uploader).Scan(ctx, &row)
		}
		return offers.ImageTotal(row), err
	})
}

func (r images) Expire(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return change(ctx, r.u, "image", func(ctx context.Context) ([]string, error) {
		_, err := r.u.prepared(`UPDATE {schema}affiliate_images AS t SET unused_since = NULL
			WHERE t.unused_since <= ?0::timestamptz AND NOT t.removed AND `+imageUsed, before).Exec(ctx)
		if err != nil {
			return nil, err
		}
		// Those that are marked already come first, so that others wait for their removal.
		var keys []string
		err = r.u.prepared(`WITH due AS MATERIALIZED (
				SELECT key, removed FROM {schema}affiliate_images WHERE unused_since <= ?0::timestamptz
				ORDER BY NOT removed, CASE WHEN NOT removed THEN unused_since END, key LIMIT ?1::bigint
			), marked AS (
				UPDATE {schema}affiliate_images AS t SET removed = true FROM due WHERE t.key = due.key AND NOT due.removed
			) SELECT key FROM due ORDER BY key`, before, int64(max(limit, 0))).Scan(ctx, &keys)
		return keys, err
	})
}

func (r images) Delete(ctx context.Context, keys []string) error {
	return exec(ctx, r.u, "image", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE key = ANY(?::text[])`, r.u.name("affiliate_images"), pgdialect.Array(storableOf(keys)))
		return err
	})
}
