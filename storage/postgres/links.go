package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

type linkRow struct {
	bun.BaseModel `bun:"table:affiliate_links,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	UserID       int64     `bun:"user_id"`
	AdvertiserID int64     `bun:"advertiser_id"`
	Key          hash      `bun:"key"`
	OriginalURL  string    `bun:"original_url"`
	TargetURL    string    `bun:"target_url"`
	Template     string    `bun:"template"`
	CreatedAt    time.Time `bun:"created_at,nullzero"`
	DeletedAt    time.Time `bun:"deleted_at,nullzero"`
}

var linkTable = table[links.Link, linkRow]{
	id:   func(l links.Link) int64 { return l.ID },
	name: "affiliate_links", resource: "link",
	row: newLinkRow, entity: linkRow.link,
	refers: func(r *linkRow) []reference {
		return []reference{ref("user_id", "affiliate_users", r.UserID), ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID)}
	},
	sort: map[string]string{"created_at": "t.created_at"},
}

func newLinkRow(l links.Link) linkRow {
	return linkRow{
		ID: l.ID, UserID: l.UserID, AdvertiserID: l.AdvertiserID, Key: hash(l.Key),
		OriginalURL: l.OriginalURL, TargetURL: l.TargetURL, Template: l.Template,
		CreatedAt: l.CreatedAt, DeletedAt: l.DeletedAt,
	}
}

func (r linkRow) link() links.Link {
	return links.Link{
		ID: r.ID, UserID: r.UserID, AdvertiserID: r.AdvertiserID, Key: links.LinkKey(r.Key),
		OriginalURL: r.OriginalURL, TargetURL: r.TargetURL, Template: r.Template,
		CreatedAt: utc(r.CreatedAt), DeletedAt: utc(r.DeletedAt),
	}
}

type linkRepository struct{ repo[links.Link, linkRow] }

func (r linkRepository) AddOrGet(ctx context.Context, l links.Link) (links.Link, bool, error) {
	l.ID = 0
	return addOrGet(ctx, r.u, linkTable, l, newLinkRow(l), "affiliate_links_key_key", byKey(l.UserID, l.AdvertiserID, l.Key))
}

func byKey(userID, advertiserID int64, key links.LinkKey) func(filter) {
	return func(q filter) {
		q.Where("t.user_id = ? AND t.advertiser_id = ? AND t.key = ?", userID, advertiserID, key[:])
	}
}

func (r linkRepository) Find(ctx context.Context, userID, advertiserID int64, key links.LinkKey) (links.Link, error) {
	return r.one(ctx, "", byKey(userID, advertiserID, key))
}

func (r linkRepository) CountByUsers(ctx context.Context, advertiserID int64, userIDs []int64, from, until time.Time) (map[int64]int64, error) {
	return read(ctx, r.u, "link", func(ctx context.Context) (map[int64]int64, error) {
		var rows []struct {
			UserID int64 `bun:"user_id"`
			N      int64 `bun:"n"`
		}
		q := filter{r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_links")).ColumnExpr("t.user_id, count(*) AS n").GroupExpr("t.user_id")}
		q.Where("t.advertiser_id = ?", advertiserID).Where("t.user_id = ANY(?::bigint[])", pgdialect.Array(userIDs))
		q.between("t.created_at", from, until)
		err := q.Scan(ctx, &rows)
		counts := make(map[int64]int64, len(rows))
		for _, row := range rows {
			counts[row.UserID] = row.N
		}
		return counts, err
	})
}

func (r linkRepository) List(ctx context.Context, f links.LinkFilter, p affiliate.PageRequest) (affiliate.Page[links.Link], error) {
	return r.list(ctx, p, func(q filter) {
		q.equal("t.user_id", f.UserID)
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.among("t.id", f.IDs)
		if f.Deleted.Set {
			q.Where("(t.deleted_at IS NOT NULL) = ?", f.Deleted.Value)
		}
	})
}

type targetRow struct {
	linkRow

	Status    affiliate.AdvertiserStatus `bun:"status"`
	Provider  string                     `bun:"provider"`
	Suspended bool                       `bun:"suspended"`
}

func (r linkRepository) Targets(ctx context.Context, ids []int64) ([]links.Target, error) {
	return read(ctx, r.u, "link", func(ctx context.Context) ([]links.Target, error) {
		var rows []targetRow
		err := r.u.prepared(`SELECT t.id, t.user_id, t.advertiser_id, t.key, t.original_url, t.target_url, t.template, t.created_at, t.deleted_at,
				a.status, a.provider, u.suspended_at IS NOT NULL AS suspended
			FROM {schema}affiliate_links AS t JOIN {schema}affiliate_advertisers AS a ON a.id = t.advertiser_id
			JOIN {schema}affiliate_users AS u ON u.id = t.user_id WHERE t.id = ANY(?0::bigint[]) ORDER BY t.id`, ids).Scan(ctx, &rows)
		return converted(rows, func(row targetRow) links.Target {
			return links.Target{Link: row.link(), AdvertiserStatus: row.Status, Provider: row.Provider, UserSuspended: row.Suspended}
		}), err
	})
}

// Lock locks in the order of the ids, so that units that lock once each never
// deadlock. In a serializable unit a lock alone would let the later unit go on
// with the snapshot it had before: there each link is also written, unchanged,
// which makes the database run the later unit again.
func (r linkRepository) Lock(ctx context.Context, ids []int64) ([]links.Link, error) {
	ids = distinct(ids)
	locked, err := change(ctx, r.u, "link", func(ctx context.Context) ([]links.Link, error) {
		var rows []linkRow
		err := r.u.preparedFrom("lock links", func() string {
			return linkTable.selectFrom(r.u, &rows).Where(byIDs).OrderExpr("t.id").For("NO KEY UPDATE").String()
		}, ids).Scan(ctx, &rows)
		if err == nil && r.u.kind == writeUnit {
			_, err = r.u.tx.ExecContext(ctx, `UPDATE ? SET template = template WHERE id = ANY(?::bigint[])`,
				r.u.name("affiliate_links"), pgdialect.Array(ids))
		}
		return linkTable.entities(rows), err
	})
	if err == nil && len(locked) == len(ids) {
		r.u.saw(linkTable.name, ids)
	}
	return locked, err
}
